/*
 * Merging. Registers: the greater counter wins, then the later clamped time, the greater device,
 * the greater entry hash. Sets: an add lives until its dot is removed, and a removed dot stays
 * removed. What deletes hide is told by object_seen.c.
 */
#include "proto/object.h"

#include <string.h>

#include "crypto/heap.h"
#include "proto/kind.h"
#include "proto/limits.h"
#include "proto/object_seen.h"

void *object_more(void **array, size_t *count, size_t size)
{
    void *grown = *array;
    uint8_t *at;

    if ((*count & (*count - 1)) == 0) {
        size_t capacity = *count == 0 ? 1 : *count * 2;

        grown = heap_resize(*array, capacity * size);
        if (grown == NULL)
            return NULL;
        *array = grown;
    }
    at = (uint8_t *)grown + *count * size;
    memset(at, 0, size);
    (*count)++;
    return at;
}

/* PROTOCOL ORIGIN-2: "Merging, ties, duplicates and deletes use the original alone: its device, its
 * number in that device's log, its entry hash, its time. Which write it is its entry hash says,
 * never device and number: two branches of one log have one each." */
enum err object_identify(const struct edit *edit, const struct object_context *context,
                         struct origin *in_out)
{
    in_out->time_ms = edit->time_ms;
    if (!edit->has_original)
        return ERR_OK;
    in_out->is_apart = true;
    in_out->device = edit->original.device;
    in_out->seq = edit->original.seq;
    in_out->entry_hash = edit->original.entry_hash;
    return context->log_number(context->self, &in_out->device, &in_out->log);
}

/* Registers. */

static uint64_t object_clamp(uint64_t time_ms)
{
    return time_ms < TIME_MIN_MS ? TIME_MIN_MS : time_ms > TIME_MAX_MS ? TIME_MAX_MS : time_ms;
}

/* PROTOCOL MERGE-2: "Equal counters are decided by the later time, then the greater device, then
 * the greater entry hash." */
static bool object_beats(const struct origin *left, const struct origin *right)
{
    uint64_t left_ms = object_clamp(left->time_ms), right_ms = object_clamp(right->time_ms);
    int order;

    if (left_ms != right_ms)
        return left_ms > right_ms;
    order = span_order(span_of(left->device.bytes, 32), span_of(right->device.bytes, 32));
    if (order != 0)
        return order > 0;
    return span_order(span_of(left->entry_hash.bytes, HASH_SIZE),
                      span_of(right->entry_hash.bytes, HASH_SIZE)) > 0;
}

/* Does a write with this counter win over the one that holds the place? */
static enum err object_wins(uint64_t counter, const struct origin *origin, uint64_t held_counter,
                            uint64_t held_arrival, const struct object_context *context, bool *out)
{
    struct origin held;
    enum err err;

    *out = counter > held_counter;
    if (counter != held_counter || held_arrival == origin->arrival)
        return ERR_OK;
    err = context->origin(context->self, held_arrival, &held);
    if (err == ERR_OK)
        *out = object_beats(origin, &held);
    return err;
}

static enum err object_apply_set(struct object *object, const struct write *write,
                                 const struct origin *origin, const struct object_context *context)
{
    struct object_register *place = NULL;
    bool wins = true;
    enum err err = ERR_OK;

    for (size_t at = 0; at < object->registers_count; at++)
        if (object->registers[at].field == write->field)
            place = &object->registers[at];
    if (place == NULL)
        place = OBJECT_MORE(object->registers, object->registers_count);
    else
        err = object_wins(write->counter, origin, place->counter, place->arrival, context, &wins);
    if (place == NULL)
        return ERR_NOMEM;
    if (err == ERR_OK && wins)
        *place = (struct object_register){.field = write->field,
                                          .counter = write->counter,
                                          .arrival = origin->arrival,
                                          .value = write->value};
    return err;
}

/* Sets. */

static bool object_is_gone(const struct object *object, const struct id *dot)
{
    for (size_t at = 0; at < object->gone_count; at++)
        if (id_is_equal(&object->gone[at], dot))
            return true;
    return false;
}

void object_element_id(const struct object *object, const struct object_element *element,
                       struct id *out)
{
    if (element->has_id)
        *out = element->id;
    else
        object_element(object->kind, element->field, element->value.bytes, out);
}

