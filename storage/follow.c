/*
 * From entries to objects to views. An entry that cannot be read, though its author signed it, is
 * passed over: it must not stop the others. An entry whose key has not come waits under its epoch
 * and is merged when the key does.
 */
#include "storage/follow.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "proto/statement.h"
#include "storage/absent.h"
#include "storage/dropped.h"
#include "storage/expiry.h"
#include "storage/follow_state.h"
#include "storage/forget.h"
#include "storage/origin_table.h"
#include "storage/returns.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/standing.h"
#include "storage/view_contact.h"
#include "storage/view_peer.h"

void follow_cache_free(struct follow_cache *cache)
{
    if (cache == NULL)
        return;
    secret_free(cache->key);
    edit_release(&cache->edit);
    if (cache->plain.data != NULL)
        secret_wipe(cache->plain.data, cache->plain.capacity);
    if (cache->row.data != NULL)
        secret_wipe(cache->row.data, cache->row.capacity);
    buf_release(&cache->plain);
    buf_release(&cache->row);
    buf_release(&cache->again);
    heap_free(cache->restate);
    heap_free(cache);
}

enum err follow_cache_get(struct ledger_txn *txn, struct follow_cache **out)
{
    if (txn->cache == NULL) {
        txn->cache = heap_new_zeroed(1, sizeof *txn->cache);
        if (txn->cache == NULL)
            return ERR_NOMEM;
    }
    if (txn->cache->key == NULL)
        txn->cache->key = secret_new(2 * KEY_SIZE);
    if (txn->cache->restate == NULL)
        txn->cache->restate = heap_new_zeroed(1, sizeof *txn->cache->restate);
    *out = txn->cache;
    return txn->cache->key != NULL && txn->cache->restate != NULL ? ERR_OK : ERR_NOMEM;
}

/* The key of an entry. */

static enum err follow_load_log(const struct snapshot *snapshot, struct follow_cache *cache,
                                uint32_t log)
{
    enum err err;

    if (cache->log.number == log)
        return ERR_OK;
    cache->index = 0;
    cache->log.number = 0;
    err = ledger_log_numbered(snapshot, log, &cache->log);
    if (err == ERR_OK)
        err = ledger_space_numbered(snapshot, cache->log.space, &cache->space);
    if (err == ERR_OK)
        err = view_restate_load(snapshot, cache->space.number, cache->restate);
    if (err == ERR_OK)
        err = absent_has_forgiven(snapshot, cache->space.number, &cache->has_forgiven);
    if (err != ERR_OK)
        cache->log.number = 0;
    return err;
}

static enum err follow_wait(struct ledger_txn *txn, const struct hash *epoch, uint64_t arrival)
{
    struct key key;

    key_of_bytes(span_of(epoch->bytes, HASH_SIZE), &key);
    key_add_u64(&key, arrival);
    return ledger_put(txn, TABLE_WAITING, &key, span_of(NULL, 0));
}

/* ERR_KEY_MISSING once the entry has been put among those that wait; ERR_NOT_FOUND when its epoch
 * was never opened. */
static enum err follow_load_key(struct ledger_txn *txn, struct follow_cache *cache,
                                const struct entry_row *entry)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct log_id id = {.space = cache->space.id, .device = cache->log.device};
    uint32_t index = entry->entry.header.epoch_index;
    struct hash epoch;
    enum err err;

    if (cache->index == index && !entry->is_cut)
        return ERR_OK;
    epoch = entry->epoch;
    err = entry->is_cut ? ERR_OK : epoch_table_of_log(&snapshot, cache->log.number, index, &epoch);
    if (err != ERR_OK)
        return err;
    cache->index = 0;
    err = epoch_table_key(&snapshot, &epoch, cache->key);
    if (err == ERR_KEY_MISSING) {
        err = follow_wait(txn, &epoch, entry->arrival);
        return err == ERR_OK ? ERR_KEY_MISSING : err;
    }
    if (err != ERR_OK)
        return err;
    entry_key(cache->key, &id, cache->key + KEY_SIZE);
    cache->index = entry->is_cut ? 0 : index; /* Another branch counts its epochs alike. */
    return ERR_OK;
}

/* Merging. */

