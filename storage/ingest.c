/* Entries come in: own ones are sealed and chained here, foreign ones arrive verified. */
#include <string.h>

#include "crypto/secret.h"
#include "proto/limits.h"
#include "storage/absent.h"
#include "storage/agenda.h"
#include "storage/expiry.h"
#include "storage/follow.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/return_table.h"
#include "storage/running.h"
#include "storage/space.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

/* Extends the log by an entry and stores both; at a block's end of an own log the head is signed at
 * once. */
/* What is over some day, and what came without its payload. */
static enum err ingest_note(struct ledger_txn *txn, const struct ledger_touched *log,
                            const struct entry *entry, uint64_t arrival)
{
    const struct entry_row row = {
        .arrival = arrival, .log = log->row.number, .seq = log->row.tip.size, .entry = *entry};

    if (entry->payload.size == 0)
        return absent_note(txn, row.log, row.seq, entry->header.payload_size);
    return expiry_note(txn, &row);
}

/* What was cut from its log and belongs to it again keeps its arrival number: it is there once. A
 * payload that is held stays, whether or not it came again; one that was lacking is looked at anew:
 * a forget may name it. */
static enum err ingest_rejoin(struct ledger_txn *txn, struct ledger_touched *log,
                              const struct return_cut *cut, const struct entry *entry,
                              uint64_t arrival)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct entry joined = *entry;
    struct entry_row held;
    struct buf payload = {0};
    enum err err = ledger_entry(&snapshot, arrival, &held);
    bool is_late = err == ERR_OK && held.entry.payload.size == 0 && entry->payload.size > 0;

    if (err == ERR_OK && held.entry.payload.size > 0) {
        buf_append(&payload, held.entry.payload);
        joined.payload = buf_span(&payload);
        err = buf_err(&payload);
    }
    if (err == ERR_OK)
        err = log_table_put_entry(txn, arrival, cut->log, cut->seq, &joined, NULL);
    if (err == ERR_OK)
        err = log_table_put_run(txn, cut->log, cut->seq, arrival);
    if (err == ERR_OK)
        err = return_table_drop_cut(txn, cut);
    if (err == ERR_OK)
        err = ingest_note(txn, log, &joined, arrival);
    if (err == ERR_OK && is_late)
        err = follow_later(txn, arrival);
    txn->counters.last_log = 0;
    log->has_rejoined = true;
    buf_release(&payload);
    return err;
}

static enum err ingest_put(struct ledger_txn *txn, struct ledger_touched *log,
                           const struct entry *entry)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct return_cut cut = {log->row.number, log->row.tip.size, entry->header.payload_hash};
    uint64_t arrival = 0;
    enum err err = log->has_cut ? return_table_cut(&snapshot, &cut, &arrival) : ERR_NOT_FOUND;

    if (err != ERR_NOT_FOUND)
        return err == ERR_OK ? ingest_rejoin(txn, log, &cut, entry, arrival) : err;
    err = log_table_add_entry(txn, log, cut.seq, entry);
    return err == ERR_OK ? ingest_note(txn, log, entry, txn->counters.arrival) : err;
}

static enum err ingest_extend(struct ledger_txn *txn, struct ledger_touched *log,
                              const struct entry *entry)
{
    bool is_block_end = chain_extend(&log->row.tip, &entry->header);
    enum err err = ingest_put(txn, log, entry);
    struct head head;

    log->row.payload_bytes += entry->header.payload_size;
    if (err == ERR_OK && entry->header.epoch_index == 0 && entry->payload.size > 0)
        err = epoch_table_add_entry(txn, log, entry->payload);
    if (err != ERR_OK || !log->is_own)
        return err;
    log->must_sign = !is_block_end;
    if (!is_block_end)
        return ERR_OK;
    err = head_sign(txn->ledger->signing, &log->id, &log->row.tip, &head);
    if (err != ERR_OK)
        return err;
    memcpy(log->row.head_signature, head.signature, SIGNATURE_SIZE);
    return log_table_put_head(txn, &log->row, &head);
}

/* A log that went on only half way must not be committed, whoever asked for the rest. */
static enum err ingest_add(struct ledger_txn *txn, struct ledger_touched *log,
                           const struct entry *entry)
{
    return ledger_note(txn, ingest_extend(txn, log, entry));
}

/* Own entries. */

/* A day's end: has too much of the space died, or did another device of mine write under an older
 * epoch? One name on the agenda a day. */
static enum err ingest_look_later(struct ledger_txn *txn, const struct space_row *space)
{
    uint64_t day = txn->now_ms / RUNNING_DAY_MS + 1;