static struct object_element *object_find_element(const struct object *object, uint8_t field,
                                                  const struct id *wanted)
{
    for (size_t at = 0; at < object->elements_count; at++) {
        struct object_element *element = &object->elements[at];

        if (element->field != field)
            continue;
        object_element_id(object, element, &element->id);
        element->has_id = true;
        if (id_is_equal(&element->id, wanted))
            return element;
    }
    return NULL;
}

/* PROTOCOL MERGE-3: "Of several live adds of one element the one with the least dot gives the
 * spelling." */
static bool object_spells(const struct object_element *element, const struct id *dot)
{
    for (size_t at = 0; at < element->dots_count; at++)
        if (span_order(span_of(element->dots[at].dot.bytes, ID_SIZE),
                       span_of(dot->bytes, ID_SIZE)) < 0)
            return false;
    return true;
}

static enum err object_apply_add(struct object *object, const struct write *write,
                                 const struct origin *origin)
{
    struct object_element *element = object_find_element(object, write->field, &write->element);
    struct object_dot *dot;
    bool spells;

    if (object_is_gone(object, &write->dot))
        return ERR_OK;
    if (element == NULL) {
        element = OBJECT_MORE(object->elements, object->elements_count);
        if (element == NULL)
            return ERR_NOMEM;
        element->field = write->field;
        element->id = write->element;
        element->has_id = true;
    }
    for (size_t at = 0; at < element->dots_count; at++)
        if (id_is_equal(&element->dots[at].dot, &write->dot))
            return ERR_OK;
    spells = object_spells(element, &write->dot);
    dot = OBJECT_MORE(element->dots, element->dots_count);
    if (dot == NULL)
        return ERR_NOMEM;
    dot->dot = write->dot;
    dot->arrival = origin->arrival;
    dot->value = write->value;
    if (spells)
        element->value = write->value;
    return ERR_OK;
}

static void object_drop_element(struct object *object, struct object_element *element)
{
    size_t index = (size_t)(element - object->elements);

    heap_free(element->dots);
    memmove(element, element + 1, (object->elements_count - index - 1) * sizeof *element);
    object->elements_count--;
}

/* The growth by doubling of object_more needs the count to be what was allocated for; shrinking
 * keeps more, never less. */
static void object_drop_dot(struct object_element *element, const struct id *dot)
{
    for (size_t at = 0; at < element->dots_count; at++)
        if (id_is_equal(&element->dots[at].dot, dot)) {
            element->dots[at] = element->dots[element->dots_count - 1];
            element->dots_count--;
            return;
        }
}

static void object_respell(struct object_element *element)
{
    const struct object_dot *least = &element->dots[0];

    for (size_t at = 1; at < element->dots_count; at++)
        if (span_order(span_of(element->dots[at].dot.bytes, ID_SIZE),
                       span_of(least->dot.bytes, ID_SIZE)) < 0)
            least = &element->dots[at];
    element->value = least->value;
}

/* A dot is taken out of whatever element holds it: a restatement no longer says which that was. */
static void object_drop_everywhere(struct object *object, const struct id *dot)
{
    for (size_t at = object->elements_count; at > 0; at--) {
        struct object_element *element = &object->elements[at - 1];

        object_drop_dot(element, dot);
        if (element->dots_count == 0)
            object_drop_element(object, element);
        else
            object_respell(element);
    }
}

static enum err object_apply_remove(struct object *object, const struct write *write)
{
    for (size_t at = 0; at < write->dots_count; at++) {
        struct id *gone;

        if (object_is_gone(object, &write->dots[at]))
            continue;
        gone = OBJECT_MORE(object->gone, object->gone_count);
        if (gone == NULL)
            return ERR_NOMEM;
        *gone = write->dots[at];
        object_drop_everywhere(object, &write->dots[at]);
    }
    return ERR_OK;
}

/* Ties. */

static enum err object_apply_same(struct object *object, const struct write *write,
                                  const struct origin *origin, const struct object_context *context)
{
    struct object_tie *tie = NULL;
    bool wins = true;
    enum err err = ERR_OK;

    for (size_t at = 0; at < object->ties_count; at++)
        if (id_is_equal(&object->ties[at].other, &write->other))
            tie = &object->ties[at];
    if (tie == NULL)
        tie = OBJECT_MORE(object->ties, object->ties_count);
    else
        err = object_wins(write->counter, origin, tie->counter, tie->arrival, context, &wins);
    if (tie == NULL)
        return ERR_NOMEM;
    if (err == ERR_OK && wins)
        *tie = (struct object_tie){.other = write->other,
                                   .counter = write->counter,
                                   .arrival = origin->arrival,
                                   .is_same = write->is_same};
    return err;
}

