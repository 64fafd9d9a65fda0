/* Keys begin with the space, so that one space's rows lie together. */
#include "storage/return_table.h"

#include <string.h>

enum {
    RETURN_TABLE_FIXED = 8 + HASH_SIZE + SIGNATURE_SIZE,
    RETURN_TABLE_KEY_SIZE = 4 + 32 + HASH_SIZE
};

static void return_table_key(uint32_t space, const struct public_key *device,
                             const struct hash *end, struct key *out)
{
    key_of_u32(space, out);
    key_add_bytes(out, span_of(device->bytes, 32));
    if (end != NULL)
        key_add_bytes(out, span_of(end->bytes, HASH_SIZE));
}

/* PROTOCOL RETURN-1: "Returns are whole batches, each closed by a head of the device that wrote it.
 * They are kept beside the space's logs;" */
enum err return_table_put(struct ledger_txn *txn, uint32_t space, const struct public_key *device,
                          const struct hash *end, const struct return_row *row)
{
    struct buf value = {0};
    struct key key;
    enum err err;

    buf_u64(&value, row->start_size);
    buf_append(&value, span_of(row->start_hash.bytes, HASH_SIZE));
    buf_append(&value, span_of(row->signature, SIGNATURE_SIZE));
    for (size_t at = 0; at < row->count; at++)
        buf_u64(&value, row->arrivals[at]);
    err = buf_err(&value);
    return_table_key(space, device, end, &key);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_RETURN, &key, buf_span(&value));
    buf_release(&value);
    return err;
}

static enum err return_table_read(struct span value, struct return_row *out)
{
    if (value.size < RETURN_TABLE_FIXED + 8 || (value.size - RETURN_TABLE_FIXED) % 8 != 0 ||
        (value.size - RETURN_TABLE_FIXED) / 8 > BLOCK_ENTRIES_MAX)
        return ERR_CORRUPT;
    out->start_size = be64(value.data);
    memcpy(out->start_hash.bytes, value.data + 8, HASH_SIZE);
    memcpy(out->signature, value.data + 8 + HASH_SIZE, SIGNATURE_SIZE);
    out->count = (value.size - RETURN_TABLE_FIXED) / 8;
    for (size_t at = 0; at < out->count; at++)
        out->arrivals[at] = be64(value.data + RETURN_TABLE_FIXED + 8 * at);
    return ERR_OK;
}

enum err return_table_get(const struct snapshot *snapshot, uint32_t space,
                          const struct public_key *device, const struct hash *end,
                          struct return_row *out)
{
    struct span value;
    struct key key;
    enum err err;

    return_table_key(space, device, end, &key);
    err = ledger_get(snapshot, TABLE_RETURN, &key, &value);
    return err == ERR_OK ? return_table_read(value, out) : err;
}

enum err return_table_drop(struct ledger_txn *txn, uint32_t space, const struct public_key *device,
                           const struct hash *end)
{
    struct key key;
    enum err err;

    return_table_key(space, device, end, &key);
    err = ledger_erase(txn, TABLE_RETURN, &key);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err return_table_next(const struct snapshot *snapshot, struct return_place *place,
                           struct return_row *out)
{
    struct kv_cursor *cursor;
    struct span at, value;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_RETURN, &cursor);

    if (err != ERR_OK)
        return err;
    return_table_key(place->space, &place->device, &place->end, &key);
    if (place->is_begun)
        key_add_byte(&key, 0); /* Just behind it. */
    err = kv_cursor_seek(cursor, key_span(&key));
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &at, &value);
        err = at.size == RETURN_TABLE_KEY_SIZE ? return_table_read(value, out) : ERR_CORRUPT;
    }
    if (err == ERR_OK) {
        place->space = be32(at.data);
        memcpy(place->device.bytes, at.data + 4, 32);
        memcpy(place->end.bytes, at.data + 36, HASH_SIZE);
        place->is_begun = true;
    }
    kv_cursor_close(cursor);
    return err;
}