    if (!space->is_mine || (space->kind != SPACE_CARD && space->kind != SPACE_NETWORK))
        return ERR_OK;
    return agenda_put(txn, day * RUNNING_DAY_MS, KIND_RESTATEMENT,
                      span_of(space->id.bytes, ID_SIZE));
}

static enum err ingest_own_log(struct ledger_txn *txn, const struct id *space,
                               struct space_row *out_space, struct ledger_touched **out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = ledger_space(&snapshot, space, out_space);

    if (err != ERR_OK)
        return err;
    KITH_ASSERT(out_space->is_mine);
    if (txn->is_joining)
        return ERR_STATE; /* join.h */
    err = space_settle(txn, out_space);
    if (err != ERR_OK)
        return err;
    err = log_table_touch(txn, out_space, ledger_device(txn->ledger), out);
    if (err == ERR_OK)
        ledger_note_news(txn, space);
    if (err == ERR_OK && (*out)->row.payload_bytes > RESTATE_DEAD_MIN)
        err = ingest_look_later(txn, out_space);
    return err;
}

/* Two branches may begin to use an epoch with the very same bytes at the same place: what the other
 * one returned is there once, too. */
static enum err ingest_unsealed(struct ledger_txn *txn, struct ledger_touched *log,
                                struct span payload)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct entry entry = {.payload = payload};
    uint64_t cut = 0;
    enum err err = kv_count(snapshot.kv, TABLE_CUT, &cut);

    if (err != ERR_OK)
        return err;
    log->has_cut = cut > 0;
    entry_hash_payload(&entry);
    return ingest_add(txn, log, &entry);
}

static bool ingest_is_epoch(const struct hash *left, const struct hash *right)
{
    return memcmp(left->bytes, right->bytes, HASH_SIZE) == 0;
}

/* Makes the space's current epoch the newest one of this log. */
static enum err ingest_use_current(struct ledger_txn *txn, const struct space_row *space,
                                   struct ledger_touched *log, struct hash *in_out_used)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct buf payload = {0};
    struct hash current;
    enum err err = epoch_table_current(&snapshot, space->number, &current);

    if (err != ERR_OK || (log->row.epochs_count > 0 && ingest_is_epoch(in_out_used, &current)))
        return err;
    epoch_put_use(&current, &payload);
    err = buf_err(&payload);
    if (err == ERR_OK)
        err = ingest_unsealed(txn, log, buf_span(&payload));
    buf_release(&payload);
    return err == ERR_OK
               ? epoch_table_of_log(&snapshot, log->row.number, log->row.epochs_count, in_out_used)
               : err;
}

/* PROTOCOL EPOCH-8: "Behind EPOCH_ENTRIES_MAX entries of one log, as soon as all that has come is
 * merged." Merging it here, in one transaction, would take seconds where much has. */
static enum err ingest_may_renew(struct ledger_txn *txn, bool *out)
{
    enum err err = follow_txn_is_behind(txn) ? ledger_follow(txn) : ERR_OK;

    *out = err == ERR_OK && !follow_txn_is_behind(txn);
    return err;
}

/* The epoch to write under, as the newest one of this log. Mostly it is the last one still. */
static enum err ingest_epoch(struct ledger_txn *txn, const struct space_row *space,
                             struct ledger_touched *log, struct hash *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t since = 0;
    bool may_renew = false;
    enum err err = epoch_table_newest(&snapshot, &log->row, out, &since);

    if (err == ERR_OK && since >= EPOCH_ENTRIES_MAX)
        err = ingest_may_renew(txn, &may_renew);
    if (err == ERR_OK && !may_renew && ingest_is_epoch(out, &space->current))
        return ERR_OK;
    if (err == ERR_OK && may_renew) {
        err = space_rotate(txn, &space->id);
        if (err == ERR_OK)
            err = epoch_table_newest(&snapshot, &log->row, out, &since);
    }
    return err == ERR_OK || err == ERR_NOT_FOUND ? ingest_use_current(txn, space, log, out) : err;
}

/* The key of this log's entries under this epoch. */
static enum err ingest_key(struct ledger_txn *txn, const struct log_id *log,
                           const struct hash *epoch, const uint8_t **out)
{
    struct ledger_last_key *last = txn->ledger->last_key;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t *key;
    enum err err;

    *out = last->bytes;
    if (last->is_set && memcmp(&last->epoch, epoch, sizeof *epoch) == 0 &&
        id_is_equal(&last->log.space, &log->space) &&
        public_key_is_equal(&last->log.device, &log->device))
        return ERR_OK;
    last->is_set = false;
    key = secret_new(KEY_SIZE);
    err = key != NULL ? epoch_table_key(&snapshot, epoch, key) : ERR_NOMEM;
    if (err == ERR_OK) {
        entry_key(key, log, last->bytes);
        last->epoch = *epoch;
        last->log = *log;
        last->is_set = true;
    }
    secret_free(key);
    return err;
}

