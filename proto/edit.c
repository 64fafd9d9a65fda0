/* The codec of edits: canonical bytes out, checked values in. */
#include "proto/object.h"

#include <string.h>

#include "proto/kind.h"
#include "proto/limits.h"

/* What sealing an edit adds; and what repeating it in another log adds (proto/original.h), so that
 * whatever can be written can be repeated. */
enum { EDIT_ROOM = 64, EDIT_ROOM_TO_REPEAT = EDIT_ROOM + 160 };

enum { EDIT_DOT_FIXED = ID_SIZE - 8 }; /* bytes of a dot that do not count up */

/* PROTOCOL EDIT-3: "element id = the first 16 bytes of HASH(kith element, field u8 | value,
 * matched as KIND-2 says)." */
void object_element(uint8_t kind, uint8_t field, struct span value, struct id *out)
{
    const struct kind *known = kind_find(kind);
    const struct field *about = known != NULL ? kind_field(known, field) : NULL;
    struct buf normal = {0};
    struct hash hash;

    if (about != NULL && about->match != MATCH_EXACT)
        kind_normalise(about->match, value, &normal);
    if (normal.is_failed || normal.size == 0) {
        const struct span parts[2] = {span_of(&field, 1), value};

        digest("kith element", parts, 2, &hash);
    } else {
        const struct span parts[2] = {span_of(&field, 1), buf_span(&normal)};

        digest("kith element", parts, 2, &hash);
    }
    buf_release(&normal);
    memcpy(out->bytes, hash.bytes, ID_SIZE);
}

/* Building. */

void edit_begin(struct edit_space *space, uint8_t kind, const struct id *object, uint64_t time_ms)
{
    buf_clear(&space->memory);
    buf_clear(&space->dots);
    buf_clear(&space->seen);
    buf_clear(&space->names);
    space->edit = (struct edit){.kind = kind, .object = *object, .time_ms = time_ms};
}

static void edit_push(struct edit_space *space, const struct write *write)
{
    buf_append(&space->memory, span_of(write, sizeof *write));
    if (space->memory.is_failed)
        return;
    space->edit.writes = (struct write *)(void *)space->memory.data;
    space->edit.writes_count++;
}

void edit_set(struct edit_space *space, uint8_t field, uint64_t counter, struct value value)
{
    edit_push(space,
              &(struct write){.op = WRITE_SET, .field = field, .counter = counter, .value = value});
}

void edit_add(struct edit_space *space, uint8_t field, const struct id *dot, struct value value)
{
    struct id element;

    object_element(space->edit.kind, field, value.bytes, &element);
    edit_add_element(space, field, &element, dot, value);
}

void edit_add_element(struct edit_space *space, uint8_t field, const struct id *element,
                      const struct id *dot, struct value value)
{
    edit_push(
        space,
        &(struct write){
            .op = WRITE_ADD, .field = field, .element = *element, .dot = *dot, .value = value});
}

void edit_next_dot(struct id *dot, uint16_t gap)
{
    be64_put(dot->bytes + EDIT_DOT_FIXED, be64(dot->bytes + EDIT_DOT_FIXED) + gap + 1);
}

/* Dots, marks and names lie in buffers that may still move: writes hold counts, and get their
 * addresses when all are in. */
void edit_remove(struct edit_space *space, uint8_t field, const struct id *element,
                 const struct id *dots, size_t dots_count)
{
    buf_append(&space->dots, span_of(dots, dots_count * sizeof *dots));
    edit_push(space, &(struct write){.op = WRITE_REMOVE,
                                     .field = field,
                                     .element = *element,
                                     .dots_count = dots_count});
}

void edit_delete(struct edit_space *space, const struct seen *seen, size_t seen_count)
{
    buf_append(&space->seen, span_of(seen, seen_count * sizeof *seen));
    edit_push(space, &(struct write){.op = WRITE_DELETE, .seen_count = seen_count});
}

