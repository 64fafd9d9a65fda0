/* One row. */
#include "storage/uptime.h"

#include "storage/ledger_state.h"

enum err uptime_ms(const struct snapshot *snapshot, uint64_t *out)
{
    struct span value;
    struct key key;
    enum err err;

    *out = 0;
    key_of_byte(META_UPTIME, &key);
    err = ledger_get_sealed(snapshot, TABLE_META, &key, &value);
    if (err == ERR_OK && value.size == 8)
        *out = be64(value.data);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err uptime_add(struct ledger_txn *txn, uint64_t more_ms)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t value[8];
    uint64_t before;
    struct key key;
    enum err err = uptime_ms(&snapshot, &before);

    if (err != ERR_OK)
        return err;
    be64_put(value, before + more_ms);
    key_of_byte(META_UPTIME, &key);
    return ledger_put_sealed(txn, TABLE_META, &key, span_of(value, sizeof value));
}