static enum err ingest_seal(struct ledger_txn *txn, struct ledger_touched *log,
                            const struct hash *epoch, struct span plain, uint64_t expires_at_s)
{
    struct entry entry = {
        .header = {.epoch_index = log->row.epochs_count, .expires_at_s = expires_at_s}};
    struct buf sealed = {0};
    const uint8_t *key;
    enum err err = ingest_key(txn, &log->id, epoch, &key);

    if (err == ERR_OK) {
        entry_seal(key, &entry.header, log->row.tip.size + 1, plain, &sealed);
        err = buf_err(&sealed);
    }
    if (err == ERR_OK) {
        entry.payload = buf_span(&sealed);
        entry_hash_payload(&entry);
        err = ingest_add(txn, log, &entry);
    }
    buf_release(&sealed);
    return err;
}

enum err ledger_append_plain(struct ledger_txn *txn, const struct id *space, struct span plain,
                             uint64_t expires_at_s)
{
    struct ledger_touched *log;
    struct space_row row;
    struct hash epoch = {{0}}; /* None; no epoch's id is zero. */
    enum err err = ingest_own_log(txn, space, &row, &log);

    if (err == ERR_OK)
        err = ingest_epoch(txn, &row, log, &epoch);
    return err == ERR_OK ? ingest_seal(txn, log, &epoch, plain, expires_at_s) : err;
}

enum err ledger_append(struct ledger_txn *txn, const struct id *space, struct edit_space *edit,
                       uint64_t expires_at_s)
{
    struct buf plain = {0};
    enum err err = edit_write(edit, &plain);

    if (err == ERR_OK)
        err = ledger_append_plain(txn, space, buf_span(&plain), expires_at_s);
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.size);
    buf_release(&plain);
    return err;
}

enum err ledger_append_epoch(struct ledger_txn *txn, const struct id *space,
                             const struct epoch_plan *plan, struct hash *out_id,
                             uint8_t out_key[static KEY_SIZE])
{
    struct ledger_touched *log;
    struct space_row row;
    struct buf payload = {0};
    enum err err = ingest_own_log(txn, space, &row, &log);

    if (err == ERR_OK)
        err = epoch_create(plan, &txn->ledger->entropy, out_key, out_id, &payload);
    if (err == ERR_OK)
        err = ingest_unsealed(txn, log, buf_span(&payload));
    if (err == ERR_OK)
        err = ledger_add_key(txn, out_id, out_key);
    buf_release(&payload);
    return err;
}

/* Foreign entries. */

static enum err ingest_store(struct ledger_txn *txn, struct ledger_touched *log,
                             const struct verified_batch *batch)
{
    const struct head *head = verified_batch_head(batch);
    const struct chain *end = verified_batch_end(batch);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    size_t count = verified_batch_count(batch);
    uint64_t cut = 0;
    enum err err = kv_count(snapshot.kv, TABLE_CUT, &cut);

    log->has_cut = cut > 0;
    for (size_t at = 0; at < count && err == ERR_OK; at++)
        err = ingest_add(txn, log, verified_batch_entry(batch, at));
    if (err != ERR_OK)
        return err;
    memcpy(log->row.head_signature, head->signature, SIGNATURE_SIZE);
    log->must_sign = false;
    if (end->block_entries == 0)
        err = log_table_put_head(txn, &log->row, head);
    return err;
}

/* PROTOCOL RETIRE-6: "A retired log without a keep is frozen: it takes no entries and loses none,
 * but for what other devices of the reader's own member hold (FORK-4)." */
/* PROTOCOL ENTRY-2: "Epoch index 0: the payload is not sealed. Index n: it is sealed under the n-th
 * unsealed entry of this log." */
static enum err ingest_check_open(const struct snapshot *snapshot, const struct space_row *space,
                                  const struct public_key *device, const struct chain *end,
                                  bool is_shared, bool *out_is_all)
{
    enum standing standing;
    struct keep keep;
    enum err err = standing_of(snapshot, device, &standing);

    *out_is_all = false;
    if (err != ERR_OK || standing == STANDING_GOOD)
        return err;
    err = retire_table_keep(snapshot, space->number, device, &keep);
    if (err == ERR_OK && end->size > keep.size)
        err = ERR_STATE;
    *out_is_all = err == ERR_OK && end->size == keep.size && standing >= STANDING_STOLEN;
    if (err == ERR_NOT_FOUND && is_shared && !space->is_mine && standing < STANDING_STOLEN)
        return ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_STATE : err;
}

