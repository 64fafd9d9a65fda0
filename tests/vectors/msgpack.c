/* The gate against the msgpack test suite: of all encodings of a value it takes the shortest alone,
 * and of all types those of PROTOCOL SCAN-1. What it takes reads as the value the suite names. */
#include "tests/vectors/vectors.h"

#include "proto/scan.h"
#include "proto/wire.h"

/* Bytes are written "cc-80". */
static void msgpack_bytes(const char *text, struct buf *out)
{
    char pair[2];
    uint8_t byte;

    buf_clear(out);
    for (; *text != '\0'; text += 2) {
        if (*text == '-')
            text++;
        if (*text == '\0')
            break;
        memcpy(pair, text, 2);
        assert_int_equal(hex_read(span_of(pair, 2), &byte, 1), ERR_OK);
        buf_byte(out, byte);
    }
}

/* Maps are forbidden wherever they stand. */
static bool msgpack_has_map(const json_t *value)
{
    size_t at;
    json_t *item;
    bool has = json_is_object(value);

    if (json_is_array(value))
        json_array_foreach(value, at, item) has = has || msgpack_has_map(item);
    return has;
}

/* May an object of this first byte stand in anything of ours? */
static bool msgpack_is_allowed_head(uint8_t head)
{
    bool is_map = (head >= 0x80 && head <= 0x8f) || head == 0xde || head == 0xdf;
    bool is_extension = (head >= 0xc7 && head <= 0xc9) || (head >= 0xd4 && head <= 0xd8);
    bool is_float = head == 0xca || head == 0xcb;
    bool is_signed = head >= 0xe0 || (head >= 0xd0 && head <= 0xd3);

    return !is_map && !is_extension && !is_float && !is_signed && head != 0xc1;
}

static void msgpack_check_value(const json_t *test, struct wire *wire)
{
    const json_t *number = json_object_get(test, "number"), *text;
    const char *big = json_string_value(json_object_get(test, "bignum"));
    struct buf bytes = {0};
    char digits[32];

    if (number != NULL)
        assert_int_equal(wire_uint(wire, UINT64_MAX), json_integer_value(number));
    if (number == NULL && big != NULL) {
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)wire_uint(wire, UINT64_MAX));
        assert_string_equal(digits, big);
    }
    text = json_object_get(test, "string");
    if (text != NULL)
        assert_true(span_is_equal(wire_str(wire, 1000),
                                  span_of(json_string_value(text), json_string_length(text))));
    text = json_object_get(test, "binary");
    if (text != NULL) {
        msgpack_bytes(json_string_value(text), &bytes);
        assert_true(span_is_equal(wire_bin(wire, 0, 1000), buf_span(&bytes)));
    }
    text = json_object_get(test, "array");
    if (text != NULL)
        assert_int_equal(wire_array(wire, 0, 1000).left, json_array_size(text));
    text = json_object_get(test, "bool");
    if (text != NULL)
        assert_int_equal(wire_bool(wire), json_is_true(text));
    if (json_object_get(test, "nil") != NULL)
        assert_true(wire_is_nil(wire));
    buf_release(&bytes);
}

/* The size of the shortest encoding that is allowed; 0 when there is none. */
static size_t msgpack_shortest(const json_t *test)
{
    struct buf bytes = {0};
    size_t index, least = 0;
    json_t *encoding;

    json_array_foreach(json_object_get(test, "msgpack"), index, encoding)
    {
        msgpack_bytes(json_string_value(encoding), &bytes);
        if (msgpack_is_allowed_head(bytes.data[0]) && (least == 0 || bytes.size < least))
            least = bytes.size;
    }
    buf_release(&bytes);
    return msgpack_has_map(json_object_get(test, "array")) ? 0 : least;
}

/* Every encoding of one value; returns how many were taken. */
static size_t msgpack_check(const json_t *test, size_t *out_count)
{
    struct buf bytes = {0}, array = {0};
    struct wire_doc doc = {0};
    size_t index, taken = 0, shortest = msgpack_shortest(test);
    json_t *encoding;

    json_array_foreach(json_object_get(test, "msgpack"), index, encoding)
    {
        struct wire wire;
        bool must_take;

        msgpack_bytes(json_string_value(encoding), &bytes);
        must_take = bytes.size == shortest && msgpack_is_allowed_head(bytes.data[0]);
        if ((scan(buf_span(&bytes)) == SCAN_FINE) != must_take)
            fail_msg("%s: %s", json_string_value(encoding), must_take ? "refused" : "taken");
        buf_clear(&array);
        buf_byte(&array, 0x91);
        buf_append(&array, buf_span(&bytes));
        assert_int_equal(wire_open(&doc, buf_span(&array), &wire),
                         must_take ? ERR_OK : ERR_MALFORMED);
        if (must_take) {
            msgpack_check_value(test, &wire);
            assert_int_equal(wire_err(&doc), ERR_OK);
            taken++;
        }
        (*out_count)++;
    }
    wire_release(&doc);
    buf_release(&bytes);
    buf_release(&array);
    return taken;
}

static void scan_agrees_with_the_msgpack_test_suite(void **state)
{
    json_t *root = vectors_json("msgpack/msgpack-test-suite.json");
    size_t index, count = 0, taken = 0;
    const char *name;
    json_t *tests, *test;

    (void)state;
    json_object_foreach(root, name, tests) json_array_foreach(tests, index, test) taken +=
        msgpack_check(test, &count);
    print_message("%zu encodings, %zu taken\n", count, taken);
    assert_int_equal(count, 190);
    assert_int_equal(taken, 31);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_agrees_with_the_msgpack_test_suite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
