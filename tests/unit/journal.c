/* What `kith log` reads: rows in order, bounded in number and size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/journal.h"
#include "tests/sim/member.h"

struct journal_seen {
    size_t count;
    uint64_t first, last;
    struct journal_row row;
    uint8_t text[2048];
    size_t text_size;
    enum err answer;
};

static enum err journal_see(void *self, const struct journal_row *row)
{
    struct journal_seen *seen = self;

    if (seen->count++ == 0)
        seen->first = row->number;
    else
        assert_true(row->number > seen->last);
    seen->last = row->number;
    seen->row = *row;
    seen->text_size = row->text.size;
    assert_true(row->text.size <= sizeof seen->text);
    if (row->text.size > 0)
        memcpy(seen->text, row->text.data, row->text.size);
    return seen->answer;
}

static void journal_write(struct member *member, size_t count, struct span text)
{
    struct ledger_txn *txn = member_begin(member);

    for (size_t at = 0; at < count; at++) {
        struct journal_row row = {.at_ms = 1000 + at,
                                  .kind = span_str("linked"),
                                  .who = span_str("Ana"),
                                  .text = text,
                                  .ref = span_str("ref")};

        assert_int_equal(journal_add(txn, &row), ERR_OK);
    }
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void journal_read_after(struct member *member, uint64_t after, struct journal_seen *seen,
                               enum err expected)
{
    struct snapshot snapshot = member_snapshot(member);

    assert_int_equal(journal_each(&snapshot, after, journal_see, seen), expected);
    ledger_snapshot_end(&snapshot);
}

static void journal_gives_back_what_was_added_after_a_restart(void **state)
{
    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++) {
        struct journal_seen all = {0}, some = {0}, none = {0}, stopped = {.answer = ERR_CANCELLED};
        struct member ana;

        member_new(&ana, 1, is_lmdb != 0);
        journal_write(&ana, 3, span_str("Ana and Bruno are linked."));
        member_close(&ana);
        member_open(&ana);
        journal_read_after(&ana, 0, &all, ERR_OK);
        assert_int_equal(all.count, 3);
        assert_int_equal(all.row.at_ms, 1002);
        assert_memory_equal(all.text, "Ana and Bruno are linked.", all.text_size);
        journal_read_after(&ana, all.first, &some, ERR_OK);
        assert_int_equal(some.count, 2);
        journal_read_after(&ana, all.last, &none, ERR_OK);
        assert_int_equal(none.count, 0);
        journal_read_after(&ana, 0, &stopped, ERR_CANCELLED);
        assert_int_equal(stopped.count, 1);
        member_free(&ana);
    }
}

static void journal_cuts_long_texts(void **state)
{
    static const struct {
        size_t size, expected;
    } cases[] = {{0, 0}, {999, 999}, {1000, 1000}, {1001, 1000}, {70000, 1000}};
    static uint8_t text[70000];
    struct member ana;

    (void)state;
    memset(text, 'x', sizeof text);
    member_new(&ana, 1, false);
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct journal_seen seen = {0};

        journal_write(&ana, 1, span_of(text, cases[at].size));
        journal_read_after(&ana, 0, &seen, ERR_OK);
        assert_int_equal(seen.text_size, cases[at].expected);
    }
    member_free(&ana);
}

static void journal_keeps_the_newest_rows(void **state)
{
    static const struct {
        size_t add, first, last;
    } cases[] = {{JOURNAL_ROWS_MAX - 1, 1, JOURNAL_ROWS_MAX - 1},
                 {1, 1, JOURNAL_ROWS_MAX},
                 {1, 2, JOURNAL_ROWS_MAX + 1}};
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct journal_seen seen = {0};

        journal_write(&ana, cases[at].add, span_str("x"));
        journal_read_after(&ana, 0, &seen, ERR_OK);
        assert_int_equal(seen.first, cases[at].first);
        assert_int_equal(seen.last, cases[at].last);
        assert_int_equal(seen.count, cases[at].last - cases[at].first + 1);
    }
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_gives_back_what_was_added_after_a_restart),
        cmocka_unit_test(journal_cuts_long_texts),
        cmocka_unit_test(journal_keeps_the_newest_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
