/* Borrowed and growing bytes, big-endian integers, checked sizes, hexadecimal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/span.h"
#include "tests/unit/heap_failing.h"

static void span_order_is_the_order_of_bytes(void **state)
{
    static const struct {
        const char *left, *right;
        int order;
    } cases[] = {
        {"", "", 0},    {"", "a", -1},   {"a", "", 1},   {"a", "a", 0},        {"a", "b", -1},
        {"ab", "a", 1}, {"a", "ab", -1}, {"b", "ab", 1}, {"\x7f", "\x80", -1}, {"\xff", "\x01", 1},
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct span left = span_str(cases[at].left), right = span_str(cases[at].right);
        int order = span_order(left, right);

        assert_int_equal((order > 0) - (order < 0), cases[at].order);
        assert_int_equal(span_is_equal(left, right), cases[at].order == 0);
    }
    assert_true(span_is_equal(span_of(NULL, 0), span_str("")));
    assert_int_equal(span_order(span_of(NULL, 0), span_of(NULL, 0)), 0);
}

static void buf_writes_big_endian(void **state)
{
    static const uint8_t expected[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                       0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 'x'};
    struct buf buf = {0};

    (void)state;
    buf_byte(&buf, 0x01);
    buf_u16(&buf, 0x0203);
    buf_u32(&buf, 0x04050607);
    buf_u64(&buf, 0x08090a0b0c0d0e0f);
    buf_append(&buf, span_str("x"));
    buf_append(&buf, span_of(NULL, 0));
    assert_int_equal(buf_err(&buf), ERR_OK);
    assert_true(span_is_equal(buf_span(&buf), span_of(expected, sizeof expected)));
    assert_int_equal(be16(buf.data + 1), 0x0203);
    assert_int_equal(be32(buf.data + 3), 0x04050607);
    assert_true(be64(buf.data + 7) == 0x08090a0b0c0d0e0f);
    buf_release(&buf);
    buf_release(&buf);
}

static void buf_keeps_its_bytes_while_it_grows(void **state)
{
    struct buf buf = {0};

    (void)state;
    for (unsigned value = 0; value < 10000; value++)
        buf_u16(&buf, (uint16_t)value);
    assert_int_equal(buf.size, 20000);
    for (unsigned value = 0; value < 10000; value++)
        assert_int_equal(be16(buf.data + 2 * (size_t)value), value);
    buf_release(&buf);
}

static void buf_grow_gives_an_address_even_for_nothing(void **state)
{
    struct buf buf = {0};

    (void)state;
    assert_non_null(buf_grow(&buf, 0));
    assert_int_equal(buf.size, 0);
    buf_release(&buf);
}

static void buf_reserve_keeps_the_address(void **state)
{
    static const size_t sizes[] = {63, 64, 65, 1000};
    struct buf buf = {0};

    (void)state;
    for (size_t at = 0; at < sizeof sizes / sizeof sizes[0]; at++) {
        const uint8_t *before;

        buf_reserve(&buf, sizes[at]);
        before = buf.data;
        assert_ptr_equal(buf_grow(&buf, sizes[at]), before);
        assert_ptr_equal(buf.data, before);
        buf_release(&buf);
    }
}

static void buf_drop_moves_the_rest_to_the_front(void **state)
{
    struct buf buf = {0};

    (void)state;
    buf_drop(&buf, 0);
    buf_append(&buf, span_str("abcdef"));
    buf_drop(&buf, 0);
    assert_true(span_is_equal(buf_span(&buf), span_str("abcdef")));
    buf_drop(&buf, 5);
    assert_true(span_is_equal(buf_span(&buf), span_str("f")));
    buf_drop(&buf, 1);
    assert_int_equal(buf.size, 0);
    buf_release(&buf);
}

static void buf_fails_once_and_for_all(void **state)
{
    struct buf buf = {0};

    (void)state;
    buf_append(&buf, span_str("kept"));
    heap_failing_after(0);
    assert_null(buf_grow(&buf, 1000));
    heap_failing_after(SIZE_MAX);
    assert_int_equal(buf_err(&buf), ERR_NOMEM);
    buf_byte(&buf, 'x');
    buf_u16(&buf, 1);
    buf_u32(&buf, 1);
    buf_u64(&buf, 1);
    buf_append(&buf, span_str("lost"));
    assert_null(buf_grow(&buf, 1));
    assert_true(span_is_equal(buf_span(&buf), span_str("kept")));
    buf_clear(&buf);
    buf_append(&buf, span_str("again"));
    assert_int_equal(buf_err(&buf), ERR_OK);
    assert_true(span_is_equal(buf_span(&buf), span_str("again")));
    buf_release(&buf);
}

static void buf_fails_for_sizes_that_cannot_be(void **state)
{
    struct buf buf = {0};

    (void)state;
    buf_byte(&buf, 'x');
    assert_null(buf_grow(&buf, SIZE_MAX));
    assert_int_equal(buf_err(&buf), ERR_NOMEM);
    buf_release(&buf);
    heap_failing_after(0);
    assert_null(buf_grow(&buf, SIZE_MAX - 1));
    heap_failing_after(SIZE_MAX);
    assert_int_equal(buf_err(&buf), ERR_NOMEM);
    buf_release(&buf);
}

static void size_sums_and_products_do_not_wrap(void **state)
{
    size_t out = 7;

    (void)state;
    assert_true(size_add(SIZE_MAX - 1, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_false(size_add(SIZE_MAX, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_true(size_mul(SIZE_MAX / 2, 2, &out));
    assert_true(out == SIZE_MAX - 1);
    assert_false(size_mul(SIZE_MAX / 2 + 1, 2, &out));
    assert_true(out == SIZE_MAX - 1);
    assert_true(size_mul(0, SIZE_MAX, &out));
    assert_int_equal(out, 0);
}

static void hex_reads_what_it_writes(void **state)
{
    uint8_t bytes[256], read[256];
    char text[2 * sizeof bytes + 1];

    (void)state;
    for (size_t at = 0; at < sizeof bytes; at++)
        bytes[at] = (uint8_t)at;
    hex_write(span_of(bytes, sizeof bytes), text);
    assert_int_equal(strlen(text), 512);
    assert_int_equal(hex_read(span_str(text), read, sizeof read), ERR_OK);
    assert_memory_equal(bytes, read, sizeof bytes);
    hex_write(span_of(NULL, 0), text);
    assert_string_equal(text, "");
}

static void hex_read_refuses_what_is_no_hex(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        enum err err;
    } cases[] = {
        {"00ff", 2, ERR_OK},     {"aBcD", 2, ERR_OK},       {"", 0, ERR_OK},
        {"00f", 2, ERR_INVALID}, {"00fff", 2, ERR_INVALID}, {"00", 2, ERR_INVALID},
        {"0g", 1, ERR_INVALID},  {"/0", 1, ERR_INVALID},    {":0", 1, ERR_INVALID},
        {"@0", 1, ERR_INVALID},  {"G0", 1, ERR_INVALID},    {"`0", 1, ERR_INVALID},
        {" 0", 1, ERR_INVALID},  {"0x", 1, ERR_INVALID},
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        uint8_t out[2] = {0x5a, 0x5a};

        assert_int_equal(hex_read(span_str(cases[at].text), out, cases[at].size), cases[at].err);
        if (cases[at].err != ERR_OK)
            assert_int_equal(out[0], 0x5a);
    }
}

static void buf_number_is_taken_back(void **state)
{
    static const struct {
        uint64_t value;
        size_t size;
    } cases[] = {{0, 1},          {127, 1},   {128, 2},
                 {16383, 2},      {16384, 3}, {UINT64_C(1) << 35, 6},
                 {UINT64_MAX, 10}};
    static const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                      0x80, 0x80, 0x80, 0x80, 0x80, 0};
    struct span rest = span_of(endless, sizeof endless);
    uint64_t value = 5;

    (void)state;
    assert_false(span_take_number(&rest, &value));
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct buf buf = {0};

        buf_number(&buf, cases[at].value);
        assert_int_equal(buf.size, cases[at].size);
        rest = span_of(buf.data, buf.size - 1);
        value = 5;
        assert_false(span_take_number(&rest, &value));
        assert_int_equal(value, 5);
        buf_byte(&buf, 9);
        rest = buf_span(&buf);
        assert_true(span_take_number(&rest, &value));
        assert_true(value == cases[at].value);
        assert_int_equal(rest.size, 1);
        buf_release(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(span_order_is_the_order_of_bytes),
        cmocka_unit_test(buf_writes_big_endian),
        cmocka_unit_test(buf_keeps_its_bytes_while_it_grows),
        cmocka_unit_test(buf_grow_gives_an_address_even_for_nothing),
        cmocka_unit_test(buf_reserve_keeps_the_address),
        cmocka_unit_test(buf_drop_moves_the_rest_to_the_front),
        cmocka_unit_test(buf_fails_once_and_for_all),
        cmocka_unit_test(buf_fails_for_sizes_that_cannot_be),
        cmocka_unit_test(buf_number_is_taken_back),
        cmocka_unit_test(size_sums_and_products_do_not_wrap),
        cmocka_unit_test(hex_reads_what_it_writes),
        cmocka_unit_test(hex_read_refuses_what_is_no_hex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
