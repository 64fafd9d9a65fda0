/* Two kinds of rows in one table: from a member to its head, and from a head to each member. */
#include "storage/view_same.h"

#include <string.h>

#include "crypto/heap.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_search.h"

enum { VIEW_SAME_TO_HEAD = 0, VIEW_SAME_TO_MEMBER = 1 };

static struct key view_same_key(uint8_t what, uint32_t number)
{
    struct key key;

    key_of_byte(what, &key);
    key_add_u32(&key, number);
    return key;
}

static enum err view_same_is_used(const struct snapshot *snapshot, bool *out)
{
    uint64_t count;
    enum err err = kv_count(snapshot->kv, TABLE_SAME, &count);

    *out = err == ERR_OK && count > 0;
    return err;
}

enum err view_same_head(const struct snapshot *snapshot, uint32_t number, uint32_t *out_head)
{
    struct key key = view_same_key(VIEW_SAME_TO_HEAD, number);
    struct span value;
    bool is_used;
    enum err err = view_same_is_used(snapshot, &is_used);

    *out_head = number;
    if (err != ERR_OK || !is_used)
        return err;
    err = ledger_get(snapshot, TABLE_SAME, &key, &value);
    if (err == ERR_OK && value.size != 4)
        return ERR_CORRUPT;
    if (err == ERR_OK)
        *out_head = be32(value.data);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_same_members(const struct snapshot *snapshot, uint32_t head,
                           uint32_t out[static VIEW_SAME_MAX], size_t *out_count)
{
    struct key prefix = view_same_key(VIEW_SAME_TO_MEMBER, head);
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_SAME, &cursor);

    out[0] = head;
    *out_count = 1;
    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, key_span(&prefix)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        if (key.size != prefix.size + 4 || memcmp(key.data, prefix.bytes, prefix.size) != 0 ||
            *out_count == VIEW_SAME_MAX)
            break;
        out[(*out_count)++] = be32(key.data + prefix.size);
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err view_same_each(const struct snapshot *snapshot, view_same_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span key, value;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_SAME, &cursor);

