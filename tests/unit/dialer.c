/* When to call again, and how often strangers' addresses are tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/dialer.h"

/* DESIGN 7: dialling 10 a minute to addresses never reached, 10 a second otherwise. */
static void dialling_keeps_to_its_two_budgets(void **state)
{
    struct dialer dialer = {0};
    int unknown = 0, known = 0;

    (void)state;
    for (uint64_t now_ms = 1000000; now_ms < 1060000; now_ms += 50) {
        unknown += dialer_take(&dialer, false, now_ms);
        known += dialer_take(&dialer, true, now_ms);
    }
    assert_in_range(unknown, 10, 20);
    assert_in_range(known, 600, 610);
}

static void a_budget_is_full_at_first_and_refills_one_by_one(void **state)
{
    struct dialer dialer = {0};

    (void)state;
    for (int at = 0; at < DIALER_UNKNOWN_PER_MINUTE; at++)
        assert_true(dialer_take(&dialer, false, 1000000));
    assert_false(dialer_take(&dialer, false, 1000000));
    assert_false(dialer_take(&dialer, false, 1005999));
    assert_true(dialer_take(&dialer, false, 1006000));
    assert_false(dialer_take(&dialer, false, 1006000));
    /* The other budget is untouched. */
    for (int at = 0; at < DIALER_KNOWN_PER_SECOND; at++)
        assert_true(dialer_take(&dialer, true, 1006000));
    assert_false(dialer_take(&dialer, true, 1006099));
    assert_true(dialer_take(&dialer, true, 1006100));
}

static void back_off_doubles_from_a_second_to_six_hours(void **state)
{
    (void)state;
    for (unsigned failures = 0; failures < 40; failures++) {
        uint64_t middle = failures < 15 ? UINT64_C(1000) << failures : UINT64_C(6) * 3600 * 1000;

        if (middle > UINT64_C(6) * 3600 * 1000)
            middle = UINT64_C(6) * 3600 * 1000;
        assert_in_range(dialer_wait_ms(failures, 0), middle * 3 / 4, middle);
        assert_in_range(dialer_wait_ms(failures, UINT32_MAX), middle * 3 / 4, middle * 5 / 4);
    }
    assert_in_range(dialer_wait_ms(UINT32_MAX, 1), DIALER_WAIT_MAX_MS * 3 / 4,
                    (uint64_t)DIALER_WAIT_MAX_MS * 5 / 4);
}

/* What somebody told who was introduced may be anybody's address. */
static void an_introduced_address_is_called_three_times_and_three_a_day(void **state)
{
    uint64_t now_ms = 0;
    unsigned calls = 0, first_minute = 0;

    (void)state;
    for (unsigned failures = 0; now_ms < UINT64_C(7) * 24 * 3600 * 1000; failures++) {
        calls++;
        first_minute += now_ms < 60000;
        now_ms += dialer_introduced_wait_ms(failures, 0);
    }
    assert_int_equal(first_minute, DIALER_INTRODUCED_TRIES);
    assert_in_range(calls, 7, DIALER_INTRODUCED_TRIES + 7 * 3);
    assert_true(dialer_introduced_wait_ms(0, 0) < 60000);
    assert_true(dialer_introduced_wait_ms(UINT32_MAX, 0) >= DIALER_INTRODUCED_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialling_keeps_to_its_two_budgets),
        cmocka_unit_test(a_budget_is_full_at_first_and_refills_one_by_one),
        cmocka_unit_test(an_introduced_address_is_called_three_times_and_three_a_day),
        cmocka_unit_test(back_off_doubles_from_a_second_to_six_hours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
