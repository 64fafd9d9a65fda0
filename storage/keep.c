/*
 * Entries keep their arrival numbers whatever log they belong to: cutting and joining rewrite the
 * rows of entries, never what was merged from them. Read keep_apply first.
 */
#include "storage/keep.h"

#include <string.h>

#include "crypto/heap.h"
#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/agenda.h"
#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/return_table.h"
#include "storage/space.h"
#include "storage/standing.h"
#include "storage/view_restate.h"

enum { KEEP_STEPS_MAX = 1 << 16 /* batches of one branch among the returns */ };

static bool keep_is_hash(const struct hash *left, const struct hash *right)
{
    return span_is_equal(span_of(left->bytes, HASH_SIZE), span_of(right->bytes, HASH_SIZE));
}

static struct log_id keep_log_id(const struct space_row *space, const struct public_key *device)
{
    return (struct log_id){.space = space->id, .device = *device};
}

enum err keep_is_on(const struct snapshot *snapshot, const struct log_row *log,
                    const struct log_id *id, uint64_t size, const struct hash *hash, bool *out)
{
    struct chain chain;
    enum err err;

    *out = size == 0;
    if (size == 0 || size > log->tip.size)
        return ERR_OK;
    err = ledger_chain_at(snapshot, log, id, size, &chain);
    *out = err == ERR_OK && keep_is_hash(&chain.hash, hash);
    return err;
}

/* What its log loses stands in no log's order any more and counts for itself, and what joins it no
 * longer does: PROTOCOL MERGE-4. The objects cannot tell that themselves: a delete names not all
 * that was ever written of one. Of a stolen device it says nothing: STOLEN-1. */
enum err keep_follow(struct ledger_txn *txn, const struct ledger_touched *log)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    enum standing standing;
    enum err err = standing_of(&snapshot, &log->id.device, &standing);

    if (err == ERR_OK)
        err = ledger_space(&snapshot, &log->id.space, &space);
    if (err == ERR_OK && standing >= STANDING_STOLEN) /* What it said of others counts as far. */
        err = agenda_put(txn, AGENDA_NOW, KIND_CERTIFICATE, span_of(space.writer.bytes, 32));
    return err == ERR_OK ? follow_space_again(txn, space.number) : err;
}

/* Cutting. */

/* Erases the rows of a table whose keys are log and a number above limit. */
static enum err keep_drop(struct ledger_txn *txn, enum table table, uint32_t log, uint64_t limit,
                          bool is_narrow)
{
    for (;;) {
        struct kv_cursor *cursor;
        struct span at, value;
        struct key key;
        enum err err = kv_cursor_open(txn->kv, table, &cursor);

        if (err != ERR_OK)
            return err;
        key_of_u32(log, &key);
        if (is_narrow)
            key_add_u32(&key, (uint32_t)limit + 1);
        else
            key_add_u64(&key, limit + 1);
        err = kv_cursor_seek(cursor, key_span(&key));
        if (err == ERR_OK) {
            kv_cursor_at(cursor, &at, &value);
            if (be32(at.data) != log)
                err = ERR_NOT_FOUND;
            else
                key_of_bytes(at, &key);
        }
        kv_cursor_close(cursor);
        if (err == ERR_OK)
            err = ledger_erase(txn, table, &key);
        if (err != ERR_OK)
            return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
}

/* One entry leaves its log. */
static enum err keep_cut_entry(struct ledger_txn *txn, const struct ledger_touched *log,
                               struct chain *chain, struct return_row *row, bool *out_is_end)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct entry_row entry;
    struct hash epoch = {{0}};
    struct buf payload = {0};
    enum err err = ledger_entry_at(&snapshot, log->row.number, chain->size + 1, &entry);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    if (entry.entry.header.epoch_index > 0) {
        err =
            epoch_table_of_log(&snapshot, log->row.number, entry.entry.header.epoch_index, &epoch);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    if (entry.entry.payload.size > 0) {
        buf_append(&payload, entry.entry.payload);
        entry.entry.payload = buf_span(&payload);
        entry_hash_payload(&entry.entry);
    }
    if (err == ERR_OK)
        err = buf_err(&payload);
    if (err == ERR_OK)
        err = log_table_put_entry(txn, entry.arrival, log->row.number, entry.seq, &entry.entry,
                                  &epoch);
    if (err == ERR_OK)
        err = return_table_put_cut(
            txn, &(struct return_cut){log->row.number, entry.seq, entry.entry.header.payload_hash},
            entry.arrival);
    buf_release(&payload);
    *out_is_end = chain_extend(chain, &entry.entry.header);
    row->arrivals[row->count++] = entry.arrival;
    return err;
}

/* One batch leaves its log: to its block's end, or to the tip. */
static enum err keep_cut_batch(struct ledger_txn *txn, const struct ledger_touched *log,
                               struct chain *chain)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct return_row row = {.start_size = chain->size, .start_hash = chain->hash};
    bool is_end = false;
    struct head head;
    enum err err = ERR_OK;

    while (err == ERR_OK && !is_end && chain->size < log->row.tip.size)
        err = keep_cut_entry(txn, log, chain, &row, &is_end);
    if (err != ERR_OK)
        return err;
    memcpy(row.signature, log->row.head_signature, SIGNATURE_SIZE);
    if (chain->size < log->row.tip.size) {
        err = log_table_head(&snapshot, log->row.number, chain->size, &head);
        memcpy(row.signature, head.signature, SIGNATURE_SIZE);
    }
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    return return_table_put(txn, log->row.space, &log->row.device, &chain->hash, &row);
}

