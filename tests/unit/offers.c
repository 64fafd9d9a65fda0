/* What a session offered: each once, up to a bound, in time that does not grow with their number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/offers.h"
#include "tests/unit/heap_failing.h"

static const uint8_t offers_key[HASH_SIZE] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};

static bool offers_one(struct offers *offers, uint32_t number)
{
    struct hash hash = {{0}};

    be32_put(hash.bytes + 4, number);
    return offers_add(offers, offers_key, &hash);
}

static void each_is_new_once_up_to_the_bound(void **state)
{
    struct offers offers = {0};

    (void)state;
    for (uint32_t at = 0; at < OFFERS_MAX; at++) {
        assert_true(offers_one(&offers, at));
        assert_false(offers_one(&offers, at / 2));
    }
    assert_false(offers_one(&offers, OFFERS_MAX));
    for (uint32_t at = 0; at < OFFERS_MAX; at++)
        assert_false(offers_one(&offers, at));
    assert_in_range(offers_held(&offers), OFFERS_MAX * 8, OFFERS_MAX * 16);
    offers_release(&offers);
}

/* The word that stands for a free place is none that a hash could not have. */
static void a_hash_that_meets_the_key_is_one_like_any(void **state)
{
    struct offers offers = {0};
    struct hash hash = {{0}};

    (void)state;
    be64_put(hash.bytes, be64(offers_key + 8));
    assert_true(offers_add(&offers, offers_key, &hash));
    assert_false(offers_add(&offers, offers_key, &hash));
    offers_release(&offers);
}

static void without_memory_nothing_is_lost(void **state)
{
    struct offers offers = {0};

    (void)state;
    heap_failing_after(0);
    assert_false(offers_one(&offers, 1));
    heap_failing_after(1);
    for (uint32_t at = 1; at < 20; at++)
        assert_int_equal(offers_one(&offers, at), at <= 8);
    heap_failing_after(SIZE_MAX);
    assert_false(offers_one(&offers, 8));
    assert_true(offers_one(&offers, 9));
    offers_release(&offers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_new_once_up_to_the_bound),
        cmocka_unit_test(a_hash_that_meets_the_key_is_one_like_any),
        cmocka_unit_test(without_memory_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
