/*
 * The epochs of one of my spaces, and which of them may be written under: whose readers are known,
 * whose keys nobody has who may not read today, and whose opener counts.
 */
#include <string.h>

#include "crypto/heap.h"
#include "proto/link.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space_state.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

void space_look_release(struct space_look *look)
{
    if (look->audience != NULL)
        buf_release(&look->audience->readers);
    heap_free(look->audience);
    heap_free(look->epochs);
}

static enum err space_note_epoch(void *self, const struct hash *id)
{
    struct space_look *look = self;
    struct space_epoch *grown;
    struct epoch_row row;
    enum err err = epoch_table_get(look->snapshot, id, &row);

    if (err != ERR_OK)
        return err;
    if ((look->count & (look->count - 1)) == 0) {
        size_t capacity = look->count == 0 ? 1 : 2 * look->count;

        grown = heap_resize(look->epochs, capacity * sizeof *grown);
        if (grown == NULL)
            return ERR_NOMEM;
        look->epochs = grown;
    }
    grown = &look->epochs[look->count++];
    *grown = (struct space_epoch){.id = *id,
                                  .depth = row.epoch.depth,
                                  .parents_count = row.epoch.parents_count,
                                  .has_key = row.has_key,
                                  .is_fresh =
                                      row.epoch.parents_count > 0 && row.epoch.previous.size == 0,
                                  .is_tip = true};
    memcpy(grown->parents, row.epoch.parents, sizeof grown->parents);
    look->has_fresh |= grown->is_fresh;
    return ERR_OK;
}

static void space_note_parent(struct space_look *look, const struct hash *parent)
{
    for (size_t at = 0; at < look->count; at++)
        if (memcmp(look->epochs[at].id.bytes, parent->bytes, HASH_SIZE) == 0)
            look->epochs[at].is_tip = false;
}

static void space_find_tips(struct space_look *look)
{
    for (size_t at = 0; at < look->count; at++)
        for (size_t parent = 0; parent < look->epochs[at].parents_count; parent++)
            space_note_parent(look, &look->epochs[at].parents[parent]);
}

/* The readers an epoch was opened for, as its opener recorded them in self. */
static void space_judge_readers(struct space_look *look, struct space_epoch *epoch,
                                struct span readers)
{
    struct public_key reader;

    epoch->is_told = epoch->is_fit = true;
    for (size_t at = 0; at < readers.size; at += sizeof reader) {
        memcpy(&reader, readers.data + at, sizeof reader);
        epoch->is_fit &= space_audience_has(look->audience, &reader);
    }
    epoch->is_leaked |= !epoch->is_fit; /* Somebody has its key who may not. */
    epoch->is_exact = epoch->is_fit && readers.size == look->audience->readers.size;
}

/* Card and network keys are granted to peers who come after the epoch was opened, too. */
static enum err space_note_former(void *self, const struct peer *peer)
{
    struct space_look *look = self;
    enum err err = ERR_OK;

    if (space_may_read(look->kind, peer) || !peer->has_pair_out)
        return ERR_OK;
    for (size_t at = 0; err == ERR_OK && at < look->count; at++) {
        struct object grant = {0};
        struct id object;
        uint32_t number;

        memcpy(object.bytes, look->epochs[at].id.bytes, ID_SIZE);
        err = row_get(look->snapshot, &peer->pair_out, KIND_GRANT, &object, &grant, &number);
        look->epochs[at].is_leaked |= err == ERR_OK;
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
        object_release(&grant);
    }
    return err;
}

static bool space_leak(struct space_look *look, const struct hash *id)
{
    bool has_leaked = false;

    for (size_t at = 0; at < look->count; at++)
        if (!look->epochs[at].is_leaked &&
            memcmp(look->epochs[at].id.bytes, id->bytes, HASH_SIZE) == 0)
            has_leaked = look->epochs[at].is_leaked = true;
    return has_leaked;
}

/* From a leaked key its parents' keys follow. */
static void space_leak_parents(struct space_look *look)
{
    bool has_more = true;

    while (has_more) {
        has_more = false;
        for (size_t at = 0; at < look->count; at++) {
            const struct space_epoch *epoch = &look->epochs[at];
            size_t told = epoch->is_leaked && !epoch->is_fresh ? epoch->parents_count : 0;

            for (size_t parent = 0; parent < told; parent++)
                has_more |= space_leak(look, &epoch->parents[parent]);
        }
    }
}