    if (err != ERR_OK)
        return err;
    for (err = kv_cursor_seek(cursor, span_of(NULL, 0)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        if (key.size != 5 || key.data[0] != VIEW_SAME_TO_HEAD || value.size != 4)
            break;
        err = each(self, be32(key.data + 1), be32(value.data));
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Reading a group as one. */

/* Adds what the member has and the head has not. Takes the dots of the elements it adds. */
static enum err view_same_unite(struct object *head, struct object *member)
{
    struct object_register *registers =
        heap_resize(head->registers, (head->registers_count + member->registers_count + 1) *
                                         sizeof *head->registers);
    struct object_element *elements;

    if (registers == NULL)
        return ERR_NOMEM;
    head->registers = registers;
    elements = heap_resize(head->elements, (head->elements_count + member->elements_count + 1) *
                                               sizeof *head->elements);
    if (elements == NULL)
        return ERR_NOMEM;
    head->elements = elements;
    for (size_t at = 0; at < member->registers_count; at++) {
        struct object_register *own = NULL;

        for (size_t one = 0; one < head->registers_count; one++)
            if (registers[one].field == member->registers[at].field)
                own = &registers[one];
        if (own == NULL)
            registers[head->registers_count++] = member->registers[at];
        else if (own->value.type == VALUE_NONE)
            own->value = member->registers[at].value;
    }
    for (size_t at = 0; at < member->elements_count; at++) {
        const struct object_element *element = &member->elements[at];

        if (object_element_like(head, element->field, element->value.bytes) != NULL)
            continue;
        elements[head->elements_count++] = member->elements[at];
        member->elements[at].dots = NULL;
        member->elements[at].dots_count = 0;
    }
    return object_own(head);
}

enum err view_same_read(const struct snapshot *snapshot, uint32_t number, struct object *out,
                        uint32_t *out_head)
{
    uint32_t members[VIEW_SAME_MAX], space;
    size_t count = 0;
    bool is_used;
    enum err err = view_same_is_used(snapshot, &is_used);

    *out = (struct object){0};
    *out_head = number;
    if (err == ERR_OK && is_used)
        err = view_same_head(snapshot, number, out_head);
    if (err == ERR_OK)
        err = row_get_numbered(snapshot, *out_head, out, &space);
    if (err == ERR_OK && is_used)
        err = view_same_members(snapshot, *out_head, members, &count);
    for (size_t at = 1; at < count && err == ERR_OK; at++) {
        struct object member;

        err = row_get_numbered(snapshot, members[at], &member, &space);
        if (err == ERR_OK)
            err = view_same_unite(out, &member);
        object_release(&member);
    }
    if (err != ERR_OK)
        object_release(out);
    return err;
}

/* Finding groups. */

struct view_same_set {
    uint32_t numbers[2 * VIEW_SAME_MAX];
    size_t count;
};

static bool view_same_holds(const struct view_same_set *set, uint32_t number)
{
    for (size_t at = 0; at < set->count; at++)
        if (set->numbers[at] == number)
            return true;
    return false;
}

static void view_same_add(struct view_same_set *set, uint32_t number)
{
    if (set->count < sizeof set->numbers / sizeof set->numbers[0] && !view_same_holds(set, number))
        set->numbers[set->count++] = number;
}

static const struct object_tie *view_same_tie(const struct object *object, const struct id *other)
{
    for (size_t at = 0; at < object->ties_count; at++)
        if (id_is_equal(&object->ties[at].other, other))
            return &object->ties[at];
    return NULL;
}

/* Does the tie from one to the other hold, by what both say? */
static bool view_same_is_tied(const struct object *one, const struct object_tie *tie,
                              const struct object *other)
{
    const struct object_tie *back = view_same_tie(other, &one->id);

    if (back == NULL || back->counter < tie->counter)
        return tie->is_same;
    if (back->counter > tie->counter)
        return back->is_same;
    return tie->is_same && back->is_same;
}

static enum err view_same_find(const struct snapshot *snapshot, uint32_t space, const struct id *id,
                               struct object *out, uint32_t *out_number)
{
    uint32_t ignored;
    enum err err = row_find(snapshot, space, KIND_CONTACT, id, out_number);

    *out = (struct object){0};
    return err == ERR_OK ? row_get_numbered(snapshot, *out_number, out, &ignored) : err;
}

/* Adds the visible neighbours of one contact to the set; with all of them when is_any. */
static enum err view_same_neighbours(const struct snapshot *snapshot, uint32_t number, bool is_any,
                                     struct view_same_set *set)
{
    struct object object;
    uint32_t space;
    enum err err = row_get_numbered(snapshot, number, &object, &space);

    for (size_t at = 0; at < object.ties_count && err == ERR_OK; at++) {
        struct object other;
        uint32_t neighbour;

        err = view_same_find(snapshot, space, &object.ties[at].other, &other, &neighbour);
        if (err == ERR_OK && (is_any || (object_is_visible(&object) && object_is_visible(&other) &&
                                         view_same_is_tied(&object, &object.ties[at], &other))))
            view_same_add(set, neighbour);
        object_release(&other);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK; /* A tie to somebody who has not arrived. */
    }
    object_release(&object);
    return err;
}

/* Everything that can be reached. The head is the least id: who was made first. */
static enum err view_same_group(const struct snapshot *snapshot, uint32_t number,
                                struct view_same_set *out, uint32_t *out_head)
{
    struct id least = {{0}};
    enum err err = ERR_OK;

    out->count = 0;
    view_same_add(out, number);
    for (size_t at = 0; at < out->count && at < VIEW_SAME_MAX && err == ERR_OK; at++)
        err = view_same_neighbours(snapshot, out->numbers[at], false, out);
    if (out->count > VIEW_SAME_MAX)
        out->count = VIEW_SAME_MAX;
    for (size_t at = 0; at < out->count && err == ERR_OK; at++) {
        struct object object;
        uint32_t space;

        err = row_get_numbered(snapshot, out->numbers[at], &object, &space);
        if (err == ERR_OK && (at == 0 || memcmp(object.id.bytes, least.bytes, ID_SIZE) < 0)) {
            least = object.id;
            *out_head = out->numbers[at];
        }
        object_release(&object);
    }
    return err;
}

/* Following. */

static enum err view_same_store(struct ledger_txn *txn, uint32_t number, uint32_t head, bool is_in)
{
    struct key up = view_same_key(VIEW_SAME_TO_HEAD, number);
    struct key down = view_same_key(VIEW_SAME_TO_MEMBER, head);
    uint8_t value[4];
    enum err err;

    key_add_u32(&down, number);
    be32_put(value, head);
    if (is_in) {
        err = ledger_put(txn, TABLE_SAME, &up, span_of(value, sizeof value));
        return err == ERR_OK ? ledger_put(txn, TABLE_SAME, &down, span_of(NULL, 0)) : err;
    }
    err = ledger_erase(txn, TABLE_SAME, &up);
    return err == ERR_OK ? ledger_erase(txn, TABLE_SAME, &down) : err;
}

/* Takes the rows of a group away; its members join the set. */
static enum err view_same_clear(struct ledger_txn *txn, uint32_t number, struct view_same_set *set)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint32_t head, members[VIEW_SAME_MAX];
    size_t count = 0;
    enum err err = view_same_head(&snapshot, number, &head);

    if (err == ERR_OK)
        err = view_same_members(&snapshot, head, members, &count);
    for (size_t at = 0; at < count && err == ERR_OK; at++) {
        view_same_add(set, members[at]);
        if (at > 0)
            err = view_same_store(txn, members[at], head, false);
    }
    return err;
}

static enum err view_same_list(struct ledger_txn *txn, uint32_t number, uint32_t head)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct object contact;
    uint32_t space;
    enum err err = row_get_numbered(&snapshot, number, &contact, &space);

    if (err == ERR_OK)
        err =
            view_contact_list(txn, number, &contact, number == head && object_is_visible(&contact));
    if (err == ERR_OK)
        err =
            view_search_list(txn, number, &contact, number == head && object_is_visible(&contact));
    object_release(&contact);
    return err;
}

static enum err view_same_write(struct ledger_txn *txn, const struct view_same_set *affected)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_same_set done = {.count = 0}, group;
    enum err err = ERR_OK;

