/* Old copies and their successors, carried by hand: nothing of either branch is lost. */
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
#include "storage/check.h"
#include "storage/heal.h"
#include "storage/replica.h"
#include "storage/retire_table.h"
#include "storage/return_table.h"
#include "storage/returns.h"
#include "storage/space.h"
#include "tests/sim/joined.h"
#include "tests/sim/meeting.h"
#include "tests/sim/returned.h"

static const struct id heal_card_id = {{0}};

/* Ana and Bruno, linked, and a copy of Ana's disk. */
struct heal_world {
    struct member ana, bruno;
    struct kv_mem *copy;
    struct public_key old; /* the device that was copied */
};

static void heal_world_new(struct heal_world *world)
{
    member_new(&world->ana, 1, false);
    member_new(&world->bruno, 2, false);
    member_link(&world->ana, &world->bruno);
    member_grant(&world->ana, &world->bruno);
    assert_int_equal(member_name_card(&world->ana, "Ana"), ERR_OK);
    (void)member_pull(&world->bruno, &world->ana, NULL);
    world->old = *ledger_device(world->ana.ledger);
    assert_int_equal(kv_mem_clone(world->ana.mem, &world->copy), ERR_OK);
}

static void heal_world_free(struct heal_world *world)
{
    kv_mem_free(world->copy);
    member_free(&world->ana);
    member_free(&world->bruno);
}

static void heal_put_back(struct heal_world *world)
{
    member_close(&world->ana);
    kv_mem_restore(world->ana.mem, world->copy);
    member_open(&world->ana);
}

static void heal_write(struct member *member, uint8_t field, const char *text)
{
    struct id card = member_card_space(member);

    assert_int_equal(member_write(member, &card, KIND_CARD, &heal_card_id, field, text), ERR_OK);
}

static void heal_shows(struct heal_world *world, struct member *member, uint8_t field,
                       const char *text)
{
    struct id card = member_card_space(&world->ana);
    char room[256];

    assert_string_equal(member_read_text(member, &card, KIND_CARD, &heal_card_id, field, room),
                        text);
}

