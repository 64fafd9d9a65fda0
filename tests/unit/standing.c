/* What a device signed that was stolen later, or before: shows that others quote, names that
 * letters give. PROTOCOL SHOW-6, LETTER-5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/card.h"
#include "proto/endorsement.h"
#include "proto/retire.h"
#include "proto/show.h"
#include "proto/statement.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "storage/row.h"
#include "storage/standing.h"
#include "tests/sim/four.h"
#include "tests/sim/vouched.h"

/* Ana endorsed Bruno, who has a lap, too. Chie quotes him. Dora is linked with both. */
struct stolen {
    struct vouched vouched;
    struct member lap, dora;
};

static void stolen_new(struct stolen *stolen)
{
    struct vouched *vouched = &stolen->vouched;

    vouched_new(vouched);
    meeting_new(&stolen->dora, 4, "Dora");
    meeting_link(&vouched->chie, &stolen->dora);
    meeting_link(&vouched->bruno, &stolen->dora);
    vouched_endorse(vouched, "network");
    vouched_round(vouched);
    member_twin(&stolen->lap, &vouched->bruno, 9);
    vouched_round(vouched);
    meeting_carry(&vouched->bruno, &stolen->dora);
    json_decref(
        meeting_op(&vouched->chie, "network.quote", json_pack("{s:s}", "who", "Bruno"), NULL));
}

static void stolen_free(struct stolen *stolen)
{
    member_free(&stolen->lap);
    member_free(&stolen->dora);
    vouched_free(&stolen->vouched);
}

static void stolen_shut_out(struct member *by, const struct member *device,
                            enum retire_reason reason)
{
    struct ledger_txn *txn = member_begin(by);

