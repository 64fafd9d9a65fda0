/* P8: what is known of a member's devices follows from what was heard, not from when. In all orders
 * the devices stand alike, their logs count as far, and the same shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "tests/sim/orders.h"

static void standing_agree(struct orders *orders, enum standing out[static ORDERS_DEVICES])
{
    if (!orders_agree(orders, out))
        fail_msg("%s", orders->why);
}

/* PROTOCOL STOLEN-4 */
static void a_thief_gives_up_a_device_beyond_the_mark(void **state)
{
    enum standing standing[ORDERS_DEVICES];
    struct orders orders;

    (void)state;
    orders_new(&orders);
    orders_join(&orders, LAP, DESK);
    orders_join(&orders, PAD, LAP);
    orders_carry(&orders, DESK, LAP);
    orders_carry(&orders, DESK, PAD);
    orders_shut(&orders, LAP, PAD, RETIRE_OWNER); /* The desk has not heard. */
    orders_shut(&orders, DESK, LAP, RETIRE_STOLEN);
    orders_write(&orders, PAD, 3, "pad");
    orders_carry(&orders, DESK, PAD);
    standing_agree(&orders, standing);
    assert_int_equal(standing[LAP], STANDING_STOLEN);
    assert_int_equal(standing[PAD], STANDING_GOOD);
    orders_free(&orders);
}

static void what_was_given_up_below_the_mark_stays_so(void **state)
{
    enum standing standing[ORDERS_DEVICES];
    struct orders orders;

    (void)state;
    orders_new(&orders);
    orders_join(&orders, LAP, DESK);
    orders_join(&orders, PAD, LAP);
    orders_carry(&orders, DESK, LAP);
    orders_carry(&orders, DESK, PAD);
    orders_write(&orders, PAD, 3, "pad");
    orders_shut(&orders, LAP, PAD, RETIRE_STOLEN);
    orders_carry(&orders, DESK, LAP);
    orders_shut(&orders, DESK, LAP, RETIRE_STOLEN);
    standing_agree(&orders, standing);
    assert_int_equal(standing[LAP], STANDING_STOLEN);
    assert_int_equal(standing[PAD], STANDING_STOLEN);
    orders_free(&orders);
}

/* Three below one another, the highest stolen: with the first of the others admitted before, and
 * what that one admitted; and another admitted after. */
static void a_stolen_device_admitted_one_before_and_one_after(void **state)
{
    enum standing standing[ORDERS_DEVICES];
    struct orders orders;

    (void)state;
    orders_new(&orders);
    orders_join(&orders, LAP, DESK);
    orders_join(&orders, PAD, LAP);
    orders_join(&orders, TAB, PAD);
    orders_carry(&orders, DESK, LAP);
    orders_carry(&orders, DESK, PAD);
    orders_carry(&orders, DESK, TAB);
    orders_write(&orders, TAB, 3, "tab");
    orders_join(&orders, TOP, LAP);
    orders_write(&orders, TOP, 2, "top");
    orders_shut(&orders, DESK, LAP, RETIRE_STOLEN);
    orders_tell(&orders.devices[DESK], &orders.devices[LAP],
                ledger_device(orders.devices[TOP].ledger));
    orders_carry(&orders, DESK, TAB);
    standing_agree(&orders, standing);
    assert_int_equal(standing[LAP], STANDING_STOLEN);
    assert_int_equal(standing[PAD], STANDING_GOOD);
    assert_int_equal(standing[TAB], STANDING_GOOD);
    assert_int_equal(standing[TOP], STANDING_STOLEN);
    orders_free(&orders);
}

/* A thief certifies once more whom it admitted before, with keys that it holds: whoever believed it
 * would seal for the thief. */
