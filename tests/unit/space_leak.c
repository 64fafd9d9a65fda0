/* What a peer's device that was given up or stolen was granted is not written under any more: the
 * epoch's readers do not name it where its member came to the space by a grant. Promise P5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/react.h"
#include "proto/device.h"
#include "storage/heal.h"
#include "storage/retire_table.h"
#include "storage/view_peer.h"
#include "tests/sim/burglar.h"

/* Bruno's desk and lap read Ana's card. */
struct leak_world {
    struct member ana, desk, lap;
};

static void leak_commit(struct ledger_txn *txn)
{
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* What each would do by itself, and what each hears of the others then. */
static void leak_meet(struct leak_world *world)
{
    struct member *const all[] = {&world->ana, &world->desk, &world->lap};

    for (size_t round = 0; round < 2; round++)
        for (size_t from = 0; from < 3; from++) {
            leak_commit(member_begin(all[from]));
            for (size_t to = 0; to < 3; to++)
                if (to != from)
                    (void)member_pull(all[to], all[from], NULL);
        }
}

static void leak_learn(struct member *member, struct member *other)
{
    struct snapshot theirs = member_snapshot(other);
    struct ledger_txn *txn = member_begin(member);
    struct device_chain chain;
    struct hash next_root;
    struct buf identity = {0};

    assert_int_equal(view_identity(&theirs, &identity), ERR_OK);
    ledger_snapshot_end(&theirs);
    assert_int_equal(device_read_identity(buf_span(&identity), &chain, &next_root), ERR_OK);
    assert_int_equal(view_device_learn(txn, &chain), ERR_OK);
    leak_commit(txn);
    buf_release(&identity);
}

/* The card's epoch is older than the link: Bruno comes to it by a grant alone. */
static void leak_world_new(struct leak_world *world, bool is_lap_new)
{
    member_new(&world->ana, 1, false);
    member_new(&world->desk, 2, false);
    if (!is_lap_new) {
        member_twin(&world->lap, &world->desk, 9);
        leak_learn(&world->lap, &world->ana);
        leak_learn(&world->ana, &world->lap);
    }
    member_link(&world->ana, &world->desk);
    member_grant(&world->ana, &world->desk);
    member_grant(&world->desk, &world->ana);
    (void)member_pull(&world->desk, &world->ana, NULL);
    if (is_lap_new)
        member_twin(&world->lap, &world->desk, 9);
    leak_meet(world);
}

static void leak_world_free(struct leak_world *world)
{
    member_free(&world->ana);
    member_free(&world->desk);
    member_free(&world->lap);
}

static bool leak_wants_none(void *self, const struct space_row *space)
{
    (void)self;
    (void)space;
    return false;
}

static enum err leak_on_fact(void *self, struct span statement)
{
    return retire_table_take(self, NULL, statement);
}

/* The desk says so, and Ana hears it. */
static void leak_shut_out(struct leak_world *world, enum retire_reason reason)
{
    struct ledger_txn *txn = member_begin(&world->desk);
    struct snapshot snapshot;

    assert_int_equal(heal_shut_out(txn, ledger_device(world->lap.ledger), reason), ERR_OK);
    leak_commit(txn);
    snapshot = member_snapshot(&world->desk);
    txn = member_begin(&world->ana);
    assert_int_equal(retire_table_facts(&snapshot, ledger_device(world->lap.ledger),
                                        leak_wants_none, leak_on_fact, txn),
                     ERR_OK);
    leak_commit(txn);
    ledger_snapshot_end(&snapshot);
}

/* Ana writes it on her card. Does somebody with all of the lap's keys open anything she wrote
 * since?
 */
static bool leak_lap_reads(struct leak_world *world, uint64_t before, const char *name)
{
    assert_int_equal(member_name_card(&world->ana, name), ERR_OK);
    for (int round = 0; round < 2; round++)
        (void)member_pull(&world->desk, &world->ana, NULL);
    assert_true(burglar_finds(&world->desk, &world->ana, before, name));
    return burglar_opens(&world->lap, &world->ana, before) > 0;
}

/* Of Ana's spaces for Bruno: the epochs written under. */
static void leak_current(struct leak_world *world, struct hash out[2])
{
    struct snapshot snapshot = member_snapshot(&world->ana);
    struct id card = member_card_space(&world->ana);
    struct peer *peer = secret_new(sizeof *peer);
    struct space_row row;

    assert_int_equal(view_peer(&snapshot, &world->desk.secrets.member, peer), ERR_OK);
    assert_int_equal(ledger_space(&snapshot, &card, &row), ERR_OK);
    out[0] = row.current;
    assert_int_equal(ledger_space(&snapshot, &peer->pair_out, &row), ERR_OK);
    out[1] = row.current;
    secret_free(peer);
    ledger_snapshot_end(&snapshot);
}

static void leak_case(enum retire_reason reason, bool is_lap_new)
{
    struct leak_world world;
    struct hash first[2], second[2];
    uint64_t before;

    leak_world_new(&world, is_lap_new);
    before = burglar_newest(&world.ana);
    assert_true(leak_lap_reads(&world, before, "While it counts"));
    before = burglar_newest(&world.ana);
    leak_shut_out(&world, reason);
    assert_false(leak_lap_reads(&world, before, "Once it is shut out"));
    leak_current(&world, first);
    leak_meet(&world);
    assert_false(leak_lap_reads(&world, before, "And later"));
    leak_current(&world, second);
    assert_memory_equal(first, second, sizeof first); /* Once is enough. */
    leak_world_free(&world);
}

/* STOLEN-12: the pair space's epoch was opened for the lap, too. */
static void what_a_peers_device_was_granted_is_not_written_under(void **state)
{
    (void)state;
    leak_case(RETIRE_OWNER, false);
    leak_case(RETIRE_STOLEN, false);
}

/* STOLEN-12, OWN-9: it was opened before there was a lap, which has its key from the desk. */
static void what_its_siblings_told_it_is_not_written_under(void **state)
{
    (void)state;
    leak_case(RETIRE_OWNER, true);
    leak_case(RETIRE_STOLEN, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_peers_device_was_granted_is_not_written_under),
        cmocka_unit_test(what_its_siblings_told_it_is_not_written_under),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
