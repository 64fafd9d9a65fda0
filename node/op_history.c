/* A step of history as JSON: the time, the device, and each field with what it was and became. What
 * a step wrote and did not change was set aside by a concurrent one. */
#include "node/op_history.h"

#include <string.h>

#include "node/describe.h"
#include "node/name.h"
#include "proto/contact.h"
#include "storage/history.h"
#include "storage/row.h"
#include "storage/view_peer.h"
#include "storage/view_same.h"

static json_t *op_history_value(struct value value)
{
    char text[2 * 32 + 1];

    switch (value.type) {
    case VALUE_NONE:
        return NULL;
    case VALUE_NUMBER:
        return json_integer((json_int_t)value.number);
    case VALUE_TEXT:
        return json_stringn((const char *)value.bytes.data, value.bytes.size);
    case VALUE_BYTES:
        break;
    }
    if (value.bytes.size > 32)
        return json_string("(data)");
    hex_write(value.bytes, text);
    return json_string(text);
}

static void op_history_set(json_t *change, const char *key, struct value value)
{
    json_t *shown = op_history_value(value);

    if (shown != NULL)
        (void)json_object_set_new(change, key, shown); /* A lost key shows as absent. */
}

/* Whoever the contact was linked with. */
static void op_history_set_member(json_t *change, const char *key, struct value value)
{
    struct public_key member;

    if (value.type != VALUE_BYTES || value.bytes.size != sizeof member.bytes)
        return;
    memcpy(member.bytes, value.bytes.data, sizeof member.bytes);
    describe_set_did(change, key, &member);
}

static bool op_history_is_equal(struct value left, struct value right)
{
    return left.type == right.type && left.number == right.number &&
           span_is_equal(left.bytes, right.bytes);
}

static json_t *op_history_register(const struct history_step *step, const struct write *write)
{
    struct value before = object_value(step->before, write->field),
                 after = object_value(step->after, write->field);
    json_t *change = json_object();

    if (write->field == CONTACT_MEMBER) {
        op_history_set_member(change, "from", before);
        op_history_set_member(change, "to", write->value);
    } else {
        op_history_set(change, "from", before);
        op_history_set(change, "to", write->value);
    }
    if (!op_history_is_equal(after, write->value))
        (void)json_object_set_new(change, "set_aside", json_true());
    return change;
}

static json_t *op_history_set_change(const struct history_step *step, const struct write *write)
{
    bool is_add = write->op == WRITE_ADD;
    const struct object_element *before = object_element_find(step->before, write->field,
                                                              &write->element),
                                *after =
                                    object_element_find(step->after, write->field, &write->element);
    json_t *change = json_object();

    if (is_add)
        op_history_set(change, "added", write->value);
    else if (before != NULL)
        op_history_set(change, "removed", before->value);
    if (is_add ? after == NULL : after != NULL)
        (void)json_object_set_new(change, "set_aside", json_true());
    return change;
}

static json_t *op_history_write(const struct history_step *step, const struct write *write)
{
    const struct field *field = kind_field(&contact_kind, write->field);
    json_t *change = NULL;

    switch (write->op) {
    case WRITE_SET:
        change = op_history_register(step, write);
        break;
    case WRITE_ADD:
    case WRITE_REMOVE:
        change = op_history_set_change(step, write);
        break;
    case WRITE_DELETE:
        return json_pack("{s:b}", "deleted", !object_is_visible(step->after));
    case WRITE_SAME:
        change = json_pack("{s:b}", "same", write->is_same);
        describe_set_id(change, "other", &write->other);
        return change;
    }
    (void)json_object_set_new(change, "field",
                              json_string(field != NULL ? field->name : "something newer"));
    return change;
}

struct op_history_list {
    struct op_call *call;
    json_t *steps;
};

static enum err op_history_on_step(void *self, const struct history_step *step)
{
    struct op_history_list *list = self;
    json_t *row = json_object(), *changes = json_array();
    struct device_row device;

    describe_set_time(row, "at", step->origin->time_ms);
    if (public_key_is_equal(&step->origin->device, ledger_device(list->call->snapshot.ledger)))
        (void)json_object_set_new(row, "by", json_string("this device"));
    else if (view_device(&list->call->snapshot, &step->origin->device, &device) == ERR_OK)
        describe_set_text(row, "by", span_str(device.name));
    for (size_t at = 0; at < step->edit->writes_count; at++)
        if (step->edit->writes[at].field != CONTACT_IMPORTED) /* Nothing anybody wrote. */
            (void)json_array_append_new(changes, op_history_write(step, &step->edit->writes[at]));
    if (step->before->edits_count == 0)
        (void)json_object_set_new(row, "created", json_true());
    (void)json_object_set_new(row, "changes", changes);
    return json_array_append_new(list->steps, row) == 0 ? ERR_OK : ERR_NOMEM;
}

/* Steps of several contacts by time: RFC 3339 texts order as the times do. */
static void op_history_sort(json_t *steps)
{
    for (size_t at = 1; at < json_array_size(steps); at++)
        for (size_t to = at; to > 0; to--) {
            json_t *left = json_array_get(steps, to - 1), *right = json_array_get(steps, to);
            struct span before = span_str(json_string_value(json_object_get(left, "at"))),
                        after = span_str(json_string_value(json_object_get(right, "at")));

            if (span_order(before, after) <= 0)
                break;
            json_incref(right);
            (void)json_array_remove(steps, to);
            (void)json_array_insert_new(steps, to - 1, right);
        }
}

enum err op_history(struct op_call *call)
{
    struct op_history_list list = {.call = call};
    uint32_t members[VIEW_SAME_MAX];
    struct name_match who;
    size_t count = 0;
    enum err err = name_find(call, op_text(call, "who"), &who);

    if (err != ERR_OK)
        return err;
    if (!who.has_contact)
        return op_fail(call, OP_NOT_FOUND, "kith peer show WHO",
                       "%s is a peer without a contact of yours", who.shown);
    list.steps = json_array();
    err = view_same_members(&call->snapshot, who.number, members, &count);
    for (size_t at = 0; at < count && err == ERR_OK; at++)
        err = history_each(&call->snapshot, members[at], op_history_on_step, &list);
    if (count > 1)
        op_history_sort(list.steps);
    call->result = json_pack("{s:s, s:o}", "name", who.shown, "history", list.steps);
    if (call->result != NULL)
        describe_set_id(call->result, "id", &who.contact);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the history could not be read");
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}