enum err return_table_each(const struct snapshot *snapshot, uint32_t space,
                           const struct public_key *device, return_row_fn each, void *self)
{
    struct return_place place = {.space = space, .device = *device};
    struct return_row row;
    enum err err = ERR_OK;

    while (err == ERR_OK) {
        err = return_table_next(snapshot, &place, &row);
        if (err != ERR_OK || place.space != space || !public_key_is_equal(&place.device, device))
            break;
        err = each(self, &place.end, &row);
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err return_table_is_empty(const struct snapshot *snapshot, bool *out)
{
    uint64_t count = 0;
    enum err err = kv_count(snapshot->kv, TABLE_RETURN, &count);

    *out = count == 0;
    return err;
}

/* Entries by hash. */

static void return_table_hash_key(uint32_t space, const struct hash *payload, struct key *out)
{
    key_of_u32(space, out);
    key_add_bytes(out, span_of(payload->bytes, HASH_SIZE));
}

static void return_table_cut_key(const struct return_cut *cut, struct key *out)
{
    key_of_u32(cut->log, out);
    key_add_u64(out, cut->seq);
    key_add_bytes(out, span_of(cut->payload.bytes, HASH_SIZE));
}

enum err return_table_put_cut(struct ledger_txn *txn, const struct return_cut *cut,
                              uint64_t arrival)
{
    uint8_t value[8];
    struct key key;

    be64_put(value, arrival);
    return_table_cut_key(cut, &key);
    return ledger_put(txn, TABLE_CUT, &key, span_of(value, sizeof value));
}

enum err return_table_drop_cut(struct ledger_txn *txn, const struct return_cut *cut)
{
    struct key key;
    enum err err;

    return_table_cut_key(cut, &key);
    err = ledger_erase(txn, TABLE_CUT, &key);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err return_table_cut(const struct snapshot *snapshot, const struct return_cut *cut,
                          uint64_t *out_arrival)
{
    struct span value;
    struct key key;
    enum err err;

    return_table_cut_key(cut, &key);
    err = ledger_get(snapshot, TABLE_CUT, &key, &value);
    if (err == ERR_OK && value.size != 8)
        err = ERR_CORRUPT;
    if (err == ERR_OK)
        *out_arrival = be64(value.data);
    return err;
}

enum err return_table_cuts(const struct snapshot *snapshot, uint32_t log, return_cut_fn each,
                           void *self)
{
    struct kv_cursor *cursor;
    struct span at, value;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_CUT, &cursor);

    if (err != ERR_OK)
        return err;
    key_of_u32(log, &key);
    for (err = kv_cursor_seek(cursor, key_span(&key)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &at, &value);
        if (at.size < 4 || be32(at.data) != log)
            break;
        err = value.size == 8 ? each(self, be64(value.data)) : ERR_CORRUPT;
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err return_table_put_restated(struct ledger_txn *txn, uint32_t space,
                                   const struct hash *payload, uint32_t log, uint64_t arrival)
{
    uint8_t value[8];
    struct key key;

    be64_put(value, arrival);
    return_table_hash_key(space, payload, &key);
    key_add_u32(&key, log);
    return ledger_put(txn, TABLE_RESTATED, &key, span_of(value, sizeof value));
}

enum err return_table_is_restated(const struct snapshot *snapshot, uint32_t space,
                                  const struct hash *payload, bool *out)
{
    struct kv_cursor *cursor;
    struct entry_row entry;
    struct span at, value;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_RESTATED, &cursor);

    *out = false;
    if (err != ERR_OK)
        return err;
    return_table_hash_key(space, payload, &key);
    for (err = kv_cursor_seek(cursor, key_span(&key)); err == ERR_OK && !*out;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &at, &value);
        if (at.size != key.size + 4 || memcmp(at.data, key.bytes, key.size) != 0 || value.size != 8)
            break;
        err = ledger_entry(snapshot, be64(value.data), &entry);
        *out = err == ERR_OK && !entry.is_cut;
        if (err != ERR_OK || *out)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