static enum err follow_log_number(void *self, const struct public_key *device, uint32_t *out)
{
    struct follow_context *context = self;

    return follow_bound_log(context->txn, context->space, device, out);
}

static enum err follow_origin(void *self, uint64_t arrival, struct origin *out)
{
    struct follow_context *context = self;
    struct snapshot snapshot = ledger_txn_snapshot(context->txn);
    struct edit_space edit = {0};
    struct buf plain = {0};
    struct entry_row row;
    struct log_row log;
    enum err err = ledger_entry(&snapshot, arrival, &row);

    if (err == ERR_OK && origin_table_get(&snapshot, arrival, out) == ERR_OK)
        return ERR_OK;
    if (err == ERR_OK)
        err = ledger_log_numbered(&snapshot, row.log, &log);
    if (err == ERR_OK)
        err = ledger_open_entry(&snapshot, &row, &plain);
    if (err == ERR_OK)
        err = edit_read(&edit, buf_span(&plain));
    if (err == ERR_OK) {
        entry_hash_payload(&row.entry);
        *out = (struct origin){.arrival = arrival,
                               .log = row.log,
                               .seq = row.seq,
                               .device = log.device,
                               .entry_hash = row.entry.header.payload_hash};
        err = object_identify(
            &edit.edit, &(struct object_context){.log_number = follow_log_number, .self = context},
            out);
    }
    if (err == ERR_OK)
        err = origin_table_put(context->txn, out);
    edit_release(&edit);
    buf_release(&plain);
    if (err == ERR_NOT_FOUND) { /* Its payload is gone: it loses, and stops nobody. */
        *out = (struct origin){.arrival = arrival};
        err = ERR_OK;
    }
    return err;
}

struct object_context follow_object_context(struct follow_context *self)
{
    return (struct object_context){
        .origin = follow_origin, .log_number = follow_log_number, .self = self};
}

/* The row's bytes are copied first: what LMDB hands out does not outlive the next put. */
enum err follow_read_row(struct ledger_txn *txn, struct buf *scratch, uint32_t number,
                         struct object *before, struct object *after)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint32_t space;
    enum err err = row_load(&snapshot, number, before, &space);

    if (err != ERR_OK)
        return err;
    buf_clear(scratch);
    row_write(before, scratch);
    object_release(before);
    err = buf_err(scratch);
    if (err == ERR_OK)
        err = row_read(buf_span(scratch), before);
    if (err == ERR_OK)
        err = row_read(buf_span(scratch), after);
    return err;
}

/* ERR_LIMIT: it is too much for the object, which is as it was. */
static enum err follow_apply(struct ledger_txn *txn, struct follow_cache *cache,
                             const struct edit *edit, struct origin *origin)
{
    struct follow_context self = {.txn = txn, .space = cache->space.number};
    struct object_context context = follow_object_context(&self);
    struct object before = {0}, after = {0};
    uint32_t number;
    bool is_new;
    enum err err =
        row_number_for(txn, cache->space.number, edit->kind, &edit->object, &number, &is_new);

    if (err == ERR_OK)
        err = object_identify(edit, &context, origin);
    if (err == ERR_OK && !is_new)
        err = follow_read_row(txn, &cache->row, number, &before, &after);
    if (err == ERR_OK && follow_bound_is_beyond(&cache->space, &after, edit))
        err = ERR_LIMIT;
    if (err == ERR_OK)
        err = object_apply(&after, edit, origin, &context);
    if (err == ERR_OK)
        err = row_put(txn, number, cache->space.number, &after);
    if (err == ERR_LIMIT && is_new) { /* It has a number: an object that says nothing. */
        object_release(&after);
        after = (struct object){.kind = edit->kind, .id = edit->object};
        err = row_put(txn, number, cache->space.number, &after);
        err = err == ERR_OK ? ERR_LIMIT : err;
    }
    if (err == ERR_OK && !cache->is_silent)
        err = follow_tell(txn, &cache->space, number, is_new ? NULL : &before, &after);
    if (err == ERR_OK && (!cache->is_silent || is_new) && edit->kind == KIND_CERTIFICATE)
        err = view_device_written(txn, &cache->space, edit, &after);
    if (edit->kind == KIND_RETIRE || edit->kind == KIND_KEEP || edit->kind == KIND_FORGET)
        cache->log.number = 0; /* What is remembered of the log may not be so any more. */
    object_release(&before);
    object_release(&after);
    return err == ERR_OK && edit->kind == KIND_FORGET && !cache->is_silent
               ? forget_written(txn, &cache->space, edit)
               : err;
}

