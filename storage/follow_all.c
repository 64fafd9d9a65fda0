/* What must see all that is there follows it in its own transaction, where that is little. Much of
 * it would hold up the writer for seconds, and its pages in memory. */
#include "storage/follow_state.h"

/* Entries from before this transaction, and those that wait for a key where some has come. */
static enum err follow_is_far_behind(struct ledger_txn *txn, bool *out)
{
    const struct ledger_counters *counters = &txn->counters;
    uint64_t waiting = 0;
    enum err err = counters->has_ready ? kv_count(txn->kv, TABLE_WAITING, &waiting) : ERR_OK;

    *out = err == ERR_OK &&
           (waiting > FOLLOW_AT_ONCE_MAX || txn->began > counters->followed + FOLLOW_AT_ONCE_MAX);
    return err;
}

enum err follow_all(struct ledger_txn *txn)
{
    bool is_far_behind = false;
    enum err err = follow_is_far_behind(txn, &is_far_behind);

    if (err == ERR_OK && is_far_behind)
        err = ERR_BEHIND;
    return err == ERR_OK ? follow_some(txn, SIZE_MAX) : err;
}
