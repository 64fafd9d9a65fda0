/*
 * Per object: the states before and after the act are found in its history, and compared with what
 * is there now. A field is put back only where it still says what the act made it say.
 */
#include "node/op_undo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/amend.h"
#include "node/describe.h"
#include "proto/contact.h"
#include "proto/scan.h"
#include "storage/history.h"
#include "storage/row.h"
#include "storage/undo.h"
#include "storage/view_same.h"

enum { OP_UNDO_FIELDS = 256, OP_UNDO_NAME_MAX = 200 };

uint64_t op_undo_begin(const struct op_call *call)
{
    return undo_mark(call->txn);
}

/* An act that appended nothing is none. */
static enum err op_undo_push(struct op_call *call, uint64_t mark, struct undo_row *row)
{
    enum err err = undo_since(call->txn, mark, row);

    if (err == ERR_OK)
        err = undo_push(call->txn, row);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err op_undo_end(struct op_call *call, uint64_t mark, const char *verb, const char *name)
{
    struct span whom = scan_cut(span_str(name), OP_UNDO_NAME_MAX);
    struct undo_row row = {.act = 0};

    (void)snprintf(row.what, sizeof row.what, "%s%s%.*s", verb, whom.size > 0 ? " " : "",
                   (int)whom.size, name);
    return op_undo_push(call, mark, &row);
}

enum err op_undo_end_step(struct op_call *call, uint64_t mark, const char *verb, uint64_t *act)
{
    struct undo_row row = {.act = *act};
    enum err err;

    (void)snprintf(row.what, sizeof row.what, "%s", verb);
    err = op_undo_push(call, mark, &row);
    *act = row.act;
    return err;
}

struct op_undo {
    struct op_call *call;
    struct undo_row row;
    uint64_t changed, left;
};

/* The objects of the act. */

struct op_undo_objects {
    struct id *ids;
    size_t count, capacity;
};

static enum err op_undo_note(struct op_undo_objects *objects, const struct id *id)
{
    if (objects->count == objects->capacity) {
        size_t capacity = objects->capacity > 0 ? 2 * objects->capacity : 16;
        void *grown = heap_resize(objects->ids, capacity * sizeof *objects->ids);

        if (grown == NULL)
            return ERR_NOMEM;
        objects->ids = grown;
        objects->capacity = capacity;
    }
    objects->ids[objects->count++] = *id;
    return ERR_OK;
}

static enum err op_undo_read(struct op_undo *undo, uint64_t number, struct op_undo_objects *objects)
{
    struct edit_space edit = {0};
    struct buf plain = {0};
    struct entry_row row;
    enum err err = undo_entry(&undo->call->snapshot, &undo->row, number, &row);

    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err == ERR_OK && (row.entry.header.epoch_index == 0 || row.entry.payload.size == 0))
        return ERR_OK;
    if (err == ERR_OK)
        err = ledger_open_entry(&undo->call->snapshot, &row, &plain);
    if (err == ERR_OK)
        err = edit_read(&edit, buf_span(&plain));
    if (err == ERR_OK && edit.edit.kind == KIND_CONTACT)
        err = op_undo_note(objects, &edit.edit.object);
    edit_release(&edit);
    buf_release(&plain);
    return err;
}

static int op_undo_order(const void *left, const void *right)
{
    return memcmp(left, right, ID_SIZE);
}

static enum err op_undo_collect(struct op_undo *undo, struct op_undo_objects *objects)
{
    size_t kept = 0;
    enum err err = ERR_OK;

    for (uint64_t at = undo->row.first; at <= undo->row.last && err == ERR_OK; at++)
        err = op_undo_read(undo, at, objects);
    if (objects->count > 1)
        qsort(objects->ids, objects->count, sizeof *objects->ids, op_undo_order);
    for (size_t at = 0; at < objects->count; at++)
        if (kept == 0 || !id_is_equal(&objects->ids[kept - 1], &objects->ids[at]))
            objects->ids[kept++] = objects->ids[at];
    objects->count = kept;
    return err;
}

/* One object: what the act wrote, what there was before, and what it made of it. */

struct op_undo_object {
    struct op_undo *undo;
    struct object before, after;
    bool has_before, is_deleted;
    bool fields[OP_UNDO_FIELDS];
    struct id ties[VIEW_SAME_MAX];
    size_t ties_count;
};

static bool op_undo_is_ours(const struct op_undo *undo, uint64_t arrival)
{
    struct entry_row row;

    return ledger_entry(&undo->call->snapshot, arrival, &row) == ERR_OK &&
           undo_wrote(&undo->row, &row);
}

