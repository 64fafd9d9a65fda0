/* Objects that somebody makes too large on purpose: what is too much is passed over, and nothing
 * else waits for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/card.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "tests/sim/member.h"

enum { LARGE_FIELD = 200, LARGE_EDITS = 7, LARGE_SMALL = 300 };

static const struct id large_card = {{0}};

struct large {
    struct member ana, bruno;
    struct id card;
    struct ledger_txn *txn; /* Bruno's */
};

/* All that he writes is one transaction with so much in it that he does not merge it himself: as
 * somebody does whose program is another. */
static void large_begin(struct large *large)
{
    member_new(&large->ana, 1, false);
    member_new(&large->bruno, 2, false);
    member_link(&large->ana, &large->bruno);
    member_grant(&large->bruno, &large->ana);
    (void)member_pull(&large->ana, &large->bruno, NULL);
    large->card = member_card_space(&large->bruno);
    large->txn = member_begin(&large->bruno);
}

static void large_end(struct large *large)
{
    member_free(&large->ana);
    member_free(&large->bruno);
}

static void large_append(struct large *large, struct edit_space *edit)
{
    assert_int_equal(ledger_append(large->txn, &large->card, edit, 0), ERR_OK);
}

static void large_write_small(struct large *large)
{
    struct edit_space edit = {0};

    for (uint64_t at = 0; at < LARGE_SMALL; at++) {
        edit_begin(&edit, KIND_CARD, &large_card, large->bruno.now_ms);
        edit_set(&edit, CARD_NAME, at + 1, member_text("Bruno"));
        large_append(large, &edit);
    }
    edit_release(&edit);
}

static enum err large_on_log(void *self, const struct log_row *log)
{
    struct buf *logs = self;

    buf_append(logs, span_of(log, sizeof *log));
    return buf_err(logs);
}

/* Ana takes it all in one transaction, or each batch in its own. */
static void large_pull(struct large *large, bool is_at_once)
{
    struct snapshot snapshot = member_snapshot(&large->bruno);
    struct log_id log = {.space = large->card, .device = *ledger_device(large->bruno.ledger)};
    struct verified_batch *batch;
    struct log_row row, held;
    struct ledger_txn *txn = NULL;
    struct chain at;

    assert_int_equal(ledger_log(&snapshot, &log, &row), ERR_OK);
    ledger_snapshot_end(&snapshot);
    snapshot = member_snapshot(&large->ana);
    assert_int_equal(ledger_log(&snapshot, &log, &held), ERR_OK);
    ledger_snapshot_end(&snapshot);
    at = held.tip;
    while (at.size < row.tip.size) {
        assert_int_equal(member_fetch(&large->bruno, &log, &at, &batch), ERR_OK);
        at = *verified_batch_end(batch);
        txn = txn != NULL ? txn : member_begin(&large->ana);
        assert_int_equal(ledger_ingest(txn, batch), ERR_OK);
        verified_batch_free(batch);
        if (is_at_once)
            continue;
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        txn = NULL;
    }
    if (txn != NULL)
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    for (bool is_more = true; is_more;)
        assert_int_equal(follow_stage(large->ana.ledger, 1000, &is_more), ERR_OK);
}

/* Her own words are shown, and what else he said. */
static void large_goes_on(struct large *large)
{
    char room[256];
    struct id own = member_card_space(&large->ana);

    assert_int_equal(member_name_card(&large->ana, "Ana"), ERR_OK);
    assert_string_equal(
        member_read_text(&large->ana, &own, KIND_CARD, &large_card, CARD_NAME, room), "Ana");
    assert_string_equal(
        member_read_text(&large->ana, &large->card, KIND_CARD, &large_card, CARD_ORG, room),
        "Said at last");
}

static void large_say_at_last(struct large *large)
{
    struct edit_space edit = {0};

    edit_begin(&edit, KIND_CARD, &large_card, large->bruno.now_ms);
    edit_set(&edit, CARD_ORG, 1, member_text("Said at last"));
    large_append(large, &edit);
    edit_release(&edit);
    assert_int_equal(ledger_commit(large->txn, NULL), ERR_OK);
}

