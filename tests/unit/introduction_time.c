/* Introductions and time: whose clock ends what, and that a wrong clock costs nothing (P9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "tests/sim/three.h"

static void introduction_ends_by_each_ones_own_clock(void **state)
{
    struct three three;

    (void)state;
    three_new(&three);
    three_begin(&three, "A", false);
    three_round(&three);
    meeting_accept(&three.ana);
    meeting_live(&three.ana, 22 * MS_PER_DAY);
    three_expect(&three.ana, "yes");
    meeting_live(&three.ana, 7 * MS_PER_DAY);
    three_expect(&three.ana, "retracted");
    three_expect(&three.iris, "open");
    three_round(&three);
    three_expect(&three.iris, "closed");
    assert_int_equal(three_shown(&three.bruno), 0);
    three_free(&three);
}

/* A clock that jumps ahead takes no yes back: the machine has not run that long (TIME-1). */
static void introduction_takes_no_yes_back_by_a_wrong_clock(void **state)
{
    struct three three;

    (void)state;
    three_new(&three);
    three_begin(&three, "A", false);
    three_round(&three);
    meeting_accept(&three.ana);
    three.ana.now_ms += 40 * MS_PER_DAY;
    meeting_tick(&three.ana);
    three_expect(&three.ana, "yes");
    three.ana.now_ms -= 40 * MS_PER_DAY;
    three_round(&three);
    meeting_accept(&three.bruno);
    three_round(&three);
    three_expect(&three.ana, "connected");
    three_expect(&three.bruno, "connected");
    three_free(&three);
}

/* What ended stays ended while only the wall clock says that it was long ago. */
static void introduction_is_remembered_by_both_clocks(void **state)
{
    struct three three;
    char id[ID_TEXT_SIZE];

    (void)state;
    three_new(&three);
    three_offer(&three, 5, three.iris.now_ms);
    meeting_carry(&three.iris, &three.ana);
    meeting_first_id(&three.ana, id);
    json_decref(meeting_op(&three.ana, "intro.decline", json_pack("{s:s}", "id", id), NULL));
    three.ana.now_ms += 400 * MS_PER_DAY;
    meeting_tick(&three.ana);
    three_expect(&three.ana, "no");
    meeting_live(&three.ana, 181 * MS_PER_DAY);
    assert_int_equal(three_shown(&three.ana), 0);
    three_free(&three);
}

/* Three days fast and three days slow: nobody notices. */
static void introduction_bears_clocks_days_apart(void **state)
{
    struct three three;

    (void)state;
    three_new(&three);
    three.ana.now_ms += 3 * MS_PER_DAY;
    three.bruno.now_ms -= 3 * MS_PER_DAY;
    three_begin(&three, "A", false);
    three_round(&three);
    meeting_accept(&three.ana);
    three_round(&three);
    three_expect(&three.bruno, "");
    three.bruno.now_ms += 2 * MS_PER_DAY + 3600000; /* An offer from so far ahead waits. */
    meeting_tick(&three.bruno);
    meeting_accept(&three.bruno);
    three_round(&three);
    three_expect_linked(&three);
    three_free(&three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(introduction_ends_by_each_ones_own_clock),
        cmocka_unit_test(introduction_takes_no_yes_back_by_a_wrong_clock),
        cmocka_unit_test(introduction_is_remembered_by_both_clocks),
        cmocka_unit_test(introduction_bears_clocks_days_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