static void a_thief_forges_a_certificate_beyond_the_mark(void **state)
{
    enum standing standing[ORDERS_DEVICES];
    struct orders orders;

    (void)state;
    orders_new(&orders);
    orders_join(&orders, LAP, DESK);
    orders_join(&orders, PAD, LAP);
    orders_carry(&orders, DESK, LAP);
    orders_carry(&orders, DESK, PAD);
    orders_forge(&orders, LAP, PAD);
    orders_shut(&orders, DESK, LAP, RETIRE_STOLEN);
    orders_write(&orders, PAD, 3, "pad");
    orders_carry(&orders, DESK, PAD);
    standing_agree(&orders, standing);
    assert_int_equal(standing[LAP], STANDING_STOLEN);
    assert_int_equal(standing[PAD], STANDING_GOOD);
    orders_free(&orders);
}

/* The desk hears the forged one first, and shows it on the card (RETIRE-13): so it stands there, by
 * the desk, and is in the log of the thief nowhere. */
static void a_forged_certificate_is_shown_by_another(void **state)
{
    enum standing standing[ORDERS_DEVICES];
    struct orders orders;

    (void)state;
    orders_new(&orders);
    orders_join(&orders, LAP, DESK);
    orders_join(&orders, PAD, LAP);
    orders_forge(&orders, LAP, PAD);
    orders_tell(&orders.devices[DESK], &orders.devices[LAP],
                ledger_device(orders.devices[PAD].ledger));
    orders_carry(&orders, DESK, PAD); /* It has the log of the lap as it was before. */
    orders_shut(&orders, DESK, LAP, RETIRE_STOLEN);
    orders_write(&orders, PAD, 3, "pad");
    orders_carry(&orders, DESK, PAD);
    standing_agree(&orders, standing);
    assert_int_equal(standing[LAP], STANDING_STOLEN);
    assert_int_equal(standing[PAD], STANDING_GOOD);
    orders_free(&orders);
}

/* Whatever a thief says, and whomever it is about: one that is forked would be cut where the thief
 * holds nothing. Below the mark it was said before the theft. */
static void a_thief_calls_another_forked(void **state)
{
    (void)state;
    for (int is_below = 0; is_below < 2; is_below++) {
        enum standing standing[ORDERS_DEVICES];
        struct orders orders;

        orders_new(&orders);
        orders_join(&orders, LAP, DESK);
        orders_join(&orders, PAD, DESK);
        orders_carry(&orders, DESK, LAP);
        orders_carry(&orders, DESK, PAD);
        orders_write(&orders, PAD, 2, "two");
        orders_carry(&orders, DESK, PAD);
        orders_tell(&orders.devices[LAP], &orders.devices[DESK],
                    ledger_device(orders.devices[PAD].ledger));
        orders_fork(&orders, LAP, PAD);
        if (is_below)
            orders_carry(&orders, DESK, LAP);
        orders_shut(&orders, DESK, LAP, RETIRE_STOLEN);
        if (!is_below) /* Else it would be for the successor to repeat. */
            orders_write(&orders, PAD, 3, "three");
        orders_carry(&orders, DESK, PAD);
        standing_agree(&orders, standing);
        assert_int_equal(standing[LAP], STANDING_STOLEN);
        assert_int_equal(standing[PAD], is_below ? STANDING_FORKED : STANDING_GOOD);
        orders_free(&orders);
    }
}

/* Given up by the one that admitted it, stolen by the root, each with a mark of its own; and twice
 * stolen. */
static void two_say_so_with_different_marks(void **state)
{
    static const struct {
        size_t by;
        enum retire_reason reason;
    } second[] = {
        {LAP, RETIRE_OWNER}, {LAP, RETIRE_STOLEN}, {TWIN, RETIRE_OWNER}, {TWIN, RETIRE_STOLEN}};

    (void)state;
    for (size_t at = 0; at < sizeof second / sizeof second[0]; at++) {
        enum standing standing[ORDERS_DEVICES];
        struct orders orders;

        orders_new(&orders);
        orders_join(&orders, LAP, DESK);
        orders_join(&orders, PAD, LAP);
        orders_carry(&orders, DESK, LAP);
        orders_carry(&orders, DESK, PAD);
        orders_carry(&orders, TWIN, DESK);
        orders_write(&orders, PAD, 2, "two");
        orders_carry(&orders, DESK, PAD);
        orders_write(&orders, PAD, 3, "three");
        orders_carry(&orders, LAP, PAD);
        orders_shut(&orders, second[at].by, PAD, second[at].reason);
        orders_shut(&orders, DESK, PAD, RETIRE_STOLEN);
        standing_agree(&orders, standing);
        assert_int_equal(standing[PAD], STANDING_STOLEN);
        orders_free(&orders);
    }
}

