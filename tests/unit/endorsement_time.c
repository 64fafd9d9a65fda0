/* Endorsements and time: a wrong clock costs nothing (P9), and two devices whose clocks are apart
 * do not write against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/kind.h"
#include "proto/limits.h"
#include "storage/row.h"
#include "tests/sim/vouched.h"

/* Ana's clock is three days behind, Bruno's three days ahead: it arrives, is shown, taken back. */
static void endorsement_bears_clocks_days_apart(void **state)
{
    struct vouched vouched;
    char room[32];

    (void)state;
    vouched_new(&vouched);
    vouched.ana.now_ms -= 3 * MS_PER_DAY;
    vouched.bruno.now_ms += 3 * MS_PER_DAY;
    vouched_endorse(&vouched, "network");
    vouched_round(&vouched);
    assert_string_equal(vouched_state(&vouched.bruno, room), "pending");
    vouched_decide(&vouched.bruno, "endorsement.accept", "network");
    vouched_round(&vouched);
    assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 1);
    vouched_op(&vouched.ana, "endorsement.revoke", "given", NULL);
    vouched_round(&vouched);
    assert_string_equal(vouched_state(&vouched.bruno, room), "revoked");
    assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 0);
    vouched_free(&vouched);
}

/* Somebody's clock is three years ahead: to them it has expired, to all others it has not; nothing
 * is lost, and once the clock is set all is as it was. */
static void endorsement_expires_by_each_readers_own_calendar(void **state)
{
    struct vouched vouched;
    char room[32];

    (void)state;
    vouched_new(&vouched);
    vouched_endorse(&vouched, "network");
    vouched_round(&vouched);
    vouched_decide(&vouched.bruno, "endorsement.accept", "peers");
    vouched_round(&vouched);
    vouched.chie.now_ms += 1000 * MS_PER_DAY;
    meeting_tick(&vouched.chie);
    assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 0);
    vouched.bruno.now_ms += 1000 * MS_PER_DAY;
    meeting_tick(&vouched.bruno);
    assert_string_equal(vouched_state(&vouched.bruno, room), "expired");
    vouched_round(&vouched);
    vouched.chie.now_ms -= 1000 * MS_PER_DAY;
    vouched.bruno.now_ms -= 1000 * MS_PER_DAY;
    meeting_tick(&vouched.bruno);
    vouched_round(&vouched);
    assert_string_equal(vouched_state(&vouched.bruno, room), "accepted");
    assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 1);
    vouched_free(&vouched);
}

/* Each takes the other's show for one of a wrong clock; they come to rest nevertheless. */
static void endorsement_shows_of_devices_with_clocks_apart_come_to_rest(void **state)
{
    static const int64_t days[] = {-400, -40, -20, -2, 2, 20, 40, 400};

    (void)state;
    for (size_t at = 0; at < sizeof days / sizeof days[0]; at++) {
        struct vouched vouched;
        struct member lap;
        uint64_t carried = 1;

        vouched_new(&vouched);
        vouched_endorse(&vouched, "network");
        vouched_round(&vouched);
        member_twin(&lap, &vouched.bruno, 9);
        lap.now_ms += (uint64_t)(days[at] * (int64_t)MS_PER_DAY);
        vouched_decide(&vouched.bruno, "endorsement.accept", "peers");
        for (int round = 0; round < 12 && carried > 0; round++) {
            carried = meeting_carry_one_way(&lap, &vouched.bruno);
            carried += meeting_carry_one_way(&vouched.bruno, &lap);
        }
        assert_int_equal(carried, 0);
        assert_int_equal(vouched_shown_to(&vouched.bruno), 1);
        assert_int_equal(vouched_shown_to(&lap), 1);
        vouched_round(&vouched);
        assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 1);
        member_free(&lap);
        vouched_free(&vouched);
    }
}

/* The device that made the show is lost: the other one renews it. */
static void endorsement_shows_are_renewed_by_whichever_device_is_left(void **state)
{
    struct vouched vouched;
    struct member lap;

    (void)state;
    vouched_new(&vouched);
    vouched_endorse(&vouched, "network");
    vouched_round(&vouched);
    member_twin(&lap, &vouched.bruno, 9);
    vouched_decide(&vouched.bruno, "endorsement.accept", "peers");
    (void)meeting_carry_one_way(&lap, &vouched.bruno);
    vouched_round(&vouched);
    meeting_live(&lap, 32 * MS_PER_DAY);
    meeting_tick(&lap);
    meeting_live(&vouched.chie, 32 * MS_PER_DAY);
    (void)meeting_carry_one_way(&vouched.chie, &lap);
    meeting_live(&vouched.chie, 60 * MS_PER_DAY);
    assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 1);
    meeting_live(&vouched.chie, 31 * MS_PER_DAY);
    assert_int_equal(vouched_seen(&vouched.chie, &vouched.bruno), 0);
    member_free(&lap);
    vouched_free(&vouched);
}

static enum err endorsement_count_card(void *self, uint32_t number, const struct object *object)
{
    (void)number;
    *(size_t *)self += object_is_visible(object);
    return ERR_OK;
}

static size_t endorsement_on_card(struct member *member)
{
    struct id card = member_card_space(member);
    struct snapshot snapshot = member_snapshot(member);
    size_t count = 0;

    assert_int_equal(row_each(&snapshot, &card, KIND_ENDORSEMENT, endorsement_count_card, &count),
                     ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

/* One device hides it and the other shows it, neither knowing of the other; it has expired when
 * they meet. Who reads the card later finds no words that nobody was to see any more. What was
 * only shown stays and says that it has expired. */
static void endorsement_that_was_hidden_leaves_the_card_after_its_time_too(void **state)
{
    for (int is_hidden = 0; is_hidden < 2; is_hidden++) {
        struct vouched vouched;
        struct member lap;

        (void)state;
        vouched_new(&vouched);
        vouched_endorse(&vouched, "network");
        vouched_round(&vouched);
        vouched_decide(&vouched.bruno, "endorsement.accept", "peers");
        member_twin(&lap, &vouched.bruno, 9);
        if (is_hidden)
            vouched_decide(&lap, "endorsement.hide", NULL);
        vouched_decide(&vouched.bruno, "endorsement.publish", "network");
        vouched.bruno.now_ms += 1000 * MS_PER_DAY;
        lap.now_ms += 1000 * MS_PER_DAY;
        meeting_carry(&vouched.bruno, &lap);
        assert_int_equal(endorsement_on_card(&vouched.bruno), is_hidden ? 0 : 1);
        assert_int_equal(endorsement_on_card(&lap), is_hidden ? 0 : 1);
        member_free(&lap);
        vouched_free(&vouched);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endorsement_bears_clocks_days_apart),
        cmocka_unit_test(endorsement_expires_by_each_readers_own_calendar),
        cmocka_unit_test(endorsement_shows_of_devices_with_clocks_apart_come_to_rest),
        cmocka_unit_test(endorsement_shows_are_renewed_by_whichever_device_is_left),
        cmocka_unit_test(endorsement_that_was_hidden_leaves_the_card_after_its_time_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