    for (size_t at = 0; at < affected->count && err == ERR_OK; at++) {
        uint32_t head = affected->numbers[at];

        if (view_same_holds(&done, affected->numbers[at]))
            continue;
        err = view_same_group(&snapshot, affected->numbers[at], &group, &head);
        for (size_t one = 0; one < group.count && err == ERR_OK; one++) {
            view_same_add(&done, group.numbers[one]);
            if (group.numbers[one] != head)
                err = view_same_store(txn, group.numbers[one], head, true);
            if (err == ERR_OK)
                err = view_same_list(txn, group.numbers[one], head);
        }
    }
    return err;
}

static bool view_same_is_unchanged(const struct object *before, const struct object *after)
{
    if (before == NULL)
        return after->ties_count == 0;
    if (after->ties_count == 0)
        return true;
    if (before->ties_count != after->ties_count ||
        object_is_visible(before) != object_is_visible(after))
        return false;
    for (size_t at = 0; at < after->ties_count; at++)
        if (before->ties[at].counter != after->ties[at].counter ||
            before->ties[at].is_same != after->ties[at].is_same)
            return false;
    return true;
}

enum err view_same_changed(struct ledger_txn *txn, uint32_t number, const struct object *before,
                           const struct object *after)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct view_same_set touched = {.count = 0}, affected = {.count = 0};
    enum err err;

    if (view_same_is_unchanged(before, after))
        return ERR_OK;
    view_same_add(&touched, number);
    err = view_same_neighbours(&snapshot, number, true, &touched);
    for (size_t at = 0; at < touched.count && err == ERR_OK; at++)
        err = view_same_clear(txn, touched.numbers[at], &affected);
    return err == ERR_OK ? view_same_write(txn, &affected) : err;
}
