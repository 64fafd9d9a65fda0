/* Which of several releases counts: one that both can use. PROTOCOL INTRO-10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/three.h"

enum { RELEASE_TRIES = 8 }; /* in about one of two it is the other release that comes first */

static bool release_is_linked(struct member *one, const struct member *other)
{
    struct peer peer;

    return meeting_peer(one, other, &peer);
}

/* Bruno says yes on two devices, and each of two devices of Iris's releases for one of the yeses.
 * Bruno hears of both releases, Ana of one alone, whichever comes first. */
static void the_release_that_both_have_heard_of_makes_the_link(void **state)
{
    (void)state;
    for (int is_desk = 0; is_desk < 2; is_desk++) {
        struct member lap, desk, *told;
        struct three three;

        three_new(&three);
        three_begin(&three, "both", false);
        three_round(&three);
        member_twin(&lap, &three.bruno, 10);
        (void)meeting_carry_one_way(&three.iris, &three.bruno);
        member_twin(&desk, &three.iris, 20);
        (void)meeting_carry_one_way(&three.ana, &three.iris);
        (void)meeting_carry_one_way(&three.bruno, &three.iris);
        meeting_accept(&three.ana);
        meeting_accept(&three.bruno);
        meeting_accept(&lap);
        (void)meeting_carry_one_way(&three.iris, &three.ana);
        (void)meeting_carry_one_way(&desk, &three.ana);
        assert_true(member_pull(&desk, &lap, NULL) > 0);
        meeting_tick(&desk);
        (void)meeting_carry_one_way(&three.iris, &three.bruno);
        (void)meeting_carry_one_way(&three.bruno, &lap);
        three_expect(&three.iris, "released");
        three_expect(&desk, "released");
        told = is_desk ? &desk : &three.iris;
        for (int round = 0; round < 4; round++) {
            meeting_carry(told, &three.ana);
            (void)meeting_carry_one_way(&three.bruno, &three.iris);
            (void)meeting_carry_one_way(&three.bruno, &desk);
            (void)meeting_carry_one_way(told, &three.bruno);
        }
        three_expect_linked(&three);
        member_free(&lap);
        member_free(&desk);
        three_free(&three);
    }
}

/* Bruno's machine went back to before his yes, whose secret died with it, and so did one of
 * Iris's. He says yes once more, and she releases for that. Ana is linked by what is lost, and
 * answers him for the other release, too. */
static void whoever_lost_the_link_and_says_yes_again_is_answered(void **state)
{
    (void)state;
    for (uint8_t at = 0; at < RELEASE_TRIES; at++) {
        bool knows_lost = at % 2 > 0; /* what it had said came back to it from a reader */
        struct peer iris, lost, found;
        struct member back, desk;
        struct three three;

        three_new(&three);
        three_begin(&three, "both", false);
        three_round(&three);
        member_twin(&back, &three.bruno, (uint8_t)(10 + at));
        member_twin(&desk, &three.iris, (uint8_t)(30 + at));
        (void)meeting_carry_one_way(&three.ana, &three.iris); /* The certificates. */
        (void)meeting_carry_one_way(&back, &three.iris);
        (void)meeting_carry_one_way(&desk, &three.bruno);
        meeting_accept(&three.ana);
        meeting_accept(&three.bruno);
        three_round(&three);
        three_expect_linked(&three);
        assert_true(meeting_peer(&three.bruno, &three.ana, &lost));
        assert_true(meeting_peer(&back, &three.iris, &iris));
        meeting_accept(&back);
        (void)meeting_carry_one_way(&desk, &back);
        (void)meeting_carry_one_way(&desk, &three.ana);
        three_expect(&desk, "released");
        if (knows_lost)
            (void)member_pull(&back, &three.bruno, &iris.pair_out);
        for (int round = 0; round < 4; round++) {
            meeting_carry(&three.iris, &desk);
            meeting_carry(&three.iris, &back);
            meeting_carry(&three.iris, &three.ana);
            (void)meeting_carry_one_way(&back, &desk);
            (void)meeting_carry_one_way(&three.ana, &desk);
        }
        three_expect(&back, "connected");
        assert_true(release_is_linked(&three.ana, &back));
        assert_true(meeting_peer(&back, &three.ana, &found));
        assert_memory_not_equal(found.secret, lost.secret, KEY_SIZE);
        member_free(&back);
        member_free(&desk);
        three_free(&three);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_release_that_both_have_heard_of_makes_the_link),
        cmocka_unit_test(whoever_lost_the_link_and_says_yes_again_is_answered),
    };

    return cmocka_run_group_tests_name("introduction_release", tests, NULL, NULL);
}
