/* Logs that begin at a block's end: where a writer begins one for a newcomer, and how the newcomer
 * holds it. */
#include "crypto/heap.h"
#include "storage/ledger_state.h"
#include "storage/view_restate.h"

/* PROTOCOL BEGIN-3: "Its start stands for all that is before it." It is the end of a block, and is
 * found as one, though its signature is not known. */
enum err log_table_begin(struct ledger_txn *txn, struct ledger_touched *log,
                         const struct log_beginning *beginning)
{
    const struct head head = {.size = beginning->size, .hash = beginning->hash};
    enum err err;

    KITH_ASSERT(log->row.tip.size == 0 && beginning->size > 0);
    log->row.tip = (struct chain){.size = beginning->size, .hash = beginning->hash};
    log->row.start = beginning->size;
    log->row.payload_bytes = 0;
    log->row.epochs_count = beginning->epochs_count;
    err = log_table_put_head(txn, &log->row, &head);
    return err == ERR_OK ? epoch_table_begin(txn, &log->row, &beginning->epoch) : err;
}

/* How many unsealed entries there are up to size: the next sealed one says it. */
enum err log_table_begin_count(const struct snapshot *snapshot, const struct log_row *log,
                               uint64_t size, uint32_t *out)
{
    uint32_t unsealed = 0;

    *out = log->epochs_count;
    for (uint64_t seq = size + 1; seq <= log->tip.size; seq++) {
        struct entry_row entry;
        enum err err = ledger_entry_at(snapshot, log->number, seq, &entry);

        if (err != ERR_OK)
            return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
        if (entry.entry.header.epoch_index > 0) {
            *out = entry.entry.header.epoch_index;
            break;
        }
        unsealed++;
    }
    *out -= unsealed < *out ? unsealed : *out;
    return ERR_OK;
}

/* The newest block's end at or below size that has an entry behind it; size 0 when there is none.
 */
static enum err log_table_begin_at(const struct snapshot *snapshot, const struct log_row *log,
                                   uint64_t size, struct log_beginning *out)
{
    struct head head;
    enum err err;

    if (log->tip.size == 0)
        return ERR_OK;
    size = size < log->tip.size ? size : log->tip.size - 1;
    err = log_table_block_end(snapshot, log->number, size, &size);
    if (err != ERR_OK || size == 0)
        return err;
    err = log_table_head(snapshot, log->number, size, &head);
    if (err == ERR_OK)
        err = log_table_begin_count(snapshot, log, size, &out->epochs_count);
    if (err == ERR_OK && out->epochs_count > 0)
        err = epoch_table_of_log(snapshot, log->number, out->epochs_count, &out->epoch);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    out->size = size;
    out->hash = head.hash;
    return ERR_OK;
}

/* PROTOCOL BEGIN-1: "For a peer that holds nothing of it, a log of a space that was restated begins
 * at the newest block's end under the mark of the restatement that counts, and before the log's
 * end; for another device of the reader's member, where the reader's own copy starts." */
enum err log_table_begin_for(const struct snapshot *snapshot, const struct log_id *id, bool is_own,
                             struct log_beginning *out)
{
    struct view_restate *restate;
    struct space_row space;
    struct log_row log;
    enum err err = ledger_space(snapshot, &id->space, &space);

    *out = (struct log_beginning){0};
    if (err == ERR_OK)
        err = ledger_log(snapshot, id, &log);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (is_own || !space.is_mine)
        return is_own && log.start > 0 ? log_table_begin_at(snapshot, &log, log.start, out)
                                       : ERR_OK;
    restate = heap_new(sizeof *restate);
    err = restate != NULL ? view_restate_load(snapshot, space.number, restate) : ERR_NOMEM;
    if (err == ERR_OK && restate->is_there)
        err = log_table_begin_at(snapshot, &log, view_restate_covered(restate, log.number), out);
    heap_free(restate);
    return err;
}
