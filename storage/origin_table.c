/* A row is log u32, seq u64, time u64, device, payload hash. */
#include "storage/origin_table.h"

#include <string.h>

#include "storage/ledger_state.h"

enum { ORIGIN_TABLE_SIZE = 4 + 8 + 8 + 32 + HASH_SIZE };

enum err origin_table_get(const struct snapshot *snapshot, uint64_t arrival, struct origin *out)
{
    struct span row;
    struct key key;
    enum err err;

    key_of_u64(arrival, &key);
    err = ledger_get(snapshot, TABLE_ORIGIN, &key, &row);
    if (err == ERR_OK && row.size != ORIGIN_TABLE_SIZE)
        err = ERR_CORRUPT;
    if (err != ERR_OK)
        return err;
    *out = (struct origin){.arrival = arrival,
                           .log = be32(row.data),
                           .seq = be64(row.data + 4),
                           .time_ms = be64(row.data + 12)};
    memcpy(out->device.bytes, row.data + 20, 32);
    memcpy(out->entry_hash.bytes, row.data + 52, HASH_SIZE);
    return ERR_OK;
}

enum err origin_table_put(struct ledger_txn *txn, const struct origin *origin)
{
    uint8_t row[ORIGIN_TABLE_SIZE];
    struct key key;

    be32_put(row, origin->log);
    be64_put(row + 4, origin->seq);
    be64_put(row + 12, origin->time_ms);
    memcpy(row + 20, origin->device.bytes, 32);
    memcpy(row + 52, origin->entry_hash.bytes, HASH_SIZE);
    key_of_u64(origin->arrival, &key);
    return ledger_put(txn, TABLE_ORIGIN, &key, span_of(row, sizeof row));
}
