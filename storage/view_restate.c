/* The newest complete restatement of each space, one row a space. */
#include "storage/view_restate.h"

#include <string.h>

#include "crypto/heap.h"
#include "storage/agenda.h"
#include "storage/follow_state.h"
#include "storage/retire_table.h"
#include "storage/row.h"

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
    return seq <= view_restate_covered(restate, log) ||
           place_seq <= view_restate_covered(restate, place_log);
}

/* Follow. */

struct view_restate_search {
    struct ledger_txn *txn;
    const struct space_row *space;
    const struct object *after; /* as it is now, whatever its row says; NULL: as the rows say */
    bool has_cut;               /* one was cut that shows still */
    size_t looked;
    struct view_restate best, trial;
    struct restate_cover covers[LOGS_PER_PEER_MAX]; /* of the best */
};

/* Where a field of the object was written. What was cut from its log stands in none. */
static enum err view_restate_written(struct view_restate_search *search,
                                     const struct object *object, uint8_t field,
                                     struct entry_row *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(search->txn);
    const struct object_register *found = object_register(object, field);
    enum err err = found != NULL ? ledger_entry(&snapshot, found->arrival, out) : ERR_NOT_FOUND;

    search->has_cut |= err == ERR_OK && out->is_cut;
    return err == ERR_OK && out->is_cut ? ERR_NOT_FOUND : err;
}

/* ERR_NOT_FOUND: it is not complete, or not what a restatement is. */
static enum err view_restate_read(struct view_restate_search *search, const struct object *object)
{
    struct snapshot snapshot = ledger_txn_snapshot(search->txn);
    struct span epoch = object_value(object, RESTATE_EPOCH).bytes;
    struct view_restate *out = &search->trial;
    struct entry_row first, last;
    struct epoch_row row;
    enum err err = view_restate_written(search, object, RESTATE_COVERS, &first);

    if (err == ERR_OK)
        err = view_restate_written(search, object, RESTATE_COMPLETE, &last);
    if (err == ERR_OK &&
        (epoch.size != HASH_SIZE || first.log != last.log || first.seq >= last.seq ||
         last.seq - first.seq != object_number(object, RESTATE_COMPLETE)))
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        return err;
    memcpy(out->epoch.bytes, epoch.data, HASH_SIZE);
    err = epoch_table_get(&snapshot, &out->epoch, &row);
    if (err == ERR_OK && (!row.is_known || row.space != search->space->number))
        err = ERR_NOT_FOUND;
    out->is_there = true;
    out->depth = row.epoch.depth;
    out->log = first.log;
    out->begin = first.seq;
    out->end = last.seq;
    return err;
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

static enum err view_restate_judge(struct view_restate_search *search, const struct object *object)
{
    enum err err = view_restate_read(search, object);
    size_t count = 0;

