/* Value: log u32, first u64, last u64, time u64, words; for a further step 0 and the act u64. */
#include "storage/undo.h"

#include <string.h>

#include "storage/ledger_state.h"

enum { UNDO_FIXED_SIZE = 28, UNDO_ACT_SIZE = 9 };

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
    bool has_act;

    if (key.size != 8 || value.size < UNDO_FIXED_SIZE)
        return ERR_CORRUPT;
    has_act = size >= UNDO_ACT_SIZE && value.data[value.size - UNDO_ACT_SIZE] == 0;
    if (has_act)
        size -= UNDO_ACT_SIZE;
    if (size > UNDO_WHAT_MAX)
        return ERR_CORRUPT;
    out->number = be64(key.data);
    out->act = has_act ? be64(value.data + value.size - 8) : out->number;
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

enum err undo_push(struct ledger_txn *txn, struct undo_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct undo_row last = {0}, oldest = {0};
    struct buf value = {0};
    struct key key;
    enum err err = undo_last(&snapshot, &last);

    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    row->number = last.number + 1;
    row->at_ms = ledger_txn_now_ms(txn);
    if (row->act == 0)
        row->act = row->number;
    key_of_u64(row->number, &key);
    buf_u32(&value, row->log);
    buf_u64(&value, row->first);
    buf_u64(&value, row->last);
    buf_u64(&value, row->at_ms);
    buf_append(&value, span_str(row->what));
    if (row->act != row->number) {
        buf_byte(&value, 0);
        buf_u64(&value, row->act);
    }
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

enum err undo_step(const struct snapshot *snapshot, uint64_t act, struct undo_row *out)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_UNDO, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_last(cursor); err == ERR_OK; err = kv_cursor_previous(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        err = undo_read(key, value, out);
        if (err != ERR_OK || out->act == act)
            break;
    }
    kv_cursor_close(cursor);
    return err;
}

/* Forgetting. */

/* Does the act name somebody, and did it write one of these entries? */
static bool undo_is_about(const struct undo_row *row, const struct undo_place *places, size_t count)
{
    if (strchr(row->what, ' ') == NULL)
        return false;
    for (size_t at = 0; at < count; at++)
        if (places[at].log == row->log && places[at].seq >= row->first &&
            places[at].seq <= row->last)
            return true;
    return false;
}

static enum err undo_collect(const struct snapshot *snapshot, const struct undo_place *places,
                             size_t count, struct buf *numbers)
{
    struct kv_cursor *cursor;
    struct undo_row row;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_UNDO, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_last(cursor); err == ERR_OK; err = kv_cursor_previous(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        err = undo_read(key, value, &row);
        if (err != ERR_OK)
            break;
        if (undo_is_about(&row, places, count))
            buf_append(numbers, span_of(&row.number, sizeof row.number));
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? buf_err(numbers) : err;
}

enum err undo_forget(struct ledger_txn *txn, const struct undo_place *places, size_t count)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf numbers = {0};
    enum err err = undo_collect(&snapshot, places, count, &numbers);

    for (size_t at = 0; err == ERR_OK && at < numbers.size; at += sizeof(uint64_t)) {
        struct undo_row row;

        memcpy(&row.number, numbers.data + at, sizeof row.number);
        err = undo_drop(txn, &row);
    }
    buf_release(&numbers);
    return err;
}
