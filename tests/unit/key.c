/* Keys of the store: big-endian, so that the order of bytes is the order of numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/key.h"

static void key_bytes_are_big_endian(void **state)
{
    static const uint8_t expected[] = {7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 'a', 'b'};
    struct key key;

    (void)state;
    key_of_byte(7, &key);
    key_add_u32(&key, 0x01020304);
    key_add_u64(&key, UINT64_C(0x05060708090a0b0c));
    key_add_bytes(&key, span_str("ab"));
    assert_int_equal(key.size, sizeof expected);
    assert_memory_equal(key.bytes, expected, sizeof expected);
}

static void key_order_is_number_order(void **state)
{
    static const uint64_t numbers[] = {0, 1, 255, 256, 65535, 65536, UINT32_MAX, UINT64_MAX};
    size_t count = sizeof numbers / sizeof numbers[0], checked = 0;

    (void)state;
    for (size_t at = 1; at < count; at++) {
        struct key less, more;

        key_of_u64(numbers[at - 1], &less);
        key_of_u64(numbers[at], &more);
        assert_true(span_order(key_span(&less), key_span(&more)) < 0);
        if (numbers[at] <= UINT32_MAX) {
            key_of_u32((uint32_t)numbers[at - 1], &less);
            key_of_u32((uint32_t)numbers[at], &more);
            assert_true(span_order(key_span(&less), key_span(&more)) < 0);
        }
        checked++;
    }
    assert_int_equal(checked, 7);
}

static void key_is_cut_to_what_fits(void **state)
{
    static const uint8_t bytes[KV_KEY_SIZE_MAX + 1] = {0};
    static const struct {
        size_t size, expected;
    } cases[] = {{0, 0},
                 {KV_KEY_SIZE_MAX - 1, KV_KEY_SIZE_MAX - 1},
                 {KV_KEY_SIZE_MAX, KV_KEY_SIZE_MAX},
                 {KV_KEY_SIZE_MAX + 1, KV_KEY_SIZE_MAX}};

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct key key;

        key_of_bytes(span_of(bytes, cases[at].size), &key);
        assert_int_equal(key.size, cases[at].expected);
    }
}

static void key_tables_have_names_of_their_own(void **state)
{
    size_t pairs = 0;

    (void)state;
    assert_true((size_t)TABLES_COUNT <= (size_t)KV_TABLES_MAX);
    for (size_t left = 0; left < TABLES_COUNT; left++)
        for (size_t right = left + 1; right < TABLES_COUNT; right++, pairs++)
            assert_string_not_equal(table_names[left], table_names[right]);
    assert_int_equal(pairs, TABLES_COUNT * (TABLES_COUNT - 1) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_bytes_are_big_endian),
        cmocka_unit_test(key_order_is_number_order),
        cmocka_unit_test(key_is_cut_to_what_fits),
        cmocka_unit_test(key_tables_have_names_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
