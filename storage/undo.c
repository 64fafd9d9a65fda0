/* Value: log u32, first u64, last u64, time u64, words. */
#include "storage/undo.h"

#include <string.h>

#include "storage/ledger_state.h"

enum { UNDO_FIXED_SIZE = 28 };

enum err undo_tip(struct ledger_txn *txn, uint32_t *out_log, uint64_t *out_size)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row self;
    struct log_row log;
    enum err err = ledger_space(&snapshot, ledger_self_space(txn->ledger), &self);

    if (err == ERR_OK)
        err = log_table_now(txn, &self, ledger_device(txn->ledger), &log);
    if (err == ERR_OK) {
        *out_log = log.number;
        *out_size = log.tip.size;
    }
    return err;
}

static enum err undo_read(struct span key, struct span value, struct undo_row *out)
{
    size_t size = value.size - UNDO_FIXED_SIZE;

    if (key.size != 8 || value.size < UNDO_FIXED_SIZE || size > UNDO_WHAT_MAX)
        return ERR_CORRUPT;
    out->number = be64(key.data);
    out->log = be32(value.data);
    out->first = be64(value.data + 4);
    out->last = be64(value.data + 12);
    out->at_ms = be64(value.data + 20);
    memcpy(out->what, value.data + UNDO_FIXED_SIZE, size);
    out->what[size] = '\0';
    return ERR_OK;
}

enum err undo_last(const struct snapshot *snapshot, struct undo_row *out)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_UNDO, &cursor);

    if (err != ERR_OK)
        return err;
    err = kv_cursor_last(cursor);
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        err = undo_read(key, value, out);
    }
    kv_cursor_close(cursor);
    return err;
}

enum err undo_drop(struct ledger_txn *txn, const struct undo_row *row)
{
    struct key key;

    key_of_u64(row->number, &key);
    return ledger_erase(txn, TABLE_UNDO, &key);
}

enum err undo_push(struct ledger_txn *txn, const struct undo_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct undo_row last = {0}, oldest = {0};
    struct buf value = {0};
    struct key key;
    enum err err = undo_last(&snapshot, &last);

    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    key_of_u64(last.number + 1, &key);
    buf_u32(&value, row->log);
    buf_u64(&value, row->first);
    buf_u64(&value, row->last);
    buf_u64(&value, ledger_txn_now_ms(txn));
    buf_append(&value, span_str(row->what));
    err = buf_err(&value);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_UNDO, &key, buf_span(&value));
    buf_release(&value);
    if (err != ERR_OK || last.number < UNDO_ROWS_MAX)
        return err;
    oldest.number = last.number + 1 - UNDO_ROWS_MAX;
    err = undo_drop(txn, &oldest);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The newest of them that is older than before and ends so; or ERR_NOT_FOUND. */
static enum err undo_find(const struct snapshot *snapshot, struct span words, uint64_t before,
                          struct undo_row *out)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_UNDO, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_last(cursor); err == ERR_OK; err = kv_cursor_previous(cursor)) {
        size_t size;

        kv_cursor_at(cursor, &key, &value);
        err = undo_read(key, value, out);
        size = strlen(out->what);
        if (err != ERR_OK ||
            (out->number < before && size >= words.size &&
             span_is_equal(span_of(out->what + size - words.size, words.size), words)))
            break;
    }
    kv_cursor_close(cursor);
    return err;
}

enum err undo_forget(struct ledger_txn *txn, struct span words)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct undo_row row = {.number = UINT64_MAX};
    enum err err;

    while ((err = undo_find(&snapshot, words, row.number, &row)) == ERR_OK)
        if ((err = undo_drop(txn, &row)) != ERR_OK)
            return err;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