static void an_object_that_grows_too_large_stops_nobody(void **state)
{
    static uint8_t bytes[240 << 10];

    (void)state;
    for (int is_at_once = 0; is_at_once < 2; is_at_once++) {
        struct edit_space edit = {0};
        struct large large;

        large_begin(&large);
        large_write_small(&large);
        for (uint8_t at = 0; at < LARGE_EDITS; at++) {
            struct value value = {.type = VALUE_BYTES, .bytes = span_of(bytes, sizeof bytes)};

            edit_begin(&edit, KIND_CARD, &large_card, large.bruno.now_ms);
            edit_set(&edit, (uint8_t)(LARGE_FIELD + at), 1, value);
            large_append(&large, &edit);
        }
        large_say_at_last(&large);
        large_pull(&large, is_at_once != 0);
        large_goes_on(&large);
        edit_release(&edit);
        large_end(&large);
    }
}

static size_t large_marks(struct large *large)
{
    struct snapshot snapshot = member_snapshot(&large->ana);
    struct object object = {0};
    uint32_t number;
    size_t count;

    assert_int_equal(row_get(&snapshot, &large->card, KIND_CARD, &large_card, &object, &number),
                     ERR_OK);
    count = object_marks(&object);
    object_release(&object);
    ledger_snapshot_end(&snapshot);
    return count;
}

/* Each write is compared with all dots that are there: they are not made without end. */
static void dots_without_end_are_not_kept(void **state)
{
    struct edit_space edit = {0};
    struct large large;
    struct id dots[REMOVE_DOTS_MAX], element = {{1}};

    (void)state;
    large_begin(&large);
    large_write_small(&large);
    for (uint32_t at = 0; at < 6; at++) {
        edit_begin(&edit, KIND_CARD, &large_card, large.bruno.now_ms);
        for (uint32_t write = 0; write < 20; write++) {
            for (uint32_t dot = 0; dot < REMOVE_DOTS_MAX; dot++) {
                memset(dots[dot].bytes, 0, ID_SIZE);
                be32_put(dots[dot].bytes, at << 16 | write << 8 | dot);
            }
            edit_remove(&edit, CARD_EMAILS, &element, dots, REMOVE_DOTS_MAX);
        }
        large_append(&large, &edit);
    }
    large_say_at_last(&large);
    large_pull(&large, true);
    assert_in_range(large_marks(&large), 1, OBJECT_MARKS_MAX);
    large_goes_on(&large);
    edit_release(&edit);
    large_end(&large);
}

/* Deletes that name devices of nobody: each would get a number of its own. */
static void logs_of_nobody_are_not_numbered_without_end(void **state)
{
    struct edit_space edit = {0};
    struct buf logs = {0};
    struct snapshot snapshot;
    struct space_row space;
    struct large large;

    (void)state;
    large_begin(&large);
    large_write_small(&large);
    for (uint32_t at = 0; at < 16; at++) {
        struct seen seen[DELETE_MARKS_MAX];
        struct id object = {{1, (uint8_t)at}};

        memset(seen, 0, sizeof seen);
        edit_begin(&edit, KIND_CARD, &object, large.bruno.now_ms);
        for (uint32_t mark = 0; mark < DELETE_MARKS_MAX; mark++) {
            be32_put(seen[mark].device.bytes, at << 8 | mark);
            seen[mark].size = 1;
        }
        edit_delete(&edit, seen, DELETE_MARKS_MAX);
        large_append(&large, &edit);
    }
    large_say_at_last(&large);
    large_pull(&large, true);
    snapshot = member_snapshot(&large.ana);
    assert_int_equal(ledger_space(&snapshot, &large.card, &space), ERR_OK);
    assert_int_equal(ledger_logs(&snapshot, space.number, large_on_log, &logs), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_in_range(logs.size / sizeof(struct log_row), 1, SPACE_LOGS_MAX);
    large_goes_on(&large);
    buf_release(&logs);
    edit_release(&edit);
    large_end(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_that_grows_too_large_stops_nobody),
        cmocka_unit_test(dots_without_end_are_not_kept),
        cmocka_unit_test(logs_of_nobody_are_not_numbered_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
