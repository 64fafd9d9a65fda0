/* Lines of JSON-RPC 2.0: what is a request, what comes back, and in which numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base64.h"
#include "node/rpc.h"

static void rpc_tells_no_json_from_no_request(void **state)
{
    static const struct {
        const char *line;
        enum err err;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}", ERR_OK},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"status\",\"params\":{}}", ERR_OK},
        {"", ERR_MALFORMED},
        {"status", ERR_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"} more", ERR_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"status\"}", ERR_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", ERR_MALFORMED},
        {"[]", ERR_INVALID},
        {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}]", ERR_INVALID},
        {"{\"id\":1,\"method\":\"status\"}", ERR_INVALID},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}", ERR_INVALID},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"status\"}", ERR_INVALID},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"status\"}", ERR_INVALID},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", ERR_INVALID},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":[]}", ERR_INVALID},
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct rpc_request request;
        enum err err = rpc_read_request(span_str(cases[at].line), &request);

        if (err != cases[at].err)
            fail_msg("%s: %s", cases[at].line, err_sentence(err));
        if (err == ERR_OK)
            rpc_request_release(&request);
    }
}

/* A request whose text brings it to this size; the caller releases it. */
static void rpc_sized(size_t size, struct buf *out)
{
    static const char head[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"t\":\"";
    static const char tail[] = "\"}}";

    buf_append(out, span_str(head));
    memset(buf_grow(out, size - strlen(head) - strlen(tail)), 'x',
           size - strlen(head) - strlen(tail));
    buf_append(out, span_str(tail));
    assert_int_equal(out->size, size);
}

static void rpc_requests_have_a_size_and_answers_as_they_need(void **state)
{
    struct buf line = {0}, answer = {0};
    struct rpc_request request;
    struct rpc_reply reply;

    (void)state;
    rpc_sized(RPC_LINE_MAX, &line);
    assert_int_equal(rpc_read_request(buf_span(&line), &request), ERR_OK);
    rpc_write_result(request.id, request.params, &answer);
    rpc_request_release(&request);
    buf_clear(&line);
    rpc_sized(RPC_LINE_MAX + 1, &line);
    assert_int_equal(rpc_read_request(buf_span(&line), &request), ERR_MALFORMED);
    buf_clear(&line);
    buf_append(&line, span_str("{\"result\":\""));
    memset(buf_grow(&line, 3 * RPC_LINE_MAX), 'x', 3 * RPC_LINE_MAX);
    buf_append(&line, span_str("\"}"));
    assert_int_equal(rpc_read_reply(buf_span(&line), &reply), ERR_OK);
    assert_int_equal(json_string_length(reply.result), 3 * RPC_LINE_MAX);
    rpc_reply_release(&reply);
    buf_release(&line);
    buf_release(&answer);
}

static void rpc_nesting_is_bounded_before_it_is_parsed(void **state)
{
    (void)state;
    for (size_t depth = RPC_DEPTH_MAX - 1; depth <= RPC_DEPTH_MAX + 1; depth++) {
        struct buf line = {0};
        struct rpc_reply reply;
        enum err err;

        buf_append(&line, span_str("{\"result\":"));
        memset(buf_grow(&line, depth - 1), '[', depth - 1);
        memset(buf_grow(&line, depth - 1), ']', depth - 1);
        buf_byte(&line, '}');
        err = rpc_read_reply(buf_span(&line), &reply);
        assert_int_equal(err, depth <= RPC_DEPTH_MAX ? ERR_OK : ERR_MALFORMED);
        if (err == ERR_OK)
            rpc_reply_release(&reply);
        buf_release(&line);
    }
}

/* What is read without a tree is what the tree says; anything a little different is left to it. */
static void rpc_uploads_are_requests_like_any_other(void **state)
{
    static const char *const others[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"upload\",\"params\":{\"data\":\"YQ==\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"upload\",\"params\":{\"data\":\"YQ==\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"upload\",\"params\":{\"data\":\"Y\\/==\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"upload\",\"params\":{\"data\":\"\",\"x\":\"\"}"
        "}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"upload\",\"params\":{\"data\":\"YQ==\"}} ",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"uploads\",\"params\":{\"data\":\"YQ==\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"upload\",\"params\":{\"data\":\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":",
        "",
    };
    uint8_t bytes[100];
    struct span data;
    uint64_t id;

    (void)state;
    for (size_t at = 0; at < sizeof bytes; at++)
        bytes[at] = (uint8_t)(at * 37);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct rpc_request request;
        struct buf line = {0}, text = {0}, read = {0};

        rpc_write_upload(7 * size, span_of(bytes, size), &line);
        assert_int_equal(line.data[line.size - 1], '\n');
        line.size--;
        assert_true(rpc_is_upload(buf_span(&line), &id, &data));
        assert_int_equal(id, 7 * size);
        assert_int_equal(rpc_read_request(buf_span(&line), &request), ERR_OK);
        assert_string_equal(request.method, "upload");
        assert_int_equal(json_integer_value(request.id), id);
        buf_append(&text, span_str(json_string_value(json_object_get(request.params, "data"))));
        assert_true(span_is_equal(buf_span(&text), data));
        assert_int_equal(base64_read(data, &read), ERR_OK);
        assert_true(span_is_equal(buf_span(&read), span_of(bytes, size)));
        rpc_request_release(&request);
        buf_release(&line);
        buf_release(&text);
        buf_release(&read);
    }
    for (size_t at = 0; at < sizeof others / sizeof others[0]; at++)
        assert_false(rpc_is_upload(span_str(others[at]), &id, &data));
}

static void rpc_failures_come_back_as_they_were(void **state)
{
    struct op_failure failure = {
        .code = OP_AMBIGUOUS, .message = "two fit: \xc3\xa4 and \xc3", .hint = "say which"};
    struct buf line = {0};
    struct rpc_reply reply;
    json_t *id = json_integer(7);

    (void)state;
    rpc_write_failure(id, RPC_FAILED, &failure, &line);
    assert_non_null(strstr((const char *)line.data, "\"code\":-32000"));
    assert_int_equal(line.data[line.size - 1], '\n');
    assert_int_equal(rpc_read_reply(span_of(line.data, line.size - 1), &reply), ERR_OK);
    assert_null(reply.result);
    assert_int_equal(reply.failure.code, OP_AMBIGUOUS);
    /* What was cut within a letter is a question mark: JSON is UTF-8. */
    assert_string_equal(reply.failure.message, "two fit: \xc3\xa4 and ?");
    assert_string_equal(reply.failure.hint, "say which");
    rpc_reply_release(&reply);
    buf_clear(&line);
    rpc_write_failure(NULL, RPC_NOT_JSON, &failure, &line);
    assert_non_null(memmem(line.data, line.size, "\"id\":null", 9));
    json_decref(id);
    buf_release(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rpc_tells_no_json_from_no_request),
        cmocka_unit_test(rpc_requests_have_a_size_and_answers_as_they_need),
        cmocka_unit_test(rpc_nesting_is_bounded_before_it_is_parsed),
        cmocka_unit_test(rpc_uploads_are_requests_like_any_other),
        cmocka_unit_test(rpc_failures_come_back_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
