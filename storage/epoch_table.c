/*
 * Epochs known and keys held. A key may come before its epoch's entry (by a grant) or after it;
 * older keys follow from newer ones through what each epoch says of its parent.
 */
#include <string.h>

#include "crypto/seal.h"
#include "crypto/secret.h"
#include "storage/agenda.h"
#include "storage/ledger_state.h"
#include "storage/running.h"
#include "storage/space.h"
#include "storage/view_peer.h"

enum {
    EPOCH_TABLE_FIXED = 1 + 4 + HASH_SIZE + 4 + HASH_SIZE + HASH_SIZE,
    EPOCH_TABLE_PARENTS_MAX = 4096, /* epochs that are followed back from one */
    EPOCH_TABLE_TODO_MAX = 32       /* branches of them that are open at a time */
};
/* MORE: parents besides the first; OPENED: where its entry stands; HEARD: since when. Rows of older
 * stores have none of these. */
enum {
    EPOCH_TABLE_KNOWN = 1,
    EPOCH_TABLE_HAS_KEY = 2,
    EPOCH_TABLE_HAS_PREVIOUS = 4,
    EPOCH_TABLE_MORE = 8,
    EPOCH_TABLE_OPENED = 16,
    EPOCH_TABLE_HEARD = 32
};
enum { EPOCH_TABLE_KEY_SIZE = KEY_SIZE + SEAL_OVERHEAD, EPOCH_TABLE_OPENED_SIZE = 12 };

static void epoch_table_row_key(const struct hash *id, struct key *out)
{
    key_of_bytes(span_of(id->bytes, HASH_SIZE), out);
}

/* Takes size bytes from what is left of a row; a row that ends too early fails. */
static const uint8_t *epoch_table_take(struct span *rest, size_t size, enum err *err)
{
    const uint8_t *at = rest->data;

    if (rest->size < size) {
        *err = ERR_CORRUPT;
        return NULL;
    }
    *rest = span_of(rest->data + size, rest->size - size);
    return at;
}

static void epoch_table_read_parents(uint8_t flags, const uint8_t first[static HASH_SIZE],
                                     struct span *rest, struct epoch *out, enum err *err)
{
    static const struct hash none;
    const uint8_t *at;
    size_t more = 0;

    if ((flags & EPOCH_TABLE_MORE) != 0) {
        at = epoch_table_take(rest, 1, err);
        more = at != NULL ? *at : 0;
    }
    at = epoch_table_take(rest, more * HASH_SIZE, err);
    if (more >= EPOCH_PARENTS_MAX)
        *err = ERR_CORRUPT;
    if (*err != ERR_OK || (more == 0 && memcmp(first, none.bytes, HASH_SIZE) == 0))
        return;
    memcpy(out->parents[0].bytes, first, HASH_SIZE);
    if (more > 0)
        memcpy(&out->parents[1], at, more * HASH_SIZE);
    out->parents_count = more + 1;
}

static enum err epoch_table_read(const struct hash *id, struct span row, struct epoch_row *out,
                                 struct span *out_key)
{
    struct span rest = row;
    const uint8_t *at;
    enum err err = ERR_OK;
    const uint8_t *fixed = epoch_table_take(&rest, EPOCH_TABLE_FIXED, &err);
    uint8_t flags = fixed != NULL ? fixed[0] : 0;

