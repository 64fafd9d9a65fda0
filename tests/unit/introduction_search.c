/* What the exhaustive search finds: nothing in the product's judgement, and something in each
 * damaged variant of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/introduction_search.h"

static struct introduction_setting search_plain(bool is_parallel, unsigned first)
{
    return (struct introduction_setting){.is_parallel = is_parallel,
                                         .first = first,
                                         .may_cut = true,
                                         .judge = introduction_judge,
                                         .plan = introduction_judge_plan};
}

static void search_expect_sound(const char *name, const struct introduction_setting *setting,
                                bool connects)
{
    struct introduction_found found = {0};

    introduction_search_run(setting, false, &found);
    print_message("%s: %zu states\n", name, found.states);
    assert_false(found.is_cut);
    assert_int_equal(found.early, 0);
    assert_int_equal(found.half, 0);
    assert_int_equal(found.refused, 0);
    assert_int_equal(found.left, 0);
    assert_int_equal(found.connected > 0, connects);
}

/* Tests. */

static void introduction_search_one_device_each(void **state)
{
    struct introduction_setting parallel = search_plain(true, 0), a = search_plain(false, 0),
                                b = search_plain(false, 1);

    (void)state;
    parallel.is_deleting = a.is_deleting = true;
    search_expect_sound("parallel", &parallel, true);
    search_expect_sound("A first", &a, true);
    search_expect_sound("B first", &b, true);
}

static void introduction_search_held_and_automatic(void **state)
{
    struct introduction_setting setting = search_plain(true, 0);

    (void)state;
    setting.is_held[0] = setting.is_held[1] = true;
    search_expect_sound("both held", &setting, true);
    setting.is_held[0] = false;
    setting.is_auto[0] = true;
    search_expect_sound("A automatic, B held", &setting, true);
    setting = search_plain(false, 1);
    setting.is_auto[0] = setting.is_auto[1] = true;
    search_expect_sound("both automatic", &setting, true);
}

static void introduction_search_suppressed_never_connects(void **state)
{
    struct introduction_setting setting = search_plain(true, 0);

    (void)state;
    setting.is_suppressed[1] = true;
    search_expect_sound("B suppressed", &setting, false);
}

static void introduction_search_two_devices_of_an_introducee(void **state)
{
    struct introduction_setting setting = search_plain(false, 0);

    (void)state;
    setting.has_twin_a = true;
    setting.may_cut = false;
    setting.is_timeless = true;
    search_expect_sound("two devices of A, one after the other", &setting, true);
    setting.is_parallel = true;
    search_expect_sound("two devices of A, both at once", &setting, true);
    setting = search_plain(false, 0);
    setting.has_twin_a = setting.is_timeless = true;
    search_expect_sound("two devices of A, links cut", &setting, true);
    setting = search_plain(false, 0);
    setting.has_twin_a = setting.is_firm = true;
    setting.may_cut = false;
    search_expect_sound("two devices of A, clocks apart", &setting, true);
}

static void introduction_search_two_devices_of_the_introducer(void **state)
{
    struct introduction_setting setting = search_plain(false, 0);

    (void)state;
    setting.has_twin_i = true;
    setting.may_cut = false;
    setting.is_timeless = true;
    search_expect_sound("two devices of the introducer", &setting, true);
    setting.may_cut = true;
    search_expect_sound("two devices of the introducer, links cut", &setting, true);
}

/* P8. */
static void introduction_search_ends_where_the_two_are_linked_anyhow(void **state)
{
    struct introduction_setting setting = search_plain(true, 0);

    (void)state;
    setting.may_link = true;
    search_expect_sound("linked by another way", &setting, true);
    setting = search_plain(false, 1);
    setting.may_link = setting.is_deleting = true;
    search_expect_sound("B first, linked by another way", &setting, true);
    setting = search_plain(true, 0);
    setting.may_link = setting.has_twin_a = setting.is_timeless = true;
    search_expect_sound("two devices of A, linked by another way", &setting, true);
}

/* P2. */