static enum err object_apply_write(struct object *object, const struct write *write,
                                   const struct origin *origin,
                                   const struct object_context *context)
{
    switch (write->op) {
    case WRITE_SET:
        return object_apply_set(object, write, origin, context);
    case WRITE_ADD:
        return object_apply_add(object, write, origin);
    case WRITE_REMOVE:
        return object_apply_remove(object, write);
    case WRITE_DELETE:
        return object_see_delete(object, write, context);
    case WRITE_SAME:
        return object_apply_same(object, write, origin, context);
    }
    return ERR_MALFORMED;
}

/* Which entries made the object what it is, for its history; the oldest go when there are many. */
static enum err object_note_edit(struct object *object, uint64_t arrival)
{
    uint64_t *last;

    if (object->edits_count == OBJECT_EDITS_MAX) {
        memmove(object->edits, object->edits + 1, (OBJECT_EDITS_MAX - 1) * sizeof *object->edits);
        object->edits[OBJECT_EDITS_MAX - 1] = arrival;
        return ERR_OK;
    }
    last = OBJECT_MORE(object->edits, object->edits_count);
    if (last == NULL)
        return ERR_NOMEM;
    *last = arrival;
    return ERR_OK;
}

enum err object_apply(struct object *object, const struct edit *edit, const struct origin *origin,
                      const struct object_context *context)
{
    enum err err = ERR_OK;
    bool has_touched = false;

    object->kind = edit->kind;
    object->id = edit->object;
    for (size_t at = 0; at < edit->writes_count && err == ERR_OK; at++) {
        err = object_apply_write(object, &edit->writes[at], origin, context);
        has_touched |= edit->writes[at].op != WRITE_DELETE;
    }
    if (err == ERR_OK && has_touched)
        err = object_see_write(object, origin);
    return err == ERR_OK ? object_note_edit(object, origin->arrival) : err;
}

/* Losing. */

static bool object_prune_element(struct object_element *element, object_lost_fn is_lost, void *self)
{
    bool has_lost = false;

    for (size_t at = element->dots_count; at > 0; at--)
        if (is_lost(self, element->dots[at - 1].arrival)) {
            element->dots[at - 1] = element->dots[--element->dots_count];
            has_lost = true;
        }
    if (has_lost && element->dots_count > 0)
        object_respell(element);
    return has_lost;
}

bool object_prune(struct object *object, object_lost_fn is_lost, void *self)
{
    bool has_lost = false;

    for (size_t at = object->registers_count; at > 0; at--)
        if (is_lost(self, object->registers[at - 1].arrival)) {
            object->registers[at - 1] = object->registers[--object->registers_count];
            has_lost = true;
        }
    for (size_t at = object->elements_count; at > 0; at--) {
        has_lost |= object_prune_element(&object->elements[at - 1], is_lost, self);
        if (object->elements[at - 1].dots_count == 0)
            object_drop_element(object, &object->elements[at - 1]);
    }
    for (size_t at = object->ties_count; at > 0; at--)
        if (is_lost(self, object->ties[at - 1].arrival)) {
            object->ties[at - 1] = object->ties[--object->ties_count];
            has_lost = true;
        }
    if (object->registers_count + object->elements_count + object->ties_count > 0)
        return has_lost;
    has_lost |= object->touched_count + object->apart_count + object->gone_count > 0;
    object->touched_count = object->apart_count = object->gone_count = 0;
    return has_lost;
}

/* Questions. */

size_t object_marks(const struct object *object)
{
    size_t count = object->gone_count + object->touched_count + object->apart_count +
                   object->hidden_count + object->named_count + object->ties_count +
                   object->elements_count;

    for (size_t at = 0; at < object->elements_count; at++)
        count += object->elements[at].dots_count;
    return count;
}

const struct object_register *object_register(const struct object *object, uint8_t field)
{
    for (size_t at = 0; at < object->registers_count; at++)
        if (object->registers[at].field == field)
            return &object->registers[at];
    return NULL;
}

struct value object_value(const struct object *object, uint8_t field)
{
    const struct object_register *found = object_register(object, field);

    return found != NULL ? found->value : (struct value){0};
}

struct span object_text(const struct object *object, uint8_t field)
{
    struct value value = object_value(object, field);

    return value.type == VALUE_TEXT ? value.bytes : span_of(NULL, 0);
}