static enum err op_undo_keep(const struct object *object, struct object *out)
{
    struct buf bytes = {0};
    enum err err;

    object_release(out);
    row_write(object, &bytes);
    err = buf_err(&bytes);
    if (err == ERR_OK)
        err = row_read(buf_span(&bytes), out);
    if (err == ERR_OK)
        err = object_own(out);
    buf_release(&bytes);
    return err;
}

static enum err op_undo_on_step(void *self, const struct history_step *step)
{
    struct op_undo_object *object = self;
    enum err err = ERR_OK;

    if (!op_undo_is_ours(object->undo, step->origin->arrival))
        return ERR_OK;
    if (!object->has_before)
        err = op_undo_keep(step->before, &object->before);
    object->has_before = true;
    if (err == ERR_OK)
        err = op_undo_keep(step->after, &object->after);
    for (size_t at = 0; at < step->edit->writes_count; at++) {
        const struct write *write = &step->edit->writes[at];

        object->fields[write->field] |= write->op <= WRITE_REMOVE;
        object->is_deleted |= write->op == WRITE_DELETE;
        if (write->op == WRITE_SAME && object->ties_count < VIEW_SAME_MAX)
            object->ties[object->ties_count++] = write->other;
    }
    return err;
}

static bool op_undo_is_equal(struct value left, struct value right)
{
    return left.type == right.type && left.number == right.number &&
           span_is_equal(left.bytes, right.bytes);
}

static void op_undo_register(struct op_undo_object *object, struct amend *amend, uint8_t field)
{
    struct value before = object_value(&object->before, field);

    if (!op_undo_is_equal(object_value(&amend->object, field),
                          object_value(&object->after, field))) {
        object->undo->left++;
        return;
    }
    switch (before.type) {
    case VALUE_NONE:
        amend_clear(amend, field);
        break;
    case VALUE_NUMBER:
        amend_number(amend, field, before.number);
        break;
    case VALUE_TEXT:
        amend_text(amend, field, before.bytes);
        break;
    case VALUE_BYTES:
        amend_bytes(amend, field, before.bytes);
        break;
    }
}

static void op_undo_set(struct op_undo_object *object, struct amend *amend, uint8_t field)
{
    const struct object_element *at;

    for (at = object_element_next(&object->after, field, NULL); at != NULL;
         at = object_element_next(&object->after, field, at))
        if (object_element_like(&object->before, field, at->value.bytes) == NULL)
            (void)amend_remove(amend, field, at->value.bytes); /* Gone already: no matter. */
    for (at = object_element_next(&object->before, field, NULL); at != NULL;
         at = object_element_next(&object->before, field, at))
        if (object_element_like(&object->after, field, at->value.bytes) == NULL)
            amend_add(amend, field, at->value.bytes);
}

static bool op_undo_tied(const struct object *object, const struct id *other)
{
    for (size_t at = 0; at < object->ties_count; at++)
        if (id_is_equal(&object->ties[at].other, other))
            return object->ties[at].is_same;
    return false;
}

static void op_undo_fields(struct op_undo_object *object, struct amend *amend)
{
    for (unsigned field = 0; field < OP_UNDO_FIELDS; field++) {
        const struct field *about =
            object->fields[field] ? kind_field(&contact_kind, (uint8_t)field) : NULL;

        if (about != NULL && about->is_set)
            op_undo_set(object, amend, (uint8_t)field);
        else if (about != NULL)
            op_undo_register(object, amend, (uint8_t)field);
    }
    for (size_t at = 0; at < object->ties_count; at++)
        if (op_undo_tied(&amend->object, &object->ties[at]) ==
            op_undo_tied(&object->after, &object->ties[at]))
            amend_same(amend, &object->ties[at], op_undo_tied(&object->before, &object->ties[at]));
}

/* Does the contact still say just what the act made it say? */
static bool op_undo_is_untouched(const struct object *after, const struct object *now)
{
    if (after->elements_count != now->elements_count)
        return false;
    for (size_t at = 0; at < now->elements_count; at++)
        if (object_element_like(after, now->elements[at].field, now->elements[at].value.bytes) ==
            NULL)
            return false;
    for (size_t at = 0; at < now->registers_count; at++)
        if (!op_undo_is_equal(now->registers[at].value,
                              object_value(after, now->registers[at].field)))
            return false;
    return true;
}

static enum err op_undo_amend(struct op_undo_object *object, struct amend *amend, uint32_t number)
{
    enum err err = history_each(&object->undo->call->snapshot, number, op_undo_on_step, object);