static void search_observe(const struct introduction_setting *setting, uint8_t *out)
{
    struct introduction_found found = {.seen_by_a = out};

    introduction_search_run(setting, false, &found);
    assert_false(found.is_cut);
}

static bool search_silence_is_like_no(struct introduction_setting setting)
{
    static uint8_t silent[INTRODUCTION_OBSERVATIONS], declined[INTRODUCTION_OBSERVATIONS];

    memset(silent, 0, sizeof silent);
    memset(declined, 0, sizeof declined);
    setting.b_is_silent = true;
    search_observe(&setting, silent);
    setting.b_is_silent = false;
    setting.b_only_declines = true;
    search_observe(&setting, declined);
    return memcmp(silent, declined, sizeof silent) == 0;
}

static void introduction_search_a_no_is_like_silence(void **state)
{
    (void)state;
    assert_true(search_silence_is_like_no(search_plain(true, 0)));
    assert_true(search_silence_is_like_no(search_plain(false, 0)));
    assert_true(search_silence_is_like_no(search_plain(false, 1)));
}

/* Damaged variants: each must be caught. */

static void search_forward_at_once(const struct introduction_plan_facts *facts,
                                   struct introduction_plan_verdict *out)
{
    introduction_judge_plan(facts, out);
    for (unsigned side = 0; side < 2; side++)
        if (facts->has_yes[1 - side] && !facts->was_released[side] && facts->was_asked[side])
            out->must_release[side] = true;
}

static void introduction_search_catches_a_yes_forwarded_at_once(void **state)
{
    struct introduction_setting setting = search_plain(true, 0);
    struct introduction_found found = {0};

    (void)state;
    setting.plan = search_forward_at_once;
    introduction_search_run(&setting, false, &found);
    assert_true(found.early > 0);
}

static void search_tell_of_a_no(const struct introduction_plan_facts *facts,
                                struct introduction_plan_verdict *out)
{
    introduction_judge_plan(facts, out);
    for (unsigned side = 0; side < 2; side++)
        if (facts->has_no[1 - side] && facts->was_asked[side] && !facts->was_withdrawn[side])
            out->must_withdraw[side] = true;
}

/* A withdrawal could be the owner's, so here nobody withdraws. */
static void introduction_search_catches_a_no_that_is_told(void **state)
{
    struct introduction_setting setting = search_plain(true, 0);

    (void)state;
    setting.may_cut = false;
    setting.is_firm = true;
    assert_true(search_silence_is_like_no(setting));
    setting.plan = search_tell_of_a_no;
    assert_false(search_silence_is_like_no(setting));
}

static void search_greeted_ends(const struct introduction_facts *facts,
                                struct introduction_verdict *out)
{
    introduction_judge(facts, out);
    if (facts->said_hello && facts->now_ms >= facts->expires_ms)
        out->state = INTRODUCTION_LAPSED;
}

static void introduction_search_catches_greeted_that_ends(void **state)
{
    struct introduction_setting setting = search_plain(true, 0);
    struct introduction_found found = {0};

    (void)state;
    setting.judge = search_greeted_ends;
    introduction_search_run(&setting, false, &found);
    assert_true(found.half > 0);
}

static void search_wait_for_the_hello(const struct introduction_facts *facts,
                                      struct introduction_verdict *out)
{
    struct introduction_facts deaf = *facts;

    deaf.has_met = false;
    introduction_judge(&deaf, out);
}

static void introduction_search_catches_waiting_for_somebody_one_is_linked_with(void **state)
{
    struct introduction_setting setting = search_plain(true, 0);
    struct introduction_found found = {0};

    (void)state;
    setting.may_link = true;
    setting.judge = search_wait_for_the_hello;
    introduction_search_run(&setting, false, &found);
    assert_true(found.left > 0);
}

static void search_connect_on_release(const struct introduction_facts *facts,
                                      struct introduction_verdict *out)
{
    introduction_judge(facts, out);
    if (out->must_say_hello || out->state == INTRODUCTION_GREETED)
        out->state = INTRODUCTION_CONNECTED;
}

