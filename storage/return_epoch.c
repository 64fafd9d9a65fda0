/* See return_epoch.h. */
#include "storage/return_epoch.h"

#include <string.h>

#include "storage/keep.h"
#include "storage/return_table.h"
#include "storage/view_peer.h"

static bool return_epoch_is(const struct hash *left, const struct hash *right)
{
    return span_is_equal(span_of(left->bytes, HASH_SIZE), span_of(right->bytes, HASH_SIZE));
}

static bool return_epoch_is_unsealed(const struct entry *entry)
{
    return entry->header.epoch_index == 0 && entry->payload.size > 0;
}

/* Counting on along a branch: left unsealed entries are still to come before the wanted one. */
struct return_epoch_count {
    const struct log_id *id;
    uint32_t left;
    struct hash *out;
    bool is_found;
};

static void return_epoch_pass(struct return_epoch_count *count, const struct entry *entry)
{
    struct epoch epoch;

    if (count->is_found || !return_epoch_is_unsealed(entry) || --count->left > 0)
        return;
    count->is_found = true; /* What is no epoch takes its number all the same. */
    if (epoch_read(count->id, entry->payload, &epoch) == ERR_OK)
        *count->out = epoch.id;
}

/* Batches that came back before lie between the log and this one, newest first in ends. */
static enum err return_epoch_pass_rows(const struct snapshot *snapshot, const struct log_row *log,
                                       const struct buf *ends, struct return_epoch_count *count)
{
    enum err err = ERR_OK;

    for (size_t at = ends->size / HASH_SIZE; err == ERR_OK && at > 0; at--) {
        struct return_row row;
        struct hash end;

        memcpy(end.bytes, ends->data + (at - 1) * HASH_SIZE, HASH_SIZE);
        err = return_table_get(snapshot, log->space, &log->device, &end, &row);
        for (size_t entry = 0; err == ERR_OK && entry < row.count; entry++) {
            struct entry_row found;

            err = ledger_entry(snapshot, row.arrivals[entry], &found);
            if (err == ERR_OK)
                return_epoch_pass(count, &found.entry);
        }
    }
    return err;
}

/* The way from the log to the batch. ERR_NOT_FOUND: none is known. */
static enum err return_epoch_base(const struct snapshot *snapshot, const struct log_row *log,
                                  const struct verified_batch *batch, struct buf *out_ends,
                                  uint64_t *out_base)
{
    const struct chain *start = verified_batch_start(batch);
    const struct log_id *id = verified_batch_log(batch);
    bool is_on = false;
    enum err err = keep_is_on(snapshot, log, id, start->size, &start->hash, &is_on);

    *out_base = start->size;
    return err != ERR_OK || is_on ? err
                                  : keep_path(snapshot, log, id, &start->hash, out_ends, out_base);
}

static enum err return_epoch_by_branch(const struct snapshot *snapshot, const struct log_row *log,
                                       const struct verified_batch *batch, uint32_t index,
                                       struct hash *out)
{
    struct return_epoch_count count = {.id = verified_batch_log(batch), .out = out};
    struct buf ends = {0};
    uint32_t before = 0;
    uint64_t base = 0;
    enum err err = return_epoch_base(snapshot, log, batch, &ends, &base);

    if (err == ERR_OK && base > 0)
        err = log_table_begin_count(snapshot, log, base, &before);
    if (err == ERR_OK && index <= before) {
        err = epoch_table_of_log(snapshot, log->number, index, out);
    } else if (err == ERR_OK) {
        count.left = index - before;
        err = return_epoch_pass_rows(snapshot, log, &ends, &count);
        for (size_t at = 0; err == ERR_OK && at < verified_batch_count(batch); at++)
            return_epoch_pass(&count, verified_batch_entry(batch, at));
    }
    buf_release(&ends);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL RETURN-3: "An index that the list does not name is counted along the entry's own branch:
 * another branch's epoch may have the same." */
enum err return_epoch_of(const struct snapshot *snapshot, const struct log_row *log,
                         const struct returned *returned, uint32_t index, struct hash *out)
{
    *out = (struct hash){{0}};
    if (index == 0)
        return ERR_OK;
    for (size_t at = 0; at < returned->epochs_count; at++)
        if (returned->epochs[at].index == index) {
            *out = returned->epochs[at].epoch.id;
            return ERR_OK;
        }
    return return_epoch_by_branch(snapshot, log, returned->batch, index, out);
}

/* Telling. */

struct return_epoch_opener {
    const struct snapshot *snapshot;
    const struct space_row *space;
    struct log_id id; /* whose log is looked through */
    const struct hash *wanted;
    struct returned_epoch *told;
    bool is_known, is_found;
};

/* An epoch that was opened on another branch is known by its entry alone: nobody writes under it.
 */
static enum err return_epoch_on_cut(void *self, uint64_t arrival)
{
    struct return_epoch_opener *opener = self;
    struct entry_row row;
    struct epoch epoch;
    enum err err = ledger_entry(opener->snapshot, arrival, &row);

    if (err != ERR_OK || !return_epoch_is_unsealed(&row.entry) ||
        epoch_read(&opener->id, row.entry.payload, &epoch) != ERR_OK || epoch.is_use ||
        !return_epoch_is(&epoch.id, opener->wanted))
        return err;
    opener->told->epoch = epoch;
    opener->is_found = true;
    return ERR_CANCELLED;
}

static enum err return_epoch_try_opener(void *self, const struct device_row *device)
{
    struct return_epoch_opener *opener = self;
    struct epoch epoch = opener->told->epoch;
    struct log_row log;
    enum err err = ERR_OK;

    opener->id = (struct log_id){.space = opener->space->id, .device = device->device};
    if (opener->is_known) {
        epoch_name(&opener->space->id, &device->device, &epoch);
        opener->is_found = return_epoch_is(&epoch.id, opener->wanted);
    } else {
        err = ledger_log(opener->snapshot, &opener->id, &log);
        if (err == ERR_OK)
            err = return_table_cuts(opener->snapshot, log.number, return_epoch_on_cut, opener);
    }
    if (!opener->is_found)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    opener->told->opener = device->device;
    return ERR_CANCELLED;
}

enum err return_epoch_tell(const struct snapshot *snapshot, const struct space_row *space,
                           uint32_t index, const struct hash *epoch, struct returned_row *out)
{
    struct returned_epoch *told = &out->epochs[out->epochs_count];
    struct return_epoch_opener opener = {
        .snapshot = snapshot, .space = space, .wanted = epoch, .told = told};
    struct epoch_row row = {.is_known = false};
    enum err err;

    for (size_t at = 0; at < out->epochs_count; at++)
        if (out->epochs[at].index == index)
            return ERR_OK;
    if (out->epochs_count == RETURN_EPOCHS_MAX)
        return ERR_OK;
    err = epoch_table_get(snapshot, epoch, &row);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    opener.is_known = err == ERR_OK && row.is_known;
    *told = (struct returned_epoch){.index = index, .epoch = row.epoch};
    err = view_device_each(snapshot, &space->writer, return_epoch_try_opener, &opener);
    if (err != ERR_OK && err != ERR_CANCELLED)
        return err;
    if (!opener.is_found)
        return ERR_OK;
    told->epoch.previous = span_of(NULL, 0);
    told->epoch.wraps = span_of(NULL, 0);
    err = epoch_table_key(snapshot, epoch, told->key);
    told->has_key = err == ERR_OK;
    out->epochs_count++;
    return err == ERR_KEY_MISSING ? ERR_OK : err;
}
