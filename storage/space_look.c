/*
 * The epochs of one of my spaces, and which of them may be written under: whose readers are known,
 * whose keys nobody has who may not read today, and whose opener counts.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "proto/limits.h"
#include "proto/link.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/row.h"
#include "storage/running.h"
#include "storage/space_state.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

enum { SPACE_DESCENT_MAX = 32 /* epochs between one that is granted and one it tells of */ };

void space_look_release(struct space_look *look)
{
    if (look->audience != NULL) {
        buf_release(&look->audience->readers);
        buf_release(&look->audience->former);
        buf_release(&look->audience->bereft);
        buf_release(&look->audience->out);
    }
    heap_free(look->audience);
    heap_free(look->epochs);
}

static enum err space_grow(struct space_look *look)
{
    size_t capacity = look->count == 0 ? 1 : 2 * look->count;
    struct space_epoch *grown;

    if ((look->count & (look->count - 1)) != 0)
        return ERR_OK;
    grown = heap_resize(look->epochs, capacity * sizeof *grown);
    if (grown == NULL)
        return ERR_NOMEM;
    look->epochs = grown;
    return ERR_OK;
}

static enum err space_note_epoch(void *self, const struct hash *id)
{
    struct space_look *look = self;
    struct space_epoch *grown;
    struct epoch_row row;
    enum err err = epoch_table_get(look->snapshot, id, &row);

    if (err == ERR_OK)
        err = space_grow(look);
    if (err != ERR_OK)
        return err;
    grown = &look->epochs[look->count++];
    *grown = (struct space_epoch){.id = *id,
                                  .depth = row.epoch.depth,
                                  .parents_count = row.epoch.parents_count,
                                  .has_key = row.has_key,
                                  .is_fresh =
                                      row.epoch.parents_count > 0 && row.epoch.previous.size == 0,
                                  .is_tip = true,
                                  .log = row.log};
    memcpy(grown->parents, row.epoch.parents, sizeof grown->parents);
    look->has_fresh |= grown->is_fresh;
    return ERR_OK;
}

