/* The newest complete restatement of each space, one row a space. */
#include "storage/view_restate.h"

#include <string.h>

#include "crypto/heap.h"
#include "storage/agenda.h"
#include "storage/ledger_state.h"

enum { VIEW_RESTATE_FIXED = 4 + HASH_SIZE + 4 + 8 + 8 + 8 + 8, VIEW_RESTATE_COVER = 12 };

/* Rows. */

enum err view_restate_load(const struct snapshot *snapshot, uint32_t space,
                           struct view_restate *out)
{
    struct span row;
    struct key key;
    enum err err;

    out->is_there = false;
    out->covers_count = 0;
    key_of_u32(space, &key);
    err = ledger_get(snapshot, TABLE_RESTATE, &key, &row);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (row.size < VIEW_RESTATE_FIXED || (row.size - VIEW_RESTATE_FIXED) % VIEW_RESTATE_COVER != 0)
        return ERR_CORRUPT;
    out->is_there = true;
    out->depth = be32(row.data);
    memcpy(out->epoch.bytes, row.data + 4, HASH_SIZE);
    out->log = be32(row.data + 36);
    out->begin = be64(row.data + 40);
    out->end = be64(row.data + 48);
    out->since = (struct moment){be64(row.data + 56), be64(row.data + 64)};
    out->covers_count = (row.size - VIEW_RESTATE_FIXED) / VIEW_RESTATE_COVER;
    if (out->covers_count > LOGS_PER_PEER_MAX)
        return ERR_CORRUPT;
    for (size_t at = 0; at < out->covers_count; at++) {
        const uint8_t *cover = row.data + VIEW_RESTATE_FIXED + at * VIEW_RESTATE_COVER;

        out->covers[at] = (struct view_restate_cover){.log = be32(cover), .size = be64(cover + 4)};
    }
    return ERR_OK;
}

static enum err view_restate_put(struct ledger_txn *txn, uint32_t space,
                                 const struct view_restate *restate)
{
    struct buf row = {0};
    struct key key;
    enum err err;

    buf_u32(&row, restate->depth);
    buf_append(&row, span_of(restate->epoch.bytes, HASH_SIZE));
    buf_u32(&row, restate->log);
    buf_u64(&row, restate->begin);
    buf_u64(&row, restate->end);
    buf_u64(&row, restate->since.running_ms);
    buf_u64(&row, restate->since.wall_ms);
    for (size_t at = 0; at < restate->covers_count; at++) {
        buf_u32(&row, restate->covers[at].log);
        buf_u64(&row, restate->covers[at].size);
    }
    err = buf_err(&row);
    key_of_u32(space, &key);
    if (err == ERR_OK)
        err = ledger_put(txn, TABLE_RESTATE, &key, buf_span(&row));
    buf_release(&row);
    return err;
}

/* Questions. */

uint64_t view_restate_covered(const struct view_restate *restate, uint32_t log)
{
    for (size_t at = 0; restate->is_there && at < restate->covers_count; at++)
        if (restate->covers[at].log == log)
            return restate->covers[at].size;
    return 0;
}

/* PROTOCOL RESTATE-4: "Under the marks of the restatement that counts, what it does not repeat is
 * dead; beyond them everything stays live." */
bool view_restate_is_dead(const struct view_restate *restate, uint32_t log, uint64_t seq,
                          uint32_t place_log, uint64_t place_seq)
{
    if (!restate->is_there || (log == restate->log && seq >= restate->begin && seq <= restate->end))
        return false;
    return place_seq <= view_restate_covered(restate, place_log);
}

/* Follow. */

/* Where a field of the object was written. */
static enum err view_restate_written(const struct snapshot *snapshot, const struct object *object,
                                     uint8_t field, struct entry_row *out)
{
    const struct object_register *found = object_register(object, field);

    return found != NULL ? ledger_entry(snapshot, found->arrival, out) : ERR_NOT_FOUND;
}

/* ERR_NOT_FOUND: it is not complete, or not what a restatement is. */
static enum err view_restate_read(struct ledger_txn *txn, const struct space_row *space,
                                  const struct object *object, struct view_restate *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span epoch = object_value(object, RESTATE_EPOCH).bytes;
    struct entry_row first, last;
    struct epoch_row row;
    enum err err = view_restate_written(&snapshot, object, RESTATE_COVERS, &first);

    if (err == ERR_OK)
        err = view_restate_written(&snapshot, object, RESTATE_COMPLETE, &last);
    if (err == ERR_OK &&
        (epoch.size != HASH_SIZE || first.log != last.log || first.seq >= last.seq ||
         last.seq - first.seq != object_number(object, RESTATE_COMPLETE)))
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        return err;
    memcpy(out->epoch.bytes, epoch.data, HASH_SIZE);
    err = epoch_table_get(&snapshot, &out->epoch, &row);
    if (err == ERR_OK && (!row.is_known || row.space != space->number))
        err = ERR_NOT_FOUND;
    out->is_there = true;
    out->depth = row.epoch.depth;
    out->log = first.log;
    out->begin = first.seq;
    out->end = last.seq;
    return err;
}

static enum err view_restate_read_covers(struct ledger_txn *txn, const struct space_row *space,
                                         struct span bytes, struct view_restate *out)
{
    struct restate_cover *covers = heap_new(LOGS_PER_PEER_MAX * sizeof *covers);
    enum err err =
        covers != NULL ? restate_read_covers(bytes, covers, &out->covers_count) : ERR_NOMEM;

    for (size_t at = 0; err == ERR_OK && at < out->covers_count; at++) {
        out->covers[at].size = covers[at].size;
        err = log_table_number(txn, space->number, &covers[at].device, &out->covers[at].log);
    }
    heap_free(covers);
    return err == ERR_MALFORMED ? ERR_NOT_FOUND : err;
}

/* PROTOCOL RESTATE-3: "Of several complete ones that counts whose epoch is the deepest, and of
 * those the one whose epoch has the least id." */
static bool view_restate_counts(const struct view_restate *left, const struct view_restate *right)
{
    if (!right->is_there || left->depth != right->depth)
        return !right->is_there || left->depth > right->depth;
    return span_order(span_of(left->epoch.bytes, HASH_SIZE),
                      span_of(right->epoch.bytes, HASH_SIZE)) < 0;
}

enum err view_restate_changed(struct ledger_txn *txn, const struct space_row *space,
                              const struct object *after, bool *out_is_new)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_restate *both = heap_new_zeroed(2, sizeof *both);
    enum err err = both != NULL ? view_restate_read(txn, space, after, &both[0]) : ERR_NOMEM;

    *out_is_new = false;
    if (err == ERR_OK)
        err = view_restate_load(&snapshot, space->number, &both[1]);
    if (err == ERR_OK && view_restate_counts(&both[0], &both[1])) {
        err = view_restate_read_covers(txn, space, object_value(after, RESTATE_COVERS).bytes,
                                       &both[0]);
        if (err == ERR_OK)
            err = running_moment(txn, &both[0].since);
        if (err == ERR_OK)
            err = view_restate_put(txn, space->number, &both[0]);
        if (err == ERR_OK)
            err = agenda_put(txn, AGENDA_NOW, KIND_RESTATEMENT, span_of(space->id.bytes, ID_SIZE));
        *out_is_new = err == ERR_OK;
    }
    heap_free(both);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
