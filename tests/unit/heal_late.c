/* What must be done about a retired device is done also where it was heard of amid much else, whose
 * merging takes transactions of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/contact.h"
#include "proto/retire.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "tests/sim/member.h"

/* Ana's desk and her lap. */
struct late_world {
    struct member desk, lap;
    uint32_t card; /* at the desk */
};

static void late_new(struct late_world *world)
{
    struct snapshot snapshot;
    struct space_row card;

    member_new(&world->desk, 1, false);
    member_twin(&world->lap, &world->desk, 9);
    assert_int_equal(member_name_card(&world->lap, "Ana"), ERR_OK);
    for (int round = 0; round < 2; round++)
        (void)member_pull(&world->desk, &world->lap, NULL);
    snapshot = member_snapshot(&world->desk);
    assert_int_equal(ledger_own_space(&snapshot, SPACE_CARD, &card), ERR_OK);
    ledger_snapshot_end(&snapshot);
    world->card = card.number;
}

static bool late_has_keep(struct late_world *world)
{
    struct snapshot snapshot = member_snapshot(&world->desk);
    struct keep keep;
    enum err err =
        retire_table_keep(&snapshot, world->card, ledger_device(world->lap.ledger), &keep);

    ledger_snapshot_end(&snapshot);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    return err == ERR_OK;
}

/* Somebody with the root said so, and no keep of it has come. */
static void late_hear(struct late_world *world, struct ledger_txn *txn)
{
    struct retirement retirement = {.device = *ledger_device(world->lap.ledger),
                                    .reason = RETIRE_FORKED,
                                    .time_ms = world->desk.now_ms};
    struct retire_signer signer = {.root = ledger_root_key(world->desk.ledger),
                                   .device = ledger_signing_key(world->desk.ledger)};
    struct buf statement = {0};

    assert_int_equal(retire_issue(&retirement, &signer, &statement), ERR_OK);
    assert_int_equal(retire_table_take(txn, NULL, buf_span(&statement)), ERR_OK);
    buf_release(&statement);
}

static void late_write(struct late_world *world, struct ledger_txn *txn, uint32_t number)
{
    struct edit_space edit = {0};
    struct id object = {{9, (uint8_t)(number >> 8), (uint8_t)number}};

    edit_begin(&edit, KIND_CONTACT, &object, world->desk.now_ms);
    edit_set(&edit, CONTACT_NAME, 1, member_text("one of many"));
    assert_int_equal(ledger_append(txn, ledger_self_space(world->desk.ledger), &edit, 0), ERR_OK);
    edit_release(&edit);
}

/* PROTOCOL RETIRE-6: "An author that is shown a frozen log, or holds one, writes its keep" */
static void a_keep_is_written_when_much_has_come(void **state)
{
    struct late_world world;
    struct ledger_txn *txn;
    bool is_more = true;

    (void)state;
    late_new(&world);
    txn = member_begin(&world.desk);
    late_hear(&world, txn);
    for (uint32_t number = 0; number < FOLLOW_INLINE_MAX + 10; number++)
        late_write(&world, txn, number);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_true(follow_is_behind(world.desk.ledger));
    assert_false(late_has_keep(&world));
    member_close(&world.desk); /* Nothing of it is in memory alone. */
    member_open(&world.desk);
    while (is_more)
        assert_int_equal(follow_stage(world.desk.ledger, 100, &is_more), ERR_OK);
    txn = member_begin(&world.desk);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    assert_true(late_has_keep(&world));
    member_free(&world.desk);
    member_free(&world.lap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_keep_is_written_when_much_has_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
