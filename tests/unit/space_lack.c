/* Keys of card and network are granted each by itself. A grant may be lost with the device that
 * opened the epoch; what others wrote under it is read all the same. PROTOCOL EPOCH-10, RETIRE-10.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "storage/heal.h"
#include "storage/ledger_state.h"
#include "storage/running.h"
#include "storage/space.h"
#include "tests/sim/member.h"

/* Ana's three devices, of which the desk dies, and her peer. */
struct lack_world {
    struct member desk, lap, pad, bruno;
    struct id card;
};

static void lack_react(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(running_advance(txn, member->now_ms), ERR_OK);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void lack_meet(struct member *left, struct member *right)
{
    for (int round = 0; round < 4; round++) {
        (void)member_pull(left, right, NULL);
        (void)member_pull(right, left, NULL);
        lack_react(left);
        lack_react(right);
    }
}

static void lack_open(struct lack_world *world, struct member *device)
{
    struct ledger_txn *txn = member_begin(device);

    assert_int_equal(space_rotate(txn, &world->card), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void lack_new(struct lack_world *world)
{
    member_new(&world->desk, 1, false);
    member_new(&world->bruno, 2, false);
    member_link(&world->desk, &world->bruno);
    member_grant(&world->desk, &world->bruno);
    member_twin(&world->lap, &world->desk, 9);
    member_twin(&world->pad, &world->desk, 11);
    world->card = member_card_space(&world->desk);
    lack_meet(&world->desk, &world->lap);
    lack_meet(&world->desk, &world->pad);
    lack_meet(&world->lap, &world->pad);
}

static void lack_free(struct lack_world *world)
{
    member_free(&world->desk);
    member_free(&world->lap);
    member_free(&world->pad);
    member_free(&world->bruno);
}

static bool lack_reads(struct lack_world *world, struct member *from, const char *name)
{
    static const struct id only = {{0}};
    char room[256];

    for (int round = 0; round < 4; round++)
        (void)member_pull(&world->bruno, from, NULL);
    return strcmp(member_read_text(&world->bruno, &world->card, KIND_CARD, &only, CARD_NAME, room),
                  name) == 0;
}

static size_t lack_epochs(struct lack_world *world, struct member *device)
{
    struct log_id log = {.space = world->card, .device = *ledger_device(device->ledger)};
    struct snapshot snapshot = member_snapshot(device);
    struct log_row row = {.epochs_count = 0};
    enum err err = ledger_log(&snapshot, &log, &row);

    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    return row.epochs_count;
}

/* The desk opens one and grants it; the lap holds that much of the card space and of self alone,
 * and writes under it. The pad, which knows nothing of that, opens deeper ones. */
static void lack_part(struct lack_world *world)
{
    lack_open(world, &world->desk);
    (void)member_pull(&world->lap, &world->desk, ledger_self_space(world->desk.ledger));
    (void)member_pull(&world->lap, &world->desk, &world->card);
    lack_react(&world->lap);
    assert_int_equal(member_name_card(&world->lap, "Ana of the hill"), ERR_OK);
    lack_open(world, &world->pad);
    lack_open(world, &world->pad);
}

static void what_was_written_under_an_epoch_nobody_was_granted_is_read(void **state)
{
    struct lack_world world;

    (void)state;
    lack_new(&world);
    assert_int_equal(member_name_card(&world.lap, "Ana"), ERR_OK);
    assert_true(lack_reads(&world, &world.lap, "Ana"));
    lack_part(&world);
    lack_meet(&world.lap, &world.pad);
    assert_false(lack_reads(&world, &world.lap, "Ana of the hill"));
    world.lap.now_ms += MS_PER_DAY / 24;
    lack_react(&world.lap);
    lack_react(&world.lap);
    assert_true(lack_reads(&world, &world.lap, "Ana of the hill"));
    lack_free(&world);
}

/* The desk lives, and what it granted comes in time: nothing is opened for it. */
static void a_grant_that_is_late_is_waited_for(void **state)
{
    struct lack_world world;
    size_t lap, pad;

    (void)state;
    lack_new(&world);
    lack_part(&world);
    lap = lack_epochs(&world, &world.lap);
    pad = lack_epochs(&world, &world.pad);
    lack_meet(&world.lap, &world.pad);
    lack_meet(&world.desk, &world.lap);
    lack_meet(&world.lap, &world.pad);
    world.lap.now_ms += MS_PER_DAY;
    world.pad.now_ms += MS_PER_DAY;
    lack_meet(&world.lap, &world.pad);
    assert_int_equal(lack_epochs(&world, &world.lap), lap);
    assert_int_equal(lack_epochs(&world, &world.pad), pad);
    assert_true(lack_reads(&world, &world.lap, "Ana of the hill"));
    lack_free(&world);
}

/* The pad, which holds less, says that the desk was stolen. */
static void lack_steal(struct lack_world *world)
{
    struct ledger_txn *txn = member_begin(&world->pad);

    assert_int_equal(heal_shut_out(txn, ledger_device(world->desk.ledger), RETIRE_STOLEN), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    lack_meet(&world->lap, &world->pad);
    for (int day = 0; day <= RETURN_WAIT_DAYS; day++) {
        world->lap.now_ms += MS_PER_DAY;
        world->pad.now_ms += MS_PER_DAY;
        lack_meet(&world->lap, &world->pad);
    }
}

static bool lack_has_title(struct lack_world *world, struct member *member)
{
    static const struct id only = {{0}};
    char room[256];

    return strcmp(member_read_text(member, &world->card, KIND_CARD, &only, CARD_TITLE, room),
                  "Miller") == 0;
}

/* The lap writes under two that the desk opened. The openings count no more, nor what self says of
 * them, nor the grants; the first was told by the second alone. */
static void what_was_written_under_epochs_of_a_stolen_device_is_read(void **state)
{
    static const struct id only = {{0}};
    struct lack_world world;

    (void)state;
    lack_new(&world);
    lack_open(&world, &world.desk);
    (void)member_pull(&world.lap, &world.desk, NULL);
    assert_int_equal(member_write(&world.lap, &world.card, KIND_CARD, &only, CARD_TITLE, "Miller"),
                     ERR_OK);
    lack_open(&world, &world.desk);
    (void)member_pull(&world.lap, &world.desk, NULL);
    assert_int_equal(member_name_card(&world.lap, "Ana of the hill"), ERR_OK);
    lack_steal(&world);
    assert_true(lack_reads(&world, &world.pad, "Ana of the hill"));
    assert_true(lack_has_title(&world, &world.pad));
    assert_true(lack_has_title(&world, &world.bruno));
    lack_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_under_an_epoch_nobody_was_granted_is_read),
        cmocka_unit_test(what_was_written_under_epochs_of_a_stolen_device_is_read),
        cmocka_unit_test(a_grant_that_is_late_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