    if (err != ERR_OK)
        return err;
    *out = (struct epoch_row){.id = *id,
                              .is_known = (flags & EPOCH_TABLE_KNOWN) != 0,
                              .has_key = (flags & EPOCH_TABLE_HAS_KEY) != 0,
                              .space = be32(fixed + 1)};
    out->epoch.id = *id;
    out->epoch.depth = be32(fixed + 37);
    memcpy(out->epoch.readers.bytes, fixed + 41, HASH_SIZE);
    memcpy(out->epoch.commitment.bytes, fixed + 73, HASH_SIZE);
    out_key->size = out->has_key ? EPOCH_TABLE_KEY_SIZE : 0;
    out_key->data = epoch_table_take(&rest, out_key->size, &err);
    epoch_table_read_parents(flags, fixed + 5, &rest, &out->epoch, &err);
    if (err == ERR_OK && (flags & EPOCH_TABLE_HAS_PREVIOUS) != 0) {
        out->epoch.previous.size = out->epoch.parents_count * EPOCH_PREVIOUS_SIZE;
        out->epoch.previous.data = epoch_table_take(&rest, out->epoch.previous.size, &err);
    }
    if (err == ERR_OK && (flags & EPOCH_TABLE_OPENED) != 0) {
        at = epoch_table_take(&rest, EPOCH_TABLE_OPENED_SIZE, &err);
        out->log = at != NULL ? be32(at) : 0;
        out->seq = at != NULL ? be64(at + 4) : 0;
    }
    if (err == ERR_OK && (flags & EPOCH_TABLE_HEARD) != 0) {
        at = epoch_table_take(&rest, 8, &err);
        out->heard_ms = at != NULL ? be64(at) : 0;
    }
    return err == ERR_OK && rest.size != 0 ? ERR_CORRUPT : err;
}

static enum err epoch_table_load(const struct snapshot *snapshot, const struct hash *id,
                                 struct epoch_row *out, struct span *out_key)
{
    struct span row;
    struct key key;
    enum err err;

    epoch_table_row_key(id, &key);
    err = ledger_get_sealed(snapshot, TABLE_EPOCH, &key, &row);
    return err == ERR_OK ? epoch_table_read(id, row, out, out_key) : err;
}

enum err epoch_table_get(const struct snapshot *snapshot, const struct hash *id,
                         struct epoch_row *out)
{
    struct span ignored;

    return epoch_table_load(snapshot, id, out, &ignored);
}

enum err epoch_table_key(const struct snapshot *snapshot, const struct hash *id,
                         uint8_t out[static KEY_SIZE])
{
    struct epoch_row row;
    struct buf opened = {0};
    struct span sealed;
    enum err err = epoch_table_load(snapshot, id, &row, &sealed);

    if (err == ERR_NOT_FOUND || (err == ERR_OK && !row.has_key))
        return ERR_KEY_MISSING;
    if (err == ERR_OK)
        err = ledger_open_local(snapshot->ledger, span_of(id->bytes, HASH_SIZE), sealed, &opened);
    if (err == ERR_OK)
        memcpy(out, opened.data, KEY_SIZE);
    if (opened.data != NULL)
        secret_wipe(opened.data, opened.capacity);
    buf_release(&opened);
    return err;
}

/* key NULL: none is held. */
static enum err epoch_table_put(struct ledger_txn *txn, const struct epoch_row *row,
                                const uint8_t *key_bytes)
{
    struct buf value = {0};
    struct key key;
    uint8_t flags = EPOCH_TABLE_HEARD;
    enum err err;

    flags |= row->is_known ? EPOCH_TABLE_KNOWN : 0;
    flags |= key_bytes != NULL ? EPOCH_TABLE_HAS_KEY : 0;
    flags |= row->epoch.previous.size > 0 ? EPOCH_TABLE_HAS_PREVIOUS : 0;
    flags |= row->epoch.parents_count > 1 ? EPOCH_TABLE_MORE : 0;
    flags |= row->log > 0 ? EPOCH_TABLE_OPENED : 0;
    buf_byte(&value, flags);
    buf_u32(&value, row->space);
    buf_append(&value, span_of(row->epoch.parents[0].bytes, HASH_SIZE));
    buf_u32(&value, row->epoch.depth);
    buf_append(&value, span_of(row->epoch.readers.bytes, HASH_SIZE));
    buf_append(&value, span_of(row->epoch.commitment.bytes, HASH_SIZE));
    if (key_bytes != NULL)
        ledger_seal_local(txn->ledger, span_of(row->id.bytes, HASH_SIZE),
                          span_of(key_bytes, KEY_SIZE), &value);
    if (row->epoch.parents_count > 1) {
        buf_byte(&value, (uint8_t)(row->epoch.parents_count - 1));
        buf_append(&value,
                   span_of(&row->epoch.parents[1], (row->epoch.parents_count - 1) * HASH_SIZE));
    }
    buf_append(&value, row->epoch.previous);
    if (row->log > 0) {
        buf_u32(&value, row->log);
        buf_u64(&value, row->seq);
    }
    buf_u64(&value, row->heard_ms);
    err = buf_err(&value);
    epoch_table_row_key(&row->id, &key);
    if (err == ERR_OK)
        err = ledger_put_sealed(txn, TABLE_EPOCH, &key, buf_span(&value));
    buf_release(&value);
    return err;
}

