/* Requests and replies as lines of JSON. jansson does the parsing, within a bound on size and
 * depth. */
#include "node/rpc.h"

#include <stdio.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/heap.h"
#include "crypto/slate.h"

void rpc_start(void)
{
    json_set_alloc_funcs(heap_new, slate_free);
    json_object_seed(0);
}

bool rpc_is_secret(size_t line_size)
{
    return line_size <= RPC_SECRET_MAX;
}

/* jansson stops at 2,048 levels, and its recursion is then deep; a request of ours nests four. */
static bool rpc_is_shallow(struct span line, size_t depth_max)
{
    size_t depth = 0;
    bool is_text = false;

    for (size_t at = 0; at < line.size; at++) {
        uint8_t letter = line.data[at];

        if (is_text && letter == '\\')
            at++;
        else if (letter == '"')
            is_text = !is_text;
        else if (!is_text && (letter == '{' || letter == '['))
            depth++;
        else if (!is_text && (letter == '}' || letter == ']') && depth > 0)
            depth--;
        if (depth > depth_max)
            return false;
    }
    return true;
}

json_t *rpc_parse(struct span text, size_t size_max, size_t depth_max)
{
    json_error_t error;

    if (text.size > size_max || !rpc_is_shallow(text, depth_max))
        return NULL;
    return json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
}

enum err rpc_read_request(struct span line, struct rpc_request *out)
{
    json_t *whole = rpc_parse(line, RPC_LINE_MAX, RPC_DEPTH_MAX);
    json_t *id, *method, *params;
    const char *version;

    if (whole == NULL)
        return ERR_MALFORMED;
    id = json_object_get(whole, "id");
    method = json_object_get(whole, "method");
    params = json_object_get(whole, "params");
    version = json_string_value(json_object_get(whole, "jsonrpc"));
    if (version == NULL || strcmp(version, "2.0") != 0 || !json_is_string(method) ||
        (!json_is_integer(id) && !json_is_string(id)) ||
        (params != NULL && !json_is_object(params))) {
        json_decref(whole);
        return ERR_INVALID;
    }
    *out = (struct rpc_request){
        .whole = whole, .id = id, .method = json_string_value(method), .params = params};
    return ERR_OK;
}

void rpc_request_release(struct rpc_request *request)
{
    json_decref(request->whole);
    *request = (struct rpc_request){0};
}

/* Uploads. */

static const char rpc_upload_begin[] = "{\"jsonrpc\":\"2.0\",\"id\":";
static const char rpc_upload_data[] = ",\"method\":\"upload\",\"params\":{\"data\":\"";
static const char rpc_upload_end[] = "\"}}";

void rpc_write_upload(uint64_t id, struct span bytes, struct buf *out)
{
    char number[24];

    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)id);
    buf_append(out, span_str(rpc_upload_begin));
    buf_append(out, span_str(number));
    buf_append(out, span_str(rpc_upload_data));
    base64_write(bytes, out);
    buf_append(out, span_str(rpc_upload_end));
    buf_byte(out, '\n');
}

/* Takes this text off the front. */
static bool rpc_take(struct span *line, const char *text)
{
    struct span wanted = span_str(text);

    if (line->size < wanted.size || memcmp(line->data, wanted.data, wanted.size) != 0)
        return false;
    *line = span_of(line->data + wanted.size, line->size - wanted.size);
    return true;
}

static bool rpc_is_base64(struct span text)
{
    for (size_t at = 0; at < text.size; at++) {
        uint8_t letter = text.data[at], lower = letter | 0x20;

        if ((lower < 'a' || lower > 'z') && (letter < '0' || letter > '9') && letter != '+' &&
            letter != '/' && letter != '=')
            return false;
    }
    return true;
}

