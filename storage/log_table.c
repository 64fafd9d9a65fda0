/* Spaces, logs, heads and entries as rows. Entries lie under arrival numbers, always at the end;
 * runs say where. */
#include <string.h>

#include "crypto/heap.h"
#include "proto/limits.h"
#include "storage/ledger_state.h"
#include "storage/writer_table.h"

enum {
    LOG_TABLE_SPACE_OLD_SIZE = ID_SIZE + 2 + 64 + HASH_SIZE, /* in stores of before 2026-12 */
    LOG_TABLE_SPACE_SIZE = LOG_TABLE_SPACE_OLD_SIZE + 1,
    LOG_TABLE_LOG_OLD_SIZE = 4 + 32 + 8 + HASH_SIZE + 8 + SIGNATURE_SIZE + 4 + 8,
    LOG_TABLE_LOG_SIZE = LOG_TABLE_LOG_OLD_SIZE + 4 + 8,
    LOG_TABLE_HEAD_SIZE = HASH_SIZE + SIGNATURE_SIZE + 8
};

/* Spaces. */

static enum err log_table_read_space(uint32_t number, struct span row, struct space_row *out)
{
    if (row.size != LOG_TABLE_SPACE_SIZE && row.size != LOG_TABLE_SPACE_OLD_SIZE)
        return ERR_CORRUPT;
    out->number = number;
    memcpy(out->id.bytes, row.data, ID_SIZE);
    out->kind = (enum space_kind)row.data[16];
    out->is_mine = row.data[17] != 0;
    memcpy(out->writer.bytes, row.data + 18, 32);
    memcpy(out->reader.bytes, row.data + 50, 32);
    memcpy(out->current.bytes, row.data + 82, HASH_SIZE);
    out->is_unsettled = row.size == LOG_TABLE_SPACE_SIZE && row.data[114] != 0;
    return ERR_OK;
}

enum err ledger_space_numbered(const struct snapshot *snapshot, uint32_t number,
                               struct space_row *out)
{
    struct span row;
    struct key key;
    enum err err;

    key_of_u32(number, &key);
    err = ledger_get_sealed(snapshot, TABLE_SPACE, &key, &row);
    return err == ERR_OK ? log_table_read_space(number, row, out) : err;
}

enum err ledger_space(const struct snapshot *snapshot, const struct id *id, struct space_row *out)
{
    struct span row;
    struct key key;
    enum err err;

    key_of_bytes(span_of(id->bytes, ID_SIZE), &key);
    err = ledger_get(snapshot, TABLE_SPACE_ID, &key, &row);
    if (err == ERR_OK && row.size != 4)
        err = ERR_CORRUPT;
    return err == ERR_OK ? ledger_space_numbered(snapshot, be32(row.data), out) : err;
}

/* ERR_STATE: this store does not say. A member may have a thousand spaces and none of these. */
static enum err log_table_network(const struct snapshot *snapshot, struct space_row *out)
{
    struct span row;
    struct key key;
    enum err err;

    key_of_byte(META_NETWORK, &key);
    err = ledger_get_sealed(snapshot, TABLE_META, &key, &row);
    if (err == ERR_OK && row.size != 4)
        err = ERR_CORRUPT;
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_STATE : err;
    return be32(row.data) == 0 ? ERR_NOT_FOUND
                               : ledger_space_numbered(snapshot, be32(row.data), out);
}

enum err ledger_own_space(const struct snapshot *snapshot, enum space_kind kind,
                          struct space_row *out)
{
    enum err err = kind == SPACE_NETWORK ? log_table_network(snapshot, out) : ERR_STATE;

    /* Numbers are dense, and self and card are made first: the walk is short. */
    for (uint32_t number = 1; err == ERR_STATE; number++) {
        enum err read = ledger_space_numbered(snapshot, number, out);

        if (read != ERR_OK || (out->is_mine && out->kind == kind))
            err = read;
    }
    return err;
}

static enum err log_table_put_network(struct ledger_txn *txn, uint32_t number)
{
    uint8_t row[4];
    struct key key;

    be32_put(row, number);
    key_of_byte(META_NETWORK, &key);
    return ledger_put_sealed(txn, TABLE_META, &key, span_of(row, sizeof row));
}

