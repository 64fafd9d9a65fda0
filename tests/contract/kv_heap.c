/* Without memory both answers say so, leave nothing half done, and go on when there is memory
 * again. */
#include "tests/contract/kv_answer.h"
#include "tests/unit/heap_failing.h"

static enum err heap_close_with(struct kv_txn *txn, enum err err)
{
    if (err == ERR_OK)
        return kv_commit(txn);
    kv_abort(txn);
    return err;
}

static enum err heap_write(struct kv *kv, uint8_t number)
{
    struct kv_cursor *cursor;
    struct kv_txn *txn;
    enum err err = kv_begin(kv, KV_WRITE, &txn);

    if (err != ERR_OK)
        return err;
    err = kv_put(txn, 0, span_str("number"), span_of(&number, 1));
    for (uint8_t key = 1; key < 20 && err == ERR_OK; key++)
        err = kv_put(txn, 1, span_of(&key, 1), span_of(&number, 1));
    for (uint8_t key = 19; key > 5 && err == ERR_OK; key--)
        err = kv_erase(txn, 1, span_of(&key, 1));
    if (err == ERR_OK)
        err = kv_append(txn, 2, span_of(&number, 1), span_str("x"));
    if (err == ERR_OK)
        err = kv_cursor_open(txn, 1, &cursor);
    if (err == ERR_OK) {
        err = kv_cursor_last(cursor);
        kv_cursor_close(cursor);
    }
    return heap_close_with(txn, err);
}

static enum err heap_read(struct kv *kv, uint8_t *out)
{
    struct kv_cursor *cursor;
    struct kv_txn *txn;
    struct span key, value;
    enum err err = kv_begin(kv, KV_READ, &txn);

    if (err != ERR_OK)
        return err;
    err = kv_cursor_open(txn, 0, &cursor);
    if (err == ERR_OK) {
        err = kv_cursor_seek(cursor, (struct span){0});
        if (err == ERR_OK) {
            kv_cursor_at(cursor, &key, &value);
            *out = value.data[0];
        }
        kv_cursor_close(cursor);
    }
    kv_abort(txn);
    return err;
}

static void every_allocation_can_fail(void **state)
{
    struct answer *answer = *state;
    enum err err = ERR_NOMEM;
    unsigned failed = 0;
    uint8_t number = 0;

    assert_int_equal(heap_write(answer->kv, 1), ERR_OK);
    for (size_t after = 0; err != ERR_OK; after++) {
        heap_failing_after(after);
        err = heap_write(answer->kv, 2);
        heap_failing_after(SIZE_MAX);
        assert_true(err == ERR_OK || err == ERR_NOMEM);
        assert_int_equal(heap_read(answer->kv, &number), ERR_OK);
        assert_int_equal(number, err == ERR_OK ? 2 : 1);
        failed += err != ERR_OK;
    }
    answer_close(answer);
    answer_open(answer); /* So that nothing waits in a pool. */
    err = ERR_NOMEM;
    for (size_t after = 0; err != ERR_OK; after++) {
        heap_failing_after(after);
        err = heap_read(answer->kv, &number);
        heap_failing_after(SIZE_MAX);
        assert_true(err == ERR_OK || err == ERR_NOMEM);
        failed += err != ERR_OK;
    }
    assert_true(failed >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"every_allocation_can_fail (mem)", every_allocation_can_fail, answer_setup_mem,
         answer_teardown, NULL},
        {"every_allocation_can_fail (lmdb)", every_allocation_can_fail, answer_setup_lmdb,
         answer_teardown, NULL},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
