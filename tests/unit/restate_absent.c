/* A restatement leaves alive what it repeats: what its writer has not read may be said nowhere else
 * any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/restate.h"
#include "storage/view_restate.h"
#include "tests/sim/meeting.h"

static const struct id absent_only = {{0}};

/* Ana's desk and laptop, and Bruno, who reads her card. */
struct absent_world {
    struct member desk, laptop, bruno;
    struct log_id by_desk, by_laptop; /* the logs of her card */
};

static void absent_react(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void absent_world_new(struct absent_world *world)
{
    member_new(&world->desk, 1, false);
    member_new(&world->bruno, 2, false);
    member_link(&world->desk, &world->bruno);
    member_grant(&world->desk, &world->bruno);
    assert_int_equal(member_name_card(&world->desk, "First"), ERR_OK);
    member_twin(&world->laptop, &world->desk, 9);
    for (int round = 0; round < 4; round++) {
        (void)member_pull(&world->desk, &world->laptop, NULL);
        (void)member_pull(&world->laptop, &world->desk, NULL);
        absent_react(&world->desk);
        absent_react(&world->laptop);
    }
    world->by_desk = (struct log_id){.space = member_card_space(&world->desk),
                                     .device = *ledger_device(world->desk.ledger)};
    world->by_laptop = world->by_desk;
    world->by_laptop.device = *ledger_device(world->laptop.ledger);
    (void)member_pull(&world->bruno, &world->desk, NULL);
    (void)member_pull(&world->bruno, &world->laptop, NULL);
}

static void absent_world_free(struct absent_world *world)
{
    member_free(&world->desk);
    member_free(&world->laptop);
    member_free(&world->bruno);
}

static void absent_write(struct absent_world *world, uint8_t field, const char *text)
{
    assert_int_equal(
        member_write(&world->laptop, &world->by_laptop.space, KIND_CARD, &absent_only, field, text),
        ERR_OK);
}

static struct log_row absent_log(struct member *member, const struct log_id *id)
{
    struct snapshot snapshot = member_snapshot(member);
    struct log_row log = {0};
    enum err err = ledger_log(&snapshot, id, &log);

    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    ledger_snapshot_end(&snapshot);
    return log;
}

/* Its payload leaves this one's store. */
static void absent_lose(struct member *member, const struct log_id *id, uint64_t seq)
{
    struct log_row log = absent_log(member, id);
    struct ledger_txn *txn = member_begin(member);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct entry_row entry;

    assert_int_equal(ledger_entry_at(&snapshot, log.number, seq, &entry), ERR_OK);
    assert_int_equal(absent_drop(txn, entry.arrival), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* It comes from who has it. */
static void absent_bring(struct member *to, struct member *from, const struct log_id *id,
                         uint64_t seq)
{
    struct log_row log = absent_log(from, id);
    struct snapshot snapshot = member_snapshot(from);
    struct ledger_txn *txn = member_begin(to);
    struct entry_row entry;

    assert_int_equal(ledger_entry_at(&snapshot, log.number, seq, &entry), ERR_OK);
    assert_int_equal(absent_fill(txn, id, seq, entry.entry.payload), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    ledger_snapshot_end(&snapshot);
}

static struct view_restate absent_restatement(struct member *member, const struct log_id *id)
{
    struct snapshot snapshot = member_snapshot(member);
    struct view_restate restate;
    struct space_row card;

    assert_int_equal(ledger_space(&snapshot, &id->space, &card), ERR_OK);
    assert_int_equal(view_restate_load(&snapshot, card.number, &restate), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return restate;
}

static void absent_restate(struct member *member)
{
    struct id card = member_card_space(member);
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(restate_space(txn, &card), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    absent_react(member);
}

static void absent_shows(struct member *member, const struct id *card, uint8_t field,
                         const char *text)
{
    char room[256];

    assert_string_equal(member_read_text(member, card, KIND_CARD, &absent_only, field, room), text);
}

/* The desk restates, the laptop writes under the epoch of before: that is to be restated. It comes
 * by way of Bruno, who has lost a part. PROTOCOL RESTATE-6 */
static void what_came_without_its_payload_is_waited_for(void **state)
{
    for (int is_brought = 0; is_brought < 2; is_brought++) {
        struct absent_world world;
        struct log_row before;
        uint32_t depth;

        (void)state;
        absent_world_new(&world);
        absent_restate(&world.desk);
        depth = absent_restatement(&world.desk, &world.by_desk).depth;
        before = absent_log(&world.laptop, &world.by_laptop);
        absent_write(&world, CARD_TITLE, "Translator");
        absent_write(&world, CARD_ORG, "At home");
        (void)member_pull_batch(&world.bruno, &world.laptop, &world.by_laptop);
        absent_lose(&world.bruno, &world.by_laptop,
                    absent_log(&world.laptop, &world.by_laptop).tip.size - 1);
        assert_true(before.tip.size < absent_log(&world.bruno, &world.by_laptop).tip.size);
        (void)member_pull_batch(&world.desk, &world.bruno, &world.by_laptop);
        for (int hour = 0; hour < 23; hour++)
            meeting_live(&world.desk, MS_PER_DAY / 24);
        assert_int_equal(absent_restatement(&world.desk, &world.by_desk).depth, depth);
        if (is_brought)
            absent_bring(&world.desk, &world.laptop, &world.by_laptop,
                         absent_log(&world.laptop, &world.by_laptop).tip.size - 1);
        for (int hour = 0; hour < 30; hour++) /* Nobody may have it any more. */
            meeting_live(&world.desk, MS_PER_DAY / 24);
        assert_true(absent_restatement(&world.desk, &world.by_desk).depth > depth);
        absent_shows(&world.desk, &world.by_desk.space, CARD_ORG, "At home");
        absent_shows(&world.desk, &world.by_desk.space, CARD_TITLE, is_brought ? "Translator" : "");
        absent_world_free(&world);
    }
}

/* A mark beyond what Bruno holds of a log may be of another branch of it. PROTOCOL RESTATE-8 */
static void a_log_that_is_shorter_than_its_mark_keeps_its_payloads(void **state)
{
    struct absent_world world;
    struct absent_total total;
    struct snapshot snapshot;
    struct peer link;

    (void)state;
    absent_world_new(&world);
    absent_write(&world, CARD_TITLE, "Translator");
    (void)member_pull_batch(&world.bruno, &world.laptop, &world.by_laptop);
    absent_write(&world, CARD_ORG, "At home");
    (void)member_pull_batch(&world.desk, &world.laptop, &world.by_laptop);
    absent_restate(&world.desk);
    (void)member_pull_batch(&world.bruno, &world.desk, &world.by_desk);
    assert_true(meeting_peer(&world.desk, &world.bruno, &link));
    (void)member_pull(&world.bruno, &world.desk, &link.pair_out);
    for (int is_whole = 0; is_whole < 2; is_whole++) {
        struct log_row log = absent_log(&world.bruno, &world.by_laptop);

        absent_react(&world.bruno);
        snapshot = member_snapshot(&world.bruno);
        assert_int_equal(absent_total(&snapshot, log.number, &total), ERR_OK);
        ledger_snapshot_end(&snapshot);
        assert_true(absent_restatement(&world.bruno, &world.by_desk).is_there);
        assert_int_equal(total.entries > 0, is_whole);
        (void)member_pull_batch(&world.bruno, &world.laptop, &world.by_laptop);
        meeting_live(&world.bruno, MS_PER_DAY + MS_PER_DAY / 24);
    }
    absent_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_without_its_payload_is_waited_for),
        cmocka_unit_test(a_log_that_is_shorter_than_its_mark_keeps_its_payloads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