/* PROTOCOL STATEMENT-4: "Such an object is never changed: an edit of it that does anything but set
 * its field 1 to that statement, with counter 1, is passed over." */
/* PROTOCOL STATEMENT-3: "an object of such a kind under another id is passed over." */
static bool follow_is_statement(const struct edit *edit)
{
    const struct write *write = &edit->writes[0];
    struct id id;

    if (edit->writes_count != 1 || write->op != WRITE_SET || write->counter != 1 ||
        write->field != KIND_STATEMENT_FIELD || write->value.type != VALUE_BYTES)
        return false;
    statement_id(write->value.bytes, &id);
    return id_is_equal(&id, &edit->object);
}

/* PROTOCOL KIND-1: "An object of a kind that has no place in the space it stands in is passed
 * over." */
bool follow_has_place(const struct space_row *space, const struct edit *edit)
{
    const struct kind *kind = kind_find(edit->kind);

    return kind != NULL && (kind->spaces >> space->kind & 1) != 0 &&
           (!kind->is_statement || follow_is_statement(edit));
}

/* Dead is what a restatement covers and does not repeat. What was cut is on no branch that one
 * covers. */
static enum err follow_is_dead(struct ledger_txn *txn, const struct follow_cache *cache,
                               const struct entry_row *entry, bool *out)
{
    const struct original *original = &cache->edit.edit.original;
    uint32_t place = entry->log;
    uint64_t seq = entry->seq;
    enum err err = ERR_OK;

    *out = false;
    if (!cache->restate->is_there || entry->is_cut)
        return ERR_OK;
    if (cache->edit.edit.has_original && original->has_place) {
        err = follow_place_log(txn, &cache->space, &original->place_device, &place);
        seq = original->place_seq;
    }
    *out = view_restate_is_dead(cache->restate, entry->log, entry->seq, place, seq);
    return err;
}

/* Counted the first time it is looked at, not when a space is merged again. */
static enum err follow_drop(struct ledger_txn *txn, const struct follow_cache *cache)
{
    return cache->is_silent ? ERR_OK : dropped_add(txn, &cache->space, DROPPED_ENTRY);
}

/* This device writes it, and whoever does so is told. */
static bool follow_is_by_hand(const struct ledger_txn *txn, const struct follow_cache *cache)
{
    return cache->is_inline && public_key_is_equal(&cache->log.device, ledger_device(txn->ledger));
}

/* PROTOCOL EDIT-4: "An entry whose plaintext cannot be read is passed over; those after it count."
 */
static enum err follow_merge(struct ledger_txn *txn, struct follow_cache *cache,
                             const struct entry_row *entry)
{
    struct origin origin = {.arrival = entry->arrival,
                            .log = entry->log,
                            .seq = entry->seq,
                            .device = cache->log.device,
                            .is_apart = entry->is_cut};
    struct entry hashed = entry->entry;
    bool is_named = false, is_dead;
    enum err err;

    buf_clear(&cache->plain);
    err = entry_open(cache->key + KEY_SIZE, &entry->entry, entry->seq, &cache->plain);
    if (err == ERR_FORGED) /* Signed, but sealed with something else: its author's loss. */
        return follow_drop(txn, cache);
    if (err == ERR_OK)
        err = edit_read(&cache->edit, buf_span(&cache->plain));
    if (err == ERR_MALFORMED)
        return follow_drop(txn, cache);
    if (err != ERR_OK)
        return err;
    if (!follow_has_place(&cache->space, &cache->edit.edit))
        return kind_find(cache->edit.edit.kind) != NULL ? follow_drop(txn, cache) : ERR_OK;
    /* PROTOCOL RESTATE-9: "A restatement that was cut from its log does not count." */
    if (entry->is_cut && cache->edit.edit.kind == KIND_RESTATEMENT)
        return ERR_OK;
    err = follow_is_dead(txn, cache, entry, &is_dead);
    if (err != ERR_OK || is_dead)
        return err;
    entry_hash_payload(&hashed);
    origin.entry_hash = hashed.header.payload_hash;
    /* With a place it is a part of a restatement, which repeats what is live only. */
    if (cache->edit.edit.has_original && !cache->edit.edit.original.has_place)
        err = returns_note(txn, entry, &cache->edit.edit.original.entry_hash);
    if (err == ERR_OK && cache->has_forgiven)
        err = forget_is_named(txn, &cache->space, entry, &origin.entry_hash, &cache->edit.edit,
                              &is_named);
    if (err == ERR_OK && !is_named)
        err = follow_apply(txn, cache, &cache->edit.edit, &origin);
    if (err == ERR_LIMIT && !follow_is_by_hand(txn, cache))
        err = follow_drop(txn, cache);
    return err;
}