enum err log_table_find_network(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row network = {.number = 0};
    enum err err = ledger_own_space(&snapshot, SPACE_NETWORK, &network);

    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    return log_table_put_network(txn, err == ERR_OK ? network.number : 0);
}

enum err ledger_put_space(struct ledger_txn *txn, const struct space_row *space)
{
    uint8_t row[LOG_TABLE_SPACE_SIZE];
    struct key key;

    memcpy(row, space->id.bytes, ID_SIZE);
    row[16] = (uint8_t)space->kind;
    row[17] = space->is_mine ? 1 : 0;
    memcpy(row + 18, space->writer.bytes, 32);
    memcpy(row + 50, space->reader.bytes, 32);
    memcpy(row + 82, space->current.bytes, HASH_SIZE);
    row[114] = space->is_unsettled ? 1 : 0;
    key_of_u32(space->number, &key);
    return ledger_put_sealed(txn, TABLE_SPACE, &key, span_of(row, sizeof row));
}

enum err ledger_add_space(struct ledger_txn *txn, const struct space_row *space)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row row = *space, first;
    uint8_t number[4];
    struct key key;
    struct span known;
    enum err err;

    key_of_bytes(span_of(space->id.bytes, ID_SIZE), &key);
    err = ledger_get(&snapshot, TABLE_SPACE_ID, &key, &known);
    if (err != ERR_NOT_FOUND)
        return err;
    row.number = ++txn->counters.spaces;
    be32_put(number, row.number);
    err = ledger_put(txn, TABLE_SPACE_ID, &key, span_of(number, sizeof number));
    if (err == ERR_OK)
        err = ledger_put_space(txn, &row);
    if (err == ERR_OK)
        err = writer_table_put(txn, &row);
    if (err != ERR_OK || !row.is_mine || row.kind != SPACE_NETWORK)
        return err;
    err = log_table_network(&snapshot, &first);
    return err == ERR_NOT_FOUND ? log_table_put_network(txn, row.number)
           : err == ERR_STATE   ? ERR_OK
                                : err;
}

/* Logs. */

static enum err log_table_read(uint32_t number, struct span row, struct log_row *out)
{
    const uint8_t *at = row.data;

    if (row.size != LOG_TABLE_LOG_SIZE && row.size != LOG_TABLE_LOG_OLD_SIZE + 4 &&
        row.size != LOG_TABLE_LOG_OLD_SIZE)
        return ERR_CORRUPT;
    out->number = number;
    out->space = be32(at);
    memcpy(out->device.bytes, at + 4, 32);
    out->tip.size = be64(at + 36);
    memcpy(out->tip.hash.bytes, at + 44, HASH_SIZE);
    out->tip.block_entries = be32(at + 76);
    out->tip.block_bytes = be32(at + 80);
    memcpy(out->head_signature, at + 84, SIGNATURE_SIZE);
    out->epochs_count = be32(at + 148);
    out->payload_bytes = be64(at + 152);
    out->cuts = row.size > LOG_TABLE_LOG_OLD_SIZE ? be32(at + 160) : 0;
    out->start = row.size == LOG_TABLE_LOG_SIZE ? be64(at + 164) : 0;
    return ERR_OK;
}

enum err log_table_put(struct ledger_txn *txn, const struct log_row *log)
{
    uint8_t row[LOG_TABLE_LOG_SIZE];
    struct key key;

    be32_put(row, log->space);
    memcpy(row + 4, log->device.bytes, 32);
    be64_put(row + 36, log->tip.size);
    memcpy(row + 44, log->tip.hash.bytes, HASH_SIZE);
    be32_put(row + 76, log->tip.block_entries);
    be32_put(row + 80, log->tip.block_bytes);
    memcpy(row + 84, log->head_signature, SIGNATURE_SIZE);
    be32_put(row + 148, log->epochs_count);
    be64_put(row + 152, log->payload_bytes);
    be32_put(row + 160, log->cuts);
    be64_put(row + 164, log->start);
    key_of_u32(log->number, &key);
    return ledger_put_sealed(txn, TABLE_LOG, &key, span_of(row, sizeof row));
}

enum err ledger_log_numbered(const struct snapshot *snapshot, uint32_t number, struct log_row *out)
{
    struct span row;
    struct key key;
    enum err err;