/* How many of the entries beyond size took an index for an epoch. */
static enum err keep_count_epochs(const struct snapshot *snapshot, const struct log_row *log,
                                  uint64_t size, uint32_t *out)
{
    enum err err = ERR_OK;

    *out = 0;
    for (uint64_t seq = size + 1; err == ERR_OK && seq <= log->tip.size; seq++) {
        struct entry_row entry;

        err = ledger_entry_at(snapshot, log->number, seq, &entry);
        *out +=
            err == ERR_OK && entry.entry.header.epoch_index == 0 && entry.entry.payload.size > 0;
    }
    return err;
}

/* What this transaction has appended is closed by a head before it is cut away. */
static enum err keep_close(struct ledger_txn *txn, struct ledger_touched *log)
{
    struct head head;
    enum err err;

    if (!log->is_own || !log->must_sign)
        return ERR_OK;
    err = head_sign(ledger_signing_key(txn->ledger), &log->id, &log->row.tip, &head);
    if (err == ERR_OK)
        memcpy(log->row.head_signature, head.signature, SIGNATURE_SIZE);
    return err;
}

/* PROTOCOL BEGIN-4: "A log that must be cut below its start becomes returns as far as it is held,
 * and begins anew." Out: where it is cut, and where what leaves it begins. */
static enum err keep_find_cut(const struct snapshot *snapshot, const struct ledger_touched *log,
                              uint64_t *in_out_size, struct chain *out, struct chain *out_first)
{
    bool is_anew = *in_out_size < log->row.start;
    enum err err;

    if (is_anew)
        *in_out_size = 0;
    err = ledger_chain_at(snapshot, &log->row, &log->id, *in_out_size, out);
    *out_first = *out;
    if (err == ERR_OK && is_anew)
        err = ledger_chain_at(snapshot, &log->row, &log->id, log->row.start, out_first);
    return err;
}

enum err keep_unsettle(struct ledger_txn *txn, const struct id *id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    enum err err = ledger_space(&snapshot, id, &space);

    return err == ERR_OK ? space_unsettle(txn, &space) : err;
}

/* signature is the head at size where no block ends there. */
static enum err keep_cut(struct ledger_txn *txn, struct ledger_touched *log, uint64_t size,
                         const uint8_t *signature)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct chain chain, end;
    struct head head = {.size = 0};
    uint64_t bytes = 0;
    uint32_t epochs = 0;
    enum err err = keep_close(txn, log);

    if (err == ERR_OK)
        err = keep_find_cut(&snapshot, log, &size, &chain, &end);
    if (err == ERR_OK)
        err = ledger_bytes_at(&snapshot, &log->row, end.size, &bytes);
    if (err == ERR_OK)
        err = keep_count_epochs(&snapshot, &log->row, end.size, &epochs);
    if (err == ERR_OK && size < end.size)
        epochs = log->row.epochs_count;
    if (err == ERR_OK && signature == NULL && size > 0)
        err = log_table_head(&snapshot, log->row.number, size, &head);
    while (err == ERR_OK && end.size < log->row.tip.size)
        err = keep_cut_batch(txn, log, &end);
    if (err == ERR_OK)
        err = keep_drop(txn, TABLE_HEAD, log->row.number, size, false);
    if (err == ERR_OK)
        err = keep_drop(txn, TABLE_RUN, log->row.number, size, false);
    if (err == ERR_OK) /* What is cut is asked for by nobody, and takes no room. */
        err = keep_drop(txn, TABLE_ABSENT, log->row.number, size, false);
    if (err == ERR_OK)
        err =
            keep_drop(txn, TABLE_LOG_EPOCH, log->row.number, log->row.epochs_count - epochs, true);
    if (err == ERR_OK && epochs > 0)
        err = keep_unsettle(txn, &log->id.space);
    if (err != ERR_OK)
        return err;
    log->row.tip = chain;
    log->row.start = size < log->row.start ? 0 : log->row.start;
    log->row.cuts++;
    log->row.payload_bytes = bytes;
    log->row.epochs_count -= epochs;
    memcpy(log->row.head_signature, signature != NULL && size > 0 ? signature : head.signature,
           SIGNATURE_SIZE);
    log->must_sign = false;
    txn->counters.last_log = 0; /* The next entry begins a run. */
    txn->must_rotate |= epochs > 0;
    err = keep_follow(txn, log);
    if (err != ERR_OK)
        return err;
    ledger_note_news(txn, &log->id.space);
    return ERR_OK;
}

