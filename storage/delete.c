/*
 * The newest write of each log would do while no log is cut. Older ones are named, too: where a log
 * goes another way, the newest that is left in it is one of them.
 *
 * The newest stands for all before it, read or not: where an entry of a log waits for its key, it
 * may say of the object what nobody here has seen.
 */
#include "storage/delete.h"

#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "storage/ledger_state.h"
#include "storage/standing.h"
#include "storage/unread.h"

/* The first entry of a log that waits. */
struct delete_limit {
    uint32_t log;
    uint64_t seq;
};

struct delete_work {
    const struct snapshot *snapshot;
    struct buf names, limits;
    bool is_short; /* something was not named */
};

static int delete_order(const void *left, const void *right)
{
    return memcmp(left, right, WRITE_NAME_SIZE);
}

/* What waits. */

/* Of a device that was shut out nobody brings a key any more. */
static enum err delete_may_wait(const struct snapshot *snapshot, const struct log_row *log,
                                bool *out)
{
    enum standing standing;
    enum err err = standing_of(snapshot, &log->device, &standing);

    *out = err == ERR_OK && !standing_is_out(standing);
    return err;
}

/* ERR_NOT_FOUND: nothing of the log waits. */
static enum err delete_find_waiting(const struct snapshot *snapshot, uint32_t log, uint64_t *out)
{
    struct log_row row;
    bool may_wait = false;
    enum err err = ledger_log_numbered(snapshot, log, &row);

    if (err == ERR_OK)
        err = delete_may_wait(snapshot, &row, &may_wait);
    if (err == ERR_OK && !may_wait)
        err = ERR_NOT_FOUND;
    return err == ERR_OK ? unread_waiting(snapshot, &row, 0, out) : err;
}

static enum err delete_find_limits(struct delete_work *work, const struct object *object)
{
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < object->touched_count; at++) {
        struct delete_limit limit = {.log = object->touched[at].log};

        err = delete_find_waiting(work->snapshot, limit.log, &limit.seq);
        if (err == ERR_OK)
            buf_append(&work->limits, span_of(&limit, sizeof limit));
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return err == ERR_OK ? buf_err(&work->limits) : err;
}

/* Names. */

static void delete_note(struct delete_work *work, const uint8_t *name)
{
    if (work->names.size < DELETE_WRITES_MAX * (size_t)WRITE_NAME_SIZE)
        buf_append(&work->names, span_of(name, WRITE_NAME_SIZE));
}

/* What stands in a log, at this number. */
static void delete_note_placed(struct delete_work *work, uint32_t log, uint64_t seq,
                               const uint8_t *name)
{
    struct delete_limit limit;

    for (size_t at = 0; at < work->limits.size; at += sizeof limit) {
        memcpy(&limit, work->limits.data + at, sizeof limit);
        if (limit.log == log && limit.seq < seq) {
            work->is_short = true;
            return;
        }
    }
    delete_note(work, name);
}

/* What was cut and has been repeated since is there no more: it is among those apart. */
static enum err delete_note_edit(struct delete_work *work, uint64_t arrival)
{
    struct entry_row row;
    enum err err = ledger_entry(work->snapshot, arrival, &row);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (row.entry.payload.size > 0)
        entry_hash_payload(&row.entry);
    if (row.is_cut)
        delete_note(work, row.entry.header.payload_hash.bytes);
    else
        delete_note_placed(work, row.log, row.seq, row.entry.header.payload_hash.bytes);
    return ERR_OK;
}

/* Each name once. */
static size_t delete_sort(struct write_name *names, size_t count)
{
    size_t kept = 0;

    if (count > 1)
        qsort(names, count, sizeof *names, delete_order);
    for (size_t at = 0; at < count; at++)
        if (kept == 0 || delete_order(&names[kept - 1], &names[at]) != 0)
            names[kept++] = names[at];
    return kept;
}

static enum err delete_put_names(struct delete_work *work, const struct object *object,
                                 struct edit_space *edit)
{
    struct write_name *names;
    enum err err = ERR_OK;

    for (size_t at = 0; at < object->touched_count; at++)
        delete_note_placed(work, object->touched[at].log, object->touched[at].seq,
                           object->touched[at].name.bytes);
    for (size_t at = object->edits_count; err == ERR_OK && at > 0; at--)
        err = delete_note_edit(work, object->edits[at - 1]);
    for (size_t at = object->apart_count; at > 0; at--)
        delete_note(work, object->apart[at - 1].name.bytes);
    if (err == ERR_OK)
        err = buf_err(&work->names);
    names = (struct write_name *)(void *)work->names.data;
    if (err == ERR_OK)
        edit_delete_named(edit, names, delete_sort(names, work->names.size / sizeof *names));
    buf_release(&work->names);
    return err;
}

/* PROTOCOL MERGE-4: "A delete names the writes its writer had merged" */
enum err delete_put(const struct snapshot *snapshot, const struct object *object,
                    struct edit_space *edit)
{
    struct delete_work work = {.snapshot = snapshot};

    return delete_put_names(&work, object, edit);
}

enum err delete_put_read(const struct snapshot *snapshot, const struct object *object,
                         struct edit_space *edit, bool *out_is_short)
{
    struct delete_work work = {.snapshot = snapshot};
    enum err err = delete_find_limits(&work, object);

    if (err == ERR_OK)
        err = delete_put_names(&work, object, edit);
    *out_is_short = work.is_short;
    buf_release(&work.limits);
    return err;
}