    key_of_u32(number, &key);
    err = ledger_get_sealed(snapshot, TABLE_LOG, &key, &row);
    return err == ERR_OK ? log_table_read(number, row, out) : err;
}

static void log_table_id_key(uint32_t space, const struct public_key *device, struct key *out)
{
    key_of_u32(space, out);
    key_add_bytes(out, span_of(device->bytes, 32));
}

enum err ledger_log(const struct snapshot *snapshot, const struct log_id *id, struct log_row *out)
{
    struct space_row space;
    struct span row;
    struct key key;
    enum err err = ledger_space(snapshot, &id->space, &space);

    if (err != ERR_OK)
        return err;
    log_table_id_key(space.number, &id->device, &key);
    err = ledger_get(snapshot, TABLE_LOG_ID, &key, &row);
    if (err == ERR_OK && row.size != 4)
        err = ERR_CORRUPT;
    return err == ERR_OK ? ledger_log_numbered(snapshot, be32(row.data), out) : err;
}

enum err ledger_logs(const struct snapshot *snapshot, uint32_t space, ledger_log_fn each,
                     void *self)
{
    struct kv_cursor *cursor;
    struct span key_bytes, value;
    struct log_row log;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_LOG_ID, &cursor);

    if (err != ERR_OK)
        return err;
    key_of_u32(space, &key);
    for (err = kv_cursor_seek(cursor, key_span(&key)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key_bytes, &value);
        if (key_bytes.size != 36 || value.size != 4) {
            err = ERR_CORRUPT;
            break;
        }
        if (be32(key_bytes.data) != space)
            break;
        err = ledger_log_numbered(snapshot, be32(value.data), &log);
        if (err == ERR_OK)
            err = each(self, &log);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err log_table_number(struct ledger_txn *txn, uint32_t space, const struct public_key *device,
                          uint32_t *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct log_row log = {.space = space, .device = *device};
    struct space_row about;
    struct log_id id = {.device = *device};
    uint8_t number[4];
    struct span row;
    struct key key;
    enum err err;

    log_table_id_key(space, device, &key);
    err = ledger_get(&snapshot, TABLE_LOG_ID, &key, &row);
    if (err == ERR_OK)
        *out = be32(row.data);
    if (err != ERR_NOT_FOUND)
        return err;
    err = ledger_space_numbered(&snapshot, space, &about);
    if (err != ERR_OK)
        return err;
    id.space = about.id;
    chain_begin(&id, &log.tip);
    log.number = ++txn->counters.logs;
    be32_put(number, log.number);
    err = ledger_put(txn, TABLE_LOG_ID, &key, span_of(number, sizeof number));
    if (err == ERR_OK)
        err = log_table_put(txn, &log);
    *out = log.number;
    return err;
}

enum err log_table_now(struct ledger_txn *txn, const struct space_row *space,
                       const struct public_key *device, struct log_row *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct ledger_touched *touched = touched_find(txn, space->number, device);
    struct log_id id = {.space = space->id, .device = *device};
    enum err err;

    if (touched != NULL) {
        *out = touched->row;
        return ERR_OK;
    }
    err = ledger_log(&snapshot, &id, out);
    if (err != ERR_NOT_FOUND)
        return err;
    *out = (struct log_row){.space = space->number, .device = *device};
    chain_begin(&id, &out->tip);
    return ERR_OK;
}

enum err log_table_touch(struct ledger_txn *txn, const struct space_row *space,
                         const struct public_key *device, struct ledger_touched **out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct ledger_touched *touched = touched_find(txn, space->number, device);
    uint32_t number;
    enum err err;

    if (touched != NULL) {
        *out = touched;
        return ERR_OK;
    }
    err = log_table_number(txn, space->number, device, &number);
    if (err == ERR_OK)
        err = touched_place(txn, &touched);
    if (err == ERR_OK)
        err = ledger_log_numbered(&snapshot, number, &touched->row);
    if (err != ERR_OK)
        return err;
    touched->id = (struct log_id){.space = space->id, .device = *device};
    touched->is_own = public_key_is_equal(device, ledger_device(txn->ledger));
    touched->must_sign = false;
    touched_keep(txn, touched);
    *out = touched;
    return ERR_OK;
}

/* Heads at block ends. */

static void log_table_head_key(uint32_t log, uint64_t size, struct key *out)
{
    key_of_u32(log, out);
    key_add_u64(out, size);
}

enum err log_table_put_head(struct ledger_txn *txn, const struct log_row *log,
                            const struct head *head)
{
    uint8_t row[LOG_TABLE_HEAD_SIZE];
    struct key key;

    memcpy(row, head->hash.bytes, HASH_SIZE);
    memcpy(row + HASH_SIZE, head->signature, SIGNATURE_SIZE);
    be64_put(row + HASH_SIZE + SIGNATURE_SIZE, log->payload_bytes);
    log_table_head_key(log->number, head->size, &key);
    return ledger_put(txn, TABLE_HEAD, &key, span_of(row, sizeof row));
}

enum err log_table_head(const struct snapshot *snapshot, uint32_t log, uint64_t size,
                        struct head *out)
{
    struct span row;
    struct key key;
    enum err err;

    log_table_head_key(log, size, &key);
    err = ledger_get(snapshot, TABLE_HEAD, &key, &row);
    if (err != ERR_OK)
        return err;
    if (row.size != LOG_TABLE_HEAD_SIZE)
        return ERR_CORRUPT;
    out->size = size;
    memcpy(out->hash.bytes, row.data, HASH_SIZE);
    memcpy(out->signature, row.data + HASH_SIZE, SIGNATURE_SIZE);
    return ERR_OK;
}

/* Entries. */

enum err log_table_put_run(struct ledger_txn *txn, uint32_t log, uint64_t seq, uint64_t arrival)
{
    uint8_t value[8];
    struct key key;

    be64_put(value, arrival);
    log_table_head_key(log, seq, &key);
    return ledger_put(txn, TABLE_RUN, &key, span_of(value, sizeof value));
}

enum err log_table_put_entry(struct ledger_txn *txn, uint64_t arrival, uint32_t log, uint64_t seq,
                             const struct entry *entry, const struct hash *epoch)
{
    struct buf row = {0};
    struct key key;
    enum err err;

    log_table_entry_write(log, seq, entry, epoch, &row);
    err = buf_err(&row);
    key_of_u64(arrival, &key);
    if (err == ERR_OK && arrival > txn->counters.arrival) {
        err = kv_append(txn->kv, TABLE_ENTRY, key_span(&key), buf_span(&row));
        (void)ledger_note(txn, err); /* The log's chain has gone on already. */
    } else if (err == ERR_OK) {
        err = ledger_put(txn, TABLE_ENTRY, &key, buf_span(&row));
    }
    buf_release(&row);
    return err;
}

enum err log_table_add_entry(struct ledger_txn *txn, const struct ledger_touched *log, uint64_t seq,
                             const struct entry *entry)
{
    uint64_t arrival = txn->counters.arrival + 1;
    enum err err = log_table_put_entry(txn, arrival, log->row.number, seq, entry, NULL);

    if (err == ERR_OK && (txn->counters.last_log != log->row.number || arrival == 1))
        err = log_table_put_run(txn, log->row.number, seq, arrival);
    if (err == ERR_OK) {
        txn->counters.arrival = arrival;
        txn->counters.last_log = log->row.number;
    }
    return err;
}

enum err ledger_entry(const struct snapshot *snapshot, uint64_t arrival, struct entry_row *out)
{
    struct span value;
    struct key key;
    enum err err;

    key_of_u64(arrival, &key);
    err = ledger_get(snapshot, TABLE_ENTRY, &key, &value);
    return err == ERR_OK ? log_table_entry_read(arrival, value, out) : err;
}

enum err log_table_arrival(const struct snapshot *snapshot, uint32_t log, uint64_t seq,
                           uint64_t *out)
{
    struct kv_cursor *cursor;
    struct span key_bytes, value;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_RUN, &cursor);

    if (err != ERR_OK)
        return err;
    log_table_head_key(log, seq + 1, &key);
    err = kv_cursor_seek(cursor, key_span(&key));
    if (err == ERR_OK)
        err = kv_cursor_previous(cursor);
    else if (err == ERR_NOT_FOUND)
        err = kv_cursor_last(cursor);
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key_bytes, &value);
        if (key_bytes.size != 12 || value.size != 8)
            err = ERR_CORRUPT;
        else if (be32(key_bytes.data) != log || be64(key_bytes.data + 4) > seq)
            err = ERR_NOT_FOUND;
        else
            *out = be64(value.data) + (seq - be64(key_bytes.data + 4));
    }
    kv_cursor_close(cursor);
    return err;
}

