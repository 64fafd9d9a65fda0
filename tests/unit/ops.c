/* The table of ops and the words of their failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/ops.h"
#include "proto/scan.h"

static void every_op_is_found_by_its_method_and_stands_once(void **state)
{
    const struct op *table;
    size_t count;

    (void)state;
    table = ops_table(&count);
    assert_true(count > 50);
    for (size_t at = 0; at < count; at++) {
        assert_ptr_equal(ops_find(table[at].method), &table[at]);
        assert_non_null(table[at].run);
    }
    assert_null(ops_find(""));
    assert_null(ops_find("contact"));
    assert_null(ops_find("contact.add "));
}

/* The code is what programs see, the error what travels between rooms: each has its own. */
static void each_code_travels_as_its_own_error(void **state)
{
    static const struct {
        enum op_code code;
        enum err err;
    } codes[] = {{OP_NOT_FOUND, ERR_NOT_FOUND}, {OP_UNTRUSTED, ERR_FORGED},
                 {OP_AMBIGUOUS, ERR_AMBIGUOUS}, {OP_LOCKED, ERR_LOCKED},
                 {OP_NEEDS_NODE, ERR_STATE},    {OP_CANCELLED, ERR_CANCELLED},
                 {OP_FAILED, ERR_INVALID},      {OP_USAGE, ERR_INVALID}};

    (void)state;
    for (size_t at = 0; at < sizeof codes / sizeof codes[0]; at++) {
        struct op_call call = {0};

        assert_int_equal(op_fail(&call, codes[at].code, "type this", "number %d", 7),
                         codes[at].err);
        assert_int_equal(call.failure.code, codes[at].code);
        assert_string_equal(call.failure.message, "number 7");
        assert_string_equal(call.failure.hint, "type this");
    }
}

static void who_failed_first_has_said_why(void **state)
{
    struct op_call call = {0};

    (void)state;
    assert_int_equal(op_fail_err(&call, ERR_FULL, "it was not stored"), ERR_FULL);
    assert_int_equal(call.failure.code, OP_FAILED);
    assert_non_null(strstr(call.failure.message, "it was not stored: "));
    assert_non_null(strstr(call.failure.hint, "room"));
    assert_int_equal(op_fail_err(&call, ERR_NOMEM, "something else"), ERR_NOMEM);
    assert_non_null(strstr(call.failure.message, "it was not stored: "));
}

/* Whatever was cut within a letter, or never was text, is JSON and says as much as it can. */
static void every_failure_is_json(void **state)
{
    static const char *const texts[] = {"plain",
                                        "",
                                        "\xff",
                                        "cut \xc3",
                                        "\xe2\x82",
                                        "\xf0\x9f\x98",
                                        "\xed\xa0\x80",
                                        "a\x01\x1b[2J",
                                        "\xc3\xa4\xc3\xa4"};

    (void)state;
    for (size_t at = 0; at < sizeof texts / sizeof texts[0]; at++) {
        struct op_call call = {0};
        json_t *json, *error;

        (void)op_fail(&call, OP_FAILED, texts[at], "%s", texts[at]);
        json = op_failure_json(&call.failure);
        error = json_object_get(json, "error");
        assert_int_equal(json_integer_value(json_object_get(error, "code")), OP_FAILED);
        assert_true(scan_is_utf8(span_str(json_string_value(json_object_get(error, "message")))));
        assert_int_equal(json_object_get(error, "hint") != NULL, texts[at][0] != '\0');
        json_decref(json);
    }
}

static void too_long_a_message_is_cut_and_still_a_string(void **state)
{
    static char text[4000];
    struct op_call call = {0};
    json_t *json;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    (void)op_fail(&call, OP_USAGE, text, "%s", text);
    assert_int_equal(strlen(call.failure.message), sizeof call.failure.message - 1);
    assert_int_equal(strlen(call.failure.hint), sizeof call.failure.hint - 1);
    json = op_failure_json(&call.failure);
    assert_non_null(json);
    json_decref(json);
}

static void params_of_another_type_are_absent(void **state)
{
    struct op_call call = {.params = json_pack("{s:s, s:i, s:[s], s:b, s:n}", "text", "x", "number",
                                               7, "list", "a", "flag", 1, "null")};

    (void)state;
    assert_string_equal(op_text(&call, "text"), "x");
    assert_null(op_text(&call, "number"));
    assert_null(op_text(&call, "missing"));
    assert_int_equal(json_array_size(op_list(&call, "list")), 1);
    assert_null(op_list(&call, "text"));
    assert_true(op_flag(&call, "flag"));
    assert_false(op_flag(&call, "text") || op_flag(&call, "null") || op_flag(&call, "missing"));
    json_decref(call.params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_is_found_by_its_method_and_stands_once),
        cmocka_unit_test(each_code_travels_as_its_own_error),
        cmocka_unit_test(who_failed_first_has_said_why),
        cmocka_unit_test(every_failure_is_json),
        cmocka_unit_test(too_long_a_message_is_cut_and_still_a_string),
        cmocka_unit_test(params_of_another_type_are_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