/* Joining. */

/* What was cut is merged under the epoch it was told to be of: where that was not known, or the log
 * now says another one, it is merged once more. */
static enum err keep_join_epoch(struct ledger_txn *txn, const struct ledger_touched *log,
                                const struct entry_header *header, const struct hash *told,
                                uint64_t arrival)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct hash epoch;
    enum err err = ERR_NOT_FOUND;

    if (header->epoch_index > 0)
        err = epoch_table_of_log(&snapshot, log->row.number, header->epoch_index, &epoch);
    if (err == ERR_OK && !keep_is_hash(&epoch, told))
        err = follow_later(txn, arrival);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err keep_join_entry(struct ledger_txn *txn, struct ledger_touched *log,
                                uint64_t arrival, uint64_t *last, bool *out_is_end)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t seq = log->row.tip.size + 1;
    struct buf payload = {0};
    struct entry_row entry;
    enum err err = ledger_entry(&snapshot, arrival, &entry);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    if (entry.entry.payload.size > 0) {
        buf_append(&payload, entry.entry.payload);
        entry.entry.payload = buf_span(&payload);
        entry_hash_payload(&entry.entry);
    }
    err = buf_err(&payload);
    if (err == ERR_OK)
        err = log_table_put_entry(txn, arrival, log->row.number, seq, &entry.entry, NULL);
    if (err == ERR_OK && arrival != *last + 1)
        err = log_table_put_run(txn, log->row.number, seq, arrival);
    if (err == ERR_OK)
        err = return_table_drop_cut(
            txn, &(struct return_cut){log->row.number, seq, entry.entry.header.payload_hash});
    *last = arrival;
    *out_is_end = chain_extend(&log->row.tip, &entry.entry.header);
    log->row.payload_bytes += entry.entry.header.payload_size;
    if (err == ERR_OK && entry.entry.payload.size == 0)
        err = absent_note(txn, log->row.number, seq, entry.entry.header.payload_size);
    if (err == ERR_OK && entry.entry.header.epoch_index == 0 && entry.entry.payload.size > 0)
        err = epoch_table_add_entry(txn, log, entry.entry.payload);
    if (err == ERR_OK)
        err = keep_join_epoch(txn, log, &entry.entry.header, &entry.epoch, arrival);
    buf_release(&payload);
    return err;
}

static enum err keep_join_batch(struct ledger_txn *txn, struct ledger_touched *log,
                                const struct hash *end_hash, uint64_t *last)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct return_row row;
    bool is_end = false;
    struct head head;
    enum err err = return_table_get(&snapshot, log->row.space, &log->row.device, end_hash, &row);

    for (size_t at = 0; err == ERR_OK && at < row.count; at++)
        err = keep_join_entry(txn, log, row.arrivals[at], last, &is_end);
    if (err != ERR_OK)
        return err;
    if (!keep_is_hash(&log->row.tip.hash, end_hash))
        return ERR_CORRUPT;
    memcpy(log->row.head_signature, row.signature, SIGNATURE_SIZE);
    head = (struct head){.size = log->row.tip.size, .hash = log->row.tip.hash};
    memcpy(head.signature, row.signature, SIGNATURE_SIZE);
    if (is_end)
        err = log_table_put_head(txn, &log->row, &head);
    return err == ERR_OK ? return_table_drop(txn, log->row.space, &log->row.device, end_hash) : err;
}