enum err ledger_entry_at(const struct snapshot *snapshot, uint32_t log, uint64_t seq,
                         struct entry_row *out)
{
    uint64_t arrival;
    enum err err = log_table_arrival(snapshot, log, seq, &arrival);

    if (err == ERR_OK)
        err = ledger_entry(snapshot, arrival, out);
    if (err == ERR_OK && (out->log != log || out->seq != seq || out->is_cut))
        err = ERR_NOT_FOUND;
    return err;
}

/* The last block's end at or before size; a log's beginning when there is none. */
struct log_table_block {
    uint64_t size;
    struct hash hash; /* only when size > 0 */
    uint64_t payload_bytes;
};

static enum err log_table_block_before(const struct snapshot *snapshot, uint32_t log, uint64_t size,
                                       struct log_table_block *out)
{
    struct kv_cursor *cursor;
    struct span key_bytes, value;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_HEAD, &cursor);

    *out = (struct log_table_block){0};
    if (err != ERR_OK)
        return err;
    log_table_head_key(log, size + 1, &key);
    err = kv_cursor_seek(cursor, key_span(&key));
    err = err == ERR_OK          ? kv_cursor_previous(cursor)
          : err == ERR_NOT_FOUND ? kv_cursor_last(cursor)
                                 : err;
    if (err == ERR_OK) {
        kv_cursor_at(cursor, &key_bytes, &value);
        if (key_bytes.size != 12 || value.size != LOG_TABLE_HEAD_SIZE) {
            err = ERR_CORRUPT;
        } else if (be32(key_bytes.data) == log) {
            out->size = be64(key_bytes.data + 4);
            memcpy(out->hash.bytes, value.data, HASH_SIZE);
            out->payload_bytes = be64(value.data + HASH_SIZE + SIGNATURE_SIZE);
        }
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err log_table_block_end(const struct snapshot *snapshot, uint32_t log, uint64_t size,
                             uint64_t *out)
{
    struct log_table_block block;
    enum err err = log_table_block_before(snapshot, log, size, &block);

    *out = block.size;
    return err;
}

/* From the last block's end at or before size, forward; a block has at most BLOCK_ENTRIES_MAX
 * entries. */
enum err ledger_chain_at(const struct snapshot *snapshot, const struct log_row *log,
                         const struct log_id *id, uint64_t size, struct chain *out)
{
    struct log_table_block block;
    enum err err;

    if (size > log->tip.size || (size > 0 && size < log->start))
        return ERR_NOT_FOUND;
    if (size == log->tip.size) {
        *out = log->tip;
        return ERR_OK;
    }
    err = log_table_block_before(snapshot, log->number, size, &block);
    if (err != ERR_OK)
        return err;
    chain_begin(id, out);
    if (block.size > 0)
        *out = (struct chain){.size = block.size, .hash = block.hash};
    while (err == ERR_OK && out->size < size) {
        struct entry_row row;

        err = ledger_entry_at(snapshot, log->number, out->size + 1, &row);
        if (err == ERR_OK && row.entry.payload.size > 0)
            entry_hash_payload(&row.entry);
        if (err == ERR_OK)
            (void)chain_extend(out, &row.entry.header); /* Block ends were looked up. */
    }
    return err;
}

enum err ledger_bytes_at(const struct snapshot *snapshot, const struct log_row *log, uint64_t size,
                         uint64_t *out)
{
    struct log_table_block block;
    enum err err;

    if (size >= log->tip.size) {
        *out = log->payload_bytes;
        return ERR_OK;
    }
    err = log_table_block_before(snapshot, log->number, size, &block);
    for (uint64_t seq = block.size + 1; err == ERR_OK && seq <= size; seq++) {
        struct entry_row row;

        err = ledger_entry_at(snapshot, log->number, seq, &row);
        if (err == ERR_OK)
            block.payload_bytes += row.entry.header.payload_size;
    }
    *out = block.payload_bytes;
    return err;
}