void edit_delete_named(struct edit_space *space, const struct write_name *names, size_t count)
{
    buf_append(&space->names, span_of(names, count * sizeof *names));
    do {
        size_t some = count < DELETE_NAMES_MAX ? count : DELETE_NAMES_MAX;

        edit_push(space, &(struct write){.op = WRITE_DELETE, .names_count = some});
        count -= some;
    } while (count > 0);
}

void edit_same(struct edit_space *space, const struct id *other, uint64_t counter, bool is_same)
{
    edit_push(
        space,
        &(struct write){.op = WRITE_SAME, .other = *other, .counter = counter, .is_same = is_same});
}

void edit_carry(struct edit_space *space, const struct original *original)
{
    space->edit.has_original = true;
    space->edit.original = *original;
}

static bool edit_is_failed(const struct edit_space *space)
{
    return space->memory.is_failed || space->dots.is_failed || space->seen.is_failed ||
           space->names.is_failed;
}

static void edit_settle(struct edit_space *space)
{
    const struct id *dots = (const struct id *)(const void *)space->dots.data;
    const struct seen *seen = (const struct seen *)(const void *)space->seen.data;
    const struct write_name *names = (const struct write_name *)(const void *)space->names.data;

    for (size_t at = 0; at < space->edit.writes_count; at++) {
        struct write *write = &space->edit.writes[at];

        if (write->op == WRITE_REMOVE && write->dots_count > 0) {
            write->dots = dots;
            dots += write->dots_count;
        }
        if (write->op == WRITE_DELETE && write->seen_count > 0) {
            write->seen = seen;
            seen += write->seen_count;
        }
        if (write->op == WRITE_DELETE && write->names_count > 0) {
            write->names = names;
            names += write->names_count;
        }
    }
}

/* Known fields must have their type and stay within their bounds; unknown ones are a newer kith's
 * business. */
static bool edit_fits(const struct kind *kind, const struct write *write)
{
    const struct field *field = kind != NULL ? kind_field(kind, write->field) : NULL;
    const struct value *value = &write->value;

    if (kind != NULL && write->counter > COUNTER_MAX)
        return false;
    if (field == NULL || (write->op != WRITE_SET && write->op != WRITE_ADD))
        return true;
    if (field->is_set != (write->op != WRITE_SET))
        return false;
    if (value->type == VALUE_NONE && write->op == WRITE_SET)
        return true;
    return value->type == field->type &&
           (field->size_max == 0 ||
            (value->type == VALUE_NUMBER ? value->number : value->bytes.size) <= field->size_max);
}

/* Writing. */

static void edit_put_value(const struct value *value, struct buf *out)
{
    switch (value->type) {
    case VALUE_NONE:
        wire_put_nil(out);
        break;
    case VALUE_NUMBER:
        wire_put_uint(out, value->number);
        break;
    case VALUE_TEXT:
        wire_put_str(out, value->bytes);
        break;
    case VALUE_BYTES:
        wire_put_bin(out, value->bytes);
        break;
    }
}

static void edit_put_remove(const struct write *write, struct buf *out)
{
    wire_put_array(out, 4);
    wire_put_uint(out, WRITE_REMOVE);
    wire_put_uint(out, write->field);
    wire_put_bin(out, span_of(write->element.bytes, ID_SIZE));
    wire_put_array(out, write->dots_count);
    for (size_t at = 0; at < write->dots_count; at++)
        wire_put_bin(out, span_of(write->dots[at].bytes, ID_SIZE));
}

static void edit_put_delete(const struct write *write, struct buf *out)
{
    wire_put_array(out, write->names_count > 0 ? 3 : 2);
    wire_put_uint(out, WRITE_DELETE);
    wire_put_array(out, write->seen_count);
    for (size_t at = 0; at < write->seen_count; at++) {
        wire_put_array(out, 2);
        wire_put_bin(out, span_of(write->seen[at].device.bytes, 32));
        wire_put_uint(out, write->seen[at].size);
    }
    if (write->names_count > 0)
        wire_put_bin(out, span_of(write->names, write->names_count * sizeof *write->names));
}