/* Which epoch is written under may have changed; space_settle looks. What this device opens itself
 * it writes under without asking. */
static enum err epoch_table_unsettle(struct ledger_txn *txn, const struct epoch_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    struct log_row log;
    enum err err = row->log > 0 ? ledger_log_numbered(&snapshot, row->log, &log) : ERR_NOT_FOUND;

    if (err == ERR_OK && public_key_is_equal(&log.device, ledger_device(txn->ledger)))
        return ERR_OK;
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = ledger_space_numbered(&snapshot, row->space, &space);
    return err == ERR_OK ? space_unsettle(txn, &space) : err;
}

/* The key of a peer's pair space was wrapped for the devices the peer knew: other devices of mine
 * have it from self. */
static enum err epoch_table_share(struct ledger_txn *txn, const struct epoch_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    enum err err = ledger_space_numbered(&snapshot, row->space, &space);

    if (err != ERR_OK || space.is_mine || space.kind != SPACE_PAIR)
        return err;
    return agenda_put(txn, AGENDA_NOW, KIND_KEY, span_of(row->id.bytes, HASH_SIZE));
}

/* Entries may have waited for this key: the next follow looks. */
static enum err epoch_table_mark_ready(struct ledger_txn *txn, const struct hash *id)
{
    struct kv_cursor *cursor;
    struct span key_bytes, value;
    struct key key;
    enum err err = kv_cursor_open(txn->kv, TABLE_WAITING, &cursor);

    if (err != ERR_OK)
        return err;
    epoch_table_row_key(id, &key);
    err = kv_cursor_seek(cursor, key_span(&key));
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key_bytes, &value);
        if (key_bytes.size == HASH_SIZE + 8 && memcmp(key_bytes.data, id->bytes, HASH_SIZE) == 0)
            txn->counters.has_ready = true;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Stores one key. out says what the epoch is, its previous keys copied to room. ERR_FORGED when it
 * is not this epoch's key; ERR_EXISTS when it was held before. */
static enum err epoch_table_hold(struct ledger_txn *txn, const struct hash *id,
                                 const uint8_t key[static KEY_SIZE], struct epoch_row *out,
                                 uint8_t room[static EPOCH_PARENTS_MAX * EPOCH_PREVIOUS_SIZE])
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span ignored;
    enum err err = epoch_table_load(&snapshot, id, out, &ignored);

    if (err == ERR_NOT_FOUND) {
        *out = (struct epoch_row){.id = *id};
        err = running_ms(&snapshot, &out->heard_ms);
    }
    if (err != ERR_OK)
        return err;
    if (out->has_key)
        return ERR_EXISTS;
    if ((out->is_known || out->epoch.depth > 0) && epoch_check(&out->epoch, key) != ERR_OK)
        return ERR_FORGED;
    if (out->epoch.previous.size > 0) {
        memcpy(room, out->epoch.previous.data, out->epoch.previous.size);
        out->epoch.previous.data = room; /* The row's bytes go with the put. */
    }
    err = epoch_table_put(txn, out, key);
    if (err == ERR_OK)
        err = epoch_table_mark_ready(txn, id);
    if (err == ERR_OK && out->is_known)
        err = epoch_table_unsettle(txn, out);
    if (err == ERR_OK && out->is_known)
        err = epoch_table_share(txn, out);
    return err;
}

