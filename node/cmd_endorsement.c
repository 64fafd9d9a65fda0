/* Exported endorsements are files: written and read here, in the command's own process. */
#include <stdio.h>
#include <string.h>

#include "node/cmd.h"
#include "node/door.h"
#include "node/home.h"
#include "node/show.h"
#include "proto/limits.h"

enum { CMD_ENDORSEMENT_MODE = 0644, CMD_ENDORSEMENT_INDENT = 2, CMD_ENDORSEMENT_WHY_SIZE = 80 };

static int cmd_endorsement_append(const char *bytes, size_t size, void *self)
{
    struct buf *out = self;

    buf_append(out, span_of(bytes, size));
    return out->is_failed ? -1 : 0;
}

static int cmd_endorsement_write(const struct config *config, const char *path, json_t *document)
{
    struct op_failure failure = {0};
    struct buf bytes = {0};
    json_t *answer;
    enum err err;
    int code;

    if (json_dump_callback(document, cmd_endorsement_append, &bytes,
                           JSON_INDENT(CMD_ENDORSEMENT_INDENT)) != 0)
        bytes.is_failed = true;
    buf_byte(&bytes, '\n');
    err = buf_err(&bytes);
    if (err == ERR_OK)
        err = home_write_file(path, buf_span(&bytes), CMD_ENDORSEMENT_MODE);
    buf_release(&bytes);
    if (err != ERR_OK) {
        door_fail(&failure, OP_FAILED, "kith endorsement export ID -o FILE",
                  "%.300s could not be written: %s", path,
                  err == ERR_NOT_FOUND ? "there is no such folder" : err_sentence(err));
        return cmd_fail(config, &failure);
    }
    answer = json_pack("{s:s, s:i}", "file", path, "count",
                       json_is_array(document) ? (int)json_array_size(document) : 1);
    code = cmd_print(config, "endorsement.export", answer, NULL);
    json_decref(answer);
    return code;
}

/* The document is the answer, for people as for programs; -o puts it into a file. */
int cmd_endorsement_export(const struct config *config, const struct cmd *cmd, json_t *params)
{
    json_t *output = json_incref(json_object_get(params, "output"));
    struct door_call call = {.method = cmd->method, .params = params};
    int code = OP_DONE;

    (void)json_object_del(params, "output"); /* The file is this process's business. */
    if (!door_call(config, &call)) {
        code = cmd_fail(config, &call.failure);
    } else if (output != NULL) {
        code = cmd_endorsement_write(config, json_string_value(output), call.result);
    } else {
        show_json(call.result,
                  config->is_json ? JSON_COMPACT : JSON_INDENT(CMD_ENDORSEMENT_INDENT));
        code = fflush(stdout) == 0 ? OP_DONE : OP_FAILED;
    }
    json_decref(call.result);
    json_decref(output);
    return code;
}

/* What is too long to be read is judged without being read. */
static int cmd_endorsement_refuse(const struct config *config, const struct cmd *cmd,
                                  json_t *params)
{
    char why[CMD_ENDORSEMENT_WHY_SIZE];
    json_t *verdict;
    int code;

    (void)snprintf(why, sizeof why, "it is longer than %d KiB, as no endorsement is",
                   CREDENTIAL_SIZE_MAX >> 10);
    verdict = json_pack("{s:b, s:s}", "valid", 0, "why", why);
    code = cmd_print(config, cmd->method, verdict, params);
    json_decref(verdict);
    return code == OP_DONE ? OP_UNTRUSTED : code;
}

int cmd_endorsement_verify(const struct config *config, const struct cmd *cmd, json_t *params)
{
    const char *path = json_string_value(json_object_get(params, "file"));
    struct door_call call = {.method = cmd->method, .params = params};
    struct op_failure failure = {0};
    struct buf file = {0};
    json_t *text;
    enum err err = home_read_file(path, CREDENTIAL_SIZE_MAX, &file);
    int code;

    if (err == ERR_LIMIT) {
        buf_release(&file);
        return cmd_endorsement_refuse(config, cmd, params);
    }
    if (err != ERR_OK) {
        const char *why = home_why_unreadable(path);

        door_fail(&failure, OP_FAILED, "kith endorsement verify FILE",
                  "%.300s could not be read: %s", path, why != NULL ? why : err_sentence(err));
        buf_release(&file);
        return cmd_fail(config, &failure);
    }
    text = json_stringn((const char *)file.data, file.size);
    buf_release(&file);
    /* What is not UTF-8 is no JSON either, and is judged as such. */
    (void)json_object_set_new(params, "file", text != NULL ? text : json_string(""));
    if (!door_call(config, &call))
        return cmd_fail(config, &call.failure);
    code = cmd_print(config, cmd->method, call.result, params);
    if (code == OP_DONE && !json_is_true(json_object_get(call.result, "valid")))
        code = OP_UNTRUSTED;
    json_decref(call.result);
    return code;
}