/* Who said of another that it was stolen was stolen itself before: known to the one, and not the
 * other. */
static void a_word_of_one_that_is_out_by_the_word_of_one_that_is_out(void **state)
{
    (void)state;
    for (int is_below = 0; is_below < 2; is_below++) {
        enum standing standing[ORDERS_DEVICES];
        struct orders orders;

        orders_new(&orders);
        orders_join(&orders, LAP, DESK);
        orders_join(&orders, PAD, LAP);
        orders_join(&orders, TAB, PAD);
        orders_carry(&orders, DESK, LAP);
        orders_carry(&orders, LAP, PAD);
        orders_carry(&orders, DESK, PAD);
        orders_carry(&orders, DESK, TAB);
        orders_shut(&orders, PAD, TAB, RETIRE_STOLEN);
        orders_shut(&orders, LAP, PAD, RETIRE_STOLEN); /* It has not heard of the tab. */
        if (is_below)
            orders_carry(&orders, DESK, LAP);
        orders_shut(&orders, DESK, LAP, RETIRE_STOLEN);
        orders_carry(&orders, DESK, PAD);
        standing_agree(&orders, standing);
        assert_int_equal(standing[LAP], STANDING_STOLEN);
        assert_int_equal(standing[PAD], is_below ? STANDING_STOLEN : STANDING_GOOD);
        assert_int_equal(standing[TAB], is_below ? STANDING_GOOD : STANDING_STOLEN);
        orders_free(&orders);
    }
}

/* It went back, went on under a new key, and was stolen then: what the desk had of the successor
 * counts, in some stories all that it wrote before. */
static void a_successor_is_stolen(void **state)
{
    (void)state;
    for (int has_heard = 0; has_heard < 2; has_heard++) {
        enum standing standing[ORDERS_DEVICES];
        struct orders orders;

        orders_new(&orders);
        orders_join(&orders, LAP, DESK);
        orders_join(&orders, PAD, LAP);
        orders_carry(&orders, DESK, LAP);
        orders_carry(&orders, DESK, PAD);
        orders_write(&orders, LAP, 2, "two");
        orders_carry(&orders, DESK, LAP);
        orders_fork(&orders, DESK, LAP);
        orders_succeed(&orders, LAP, DESK);
        orders_write(&orders, LAP, 3, "three");
        if (has_heard)
            orders_carry(&orders, DESK, LAP);
        orders_shut(&orders, DESK, LAP, RETIRE_STOLEN);
        orders_write(&orders, LAP, 4, "four");
        orders_carry(&orders, DESK, PAD);
        standing_agree(&orders, standing);
        assert_int_equal(standing[LAP], STANDING_STOLEN);
        assert_int_equal(standing[PAD], STANDING_GOOD);
        orders_free(&orders);
    }
}

/* It went back, goes on under a new key, and nobody is shut out. */
static void a_device_goes_on_under_a_new_key(void **state)
{
    enum standing standing[ORDERS_DEVICES];
    struct orders orders;

    (void)state;
    orders_new(&orders);
    orders_join(&orders, LAP, DESK);
    orders_carry(&orders, DESK, LAP);
    orders_write(&orders, LAP, 2, "two");
    orders_carry(&orders, DESK, LAP);
    orders_fork(&orders, DESK, LAP);
    orders_succeed(&orders, LAP, DESK);
    orders_write(&orders, LAP, 3, "three");
    orders_carry(&orders, DESK, LAP);
    standing_agree(&orders, standing);
    assert_int_equal(standing[LAP], STANDING_GOOD);
    orders_free(&orders);
}

/* Stores of before. */

struct standing_rows {
    struct ledger_txn *txn;
    enum table table;
    size_t size; /* of a key then */
    bool is_found;
};