/* The first epoch whose id does not come before these bytes: they were noted in ascending order. */
size_t space_first_from(const struct space_look *look, const uint8_t *id, size_t size)
{
    size_t begin = 0, end = look->count;

    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;

        if (memcmp(look->epochs[middle].id.bytes, id, size) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

struct space_epoch *space_epoch_of(const struct space_look *look, const struct hash *id)
{
    size_t at = space_first_from(look, id->bytes, HASH_SIZE);
    bool is_there =
        at < look->count && memcmp(look->epochs[at].id.bytes, id->bytes, HASH_SIZE) == 0;

    return is_there ? &look->epochs[at] : NULL;
}

enum err space_insert_epoch(struct space_look *look, const struct space_epoch *epoch)
{
    size_t at = space_first_from(look, epoch->id.bytes, HASH_SIZE);
    enum err err = space_grow(look);

    if (err != ERR_OK)
        return err;
    memmove(&look->epochs[at + 1], &look->epochs[at], (look->count - at) * sizeof *look->epochs);
    look->epochs[at] = *epoch;
    look->count++;
    return ERR_OK;
}

/* A depth that is not greater than a parent's is its opener's lie: then each epoch is judged. */
static void space_find_tips(struct space_look *look)
{
    for (size_t at = 0; at < look->count; at++)
        for (size_t parent = 0; parent < look->epochs[at].parents_count; parent++) {
            struct space_epoch *below = space_epoch_of(look, &look->epochs[at].parents[parent]);

            if (below == NULL)
                continue;
            below->is_tip = false;
            look->is_whole |= below->depth >= look->epochs[at].depth;
        }
}

/* The readers an epoch was opened for, as its opener recorded them in self, and whom it knew to be
 * none any more. */
static void space_judge_readers(struct space_look *look, struct space_epoch *epoch,
                                struct span readers, struct span out)
{
    struct public_key reader;

    epoch->is_told = true;
    epoch->is_fit = space_audience_knows_out(look->audience, out);
    for (size_t at = 0; at < readers.size; at += sizeof reader) {
        memcpy(&reader, readers.data + at, sizeof reader);
        epoch->is_fit &= space_audience_has(look->audience, &reader);
    }
    epoch->is_leaked |= !epoch->is_fit; /* Somebody has its key who may not. */
    epoch->is_exact = epoch->is_fit && readers.size == look->audience->readers.size;
}

/* From a leaked key its parents' keys follow. */
static bool space_leak_told(struct space_look *look, const struct space_epoch *epoch)
{
    size_t told = epoch->is_leaked && !epoch->is_fresh ? epoch->parents_count : 0;
    bool has_leaked = false;

    for (size_t at = 0; at < told; at++) {
        struct space_epoch *parent = space_epoch_of(look, &epoch->parents[at]);

        has_leaked |= parent != NULL && !parent->is_leaked;
        if (parent != NULL)
            parent->is_leaked = true;
    }
    return has_leaked;
}

static void space_leak_parents(struct space_look *look)
{
    bool has_more = true;

    while (has_more) {
        has_more = false;
        for (size_t at = 0; at < look->count; at++)
            has_more |= space_leak_told(look, &look->epochs[at]);
    }
}

/* PROTOCOL STOLEN-3: "What a stolen or void device opened is never written under: it knows the
 * key."
 */
static enum err space_judge_opener(struct space_look *look, const struct epoch_row *row, bool *out)
{
    enum standing standing = STANDING_GOOD;
    struct log_row log;
    enum err err =
        row->log > 0 ? ledger_log_numbered(look->snapshot, row->log, &log) : ERR_NOT_FOUND;

    if (err == ERR_OK)
        err = standing_of(look->snapshot, &log.device, &standing);
    *out = standing < STANDING_STOLEN;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Whether today's readers may get what was sealed under an epoch. */
struct space_opening_to {
    const struct space_look *look;
    const struct hash *epoch;
    struct span readers; /* of the epoch: keys */
    bool is_open;
};

static bool space_is_listed(struct span readers, const struct public_key *reader)
{
    for (size_t at = 0; at + sizeof *reader <= readers.size; at += sizeof *reader)
        if (memcmp(readers.data + at, reader, sizeof *reader) == 0)
            return true;
    return false;
}

/* Was this link made by a device that has two branches? Then whoever opened an epoch on one of them
 * knew of it. */
static enum err space_is_old_link(const struct snapshot *snapshot, const struct public_key *member,
                                  bool *out)
{
    const struct object_register *state;
    struct object link = {0};
    struct entry_row entry;
    enum standing standing = STANDING_GOOD;
    struct log_row log;
    struct id object;
    uint32_t number;
    enum err err;

    id_about("kith link", member, &object);
    err =
        row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_LINK, &object, &link, &number);
    state = err == ERR_OK ? object_register(&link, LINK_STATE) : NULL;
    if (err == ERR_OK)
        err = state != NULL ? ledger_entry(snapshot, state->arrival, &entry) : ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = ledger_log_numbered(snapshot, entry.log, &log);
    if (err == ERR_OK)
        err = standing_of(snapshot, &log.device, &standing);
    *out = standing == STANDING_FORKED;
    object_release(&link);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static bool space_tells(const struct space_epoch *epoch, const struct hash *parent)
{
    for (size_t at = 0; at < epoch->parents_count && !epoch->is_fresh; at++)
        if (memcmp(epoch->parents[at].bytes, parent->bytes, HASH_SIZE) == 0)
            return true;
    return false;
}

/* Was the peer granted this epoch, or one that tells its key? */
static enum err space_is_granted(const struct space_look *look, const struct hash *epoch,
                                 const struct peer *peer, unsigned depth, bool *out)
{
    struct object grant = {0};
    struct id object;
    uint32_t number;
    enum err err = ERR_NOT_FOUND;

    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    if (peer->has_pair_out)
        err = row_get(look->snapshot, &peer->pair_out, KIND_GRANT, &object, &grant, &number);
    object_release(&grant);
    *out = err == ERR_OK;
    err = err == ERR_NOT_FOUND ? ERR_OK : err;
    for (size_t at = 0; err == ERR_OK && !*out && depth > 0 && at < look->count; at++)
        if (space_tells(&look->epochs[at], epoch))
            err = space_is_granted(look, &look->epochs[at].id, peer, depth - 1, out);
    return err;
}

static enum err space_on_left_out(void *self, const struct peer *peer)
{
    struct space_opening_to *telling = self;
    const struct space_look *look = telling->look;
    bool is_old = false, is_granted = false;
    enum err err = ERR_OK;

    if (!space_may_read(look->kind, peer) || space_is_listed(telling->readers, &peer->member))
        return ERR_OK;
    err = space_is_old_link(look->snapshot, &peer->member, &is_old);
    if (err == ERR_OK && is_old)
        err = space_is_granted(look, telling->epoch, peer, SPACE_DESCENT_MAX, &is_granted);
    telling->is_open &= !is_old || is_granted;
    return err;
}

/* Every linked peer whom an epoch leaves out came after it, as far as can be seen. */
static enum err space_leaves_nobody_out(const struct space_look *look,
                                        const struct epoch_row *epoch, struct span readers,
                                        bool *out)
{
    struct space_opening_to telling = {
        .look = look, .epoch = &epoch->id, .readers = readers, .is_open = true};
    const struct snapshot *snapshot = look->snapshot;
    struct log_row log;
    enum err err = epoch->log > 0 ? ledger_log_numbered(snapshot, epoch->log, &log) : ERR_NOT_FOUND;

    *out = true;
    if (err == ERR_OK && public_key_is_equal(&log.device, ledger_device(snapshot->ledger)))
        return ERR_OK; /* This device knows whom it removed. */
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = view_peer_each_link(snapshot, space_on_left_out, &telling);
    *out = telling.is_open;
    return err;
}

/* Nothing is in question where no device of anybody was ever retired. */
static enum err space_judge_open(const struct space_look *look, const struct epoch_row *epoch,
                                 bool *out)
{
    const struct snapshot *snapshot = look->snapshot;
    struct object record = {0};
    struct span readers;
    struct id object;
    uint32_t number;
    bool has_any = true;
    enum err err;

    memcpy(object.bytes, epoch->id.bytes, ID_SIZE);
    err =
        row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_KEY, &object, &record, &number);
    readers = object_value(&record, KEY_READERS).bytes;
    *out = err == ERR_OK && readers.size >= ID_SIZE;
    if (*out)
        err = retire_table_has_any(snapshot, &has_any);
    if (*out && err == ERR_OK && has_any)
        err = space_leaves_nobody_out(look, epoch,
                                      span_of(readers.data + ID_SIZE, readers.size - ID_SIZE), out);
    object_release(&record);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL RETURN-10: "What was sealed in a card or network space under an epoch whose readers are
 * not known here, or which leaves out a peer whom a device with two branches linked, is sealed for
 * others when it is known who was removed, or RETURN_WAIT_DAYS after the epoch was heard of: the
 * device that opened it may have removed somebody, and says so to its siblings alone." */
enum err space_find_open(const struct space_look *look, const struct hash *epoch, bool *out)
{
    struct epoch_row row;
    uint64_t now_ms = 0;
    enum err err = ERR_OK;

    *out = look->kind != SPACE_CARD && look->kind != SPACE_NETWORK;
    if (!*out)
        err = epoch_table_get(look->snapshot, epoch, &row);
    if (!*out && err == ERR_OK)
        err = space_judge_open(look, &row, out);
    if (*out || err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = running_ms(look->snapshot, &now_ms);
    /* Running time alone: a wall clock that says more must not hurry it. */
    *out = err == ERR_OK && now_ms >= row.heard_ms + RETURN_WAIT_DAYS * MS_PER_DAY;
    return err;
}

enum err space_is_open(const struct snapshot *snapshot, const struct space_row *space,
                       const struct hash *epoch, bool *out)
{
    struct space_look look = {.snapshot = snapshot, .kind = space->kind};
    enum err err = epoch_table_each(snapshot, space->number, space_note_epoch, &look);

    if (err == ERR_OK)
        err = space_find_open(&look, epoch, out);
    space_look_release(&look);
    return err;
}

/* The record must open the epoch's own commitment: a record without it says nothing. */
enum err space_judge(struct space_look *look, struct space_epoch *epoch)
{
    struct object record = {0};
    struct hash commitment;
    struct epoch_row row;
    struct span told, readers;
    struct id object, salt;
    bool is_opener_good = true;
    uint32_t number;
    enum err err;

    memcpy(object.bytes, epoch->id.bytes, ID_SIZE);
    err = row_get(look->snapshot, ledger_self_space(look->snapshot->ledger), KIND_KEY, &object,
                  &record, &number);
    if (err == ERR_OK)
        err = epoch_table_get(look->snapshot, &epoch->id, &row);
    if (err == ERR_OK)
        err = space_judge_opener(look, &row, &is_opener_good);
    told = object_value(&record, KEY_READERS).bytes;
    if (err == ERR_OK && told.size >= ID_SIZE && (told.size - ID_SIZE) % 32 == 0) {
        memcpy(salt.bytes, told.data, ID_SIZE);
        readers = span_of(told.data + ID_SIZE, told.size - ID_SIZE);
        epoch_readers(&salt, (const struct public_key *)(const void *)readers.data,
                      readers.size / sizeof(struct public_key), &commitment);
        epoch->opened_ms = object_number(&record, KEY_OPENED);
        if (memcmp(commitment.bytes, row.epoch.readers.bytes, HASH_SIZE) == 0)
            space_judge_readers(look, epoch, readers, object_value(&record, KEY_OUT).bytes);
    }
    object_release(&record);
    epoch->is_leaked |= !is_opener_good;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

bool space_is_better(const struct space_epoch *left, const struct space_epoch *right)
{
    if (right == NULL || left->depth != right->depth)
        return right == NULL || left->depth > right->depth;
    return memcmp(left->id.bytes, right->id.bytes, HASH_SIZE) < 0;
}

static int space_order_better(const void *left, const void *right)
{
    const struct space_epoch *const *first = left, *const *second = right;

    return space_is_better(*first, *second) ? -1 : space_is_better(*second, *first) ? 1 : 0;
}

static bool space_may_write(const struct space_epoch *epoch)
{
    return epoch->has_key && epoch->is_fit && !epoch->is_leaked;
}

/* The better before the others, so that whatever leaks has leaked when its parents' turn comes.
 * Behind the one to write under, and under what has leaked, only tips matter: of a space's many
 * epochs few are looked at. */
static enum err space_judge_in_order(struct space_look *look, struct space_epoch **order)
{
    bool is_found = false;
    enum err err = ERR_OK;

    for (size_t at = 0; at < look->count; at++)
        order[at] = &look->epochs[at];
    if (look->count > 0)
        qsort(order, look->count, sizeof(struct space_epoch *), space_order_better);
    for (size_t at = 0; err == ERR_OK && at < look->count; at++) {
        struct space_epoch *epoch = order[at];

        if (look->is_whole || epoch->is_tip || (!is_found && !epoch->is_leaked))
            err = space_judge(look, epoch);
        (void)space_leak_told(look, epoch);
        is_found |= space_may_write(epoch);
    }
    if (look->is_whole)
        space_leak_parents(look);
    for (size_t at = 0; at < look->count; at++) {
        order[at]->is_fit &= !order[at]->is_leaked;
        order[at]->is_exact &= order[at]->is_fit;
        if (look->best == NULL && space_may_write(order[at]))
            look->best = order[at];
    }
    return err;
}

static enum err space_judge_all(struct space_look *look)
{
    struct space_epoch **order = heap_new_zeroed(look->count + 1, sizeof *order);
    enum err err = order != NULL ? space_judge_in_order(look, order) : ERR_NOMEM;

    heap_free(order);
    return err;
}

enum err space_look_whole(const struct snapshot *snapshot, const struct space_row *space,
                          bool is_whole, struct space_look *out)
{
    enum err err;

    *out = (struct space_look){.snapshot = snapshot,
                               .kind = space->kind,
                               .is_whole = is_whole,
                               .audience = heap_new_zeroed(1, sizeof *out->audience)};
    err = out->audience != NULL ? space_find_audience(snapshot, space, out->audience) : ERR_NOMEM;
    if (err == ERR_OK)
        err = epoch_table_each(snapshot, space->number, space_note_epoch, out);
    if (err == ERR_OK)
        err = space_find_unseen(out, space);
    if (err == ERR_OK)
        err = space_find_leaks(out);
    space_find_tips(out);
    if (err == ERR_OK)
        err = space_judge_all(out);
    if (err == ERR_OK)
        err = space_find_cut(out, space);
    if (err == ERR_OK)
        err = space_reader_find_lacking(out);
    for (size_t at = 0; err == ERR_OK && at < out->count; at++)
        if (out->epochs[at].is_tip && out->epochs[at].has_key)
            err = space_find_open(out, &out->epochs[at].id, &out->epochs[at].is_open);
    return err;
}

/* PROTOCOL EPOCH-6: "Writers write under the deepest epoch whose key they hold, whose opener is in
 * good standing and all of whose readers may read today; of several, the one with the least id." */
enum err space_look_at(const struct snapshot *snapshot, const struct space_row *space,
                       struct space_look *out)
{
    return space_look_whole(snapshot, space, false, out);
}
