/* The bytes of object rows, and rows in the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/contact.h"
#include "proto/link.h"
#include "storage/row.h"
#include "tests/sim/member.h"

/* An object with one of everything. */
struct row_sample {
    struct object_register registers[2];
    struct object_dot dots[2];
    struct object_element elements[1];
    struct id gone[1];
    struct object_reach touched[1], apart[1], hidden[1];
    struct write_name named[2];
    struct object_tie ties[1];
    struct object object;
};

static void row_fill(struct row_sample *sample)
{
    *sample = (struct row_sample){0};
    sample->registers[0] = (struct object_register){
        .field = 1, .counter = UINT64_C(1) << 40, .arrival = 300, .value = member_text("Ana")};
    sample->registers[1] = (struct object_register){
        .field = 7, .counter = 1, .value = {.type = VALUE_NUMBER, .number = UINT64_MAX}};
    sample->dots[0] = (struct object_dot){.dot = {{9}}, .arrival = 1, .value = member_text("B@x")};
    sample->dots[1] = (struct object_dot){.dot = {{3}}, .arrival = 2, .value = member_text("b@x")};
    sample->elements[0] =
        (struct object_element){.field = 20, .dots = sample->dots, .dots_count = 2};
    sample->gone[0] = (struct id){{8}};
    sample->touched[0] = (struct object_reach){.log = 2, .seq = 128, .name = {{7}}};
    sample->apart[0] = (struct object_reach){.log = 3, .seq = 300, .name = {{8}}};
    sample->named[0] = (struct write_name){{6}};
    sample->named[1] = (struct write_name){{8}};
    sample->hidden[0] = (struct object_reach){.log = 2, .seq = 127};
    sample->ties[0] =
        (struct object_tie){.other = {{5}}, .counter = 3, .arrival = 4, .is_same = true};
    sample->object = (struct object){.kind = KIND_CONTACT,
                                     .id = {{1, 2, 3}},
                                     .registers = sample->registers,
                                     .registers_count = 2,
                                     .elements = sample->elements,
                                     .elements_count = 1,
                                     .gone = sample->gone,
                                     .gone_count = 1,
                                     .touched = sample->touched,
                                     .touched_count = 1,
                                     .apart = sample->apart,
                                     .apart_count = 1,
                                     .named = sample->named,
                                     .named_count = 2,
                                     .hidden = sample->hidden,
                                     .hidden_count = 1,
                                     .ties = sample->ties,
                                     .ties_count = 1};
}

static void row_bytes_come_back_the_same(void **state)
{
    struct row_sample sample;
    struct buf once = {0}, twice = {0};
    struct object read = {0};

    (void)state;
    row_fill(&sample);
    row_write(&sample.object, &once);
    assert_int_equal(row_read(buf_span(&once), &read), ERR_OK);
    row_write(&read, &twice);
    assert_true(span_is_equal(buf_span(&once), buf_span(&twice)));
    assert_int_equal(read.registers[1].value.number, UINT64_MAX);
    /* Of several dots the value of the least is shown. */
    assert_true(span_is_equal(read.elements[0].value.bytes, span_str("b@x")));
    assert_true(object_is_visible(&read));
    object_release(&read);
    buf_release(&once);
    buf_release(&twice);
}

static void row_refuses_cut_and_longer_bytes(void **state)
{
    struct row_sample sample;
    struct buf bytes = {0};
    struct object read = {0};
    size_t refused = 0, shorter = 0;

    (void)state;
    row_fill(&sample);
    row_write(&sample.object, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        enum err err = row_read(span_of(bytes.data, size), &read);

        assert_true(err == ERR_OK || err == ERR_CORRUPT);
        refused += err == ERR_CORRUPT;
        shorter += err == ERR_OK;
        if (err == ERR_OK)
            object_release(&read);
    }
    assert_true(refused > 100);
    assert_int_equal(shorter, 2); /* An older kith's; and that of what no delete ever named. */
    buf_byte(&bytes, 0);
    assert_int_equal(row_read(buf_span(&bytes), &read), ERR_CORRUPT);
    buf_release(&bytes);
}

/* Whatever stands there: an answer, never a crash or a large allocation. */
static void row_survives_any_changed_byte(void **state)
{
    struct row_sample sample;
    struct buf bytes = {0};
    size_t tried = 0;

    (void)state;
    row_fill(&sample);
    row_write(&sample.object, &bytes);
    for (size_t at = 0; at < bytes.size; at++)
        for (unsigned bit = 0; bit < 8; bit++, tried++) {
            struct object read = {0};

            bytes.data[at] ^= (uint8_t)(1u << bit);
            if (row_read(buf_span(&bytes), &read) == ERR_OK)
                object_release(&read);
            bytes.data[at] ^= (uint8_t)(1u << bit);
        }
    assert_int_equal(tried, bytes.size * 8);
    buf_release(&bytes);
}