static void introduction_search_catches_connecting_without_hello(void **state)
{
    struct introduction_setting setting = search_plain(true, 0);
    struct introduction_found found = {0};

    (void)state;
    setting.judge = search_connect_on_release;
    introduction_search_run(&setting, false, &found);
    assert_true(found.half > 0);
}

static void search_release_over_no(const struct introduction_plan_facts *facts,
                                   struct introduction_plan_verdict *out)
{
    struct introduction_plan_facts deaf = *facts;

    deaf.has_no[0] = deaf.has_no[1] = false;
    introduction_judge_plan(&deaf, out);
}

static void introduction_search_catches_a_release_over_a_no(void **state)
{
    struct introduction_setting setting = search_plain(true, 0);
    struct introduction_found found = {0};

    (void)state;
    setting.may_cut = false;
    setting.plan = search_release_over_no;
    introduction_search_run(&setting, false, &found);
    assert_true(found.refused > 0);
}

static void search_hello_over_no(const struct introduction_facts *facts,
                                 struct introduction_verdict *out)
{
    struct introduction_facts deaf = *facts;

    deaf.said_no = false;
    introduction_judge(&deaf, out);
}

static void introduction_search_catches_a_hello_over_a_no(void **state)
{
    struct introduction_setting setting = search_plain(false, 0);
    struct introduction_found found = {0};

    (void)state;
    setting.has_twin_a = true;
    setting.may_cut = false;
    setting.is_timeless = true;
    setting.judge = search_hello_over_no;
    introduction_search_run(&setting, false, &found);
    assert_true(found.refused > 0);
}

static void search_withdraw_over_release(const struct introduction_facts *facts,
                                         struct introduction_verdict *out)
{
    introduction_judge(facts, out);
    if (facts->has_withdraw && facts->has_release)
        *out =
            (struct introduction_verdict){.state = INTRODUCTION_WITHDRAWN, .wake_ms = UINT64_MAX};
}

static void introduction_search_catches_a_withdrawal_that_outranks_a_release(void **state)
{
    struct introduction_setting setting = search_plain(false, 0);
    struct introduction_found found = {0};

    (void)state;
    setting.has_twin_i = true;
    setting.may_cut = false;
    setting.is_timeless = true;
    setting.judge = search_withdraw_over_release;
    introduction_search_run(&setting, false, &found);
    assert_true(found.half > 0);
}

static void introduction_search_catches_deleting_that_forgets(void **state)
{
    struct introduction_setting setting = search_plain(true, 0);
    struct introduction_found found = {0};

    (void)state;
    setting.is_deleting = true;
    introduction_search_run(&setting, true, &found);
    assert_true(found.half > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(introduction_search_one_device_each),
        cmocka_unit_test(introduction_search_held_and_automatic),
        cmocka_unit_test(introduction_search_suppressed_never_connects),
        cmocka_unit_test(introduction_search_two_devices_of_an_introducee),
        cmocka_unit_test(introduction_search_two_devices_of_the_introducer),
        cmocka_unit_test(introduction_search_ends_where_the_two_are_linked_anyhow),
        cmocka_unit_test(introduction_search_a_no_is_like_silence),
        cmocka_unit_test(introduction_search_catches_a_yes_forwarded_at_once),
        cmocka_unit_test(introduction_search_catches_a_no_that_is_told),
        cmocka_unit_test(introduction_search_catches_greeted_that_ends),
        cmocka_unit_test(introduction_search_catches_waiting_for_somebody_one_is_linked_with),
        cmocka_unit_test(introduction_search_catches_connecting_without_hello),
        cmocka_unit_test(introduction_search_catches_a_release_over_a_no),
        cmocka_unit_test(introduction_search_catches_a_hello_over_a_no),
        cmocka_unit_test(introduction_search_catches_a_withdrawal_that_outranks_a_release),
        cmocka_unit_test(introduction_search_catches_deleting_that_forgets),
    };

    return cmocka_run_group_tests_name("introduction_search", tests, NULL, NULL);
}
