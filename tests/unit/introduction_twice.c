/* Two introductions of one pair at once, exhaustively: nothing in the product's judgement, and
 * something in each damaged variant of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/introduction_twice.h"

static struct twice_setting twice_plain(bool is_parallel, unsigned first)
{
    return (struct twice_setting){.machines = {.is_parallel = is_parallel,
                                               .first = first,
                                               .judge = introduction_judge,
                                               .plan = introduction_judge_plan},
                                  .keep = link_judge};
}

static struct twice_found twice_expect_sound(const char *name, const struct twice_setting *setting)
{
    struct twice_found found = {0};

    introduction_twice_run(setting, &found);
    print_message("twice, %s: %zu states, %zu of them quiet\n", name, found.states, found.quiet);
    assert_false(found.is_cut);
    assert_int_equal(found.early, 0);
    assert_int_equal(found.refused, 0);
    assert_int_equal(found.apart, 0);
    assert_int_equal(found.stuck, 0);
    assert_int_equal(found.left, 0);
    assert_true(found.quiet > 0);
    assert_int_equal(found.conflicts > 0, setting->is_other_key);
    return found;
}

/* Tests. */

static void introduction_twice_ends_alike(void **state)
{
    struct twice_setting parallel = twice_plain(true, 0), a = twice_plain(false, 0),
                         b = twice_plain(false, 1), automatic = parallel;
    struct twice_found found = twice_expect_sound("parallel", &parallel);

    (void)state;
    assert_true(found.both > 0 && found.despite > 0);
    found = twice_expect_sound("A first", &a);
    assert_true(found.both > 0 && found.despite > 0);
    found = twice_expect_sound("B first", &b);
    assert_true(found.both > 0 && found.despite > 0);
    automatic.machines.is_auto[0] = automatic.machines.is_auto[1] = true;
    assert_true(twice_expect_sound("both automatic", &automatic).both > 0);
}

static void introduction_twice_bears_a_yes_or_an_offer_taken_back(void **state)
{
    struct twice_setting parallel = twice_plain(true, 0), b = twice_plain(false, 1);

    (void)state;
    parallel.may_end[0] = parallel.may_end[1] = b.may_end[0] = b.may_end[1] = true;
    assert_true(twice_expect_sound("either taken back", &parallel).despite > 0);
    assert_true(twice_expect_sound("B first, either taken back", &b).both > 0);
}

/* What the first introducer does not hand on any more, the link by the second one stands for. */
static void introduction_twice_bears_an_introducer_who_is_cut_off(void **state)
{
    struct twice_setting parallel = twice_plain(true, 0), b = twice_plain(false, 1);

    (void)state;
    parallel.may_cut = b.may_cut = b.may_end[1] = true;
    assert_true(twice_expect_sound("links cut", &parallel).both > 0);
    assert_true(twice_expect_sound("B first, links cut", &b).both > 0);
}

static void introduction_twice_ends_alike_where_no_call_goes_through(void **state)
{
    struct twice_setting parallel = twice_plain(true, 0), b = twice_plain(false, 1);

    (void)state;
    parallel.has_no_calls = b.has_no_calls = true;
    assert_true(twice_expect_sound("no calls", &parallel).both > 0);
    assert_true(twice_expect_sound("B first, no calls", &b).both > 0);
}

/* The conflict is that of the second alone: the first connects as if there were no other. */
static void introduction_twice_under_another_key_is_a_conflict_of_that_one(void **state)
{
    struct twice_setting setting = twice_plain(true, 0);
    struct twice_found found;

    (void)state;
    setting.is_other_key = true;
    found = twice_expect_sound("another key", &setting);
    assert_true(found.connected[0] > 0);
    assert_int_equal(found.connected[1], 0);
}

/* P2. */

static void twice_observe(const struct twice_setting *setting, uint8_t *out)
{
    struct twice_found found = {.seen_by_a = out};

    memset(out, 0, TWICE_OBSERVATIONS);
    introduction_twice_run(setting, &found);
    assert_false(found.is_cut);
}

static bool twice_silence_is_like_no(struct twice_setting setting)
{
    static uint8_t silent[TWICE_OBSERVATIONS], declined[TWICE_OBSERVATIONS];

    setting.b_is_silent = true;
    twice_observe(&setting, silent);
    setting.b_is_silent = false;
    setting.b_only_declines = true;
    twice_observe(&setting, declined);
    return memcmp(silent, declined, sizeof silent) == 0;
}

static void introduction_twice_hides_a_no_to_one_behind_silence(void **state)
{
    struct twice_setting setting = twice_plain(true, 0);

    (void)state;
    assert_true(twice_silence_is_like_no(setting));
    setting.may_end[0] = setting.may_end[1] = true;
    assert_true(twice_silence_is_like_no(setting));
    assert_true(twice_silence_is_like_no(twice_plain(false, 0)));
    assert_true(twice_silence_is_like_no(twice_plain(false, 1)));
}

/* Damaged variants: each must be caught. */