static void heal_take(struct member *to, const struct returned_row *row)
{
    static const struct public_key peer = {{9}};
    struct returned *returned = returned_carry(row);
    struct ledger_txn *txn = member_begin(to);

    assert_int_equal(returns_take(txn, returned, &peer), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    returned_free(returned);
}

/* What Bruno holds of the old device's log in Ana's card space, from its beginning. */
static void heal_fetch(struct heal_world *world)
{
    struct log_id log = {.space = member_card_space(&world->ana), .device = world->old};
    struct snapshot snapshot = member_snapshot(&world->bruno);
    struct returned_row *row = secret_new(sizeof *row);
    struct replica replica;
    struct chain start;

    assert_non_null(row);
    replica_of(&snapshot, &replica);
    chain_begin(&log, &start);
    assert_int_equal(replica.fetch(replica.self, &log, &start, row), ERR_OK);
    row->is_last = true;
    heal_take(&world->ana, row);
    returned_release(row);
    secret_free(row);
    ledger_snapshot_end(&snapshot);
}

/* The peer hears of the successor, as from message 3. */
static void heal_meet(struct member *to, struct member *from)
{
    struct snapshot snapshot = member_snapshot(from);
    struct device_chain chain;
    struct buf identity = {0};
    struct ledger_txn *txn;
    struct hash next_root;

    assert_int_equal(view_identity(&snapshot, &identity), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(device_read_identity(buf_span(&identity), &chain, &next_root), ERR_OK);
    txn = member_begin(to);
    assert_int_equal(view_device_meet(txn, &chain), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    buf_release(&identity);
}

static bool heal_has_returns(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    bool is_empty;

    assert_int_equal(return_table_is_empty(&snapshot, &is_empty), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return !is_empty;
}

static void heal_is_sound(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    struct check_report report;

    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_string_equal(report.first, "");
}

/* PROTOCOL FORK-5, FORK-7, RETIRE-8 */
static void a_copy_with_proof_has_one_successor_and_both_branches(void **state)
{
    struct heal_world world;
    struct retire_state retired;
    struct snapshot snapshot;

    (void)state;
    heal_world_new(&world);
    heal_write(&world.ana, CARD_TITLE, "on the lost branch");
    (void)member_pull(&world.bruno, &world.ana, NULL);
    heal_put_back(&world);
    heal_write(&world.ana, CARD_ORG, "after the copy");
    assert_int_equal(joined_succeed(&world.ana), ERR_NOT_FOUND); /* Nothing is proved yet. */
    heal_fetch(&world);
    assert_int_equal(joined_succeed(&world.ana), ERR_OK);
    assert_int_equal(joined_succeed(&world.ana), ERR_NOT_FOUND); /* One is enough. */
    assert_false(public_key_is_equal(ledger_device(world.ana.ledger), &world.old));
    snapshot = member_snapshot(&world.ana);
    assert_int_equal(retire_table_state(&snapshot, &world.old, &retired), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_true(retired.is_retired && retired.reason == RETIRE_FORKED);
    assert_false(heal_has_returns(&world.ana)); /* Repeated in the same commit. */
    heal_shows(&world, &world.ana, CARD_TITLE, "on the lost branch");
    heal_shows(&world, &world.ana, CARD_ORG, "after the copy");
    heal_meet(&world.bruno, &world.ana);
    (void)member_pull(&world.bruno, &world.ana, NULL);
    heal_shows(&world, &world.bruno, CARD_TITLE, "on the lost branch");
    heal_shows(&world, &world.bruno, CARD_ORG, "after the copy");
    heal_is_sound(&world.ana);
    heal_is_sound(&world.bruno);
    member_close(&world.ana); /* The key file and the store agree on who writes here. */
    member_open(&world.ana);
    heal_shows(&world, &world.ana, CARD_ORG, "after the copy");
    heal_world_free(&world);
}

/* Another reader's proof let the log count up to where the copy stood. */
static void heal_prove_elsewhere(struct heal_world *world)
{
    struct retire_signer signer = {.root = ledger_root_key(world->ana.ledger)};
    struct ledger_txn *txn = member_begin(&world->ana);
    struct buf statement = {0};

    assert_int_equal(retire_issue(&(struct retirement){.device = world->old,
                                                       .reason = RETIRE_FORKED,
                                                       .time_ms = world->ana.now_ms},
                                  &signer, &statement),
                     ERR_OK);
    assert_int_equal(retire_table_take(txn, &world->ana.secrets.member, buf_span(&statement)),
                     ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_int_equal(joined_succeed(&world->ana), ERR_OK);
    buf_release(&statement);
}

/* Bruno returns all that was cut. */
static void heal_give_back(struct heal_world *world)
{
    struct snapshot snapshot = member_snapshot(&world->bruno);
    struct returned_row *row = secret_new(sizeof *row);
    struct replica_place place = {0};
    enum err err;

    assert_non_null(row);
    while ((err = returns_next(&snapshot, &world->ana.secrets.member, &place, row)) == ERR_OK) {
        row->is_last = true;
        heal_take(&world->ana, row);
        returned_release(row);
    }
    assert_int_equal(err, ERR_NOT_FOUND);
    secret_free(row);
    ledger_snapshot_end(&snapshot);
}

/* PROTOCOL FORK-5: proof comes where nothing of the branch was; what the reader holds elsewhere is
 * cut there, stays shown, comes back, is repeated, and only then is dropped. RETURN-2, RETURN-6 */
static void what_is_cut_stays_until_a_log_repeats_it(void **state)
{
    struct heal_world world;

    (void)state;
    heal_world_new(&world);
    heal_write(&world.ana, CARD_TITLE, "on the lost branch");
    (void)member_pull(&world.bruno, &world.ana, NULL);
    heal_put_back(&world);
    heal_prove_elsewhere(&world);
    heal_meet(&world.bruno, &world.ana);
    (void)member_pull(&world.bruno, &world.ana, NULL);
    assert_true(heal_has_returns(&world.bruno));
    heal_shows(&world, &world.bruno, CARD_TITLE, "on the lost branch");
    heal_shows(&world, &world.ana, CARD_TITLE, "");
    heal_is_sound(&world.bruno);

    heal_give_back(&world);
    heal_shows(&world, &world.ana, CARD_TITLE, "on the lost branch");
    assert_true(heal_has_returns(&world.bruno));
    (void)member_pull(&world.bruno, &world.ana, NULL);
    assert_false(heal_has_returns(&world.bruno));
    heal_shows(&world, &world.bruno, CARD_TITLE, "on the lost branch");
    heal_is_sound(&world.ana);
    heal_is_sound(&world.bruno);
    heal_world_free(&world);
}

/* What the lost branch opened an epoch for, and wrote; Bruno has all of it. */
static void heal_rotate(struct heal_world *world)
{
    struct id card = member_card_space(&world->ana);
    struct ledger_txn *txn = member_begin(&world->ana);

    assert_int_equal(space_rotate(txn, &card), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static size_t heal_opened_over(struct heal_world *world, const struct hash *epoch)
{
    struct id card = member_card_space(&world->ana);
    struct snapshot snapshot = member_snapshot(&world->ana);
    struct space_row space;
    struct epoch_row row;
    size_t count = 0;

    assert_int_equal(ledger_space(&snapshot, &card, &space), ERR_OK);
    assert_int_equal(epoch_table_get(&snapshot, &space.current, &row), ERR_OK);
    for (size_t at = 0; at < row.epoch.parents_count; at++)
        count += memcmp(row.epoch.parents[at].bytes, epoch->bytes, HASH_SIZE) == 0;
    ledger_snapshot_end(&snapshot);
    return count;
}

/* PROTOCOL RETURN-10: "is sealed for others when it is known who was removed, or RETURN_WAIT_DAYS
 * after the epoch was heard of" By running time: no wall clock hurries it, and none delays it. */
static void what_is_sealed_for_unknown_readers_waits_a_day_of_running_time(void **state)
{
    struct heal_world world;
    struct space_row space;
    struct snapshot snapshot;
    struct id card;

    (void)state;
    heal_world_new(&world);
    card = member_card_space(&world.ana);
    heal_rotate(&world);
    heal_write(&world.ana, CARD_TITLE, "on the lost branch");
    snapshot = member_snapshot(&world.ana);
    assert_int_equal(ledger_space(&snapshot, &card, &space), ERR_OK);
    ledger_snapshot_end(&snapshot);
    (void)member_pull(&world.bruno, &world.ana, NULL);
    (void)member_pull(&world.bruno, &world.ana, NULL);
    heal_put_back(&world);
    heal_prove_elsewhere(&world);
    heal_meet(&world.bruno, &world.ana);
    (void)member_pull(&world.bruno, &world.ana, NULL);
    heal_give_back(&world);
    heal_shows(&world, &world.ana, CARD_TITLE, "on the lost branch"); /* It can be read, */
    assert_true(heal_has_returns(&world.ana));                        /* and is not repeated, */
    assert_int_equal(heal_opened_over(&world, &space.current), 0);    /* nor built upon. */
    world.ana.now_ms += 40 * MS_PER_DAY;
    meeting_tick(&world.ana);
    assert_true(heal_has_returns(&world.ana));
    meeting_live(&world.ana, MS_PER_DAY - 60000);
    meeting_tick(&world.ana);
    assert_true(heal_has_returns(&world.ana));
    assert_int_equal(heal_opened_over(&world, &space.current), 0);
    world.ana.now_ms -= 40 * MS_PER_DAY;
    meeting_live(&world.ana, 120000);
    world.ana.now_ms += MS_PER_DAY / 24; /* It looks once in an hour. */
    meeting_tick(&world.ana);
    assert_false(heal_has_returns(&world.ana));
    (void)member_pull(&world.bruno, &world.ana, NULL);
    (void)member_pull(&world.bruno, &world.ana, NULL);
    heal_shows(&world, &world.bruno, CARD_TITLE, "on the lost branch");
    assert_false(heal_has_returns(&world.bruno));
    heal_is_sound(&world.ana);
    heal_is_sound(&world.bruno);
    heal_world_free(&world);
}

/* PROTOCOL RETIRE-8: "one that was retired by its owner, or stolen, takes none, ever." */
static void a_device_retired_by_its_owner_or_stolen_has_no_successor(void **state)
{
    const enum retire_reason reasons[] = {RETIRE_OWNER, RETIRE_STOLEN};

    (void)state;
    for (size_t at = 0; at < 2; at++) {
        struct retire_signer signer;
        struct buf statement = {0};
        struct heal_world world;
        struct ledger_txn *txn;

        heal_world_new(&world);
        signer = (struct retire_signer){.root = ledger_root_key(world.ana.ledger)};
        assert_int_equal(
            retire_issue(&(struct retirement){.device = world.old, .reason = reasons[at]}, &signer,
                         &statement),
            ERR_OK);
        txn = member_begin(&world.ana);
        assert_int_equal(retire_table_take(txn, &world.ana.secrets.member, buf_span(&statement)),
                         ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        assert_int_equal(joined_succeed(&world.ana), ERR_NOT_FOUND);
        buf_release(&statement);
        heal_world_free(&world);
    }
}

/* PROTOCOL RETIRE-7: machines with one random state draw different keys, because the other side of
 * the session drew a share. */
static void twins_with_one_random_state_draw_different_keys(void **state)
{
    struct device_secrets *one = secret_new(sizeof *one), *other = secret_new(sizeof *other);
    uint8_t first[HASH_SIZE] = {1}, second[HASH_SIZE] = {2};
    struct member ana, twin;

    (void)state;
    assert_true(one != NULL && other != NULL);
    member_new(&ana, 1, false);
    member_new(&twin, 1, false);
    heal_draw(one, &ana.entropy, first);
    heal_draw(other, &twin.entropy, second);
    assert_memory_not_equal(one->successor_signing_seed, other->successor_signing_seed, 32);
    assert_memory_not_equal(one->successor_static_seed, other->successor_static_seed, 32);
    assert_memory_not_equal(one->successor_receiving_seed, other->successor_receiving_seed, 32);
    secret_free(one);
    secret_free(other);
    member_free(&ana);
    member_free(&twin);
}

/* PROTOCOL RETIRE-5 */
static void of_two_keeps_the_lesser_counts_whatever_came_first(void **state)
{
    const struct keep keeps[] = {
        {.size = 3, .hash = {{9}}}, {.size = 4, .hash = {{1}}}, {.size = 4, .hash = {{2}}}};

    (void)state;
    for (size_t left = 0; left < 3; left++)
        for (size_t right = 0; right < 3; right++)
            assert_int_equal(retire_keep_counts(&keeps[left], &keeps[right]), left < right);
    assert_false(retire_keep_counts(&(struct keep){.hash = {{1}}}, &(struct keep){.hash = {{2}}}));
}

/* Two copies of a successor repeat the same at the same place: the same entry, byte for byte. One
 * that gets the other's as proof beside what is to be repeated has it once. */
static void with_proof_of_a_copy_nothing_more_is_repeated(void **state)
{
    static const struct public_key peer = {{9}};
    struct returned_row *row = secret_new(sizeof *row);
    struct returned *own[RETURNED_MAX], *old;
    struct replica_place place = {0};
    struct heal_world world;
    struct snapshot snapshot;
    struct ledger_txn *txn;
    struct id card;

    (void)state;
    assert_non_null(row);
    heal_world_new(&world);
    card = member_card_space(&world.ana);
    heal_write(&world.ana, CARD_TITLE, "on the lost branch");
    (void)member_pull(&world.bruno, &world.ana, NULL);
    heal_put_back(&world);
    heal_prove_elsewhere(&world);
    heal_meet(&world.bruno, &world.ana);
    (void)member_pull(&world.bruno, &world.ana, NULL);
    kv_mem_free(world.copy);
    assert_int_equal(kv_mem_clone(world.ana.mem, &world.copy), ERR_OK);
    snapshot = member_snapshot(&world.bruno);
    assert_int_equal(returns_next(&snapshot, &world.ana.secrets.member, &place, row), ERR_OK);
    row->is_last = true;
    old = returned_carry(row);
    heal_take(&world.ana, row);
    returned_release(row);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(returned_own_log(&world.ana, &card, own), 1);
    heal_put_back(&world);
    txn = member_begin(&world.ana);
    assert_int_equal(returns_take(txn, own[0], &peer), ERR_OK);
    assert_int_equal(returns_take(txn, old, &peer), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    heal_is_sound(&world.ana);
    assert_int_equal(joined_succeed(&world.ana), ERR_OK);
    assert_false(heal_has_returns(&world.ana));
    heal_shows(&world, &world.ana, CARD_TITLE, "on the lost branch");
    heal_is_sound(&world.ana);
    returned_free(own[0]);
    returned_free(old);
    secret_free(row);
    heal_world_free(&world);
}

enum { HEAL_CONTACTS = BLOCK_ENTRIES_MAX + 10 };

/* Opens an epoch in self and writes contacts under it; the last one's id. */
static struct id heal_write_self(struct heal_world *world, size_t count)
{
    struct ledger_txn *txn = member_begin(&world->ana);
    struct id last = {{0}};

    assert_int_equal(space_rotate(txn, ledger_self_space(world->ana.ledger)), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    for (size_t at = 0; at < count; at++)
        assert_int_equal(member_add_contact(&world->ana, "on the lost branch", NULL, &last),
                         ERR_OK);
    return last;
}

static void heal_reads_contact(struct heal_world *world, const struct id *id, const char *name)
{
    char room[256];

    assert_string_equal(member_read_text(&world->ana, ledger_self_space(world->ana.ledger),
                                         KIND_CONTACT, id, CONTACT_NAME, room),
                        name);
}

/* Whoever holds a branch among returns alone can say what it is sealed under, too. */
static void heal_tells_epochs(struct heal_world *world)
{
    struct snapshot snapshot = member_snapshot(&world->ana);
    struct returned_row *row = secret_new(sizeof *row);
    struct replica_place place = {0};
    bool is_told = false;

    assert_non_null(row);
    while (returns_next(&snapshot, &world->ana.secrets.member, &place, row) == ERR_OK) {
        for (size_t at = 0; at < row->epochs_count; at++)
            is_told |= row->epochs[at].index == 2 && row->epochs[at].has_key;
        returned_release(row);
    }
    assert_true(is_told);
    secret_free(row);
    ledger_snapshot_end(&snapshot);
}

/* PROTOCOL RETURN-3: both branches opened an epoch, and both count it as the log's second. What
 * came back is read under its own, though nobody told which that is. */
static void a_branch_is_read_under_the_epochs_it_counts(void **state)
{
    struct returned *branch[RETURNED_MAX];
    struct heal_world world;
    struct id lost, kept;
    size_t count;

    (void)state;
    heal_world_new(&world);
    lost = heal_write_self(&world, HEAL_CONTACTS);
    count = returned_own_log(&world.ana, ledger_self_space(world.ana.ledger), branch);
    assert_true(count > 1); /* The second batch holds no epoch. */
    heal_put_back(&world);
    kept = heal_write_self(&world, 1);
    for (size_t at = 0; at < count; at++) {
        struct ledger_txn *txn = member_begin(&world.ana);

        assert_int_equal(returns_take(txn, branch[at], &world.ana.secrets.member), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        returned_free(branch[at]);
    }
    heal_reads_contact(&world, &kept, "on the lost branch");
    heal_reads_contact(&world, &lost, "on the lost branch");
    heal_tells_epochs(&world);
    heal_is_sound(&world.ana);
    heal_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_with_proof_has_one_successor_and_both_branches),
        cmocka_unit_test(what_is_cut_stays_until_a_log_repeats_it),
        cmocka_unit_test(what_is_sealed_for_unknown_readers_waits_a_day_of_running_time),
        cmocka_unit_test(a_branch_is_read_under_the_epochs_it_counts),
        cmocka_unit_test(with_proof_of_a_copy_nothing_more_is_repeated),
        cmocka_unit_test(a_device_retired_by_its_owner_or_stolen_has_no_successor),
        cmocka_unit_test(twins_with_one_random_state_draw_different_keys),
        cmocka_unit_test(of_two_keeps_the_lesser_counts_whatever_came_first),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
