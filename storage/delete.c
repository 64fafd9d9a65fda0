/*
 * The newest write of each log would do while no log is cut. Older ones are named, too: where a log
 * goes another way, the newest that is left in it is one of them.
 */
#include "storage/delete.h"

#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

static int delete_order(const void *left, const void *right)
{
    return memcmp(left, right, WRITE_NAME_SIZE);
}

static void delete_note(struct buf *names, const uint8_t *name)
{
    if (names->size < DELETE_WRITES_MAX * (size_t)WRITE_NAME_SIZE)
        buf_append(names, span_of(name, WRITE_NAME_SIZE));
}

/* What was cut and has been repeated since is there no more: it is among those apart. */
static enum err delete_note_edit(const struct snapshot *snapshot, uint64_t arrival,
                                 struct buf *names)
{
    struct entry_row row;
    enum err err = ledger_entry(snapshot, arrival, &row);

    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (row.entry.payload.size > 0)
        entry_hash_payload(&row.entry);
    delete_note(names, row.entry.header.payload_hash.bytes);
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

/* PROTOCOL MERGE-4: "A delete names the writes its writer had merged" */
enum err delete_put(const struct snapshot *snapshot, const struct object *object,
                    struct edit_space *edit)
{
    struct buf list = {0};
    struct write_name *names;
    enum err err = ERR_OK;

    for (size_t at = 0; at < object->touched_count; at++)
        delete_note(&list, object->touched[at].name.bytes);
    for (size_t at = object->edits_count; err == ERR_OK && at > 0; at--)
        err = delete_note_edit(snapshot, object->edits[at - 1], &list);
    for (size_t at = object->apart_count; at > 0; at--)
        delete_note(&list, object->apart[at - 1].name.bytes);
    if (err == ERR_OK)
        err = buf_err(&list);
    names = (struct write_name *)(void *)list.data;
    if (err == ERR_OK)
        edit_delete_named(edit, names, delete_sort(names, list.size / sizeof *names));
    buf_release(&list);
    return err;
}