    if (err == ERR_OK && view_restate_counts(&search->trial, &search->best))
        err =
            restate_read_covers(object_value(object, RESTATE_COVERS).bytes, search->covers, &count);
    else if (err == ERR_OK)
        return ERR_OK;
    if (err == ERR_OK) {
        search->best = search->trial;
        search->best.covers_count = count;
    }
    return err == ERR_MALFORMED || err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err view_restate_on_object(void *self, uint32_t number, const struct object *object)
{
    struct view_restate_search *search = self;

    (void)number;
    search->looked++;
    if (search->after != NULL && id_is_equal(&search->after->id, &object->id))
        return ERR_OK;
    return view_restate_judge(search, object);
}

/* PROTOCOL RESTATE-9: "A mark covers nothing where the log does not go, or will not go, through it:
 * of its own branch of a log a restatement says nothing about another." */
static enum err view_restate_cover(struct view_restate_search *search,
                                   const struct restate_cover *cover,
                                   struct view_restate_cover *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(search->txn);
    struct log_id id = {.space = search->space->id, .device = cover->device};
    struct retire_state state;
    struct log_row log;
    struct chain chain;
    struct keep keep;
    enum err err = follow_bound_log(search->txn, search->space->number, &cover->device, &out->log);

    out->size = cover->size;
    if (err == ERR_LIMIT) { /* MERGE-5 */
        *out = (struct view_restate_cover){.log = 0};
        return ERR_OK;
    }
    if (err == ERR_OK)
        err = log_table_now(search->txn, search->space, &cover->device, &log);
    if (err != ERR_OK || cover->size < log.start)
        return err;
    if (cover->size <= log.tip.size) {
        err = ledger_chain_at(&snapshot, &log, &id, cover->size, &chain);
        if (err == ERR_OK && memcmp(chain.hash.bytes, cover->tag, TAG_SIZE) != 0)
            out->size = 0;
        return err;
    }
    err = retire_table_state(&snapshot, &cover->device, &state);
    if (err != ERR_OK || !state.is_retired)
        return err;
    err = retire_table_keep(&snapshot, search->space->number, &cover->device, &keep);
    if (err == ERR_OK && keep.size < cover->size)
        out->size = 0;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err view_restate_search_all(struct view_restate_search *search)
{
    struct snapshot snapshot = ledger_txn_snapshot(search->txn);
    enum err err =
        row_each(&snapshot, &search->space->id, KIND_RESTATEMENT, view_restate_on_object, search);

    if (err == ERR_OK && search->after != NULL)
        err = view_restate_judge(search, search->after);
    for (size_t at = 0; err == ERR_OK && at < search->best.covers_count; at++)
        err = view_restate_cover(search, &search->covers[at], &search->best.covers[at]);
    return err;
}

static bool view_restate_is_same(const struct view_restate *left, const struct view_restate *right)
{
    if (left->is_there != right->is_there || !left->is_there)
        return left->is_there == right->is_there;
    return left->log == right->log && left->begin == right->begin && left->end == right->end &&
           memcmp(&left->epoch, &right->epoch, sizeof left->epoch) == 0;
}

static bool view_restate_has_same_covers(const struct view_restate *left,
                                         const struct view_restate *right)
{
    bool is_same = left->covers_count == right->covers_count;

    for (size_t at = 0; is_same && at < left->covers_count; at++)
        is_same = left->covers[at].log == right->covers[at].log &&
                  left->covers[at].size == right->covers[at].size;
    return is_same;
}

static enum err view_restate_store(struct view_restate_search *search, bool *out_is_new)
{
    struct snapshot snapshot = ledger_txn_snapshot(search->txn);
    struct view_restate *best = &search->best, *was = &search->trial;
    uint32_t number = search->space->number;
    struct key key;
    enum err err = view_restate_load(&snapshot, number, was);

    if (err != ERR_OK || (view_restate_is_same(best, was) &&
                          (!best->is_there || view_restate_has_same_covers(best, was))))
        return err;
    *out_is_new = true;
    key_of_u32(number, &key);
    if (!best->is_there)
        return ledger_erase(search->txn, TABLE_RESTATE, &key);
    best->since = was->since;
    if (!view_restate_is_same(best, was))
        err = running_moment(search->txn, &best->since);
    if (err == ERR_OK)
        err = view_restate_put(search->txn, number, best);
    return err == ERR_OK ? agenda_put(search->txn, AGENDA_NOW, KIND_RESTATEMENT,
                                      span_of(search->space->id.bytes, ID_SIZE))
                         : err;
}

enum err view_restate_look(struct ledger_txn *txn, const struct space_row *space,
                           const struct object *after, bool *out_is_new, size_t *out_looked)
{
    struct view_restate_search *search = heap_new_zeroed(1, sizeof *search);
    enum err err = search != NULL ? ERR_OK : ERR_NOMEM;

    *out_is_new = false;
    if (err == ERR_OK) {
        search->txn = txn;
        search->space = space;
        search->after = after;
        err = view_restate_search_all(search);
    }
    if (err == ERR_OK)
        err = view_restate_store(search, out_is_new);
    *out_is_new |= err == ERR_OK && search->has_cut;
    *out_looked = search != NULL ? search->looked : 0;
    heap_free(search);
    return err;
}
