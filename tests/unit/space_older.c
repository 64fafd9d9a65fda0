/* An epoch of self whose opening was cut told the keys of those it was opened over to whoever read
 * it; a device that joins later never reads it. PROTOCOL RETURN-12, RETIRE-10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/contact.h"
#include "storage/join.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/space.h"
#include "tests/sim/joined.h"
#include "tests/sim/member.h"

/* Ana's two devices, and one that joins when the first has gone back. */
struct older_world {
    struct member desk, lap, pad;
    struct id self;
    struct log_row kept; /* the desk's log in self before the opening */
};

static void older_react(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void older_unite(struct member *left, struct member *right)
{
    for (int round = 0; round < 4; round++) {
        (void)member_pull(left, right, NULL);
        (void)member_pull(right, left, NULL);
        older_react(left);
        older_react(right);
    }
}

/* So far its log counts. */
static void older_note(struct older_world *world)
{
    struct snapshot snapshot = member_snapshot(&world->desk);
    struct log_id log = {.space = world->self, .device = *ledger_device(world->desk.ledger)};

    assert_int_equal(ledger_log(&snapshot, &log, &world->kept), ERR_OK);
    ledger_snapshot_end(&snapshot);
}

static void older_new(struct older_world *world)
{
    member_new(&world->desk, 1, false);
    member_twin(&world->lap, &world->desk, 9);
    world->self = *ledger_self_space(world->desk.ledger);
    older_unite(&world->desk, &world->lap);
    older_note(world);
}

static void older_free(struct older_world *world)
{
    member_free(&world->desk);
    member_free(&world->lap);
    member_free(&world->pad);
}

/* The desk opens a new epoch, and what the lap held of it before counts no more. */
static void older_rotate(struct older_world *world)
{
    struct ledger_txn *txn = member_begin(&world->desk);

    assert_int_equal(space_rotate(txn, &world->self), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    (void)member_pull(&world->lap, &world->desk, NULL);
}

static void older_take(struct older_world *world, struct member *device, struct span statement)
{
    struct ledger_txn *txn = member_begin(device);

    assert_int_equal(retire_table_take(txn, &world->desk.secrets.member, statement), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* The desk went back to before it opened that epoch, and this device hears it. */
static void older_retire_as(struct older_world *world, struct member *device,
                            enum retire_reason reason)
{
    const struct retire_signer signer = {.root = ledger_root_key(world->desk.ledger)};
    struct retirement retirement = {.device = *ledger_device(world->desk.ledger), .reason = reason};
    struct keep keep = {.space = world->self,
                        .device = retirement.device,
                        .size = world->kept.tip.size,
                        .hash = world->kept.tip.hash};
    struct buf retire = {0}, kept = {0};

    memcpy(keep.signature, world->kept.head_signature, SIGNATURE_SIZE);
    assert_int_equal(retire_issue(&retirement, &signer, &retire), ERR_OK);
    assert_int_equal(retire_issue_keep(&keep, &signer, &kept), ERR_OK);
    older_take(world, device, buf_span(&retire));
    older_take(world, device, buf_span(&kept));
    buf_release(&retire);
    buf_release(&kept);
    for (int round = 0; round < 8; round++)
        older_react(device);
}

static void older_retire(struct older_world *world, struct member *device)
{
    older_retire_as(world, device, RETIRE_FORKED);
}

static bool older_reads(struct member *member, const struct id *contact, const char *name)
{
    char room[256];

    return strcmp(member_read_text(member, ledger_self_space(member->ledger), KIND_CONTACT, contact,
                                   CONTACT_NAME, room),
                  name) == 0;
}

static void who_joins_later_reads_what_is_older_than_an_opening_that_was_cut(void **state)
{
    struct older_world world;
    struct id before, under;

    (void)state;
    older_new(&world);
    assert_int_equal(member_add_contact(&world.lap, "Before", NULL, &before), ERR_OK);
    older_unite(&world.desk, &world.lap);
    older_rotate(&world);
    assert_int_equal(member_add_contact(&world.lap, "Under it", NULL, &under), ERR_OK);
    older_retire(&world, &world.lap);
    joined_new(&world.pad, &world.lap, 5);
    for (int round = 0; round < 8; round++) {
        (void)member_pull(&world.pad, &world.lap, NULL);
        older_react(&world.lap);
    }
    assert_true(older_reads(&world.pad, &under, "Under it"));
    assert_true(older_reads(&world.pad, &before, "Before"));
    older_free(&world);
}

/* The pad was there when the desk opened it, and has not heard of it. The lap goes on. */
static void what_is_written_after_an_opening_was_cut_is_read_by_who_never_saw_it(void **state)
{
    struct older_world world;
    struct id under, after;

    (void)state;
    older_new(&world);
    member_twin(&world.pad, &world.desk, 11);
    older_unite(&world.desk, &world.pad);
    older_unite(&world.desk, &world.lap);
    older_note(&world);
    older_rotate(&world);
    assert_int_equal(member_add_contact(&world.lap, "Under it", NULL, &under), ERR_OK);
    older_retire(&world, &world.lap);
    assert_int_equal(member_add_contact(&world.lap, "After", NULL, &after), ERR_OK);
    older_retire(&world, &world.pad);
    for (int round = 0; round < 4; round++) {
        (void)member_pull(&world.pad, &world.lap, NULL);
        older_react(&world.pad);
    }
    assert_true(older_reads(&world.pad, &under, "Under it"));
    assert_true(older_reads(&world.pad, &after, "After"));
    older_free(&world);
}

/* What the stolen desk says of its epochs in self counts no more, either: the key of the first of
 * them was told by the second alone. */
static void what_was_written_under_epochs_of_a_stolen_device_is_read(void **state)
{
    struct older_world world;
    struct id first, second;

    (void)state;
    older_new(&world);
    member_twin(&world.pad, &world.desk, 11);
    older_unite(&world.desk, &world.pad);
    older_unite(&world.desk, &world.lap);
    older_note(&world);
    older_rotate(&world);
    assert_int_equal(member_add_contact(&world.lap, "First", NULL, &first), ERR_OK);
    older_rotate(&world);
    assert_int_equal(member_add_contact(&world.lap, "Second", NULL, &second), ERR_OK);
    older_retire_as(&world, &world.lap, RETIRE_STOLEN);
    older_retire_as(&world, &world.pad, RETIRE_STOLEN);
    older_unite(&world.lap, &world.pad);
    assert_true(older_reads(&world.pad, &second, "Second"));
    assert_true(older_reads(&world.pad, &first, "First"));
    older_free(&world);
}

/* EPOCH-5: three openings came back of a branch, and the key of the last was told, before or after
 * any of them: it opens the others' keys. */
enum { OLDER_OPENINGS = 3 };

struct older_branch {
    struct log_id log;
    struct buf payloads[OLDER_OPENINGS]; /* of the openings, the oldest first */
    struct hash epochs[OLDER_OPENINGS];
    uint8_t last[KEY_SIZE];
};

static void older_open(struct member *desk, struct older_branch *branch)
{
    for (size_t at = 0; at < OLDER_OPENINGS; at++) {
        struct ledger_txn *txn = member_begin(desk);
        struct snapshot snapshot;
        struct epoch_row epoch;
        struct entry_row entry;
        struct space_row card;

        assert_int_equal(space_rotate(txn, &branch->log.space), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        snapshot = member_snapshot(desk);
        assert_int_equal(ledger_space(&snapshot, &branch->log.space, &card), ERR_OK);
        branch->epochs[at] = card.current;
        assert_int_equal(epoch_table_get(&snapshot, &card.current, &epoch), ERR_OK);
        assert_int_equal(ledger_entry_at(&snapshot, epoch.log, epoch.seq, &entry), ERR_OK);
        buf_append(&branch->payloads[at], entry.entry.payload);
        assert_int_equal(epoch_table_key(&snapshot, &card.current, branch->last), ERR_OK);
        ledger_snapshot_end(&snapshot);
    }
}

/* Step OLDER_OPENINGS is the key. */
static void older_hear(struct member *lap, const struct older_branch *branch, const size_t *order)
{
    struct ledger_txn *txn = member_begin(lap);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t key[KEY_SIZE];

    for (size_t at = 0; at <= OLDER_OPENINGS; at++)
        assert_int_equal(
            order[at] == OLDER_OPENINGS
                ? ledger_add_key(txn, &branch->epochs[OLDER_OPENINGS - 1], branch->last)
                : epoch_table_learn_cut(txn, &branch->log, buf_span(&branch->payloads[order[at]])),
            ERR_OK);
    for (size_t at = 0; at < OLDER_OPENINGS; at++)
        assert_int_equal(epoch_table_key(&snapshot, &branch->epochs[at], key), ERR_OK);
    ledger_abort(txn);
}

static void a_branch_that_comes_back_opens_its_older_keys(void **state)
{
    static const size_t orders[][OLDER_OPENINGS + 1] = {{0, 1, 2, 3}, {2, 1, 0, 3}, {3, 0, 1, 2},
                                                        {3, 2, 1, 0}, {1, 3, 2, 0}, {2, 3, 0, 1}};
    struct older_branch branch = {.last = {0}};
    struct member desk, lap;

    (void)state;
    member_new(&desk, 1, false);
    member_twin(&lap, &desk, 9);
    branch.log =
        (struct log_id){.space = member_card_space(&desk), .device = *ledger_device(desk.ledger)};
    older_open(&desk, &branch);
    for (size_t at = 0; at < sizeof orders / sizeof orders[0]; at++)
        older_hear(&lap, &branch, orders[at]);
    for (size_t at = 0; at < OLDER_OPENINGS; at++)
        buf_release(&branch.payloads[at]);
    member_free(&desk);
    member_free(&lap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_joins_later_reads_what_is_older_than_an_opening_that_was_cut),
        cmocka_unit_test(what_is_written_after_an_opening_was_cut_is_read_by_who_never_saw_it),
        cmocka_unit_test(what_was_written_under_epochs_of_a_stolen_device_is_read),
        cmocka_unit_test(a_branch_that_comes_back_opens_its_older_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