/* Epochs whose keys follow from one that was told: what is left to do. Secret. */
struct epoch_table_chain {
    struct {
        struct hash id;
        uint8_t key[KEY_SIZE];
    } todo[EPOCH_TABLE_TODO_MAX + 1]; /* the last holds the key at hand */
    size_t count;
    uint8_t room[EPOCH_PARENTS_MAX * EPOCH_PREVIOUS_SIZE];
};

static void epoch_table_follow_parents(struct epoch_table_chain *chain, const struct epoch *epoch,
                                       const uint8_t key[static KEY_SIZE])
{
    for (size_t at = 0; at < epoch->parents_count; at++) {
        if (chain->count == EPOCH_TABLE_TODO_MAX)
            return;
        chain->todo[chain->count].id = epoch->parents[at];
        if (epoch_previous(epoch, at, key, chain->todo[chain->count].key) == ERR_OK)
            chain->count++;
    }
}

/* PROTOCOL EPOCH-5: "A key opens its epoch's parents, where previous tells their keys." A parent's
 * key that does not fit its epoch is the opener's mistake and stops nothing else. */
static enum err epoch_table_hold_all(struct ledger_txn *txn, struct epoch_table_chain *chain)
{
    enum err err = ERR_OK;

    for (size_t done = 0; err == ERR_OK && chain->count > 0 && done < EPOCH_TABLE_PARENTS_MAX;
         done++) {
        struct epoch_row row;
        uint8_t *key = chain->todo[EPOCH_TABLE_TODO_MAX].key;
        struct hash id = chain->todo[--chain->count].id;

        memcpy(key, chain->todo[chain->count].key, KEY_SIZE);
        err = epoch_table_hold(txn, &id, key, &row, chain->room);
        if (err == ERR_OK)
            epoch_table_follow_parents(chain, &row.epoch, key);
        if (err == ERR_EXISTS || (err == ERR_FORGED && done > 0))
            err = ERR_OK;
    }
    return err;
}

enum err ledger_add_key(struct ledger_txn *txn, const struct hash *epoch,
                        const uint8_t key[static KEY_SIZE])
{
    struct epoch_table_chain *chain = secret_new(sizeof *chain);
    enum err err;

    if (chain == NULL)
        return ERR_NOMEM;
    chain->todo[0].id = *epoch;
    memcpy(chain->todo[0].key, key, KEY_SIZE);
    chain->count = 1;
    err = epoch_table_hold_all(txn, chain);
    secret_free(chain);
    return err;
}

static void epoch_table_index_key(uint32_t log, uint32_t index, struct key *out)
{
    key_of_u32(log, out);
    key_add_u32(out, index);
}

static enum err epoch_table_indexed(const struct snapshot *snapshot, uint32_t log, uint32_t index,
                                    struct hash *out, uint64_t *out_seq)
{
    struct span row;
    struct key key;
    enum err err;

    epoch_table_index_key(log, index, &key);
    err = ledger_get(snapshot, TABLE_LOG_EPOCH, &key, &row);
    if (err == ERR_OK && row.size != HASH_SIZE && row.size != HASH_SIZE + 8)
        err = ERR_CORRUPT;
    if (err != ERR_OK)
        return err;
    memcpy(out->bytes, row.data, HASH_SIZE);
    *out_seq = row.size > HASH_SIZE ? be64(row.data + HASH_SIZE) : 0;
    return ERR_OK;
}

enum err epoch_table_of_log(const struct snapshot *snapshot, uint32_t log, uint32_t index,
                            struct hash *out)
{
    uint64_t ignored;

    return epoch_table_indexed(snapshot, log, index, out, &ignored);
}

