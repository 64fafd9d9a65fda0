/* Two tables beside the entries: which payloads are missing, and which a forget names. */
#include "storage/absent.h"

#include <string.h>

#include "crypto/heap.h"
#include "proto/limits.h"
#include "storage/expiry.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/running.h"
#include "storage/view_restate.h"

static void absent_key(uint32_t log, uint64_t seq, struct key *out)
{
    key_of_u32(log, out);
    key_add_u64(out, seq);
}

/* Size, and since when by running time; a row of before has the size alone. */
enum { ABSENT_OLD_SIZE = 4, ABSENT_SIZE = 4 + 8 };

enum err absent_note(struct ledger_txn *txn, uint32_t log, uint64_t seq, uint32_t payload_size)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t since_ms = 0;
    uint8_t row[ABSENT_SIZE];
    struct key key;
    enum err err = running_ms(&snapshot, &since_ms);

    be32_put(row, payload_size);
    be64_put(row + 4, since_ms);
    absent_key(log, seq, &key);
    return err == ERR_OK ? ledger_put(txn, TABLE_ABSENT, &key, span_of(row, sizeof row)) : err;
}

enum err absent_read_size(struct span row, uint32_t *out)
{
    *out = row.size >= ABSENT_OLD_SIZE ? be32(row.data) : 0;
    return row.size == ABSENT_OLD_SIZE || row.size == ABSENT_SIZE ? ERR_OK : ERR_CORRUPT;
}

enum err absent_drop(struct ledger_txn *txn, uint64_t arrival)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct entry_row row;
    enum err err = ledger_entry(&snapshot, arrival, &row);

    if (err != ERR_OK || row.entry.payload.size == 0)
        return err;
    entry_hash_payload(&row.entry);
    row.entry.payload = span_of(NULL, 0);
    err = log_table_put_entry(txn, row.arrival, row.log, row.seq, &row.entry,
                              row.is_cut ? &row.epoch : NULL);
    /* What is cut is asked for by nobody, and takes no room. */
    return err == ERR_OK && !row.is_cut
               ? absent_note(txn, row.log, row.seq, row.entry.header.payload_size)
               : err;
}

/* Rows of what forgets name: nothing in them, or one byte for what is a forget itself. */

static void absent_hash_key(uint32_t space, const struct hash *payload, struct key *out)
{
    key_of_u32(space, out);
    key_add_bytes(out, span_of(payload->bytes, HASH_SIZE));
}

enum err absent_forgive(struct ledger_txn *txn, uint32_t space, const struct hash *payload,
                        enum absent_naming naming)
{
    static const uint8_t stays = 1;
    struct key key;

    absent_hash_key(space, payload, &key);
    return ledger_put(txn, TABLE_FORGOTTEN, &key, span_of(&stays, naming == ABSENT_STAYS ? 1 : 0));
}

enum absent_naming absent_naming_of(const struct snapshot *snapshot, uint32_t space,
                                    const struct hash *payload)
{
    struct span value;
    struct key key;

    absent_hash_key(space, payload, &key);
    if (ledger_get(snapshot, TABLE_FORGOTTEN, &key, &value) != ERR_OK)
        return ABSENT_UNNAMED;
    return value.size == 0 ? ABSENT_NAMED : ABSENT_STAYS;
}

enum err absent_has_forgiven(const struct snapshot *snapshot, uint32_t space, bool *out)
{
    struct key prefix;
    size_t count = 0;
    enum err err;

    key_of_u32(space, &prefix);
    err = ledger_count_rows(snapshot, TABLE_FORGOTTEN, key_span(&prefix), 1, &count);
    *out = count > 0;
    return err;
}

/* A walk over the missing payloads of one log behind a size. */
typedef enum err (*absent_row_fn)(void *self, uint64_t seq, struct span value);