    assert_int_equal(heal_shut_out(txn, ledger_device(device->ledger), reason), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static enum standing stolen_standing(struct member *member, const struct member *device)
{
    struct snapshot snapshot = member_snapshot(member);
    enum standing standing;

    assert_int_equal(standing_of(&snapshot, ledger_device(device->ledger), &standing), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return standing;
}

/* The lap shows it, and Chie has it from the lap. */
static void stolen_show(struct stolen *stolen)
{
    struct vouched *vouched = &stolen->vouched;

    vouched_decide(&stolen->lap, "endorsement.accept", "network");
    (void)meeting_carry_one_way(&vouched->chie, &stolen->lap);
    assert_int_equal(vouched_seen(&vouched->chie, &vouched->bruno), 1);
}

static void stolen_tell_dora(struct stolen *stolen, bool of_theft, bool of_quote)
{
    if (of_theft)
        meeting_carry(&stolen->vouched.bruno, &stolen->dora);
    if (of_quote)
        (void)meeting_carry_one_way(&stolen->dora, &stolen->vouched.chie);
    if (of_quote)
        (void)meeting_carry_one_way(&stolen->dora, &stolen->vouched.chie);
}

/* Beyond the mark, and quoted by who has not heard: in both orders Dora comes to the same. */
static void a_quote_of_what_a_thief_showed_says_nothing(void **state)
{
    (void)state;
    for (int quote_first = 0; quote_first < 2; quote_first++) {
        struct stolen stolen;

        stolen_new(&stolen);
        stolen_show(&stolen);
        if (quote_first) {
            stolen_tell_dora(&stolen, false, true);
            assert_int_equal(vouched_seen(&stolen.dora, &stolen.vouched.bruno), 1);
        }
        stolen_shut_out(&stolen.vouched.bruno, &stolen.lap, RETIRE_STOLEN);
        stolen_tell_dora(&stolen, true, false);
        assert_int_equal(stolen_standing(&stolen.dora, &stolen.lap), STANDING_STOLEN);
        assert_int_equal(vouched_seen(&stolen.dora, &stolen.vouched.bruno), 0);
        stolen_tell_dora(&stolen, false, true);
        assert_int_equal(vouched_seen(&stolen.dora, &stolen.vouched.bruno), 0);
        /* Chie hears of it and quotes it no more. */
        meeting_carry(&stolen.vouched.bruno, &stolen.vouched.chie);
        assert_int_equal(vouched_seen(&stolen.vouched.chie, &stolen.vouched.bruno), 0);
        stolen_free(&stolen);
    }
}

/* A device that was given up may have shown it: its word stands. */
static void a_quote_of_what_a_given_up_device_showed_stands(void **state)
{
    struct stolen stolen;

    (void)state;
    stolen_new(&stolen);
    stolen_show(&stolen);
    stolen_shut_out(&stolen.vouched.bruno, &stolen.lap, RETIRE_OWNER);
    stolen_tell_dora(&stolen, true, true);
    assert_int_equal(stolen_standing(&stolen.dora, &stolen.lap), STANDING_OWNER);
    assert_int_equal(vouched_seen(&stolen.dora, &stolen.vouched.bruno), 1);
    stolen_free(&stolen);
}

static enum err stolen_on_shown(void *self, uint32_t number, const struct object *shown)
{
    (void)number;
    return show_read(object_value(shown, ENDORSEMENT_SHOW).bytes, self);
}

/* Does this device's show stand on Bruno's card, as he has it? */
static bool stolen_shows(struct stolen *stolen, const struct member *device)
{
    struct snapshot snapshot = member_snapshot(&stolen->vouched.bruno);
    struct id card = member_card_space(&stolen->vouched.bruno);
    struct show show = {.made_s = 0};

    assert_int_equal(row_each(&snapshot, &card, KIND_ENDORSEMENT, stolen_on_shown, &show), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return public_key_is_equal(&show.device, ledger_device(device->ledger));
}

/* Below the mark it counts on the card, and not where it is quoted. PROTOCOL SHOW-6: "The devices
 * of the member that are left make it anew at once." */
static void what_was_shown_before_the_theft_is_shown_anew(void **state)
{
    struct stolen stolen;
    struct vouched *vouched = &stolen.vouched;

    (void)state;
    stolen_new(&stolen);
    stolen_show(&stolen);
    stolen_tell_dora(&stolen, false, true);
    (void)meeting_carry_one_way(&vouched->bruno, &stolen.lap); /* Here the mark will stand. */
    assert_true(stolen_shows(&stolen, &stolen.lap));
    stolen_shut_out(&vouched->bruno, &stolen.lap, RETIRE_STOLEN);
    assert_true(stolen_shows(&stolen, &vouched->bruno));
    stolen_tell_dora(&stolen, true, false);
    assert_int_equal(vouched_seen(&stolen.dora, &vouched->bruno), 1);
    meeting_carry(&vouched->bruno, &vouched->chie);
    stolen_tell_dora(&stolen, false, true);
    assert_int_equal(vouched_seen(&stolen.dora, &vouched->bruno), 1);
    stolen_free(&stolen);
}

/* Letters. */

/* Dora's lap answers Ana's ask in Dora's name, which Ana hears before the theft, or after. */
static void a_name_that_a_thief_proves_is_refused(void **state)
{
    (void)state;
    for (int is_known = 0; is_known < 2; is_known++) {
        char id[ID_TEXT_SIZE];
        struct member lap;
        struct four four;

        four_row(&four);
        meeting_link(&four.ana, &four.dora);
        member_twin(&lap, &four.dora, 9);
        meeting_carry(&four.dora, &four.ana);
        four_reply_to(&four, &lap, "My uncle needs somebody", id);
        (void)meeting_carry_one_way(&four.carla, &four.dora); /* The certificate */
        (void)meeting_carry_one_way(&four.carla, &lap);
        if (is_known) {
            stolen_shut_out(&four.dora, &lap, RETIRE_STOLEN);
            (void)meeting_carry_one_way(&four.ana, &four.dora);
            assert_int_equal(stolen_standing(&four.ana, &lap), STANDING_STOLEN);
        }
        meeting_carry(&four.carla, &four.bruno);
        meeting_carry(&four.bruno, &four.ana);
        assert_int_equal(four_leads(&four.ana), !is_known);
        assert_int_equal(four_told(&four.ana, "refused", "a device of its writer that was stolen"),
                         is_known);
        if (!is_known) { /* What was opened before stays. */
            stolen_shut_out(&four.dora, &lap, RETIRE_STOLEN);
            (void)meeting_carry_one_way(&four.ana, &four.dora);
            assert_int_equal(four_leads(&four.ana), 1);
        }
        member_free(&lap);
        four_free(&four);
    }
}

/* The other way: who asked answers by name, from a lap. */
static void a_name_that_a_thief_proves_in_an_answer_is_refused(void **state)
{
    (void)state;
    for (int is_known = 0; is_known < 2; is_known++) {
        char id[ID_TEXT_SIZE];
        struct member lap;
        struct four four;

        four_row(&four);
        meeting_link(&four.ana, &four.dora);
        four_reply_to(&four, &four.dora, "My uncle needs somebody", id);
        four_all(&four);
        member_twin(&lap, &four.ana, 9);
        meeting_carry(&four.dora, &four.ana);
        meeting_carry(&four.bruno, &four.ana);
        json_decref(meeting_op(&lap, "lead.answer",
                               json_pack("{s:s, s:s, s:b}", "id", id, "text", "When?", "named", 1),
                               NULL));
        (void)meeting_carry_one_way(&four.bruno, &lap);
        if (is_known) {
            stolen_shut_out(&four.ana, &lap, RETIRE_STOLEN);
            (void)meeting_carry_one_way(&four.dora, &four.ana);
            assert_int_equal(stolen_standing(&four.dora, &lap), STANDING_STOLEN);
        }
        meeting_carry(&four.bruno, &four.carla);
        meeting_carry(&four.carla, &four.dora);
        assert_int_equal(four_told(&four.dora, "lead", "brought a message"), !is_known);
        assert_int_equal(four_told(&four.dora, "refused", "a device of its writer that was stolen"),
                         is_known);
        member_free(&lap);
        four_free(&four);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quote_of_what_a_thief_showed_says_nothing),
        cmocka_unit_test(a_quote_of_what_a_given_up_device_showed_stands),
        cmocka_unit_test(what_was_shown_before_the_theft_is_shown_anew),
        cmocka_unit_test(a_name_that_a_thief_proves_is_refused),
        cmocka_unit_test(a_name_that_a_thief_proves_in_an_answer_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