/* PROTOCOL STOLEN-1: "What a stolen device wrote beyond its mark says nothing." */
static enum err follow_is_stolen(const struct snapshot *snapshot, const struct entry_row *entry,
                                 bool *out)
{
    enum standing standing = STANDING_GOOD;
    struct log_row log;
    enum err err = ERR_OK;

    if (entry->is_cut)
        err = ledger_log_numbered(snapshot, entry->log, &log);
    if (err == ERR_OK && entry->is_cut)
        err = standing_of(snapshot, &log.device, &standing);
    *out = standing >= STANDING_STOLEN;
    return err;
}

enum err follow_entry(struct ledger_txn *txn, uint64_t arrival)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct follow_cache *cache;
    struct entry_row entry;
    bool is_stolen = false;
    enum err err = follow_cache_get(txn, &cache);

    if (err == ERR_OK)
        err = ledger_entry(&snapshot, arrival, &entry);
    if (err == ERR_OK)
        err = follow_is_stolen(&snapshot, &entry, &is_stolen);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    if (entry.entry.header.epoch_index == 0 || entry.entry.payload.size == 0 ||
        expiry_is_over(&snapshot, &entry) || is_stolen)
        return ERR_OK;
    err = follow_load_log(&snapshot, cache, entry.log);
    if (err == ERR_OK)
        err = follow_load_key(txn, cache, &entry);
    if (err == ERR_KEY_MISSING || err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err == ERR_OK)
        err = follow_merge(txn, cache, &entry);
    return err;
}

/* Entries that waited. */

/* Finds the first waiting entry whose key is held. ERR_NOT_FOUND when there is none. */
static enum err follow_next_ready(struct ledger_txn *txn, struct key *out_key,
                                  uint64_t *out_arrival)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t *key_bytes = secret_new(KEY_SIZE);
    struct kv_cursor *cursor;
    struct span key, value;
    struct hash epoch;
    enum err err = key_bytes != NULL ? kv_cursor_open(txn->kv, TABLE_WAITING, &cursor) : ERR_NOMEM;

    if (err != ERR_OK) {
        secret_free(key_bytes);
        return err;
    }
    err = kv_cursor_seek(cursor, span_of(NULL, 0));
    while (err == ERR_OK) {
        struct key after;

        kv_cursor_at(cursor, &key, &value);
        if (key.size != HASH_SIZE + 8) {
            err = ERR_CORRUPT;
            break;
        }
        memcpy(epoch.bytes, key.data, HASH_SIZE);
        key_of_bytes(key, out_key);
        *out_arrival = be64(key.data + HASH_SIZE);
        err = epoch_table_key(&snapshot, &epoch, key_bytes);
        if (err != ERR_KEY_MISSING)
            break;
        key_of_bytes(span_of(epoch.bytes, HASH_SIZE), &after);
        key_add_u64(&after, UINT64_MAX);
        err = kv_cursor_seek(cursor, key_span(&after));
    }
    kv_cursor_close(cursor);
    secret_free(key_bytes);
    return err;
}

