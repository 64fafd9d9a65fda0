/*
 * Whose hands an epoch's key has come into who may not read today: peers of former days, and
 * devices that were shut out, of this member or of a peer. Under such an epoch nothing is written.
 */
#include <string.h>

#include "proto/card.h"
#include "proto/link.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/space_state.h"
#include "storage/standing.h"
#include "storage/view_peer.h"

/* A grant's id is the beginning of its epoch's. */
static enum err space_on_grant(void *self, struct span key, struct span value)
{
    struct space_look *look = self;
    const uint8_t *id;

    (void)value;
    if (key.size < ID_SIZE)
        return ERR_CORRUPT;
    id = key.data + key.size - ID_SIZE;
    for (size_t at = space_first_from(look, id, ID_SIZE);
         at < look->count && memcmp(look->epochs[at].id.bytes, id, ID_SIZE) == 0; at++)
        look->epochs[at].is_leaked = true;
    return ERR_OK;
}

static enum err space_note_former(struct space_look *look, const struct id *pair_out)
{
    struct space_row pair;
    struct key prefix;
    enum err err = ledger_space(look->snapshot, pair_out, &pair);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    key_of_u32(pair.number, &prefix);
    key_add_byte(&prefix, KIND_GRANT);
    return ledger_each(look->snapshot, TABLE_OBJECT_ID, key_span(&prefix), space_on_grant, look);
}

/* Card and network keys are granted to peers who come after the epoch was opened, too. Of many
 * former peers each is asked once what it was granted, not about each epoch. */
static enum err space_find_former_leaks(struct space_look *look)
{
    const struct buf *former = &look->audience->former;
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < former->size; at += ID_SIZE) {
        struct id pair_out;

        memcpy(pair_out.bytes, former->data + at, ID_SIZE);
        err = space_note_former(look, &pair_out);
    }
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

/* Where a key is told: in self, or to a peer. */
struct space_telling {
    const struct id *space;
    uint8_t kind, field;
};

/* The epoch under which a key is told there. */
static enum err space_sealed_under(const struct snapshot *snapshot,
                                   const struct space_telling *telling, const struct hash *epoch,
                                   struct hash *out)
{
    const struct object_register *key;
    struct object record = {0};
    struct entry_row entry = {0};
    struct id object;
    uint32_t number;
    enum err err;

    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    err = row_get(snapshot, telling->space, telling->kind, &object, &record, &number);
    key = err == ERR_OK ? object_register(&record, telling->field) : NULL;
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
    const struct space_epoch *found = space_epoch_of(look, epoch);

    return found != NULL && found->is_fit;
}

/* What was told under an epoch that somebody may read who may not read today. */
static enum err space_find_told(struct space_look *look, const struct space_telling *telling,
                                bool is_told_all)
{
    const struct snapshot *snapshot = look->snapshot;
    struct space_look there = {0};
    struct space_row row;
    enum err err = ledger_space(snapshot, telling->space, &row);

    if (err == ERR_OK)
        err = space_look_whole(snapshot, &row, true, &there);
    for (size_t at = 0; err == ERR_OK && at < look->count; at++) {
        struct hash under;
        bool is_told;

        err = space_sealed_under(snapshot, telling, &look->epochs[at].id, &under);
        is_told = is_told_all || err != ERR_NOT_FOUND;
        look->epochs[at].is_leaked |= is_told && (err != ERR_OK || !space_is_fit(&there, &under));
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    space_look_release(&there);
    return err;
}

/* PROTOCOL STOLEN-9: "Where a device of the member was shut out it knows each key that stands in
 * self under an epoch it could read." */
static enum err space_find_own_leaks(struct space_look *look)
{
    const struct snapshot *snapshot = look->snapshot;
    struct space_telling telling = {
        .space = ledger_self_space(snapshot->ledger), .kind = KIND_KEY, .field = KEY_BYTES};
    enum err err =
        view_device_each(snapshot, ledger_member(snapshot->ledger), space_on_own_device, look);

    if (err != ERR_OK || !look->has_own_out || look->kind == SPACE_SELF)
        return err;
    return space_find_told(look, &telling, true);
}

/* PROTOCOL STOLEN-12: "It knows each key that was granted under one of them, too." */
static enum err space_find_bereft_leaks(struct space_look *look)
{
    const struct buf *bereft = &look->audience->bereft;
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < bereft->size; at += ID_SIZE) {
        struct space_telling telling = {.kind = KIND_GRANT, .field = GRANT_KEY};
        struct id pair_out;

        memcpy(pair_out.bytes, bereft->data + at, ID_SIZE);
        telling.space = &pair_out;
        err = space_find_told(look, &telling, false);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err;
}

enum err space_find_leaks(struct space_look *look)
{
    enum err err = space_find_former_leaks(look);

    if (err == ERR_OK)
        err = space_find_own_leaks(look);
    return err == ERR_OK ? space_find_bereft_leaks(look) : err;
}
