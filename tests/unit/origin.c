/* MERGE-2: what holds a place is opened once, however many edits tie with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/heap.h"
#include "proto/contact.h"
#include "storage/absent.h"
#include "storage/ledger_state.h"
#include "storage/origin_table.h"
#include "storage/row.h"
#include "tests/sim/member.h"

enum { ORIGIN_FIELDS = 16, ORIGIN_FIRST = 200, ORIGIN_LARGE = 40 << 10, ORIGIN_TIES = 300 };

static const struct id origin_object = {{7}};

static void origin_write(struct member *ana, uint8_t field, size_t count, size_t size,
                         uint64_t time_ms, uint8_t fill)
{
    struct ledger_txn *txn = member_begin(ana);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t *bytes = heap_new(size);
    struct edit_space edit = {0};
    struct space_row self;

    memset(bytes, fill, size);
    assert_int_equal(ledger_own_space(&snapshot, SPACE_SELF, &self), ERR_OK);
    edit_begin(&edit, KIND_CONTACT, &origin_object, time_ms);
    for (size_t at = 0; at < count; at++)
        edit_set(&edit, (uint8_t)(field + at), 1,
                 (struct value){.type = VALUE_BYTES, .bytes = span_of(bytes, size)});
    assert_int_equal(ledger_append(txn, &self.id, &edit, 0), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    edit_release(&edit);
    heap_free(bytes);
}

static void origin_look(struct member *ana, uint8_t fill, size_t size)
{
    struct snapshot snapshot = member_snapshot(ana);
    struct object object = {0};
    struct space_row self;
    uint32_t number;

    assert_int_equal(ledger_own_space(&snapshot, SPACE_SELF, &self), ERR_OK);
    assert_int_equal(row_get(&snapshot, &self.id, KIND_CONTACT, &origin_object, &object, &number),
                     ERR_OK);
    assert_int_equal(object.registers_count, ORIGIN_FIELDS);
    for (size_t at = 0; at < ORIGIN_FIELDS; at++) {
        assert_int_equal(object.registers[at].value.bytes.size, size);
        assert_int_equal(object.registers[at].value.bytes.data[0], fill);
    }
    object_release(&object);
    ledger_snapshot_end(&snapshot);
}

static size_t origin_rows(struct member *ana)
{
    struct snapshot snapshot = member_snapshot(ana);
    size_t count = 0;

    assert_int_equal(ledger_count_rows(&snapshot, TABLE_ORIGIN, span_of(NULL, 0), 10000, &count),
                     ERR_OK);
    ledger_snapshot_end(&snapshot);
    return count;
}

static void what_holds_a_place_is_opened_once(void **state)
{
    struct member ana;
    uint64_t now_ms;

    (void)state;
    member_new(&ana, 1, false);
    now_ms = ana.now_ms;
    /* Sixteen places, and of each the holder is large: all of it is in the entry. */
    for (uint8_t at = 0; at < ORIGIN_FIELDS; at++) {
        origin_write(&ana, (uint8_t)(ORIGIN_FIRST + at), 1, ORIGIN_LARGE, now_ms, 1);
        assert_int_equal(origin_rows(&ana), 0);
    }
    for (int at = 0; at < ORIGIN_TIES; at++)
        origin_write(&ana, ORIGIN_FIRST, ORIGIN_FIELDS, 1, now_ms - 1, 2);
    origin_look(&ana, 1, ORIGIN_LARGE);
    assert_int_equal(origin_rows(&ana), ORIGIN_FIELDS);
    /* The later of two that tie holds the place, and is looked up when others tie with it. */
    origin_write(&ana, ORIGIN_FIRST, ORIGIN_FIELDS, 1, now_ms + 1, 3);
    origin_look(&ana, 3, 1);
    origin_write(&ana, ORIGIN_FIRST, ORIGIN_FIELDS, 1, now_ms, 4);
    origin_look(&ana, 3, 1);
    assert_int_equal(origin_rows(&ana), ORIGIN_FIELDS + 1);
    member_free(&ana);
}

/* A payload may go before the object is made again without it (RESTATE-10): who wrote it is known,
 * and until then it holds its place as it does for whoever has the payload. */
static void who_wrote_it_is_known_when_its_payload_is_gone(void **state)
{
    struct ledger_txn *txn;
    uint64_t now_ms, first;
    struct member ana;

    (void)state;
    member_new(&ana, 1, false);
    now_ms = ana.now_ms;
    origin_write(&ana, ORIGIN_FIRST, ORIGIN_FIELDS, 1, now_ms, 1);
    txn = member_begin(&ana);
    first = txn->counters.arrival;
    ledger_abort(txn);
    origin_write(&ana, ORIGIN_FIRST, ORIGIN_FIELDS, 1, now_ms - 1, 2);
    origin_look(&ana, 1, 1);
    txn = member_begin(&ana);
    assert_int_equal(absent_drop(txn, first), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    origin_write(&ana, ORIGIN_FIRST, ORIGIN_FIELDS, 1, now_ms - 1, 3);
    origin_look(&ana, 1, 1);
    origin_write(&ana, ORIGIN_FIRST, ORIGIN_FIELDS, 1, now_ms + 1, 4);
    origin_look(&ana, 4, 1);
    member_free(&ana);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_a_place_is_opened_once),
        cmocka_unit_test(who_wrote_it_is_known_when_its_payload_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