/* Whether a dot follows upon the one before it in the edit closely enough to be written short. */
static bool edit_dot_gap(const struct id *last, const struct id *dot, uint16_t *out_gap)
{
    uint64_t step;

    if (last == NULL || memcmp(last->bytes, dot->bytes, EDIT_DOT_FIXED) != 0)
        return false;
    step = be64(dot->bytes + EDIT_DOT_FIXED) - be64(last->bytes + EDIT_DOT_FIXED);
    *out_gap = (uint16_t)(step - 1);
    return step > 0 && step - 1 <= UINT16_MAX;
}

/* PROTOCOL EDIT-5: "The dot of an add is 16 bytes, or a number n below 2^16: then it is the dot of
 * the add before it in the edit, its last 8 bytes, as a number, raised by n + 1." */
static void edit_put_dot(const struct id *last, const struct id *dot, struct buf *out)
{
    uint16_t gap;

    if (edit_dot_gap(last, dot, &gap))
        wire_put_uint(out, gap);
    else
        wire_put_bin(out, span_of(dot->bytes, ID_SIZE));
}

/* PROTOCOL EDIT-2: "A write is [0, field, counter, value or nil] set; [1, field, dot, value]
 * add; [2, field, element id, [dot, ...]] remove; [3, [[device, size], ...], names] delete, without
 * names where there are none; or [4, other object, counter, is same] same as. Counters are at most
 * 2^40." */
static void edit_put_write(const struct write *write, const struct id *last_dot, struct buf *out)
{
    switch (write->op) {
    case WRITE_SET:
        wire_put_array(out, 4);
        wire_put_uint(out, WRITE_SET);
        wire_put_uint(out, write->field);
        wire_put_uint(out, write->counter);
        edit_put_value(&write->value, out);
        break;
    case WRITE_ADD:
        wire_put_array(out, 4);
        wire_put_uint(out, WRITE_ADD);
        wire_put_uint(out, write->field);
        edit_put_dot(last_dot, &write->dot, out);
        edit_put_value(&write->value, out);
        break;
    case WRITE_REMOVE:
        edit_put_remove(write, out);
        break;
    case WRITE_DELETE:
        edit_put_delete(write, out);
        break;
    case WRITE_SAME:
        wire_put_array(out, 4);
        wire_put_uint(out, WRITE_SAME);
        wire_put_bin(out, span_of(write->other.bytes, ID_SIZE));
        wire_put_uint(out, write->counter);
        wire_put_bool(out, write->is_same);
        break;
    }
}

/* PROTOCOL EDIT-1: "A sealed plaintext is [kind, object id, wall time in ms, [write, ...]], or
 * that and an original (ORIGIN-1), with 1 to EDIT_WRITES_MAX writes of one object." */
enum err edit_write(struct edit_space *space, struct buf *out)
{
    size_t room = space->edit.has_original ? EDIT_ROOM : EDIT_ROOM_TO_REPEAT;
    const struct kind *kind = kind_find(space->edit.kind);
    const struct id *last_dot = NULL;
    size_t begun_at = out->size;

