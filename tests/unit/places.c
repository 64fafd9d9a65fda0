/* Where logs stand in a list: found in time that does not grow with their number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/places.h"
#include "tests/unit/heap_failing.h"

enum { PLACES_LOGS = 65536 };

static const uint8_t places_key[HASH_SIZE] = {2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5};

static uint64_t places_of(uint32_t number)
{
    struct log_id log = {.space = {{1}}};

    be32_put(log.device.bytes + 4, number);
    return places_word(places_key, &log);
}

static void each_log_is_found_in_a_few_steps(void **state)
{
    struct places places = {0};
    size_t steps = 0;
    uint32_t found;

    (void)state;
    for (uint32_t at = 0; at < PLACES_LOGS; at++) {
        size_t step = 0;

        assert_false(places_next(&places, places_of(at), &step, &found));
        assert_true(places_add(&places, places_of(at), at));
        steps += step;
    }
    for (uint32_t at = 0; at < PLACES_LOGS; at++) {
        size_t step = 0;

        assert_true(places_next(&places, places_of(at), &step, &found));
        assert_int_equal(found, at);
        steps += step;
    }
    assert_in_range(steps, PLACES_LOGS, 8 * PLACES_LOGS);
    assert_in_range(places_held(&places), 1, PLACES_LOGS * 32);
    places_release(&places);
}

/* Whoever made two words equal would find both: the list says which is meant. */
static void all_of_one_word_are_gone_over(void **state)
{
    struct places places = {0};
    size_t step = 0;
    uint32_t found;

    (void)state;
    for (uint32_t at = 0; at < 5; at++)
        assert_true(places_add(&places, 7, at));
    assert_true(places_add(&places, 8, 5));
    for (uint32_t at = 0; at < 5; at++) {
        assert_true(places_next(&places, 7, &step, &found));
        assert_int_equal(found, at);
    }
    assert_false(places_next(&places, 7, &step, &found));
    places_release(&places);
}

static void without_memory_nothing_is_added(void **state)
{
    struct places places = {0};
    size_t step = 0;
    uint32_t found;

    (void)state;
    heap_failing_after(0);
    assert_false(places_add(&places, 7, 0));
    heap_failing_after(SIZE_MAX);
    assert_false(places_next(&places, 7, &step, &found));
    assert_true(places_add(&places, 7, 0));
    places_release(&places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_log_is_found_in_a_few_steps),
        cmocka_unit_test(all_of_one_word_are_gone_over),
        cmocka_unit_test(without_memory_nothing_is_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
