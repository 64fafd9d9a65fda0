/* Where a log goes another way all of its space is merged anew; of somebody else's space that holds
 * much not again and again. PROTOCOL MERGE-4, RESTATE-10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/react.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "tests/sim/member.h"

enum { AGAIN_BLOCKS = 5, AGAIN_WAIT_MS = AGAIN_BLOCKS * BLOCK_ENTRIES_MAX * RESTATE_ENTRY_MS };

static const struct id again_card = {{0}};

static void again_write(struct member *member, const struct id *card, const char *name)
{
    assert_int_equal(member_write(member, card, KIND_CARD, &again_card, CARD_NAME, name), ERR_OK);
}

/* All within a moment. */
static struct ledger_txn *again_begin(struct member *member)
{
    uint64_t now_ms = member->now_ms;
    struct ledger_txn *txn = member_begin(member);

    member->now_ms = now_ms;
    return txn;
}

/* Cuts the log to so many blocks. How often were a space's objects made from nothing? */
static uint64_t again_cut(struct member *member, const struct log_id *log, uint64_t blocks)
{
    struct ledger_txn *txn = again_begin(member);

    assert_int_equal(keep_rebase(txn, log, blocks * BLOCK_ENTRIES_MAX), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    return member->ledger->again.count;
}

static uint64_t again_react(struct member *member)
{
    struct ledger_txn *txn = again_begin(member);

    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    return member->ledger->again.count;
}

static void again_says(struct member *member, const struct id *card, const char *name)
{
    struct snapshot snapshot = member_snapshot(member);
    struct check_report report;
    char room[256];

    assert_string_equal(member_read_text(member, card, KIND_CARD, &again_card, CARD_NAME, room),
                        name);
    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    assert_string_equal(report.first, "");
    ledger_snapshot_end(&snapshot);
}

static void another_way_again_and_again_in_a_space_that_holds_much_waits(void **state)
{
    struct member ana, bruno;
    struct log_id log;
    uint64_t agains;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    member_grant(&ana, &bruno);
    log = (struct log_id){.space = member_card_space(&ana), .device = *ledger_device(ana.ledger)};
    for (int at = 0; at < AGAIN_BLOCKS * BLOCK_ENTRIES_MAX; at++)
        again_write(&ana, &log.space, at % 2 == 0 ? "Ana" : "Ana Q");
    (void)member_pull(&bruno, &ana, NULL);
    agains = again_cut(&bruno, &log, AGAIN_BLOCKS - 1);
    for (uint64_t blocks = AGAIN_BLOCKS - 2; blocks > 0; blocks--)
        assert_int_equal(again_cut(&bruno, &log, blocks), agains);
    assert_int_equal(again_react(&bruno), agains);
    bruno.now_ms += 2 * AGAIN_WAIT_MS;
    assert_int_equal(again_react(&bruno), agains + 1);
    again_says(&bruno, &log.space, "Ana Q"); /* What was cut counts until it is repeated. */
    (void)member_pull(&bruno, &ana, NULL);
    bruno.now_ms += 2 * AGAIN_WAIT_MS;
    (void)again_react(&bruno);
    again_says(&bruno, &log.space, "Ana Q");
    member_free(&ana);
    member_free(&bruno);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_way_again_and_again_in_a_space_that_holds_much_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