    if (edit_is_failed(space))
        return ERR_NOMEM;
    if (space->edit.writes_count == 0 || space->edit.writes_count > EDIT_WRITES_MAX)
        return ERR_LIMIT;
    for (size_t at = 0; at < space->edit.writes_count; at++)
        if (!edit_fits(kind, &space->edit.writes[at]))
            return ERR_LIMIT;
    edit_settle(space);
    wire_put_array(out, space->edit.has_original ? 5 : 4);
    wire_put_uint(out, space->edit.kind);
    wire_put_bin(out, span_of(space->edit.object.bytes, ID_SIZE));
    wire_put_uint(out, space->edit.time_ms);
    wire_put_array(out, space->edit.writes_count);
    for (size_t at = 0; at < space->edit.writes_count; at++) {
        edit_put_write(&space->edit.writes[at], last_dot, out);
        if (space->edit.writes[at].op == WRITE_ADD)
            last_dot = &space->edit.writes[at].dot;
    }
    if (space->edit.has_original)
        original_put(&space->edit.original, out);
    if (buf_err(out) != ERR_OK)
        return ERR_NOMEM;
    if (out->size - begun_at > ENTRY_PAYLOAD_SIZE_MAX - room) {
        out->size = begun_at;
        return ERR_LIMIT;
    }
    return ERR_OK;
}

/* Reading. */

/* The dot of the newest add. */
struct edit_last {
    struct id dot;
    bool is_there;
};

static struct value edit_read_value(struct wire *wire)
{
    struct value value = {0};

    switch (wire_next_type(wire)) {
    case WIRE_NIL:
        (void)wire_is_nil(wire);
        break;
    case WIRE_UINT:
        value = (struct value){.type = VALUE_NUMBER, .number = wire_uint(wire, UINT64_MAX)};
        break;
    case WIRE_STR:
        value = (struct value){.type = VALUE_TEXT, .bytes = wire_str(wire, VALUE_SIZE_MAX)};
        break;
    case WIRE_BIN:
        value = (struct value){.type = VALUE_BYTES, .bytes = wire_bin(wire, 0, VALUE_SIZE_MAX)};
        break;
    case WIRE_NOTHING:
    case WIRE_BOOL:
    case WIRE_ARRAY:
        wire_fail(wire);
        break;
    }
    return value;
}

static void edit_read_dots(struct wire *wire, struct edit_space *space, struct write *write)
{
    struct wire list = wire_array(wire, 1, REMOVE_DOTS_MAX);

    write->dots_count = list.left;
    while (list.left > 0 && wire_err(list.doc) == ERR_OK) {
        struct id dot;

        wire_bytes(&list, dot.bytes, ID_SIZE);
        buf_append(&space->dots, span_of(&dot, sizeof dot));
    }
}

static void edit_read_seen(struct wire *wire, struct edit_space *space, struct write *write)
{
    struct wire list = wire_array(wire, 0, DELETE_MARKS_MAX);

    write->seen_count = list.left;
    while (list.left > 0 && wire_err(list.doc) == ERR_OK) {
        struct wire row = wire_array(&list, 2, 2);
        struct seen seen;

        wire_bytes(&row, seen.device.bytes, 32);
        seen.size = wire_uint(&row, LOG_SIZE_MAX);
        buf_append(&space->seen, span_of(&seen, sizeof seen));
    }
}

static void edit_read_names(struct wire *wire, struct edit_space *space, struct write *write)
{
    struct span names = wire_bin(wire, WRITE_NAME_SIZE, DELETE_NAMES_MAX * WRITE_NAME_SIZE);

    if (names.size % WRITE_NAME_SIZE != 0)
        wire_fail(wire);
    write->names_count = names.size / WRITE_NAME_SIZE;
    buf_append(&space->names, span_of(names.data, write->names_count * WRITE_NAME_SIZE));
}

/* The add before it, if there is one, ends in last. */
static void edit_read_dot(struct wire *wire, struct edit_last *last)
{
    if (wire_next_type(wire) != WIRE_UINT)
        wire_bytes(wire, last->dot.bytes, ID_SIZE);
    else if (last->is_there)
        edit_next_dot(&last->dot, (uint16_t)wire_uint(wire, UINT16_MAX));
    else
        wire_fail(wire);
    last->is_there = true;
}

static void edit_read_write(struct wire *list, const struct kind *kind, struct edit_space *space,
                            struct edit_last *last)
{
    struct wire row = wire_array(list, 2, 4);
    struct write write = {.op = (enum write_op)wire_uint(&row, WRITE_SAME)};