static enum err space_find_leaks(struct space_look *look, const struct space_row *space)
{
    enum err err = ERR_OK;

    if (space->kind == SPACE_CARD || space->kind == SPACE_NETWORK)
        err = view_peer_each(look->snapshot, space_note_former, look);
    return err;
}

/* Own devices have the keys of the member's spaces from self, whoever was a reader when an epoch
 * was opened. */

static enum err space_on_own_device(void *self, const struct device_row *device)
{
    struct space_look *look = self;
    enum standing standing;
    enum err err = standing_of(look->snapshot, &device->device, &standing);

    look->has_own_out |= err == ERR_OK && standing_is_out(standing);
    return err;
}

/* The epoch of self under which a key was recorded there. */
static enum err space_sealed_under(const struct snapshot *snapshot, const struct hash *epoch,
                                   struct hash *out)
{
    const struct object_register *key;
    struct object record = {0};
    struct entry_row entry;
    struct id object;
    uint32_t number;
    enum err err;

    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    err =
        row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_KEY, &object, &record, &number);
    key = err == ERR_OK ? object_register(&record, KEY_BYTES) : NULL;
    if (err == ERR_OK)
        err = key != NULL ? ledger_entry(snapshot, key->arrival, &entry) : ERR_NOT_FOUND;
    *out = entry.epoch;
    if (err == ERR_OK && !entry.is_cut)
        err = epoch_table_of_log(snapshot, entry.log, entry.entry.header.epoch_index, out);
    object_release(&record);
    return err;
}

static bool space_is_fit(const struct space_look *look, const struct hash *epoch)
{
    for (size_t at = 0; at < look->count; at++)
        if (memcmp(look->epochs[at].id.bytes, epoch->bytes, HASH_SIZE) == 0)
            return look->epochs[at].is_fit;
    return false;
}

/* PROTOCOL STOLEN-9: "Where a device of the member was shut out it knows each key that stands in
 * self under an epoch it could read." */
static enum err space_find_own_leaks(struct space_look *look)
{
    const struct snapshot *snapshot = look->snapshot;
    struct space_look self = {0};
    struct space_row row;
    enum err err =
        view_device_each(snapshot, ledger_member(snapshot->ledger), space_on_own_device, look);

    if (err != ERR_OK || !look->has_own_out || look->kind == SPACE_SELF)
        return err;
    err = ledger_space(snapshot, ledger_self_space(snapshot->ledger), &row);
    if (err == ERR_OK)
        err = space_look_at(snapshot, &row, &self);
    for (size_t at = 0; err == ERR_OK && at < look->count; at++) {
        struct hash under;

        err = space_sealed_under(snapshot, &look->epochs[at].id, &under);
        look->epochs[at].is_leaked |= err != ERR_OK || !space_is_fit(&self, &under);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    space_look_release(&self);
    return err;
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

/* The record must open the epoch's own commitment: a record without it says nothing. */
static enum err space_judge(struct space_look *look, struct space_epoch *epoch)
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
            space_judge_readers(look, epoch, readers);
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

/* PROTOCOL EPOCH-6: "Writers write under the deepest epoch whose key they hold, whose opener is in
 * good standing and all of whose readers may read today; of several, the one with the least id." */
enum err space_look_at(const struct snapshot *snapshot, const struct space_row *space,
                       struct space_look *out)
{
    enum err err;

    *out = (struct space_look){.snapshot = snapshot,
                               .kind = space->kind,
                               .audience = heap_new_zeroed(1, sizeof *out->audience)};
    err = out->audience != NULL ? space_find_audience(snapshot, space, out->audience) : ERR_NOMEM;
    if (err == ERR_OK)
        err = epoch_table_each(snapshot, space->number, space_note_epoch, out);
    if (err == ERR_OK)
        err = space_find_leaks(out, space);
    if (err == ERR_OK)
        err = space_find_own_leaks(out);
    space_find_tips(out);
    for (size_t at = 0; err == ERR_OK && at < out->count; at++)
        err = space_judge(out, &out->epochs[at]);
    space_leak_parents(out);
    for (size_t at = 0; err == ERR_OK && at < out->count; at++) {
        out->epochs[at].is_fit &= !out->epochs[at].is_leaked;
        out->epochs[at].is_exact &= out->epochs[at].is_fit;
        if (out->epochs[at].has_key && out->epochs[at].is_fit &&
            space_is_better(&out->epochs[at], out->best))
            out->best = &out->epochs[at];
    }
    return err;
}