enum err keep_path(const struct snapshot *snapshot, const struct log_row *log,
                   const struct log_id *id, const struct hash *to, struct buf *out_ends,
                   uint64_t *out_base)
{
    struct hash at = *to;

    for (size_t step = 0; step < KEEP_STEPS_MAX; step++) {
        struct return_row row;
        bool is_on = false;
        enum err err = return_table_get(snapshot, log->space, &log->device, &at, &row);

        if (err == ERR_OK)
            err = keep_is_on(snapshot, log, id, row.start_size, &row.start_hash, &is_on);
        if (err != ERR_OK)
            return err;
        buf_append(out_ends, span_of(at.bytes, HASH_SIZE));
        if (buf_err(out_ends) != ERR_OK)
            return ERR_NOMEM;
        *out_base = row.start_size;
        if (is_on)
            return ERR_OK;
        at = row.start_hash;
    }
    return ERR_NOT_FOUND;
}

static enum err keep_join(struct ledger_txn *txn, const struct space_row *space,
                          const struct public_key *device, const struct buf *ends, uint64_t base)
{
    static const uint8_t unsigned_yet[SIGNATURE_SIZE]; /* It goes on at once. */
    struct ledger_touched *log;
    uint64_t last = UINT64_MAX - 1;
    enum err err = log_table_touch(txn, space, device, &log);

    if (err == ERR_OK && base < log->row.tip.size)
        err = keep_cut(txn, log, base, unsigned_yet);
    for (size_t at = ends->size / HASH_SIZE; err == ERR_OK && at > 0; at--) {
        struct hash end;

        memcpy(end.bytes, ends->data + (at - 1) * HASH_SIZE, HASH_SIZE);
        err = keep_join_batch(txn, log, &end, &last);
    }
    txn->counters.last_log = 0;
    if (err == ERR_OK)
        ledger_note_news(txn, &space->id);
    return err == ERR_OK ? keep_follow(txn, log) : err;
}

/* Deciding. */

static enum err keep_go(struct ledger_txn *txn, const struct space_row *space,
                        const struct keep *keep, const struct log_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct log_id id = keep_log_id(space, &keep->device);
    struct ledger_touched *log;
    struct buf ends = {0};
    uint64_t base = 0;
    bool is_on = false;
    enum err err = keep_is_on(&snapshot, row, &id, keep->size, &keep->hash, &is_on);

    if (err == ERR_OK && is_on) {
        if (row->tip.size <= keep->size)
            return ERR_OK;
        err = log_table_touch(txn, space, &keep->device, &log);
        return err == ERR_OK ? keep_cut(txn, log, keep->size, keep->signature) : err;
    }
    if (err == ERR_OK)
        err = keep_path(&snapshot, row, &id, &keep->hash, &ends, &base);
    if (err == ERR_OK) {
        err = keep_join(txn, space, &keep->device, &ends, base);
        err = err == ERR_NOT_FOUND ? ERR_CORRUPT : err; /* Half of it is done. */
    }
    buf_release(&ends);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* A log begins behind what a restatement covers, and no later. */
static enum err keep_begin_anew(struct ledger_txn *txn, const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_restate *restate = heap_new(sizeof *restate);
    enum err err =
        restate != NULL ? view_restate_load(&snapshot, space->number, restate) : ERR_NOMEM;

    for (uint32_t number = 1; err == ERR_OK && number <= txn->counters.logs; number++) {
        struct ledger_touched *log;
        struct log_row row;

        err = ledger_log_numbered(&snapshot, number, &row);
        if (err != ERR_OK || row.space != space->number)
            continue;
        err = log_table_touch(txn, space, &row.device, &log);
        if (err == ERR_OK && log->row.start > view_restate_covered(restate, number))
            err = keep_cut(txn, log, 0, NULL);
    }
    heap_free(restate);
    return err;
}

/* PROTOCOL RESTATE-9: "A restatement that was cut from its log does not count." */
static enum err keep_look_at_restatement(struct ledger_txn *txn, const struct space_row *space)
{
    bool is_new = false;
    enum err err = ERR_OK;
    size_t looked;

    if (ledger_space_is_restated(space))
        err = view_restate_look(txn, space, NULL, &is_new, &looked);
    if (err == ERR_OK && is_new)
        err = follow_space_again(txn, space->number);
    return err == ERR_OK && is_new ? keep_begin_anew(txn, space) : err;
}

/* PROTOCOL RETIRE-6: "A retired log that has a keep is cut there, and its entries beyond become
 * returns; the log may end below. A retired log without a keep is frozen: it takes no entries and
 * loses none, but for what other devices of the reader's own member hold (FORK-4)." */
enum err keep_apply(struct ledger_txn *txn, const struct space_row *space,
                    const struct public_key *device)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct log_id id = keep_log_id(space, device);
    struct retire_state state;
    struct log_row row;
    struct keep keep;
    enum err err = retire_table_state(&snapshot, device, &state);

    if (err != ERR_OK || !state.is_retired)
        return err;
    err = retire_table_keep(&snapshot, space->number, device, &keep);
    if (err == ERR_OK)
        err = log_table_now(txn, space, device, &row);
    if (err == ERR_OK && row.number == 0) {
        uint32_t number; /* Returns may lead on from nothing. */

        err = ledger_log(&snapshot, &id, &row);
        if (err == ERR_NOT_FOUND)
            err = log_table_number(txn, space->number, device, &number);
        if (err == ERR_OK)
            err = log_table_now(txn, space, device, &row);
    }
    if (err == ERR_OK)
        err = keep_go(txn, space, &keep, &row);
    if (err == ERR_OK)
        err = keep_look_at_restatement(txn, space);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err keep_rebase(struct ledger_txn *txn, const struct log_id *id, uint64_t size)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct ledger_touched *log;
    struct space_row space;
    bool is_met = false;
    enum err err = ledger_space(&snapshot, &id->space, &space);

    if (err == ERR_OK)
        err = log_table_touch(txn, &space, &id->device, &log);
    if (err == ERR_OK) /* Another keep may count since this was asked for. */
        err = keep_is_met(&snapshot, &space, &id->device, &is_met);
    if (err == ERR_OK && (size >= log->row.tip.size || log->is_own || is_met))
        return ERR_OK;
    if (err == ERR_OK)
        err = log_table_block_end(&snapshot, log->row.number, size, &size);
    if (err == ERR_OK)
        err = keep_cut(txn, log, size, NULL);
    if (err == ERR_OK) /* What leads to it may lie among the returns. */
        err = keep_apply(txn, &space, &id->device);
    return err == ERR_OK ? keep_look_at_restatement(txn, &space) : err;
}

