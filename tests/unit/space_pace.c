/* Two devices of one member that disagree for ever on who reads: a removal is answered at once,
 * and they do not open epochs over one another for as long as they talk. PROTOCOL EPOCH-11, P5 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "node/react.h"
#include "proto/limits.h"
#include "proto/retire.h"
#include "storage/heal.h"
#include "storage/join.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/view_peer.h"
#include "tests/sim/burglar.h"
#include "tests/sim/joined.h"
#include "tests/sim/meeting.h"

/* Ana's desk and tab; the lap, and the pad that it admitted. */
struct pace_world {
    struct member desk, tab, lap, pad;
};

static void pace_commit(struct ledger_txn *txn)
{
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void pace_join(struct member *device, struct member *host, uint8_t seed)
{
    struct ledger_txn *txn;

    joined_new(device, host, seed);
    joined_tell(device, host);
    (void)member_pull(device, host, NULL);
    (void)member_pull(device, host, NULL);
    txn = member_begin(device);
    assert_int_equal(join_finish(txn), ERR_OK);
    pace_commit(txn);
}

static enum standing pace_standing(struct member *member, const struct member *device)
{
    struct snapshot snapshot = member_snapshot(member);
    enum standing standing;

    assert_int_equal(standing_of(&snapshot, ledger_device(device->ledger), &standing), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return standing;
}

static enum err pace_on_epoch(void *self, const struct hash *epoch)
{
    (void)epoch;
    (*(size_t *)self)++;
    return ERR_OK;
}

static size_t pace_epochs(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    struct ledger_counters counters;
    size_t count = 0;

    assert_int_equal(ledger_load_counters(&snapshot, &counters), ERR_OK);
    for (uint32_t space = 1; space <= counters.spaces; space++)
        assert_int_equal(epoch_table_each(&snapshot, space, pace_on_epoch, &count), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

static void pace_talk(struct pace_world *world, bool is_lockstep)
{
    (void)member_pull(&world->desk, &world->tab, NULL);
    if (!is_lockstep)
        meeting_tick(&world->desk);
    (void)member_pull(&world->tab, &world->desk, NULL);
    meeting_tick(&world->desk);
    meeting_tick(&world->tab);
}

/* The root gives the pad up, which the tab alone hears: no log holds it here. */
static void pace_give_up(struct pace_world *world)
{
    struct retirement retirement = {.device = *ledger_device(world->pad.ledger),
                                    .reason = RETIRE_OWNER,
                                    .time_ms = world->desk.now_ms};
    struct ledger_txn *txn = member_begin(&world->tab);
    struct retire_signer signer = {.root = ledger_root_key(world->desk.ledger)};
    struct buf statement = {0};

    assert_int_equal(retire_issue(&retirement, &signer, &statement), ERR_OK);
    assert_int_equal(retire_table_take(txn, NULL, buf_span(&statement)), ERR_OK);
    pace_commit(txn);
    buf_release(&statement);
}

/* Two devices that disagree on who reads: for as long as the desk has not heard of the pad. */
static void pace_world_new(struct pace_world *world)
{
    meeting_new(&world->desk, 1, "Ana");
    pace_join(&world->lap, &world->desk, 3);
    (void)member_pull(&world->desk, &world->lap, NULL);
    meeting_tick(&world->desk);
    pace_join(&world->tab, &world->desk, 5);
    (void)member_pull(&world->desk, &world->tab, NULL);
    meeting_tick(&world->desk);
    (void)member_pull(&world->lap, &world->desk, NULL);
    meeting_tick(&world->lap);
    pace_join(&world->pad, &world->lap, 4);
    for (int round = 0; round < 2; round++) {
        (void)member_pull(&world->desk, &world->lap, NULL);
        meeting_tick(&world->desk);
        (void)member_pull(&world->tab, &world->desk, NULL);
        meeting_tick(&world->tab);
        (void)member_pull(&world->lap, &world->desk, NULL);
        meeting_tick(&world->lap);
    }
    pace_give_up(world);
    for (int round = 0; round < 3; round++)
        pace_talk(world, false);
    assert_int_equal(pace_standing(&world->tab, &world->pad), STANDING_OWNER);
    assert_int_equal(pace_standing(&world->desk, &world->pad), STANDING_GOOD);
}

static void pace_world_free(struct pace_world *world)
{
    member_free(&world->desk);
    member_free(&world->tab);
    member_free(&world->lap);
    member_free(&world->pad);
}

/* What this device writes now, read by the pad with every key that came to it? */
static bool pace_pad_reads(struct pace_world *world, struct member *writer, const char *name)
{
    uint64_t before = burglar_newest(writer);
    struct id contact;

    assert_int_equal(member_add_contact(writer, name, NULL, &contact), ERR_OK);
    (void)member_pull(&world->pad, &world->desk, NULL);
    (void)member_pull(&world->pad, &world->tab, NULL);
    return burglar_finds(&world->pad, writer, before, name);
}

/* They say much in a minute, and whoever reads less is answered at once. */
static void who_reads_is_not_fought_over(void **state)
{
    (void)state;
    for (int is_lockstep = 0; is_lockstep < 2; is_lockstep++) {
        struct pace_world world;
        size_t before;

        pace_world_new(&world);
        before = pace_epochs(&world.desk);
        for (int round = 0; round < 40; round++)
            pace_talk(&world, is_lockstep != 0);
        assert_in_range(pace_epochs(&world.desk) - before, 0, 4);
        assert_false(pace_pad_reads(&world, &world.tab, "Of the tab"));
        for (int hour = 0; hour < 24; hour++) {
            meeting_live(&world.desk, MS_PER_DAY / 24);
            meeting_live(&world.tab, MS_PER_DAY / 24);
            pace_talk(&world, is_lockstep != 0);
        }
        assert_in_range(pace_epochs(&world.desk) - before, 2, 30);
        pace_world_free(&world);
    }
}

/* Whoever comes new waits for nothing, even while two disagree about another. */
static void a_new_device_reads_at_once(void **state)
{
    struct pace_world world;
    struct member pen, pin;
    uint64_t before;
    struct id contact;

    (void)state;
    pace_world_new(&world);
    pace_join(&pen, &world.desk, 6);
    pace_join(&pin, &world.desk, 7);
    before = burglar_newest(&world.desk);
    assert_int_equal(member_add_contact(&world.desk, "For all", NULL, &contact), ERR_OK);
    (void)member_pull(&pen, &world.desk, NULL);
    (void)member_pull(&pin, &world.desk, NULL);
    assert_true(burglar_finds(&pen, &world.desk, before, "For all"));
    assert_true(burglar_finds(&pin, &world.desk, before, "For all"));
    member_free(&pen);
    member_free(&pin);
    pace_world_free(&world);
}

/* The lap was stolen. The desk and the tab meet nobody but Bruno, who brings each what the other
 * writes for him, and nothing of what they say in self: who reads what the other opens is known to
 * neither, and what is opened over one's own tells its key. */
static void an_epoch_for_a_peer_is_not_fought_over(void **state)
{
    struct pace_world world;
    struct member bruno;
    struct ledger_txn *txn;
    struct peer link;
    size_t before;

    (void)state;
    meeting_new(&world.desk, 1, "Ana");
    meeting_new(&bruno, 2, "Bruno");
    member_link(&world.desk, &bruno);
    meeting_tick(&world.desk);
    pace_join(&world.lap, &world.desk, 3);
    pace_join(&world.tab, &world.desk, 5);
    pace_join(&world.pad, &world.desk, 4);
    for (int round = 0; round < 4; round++) {
        (void)member_pull(&world.desk, &world.tab, NULL);
        (void)member_pull(&world.desk, &world.lap, NULL);
        meeting_tick(&world.desk);
        (void)member_pull(&world.tab, &world.desk, NULL);
        meeting_tick(&world.tab);
    }
    assert_true(meeting_peer(&world.desk, &bruno, &link));
    txn = member_begin(&world.desk);
    assert_int_equal(heal_shut_out(txn, ledger_device(world.lap.ledger), RETIRE_STOLEN), ERR_OK);
    pace_commit(txn);
    (void)member_pull(&world.tab, &world.desk, &link.pair_out);
    joined_tell(&world.tab, &world.desk);
    meeting_tick(&world.tab);
    assert_int_equal(pace_standing(&world.tab, &world.lap), STANDING_STOLEN);
    before = pace_epochs(&world.desk);
    for (int round = 0; round < 40; round++) {
        (void)member_pull(&world.tab, &world.desk, &link.pair_out);
        meeting_tick(&world.tab);
        (void)member_pull(&world.desk, &world.tab, &link.pair_out);
        meeting_tick(&world.desk);
    }
    assert_in_range(pace_epochs(&world.desk) - before, 1, 6);
    member_free(&bruno);
    pace_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_reads_is_not_fought_over),
        cmocka_unit_test(an_epoch_for_a_peer_is_not_fought_over),
        cmocka_unit_test(a_new_device_reads_at_once),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
