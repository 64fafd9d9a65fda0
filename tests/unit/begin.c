/* Logs that begin at a restatement: where, who takes them so, and what is known of what is before.
 * PROTOCOL BEGIN-1 to BEGIN-4, RESTATE-9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/card.h"
#include "storage/check.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/replica.h"
#include "storage/restate.h"
#include "storage/return_table.h"
#include "storage/view_restate.h"
#include "tests/sim/burst.h"
#include "tests/sim/member.h"

enum { BEGIN_EDITS = 300 };

struct begin_cast {
    struct member ana, bruno;
    struct log_id log; /* of ana's card */
};

static void begin_commit(struct member *member, enum err (*write)(void *what, struct ledger_txn *),
                         void *what)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(write(what, txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* Ana has changed her card often and restated it; Bruno holds nothing of it. */
static void begin_cast(struct begin_cast *cast)
{
    struct burst burst = {.edits = BEGIN_EDITS, .is_restated = true};

    member_new(&cast->ana, 1, false);
    member_new(&cast->bruno, 2, false);
    member_link(&cast->ana, &cast->bruno);
    begin_commit(&cast->ana, burst_write, &burst);
    cast->log = (struct log_id){.space = member_card_space(&cast->ana),
                                .device = *ledger_device(cast->ana.ledger)};
}

static void begin_free(struct begin_cast *cast)
{
    member_free(&cast->ana);
    member_free(&cast->bruno);
}

static struct log_beginning begin_told(struct member *by, const struct member *to,
                                       const struct log_id *log)
{
    struct snapshot snapshot = member_snapshot(by);
    struct log_beginning beginning;
    struct replica replica;

    replica_of(&snapshot, &replica);
    assert_int_equal(replica.beginning(replica.self, &to->secrets.member, log, &beginning), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return beginning;
}

/* The batch from ana's beginning, as bruno would get it first. */
static struct verified_batch *begin_first(struct begin_cast *cast,
                                          const struct log_beginning *beginning)
{
    struct chain start = {.size = beginning->size, .hash = beginning->hash};
    struct verified_batch *batch;

    assert_int_equal(member_fetch(&cast->ana, &cast->log, &start, &batch), ERR_OK);
    verified_batch_begin(batch, beginning);
    return batch;
}

static enum err begin_ingest(struct member *member, const struct verified_batch *batch)
{
    struct ledger_txn *txn = member_begin(member);
    enum err err = ledger_ingest(txn, batch);

    if (err == ERR_OK)
        return ledger_commit(txn, NULL);
    ledger_abort(txn);
    return err;
}

static struct log_row begin_row(struct member *member, const struct log_id *log)
{
    struct snapshot snapshot = member_snapshot(member);
    struct log_row row;

    assert_int_equal(ledger_log(&snapshot, log, &row), ERR_OK);
    ledger_snapshot_end(&snapshot);
    return row;
}

static void begin_is_sound(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    struct check_report report;

    assert_int_equal(check_store(&snapshot, &report), ERR_OK);
    assert_string_equal(report.first, "");
    ledger_snapshot_end(&snapshot);
}

static void a_log_begins_at_the_last_block_under_the_mark(void **state)
{
    struct log_beginning beginning;
    struct begin_cast cast;

    (void)state;
    begin_cast(&cast);
    beginning = begin_told(&cast.ana, &cast.bruno, &cast.log);
    assert_int_equal(beginning.size, BLOCK_ENTRIES_MAX);
    assert_int_equal(beginning.epochs_count, 1);
    /* Her own devices get it all. */
    beginning = begin_told(&cast.ana, &cast.ana, &cast.log);
    assert_int_equal(beginning.size, 0);
    begin_free(&cast);
}

static void who_holds_nothing_takes_it_and_knows_nothing_before_it(void **state)
{
    struct trace_tag tags[TRACE_TAGS_MAX];
    struct log_beginning beginning;
    struct verified_batch *batch;
    struct snapshot snapshot;
    struct begin_cast cast;
    struct replica replica;
    struct log_row row, whole;
    struct chain chain;
    size_t count;
    bool is_last;

    (void)state;
    begin_cast(&cast);
    beginning = begin_told(&cast.ana, &cast.bruno, &cast.log);
    batch = begin_first(&cast, &beginning);
    assert_int_equal(begin_ingest(&cast.bruno, batch), ERR_OK);
    assert_int_equal(begin_ingest(&cast.bruno, batch), ERR_OK); /* Twice changes nothing. */
    row = begin_row(&cast.bruno, &cast.log);
    whole = begin_row(&cast.ana, &cast.log);
    assert_int_equal(row.start, beginning.size);
    assert_int_equal(row.tip.size, whole.tip.size);
    assert_memory_equal(&row.tip.hash, &whole.tip.hash, HASH_SIZE);
    begin_is_sound(&cast.bruno);
    snapshot = member_snapshot(&cast.bruno);
    replica_of(&snapshot, &replica);
    assert_int_equal(replica.chain_at(replica.self, &cast.log, 100, &chain), ERR_NOT_FOUND);
    assert_int_equal(replica.chain_at(replica.self, &cast.log, row.start, &chain), ERR_OK);
    assert_memory_equal(&chain.hash, &beginning.hash, HASH_SIZE);
    assert_int_equal(replica.trace(replica.self, &cast.log, row.tip.size, tags, &count, &is_last),
                     ERR_OK);
    assert_int_equal(count, 2); /* the tip and its start */
    assert_int_equal(tags[1].size, row.start);
    assert_true(is_last);
    assert_int_equal(replica.trace(replica.self, &cast.log, 100, tags, &count, &is_last), ERR_OK);
    assert_int_equal(count, 0);
    assert_true(is_last);
    ledger_snapshot_end(&snapshot);
    verified_batch_free(batch);
    begin_free(&cast);
}

static void who_holds_something_does_not(void **state)
{
    struct log_beginning beginning;
    struct verified_batch *batch, *early;
    struct begin_cast cast;
    struct chain start;

    (void)state;
    begin_cast(&cast);
    chain_begin(&cast.log, &start);
    assert_int_equal(member_fetch(&cast.ana, &cast.log, &start, &early), ERR_OK);
    beginning = begin_told(&cast.ana, &cast.bruno, &cast.log);
    batch = begin_first(&cast, &beginning);
    assert_int_equal(begin_ingest(&cast.bruno, early), ERR_OK);
    assert_int_equal(begin_ingest(&cast.bruno, batch), ERR_OK); /* It attaches like any other. */
    assert_int_equal(begin_row(&cast.bruno, &cast.log).start, 0);
    begin_is_sound(&cast.bruno);
    verified_batch_free(batch);
    verified_batch_free(early);
    begin_free(&cast);
}

/* Below its start a log is not cut: it becomes returns and begins anew, from the first entry. */
static void cut_below_its_start_it_begins_anew(void **state)
{
    struct log_beginning beginning;
    struct verified_batch *batch;
    struct snapshot snapshot;
    struct ledger_txn *txn;
    struct begin_cast cast;
    struct log_row row;
    uint64_t cut = 0;

    (void)state;
    begin_cast(&cast);
    beginning = begin_told(&cast.ana, &cast.bruno, &cast.log);
    batch = begin_first(&cast, &beginning);
    assert_int_equal(begin_ingest(&cast.bruno, batch), ERR_OK);
    row = begin_row(&cast.bruno, &cast.log);
    txn = member_begin(&cast.bruno);
    assert_int_equal(keep_rebase(txn, &cast.log, 100), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    snapshot = member_snapshot(&cast.bruno);
    assert_int_equal(kv_count(snapshot.kv, TABLE_CUT, &cut), ERR_OK);
    ledger_snapshot_end(&snapshot);
    assert_int_equal(cut, row.tip.size - row.start);
    row = begin_row(&cast.bruno, &cast.log);
    assert_int_equal(row.tip.size, 0);
    assert_int_equal(row.start, 0);
    assert_int_equal(row.payload_bytes, 0);
    assert_int_equal(row.epochs_count, 0);
    begin_is_sound(&cast.bruno);
    /* And may begin so once more: what had been cut is in its log again. */
    assert_int_equal(begin_ingest(&cast.bruno, batch), ERR_OK);
    assert_int_equal(begin_row(&cast.bruno, &cast.log).start, beginning.size);
    begin_is_sound(&cast.bruno);
    verified_batch_free(batch);
    begin_free(&cast);
}

/* Only there a head is kept that closes what is left. */
static void a_log_is_cut_where_a_block_ends(void **state)
{
    static const struct {
        uint64_t at, left;
    } cuts[] = {{300, 256}, {256, 256}, {255, 0}};
    struct member ana, bruno;
    struct log_id log;

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    log = (struct log_id){.space = member_card_space(&ana), .device = *ledger_device(ana.ledger)};
    for (int at = 0; at < 310; at++)
        assert_int_equal(member_name_card(&ana, at % 2 == 0 ? "Ana" : "Ana B"), ERR_OK);
    (void)member_pull(&bruno, &ana, NULL);
    for (size_t at = 0; at < sizeof cuts / sizeof *cuts; at++) {
        struct ledger_txn *txn = member_begin(&bruno);

        assert_int_equal(keep_rebase(txn, &log, cuts[at].at), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        assert_int_equal(begin_row(&bruno, &log).tip.size, cuts[at].left);
        begin_is_sound(&bruno);
    }
    member_free(&ana);
    member_free(&bruno);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_begins_at_the_last_block_under_the_mark),
        cmocka_unit_test(who_holds_nothing_takes_it_and_knows_nothing_before_it),
        cmocka_unit_test(who_holds_something_does_not),
        cmocka_unit_test(cut_below_its_start_it_begins_anew),
        cmocka_unit_test(a_log_is_cut_where_a_block_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