static enum err absent_walk(const struct snapshot *snapshot, uint32_t log, uint64_t size,
                            absent_row_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span at, value;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_ABSENT, &cursor);

    if (err != ERR_OK)
        return err;
    absent_key(log, size + 1, &key);
    for (err = kv_cursor_seek(cursor, key_span(&key)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &at, &value);
        if (at.size != 12 || be32(at.data) != log)
            break;
        err = each(self, be64(at.data + 4), value);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err absent_on_any(void *self, uint64_t seq, struct span value)
{
    (void)seq;
    (void)value;
    *(bool *)self = true;
    return ERR_CANCELLED;
}

static enum err absent_sum(void *self, uint64_t seq, struct span value)
{
    struct absent_total *total = self;
    uint32_t size;
    enum err err = absent_read_size(value, &size);

    (void)seq;
    total->entries++;
    total->bytes += size;
    return err;
}

enum err absent_total(const struct snapshot *snapshot, uint32_t log, struct absent_total *out)
{
    *out = (struct absent_total){0};
    return absent_walk(snapshot, log, 0, absent_sum, out);
}

enum err absent_bytes(const struct snapshot *snapshot, uint32_t log, uint64_t size, uint64_t *out)
{
    struct absent_total total = {0};
    enum err err = absent_walk(snapshot, log, size, absent_sum, &total);

    *out = total.bytes;
    return err;
}

/* What is wanted. */

struct absent_look {
    const struct snapshot *snapshot;
    const struct log_row *log;
    const struct view_restate *restate;
    const uint64_t *now_ms; /* running time: those of the last days alone; NULL: all */
    absent_fn each;
    void *self;
};

/* A row of before says nothing of it. */
static bool absent_is_late(struct span row, uint64_t now_ms)
{
    const uint64_t wait_ms = (uint64_t)RETURN_WAIT_DAYS * RUNNING_DAY_MS;

    return row.size != ABSENT_SIZE || now_ms >= be64(row.data + 4) + wait_ms;
}

static enum err absent_judge(void *self, uint64_t seq, struct span value)
{
    const struct absent_look *look = self;
    struct entry_row row;
    enum err err;

    if (seq <= view_restate_covered(look->restate, look->log->number) ||
        (look->now_ms != NULL && absent_is_late(value, *look->now_ms)))
        return ERR_OK;
    err = ledger_entry_at(look->snapshot, look->log->number, seq, &row);
    if (err != ERR_OK || expiry_is_over(look->snapshot, &row))
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (row.entry.header.epoch_index > 0 &&
        absent_naming_of(look->snapshot, look->log->space, &row.entry.header.payload_hash) ==
            ABSENT_NAMED)
        return ERR_OK;
    return look->each(look->self, seq);
}

/* PROTOCOL ABSENT-1: "A payload may be missing where a forget names its entry, where its expiry has
 * passed, or where the restatement that counts covers it." */
static enum err absent_look_all(struct absent_look *look, uint64_t after)
{
    bool has_any = false;
    enum err found = absent_walk(look->snapshot, look->log->number, after, absent_on_any, &has_any);
    struct view_restate *restate = has_any ? heap_new(sizeof *restate) : NULL;
    enum err err;

    if (!has_any)
        return found;
    look->restate = restate;
    err =
        restate != NULL ? view_restate_load(look->snapshot, look->log->space, restate) : ERR_NOMEM;
    if (err == ERR_OK)
        err = absent_walk(look->snapshot, look->log->number, after, absent_judge, look);
    heap_free(restate);
    return err;
}

enum err absent_each_wanted(const struct snapshot *snapshot, const struct log_row *log,
                            uint64_t after, absent_fn each, void *self)
{
    struct absent_look look = {.snapshot = snapshot, .log = log, .each = each, .self = self};

    return absent_look_all(&look, after);
}

static enum err absent_on_awaited(void *self, uint64_t seq)
{
    (void)seq;
    *(bool *)self = true;
    return ERR_CANCELLED;
}

enum err absent_is_awaited(const struct snapshot *snapshot, const struct log_row *log, bool *out)
{
    uint64_t now_ms = 0;
    struct absent_look look = {.snapshot = snapshot,
                               .log = log,
                               .now_ms = &now_ms,
                               .each = absent_on_awaited,
                               .self = out};
    enum err err = running_ms(snapshot, &now_ms);

    *out = false;
    if (err == ERR_OK)
        err = absent_look_all(&look, 0);
    return err == ERR_CANCELLED ? ERR_OK : err;
}

enum err absent_fill(struct ledger_txn *txn, const struct log_id *log, uint64_t seq,
                     struct span payload)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct entry_row row;
    struct entry filled = {.payload = payload};
    struct log_row about;
    struct key key;
    enum err err = ledger_log(&snapshot, log, &about);

    if (err == ERR_OK)
        err = ledger_entry_at(&snapshot, about.number, seq, &row);
    if (err == ERR_OK && row.entry.payload.size > 0)
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        return err;
    entry_hash_payload(&filled);
    if (filled.header.payload_size != row.entry.header.payload_size ||
        memcmp(filled.header.payload_hash.bytes, row.entry.header.payload_hash.bytes, HASH_SIZE) !=
            0)
        return ERR_FORGED;
    row.entry.payload = payload;
    err = log_table_put_entry(txn, row.arrival, row.log, row.seq, &row.entry,
                              row.is_cut ? &row.epoch : NULL);
    absent_key(about.number, seq, &key);
    if (err == ERR_OK)
        err = ledger_erase(txn, TABLE_ABSENT, &key);
    return err == ERR_OK ? follow_later(txn, row.arrival) : err;
}