/* Does the batch begin the log for who holds nothing of it? Card and network spaces of others are
 * restated, and no others. */
static bool ingest_is_first(const struct space_row *space, const struct log_row *row,
                            const struct verified_batch *batch)
{
    return verified_batch_beginning(batch)->size > 0 && row->tip.size == 0 && !space->is_mine &&
           ledger_space_is_restated(space);
}

/* PROTOCOL BATCH-4: "Entries that no head closes are never stored." */
/* PROTOCOL BATCH-5: "A device writes only when its member certified it." */
static enum err ingest_batch(struct ledger_txn *txn, const struct verified_batch *batch,
                             bool is_shared)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct log_id *id = verified_batch_log(batch);
    const struct chain *start = verified_batch_start(batch), *end = verified_batch_end(batch);
    struct ledger_touched *log;
    struct space_row space;
    struct log_row row;
    struct chain known;
    bool is_first, is_all;
    enum err err = ledger_space(&snapshot, &id->space, &space);

    if (err != ERR_OK)
        return err;
    err = view_device_prove(txn, &id->device, &space.writer);
    if (err == ERR_NOT_FOUND)
        return ERR_FORGED;
    if (err == ERR_OK)
        err = log_table_now(txn, &space, &id->device, &row);
    if (err != ERR_OK)
        return err;
    if (end->size <= row.tip.size) {
        err = ledger_chain_at(&snapshot, &row, id, end->size, &known);
        if (err == ERR_OK && !span_is_equal(span_of(known.hash.bytes, HASH_SIZE),
                                            span_of(end->hash.bytes, HASH_SIZE)))
            err = ERR_DETACHED;
        return err;
    }
    err = ingest_check_open(&snapshot, &space, &id->device, end, is_shared, &is_all);
    if (err != ERR_OK)
        return err;
    is_first = ingest_is_first(&space, &row, batch);
    if (!is_first &&
        (start->size != row.tip.size || !span_is_equal(span_of(start->hash.bytes, HASH_SIZE),
                                                       span_of(row.tip.hash.bytes, HASH_SIZE))))
        return ERR_DETACHED;
    err = log_table_touch(txn, &space, &id->device, &log);
    if (err == ERR_OK && is_first)
        err = log_table_begin(txn, log, verified_batch_beginning(batch));
    if (err == ERR_OK)
        err = ingest_store(txn, log, batch);
    if (err == ERR_OK && log->has_rejoined)
        err = keep_follow(txn, log);
    if (err == ERR_OK && is_all) /* Whom it did not certify by now it never did. */
        err = agenda_put(txn, AGENDA_NOW, KIND_CERTIFICATE, span_of(space.writer.bytes, 32));
    if (err == ERR_OK)
        ledger_note_news(txn, &id->space);
    return err == ERR_OK ? ingest_look_later(txn, &space) : err;
}

enum err ledger_ingest(struct ledger_txn *txn, const struct verified_batch *batch)
{
    return ingest_batch(txn, batch, false);
}

enum err ledger_ingest_shared(struct ledger_txn *txn, const struct verified_batch *batch)
{
    return ingest_batch(txn, batch, true);
}

/* Reading an entry's plaintext. */

enum err ledger_open_entry(const struct snapshot *snapshot, const struct entry_row *row,
                           struct buf *out)
{
    uint8_t *keys;
    struct log_row log;
    struct space_row space;
    struct hash epoch;
    enum err err;

    if (row->entry.payload.size == 0)
        return ERR_NOT_FOUND;
    if (row->entry.header.epoch_index == 0) {
        buf_append(out, row->entry.payload);
        return buf_err(out);
    }
    keys = secret_new(2 * KEY_SIZE);
    if (keys == NULL)
        return ERR_NOMEM;
    err = ledger_log_numbered(snapshot, row->log, &log);
    if (err == ERR_OK)
        err = ledger_space_numbered(snapshot, log.space, &space);
    epoch = row->epoch;
    if (err == ERR_OK && !row->is_cut)
        err = epoch_table_of_log(snapshot, row->log, row->entry.header.epoch_index, &epoch);
    if (err == ERR_OK)
        err = epoch_table_key(snapshot, &epoch, keys);
    if (err == ERR_OK) {
        struct log_id id = {.space = space.id, .device = log.device};

        entry_key(keys, &id, keys + KEY_SIZE);
        err = entry_open(keys + KEY_SIZE, &row->entry, row->seq, out);
    }
    secret_free(keys);
    return err;
}
