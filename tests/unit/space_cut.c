/* Epochs whose openings were cut from their log: what was written under them in other logs is read
 * by everybody it was for. PROTOCOL RETIRE-10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/card.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/row.h"
#include "storage/space.h"
#include "tests/sim/joined.h"
#include "tests/sim/member.h"

enum { CUT_EPOCHS = 6 };

/* Ana's two devices and her peer. */
struct cut_world {
    struct member desk, lap, bruno;
    struct id pair;
    struct log_row kept; /* the desk's log there before the openings */
};

static void cut_react(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void cut_unite(struct cut_world *world)
{
    for (int round = 0; round < 4; round++) {
        (void)member_pull(&world->desk, &world->lap, NULL);
        (void)member_pull(&world->lap, &world->desk, NULL);
        cut_react(&world->desk);
        cut_react(&world->lap);
    }
}

static void cut_open(struct cut_world *world)
{
    struct ledger_txn *txn = member_begin(&world->desk);

    assert_int_equal(space_rotate(txn, &world->pair), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void cut_rotate(struct cut_world *world)
{
    cut_open(world);
    cut_unite(world);
}

/* So far its log counts. */
static void cut_note(struct cut_world *world)
{
    struct snapshot snapshot = member_snapshot(&world->desk);
    struct log_id log = {.space = world->pair, .device = *ledger_device(world->desk.ledger)};

    assert_int_equal(ledger_log(&snapshot, &log, &world->kept), ERR_OK);
    ledger_snapshot_end(&snapshot);
}

static void cut_new(struct cut_world *world)
{
    struct snapshot snapshot;
    struct peer link;

    member_new(&world->desk, 1, false);
    member_new(&world->bruno, 2, false);
    member_link(&world->desk, &world->bruno);
    member_twin(&world->lap, &world->desk, 9);
    cut_unite(world);
    snapshot = member_snapshot(&world->desk);
    assert_int_equal(view_peer(&snapshot, &world->bruno.secrets.member, &link), ERR_OK);
    world->pair = link.pair_out;
    ledger_snapshot_end(&snapshot);
    cut_note(world);
    (void)member_pull(&world->bruno, &world->desk, NULL);
}

static void cut_free(struct cut_world *world)
{
    member_free(&world->desk);
    member_free(&world->lap);
    member_free(&world->bruno);
}

/* One of them says something to Bruno. */
static void cut_say(struct cut_world *world, struct member *device, uint8_t number)
{
    struct ledger_txn *txn = member_begin(device);
    const struct id object = {{number}};
    struct edit_space edit = {0};

    edit_begin(&edit, KIND_GRANT, &object, device->now_ms);
    edit_set(&edit, GRANT_SPACE_KIND, 1, (struct value){.type = VALUE_NUMBER, .number = 2});
    assert_int_equal(ledger_append(txn, &world->pair, &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
}

static bool cut_is_heard(struct cut_world *world, uint8_t number)
{
    struct snapshot snapshot = member_snapshot(&world->bruno);
    const struct id object = {{number}};
    struct object found = {0};
    uint32_t ignored;
    enum err err = row_get(&snapshot, &world->pair, KIND_GRANT, &object, &found, &ignored);

    ledger_snapshot_end(&snapshot);
    object_release(&found);
    return err == ERR_OK;
}

/* Both at once: whoever hears that it is retired, and no mark, makes one. */
static void cut_take(const struct cut_world *world, struct member *member, struct span retire,
                     struct span keep)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(retire_table_take(txn, &world->desk.secrets.member, retire), ERR_OK);
    assert_int_equal(retire_table_take(txn, &world->desk.secrets.member, keep), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* The desk went back, went on under another key, and its log counts up to there. Bruno hears it,
 * and this device. */
static void cut_retire(struct cut_world *world, struct member *device)
{
    const struct retire_signer signer = {.root = ledger_root_key(world->desk.ledger)};
    struct retirement retirement = {.device = *ledger_device(world->desk.ledger),
                                    .reason = RETIRE_FORKED};
    struct keep keep = {.space = world->pair,
                        .device = retirement.device,
                        .size = world->kept.tip.size,
                        .hash = world->kept.tip.hash};
    struct buf retire = {0}, kept = {0};

    memcpy(keep.signature, world->kept.head_signature, SIGNATURE_SIZE);
    assert_int_equal(retire_issue(&retirement, &signer, &retire), ERR_OK);
    assert_int_equal(retire_issue_keep(&keep, &signer, &kept), ERR_OK);
    cut_take(world, device, buf_span(&retire), buf_span(&kept));
    cut_take(world, &world->bruno, buf_span(&retire), buf_span(&kept));
    buf_release(&retire);
    buf_release(&kept);
    for (int round = 0; round < 8; round++)
        cut_react(device);
    (void)member_pull(&world->bruno, device, NULL);
}

/* How many it has opened, or used. */
static uint32_t cut_epochs(struct cut_world *world, struct member *device)
{
    struct log_id log = {.space = world->pair, .device = *ledger_device(device->ledger)};
    struct snapshot snapshot = member_snapshot(device);
    struct log_row row = {.epochs_count = 0};
    enum err err = ledger_log(&snapshot, &log, &row);

    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    return row.epochs_count;
}

/* Only the last of them is told by what is opened over it. */
static void what_was_written_under_epochs_that_were_cut_is_read(void **state)
{
    struct cut_world world;

    (void)state;
    cut_new(&world);
    for (uint8_t number = 1; number <= CUT_EPOCHS; number++) {
        cut_rotate(&world);
        cut_say(&world, &world.lap, number);
        cut_unite(&world);
    }
    cut_retire(&world, &world.lap);
    /* Its own use of each, and two that have room for six between them. */
    assert_true(cut_epochs(&world, &world.lap) <= CUT_EPOCHS + 2);
    for (uint8_t number = 1; number <= CUT_EPOCHS; number++)
        assert_true(cut_is_heard(&world, number));
    cut_free(&world);
}

/* The lap has not heard yet that the desk went back, nor of the last epoch it opened. It writes
 * under one that was cut and that only the last would have told, and is met no more: the third
 * device sees it write so. */
static void what_is_written_under_a_cut_epoch_later_is_read(void **state)
{
    struct cut_world world;
    struct member pad;

    (void)state;
    cut_new(&world);
    member_twin(&pad, &world.desk, 11);
    (void)member_pull(&world.bruno, &world.desk, NULL); /* He knows the pad. */
    (void)member_pull(&pad, &world.lap, NULL);
    cut_rotate(&world);
    cut_open(&world);
    (void)member_pull(&pad, &world.desk, NULL);
    cut_react(&pad);
    cut_retire(&world, &pad);
    cut_say(&world, &world.lap, 1);
    (void)member_pull(&pad, &world.lap, NULL);
    for (int round = 0; round < 8; round++)
        cut_react(&pad);
    (void)member_pull(&world.bruno, &pad, NULL);
    assert_true(cut_is_heard(&world, 1));
    member_free(&pad);
    cut_free(&world);
}

/* The third device, which holds what the others do so far, and whom Bruno knows. */
static void cut_add(struct cut_world *world, struct member *pad)
{
    member_twin(pad, &world->desk, 11);
    for (int round = 0; round < 4; round++) {
        (void)member_pull(pad, &world->desk, NULL);
        (void)member_pull(pad, &world->lap, NULL);
        cut_react(pad);
        (void)member_pull(&world->desk, pad, NULL);
        (void)member_pull(&world->lap, pad, NULL);
        cut_unite(world);
    }
    (void)member_pull(&world->bruno, &world->desk, NULL);
    cut_note(world);
}

/* The desk opens one, and the lap writes under it. Of that the third device holds what stands in
 * self, and what the lap wrote: the opening is cut before it comes. */
static void cut_begin_unseen(struct cut_world *world, struct member *pad)
{
    cut_open(world);
    (void)member_pull(&world->lap, &world->desk, NULL);
    cut_say(world, &world->lap, 1);
    (void)member_pull(pad, &world->desk, ledger_self_space(world->desk.ledger));
}

static void cut_pull_lap(struct cut_world *world, struct member *pad)
{
    struct log_id log = {.space = world->pair, .device = *ledger_device(world->lap.ledger)};

    while (member_pull_batch(pad, &world->lap, &log) > 0)
        continue;
}

static bool cut_is_passed_on(struct cut_world *world, struct member *pad)
{
    for (int round = 0; round < 8; round++)
        cut_react(pad);
    (void)member_pull(&world->bruno, pad, NULL);
    return cut_is_heard(world, 1);
}

static void what_is_written_under_an_epoch_that_never_came_is_read(void **state)
{
    struct cut_world world;
    struct member pad;

    (void)state;
    cut_new(&world);
    cut_add(&world, &pad);
    cut_begin_unseen(&world, &pad);
    cut_retire(&world, &pad);
    cut_pull_lap(&world, &pad);
    assert_true(cut_is_passed_on(&world, &pad));
    member_free(&pad);
    cut_free(&world);
}

static void it_may_have_been_written_before_the_opening_was_cut(void **state)
{
    struct cut_world world;
    struct member pad;
    uint32_t before;

    (void)state;
    cut_new(&world);
    cut_add(&world, &pad);
    cut_begin_unseen(&world, &pad);
    before = cut_epochs(&world, &pad);
    cut_pull_lap(&world, &pad);
    assert_false(cut_is_passed_on(&world, &pad));
    assert_int_equal(cut_epochs(&world, &pad), before); /* It may still come. */
    cut_retire(&world, &pad);
    assert_true(cut_is_passed_on(&world, &pad));
    member_free(&pad);
    cut_free(&world);
}

/* What counts of the desk's log comes last. */
static void an_opening_may_come_until_all_that_counts_has(void **state)
{
    struct verified_batch *batch;
    struct cut_world world;
    struct ledger_txn *txn;
    struct member pad;
    struct log_id log;
    uint32_t before;

    (void)state;
    cut_new(&world);
    cut_add(&world, &pad);
    log = (struct log_id){.space = world.pair, .device = *ledger_device(world.desk.ledger)};
    cut_say(&world, &world.desk, 2);
    assert_int_equal(member_fetch(&world.desk, &log, &world.kept.tip, &batch), ERR_OK);
    cut_note(&world);
    cut_begin_unseen(&world, &pad);
    cut_retire(&world, &pad);
    before = cut_epochs(&world, &pad);
    cut_pull_lap(&world, &pad);
    assert_false(cut_is_passed_on(&world, &pad));
    assert_int_equal(cut_epochs(&world, &pad), before);
    txn = member_begin(&pad);
    assert_int_equal(ledger_ingest(txn, batch), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    verified_batch_free(batch);
    pad.now_ms += MS_PER_DAY / 24;
    assert_true(cut_is_passed_on(&world, &pad));
    member_free(&pad);
    cut_free(&world);
}

/* Bruno is told who that device is, as whoever calls tells. */
static void cut_meet(struct cut_world *world, struct member *device)
{
    struct snapshot snapshot = member_snapshot(device);
    struct ledger_txn *txn = member_begin(&world->bruno);
    struct device_chain chain;
    struct hash next_root;
    struct buf identity = {0};

    assert_int_equal(view_identity(&snapshot, &identity), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(device_read_identity(buf_span(&identity), &chain, &next_root), ERR_OK);
    assert_int_equal(view_device_learn(txn, &chain), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    buf_release(&identity);
}

/* The desk itself hears of it first, is cut, and goes on under another key. */
static void who_goes_on_after_a_cut_writes_under_what_is_read(void **state)
{
    struct cut_world world;

    (void)state;
    cut_new(&world);
    cut_open(&world);
    cut_retire(&world, &world.desk);
    assert_int_equal(joined_succeed(&world.desk), ERR_OK);
    for (int round = 0; round < 8; round++)
        cut_react(&world.desk);
    cut_say(&world, &world.desk, 1);
    cut_meet(&world, &world.desk);
    (void)member_pull(&world.bruno, &world.desk, NULL);
    assert_true(cut_is_heard(&world, 1));
    cut_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_under_epochs_that_were_cut_is_read),
        cmocka_unit_test(what_is_written_under_a_cut_epoch_later_is_read),
        cmocka_unit_test(what_is_written_under_an_epoch_that_never_came_is_read),
        cmocka_unit_test(it_may_have_been_written_before_the_opening_was_cut),
        cmocka_unit_test(an_opening_may_come_until_all_that_counts_has),
        cmocka_unit_test(who_goes_on_after_a_cut_writes_under_what_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
