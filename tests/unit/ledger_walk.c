/* Walks over rows whose keys begin alike: all of them in order, no others, counted, and erased. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/ledger_state.h"
#include "tests/sim/member.h"

static void ledger_walk_put(struct ledger_txn *txn, const char *text)
{
    struct key key;

    key_of_bytes(span_str(text), &key);
    assert_int_equal(ledger_put_sealed(txn, TABLE_REPLY, &key, span_str(text)), ERR_OK);
}

struct ledger_walk_heard {
    char text[64];
    enum err then; /* what is answered to the second row */
    size_t count;
    bool is_sealed;
};

static enum err ledger_walk_on_row(void *self, struct span key, struct span value)
{
    struct ledger_walk_heard *heard = self;

    strncat(heard->text, (const char *)key.data, key.size);
    assert_int_equal(value.size, heard->is_sealed ? key.size : key.size + LEDGER_MAC_SIZE);
    return ++heard->count == 2 ? heard->then : ERR_OK;
}

static void ledger_walk_expect(struct ledger_txn *txn, const char *prefix, enum err then,
                               enum err err, const char *text)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct ledger_walk_heard heard = {.then = then}, sealed = {.then = then, .is_sealed = true};

    assert_int_equal(
        ledger_each(&snapshot, TABLE_REPLY, span_str(prefix), ledger_walk_on_row, &heard), err);
    assert_string_equal(heard.text, text);
    assert_int_equal(
        ledger_each_sealed(&snapshot, TABLE_REPLY, span_str(prefix), ledger_walk_on_row, &sealed),
        err);
    assert_string_equal(sealed.text, text);
}

static void ledger_walk_is_over_what_begins_alike(void **state)
{
    struct ledger_txn *txn;
    struct snapshot snapshot;
    struct member ana;
    size_t count;

    (void)state;
    member_new(&ana, 1, false);
    txn = member_begin(&ana);
    snapshot = ledger_txn_snapshot(txn);
    ledger_walk_put(txn, "b2");
    ledger_walk_put(txn, "a");
    ledger_walk_put(txn, "b1");
    ledger_walk_put(txn, "b3");
    ledger_walk_put(txn, "c");
    ledger_walk_expect(txn, "b", ERR_OK, ERR_OK, "b1b2b3");
    ledger_walk_expect(txn, "", ERR_OK, ERR_OK, "ab1b2b3c");
    ledger_walk_expect(txn, "b11", ERR_OK, ERR_OK, "");
    ledger_walk_expect(txn, "d", ERR_OK, ERR_OK, "");
    /* Whoever is told ends it: not found only ends it. */
    ledger_walk_expect(txn, "b", ERR_NOT_FOUND, ERR_OK, "b1b2");
    ledger_walk_expect(txn, "b", ERR_CANCELLED, ERR_CANCELLED, "b1b2");
    assert_int_equal(ledger_count_rows(&snapshot, TABLE_REPLY, span_str("b"), 9, &count), ERR_OK);
    assert_int_equal(count, 3);
    assert_int_equal(ledger_count_rows(&snapshot, TABLE_REPLY, span_str("b"), 2, &count), ERR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(ledger_clear(txn, TABLE_REPLY, span_str("b")), ERR_OK);
    ledger_walk_expect(txn, "", ERR_OK, ERR_OK, "ac");
    assert_int_equal(ledger_clear(txn, TABLE_REPLY, span_of(NULL, 0)), ERR_OK);
    ledger_walk_expect(txn, "", ERR_OK, ERR_OK, "");
    ledger_abort(txn);
    member_free(&ana);
}

static void ledger_walk_finds_a_damaged_row(void **state)
{
    struct ledger_walk_heard heard = {.is_sealed = true};
    struct ledger_txn *txn;
    struct snapshot snapshot;
    struct member ana;
    struct key key;

    (void)state;
    member_new(&ana, 1, false);
    txn = member_begin(&ana);
    snapshot = ledger_txn_snapshot(txn);
    key_of_bytes(span_str("a"), &key);
    assert_int_equal(ledger_put(txn, TABLE_REPLY, &key, span_str("nobody made this hash")), ERR_OK);
    assert_int_equal(
        ledger_each_sealed(&snapshot, TABLE_REPLY, span_of(NULL, 0), ledger_walk_on_row, &heard),
        ERR_CORRUPT);
    assert_int_equal(heard.count, 0);
    ledger_abort(txn);
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ledger_walk_is_over_what_begins_alike),
                                       cmocka_unit_test(ledger_walk_finds_a_damaged_row)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
