/* The logs a transaction appends to: few as a rule, one for each peer when somebody is removed. */
#include "crypto/heap.h"
#include "storage/ledger_state.h"

struct ledger_touched *touched_find(const struct ledger_txn *txn, uint32_t space,
                                    const struct public_key *device)
{
    struct ledger_touched *log = txn->touched_buckets[space % LEDGER_TOUCHED_BUCKETS];

    while (log != NULL &&
           (log->row.space != space || !public_key_is_equal(&log->row.device, device)))
        log = log->next_in_bucket;
    return log;
}

static enum err touched_add_chunk(struct ledger_txn *txn)
{
    /* Large, and most of it never looked at: not zeroed. */
    struct ledger_touched_chunk *chunk = heap_new(sizeof *chunk);

    if (chunk == NULL)
        return ERR_NOMEM;
    chunk->next = NULL;
    chunk->count = 0;
    if (txn->touched_last != NULL)
        txn->touched_last->next = chunk;
    else
        txn->touched = chunk;
    txn->touched_last = chunk;
    return ERR_OK;
}

enum err touched_place(struct ledger_txn *txn, struct ledger_touched **out)
{
    enum err err = ERR_OK;

    if (txn->touched_count == LEDGER_TOUCHED_MAX)
        return ERR_LIMIT;
    if (txn->touched_last == NULL || txn->touched_last->count == LEDGER_TOUCHED_CHUNK)
        err = touched_add_chunk(txn);
    if (err != ERR_OK)
        return err;
    *out = &txn->touched_last->logs[txn->touched_last->count];
    **out = (struct ledger_touched){0};
    return ERR_OK;
}

void touched_keep(struct ledger_txn *txn, struct ledger_touched *log)
{
    struct ledger_touched **bucket = &txn->touched_buckets[log->row.space % LEDGER_TOUCHED_BUCKETS];

    log->next_in_bucket = *bucket;
    *bucket = log;
    txn->touched_last->count++;
    txn->touched_count++;
}

void touched_release(struct ledger_txn *txn)
{
    for (struct ledger_touched_chunk *chunk = txn->touched, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        heap_free(chunk);
    }
}