    if (err != ERR_OK || !object->has_before)
        return err; /* An edit so old that its history is gone. */
    if (object->before.edits_count > 0) {
        if (object->is_deleted && object_is_visible(&object->before))
            amend_restore(amend);
        op_undo_fields(object, amend);
    } else if (!op_undo_is_untouched(&object->after, &amend->object)) {
        object->undo->left++; /* Made by the act, changed since: it stays. */
    } else if (object_is_visible(&amend->object)) {
        amend_delete_by_hand(amend);
    }
    return ERR_OK;
}

static enum err op_undo_one(struct op_undo *undo, const struct id *id)
{
    const struct id *space = ledger_self_space(undo->call->snapshot.ledger);
    struct op_undo_object *object = heap_new_zeroed(1, sizeof *object);
    struct space_row self;
    struct amend amend;
    size_t changes = 0;
    uint32_t number;
    enum err err = object != NULL ? ledger_space(&undo->call->snapshot, space, &self) : ERR_NOMEM;

    if (err == ERR_OK)
        err = row_find(&undo->call->snapshot, self.number, KIND_CONTACT, id, &number);
    if (err != ERR_OK)
        goto free_object;
    object->undo = undo;
    amend_begin(&amend, undo->call->txn, space, KIND_CONTACT, id);
    err = op_undo_amend(object, &amend, number);
    if (err != ERR_OK)
        amend.err = err;
    err = amend_end(&amend, &changes);
    undo->changed += changes > 0;
    object_release(&object->before); /* Its values were borrowed until the edit was written. */
    object_release(&object->after);

free_object:
    heap_free(object);
    return err;
}

static enum err op_undo_all(struct op_undo *undo)
{
    struct op_undo_objects objects = {0};
    enum err err = op_undo_collect(undo, &objects);

    for (size_t at = 0; at < objects.count && err == ERR_OK; at++) {
        err = op_undo_one(undo, &objects.ids[at]);
        if (undo->call->progress != NULL && at % 256 == 0)
            undo->call->progress(undo->call->progress_self, at, objects.count);
    }
    heap_free(objects.ids);
    return err == ERR_OK ? undo_drop(undo->call->txn, &undo->row) : err;
}

/* The next step to take back: of the act under way, or of the newest. */
static enum err op_undo_begin_step(struct op_undo *undo)
{
    const json_t *first = undo->call->first;

    if (first == NULL)
        return undo_last(&undo->call->snapshot, &undo->row);
    undo->changed = (uint64_t)json_integer_value(json_object_get(first, "contacts"));
    undo->left = (uint64_t)json_integer_value(json_object_get(first, "left"));
    return undo_step(&undo->call->snapshot,
                     (uint64_t)json_integer_value(json_object_get(first, "act")), &undo->row);
}

/* What was written in steps is taken back in steps, the newest first; who is interrupted goes on
 * with the next undo. */
enum err op_undo(struct op_call *call)
{
    struct op_undo undo = {.call = call};
    struct undo_row next;
    enum err err = op_undo_begin_step(&undo);

    if (err == ERR_NOT_FOUND)
        return op_fail(call, OP_NOT_FOUND, "kith contact history WHO",
                       "there is nothing left to take back on this device");
    if (err == ERR_OK && undo_check(&call->snapshot, &undo.row) == ERR_STATE)
        return op_fail(call, OP_FAILED, "kith contact history WHO",
                       "\"%s\" was done last and cannot be taken back: this device was restored "
                       "from an old copy since, and an older kith did not note enough of it",
                       undo.row.what);
    if (err == ERR_OK)
        err = op_undo_all(&undo);
    if (err == ERR_OK) {
        err = undo_step(&call->snapshot, undo.row.act, &next);
        call->effects.goes_on = err == ERR_OK;
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    if (err != ERR_OK)
        return op_fail_err(call, err, "the last change could not be taken back");
    for (size_t size = strlen(undo.row.what);
         !scan_is_utf8(span_of(undo.row.what, size)) && size > 0; size--)
        undo.row.what[size - 1] = '\0'; /* An older kith cut letters in two. */
    call->result = json_pack("{s:s, s:I, s:I}", "undone", undo.row.what, "contacts",
                             (json_int_t)undo.changed, "left", (json_int_t)undo.left);
    if (call->result == NULL)
        return ERR_NOMEM;
    if (call->effects.goes_on)
        (void)json_object_set_new(call->result, "act", json_integer((json_int_t)undo.row.act));
    describe_set_time(call->result, "at", undo.row.at_ms);
    return ERR_OK;
}