uint64_t object_number(const struct object *object, uint8_t field)
{
    return object_value(object, field).number;
}

/* PROTOCOL MERGE-1: "A writer uses 1 + the greatest it has seen." */
uint64_t object_next_counter(const struct object *object, uint8_t field)
{
    const struct object_register *found = object_register(object, field);

    return found != NULL ? found->counter + 1 : 1;
}

const struct object_element *object_element_next(const struct object *object, uint8_t field,
                                                 const struct object_element *last)
{
    size_t at = last != NULL ? (size_t)(last - object->elements) + 1 : 0;

    while (at < object->elements_count && object->elements[at].field != field)
        at++;
    return at < object->elements_count ? &object->elements[at] : NULL;
}

const struct object_element *object_element_find(const struct object *object, uint8_t field,
                                                 const struct id *id)
{
    for (size_t at = 0; at < object->elements_count; at++) {
        struct id other;

        if (object->elements[at].field != field)
            continue;
        object_element_id(object, &object->elements[at], &other);
        if (id_is_equal(&other, id))
            return &object->elements[at];
    }
    return NULL;
}

void object_know_elements(struct object *object)
{
    for (size_t at = 0; at < object->elements_count; at++) {
        object_element_id(object, &object->elements[at], &object->elements[at].id);
        object->elements[at].has_id = true;
    }
}

/* What of a value its element is made of; out holds it where it is not the value itself. */
static struct span object_matched(enum field_match match, struct span value, struct buf *out)
{
    buf_clear(out);
    if (match != MATCH_EXACT)
        kind_normalise(match, value, out);
    return out->is_failed || out->size == 0 ? value : buf_span(out);
}

/* Values are compared, not the hashes that elements are named by: cheaper by far. */
const struct object_element *object_element_like(const struct object *object, uint8_t field,
                                                 struct span value)
{
    const struct kind *kind = kind_find(object->kind);
    const struct field *about = kind != NULL ? kind_field(kind, field) : NULL;
    enum field_match match = about != NULL ? about->match : MATCH_EXACT;
    const struct object_element *at = object_element_next(object, field, NULL);
    struct buf one = {0}, other = {0};
    struct span wanted;

    if (at == NULL)
        return NULL;
    wanted = object_matched(match, value, &one);
    while (at != NULL && !span_is_equal(object_matched(match, at->value.bytes, &other), wanted))
        at = object_element_next(object, field, at);
    buf_release(&one);
    buf_release(&other);
    return at;
}

/* Memory. */

static size_t object_value_size(const struct value *value)
{
    return value->type == VALUE_TEXT || value->type == VALUE_BYTES ? value->bytes.size : 0;
}

static void object_move_value(struct buf *memory, struct value *value)
{
    size_t size = object_value_size(value);
    uint8_t *at;

    if (size == 0)
        return;
    at = buf_grow(memory, size);
    memcpy(at, value->bytes.data, size);
    value->bytes.data = at;
}

enum err object_own(struct object *object)
{
    struct buf memory = {0};
    size_t size = 0;

    for (size_t at = 0; at < object->registers_count; at++)
        size += object_value_size(&object->registers[at].value);
    for (size_t at = 0; at < object->elements_count; at++)
        for (size_t dot = 0; dot < object->elements[at].dots_count; dot++)
            size += object_value_size(&object->elements[at].dots[dot].value);
    buf_reserve(&memory, size);
    if (buf_err(&memory) != ERR_OK)
        return ERR_NOMEM;
    for (size_t at = 0; at < object->registers_count; at++)
        object_move_value(&memory, &object->registers[at].value);
    for (size_t at = 0; at < object->elements_count; at++) {
        struct object_element *element = &object->elements[at];

        for (size_t dot = 0; dot < element->dots_count; dot++)
            object_move_value(&memory, &element->dots[dot].value);
        object_respell(element);
    }
    buf_release(&object->memory);
    object->memory = memory;
    return ERR_OK;
}

void object_release(struct object *object)
{
    for (size_t at = 0; at < object->elements_count; at++)
        heap_free(object->elements[at].dots);
    heap_free(object->registers);
    heap_free(object->elements);
    heap_free(object->gone);
    heap_free(object->touched);
    heap_free(object->apart);
    heap_free(object->hidden);
    heap_free(object->named);
    heap_free(object->ties);
    heap_free(object->edits);
    buf_release(&object->memory);
    *object = (struct object){0};
}