bool rpc_is_upload(struct span line, uint64_t *out_id, struct span *out_data)
{
    size_t digits = 0;

    *out_id = 0;
    if (line.size > RPC_LINE_MAX || !rpc_take(&line, rpc_upload_begin))
        return false;
    for (;
         digits < line.size && digits < 18 && line.data[digits] >= '0' && line.data[digits] <= '9';
         digits++)
        *out_id = *out_id * 10 + (uint64_t)(line.data[digits] - '0');
    if (digits == 0 || (digits > 1 && line.data[0] == '0'))
        return false;
    line = span_of(line.data + digits, line.size - digits);
    if (!rpc_take(&line, rpc_upload_data) || line.size < sizeof rpc_upload_end - 1)
        return false;
    *out_data = span_of(line.data, line.size - (sizeof rpc_upload_end - 1));
    line = span_of(line.data + out_data->size, sizeof rpc_upload_end - 1);
    return rpc_take(&line, rpc_upload_end) && rpc_is_base64(*out_data);
}

static int rpc_append(const char *bytes, size_t size, void *self)
{
    struct buf *out = self;

    out->is_secret = rpc_is_secret(out->size + size);
    buf_append(out, span_of(bytes, size));
    return out->is_failed ? -1 : 0;
}

/* Takes the object over. */
static void rpc_write_line(json_t *object, struct buf *out)
{
    out->is_secret = rpc_is_secret(out->size);
    if (object == NULL || json_dump_callback(object, rpc_append, out, JSON_COMPACT) != 0)
        out->is_failed = true;
    json_decref(object);
    buf_byte(out, '\n');
}

void rpc_write_request(uint64_t id, const char *method, json_t *params, struct buf *out)
{
    rpc_write_line(json_pack("{s:s, s:I, s:s, s:O}", "jsonrpc", "2.0", "id", (json_int_t)id,
                             "method", method, "params", params),
                   out);
}

void rpc_write_result(json_t *id, json_t *result, struct buf *out)
{
    rpc_write_line(json_pack("{s:s, s:O, s:O}", "jsonrpc", "2.0", "id", id, "result", result), out);
}

void rpc_write_failure(json_t *id, enum rpc_code code, const struct op_failure *failure,
                       struct buf *out)
{
    json_t *data = op_failure_json(failure);
    const char *message =
        json_string_value(json_object_get(json_object_get(data, "error"), "message"));

    rpc_write_line(json_pack("{s:s, s:o?, s:{s:i, s:s, s:o}}", "jsonrpc", "2.0", "id",
                             id != NULL ? json_incref(id) : json_null(), "error", "code", (int)code,
                             "message", message != NULL ? message : "", "data", data),
                   out);
}

void rpc_write_notification(const char *method, json_t *params, struct buf *out)
{
    rpc_write_line(
        json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0", "method", method, "params", params), out);
}

static void rpc_copy(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text != NULL ? text : ""); /* Cut when too long. */
}

static void rpc_read_failure(json_t *error, struct op_failure *out)
{
    json_t *ours = json_object_get(json_object_get(error, "data"), "error");
    json_t *from = ours != NULL ? ours : error;
    json_int_t code = ours != NULL ? json_integer_value(json_object_get(ours, "code")) : OP_FAILED;

    out->code = code > 0 && code <= OP_CANCELLED ? (enum op_code)code : OP_FAILED;
    rpc_copy(out->message, sizeof out->message,
             json_string_value(json_object_get(from, "message")));
    rpc_copy(out->hint, sizeof out->hint, json_string_value(json_object_get(from, "hint")));
}

enum err rpc_read_reply(struct span line, struct rpc_reply *out)
{
    json_t *whole = rpc_parse(line, SIZE_MAX, RPC_DEPTH_MAX);
    json_t *error;

    if (whole == NULL)
        return ERR_MALFORMED;
    *out = (struct rpc_reply){.whole = whole, .result = json_object_get(whole, "result")};
    error = json_object_get(whole, "error");
    out->method = json_string_value(json_object_get(whole, "method"));
    out->params = json_object_get(whole, "params");
    out->is_notification = out->method != NULL;
    if (json_is_object(error)) {
        rpc_read_failure(error, &out->failure);
        out->result = NULL;
    } else if (out->result == NULL && !out->is_notification) {
        json_decref(whole);
        return ERR_MALFORMED;
    }
    return ERR_OK;
}

void rpc_reply_release(struct rpc_reply *reply)
{
    json_decref(reply->whole);
    *reply = (struct rpc_reply){0};
}