    switch (write.op) {
    case WRITE_SET:
        write.field = (uint8_t)wire_uint(&row, UINT8_MAX);
        write.counter = wire_uint(&row, COUNTER_MAX);
        write.value = edit_read_value(&row);
        if (!edit_fits(kind, &write))
            wire_fail(&row);
        break;
    case WRITE_ADD:
        write.field = (uint8_t)wire_uint(&row, UINT8_MAX);
        edit_read_dot(&row, last);
        write.dot = last->dot;
        write.value = edit_read_value(&row);
        if (!edit_fits(kind, &write))
            wire_fail(&row);
        object_element(space->edit.kind, write.field, write.value.bytes, &write.element);
        break;
    case WRITE_REMOVE:
        write.field = (uint8_t)wire_uint(&row, UINT8_MAX);
        wire_bytes(&row, write.element.bytes, ID_SIZE);
        edit_read_dots(&row, space, &write);
        break;
    case WRITE_DELETE:
        edit_read_seen(&row, space, &write);
        if (row.left > 0)
            edit_read_names(&row, space, &write);
        break;
    case WRITE_SAME:
        wire_bytes(&row, write.other.bytes, ID_SIZE);
        write.counter = wire_uint(&row, COUNTER_MAX);
        write.is_same = wire_bool(&row);
        break;
    }
    wire_end(&row);
    edit_push(space, &write);
}

enum err edit_read(struct edit_space *space, struct span bytes)
{
    const struct kind *kind;
    struct edit_last last = {.is_there = false};
    struct wire wire, list;
    enum err err = wire_open(&space->doc, bytes, &wire);
    struct id object;
    uint8_t number;

    if (err != ERR_OK)
        return err;
    number = (uint8_t)wire_uint(&wire, UINT8_MAX);
    wire_bytes(&wire, object.bytes, ID_SIZE);
    edit_begin(space, number, &object, wire_uint(&wire, UINT64_MAX));
    kind = kind_find(number);
    list = wire_array(&wire, 1, EDIT_WRITES_MAX);
    while (list.left > 0 && wire_err(&space->doc) == ERR_OK)
        edit_read_write(&list, kind, space, &last);
    space->edit.has_original = wire.left > 0;
    if (space->edit.has_original)
        original_read(&wire, &space->edit.original);
    wire_end(&wire);
    if (edit_is_failed(space))
        return ERR_NOMEM;
    edit_settle(space);
    return wire_err(&space->doc);
}

size_t edit_marks(const struct edit *edit)
{
    size_t count = 1;

    for (size_t at = 0; at < edit->writes_count; at++)
        count += edit->writes[at].dots_count + edit->writes[at].seen_count +
                 edit->writes[at].names_count + (edit->writes[at].op != WRITE_SET);
    return count;
}

void edit_release(struct edit_space *space)
{
    wire_release(&space->doc);
    buf_release(&space->memory);
    buf_release(&space->dots);
    buf_release(&space->seen);
    buf_release(&space->names);
    space->edit = (struct edit){0};
}

/* An array, a kind of one byte or two, sixteen bytes: the encodings are the shortest (SCAN-1). */
enum err edit_peek(struct span first, uint8_t *out_kind, struct id *out_object)
{
    size_t at = first.size > 1 && first.data[1] == 0xcc ? 2 : 1;

    if (first.size < at + 3 + ID_SIZE || (first.data[0] & 0xf0) != 0x90 ||
        (at == 1 && first.data[at] > 0x7f) || first.data[at + 1] != 0xc4 ||
        first.data[at + 2] != ID_SIZE)
        return ERR_MALFORMED;
    *out_kind = first.data[at];
    memcpy(out_object->bytes, first.data + at + 3, ID_SIZE);
    return ERR_OK;
}