enum err keep_is_met(const struct snapshot *snapshot, const struct space_row *space,
                     const struct public_key *device, bool *out)
{
    struct log_id id = keep_log_id(space, device);
    struct log_row row;
    struct keep keep;
    enum err err = retire_table_keep(snapshot, space->number, device, &keep);

    *out = err == ERR_OK && keep.size == 0; /* Nothing counts, and nothing needs to be here. */
    if (err == ERR_OK && !*out)
        err = ledger_log(snapshot, &id, &row);
    if (err == ERR_OK && !*out)
        err = keep_is_on(snapshot, &row, &id, keep.size, &keep.hash, out);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct keep_best {
    const struct snapshot *snapshot;
    const struct log_row *log;
    const struct log_id *id;
    struct chain end;
    uint8_t signature[SIGNATURE_SIZE];
};

static enum err keep_on_return(void *self, const struct hash *end, const struct return_row *row)
{
    struct keep_best *best = self;
    uint64_t size = row->start_size + row->count, base;
    struct buf ends = {0};
    enum err err;

    if (size < best->end.size ||
        (size == best->end.size &&
         span_order(span_of(end->bytes, HASH_SIZE), span_of(best->end.hash.bytes, HASH_SIZE)) > 0))
        return ERR_OK;
    err = keep_path(best->snapshot, best->log, best->id, end, &ends, &base);
    buf_release(&ends);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    best->end = (struct chain){.size = size, .hash = *end};
    memcpy(best->signature, row->signature, SIGNATURE_SIZE);
    return ERR_OK;
}

enum err keep_longest_return(struct ledger_txn *txn, const struct space_row *space,
                             const struct public_key *device, struct chain *out,
                             uint8_t out_signature[static SIGNATURE_SIZE])
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct log_id id = keep_log_id(space, device);
    struct keep_best best = {.snapshot = &snapshot, .id = &id};
    struct log_row row;
    enum err err = log_table_now(txn, space, device, &row);

    best.log = &row;
    if (err == ERR_OK)
        err = return_table_each(&snapshot, space->number, device, keep_on_return, &best);
    if (err == ERR_OK && best.end.size == 0)
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        return err;
    *out = best.end;
    memcpy(out_signature, best.signature, SIGNATURE_SIZE);
    return ERR_OK;
}
