/*
 * Epochs whose opening was cut from the log that opened it. A reader who never held the opening has
 * the key only where an epoch whose opening stands tells it: what was opened over the cut one may
 * have been cut, too, and tells its readers nothing. The opening may have been cut before it came
 * here: then self alone says what the epoch is.
 */
#include <string.h>

#include "crypto/seal.h"
#include "crypto/secret.h"
#include "storage/keep.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/row.h"
#include "storage/space_state.h"
#include "storage/view_peer.h"

/* Openings that never were here. */

struct space_unseen {
    struct space_look *look;
    const struct space_row *space;
    struct hash wanted;
    struct epoch epoch; /* as self tells it */
    struct public_key opener;
    bool is_found; /* its opener is */
};

/* What the record says of an epoch; that it is true, its id shows. */
static enum err space_read_record(struct space_unseen *unseen, const struct object *record)
{
    struct span readers = object_value(record, KEY_READERS).bytes;
    struct span parents = object_value(record, KEY_PARENT).bytes;
    uint8_t *key = secret_new(KEY_SIZE);
    struct epoch *epoch = &unseen->epoch;
    struct id salt;
    enum err err = key != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK && (readers.size < ID_SIZE || (readers.size - ID_SIZE) % 32 != 0 ||
                          parents.size > sizeof epoch->parents || parents.size % HASH_SIZE != 0))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = epoch_table_key(unseen->look->snapshot, &unseen->wanted, key);
    if (err == ERR_OK) {
        *epoch = (struct epoch){.depth = (uint32_t)object_number(record, KEY_DEPTH),
                                .parents_count = parents.size / HASH_SIZE};
        if (parents.size > 0)
            memcpy(epoch->parents, parents.data, parents.size);
        memcpy(salt.bytes, readers.data, ID_SIZE);
        epoch_readers(&salt, (const struct public_key *)(const void *)(readers.data + ID_SIZE),
                      (readers.size - ID_SIZE) / sizeof(struct public_key), &epoch->readers);
        seal_commitment(key, &epoch->commitment);
    }
    secret_free(key);
    return err == ERR_KEY_MISSING ? ERR_NOT_FOUND : err;
}

static enum err space_try_opener(void *self, const struct device_row *device)
{
    struct space_unseen *unseen = self;

    epoch_name(&unseen->space->id, &device->device, &unseen->epoch);
    unseen->is_found = memcmp(unseen->epoch.id.bytes, unseen->wanted.bytes, HASH_SIZE) == 0;
    unseen->opener = device->device;
    return unseen->is_found ? ERR_CANCELLED : ERR_OK;
}

static enum err space_find_opener(struct space_unseen *unseen)
{
    const struct snapshot *snapshot = unseen->look->snapshot;
    struct object record = {0};
    struct id object;
    uint32_t number;
    enum err err;

    unseen->is_found = false;
    memcpy(object.bytes, unseen->wanted.bytes, ID_SIZE);
    err =
        row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_KEY, &object, &record, &number);
    if (err == ERR_OK)
        err = space_read_record(unseen, &record);
    object_release(&record);
    if (err == ERR_OK)
        err = view_device_each(snapshot, &unseen->space->writer, space_try_opener, unseen);
    return err == ERR_NOT_FOUND || err == ERR_CANCELLED ? ERR_OK : err;
}

/* While its opener writes on, or its log has not come to its mark, the opening may still come. */
static enum err space_look_at_unseen(struct space_unseen *unseen)
{
    const struct snapshot *snapshot = unseen->look->snapshot;
    struct space_epoch epoch = {.id = unseen->wanted, .has_key = true, .is_unseen = true};
    struct retire_state state = {.is_retired = false};
    bool is_met = false;
    enum err err = space_find_opener(unseen);

    if (err == ERR_OK && unseen->is_found)
        err = retire_table_state(snapshot, &unseen->opener, &state);
    if (err == ERR_OK && state.is_retired)
        err = keep_is_met(snapshot, unseen->space, &unseen->opener, &is_met);
    unseen->look->is_awaited |= state.is_retired && !is_met;
    epoch.depth = unseen->epoch.depth;
    return err == ERR_OK && is_met ? space_insert_epoch(unseen->look, &epoch) : err;
}

static enum err space_on_used(void *self, struct span key, struct span value)
{
    struct space_unseen *unseen = self;

    (void)key;
    if (value.size < HASH_SIZE)
        return ERR_CORRUPT;
    memcpy(unseen->wanted.bytes, value.data, HASH_SIZE);
    return space_epoch_of(unseen->look, &unseen->wanted) == NULL ? space_look_at_unseen(unseen)
                                                                 : ERR_OK;
}

static enum err space_on_user(void *self, const struct log_row *log)
{
    struct space_unseen *unseen = self;
    struct key prefix;

    key_of_u32(log->number, &prefix);
    return ledger_each(unseen->look->snapshot, TABLE_LOG_EPOCH, key_span(&prefix), space_on_used,
                       unseen);
}

enum err space_find_unseen(struct space_look *look, const struct space_row *space)
{
    struct space_unseen unseen = {.look = look, .space = space};
    bool has_any = false;
    enum err err = ERR_OK;