enum err epoch_table_newest(const struct snapshot *snapshot, const struct log_row *log,
                            struct hash *out, uint64_t *out_since)
{
    uint64_t begun;
    enum err err = epoch_table_indexed(snapshot, log->number, log->epochs_count, out, &begun);

    if (err == ERR_OK)
        *out_since = log->tip.size - begun;
    return err;
}

/* A key is taken only when it is the epoch's. What says that a key is not there is no failure. */
static enum err epoch_table_try_key(enum err err, const struct epoch *epoch,
                                    const uint8_t key[static KEY_SIZE])
{
    if (err == ERR_OK)
        err = epoch_check(epoch, key);
    return err == ERR_KEY_MISSING || err == ERR_FORGED ? ERR_NOT_FOUND : err;
}

/* PROTOCOL RETIRE-9: "Receiving keys of a device are kept by its successor: what was wrapped for
 * the one before can still be opened." */
static enum err epoch_table_unwrap(const struct ledger *ledger, const struct epoch *epoch,
                                   uint8_t out[static KEY_SIZE])
{
    enum err err = epoch_table_try_key(epoch_unwrap(epoch, ledger->receiving, out), epoch, out);

    for (size_t at = ledger->old_count; at > 0 && err == ERR_NOT_FOUND; at--)
        err = epoch_table_try_key(epoch_unwrap(epoch, &ledger->old[at - 1].receiving, out), epoch,
                                  out);
    return err;
}

/* Looks in all the places the key can have come by: told before the entry, wrapped in it, or told
 * by the space's writer while somebody else's wrong word stood in its place. ERR_NOT_FOUND. */
static enum err epoch_table_find_key(const struct snapshot *snapshot, uint32_t space,
                                     const struct epoch *epoch, uint8_t out[static KEY_SIZE])
{
    struct space_row about;
    enum err err = epoch_table_try_key(epoch_table_key(snapshot, &epoch->id, out), epoch, out);

    if (err == ERR_NOT_FOUND)
        err = epoch_table_unwrap(snapshot->ledger, epoch, out);
    if (err != ERR_NOT_FOUND)
        return err;
    err = ledger_space_numbered(snapshot, space, &about);
    if (err == ERR_OK)
        err = view_peer_key_of(snapshot, &about.writer, &epoch->id, out);
    return epoch_table_try_key(err, epoch, out);
}

static enum err epoch_table_list(struct ledger_txn *txn, uint32_t space, const struct hash *id)
{
    struct key key;

    key_of_u32(space, &key);
    key_add_bytes(&key, span_of(id->bytes, HASH_SIZE));
    return ledger_put(txn, TABLE_SPACE_EPOCH, &key, span_of(NULL, 0));
}

enum err epoch_table_each(const struct snapshot *snapshot, uint32_t space, epoch_table_fn each,
                          void *self)
{
    struct kv_cursor *cursor;
    struct span at, ignored;
    struct hash id;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_SPACE_EPOCH, &cursor);

    if (err != ERR_OK)
        return err;
    key_of_u32(space, &key);
    for (err = kv_cursor_seek(cursor, key_span(&key)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &at, &ignored);
        if (at.size != 4 + HASH_SIZE || be32(at.data) != space)
            break;
        memcpy(id.bytes, at.data + 4, HASH_SIZE);
        err = each(self, &id);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* What an epoch's entry tells, but for when it was heard of; a key that came earlier by another way
 * is checked now, and dropped when it does not fit. */
static enum err epoch_table_learn(struct ledger_txn *txn, struct epoch_row *row)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t *key = secret_new(KEY_SIZE);
    struct epoch_row before;
    bool has_key;
    enum err err = key != NULL ? epoch_table_get(&snapshot, &row->id, &before) : ERR_NOMEM;

    if ((err == ERR_OK && before.is_known) || (err != ERR_OK && err != ERR_NOT_FOUND))
        goto out;
    err = err == ERR_OK ? ERR_OK : running_ms(&snapshot, &before.heard_ms);
    row->heard_ms = before.heard_ms;
    if (err == ERR_OK)
        err = epoch_table_find_key(&snapshot, row->space, &row->epoch, key);
    has_key = err == ERR_OK;
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        goto out;
    err = epoch_table_put(txn, row, NULL);
    if (err == ERR_OK && row->is_known)
        err = epoch_table_list(txn, row->space, &row->id);
    if (err == ERR_OK && has_key)
        err = ledger_add_key(txn, &row->id, key);

out:
    secret_free(key);
    return err;
}

