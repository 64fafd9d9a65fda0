/* An edit is the difference between what is there and what is wanted. */
#include "node/amend.h"

#include "proto/limits.h"
#include "storage/delete.h"
#include "storage/row.h"

static void amend_note(struct amend *amend, enum err err)
{
    if (amend->err == ERR_OK)
        amend->err = err;
}

void amend_begin(struct amend *amend, struct ledger_txn *txn, const struct id *space, uint8_t kind,
                 const struct id *id)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint32_t number;
    enum err err;

    *amend = (struct amend){.txn = txn, .space = *space};
    err = row_get(&snapshot, space, kind, id, &amend->object, &number);
    amend->is_new = err == ERR_NOT_FOUND;
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        amend_note(amend, err);
    edit_begin(&amend->edit, kind, id, ledger_txn_now_ms(txn));
}

void amend_begin_new(struct amend *amend, struct ledger_txn *txn, const struct id *space,
                     uint8_t kind, const struct id *id)
{
    *amend = (struct amend){.txn = txn, .space = *space, .is_new = true};
    edit_begin(&amend->edit, kind, id, ledger_txn_now_ms(txn));
}

static void amend_set(struct amend *amend, uint8_t field, struct value value)
{
    struct value before = object_value(&amend->object, field);
    bool is_equal = before.type == value.type && before.number == value.number &&
                    span_is_equal(before.bytes, value.bytes);

    /* A deleted object is shown again by any write that the delete has not seen. */
    if (is_equal && (amend->is_new || object_is_visible(&amend->object)))
        return;
    edit_set(&amend->edit, field, object_next_counter(&amend->object, field), value);
    amend->changes++;
}

void amend_text(struct amend *amend, uint8_t field, struct span text)
{
    if (text.size == 0)
        amend_clear(amend, field);
    else
        amend_set(amend, field, (struct value){.type = VALUE_TEXT, .bytes = text});
}

void amend_bytes(struct amend *amend, uint8_t field, struct span bytes)
{
    amend_set(amend, field, (struct value){.type = VALUE_BYTES, .bytes = bytes});
}

void amend_number(struct amend *amend, uint8_t field, uint64_t number)
{
    amend_set(amend, field, (struct value){.type = VALUE_NUMBER, .number = number});
}

void amend_clear(struct amend *amend, uint8_t field)
{
    if (object_value(&amend->object, field).type != VALUE_NONE)
        amend_set(amend, field, (struct value){.type = VALUE_NONE});
}

/* Does this edit add, or remove, the element? */
static bool amend_has(const struct amend *amend, enum write_op op, uint8_t field,
                      const struct id *element)
{
    for (size_t at = 0; at < amend->edit.edit.writes_count; at++) {
        const struct write *write = &amend->edit.edit.writes[at];

        if (write->op == op && write->field == field && id_is_equal(&write->element, element))
            return true;
    }
    return false;
}

void amend_add(struct amend *amend, uint8_t field, struct span value)
{
    struct id element;

    if (value.size == 0)
        return;
    object_element(amend->edit.edit.kind, field, value, &element);
    object_know_elements(&amend->object);
    if (amend_has(amend, WRITE_ADD, field, &element) ||
        (object_element_find(&amend->object, field, &element) != NULL &&
         !amend_has(amend, WRITE_REMOVE, field, &element)))
        return;
    if (amend->has_dot)
        edit_next_dot(&amend->dot, 0);
    else
        ledger_draw(amend->txn, &amend->dot);
    amend->has_dot = true;
    edit_add_element(&amend->edit, field, &element, &amend->dot,
                     (struct value){.type = VALUE_TEXT, .bytes = value});
    amend->changes++;
}

static void amend_drop(struct amend *amend, const struct object_element *element)
{
    struct id dots[REMOVE_DOTS_MAX], id;
    size_t count = element->dots_count < REMOVE_DOTS_MAX ? element->dots_count : REMOVE_DOTS_MAX;

    for (size_t at = 0; at < count; at++)
        dots[at] = element->dots[at].dot;
    object_element_id(&amend->object, element, &id);
    edit_remove(&amend->edit, element->field, &id, dots, count);
    amend->changes++;
}

bool amend_remove(struct amend *amend, uint8_t field, struct span value)
{
    const struct object_element *found = object_element_like(&amend->object, field, value);

    if (found != NULL)
        amend_drop(amend, found);
    return found != NULL;
}

void amend_remove_all(struct amend *amend, uint8_t field)
{
    const struct object_element *at;

    for (at = object_element_next(&amend->object, field, NULL); at != NULL;
         at = object_element_next(&amend->object, field, at))
        amend_drop(amend, at);
}

void amend_same(struct amend *amend, const struct id *other, bool is_same)
{
    uint64_t counter = 1;

    for (size_t at = 0; at < amend->object.ties_count; at++) {
        const struct object_tie *tie = &amend->object.ties[at];

        if (!id_is_equal(&tie->other, other))
            continue;
        if (tie->is_same == is_same)
            return;
        counter = tie->counter + 1;
    }
    edit_same(&amend->edit, other, counter, is_same);
    amend->changes++;
}

/* Any write that the delete has not seen shows the object whole. */
void amend_restore(struct amend *amend)
{
    if (amend->object.registers_count == 0 || object_is_visible(&amend->object))
        return;
    edit_set(&amend->edit, amend->object.registers[0].field,
             object_next_counter(&amend->object, amend->object.registers[0].field),
             amend->object.registers[0].value);
    amend->changes++;
}

void amend_delete(struct amend *amend)
{
    struct snapshot snapshot = ledger_txn_snapshot(amend->txn);

    amend_note(amend, delete_put(&snapshot, &amend->object, &amend->edit));
    amend->changes++;
}

void amend_delete_by_hand(struct amend *amend)
{
    struct snapshot snapshot = ledger_txn_snapshot(amend->txn);
    bool is_short = false;

    amend_note(amend, delete_put_read(&snapshot, &amend->object, &amend->edit, &is_short));
    amend_note(amend, is_short ? ERR_KEY_MISSING : ERR_OK);
    amend->changes++;
}

static enum err amend_finish(struct amend *amend, bool must_follow, size_t *out_changes)
{
    enum err err = amend->err;

    if (err == ERR_OK && amend->changes > 0) {
        err = ledger_append(amend->txn, &amend->space, &amend->edit, 0);
        if (err == ERR_OK && must_follow)
            err = ledger_follow(amend->txn);
    }
    if (out_changes != NULL)
        *out_changes = amend->changes;
    amend_abort(amend);
    return err;
}

enum err amend_end(struct amend *amend, size_t *out_changes)
{
    return amend_finish(amend, true, out_changes);
}

enum err amend_end_behind(struct amend *amend, size_t *out_changes)
{
    return amend_finish(amend, false, out_changes);
}

void amend_abort(struct amend *amend)
{
    edit_release(&amend->edit);
    object_release(&amend->object);
}