    if (space->kind == SPACE_PAIR) /* Own devices have from self what is known of them. */
        err = retire_table_has_any(look->snapshot, &has_any);
    return err == ERR_OK && has_any
               ? ledger_logs(look->snapshot, space->number, space_on_user, &unseen)
               : err;
}

/* What is told of them all. */

struct space_listing {
    struct space_look *look;
    uint32_t log;
};

static enum err space_on_listed(void *self, struct span key, struct span value)
{
    const struct space_listing *listing = self;
    struct space_epoch *epoch;
    struct hash id;

    (void)key;
    if (value.size < HASH_SIZE)
        return ERR_CORRUPT;
    memcpy(id.bytes, value.data, HASH_SIZE);
    epoch = space_epoch_of(listing->look, &id);
    if (epoch != NULL) {
        epoch->is_standing |= epoch->log == listing->log;
        epoch->is_used |= epoch->log != listing->log;
    }
    return ERR_OK;
}

/* An epoch stands while the log that opened it lists it; others list it where they use it. A log
 * that this transaction begins is not here yet: nothing of it was cut. */
static enum err space_on_log(void *self, const struct log_row *log)
{
    struct space_listing listing = {.look = self, .log = log->number};
    struct space_look *look = self;
    struct key prefix;

    for (size_t at = 0; at < look->count; at++)
        look->epochs[at].is_standing &= look->epochs[at].log != log->number;
    key_of_u32(log->number, &prefix);
    return ledger_each(look->snapshot, TABLE_LOG_EPOCH, key_span(&prefix), space_on_listed,
                       &listing);
}

/* What an epoch tells that stands itself is told. */
static void space_find_taught(struct space_look *look, const struct space_epoch *by)
{
    for (size_t at = 0; at < by->parents_count && by->is_standing && !by->is_fresh; at++) {
        struct space_epoch *parent = space_epoch_of(look, &by->parents[at]);

        if (parent != NULL)
            parent->is_taught = true;
    }
}

/* What a stolen device said in self of an epoch is forgotten with its opening. */
static enum err space_is_in_self(const struct space_look *look, const struct hash *epoch, bool *out)
{
    const struct snapshot *snapshot = look->snapshot;
    struct object record = {0};
    struct id object;
    uint32_t number;
    enum err err;

    memcpy(object.bytes, epoch->bytes, ID_SIZE);
    err =
        row_get(snapshot, ledger_self_space(snapshot->ledger), KIND_KEY, &object, &record, &number);
    *out = err == ERR_OK && object_value(&record, KEY_BYTES).bytes.size == KEY_SIZE;
    object_release(&record);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL RETIRE-10: "in a card or network space, unless a restatement is as deep, as soon as
 * RETURN-10 lets it, where no key object does or a peer who may read was not granted it" */
static enum err space_judge_granted(struct space_look *look, struct space_epoch *epoch)
{
    bool is_told = false, is_lacking = false, is_open = false;
    enum err err = space_is_in_self(look, &epoch->id, &is_told);

    if (err == ERR_OK && is_told)
        err = space_reader_is_lacking(look, &epoch->id, &is_lacking);
    if (err == ERR_OK)
        err = space_find_open(look, &epoch->id, &is_open);
    epoch->is_untaught = (!is_told || is_lacking) && is_open;
    look->is_awaited |= (!is_told || is_lacking) && !is_open;
    return err;
}

/* A restatement withholds what was before it. */
static bool space_is_withheld(const struct space_look *look, const struct space_epoch *epoch)
{
    bool is_withheld = false;

    for (size_t at = 0; look->has_fresh && at < look->count; at++)
        is_withheld |= look->epochs[at].is_fresh && look->epochs[at].depth >= epoch->depth;
    return is_withheld;
}

static enum err space_judge_cut(struct space_look *look, struct space_epoch *epoch)
{
    bool is_granting = look->kind == SPACE_CARD || look->kind == SPACE_NETWORK;
    bool is_told = false;
    enum err err = ERR_OK;

    epoch->is_untaught = epoch->has_key && epoch->is_used && !epoch->is_standing &&
                         !epoch->is_taught && !space_is_withheld(look, epoch);
    if (epoch->is_untaught && is_granting)
        err = space_judge_granted(look, epoch);
    if (epoch->is_untaught && look->kind == SPACE_SELF)
        err = space_is_in_self(look, &epoch->id, &is_told);
    epoch->is_untaught &= !is_told;
    look->untaught += epoch->is_untaught;
    return err;
}

enum err space_find_cut(struct space_look *look, const struct space_row *space)
{
    bool has_any = false;
    enum err err = retire_table_has_any(look->snapshot, &has_any);

    if (err != ERR_OK || !has_any)
        return err;
    for (size_t at = 0; at < look->count; at++)
        look->epochs[at].is_standing = !look->epochs[at].is_unseen;
    err = ledger_logs(look->snapshot, space->number, space_on_log, look);
    for (size_t at = 0; err == ERR_OK && at < look->count; at++)
        space_find_taught(look, &look->epochs[at]);
    for (size_t at = 0; err == ERR_OK && at < look->count; at++)
        err = space_judge_cut(look, &look->epochs[at]);
    return err;
}
