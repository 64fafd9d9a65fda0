/* The edits are merged again, one by one, into an empty object. */
#include "storage/history.h"

#include "crypto/heap.h"
#include "storage/row.h"

struct history_entry {
    struct origin origin;
    struct buf plain;
};

struct history {
    const struct snapshot *snapshot;
    struct id space;
    struct history_entry *entries;
    size_t count;
};

/* Numbers of logs are the store's own; a device a delete has seen, and of which nothing is here,
 * has none and no writes either. */
static enum err history_log_number(void *self, const struct public_key *device, uint32_t *out)
{
    struct history *history = self;
    struct log_id id = {.space = history->space, .device = *device};
    struct log_row log;
    enum err err = ledger_log(history->snapshot, &id, &log);

    *out = err == ERR_OK ? log.number : UINT32_MAX;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err history_origin(void *self, uint64_t arrival, struct origin *out)
{
    struct history *history = self;

    for (size_t at = 0; at < history->count; at++)
        if (history->entries[at].origin.arrival == arrival) {
            *out = history->entries[at].origin;
            return ERR_OK;
        }
    return ERR_NOT_FOUND;
}

/* Reads one entry; it is left out when its payload is gone or its edit is a repetition. */
static enum err history_read(struct history *history, uint64_t arrival)
{
    struct history_entry *entry = &history->entries[history->count];
    struct object_context context = {.log_number = history_log_number, .self = history};
    struct edit_space edit = {0};
    struct entry_row row;
    struct log_row log;
    enum err err = ledger_entry(history->snapshot, arrival, &row);

    if (err == ERR_OK && row.entry.payload.size == 0)
        return ERR_OK;
    if (err == ERR_OK)
        err = ledger_log_numbered(history->snapshot, row.log, &log);
    if (err == ERR_OK)
        err = ledger_open_entry(history->snapshot, &row, &entry->plain);
    if (err == ERR_OK)
        err = edit_read(&edit, buf_span(&entry->plain));
    if (err == ERR_OK) {
        entry_hash_payload(&row.entry);
        entry->origin = (struct origin){.arrival = arrival,
                                        .log = row.log,
                                        .seq = row.seq,
                                        .device = log.device,
                                        .entry_hash = row.entry.header.payload_hash,
                                        .is_apart = row.is_cut};
        err = object_identify(&edit.edit, &context, &entry->origin);
    }
    for (size_t at = 0; at < history->count && err == ERR_OK; at++)
        if (span_is_equal(span_of(history->entries[at].origin.entry_hash.bytes, HASH_SIZE),
                          span_of(entry->origin.entry_hash.bytes, HASH_SIZE))) {
            edit_release(&edit);
            buf_clear(&entry->plain);
            return ERR_OK;
        }
    edit_release(&edit);
    history->count += err == ERR_OK;
    return err;
}

static enum err history_tell(struct history *history, struct history_entry *entry,
                             struct object *object, history_fn each, void *self)
{
    struct object_context context = {
        .origin = history_origin, .log_number = history_log_number, .self = history};
    struct edit_space edit = {0};
    struct object before = {0};
    struct history_step step = {.origin = &entry->origin, .before = &before, .after = object};
    struct buf bytes = {0};
    enum err err = edit_read(&edit, buf_span(&entry->plain));

    row_write(object, &bytes);
    if (err == ERR_OK)
        err = buf_err(&bytes);
    if (err == ERR_OK)
        err = row_read(buf_span(&bytes), &before);
    if (err == ERR_OK)
        err = object_apply(object, &edit.edit, &entry->origin, &context);
    if (err == ERR_OK)
        err = object_own(object);
    step.edit = &edit.edit;
    if (err == ERR_OK)
        err = each(self, &step);
    object_release(&before);
    buf_release(&bytes);
    edit_release(&edit);
    return err;
}

enum err history_each(const struct snapshot *snapshot, uint32_t number, history_fn each, void *self)
{
    struct history history = {.snapshot = snapshot};
    struct object now = {0}, object = {0};
    struct space_row space_row;
    uint32_t space;
    enum err err = row_get_numbered(snapshot, number, &now, &space);

    if (err == ERR_OK)
        err = ledger_space_numbered(snapshot, space, &space_row);
    if (err == ERR_OK) {
        history.space = space_row.id;
        history.entries = heap_new_zeroed(now.edits_count + 1, sizeof *history.entries);
        err = history.entries != NULL ? ERR_OK : ERR_NOMEM;
    }
    for (size_t at = 0; at < now.edits_count && err == ERR_OK; at++)
        err = history_read(&history, now.edits[at]);
    for (size_t at = 0; at < history.count && err == ERR_OK; at++)
        err = history_tell(&history, &history.entries[at], &object, each, self);
    for (size_t at = 0; history.entries != NULL && at <= now.edits_count; at++)
        buf_release(&history.entries[at].plain);
    heap_free(history.entries);
    object_release(&object);
    object_release(&now);
    return err;
}
