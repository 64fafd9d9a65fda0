/* First everything that is about them is collected, then it is forgotten together: one look at the
 * logs serves many objects. */
#include "node/op_forget.h"

#include <string.h>

#include "crypto/heap.h"
#include "proto/contact.h"
#include "proto/interaction.h"
#include "storage/forget.h"
#include "storage/row.h"
#include "storage/view_interaction.h"
#include "storage/view_same.h"

enum { OP_FORGET_AT_ONCE = 512 };

struct op_forget {
    struct op_call *call;
    struct forget_target *targets;
    size_t count, capacity;
    struct id contact; /* at hand */
};

static enum err op_forget_add(struct op_forget *forget, uint8_t kind, const struct id *object)
{
    if (forget->count == forget->capacity) {
        size_t capacity = forget->capacity > 0 ? 2 * forget->capacity : 16;
        void *grown = heap_resize(forget->targets, capacity * sizeof *forget->targets);

        if (grown == NULL)
            return ERR_NOMEM;
        forget->targets = grown;
        forget->capacity = capacity;
    }
    forget->targets[forget->count++] = (struct forget_target){.kind = kind, .object = *object};
    return ERR_OK;
}

static enum err op_forget_on_note(void *self, uint32_t number, const struct object *note)
{
    (void)number;
    return op_forget_add(self, KIND_INTERACTION, &note->id);
}

static enum err op_forget_on_reminder(void *self, uint32_t number, const struct object *reminder)
{
    struct op_forget *forget = self;
    struct span about = object_value(reminder, REMINDER_CONTACT).bytes;

    (void)number;
    return span_is_equal(about, span_of(forget->contact.bytes, ID_SIZE))
               ? op_forget_add(forget, KIND_REMINDER, &reminder->id)
               : ERR_OK;
}

static enum err op_forget_closeness(struct op_forget *forget, const struct id *self)
{
    struct object closeness = {0};
    uint32_t number;
    enum err err = row_get(&forget->call->snapshot, self, KIND_CLOSENESS, &forget->contact,
                           &closeness, &number);

    object_release(&closeness);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    return err == ERR_OK ? op_forget_add(forget, KIND_CLOSENESS, &forget->contact) : err;
}

static enum err op_forget_collect(struct op_forget *forget, uint32_t member)
{
    const struct snapshot *snapshot = &forget->call->snapshot;
    const struct id *self = ledger_self_space(snapshot->ledger);
    struct object contact = {0};
    uint32_t space;
    enum err err = row_load(snapshot, member, &contact, &space);

    forget->contact = contact.id;
    object_release(&contact);
    if (err == ERR_OK)
        err = op_forget_add(forget, KIND_CONTACT, &forget->contact);
    if (err == ERR_OK)
        err = view_interaction_each(snapshot, &forget->contact, op_forget_on_note, forget);
    if (err == ERR_OK)
        err = row_each(snapshot, self, KIND_REMINDER, op_forget_on_reminder, forget);
    return err == ERR_OK ? op_forget_closeness(forget, self) : err;
}

enum err op_forget_contact(struct op_call *call, uint32_t head)
{
    struct op_forget forget = {.call = call};
    uint32_t members[VIEW_SAME_MAX];
    size_t count = 0;
    enum err err = view_same_members(&call->snapshot, head, members, &count);

    for (size_t at = 0; at < count && err == ERR_OK; at++)
        err = op_forget_collect(&forget, members[at]);
    for (size_t at = 0; at < forget.count && err == ERR_OK; at += OP_FORGET_AT_ONCE) {
        size_t left = forget.count - at;

        err =
            forget_objects(call->txn, ledger_self_space(call->snapshot.ledger), &forget.targets[at],
                           left < OP_FORGET_AT_ONCE ? left : OP_FORGET_AT_ONCE);
    }
    heap_free(forget.targets);
    return err;
}
