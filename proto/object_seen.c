/*
 * What deletes have seen of an object, and what they have not. The newest write of a log stands for
 * those before it: who saw it saw them. What was cut or repeated stands in no log's order and
 * counts for itself. Where a log goes another way all is merged anew (storage/keep.h).
 */
#include <string.h>

#include "proto/object_seen.h"

static int object_seen_order(const struct write_name *left, const struct write_name *right)
{
    return memcmp(left->bytes, right->bytes, WRITE_NAME_SIZE);
}

static int object_seen_order_reach(const struct object_reach *left,
                                   const struct object_reach *right)
{
    int order = object_seen_order(&left->name, &right->name);

    if (order == 0 && left->log != right->log)
        order = left->log < right->log ? -1 : 1;
    if (order == 0 && left->seq != right->seq)
        order = left->seq < right->seq ? -1 : 1;
    return order;
}

/* Where a name is, or would be. */
static size_t object_seen_place(const struct object *object, const struct write_name *name,
                                bool *out_is_there)
{
    size_t from = 0, until = object->named_count;

    *out_is_there = false;
    while (from < until) {
        size_t middle = from + (until - from) / 2;
        int order = object_seen_order(&object->named[middle], name);

        *out_is_there |= order == 0;
        if (order < 0)
            from = middle + 1;
        else
            until = middle;
    }
    return from;
}

/* Writes. */

static enum err object_seen_apart(struct object *object, const struct object_reach *reach)
{
    size_t at = object->apart_count;

    while (at > 0 && object_seen_order_reach(&object->apart[at - 1], reach) > 0)
        at--;
    if (at > 0 && object_seen_order_reach(&object->apart[at - 1], reach) == 0)
        return ERR_OK;
    if (OBJECT_MORE(object->apart, object->apart_count) == NULL)
        return ERR_NOMEM;
    memmove(object->apart + at + 1, object->apart + at,
            (object->apart_count - at - 1) * sizeof *reach);
    object->apart[at] = *reach;
    return ERR_OK;
}

static struct object_reach *object_seen_log(struct object_reach *list, size_t count, uint32_t log)
{
    for (size_t at = 0; at < count; at++)
        if (list[at].log == log)
            return &list[at];
    return NULL;
}

/* PROTOCOL MERGE-4: "Looked at are, of each log, the newest write, which stands for those before
 * it, and by itself each that was cut or is a repetition. Removals under the original [device, 0,
 * zeros] show nothing." */
enum err object_see_write(struct object *object, const struct origin *origin)
{
    struct object_reach reach = {.log = origin->log, .seq = origin->seq};
    struct object_reach *last =
        object_seen_log(object->touched, object->touched_count, origin->log);

    if (origin->seq == 0)
        return ERR_OK;
    memcpy(reach.name.bytes, origin->entry_hash.bytes, WRITE_NAME_SIZE);
    if (origin->is_apart)
        return object_seen_apart(object, &reach);
    if (last == NULL)
        last = OBJECT_MORE(object->touched, object->touched_count);
    if (last == NULL)
        return ERR_NOMEM;
    if (reach.seq > last->seq)
        *last = reach;
    return ERR_OK;
}

/* Deletes. */

static enum err object_seen_name(struct object *object, const struct write_name *name)
{
    bool is_there;
    size_t at = object_seen_place(object, name, &is_there);

    if (is_there)
        return ERR_OK;
    if (OBJECT_MORE(object->named, object->named_count) == NULL)
        return ERR_NOMEM;
    memmove(object->named + at + 1, object->named + at,
            (object->named_count - at - 1) * sizeof *name);
    object->named[at] = *name;
    return ERR_OK;
}

static enum err object_seen_mark(struct object *object, uint32_t log, uint64_t seq)
{
    struct object_reach *mark = object_seen_log(object->hidden, object->hidden_count, log);

    if (mark == NULL)
        mark = OBJECT_MORE(object->hidden, object->hidden_count);
    if (mark == NULL)
        return ERR_NOMEM;
    mark->log = log;
    if (seq > mark->seq)
        mark->seq = seq;
    return ERR_OK;
}

enum err object_see_delete(struct object *object, const struct write *write,
                           const struct object_context *context)
{
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < write->seen_count; at++) {
        uint32_t log;

        err = context->log_number(context->self, &write->seen[at].device, &log);
        if (err == ERR_OK)
            err = object_seen_mark(object, log, write->seen[at].size);
    }
    for (size_t at = 0; err == ERR_OK && at < write->names_count; at++)
        err = object_seen_name(object, &write->names[at]);
    return err;
}

/* Questions. */

static bool object_seen_is_hidden(const struct object *object, const struct object_reach *write)
{
    const struct object_reach *mark =
        object_seen_log(object->hidden, object->hidden_count, write->log);
    bool is_named;

    (void)object_seen_place(object, &write->name, &is_named);
    return is_named || (mark != NULL && write->seq <= mark->seq);
}

/* PROTOCOL MERGE-4: "A delete names the writes its writer had merged, each by the first 8 bytes of
 * its payload hash, a repetition by those of the original's, and hides the object unless some write
 * is named by no delete." */
bool object_is_visible(const struct object *object)
{
    for (size_t at = 0; at < object->touched_count; at++)
        if (!object_seen_is_hidden(object, &object->touched[at]))
            return true;
    for (size_t at = 0; at < object->apart_count; at++)
        if (!object_seen_is_hidden(object, &object->apart[at]))
            return true;
    return false;
}