static enum err row_count(void *self, uint32_t number, const struct object *object)
{
    size_t *count = self;

    assert_true(number > 0);
    assert_int_equal(object->kind, KIND_CONTACT);
    (*count)++;
    return ERR_OK;
}

static enum err row_stop(void *self, uint32_t number, const struct object *object)
{
    (void)number;
    (void)object;
    (*(size_t *)self)++;
    return ERR_CANCELLED;
}

static void row_each_visits_what_is_visible(void **state)
{
    (void)state;
    for (int is_lmdb = 0; is_lmdb < 2; is_lmdb++) {
        struct id ids[3], unknown = {{1}};
        struct snapshot snapshot;
        struct ledger_txn *txn;
        struct edit_space edit = {0};
        struct object object = {0};
        struct seen seen = {.size = 1000};
        struct member ana;
        uint32_t number;
        size_t count = 0;

        member_new(&ana, 1, is_lmdb != 0);
        for (size_t at = 0; at < 3; at++)
            assert_int_equal(member_add_contact(&ana, "Bruno", NULL, &ids[at]), ERR_OK);
        seen.device = *ledger_device(ana.ledger);
        edit_begin(&edit, KIND_CONTACT, &ids[1], ana.now_ms);
        edit_delete(&edit, &seen, 1);
        txn = member_begin(&ana);
        assert_int_equal(ledger_append(txn, ledger_self_space(ana.ledger), &edit, 0), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
        edit_release(&edit);
        snapshot = member_snapshot(&ana);
        assert_int_equal(
            row_each(&snapshot, ledger_self_space(ana.ledger), KIND_CONTACT, row_count, &count),
            ERR_OK);
        assert_int_equal(count, 2);
        assert_int_equal(
            row_each(&snapshot, ledger_self_space(ana.ledger), KIND_CONTACT, row_stop, &count),
            ERR_CANCELLED);
        assert_int_equal(count, 3);
        assert_int_equal(row_each(&snapshot, &unknown, KIND_CONTACT, row_count, &count),
                         ERR_NOT_FOUND);
        assert_int_equal(row_get(&snapshot, ledger_self_space(ana.ledger), KIND_CONTACT, &ids[1],
                                 &object, &number),
                         ERR_OK);
        assert_false(object_is_visible(&object));
        object_release(&object);
        assert_int_equal(row_get(&snapshot, ledger_self_space(ana.ledger), KIND_CONTACT, &unknown,
                                 &object, &number),
                         ERR_NOT_FOUND);
        ledger_snapshot_end(&snapshot);
        member_free(&ana);
    }
}

/* Does any value of any table hold these bytes? */
static bool row_store_contains(struct kv *kv, struct span needle)
{
    struct kv_txn *txn;
    bool is_found = false;

    assert_int_equal(kv_begin(kv, KV_READ, &txn), ERR_OK);
    for (unsigned table = 0; table < TABLES_COUNT; table++) {
        struct kv_cursor *cursor;
        struct span key, value;
        enum err err;

        assert_int_equal(kv_cursor_open(txn, table, &cursor), ERR_OK);
        for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
             err = kv_cursor_next(cursor)) {
            kv_cursor_at(cursor, &key, &value);
            for (size_t at = 0; at + needle.size <= value.size; at++)
                is_found |= memcmp(value.data + at, needle.data, needle.size) == 0;
        }
        kv_cursor_close(cursor);
    }
    kv_abort(txn);
    return is_found;
}

static void row_secret_kinds_are_sealed_on_the_disk(void **state)
{
    struct member ana, bruno;
    struct id contact;
    uint8_t secret[KEY_SIZE];

    (void)state;
    member_new(&ana, 1, false);
    member_new(&bruno, 2, false);
    member_link(&ana, &bruno);
    assert_int_equal(member_add_contact(&ana, "plainly here", NULL, &contact), ERR_OK);
    memset(secret, 5, sizeof secret); /* the link's secret in these tests */
    assert_true(row_store_contains(ana.kv, span_str("plainly here")));
    assert_false(row_store_contains(ana.kv, span_of(secret, sizeof secret)));
    member_free(&ana);
    member_free(&bruno);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_bytes_come_back_the_same),
        cmocka_unit_test(row_refuses_cut_and_longer_bytes),
        cmocka_unit_test(row_survives_any_changed_byte),
        cmocka_unit_test(row_each_visits_what_is_visible),
        cmocka_unit_test(row_secret_kinds_are_sealed_on_the_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