static enum err standing_on_row(void *self, struct span at, struct span value)
{
    struct standing_rows *rows = self;
    struct buf statement = {0};
    struct key key;

    if (at.size == rows->size)
        return ERR_OK;
    buf_append(&statement, value);
    key_of_bytes(at, &key);
    assert_int_equal(ledger_erase(rows->txn, rows->table, &key), ERR_OK);
    key.size = rows->size;
    assert_int_equal(ledger_put_sealed(rows->txn, rows->table, &key, buf_span(&statement)), ERR_OK);
    buf_release(&statement);
    rows->is_found = true;
    return ERR_CANCELLED;
}

/* One statement of each kind, and who signed it not in its key. */
static void standing_make_old(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct standing_rows tables[] = {{.txn = txn, .table = TABLE_RETIRE, .size = 32 + 1},
                                     {.txn = txn, .table = TABLE_KEEP, .size = 4 + 32}};
    struct key standing;

    for (size_t at = 0; at < sizeof tables / sizeof tables[0]; at++)
        do {
            enum err err;

            tables[at].is_found = false;
            err = ledger_each_sealed(&snapshot, tables[at].table, span_of(NULL, 0), standing_on_row,
                                     &tables[at]);
            assert_true(err == ERR_OK || err == ERR_CANCELLED);
        } while (tables[at].is_found);
    key_of_byte(4, &standing);
    assert_int_equal(ledger_clear(txn, TABLE_CERTIFICATE, key_span(&standing)), ERR_OK);
    txn->counters.views = LEDGER_VIEWS - 1;
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

static void a_store_of_before_says_the_same(void **state)
{
    size_t parts[3];
    struct buf before = {0}, after = {0};
    struct orders orders;
    bool is_more;

    (void)state;
    orders_new(&orders);
    orders_join(&orders, LAP, DESK);
    orders_join(&orders, PAD, LAP);
    orders_carry(&orders, DESK, LAP);
    orders_shut(&orders, LAP, PAD, RETIRE_OWNER);
    orders_carry(&orders, DESK, LAP);
    orders_write(&orders, LAP, 3, "beyond");
    orders_shut(&orders, DESK, LAP, RETIRE_STOLEN);
    orders_gather(&orders, &orders.bruno);
    orders_finish(&orders, &orders.bruno);
    orders_outcome(&orders, &orders.bruno, &before, parts);
    standing_make_old(&orders.bruno);
    for (int round = 0; round < 3; round++) {
        struct snapshot snapshot = member_snapshot(&orders.bruno);
        enum standing standing;

        assert_int_equal(
            standing_of(&snapshot, ledger_device(orders.devices[LAP].ledger), &standing), ERR_OK);
        assert_int_equal(standing, STANDING_STOLEN);
        ledger_snapshot_end(&snapshot);
        orders_commit(member_begin(&orders.bruno));
        while (follow_is_behind(orders.bruno.ledger))
            assert_int_equal(follow_stage(orders.bruno.ledger, 1000, &is_more), ERR_OK);
        member_close(&orders.bruno);
        member_open(&orders.bruno);
    }
    orders_outcome(&orders, &orders.bruno, &after, parts);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, after.size);
    orders_check(&orders, &orders.bruno);
    assert_string_equal(orders.why, "");
    buf_release(&before);
    buf_release(&after);
    orders_free(&orders);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thief_gives_up_a_device_beyond_the_mark),
        cmocka_unit_test(what_was_given_up_below_the_mark_stays_so),
        cmocka_unit_test(a_stolen_device_admitted_one_before_and_one_after),
        cmocka_unit_test(a_thief_forges_a_certificate_beyond_the_mark),
        cmocka_unit_test(a_forged_certificate_is_shown_by_another),
        cmocka_unit_test(a_thief_calls_another_forked),
        cmocka_unit_test(two_say_so_with_different_marks),
        cmocka_unit_test(a_successor_is_stolen),
        cmocka_unit_test(a_device_goes_on_under_a_new_key),
        cmocka_unit_test(a_store_of_before_says_the_same),
        cmocka_unit_test(a_word_of_one_that_is_out_by_the_word_of_one_that_is_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
