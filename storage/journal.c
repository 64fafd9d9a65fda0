/* Rows are time, then four texts of a 16-bit size each, under ever growing numbers. */
#include "storage/journal.h"

#include "storage/ledger_state.h"

enum { JOURNAL_TEXT_MAX = 1000 };

static void journal_put_text(struct buf *row, struct span text)
{
    size_t size = text.size < JOURNAL_TEXT_MAX ? text.size : JOURNAL_TEXT_MAX;

    buf_u16(row, (uint16_t)size);
    buf_append(row, span_of(text.data, size));
}

/* The number of the first and the last row; 0 when there is none. */
static enum err journal_range(struct kv_txn *kv, uint64_t *out_first, uint64_t *out_last)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(kv, TABLE_JOURNAL, &cursor);

    *out_first = *out_last = 0;
    if (err != ERR_OK)
        return err;
    err = kv_cursor_seek(cursor, span_of(NULL, 0));
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        *out_first = key.size == 8 ? be64(key.data) : 0;
        err = kv_cursor_last(cursor);
    }
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key, &value);
        *out_last = key.size == 8 ? be64(key.data) : 0;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err journal_add(struct ledger_txn *txn, const struct journal_row *row)
{
    struct buf bytes = {0};
    uint64_t first, last;
    struct key key;
    enum err err = journal_range(txn->kv, &first, &last);

    if (err == ERR_OK && last > 0 && last - first + 1 >= JOURNAL_ROWS_MAX) {
        key_of_u64(first, &key);
        err = ledger_erase(txn, TABLE_JOURNAL, &key);
    }
    buf_u64(&bytes, row->at_ms);
    journal_put_text(&bytes, row->kind);
    journal_put_text(&bytes, row->who);
    journal_put_text(&bytes, row->text);
    journal_put_text(&bytes, row->ref);
    if (err == ERR_OK)
        err = buf_err(&bytes);
    key_of_u64(last + 1, &key);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_JOURNAL, &key, buf_span(&bytes));
    buf_release(&bytes);
    return err;
}

static enum err journal_take_text(struct span *rest, struct span *out)
{
    size_t size;

    if (rest->size < 2)
        return ERR_CORRUPT;
    size = be16(rest->data);
    if (rest->size - 2 < size)
        return ERR_CORRUPT;
    *out = span_of(rest->data + 2, size);
    *rest = span_of(rest->data + 2 + size, rest->size - 2 - size);
    return ERR_OK;
}

static enum err journal_read(struct span key, struct span value, struct journal_row *out)
{
    struct span rest;
    enum err err;

    if (key.size != 8 || value.size < 8)
        return ERR_CORRUPT;
    out->number = be64(key.data);
    out->at_ms = be64(value.data);
    rest = span_of(value.data + 8, value.size - 8);
    err = journal_take_text(&rest, &out->kind);
    if (err == ERR_OK)
        err = journal_take_text(&rest, &out->who);
    if (err == ERR_OK)
        err = journal_take_text(&rest, &out->text);
    if (err == ERR_OK)
        err = journal_take_text(&rest, &out->ref);
    return err;
}

enum err journal_each(const struct snapshot *snapshot, uint64_t after, journal_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct journal_row row;
    struct span at, value;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_JOURNAL, &cursor);

    if (err != ERR_OK)
        return err;
    key_of_u64(after + 1, &key);
    for (err = kv_cursor_seek(cursor, key_span(&key)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &at, &value);
        err = journal_read(at, value, &row);
        if (err == ERR_OK)
            err = each(self, &row);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
