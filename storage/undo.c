/* Value: log u32, first u64, last u64, time u64, words, 0, act u64, 1. Older rows have seq for
 * first and last, and lack the 1; those of a first step end with the words. */
#include "storage/undo.h"

#include <string.h>

#include "storage/ledger_state.h"

enum { UNDO_FIXED_SIZE = 28, UNDO_OLD_STEP_SIZE = 9, UNDO_TAIL_SIZE = 10, UNDO_BY_ARRIVAL = 1 };

uint64_t undo_mark(const struct ledger_txn *txn)
{
    return txn->counters.arrival;
}

/* The first entry of a log on the way from one arrival to another, either way. */
static enum err undo_seek(const struct snapshot *snapshot, uint32_t log, uint64_t from, uint64_t to,
                          uint64_t *out)
{
    for (uint64_t at = from;; at += from < to ? 1 : UINT64_MAX) {
        struct entry_row entry;
        enum err err = ledger_entry(snapshot, at, &entry);

        *out = at;
        if (err == ERR_OK && entry.log == log)
            return ERR_OK;
        if (err != ERR_OK && err != ERR_NOT_FOUND)
            return err;
        if (at == to)
            return ERR_NOT_FOUND;
    }
}

enum err undo_since(struct ledger_txn *txn, uint64_t mark, struct undo_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row self;
    struct log_row log;
    enum err err = ledger_space(&snapshot, ledger_self_space(txn->ledger), &self);

    if (err == ERR_OK)
        err = log_table_now(txn, &self, ledger_device(txn->ledger), &log);
    if (err != ERR_OK || txn->counters.arrival == mark)
        return err != ERR_OK ? err : ERR_NOT_FOUND;
    row->log = log.number;
    row->is_by_seq = false;
    err = undo_seek(&snapshot, log.number, mark + 1, txn->counters.arrival, &row->first);
    if (err == ERR_OK)
        err = undo_seek(&snapshot, log.number, txn->counters.arrival, row->first, &row->last);
    return err;
}

/* What follows the words. */
static enum err undo_read_tail(struct span tail, struct undo_row *out)
{
    out->act = out->number;
    out->is_by_seq = tail.size != UNDO_TAIL_SIZE;
    if (tail.size == 0)
        return ERR_OK;
    if (tail.size != UNDO_OLD_STEP_SIZE &&
        (tail.size != UNDO_TAIL_SIZE || tail.data[UNDO_TAIL_SIZE - 1] != UNDO_BY_ARRIVAL))
        return ERR_CORRUPT;
    out->act = be64(tail.data + 1);
    return ERR_OK;
}

static enum err undo_read(struct span key, struct span value, struct undo_row *out)
{
    size_t size = 0;

    if (key.size != 8 || value.size < UNDO_FIXED_SIZE)
        return ERR_CORRUPT;
    while (UNDO_FIXED_SIZE + size < value.size && value.data[UNDO_FIXED_SIZE + size] != 0)
        size++;
    if (size > UNDO_WHAT_MAX)
        return ERR_CORRUPT;
    out->number = be64(key.data);
    out->log = be32(value.data);
    out->first = be64(value.data + 4);
    out->last = be64(value.data + 12);
    out->at_ms = be64(value.data + 20);
    memcpy(out->what, value.data + UNDO_FIXED_SIZE, size);
    out->what[size] = '\0';
    size += UNDO_FIXED_SIZE;
    return undo_read_tail(span_of(value.data + size, value.size - size), out);
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
    buf_byte(&value, 0);
    buf_u64(&value, row->act);
    buf_byte(&value, UNDO_BY_ARRIVAL);
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

/* Its entries. */

struct undo_cuts {
    size_t count;
    uint64_t arrival;
};

static enum err undo_on_cut(void *self, struct span key, struct span value)
{
    struct undo_cuts *cuts = self;

    (void)key;
    if (value.size != 8)
        return ERR_CORRUPT;
    cuts->count++;
    cuts->arrival = be64(value.data);
    return ERR_OK;
}

/* The only entry that ever lay there. Entries are cut from a log and join it, and none is lost on
 * the way; where there are several, the place does not say which of them the act wrote. */
static enum err undo_entry_at(const struct snapshot *snapshot, uint32_t log, uint64_t seq,
                              struct entry_row *out)
{
    struct undo_cuts cuts = {0};
    struct key key;
    enum err err, in_log = ledger_entry_at(snapshot, log, seq, out);

    key_of_u32(log, &key);
    key_add_u64(&key, seq);
    err = ledger_each(snapshot, TABLE_CUT, key_span(&key), undo_on_cut, &cuts);
    if (err != ERR_OK || cuts.count == 0)
        return err != ERR_OK ? err : in_log;
    if (cuts.count > 1 || in_log == ERR_OK)
        return ERR_STATE;
    return in_log == ERR_NOT_FOUND ? ledger_entry(snapshot, cuts.arrival, out) : in_log;
}

enum err undo_check(const struct snapshot *snapshot, const struct undo_row *row)
{
    struct entry_row entry;
    enum err err = ERR_OK;

    for (uint64_t seq = row->first; row->is_by_seq && seq <= row->last && err == ERR_OK; seq++) {
        err = undo_entry_at(snapshot, row->log, seq, &entry);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err;
}

enum err undo_entry(const struct snapshot *snapshot, const struct undo_row *row, uint64_t number,
                    struct entry_row *out)
{
    enum err err;

    if (row->is_by_seq)
        return undo_entry_at(snapshot, row->log, number, out);
    err = ledger_entry(snapshot, number, out);
    return err == ERR_OK && out->log != row->log ? ERR_NOT_FOUND : err;
}

bool undo_wrote(const struct undo_row *row, const struct entry_row *entry)
{
    uint64_t number = row->is_by_seq ? entry->seq : entry->arrival;

    return entry->log == row->log && number >= row->first && number <= row->last;
}

/* Forgetting. */

/* Does the act name somebody, and did it write one of these entries? */
static bool undo_is_about(const struct undo_row *row, const struct undo_place *places, size_t count)
{
    if (strchr(row->what, ' ') == NULL)
        return false;
    for (size_t at = 0; at < count; at++) {
        const struct entry_row entry = {
            .log = places[at].log, .seq = places[at].seq, .arrival = places[at].arrival};

        if (undo_wrote(row, &entry))
            return true;
    }
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
