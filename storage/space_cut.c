/*
 * Epochs whose opening was cut from the log that opened it. A reader who never held the opening has
 * the key only where an epoch whose opening stands tells it: what was opened over the cut one may
 * have been cut, too, and tells its readers nothing.
 */
#include <string.h>

#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/space_state.h"

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

enum err space_find_cut(struct space_look *look, const struct space_row *space)
{
    bool has_any = false;
    enum err err = ERR_OK;

    if (space->kind == SPACE_PAIR) /* Keys of card and network are granted each by itself. */
        err = retire_table_has_any(look->snapshot, &has_any);
    if (err != ERR_OK || !has_any)
        return err;
    for (size_t at = 0; at < look->count; at++)
        look->epochs[at].is_standing = true;
    err = ledger_logs(look->snapshot, space->number, space_on_log, look);
    for (size_t at = 0; err == ERR_OK && at < look->count; at++)
        space_find_taught(look, &look->epochs[at]);
    for (size_t at = 0; err == ERR_OK && at < look->count; at++) {
        struct space_epoch *epoch = &look->epochs[at];

        epoch->is_untaught =
            epoch->has_key && epoch->is_used && !epoch->is_standing && !epoch->is_taught;
        look->untaught += epoch->is_untaught;
    }
    return err;
}