/* Writes which epoch the log's newest unsealed entry names. */
static enum err epoch_table_index(struct ledger_txn *txn, const struct log_row *log,
                                  const struct hash *epoch)
{
    uint8_t row[HASH_SIZE + 8];
    struct key key;

    epoch_table_index_key(log->number, log->epochs_count, &key);
    memcpy(row, epoch->bytes, HASH_SIZE);
    be64_put(row + HASH_SIZE, log->tip.size);
    return ledger_put(txn, TABLE_LOG_EPOCH, &key, span_of(row, sizeof row));
}

enum err epoch_table_begin(struct ledger_txn *txn, const struct log_row *log,
                           const struct hash *epoch)
{
    static const struct hash none;

    if (log->epochs_count == 0 || memcmp(epoch, &none, sizeof none) == 0)
        return ERR_OK;
    return epoch_table_index(txn, log, epoch);
}

/* Another device of mine writes under it: its opening may have been cut meanwhile. */
static enum err epoch_table_used(struct ledger_txn *txn, const struct log_id *log)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row space;
    enum err err = ERR_OK;

    if (public_key_is_equal(&log->device, ledger_device(txn->ledger)))
        return err;
    err = ledger_space(&snapshot, &log->space, &space);
    return err == ERR_OK ? space_unsettle(txn, &space) : err;
}

enum err epoch_table_add_entry(struct ledger_txn *txn, struct ledger_touched *log,
                               struct span payload)
{
    struct epoch epoch;
    struct epoch_row row;
    enum err err = epoch_read(&log->id, payload, &epoch);

    /* An unsealed entry that is no epoch of ours takes an index all the same, so that later ones
     * keep theirs. */
    log->row.epochs_count++;
    if (err == ERR_MALFORMED)
        return ERR_OK;
    if (err != ERR_OK)
        return err;
    err = epoch_table_index(txn, &log->row, &epoch.id);
    row = (struct epoch_row){.id = epoch.id,
                             .is_known = true,
                             .space = log->row.space,
                             .epoch = epoch,
                             .log = log->row.number,
                             .seq = log->row.tip.size};
    if (err == ERR_OK)
        err = epoch.is_use ? epoch_table_used(txn, &log->id) : epoch_table_learn(txn, &row);
    return err;
}

/* In no log, it is nothing to choose from; but its key opens its parents as any does. */
enum err epoch_table_learn_cut(struct ledger_txn *txn, const struct log_id *log,
                               struct span payload)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct epoch_row row = {.log = 0};
    struct space_row space;
    enum err err = epoch_read(log, payload, &row.epoch);

    if (err != ERR_OK || row.epoch.is_use)
        return err == ERR_MALFORMED ? ERR_OK : err;
    err = ledger_space(&snapshot, &log->space, &space);
    row.id = row.epoch.id;
    row.space = space.number;
    return err == ERR_OK ? epoch_table_learn(txn, &row) : err;
}

enum err epoch_table_current(const struct snapshot *snapshot, uint32_t space, struct hash *out)
{
    static const struct hash none;
    struct space_row row;
    enum err err = ledger_space_numbered(snapshot, space, &row);

    if (err != ERR_OK)
        return err;
    *out = row.current;
    return span_is_equal(span_of(row.current.bytes, HASH_SIZE), span_of(none.bytes, HASH_SIZE))
               ? ERR_NOT_FOUND
               : ERR_OK;
}