static void twice_tell_of_a_no(const struct introduction_plan_facts *facts,
                               struct introduction_plan_verdict *out)
{
    introduction_judge_plan(facts, out);
    for (unsigned side = 0; side < 2; side++)
        if (facts->has_no[1 - side] && facts->was_asked[side] && !facts->was_withdrawn[side])
            out->must_withdraw[side] = true;
}

static void introduction_twice_catches_a_no_that_is_told(void **state)
{
    struct twice_setting setting = twice_plain(true, 0);

    (void)state;
    setting.machines.plan = twice_tell_of_a_no;
    assert_false(twice_silence_is_like_no(setting));
}

static size_t twice_apart(enum link_verdict (*keep)(const struct link_judge_facts *facts),
                          bool has_no_calls)
{
    struct twice_setting setting = twice_plain(true, 0);
    struct twice_found found = {0};

    setting.has_no_calls = has_no_calls;
    setting.keep = keep;
    introduction_twice_run(&setting, &found);
    assert_false(found.is_cut);
    return found.apart;
}

static enum link_verdict twice_replace(const struct link_judge_facts *facts)
{
    enum link_verdict verdict = link_judge(facts);

    return verdict == LINK_FIRST || verdict == LINK_SECOND ? LINK_ALONE : verdict;
}

static void introduction_twice_catches_a_second_that_replaces_the_first(void **state)
{
    (void)state;
    assert_true(twice_apart(twice_replace, false) > 0);
}

/* The link came with a call before the hello did, and the hello brings the same secret again. */
static enum link_verdict twice_write_again(const struct link_judge_facts *facts)
{
    struct link_judge_facts blind = *facts;

    blind.is_held = false;
    return link_judge(&blind);
}

static void introduction_twice_catches_a_secret_that_pushes_the_other_out(void **state)
{
    (void)state;
    assert_true(twice_apart(twice_write_again, false) > 0);
}

/* One side alone knew of the link when it said hello. A call would mend it, where one goes through.
 */
static enum link_verdict twice_vouch_alone(const struct link_judge_facts *facts)
{
    if (facts->is_linked && (facts->said_linked || facts->heard_linked))
        return LINK_VOUCHED;
    return link_judge(facts);
}

static void introduction_twice_catches_vouching_where_one_is_linked(void **state)
{
    (void)state;
    assert_true(twice_apart(twice_vouch_alone, true) > 0);
}

/* It goes by the release, and that is not enough: the other one may have taken their yes back. */
static void twice_connect_on_release(const struct introduction_facts *facts,
                                     struct introduction_verdict *out)
{
    introduction_judge(facts, out);
    if (out->state == INTRODUCTION_GREETED && facts->has_release)
        out->state = INTRODUCTION_CONNECTED;
}

static void introduction_twice_catches_connecting_without_hello(void **state)
{
    struct twice_setting setting = twice_plain(true, 0);
    struct twice_found found = {0};

    (void)state;
    setting.may_end[0] = true;
    setting.machines.judge = twice_connect_on_release;
    introduction_twice_run(&setting, &found);
    assert_true(found.stuck > 0);
}

static void twice_wait_for_the_hello(const struct introduction_facts *facts,
                                     struct introduction_verdict *out)
{
    struct introduction_facts deaf = *facts;

    deaf.has_met = false;
    introduction_judge(&deaf, out);
}

static void introduction_twice_catches_waiting_for_somebody_one_is_linked_with(void **state)
{
    struct twice_setting setting = twice_plain(true, 0);
    struct twice_found found = {0};

    (void)state;
    setting.may_cut = true;
    setting.machines.judge = twice_wait_for_the_hello;
    introduction_twice_run(&setting, &found);
    assert_true(found.left > 0);
}

/* They call under the secret I only accept, and so I stop calling: they never hear of mine. */
static void introduction_twice_catches_confirming_by_the_other_secret(void **state)
{
    struct twice_setting setting = twice_plain(true, 0);
    struct twice_found found = {0};

    (void)state;
    setting.may_cut = setting.is_credulous = true;
    introduction_twice_run(&setting, &found);
    assert_true(found.apart > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(introduction_twice_ends_alike),
        cmocka_unit_test(introduction_twice_bears_a_yes_or_an_offer_taken_back),
        cmocka_unit_test(introduction_twice_bears_an_introducer_who_is_cut_off),
        cmocka_unit_test(introduction_twice_ends_alike_where_no_call_goes_through),
        cmocka_unit_test(introduction_twice_under_another_key_is_a_conflict_of_that_one),
        cmocka_unit_test(introduction_twice_hides_a_no_to_one_behind_silence),
        cmocka_unit_test(introduction_twice_catches_a_no_that_is_told),
        cmocka_unit_test(introduction_twice_catches_a_second_that_replaces_the_first),
        cmocka_unit_test(introduction_twice_catches_a_secret_that_pushes_the_other_out),
        cmocka_unit_test(introduction_twice_catches_vouching_where_one_is_linked),
        cmocka_unit_test(introduction_twice_catches_connecting_without_hello),
        cmocka_unit_test(introduction_twice_catches_waiting_for_somebody_one_is_linked_with),
        cmocka_unit_test(introduction_twice_catches_confirming_by_the_other_secret),
    };

    return cmocka_run_group_tests_name("introduction_twice", tests, NULL, NULL);
}
