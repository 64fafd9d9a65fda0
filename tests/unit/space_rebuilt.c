/* While the lists are made again they say what once was so: nobody reads by that who was removed
 * since. Promise P5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/react.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "proto/link.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/space.h"
#include "tests/sim/burglar.h"
#include "tests/sim/meeting.h"

/* Ana linked with Chie, then with Bruno, and removed Chie; much lies between. */
struct rebuilt_world {
    struct member ana, bruno, chie;
    struct id card;
    uint64_t linked; /* where the link with Chie has been merged, and that with Bruno has not */
};

static uint64_t rebuilt_newest(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    uint64_t newest = 0;

    assert_int_equal(ledger_newest_arrival(&snapshot, &newest), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return newest;
}

static void rebuilt_react(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void rebuilt_write(struct ledger_txn *txn, const struct id *contact, size_t count)
{
    struct edit_space edit = {0};

    for (size_t at = 0; at < count; at++) {
        edit_begin(&edit, KIND_CONTACT, contact, ledger_txn_now_ms(txn));
        edit_set(&edit, CONTACT_NOTE, at + 1, member_text("a note"));
        assert_int_equal(ledger_append(txn, ledger_self_space(txn->ledger), &edit, 0), ERR_OK);
    }
    edit_release(&edit);
}

static void rebuilt_fill(struct member *member)
{
    struct ledger_txn *txn;
    struct id contact;
    bool is_more = true;

    assert_int_equal(member_add_contact(member, "Filler", NULL, &contact), ERR_OK);
    txn = member_begin(member);
    rebuilt_write(txn, &contact, 300);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    while (is_more)
        assert_int_equal(follow_stage(member->ledger, 1000, &is_more), ERR_OK);
}

static void rebuilt_world_new(struct rebuilt_world *world)
{
    bool is_more;
    struct ledger_txn *txn;

    member_new(&world->ana, 1, false);
    member_new(&world->bruno, 2, false);
    member_new(&world->chie, 3, false);
    world->card = member_card_space(&world->ana);
    member_link(&world->ana, &world->chie);
    member_grant(&world->ana, &world->chie);
    world->linked = rebuilt_newest(&world->ana);
    rebuilt_fill(&world->ana);
    member_link(&world->ana, &world->bruno);
    member_grant(&world->ana, &world->bruno);
    (void)member_pull(&world->chie, &world->ana, NULL);
    member_set_link(&world->ana, &world->chie, LINK_REMOVED);
    rebuilt_react(&world->ana);
    (void)member_pull(&world->bruno, &world->ana, NULL);
    txn = member_begin(&world->ana);
    assert_int_equal(check_forget_views(txn), ERR_OK);
    assert_int_equal(ledger_commit_stage(txn), ERR_OK);
    assert_int_equal(follow_stage(world->ana.ledger, (size_t)world->linked, &is_more), ERR_OK);
    assert_true(is_more);
}

static void rebuilt_world_free(struct rebuilt_world *world)
{
    member_free(&world->ana);
    member_free(&world->bruno);
    member_free(&world->chie);
}

/* Whoever is to read it does, and Chie, with all that comes to her, does not. */
static void rebuilt_end(struct rebuilt_world *world, uint64_t before, const char *name)
{
    bool is_more = true;

    while (is_more)
        assert_int_equal(follow_stage(world->ana.ledger, 1000, &is_more), ERR_OK);
    rebuilt_react(&world->ana);
    assert_int_equal(member_name_card(&world->ana, name), ERR_OK);
    for (int round = 0; round < 2; round++) {
        (void)member_pull(&world->chie, &world->ana, NULL);
        (void)member_pull(&world->bruno, &world->ana, NULL);
    }
    assert_false(burglar_finds(&world->chie, &world->ana, before, name));
    assert_true(burglar_finds(&world->bruno, &world->ana, before, name));
}

static void an_edit_is_sealed_for_those_who_read_today(void **state)
{
    struct rebuilt_world world;
    uint64_t before;

    (void)state;
    rebuilt_world_new(&world);
    before = burglar_newest(&world.ana);
    assert_int_equal(member_name_card(&world.ana, "In the middle"), ERR_OK);
    for (int round = 0; round < 2; round++) {
        (void)member_pull(&world.chie, &world.ana, NULL);
        (void)member_pull(&world.bruno, &world.ana, NULL);
    }
    assert_false(burglar_finds(&world.chie, &world.ana, before, "In the middle"));
    assert_true(burglar_finds(&world.bruno, &world.ana, before, "In the middle"));
    rebuilt_end(&world, before, "At the end");
    rebuilt_world_free(&world);
}

static void a_removal_grants_nothing_to_whoever_was_removed(void **state)
{
    struct rebuilt_world world;
    struct ledger_txn *txn;
    uint64_t before;

    (void)state;
    rebuilt_world_new(&world);
    before = burglar_newest(&world.ana);
    txn = member_begin(&world.ana);
    assert_int_equal(space_rotate(txn, &world.card), ERR_OK);
    assert_int_equal(ledger_commit_stage(txn), ERR_OK);
    assert_int_equal(member_name_card(&world.ana, "Behind it"), ERR_OK);
    for (int round = 0; round < 2; round++) {
        (void)member_pull(&world.chie, &world.ana, NULL);
        (void)member_pull(&world.bruno, &world.ana, NULL);
    }
    assert_false(burglar_finds(&world.chie, &world.ana, before, "Behind it"));
    assert_true(burglar_finds(&world.bruno, &world.ana, before, "Behind it"));
    rebuilt_end(&world, before, "At the end");
    rebuilt_world_free(&world);
}

/* An edit that was acknowledged holds: none is, of what has not been seen again. */
static void an_edit_waits_for_whole_lists(void **state)
{
    struct rebuilt_world world;
    enum op_code code;
    bool is_more = true;
    json_t *card;

    (void)state;
    rebuilt_world_new(&world);
    json_decref(meeting_op(&world.ana, "me.edit", json_pack("{s:s}", "title", "Baker"), &code));
    assert_int_equal(code, OP_FAILED);
    while (is_more)
        assert_int_equal(follow_stage(world.ana.ledger, 1000, &is_more), ERR_OK);
    json_decref(meeting_op(&world.ana, "me.edit", json_pack("{s:s}", "title", "Baker"), &code));
    assert_int_equal(code, OP_DONE);
    card = meeting_op(&world.ana, "me.show", json_object(), &code);
    assert_string_equal(json_string_value(json_object_get(card, "title")), "Baker");
    json_decref(card);
    rebuilt_world_free(&world);
}

/* Writes one more in the card, as if so many entries stood in its log that its key is renewed. */
static bool rebuilt_renews(struct member *ana, struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct id card = member_card_space(ana);
    struct log_id id = {.space = card, .device = *ledger_device(ana->ledger)};
    struct edit_space edit = {0};
    struct space_row before, after;
    struct log_row log;

    assert_int_equal(ledger_space(&snapshot, &card, &before), ERR_OK);
    assert_int_equal(ledger_log(&snapshot, &id, &log), ERR_OK);
    log.tip.size += EPOCH_ENTRIES_MAX;
    assert_int_equal(log_table_put(txn, &log), ERR_OK);
    edit_begin(&edit, KIND_CARD, &(struct id){{0}}, ana->now_ms);
    edit_set(&edit, CARD_NAME, 1, member_text("Ana"));
    assert_int_equal(ledger_append(txn, &card, &edit, 0), ERR_OK);
    edit_release(&edit);
    assert_int_equal(ledger_space(&snapshot, &card, &after), ERR_OK);
    return memcmp(&before.current, &after.current, sizeof before.current) != 0;
}

/* EPOCH-8: what waits to be merged is not merged in the transaction of one edit, however much it
 * is, for nothing but a key that is due to be renewed. */
static void a_key_that_is_old_is_renewed_when_all_is_merged(void **state)
{
    struct member ana;
    struct id contact;

    (void)state;
    member_new(&ana, 1, false);
    assert_int_equal(member_add_contact(&ana, "Filler", NULL, &contact), ERR_OK);
    for (size_t pending = FOLLOW_INLINE_MAX / 2; pending <= FOLLOW_INLINE_MAX * 2; pending *= 4) {
        struct ledger_txn *txn = member_begin(&ana);
        bool is_much = pending > FOLLOW_INLINE_MAX;
        uint64_t followed = txn->counters.followed;

        rebuilt_write(txn, &contact, pending);
        assert_int_equal(rebuilt_renews(&ana, txn), !is_much);
        assert_int_equal(txn->counters.followed == followed, is_much);
        ledger_abort(txn);
    }
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_is_sealed_for_those_who_read_today),
        cmocka_unit_test(a_removal_grants_nothing_to_whoever_was_removed),
        cmocka_unit_test(an_edit_waits_for_whole_lists),
        cmocka_unit_test(a_key_that_is_old_is_renewed_when_all_is_merged),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
