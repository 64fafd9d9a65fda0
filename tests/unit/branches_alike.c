/* Two branches of one device that begin alike: what both have written is there once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/react.h"
#include "proto/card.h"
#include "storage/check.h"
#include "storage/ledger_state.h"
#include "storage/replica.h"
#include "storage/returns.h"
#include "storage/space.h"
#include "tests/sim/member.h"
#include "tests/sim/returned.h"

/* Ana's desk, of which there is a copy, and her lap. */
struct alike_world {
    struct member desk, lap;
    struct kv_mem *copy;
    struct chain before; /* the desk's log in the card space, when it was copied */
};

static struct log_id alike_log(struct alike_world *world)
{
    return (struct log_id){.space = member_card_space(&world->desk),
                           .device = *ledger_device(world->desk.ledger)};
}

/* The lap opens an epoch of the card, and the desk hears of it and has not used it yet. */
static void alike_world_new(struct alike_world *world)
{
    struct log_id log;
    struct ledger_txn *txn;
    struct snapshot snapshot;
    struct log_row row;

    member_new(&world->desk, 1, false);
    member_twin(&world->lap, &world->desk, 9);
    log = alike_log(world);
    txn = member_begin(&world->lap);
    assert_int_equal(space_rotate(txn, &log.space), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    (void)member_pull(&world->desk, &world->lap, NULL);
    (void)member_pull(&world->desk, &world->lap, NULL);
    snapshot = member_snapshot(&world->desk);
    assert_int_equal(ledger_log(&snapshot, &log, &row), ERR_OK);
    ledger_snapshot_end(&snapshot);
    world->before = row.tip;
    assert_int_equal(kv_mem_clone(world->desk.mem, &world->copy), ERR_OK);
}

static void alike_world_free(struct alike_world *world)
{
    kv_mem_free(world->copy);
    member_free(&world->desk);
    member_free(&world->lap);
}

/* The lap gives back what the desk wrote before it was put back. */
static void alike_give_back(struct alike_world *world)
{
    struct returned_row *row = secret_new(sizeof *row);
    struct snapshot snapshot = member_snapshot(&world->lap);
    struct log_id log = alike_log(world);
    struct returned *returned;
    struct replica replica;
    struct ledger_txn *txn;

    replica_of(&snapshot, &replica);
    assert_int_equal(replica.fetch(replica.self, &log, &world->before, row), ERR_OK);
    row->is_last = true;
    returned = returned_carry(row);
    txn = member_begin(&world->desk);
    assert_int_equal(returns_take(txn, returned, &world->lap.secrets.member), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    returned_free(returned);
    returned_release(row);
    secret_free(row);
    ledger_snapshot_end(&snapshot);
}

/* Both begin to use the lap's epoch, with the very same bytes at the same place of the log. */
static void what_both_branches_begin_with_is_there_once(void **state)
{
    struct alike_world world;
    struct check_report report;
    struct snapshot snapshot;
    uint64_t held = 0, before = 0;

    (void)state;
    alike_world_new(&world);
    assert_int_equal(member_name_card(&world.desk, "On the one branch"), ERR_OK);
    (void)member_pull(&world.lap, &world.desk, NULL);
    member_close(&world.desk);
    kv_mem_restore(world.desk.mem, world.copy);
    member_open(&world.desk);
    alike_give_back(&world);
    snapshot = member_snapshot(&world.desk);
    assert_int_equal(ledger_newest_arrival(&snapshot, &before), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(member_name_card(&world.desk, "On the other"), ERR_OK);
    snapshot = member_snapshot(&world.desk);
    assert_int_equal(ledger_newest_arrival(&snapshot, &held), ERR_OK);
    assert_int_equal(held, before + 1); /* the edit; that the epoch is used is there */
    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    assert_string_equal(report.first, "");
    ledger_snapshot_end(&snapshot);
    alike_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_both_branches_begin_with_is_there_once),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
