/* The bytes of an entry's row: flags, numbers, the epoch's id where the entry was cut from its log,
 * the payload or, when that is absent, its size and hash. */
#include <string.h>

#include "storage/ledger_state.h"

enum {
    LOG_TABLE_ENTRY_OLD_SIZE = 1 + 4 + 8 + 4 + 8, /* in stores of before 2026-12 */
    LOG_TABLE_ENTRY_ROOM = 64,
    LOG_TABLE_ABSENT = 1,
    LOG_TABLE_CUT = 2,
    LOG_TABLE_SHORT = 4 /* its numbers are as buf_number writes them */
};

void log_table_entry_write(uint32_t log, uint64_t seq, const struct entry *entry,
                           const struct hash *epoch, struct buf *out)
{
    bool is_absent = entry->payload.size == 0;

    buf_reserve(out, LOG_TABLE_ENTRY_ROOM + entry->payload.size + 2 * (size_t)HASH_SIZE);
    buf_byte(out, (uint8_t)(LOG_TABLE_SHORT | (is_absent ? LOG_TABLE_ABSENT : 0) |
                            (epoch != NULL ? LOG_TABLE_CUT : 0)));
    buf_number(out, log);
    buf_number(out, seq);
    buf_number(out, entry->header.epoch_index);
    buf_number(out, entry->header.expires_at_s);
    if (epoch != NULL)
        buf_append(out, span_of(epoch->bytes, HASH_SIZE));
    if (is_absent) {
        buf_u32(out, entry->header.payload_size);
        buf_append(out, span_of(entry->header.payload_hash.bytes, HASH_SIZE));
    } else {
        buf_append(out, entry->payload);
    }
}

/* The numbers at the front of an entry's row. */
static enum err log_table_read_numbers(uint8_t flags, struct span *rest, struct entry_row *out)
{
    uint64_t log, epoch_index;

    if ((flags & LOG_TABLE_SHORT) == 0) {
        if (rest->size < LOG_TABLE_ENTRY_OLD_SIZE - 1)
            return ERR_CORRUPT;
        out->log = be32(rest->data);
        out->seq = be64(rest->data + 4);
        out->entry.header.epoch_index = be32(rest->data + 12);
        out->entry.header.expires_at_s = be64(rest->data + 16);
        *rest = span_of(rest->data + LOG_TABLE_ENTRY_OLD_SIZE - 1,
                        rest->size - (LOG_TABLE_ENTRY_OLD_SIZE - 1));
        return ERR_OK;
    }
    if (!span_take_number(rest, &log) || !span_take_number(rest, &out->seq) ||
        !span_take_number(rest, &epoch_index) ||
        !span_take_number(rest, &out->entry.header.expires_at_s) || log > UINT32_MAX ||
        epoch_index > UINT32_MAX)
        return ERR_CORRUPT;
    out->log = (uint32_t)log;
    out->entry.header.epoch_index = (uint32_t)epoch_index;
    return ERR_OK;
}

enum err log_table_entry_read(uint64_t arrival, struct span value, struct entry_row *out)
{
    uint8_t flags = value.size > 0 ? value.data[0] : 0;
    struct span rest;
    enum err err;

    if (value.size == 0)
        return ERR_CORRUPT;
    rest = span_of(value.data + 1, value.size - 1);
    *out = (struct entry_row){.arrival = arrival, .is_cut = (flags & LOG_TABLE_CUT) != 0};
    err = log_table_read_numbers(flags, &rest, out);
    if (err != ERR_OK)
        return err;
    if (out->is_cut) {
        if (rest.size < HASH_SIZE)
            return ERR_CORRUPT;
        memcpy(out->epoch.bytes, rest.data, HASH_SIZE);
        rest = span_of(rest.data + HASH_SIZE, rest.size - HASH_SIZE);
    }
    if ((flags & LOG_TABLE_ABSENT) == 0) {
        out->entry.payload = rest;
        out->entry.header.payload_size = (uint32_t)rest.size;
        return rest.size > 0 ? ERR_OK : ERR_CORRUPT;
    }
    if (rest.size != 4 + HASH_SIZE)
        return ERR_CORRUPT;
    out->entry.header.payload_size = be32(rest.data);
    memcpy(out->entry.header.payload_hash.bytes, rest.data + 4, HASH_SIZE);
    return ERR_OK;
}