/* Merges entries whose key came, up to budget. */
static enum err follow_ready(struct ledger_txn *txn, size_t *budget)
{
    while (txn->counters.has_ready && *budget > 0) {
        uint64_t arrival;
        struct key key;
        enum err err = follow_next_ready(txn, &key, &arrival);

        if (err == ERR_NOT_FOUND) {
            txn->counters.has_ready = false;
            return standing_look_at_own(txn);
        }
        if (err == ERR_OK)
            err = ledger_erase(txn, TABLE_WAITING, &key);
        if (err == ERR_OK)
            err = follow_entry(txn, arrival);
        if (err != ERR_OK)
            return err;
        (*budget)--;
    }
    return ERR_OK;
}

/* A merged grant may make others ready, and they may bring grants: round and round until nothing
 * moves. */
enum err follow_some(struct ledger_txn *txn, size_t budget)
{
    enum err err = ERR_OK;

    while (err == ERR_OK && budget > 0 &&
           (txn->counters.followed < txn->counters.arrival || txn->counters.has_ready)) {
        if (txn->counters.followed < txn->counters.arrival) {
            err = follow_entry(txn, txn->counters.followed + 1);
            if (err == ERR_OK)
                txn->counters.followed++;
            budget--;
        } else {
            err = follow_ready(txn, &budget);
        }
        if (err == ERR_OK)
            err = follow_make_again(txn);
    }
    if (err == ERR_OK)
        err = follow_make_again(txn);
    if (err == ERR_OK)
        err = view_contact_flush(txn); /* What comes next may look somebody up. */
    return err == ERR_OK ? ERR_OK : ledger_note(txn, err);
}

enum err follow_inline(struct ledger_txn *txn)
{
    struct follow_cache *cache;
    enum err err;

    if (txn->counters.arrival - txn->counters.followed <= FOLLOW_INLINE_MAX) {
        err = follow_cache_get(txn, &cache);
        if (err != ERR_OK)
            return err;
        cache->is_inline = true;
        err = follow_some(txn, FOLLOW_INLINE_MAX);
        cache->is_inline = false;
        return err;
    }
    /* Nobody would know of it later: made again up to where the views are. */
    err = follow_make_again(txn);
    if (err == ERR_OK)
        err = view_contact_flush(txn);
    return err == ERR_OK ? ERR_OK : ledger_note(txn, err);
}

/* It is among those that wait for a key which has come. */
enum err follow_later(struct ledger_txn *txn, uint64_t arrival)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct entry_row row;
    struct hash epoch;
    enum err err = ledger_entry(&snapshot, arrival, &row);

    if (err == ERR_OK)
        err = epoch_table_of_log(&snapshot, row.log, row.entry.header.epoch_index, &epoch);
    if (err == ERR_OK)
        err = follow_wait(txn, &epoch, arrival);
    txn->counters.has_ready |= err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static bool follow_has_more(const struct ledger_counters *counters)
{
    return counters->followed < counters->arrival || counters->has_ready;
}

bool follow_txn_is_behind(const struct ledger_txn *txn)
{
    return follow_has_more(&txn->counters);
}

bool follow_is_behind(struct ledger *ledger)
{
    struct ledger_counters counters = {0};
    struct snapshot snapshot;
    bool is_behind;

    if (ledger_snapshot(ledger, &snapshot) != ERR_OK)
        return false;
    is_behind = ledger_load_counters(&snapshot, &counters) == ERR_OK && follow_has_more(&counters);
    ledger_snapshot_end(&snapshot);
    return is_behind;
}

enum err follow_stage(struct ledger *ledger, size_t budget, bool *out_is_more)
{
    struct ledger_txn *txn;
    enum err err = ledger_begin(ledger, 0, &txn);

    *out_is_more = false;
    if (err != ERR_OK)
        return err;
    err = follow_some(txn, budget);
    if (err != ERR_OK) {
        ledger_abort(txn);
        return err;
    }
    *out_is_more = follow_has_more(&txn->counters);
    txn->written++;
    return ledger_commit_stage(txn);
}

enum err follow_progress(const struct snapshot *snapshot, uint64_t *out_held, uint64_t *out_merged)
{
    struct ledger_counters counters;
    enum err err = ledger_load_counters(snapshot, &counters);

    if (err == ERR_OK) {
        *out_held = counters.arrival;
        *out_merged = counters.followed;
    }
    return err;
}
