/*
 * A row's bytes: counts and numbers as variable-length integers (seven bits a byte, the high bit
 * says that more follow), an arrival number as the step from the one written before it (its sign
 * lowest), a dot as how many bytes it has in common with the one before it and the others; ids are
 * plain. An element's id follows from its value and is not told. The names of the newest writes
 * stand at the end, before what few objects have: writes apart, and names that deletes told. Arrays
 * are made a power of two long, as proto/object grows them.
 */
#include "storage/row.h"

#include <string.h>

#include "crypto/heap.h"
#include "proto/limits.h"
#include "storage/ledger_state.h"

enum { ROW_COUNT_MAX = 1 << 20, ROW_CONTEXT_SIZE = 4, ROW_TYPE_BITS = 2 };

/* Writing. */

struct row_writer {
    struct buf *out;
    uint64_t arrival;   /* written last */
    const uint8_t *dot; /* the same; NULL: none yet */
};

static void row_put_arrival(struct row_writer *writer, uint64_t arrival)
{
    uint64_t step = arrival - writer->arrival;

    buf_number(writer->out, step << 1 ^ (0 - (step >> 63)));
    writer->arrival = arrival;
}

static void row_put_dot(struct row_writer *writer, const struct id *dot)
{
    size_t shared = 0;

    while (writer->dot != NULL && shared < ID_SIZE && writer->dot[shared] == dot->bytes[shared])
        shared++;
    buf_byte(writer->out, (uint8_t)shared);
    buf_append(writer->out, span_of(dot->bytes + shared, ID_SIZE - shared));
    writer->dot = dot->bytes;
}

static void row_put_value(struct buf *out, const struct value *value)
{
    bool has_bytes = value->type == VALUE_TEXT || value->type == VALUE_BYTES;

    buf_number(out, (has_bytes ? (uint64_t)value->bytes.size << ROW_TYPE_BITS : 0) |
                        (uint64_t)value->type);
    if (value->type == VALUE_NUMBER)
        buf_number(out, value->number);
    if (has_bytes)
        buf_append(out, value->bytes);
}

static void row_put_element(struct row_writer *writer, const struct object_element *element)
{
    buf_byte(writer->out, element->field);
    buf_number(writer->out, element->dots_count);
    for (size_t at = 0; at < element->dots_count; at++) {
        row_put_dot(writer, &element->dots[at].dot);
        row_put_arrival(writer, element->dots[at].arrival);
        row_put_value(writer->out, &element->dots[at].value);
    }
}

static void row_put_reaches(struct buf *out, const struct object_reach *reaches, size_t count)
{
    buf_number(out, count);
    for (size_t at = 0; at < count; at++) {
        buf_number(out, reaches[at].log);
        buf_number(out, reaches[at].seq);
    }
}

static void row_put_name(struct buf *out, const struct write_name *name)
{
    buf_append(out, span_of(name->bytes, WRITE_NAME_SIZE));
}

static void row_put_seen(struct buf *out, const struct object *object)
{
    for (size_t at = 0; at < object->touched_count; at++)
        row_put_name(out, &object->touched[at].name);
    if (object->apart_count + object->named_count == 0)
        return;
    row_put_reaches(out, object->apart, object->apart_count);
    for (size_t at = 0; at < object->apart_count; at++)
        row_put_name(out, &object->apart[at].name);
    buf_number(out, object->named_count);
    for (size_t at = 0; at < object->named_count; at++)
        row_put_name(out, &object->named[at]);
}

static void row_put_ties(struct row_writer *writer, const struct object *object)
{
    buf_number(writer->out, object->ties_count);
    for (size_t at = 0; at < object->ties_count; at++) {
        buf_append(writer->out, span_of(object->ties[at].other.bytes, ID_SIZE));
        buf_number(writer->out, object->ties[at].counter);
        row_put_arrival(writer, object->ties[at].arrival);
        buf_byte(writer->out, object->ties[at].is_same ? 1 : 0);
    }
}

void row_write(const struct object *object, struct buf *out)
{
    struct row_writer writer = {.out = out};

    buf_byte(out, object->kind);
    buf_append(out, span_of(object->id.bytes, ID_SIZE));
    buf_number(out, object->registers_count);
    for (size_t at = 0; at < object->registers_count; at++) {
        buf_byte(out, object->registers[at].field);
        buf_number(out, object->registers[at].counter);
        row_put_arrival(&writer, object->registers[at].arrival);
        row_put_value(out, &object->registers[at].value);
    }
    buf_number(out, object->elements_count);
    for (size_t at = 0; at < object->elements_count; at++)
        row_put_element(&writer, &object->elements[at]);
    buf_number(out, object->gone_count);
    for (size_t at = 0; at < object->gone_count; at++)
        row_put_dot(&writer, &object->gone[at]);
    row_put_reaches(out, object->touched, object->touched_count);
    row_put_reaches(out, object->hidden, object->hidden_count);
    row_put_ties(&writer, object);
    buf_number(out, object->edits_count);
    for (size_t at = 0; at < object->edits_count; at++)
        row_put_arrival(&writer, object->edits[at]);
    row_put_seen(out, object);
}

/* Reading: a failure sticks. */

struct row_reader {
    const uint8_t *at, *end;
    uint64_t arrival; /* read last */
    struct id dot;    /* the same */
    enum err err;
};

static uint64_t row_number(struct row_reader *reader)
{
    struct span rest = span_of(reader->at, (size_t)(reader->end - reader->at));
    uint64_t value = 0;

    if (span_take_number(&rest, &value))
        reader->at = rest.data;
    else
        reader->err = ERR_CORRUPT;
    return value;
}

static uint8_t row_byte(struct row_reader *reader)
{
    if (reader->at < reader->end)
        return *reader->at++;
    reader->err = ERR_CORRUPT;
    return 0;
}

static struct span row_bytes(struct row_reader *reader, uint64_t size)
{
    struct span bytes = span_of(reader->at, (size_t)size);

    if (size > (uint64_t)(reader->end - reader->at)) {
        reader->err = ERR_CORRUPT;
        return span_of(NULL, 0);
    }
    reader->at += size;
    return bytes;
}

static void row_id(struct row_reader *reader, struct id *out)
{
    struct span bytes = row_bytes(reader, ID_SIZE);

    if (bytes.size == ID_SIZE)
        memcpy(out->bytes, bytes.data, ID_SIZE);
}

static uint64_t row_arrival(struct row_reader *reader)
{
    uint64_t step = row_number(reader);

    reader->arrival += step >> 1 ^ (0 - (step & 1));
    return reader->arrival;
}

static void row_dot(struct row_reader *reader, struct id *out)
{
    uint8_t shared = row_byte(reader);
    struct span rest;

    if (shared > ID_SIZE) {
        reader->err = ERR_CORRUPT;
        return;
    }
    rest = row_bytes(reader, ID_SIZE - shared);
    if (rest.size > 0)
        memcpy(reader->dot.bytes + shared, rest.data, rest.size);
    *out = reader->dot;
}

static struct value row_value(struct row_reader *reader)
{
    uint64_t head = row_number(reader);
    struct value value = {.type = (enum value_type)(head & ((1u << ROW_TYPE_BITS) - 1))};

    head >>= ROW_TYPE_BITS;
    if (value.type == VALUE_TEXT || value.type == VALUE_BYTES)
        value.bytes = row_bytes(reader, head);
    else if (head > 0)
        reader->err = ERR_CORRUPT;
    if (value.type == VALUE_NUMBER)
        value.number = row_number(reader);
    return value;
}

/* A count and an array for it; NULL for none. Each thing takes least bytes at least, so that a
 * damaged count costs nothing. */
static void *row_array(struct row_reader *reader, size_t least, size_t size, size_t *out_count)
{
    uint64_t count = row_number(reader);
    size_t capacity = 1;
    void *array;

    *out_count = 0;
    if (reader->err != ERR_OK || count == 0)
        return NULL;
    if (count > ROW_COUNT_MAX || count > (uint64_t)(reader->end - reader->at) / least) {
        reader->err = ERR_CORRUPT;
        return NULL;
    }
    while (capacity < count)
        capacity *= 2;
    array = heap_new_zeroed(capacity, size);
    if (array == NULL)
        reader->err = ERR_NOMEM;
    else
        *out_count = (size_t)count;
    return array;
}

static void row_registers(struct row_reader *reader, struct object *out)
{
    out->registers = row_array(reader, 4, sizeof *out->registers, &out->registers_count);
    for (size_t at = 0; at < out->registers_count && reader->err == ERR_OK; at++) {
        out->registers[at].field = row_byte(reader);
        out->registers[at].counter = row_number(reader);
        out->registers[at].arrival = row_arrival(reader);
        out->registers[at].value = row_value(reader);
    }
}

static void row_element(struct row_reader *reader, struct object_element *out)
{
    const struct object_dot *least;

    out->field = row_byte(reader);
    out->dots = row_array(reader, 3, sizeof *out->dots, &out->dots_count);
    for (size_t at = 0; at < out->dots_count && reader->err == ERR_OK; at++) {
        row_dot(reader, &out->dots[at].dot);
        out->dots[at].arrival = row_arrival(reader);
        out->dots[at].value = row_value(reader);
    }
    if (out->dots_count == 0 && reader->err == ERR_OK)
        reader->err = ERR_CORRUPT;
    if (reader->err != ERR_OK)
        return;
    least = &out->dots[0];
    for (size_t at = 1; at < out->dots_count; at++)
        if (span_order(span_of(out->dots[at].dot.bytes, ID_SIZE),
                       span_of(least->dot.bytes, ID_SIZE)) < 0)
            least = &out->dots[at];
    out->value = least->value;
}

static struct object_reach *row_reaches(struct row_reader *reader, size_t *out_count)
{
    struct object_reach *reaches = row_array(reader, 2, sizeof *reaches, out_count);

    for (size_t at = 0; at < *out_count && reader->err == ERR_OK; at++) {
        reaches[at].log = (uint32_t)row_number(reader);
        reaches[at].seq = row_number(reader);
    }
    return reaches;
}

static void row_name(struct row_reader *reader, struct write_name *out)
{
    struct span bytes = row_bytes(reader, WRITE_NAME_SIZE);

    if (bytes.size == WRITE_NAME_SIZE)
        memcpy(out->bytes, bytes.data, WRITE_NAME_SIZE);
}

/* Rows of an older kith end before it. */
static void row_seen(struct row_reader *reader, struct object *out)
{
    if (reader->at == reader->end)
        return;
    for (size_t at = 0; at < out->touched_count && reader->err == ERR_OK; at++)
        row_name(reader, &out->touched[at].name);
    if (reader->at == reader->end || reader->err != ERR_OK)
        return;
    out->apart = row_reaches(reader, &out->apart_count);
    for (size_t at = 0; at < out->apart_count && reader->err == ERR_OK; at++)
        row_name(reader, &out->apart[at].name);
    if (reader->err == ERR_OK)
        out->named = row_array(reader, WRITE_NAME_SIZE, sizeof *out->named, &out->named_count);
    for (size_t at = 0; at < out->named_count && reader->err == ERR_OK; at++)
        row_name(reader, &out->named[at]);
}

static void row_ties(struct row_reader *reader, struct object *out)
{
    out->ties = row_array(reader, ID_SIZE + 3, sizeof *out->ties, &out->ties_count);
    for (size_t at = 0; at < out->ties_count && reader->err == ERR_OK; at++) {
        row_id(reader, &out->ties[at].other);
        out->ties[at].counter = row_number(reader);
        out->ties[at].arrival = row_arrival(reader);
        out->ties[at].is_same = row_byte(reader) != 0;
    }
}

static void row_edits(struct row_reader *reader, struct object *out)
{
    out->edits = row_array(reader, 1, sizeof *out->edits, &out->edits_count);
    for (size_t at = 0; at < out->edits_count && reader->err == ERR_OK; at++)
        out->edits[at] = row_arrival(reader);
    if (out->edits_count > OBJECT_EDITS_MAX)
        reader->err = ERR_CORRUPT;
}

enum err row_read(struct span bytes, struct object *out)
{
    struct row_reader reader = {.at = bytes.data, .end = bytes.data + bytes.size};

    *out = (struct object){.kind = row_byte(&reader)};
    row_id(&reader, &out->id);
    row_registers(&reader, out);
    if (reader.err == ERR_OK)
        out->elements = row_array(&reader, 5, sizeof *out->elements, &out->elements_count);
    for (size_t at = 0; at < out->elements_count && reader.err == ERR_OK; at++)
        row_element(&reader, &out->elements[at]);
    if (reader.err == ERR_OK)
        out->gone = row_array(&reader, 1, sizeof *out->gone, &out->gone_count);
    for (size_t at = 0; at < out->gone_count && reader.err == ERR_OK; at++)
        row_dot(&reader, &out->gone[at]);
    if (reader.err == ERR_OK)
        out->touched = row_reaches(&reader, &out->touched_count);
    if (reader.err == ERR_OK)
        out->hidden = row_reaches(&reader, &out->hidden_count);
    if (reader.err == ERR_OK)
        row_ties(&reader, out);
    if (reader.err == ERR_OK)
        row_edits(&reader, out);
    if (reader.err == ERR_OK)
        row_seen(&reader, out);
    if (reader.err == ERR_OK && reader.at != reader.end)
        reader.err = ERR_CORRUPT;
    if (reader.err != ERR_OK)
        object_release(out);
    return reader.err;
}

/* Stored rows: space u32, then the bytes, sealed for secret kinds. */

static bool row_is_secret(uint8_t kind_number)
{
    const struct kind *kind = kind_find(kind_number);

    return kind != NULL && kind->is_secret;
}

enum err row_put(struct ledger_txn *txn, uint32_t number, uint32_t space,
                 const struct object *object)
{
    struct buf plain = {0}, value = {0};
    struct key key;
    enum err err;

    key_of_u32(number, &key);
    buf_u32(&value, space);
    buf_byte(&value, row_is_secret(object->kind) ? 1 : 0);
    if (row_is_secret(object->kind)) {
        row_write(object, &plain);
        ledger_seal_local(txn->ledger, key_span(&key), buf_span(&plain), &value);
        value.is_failed |= plain.is_failed;
    } else {
        row_write(object, &value);
    }
    err = buf_err(&value);
    if (err == ERR_OK && value.size > KV_VALUE_SIZE_MAX)
        err = ERR_LIMIT;
    if (err == ERR_OK)
        err = (number == txn->unwritten ? ledger_put_last : ledger_put)(txn, TABLE_OBJECT, &key,
                                                                        buf_span(&value));
    if (number == txn->unwritten)
        txn->unwritten = 0;
    buf_release(&plain);
    buf_release(&value);
    return err;
}

enum err row_load(const struct snapshot *snapshot, uint32_t number, struct object *out,
                  uint32_t *out_space)
{
    struct buf opened = {0};
    struct span value;
    struct key key;
    enum err err;

    *out = (struct object){0};
    key_of_u32(number, &key);
    err = ledger_get(snapshot, TABLE_OBJECT, &key, &value);
    if (err != ERR_OK)
        return err;
    if (value.size < ROW_CONTEXT_SIZE + 1)
        return ERR_CORRUPT;
    *out_space = be32(value.data);
    if (value.data[ROW_CONTEXT_SIZE] == 0)
        return row_read(
            span_of(value.data + ROW_CONTEXT_SIZE + 1, value.size - ROW_CONTEXT_SIZE - 1), out);
    err = ledger_open_local(
        snapshot->ledger, key_span(&key),
        span_of(value.data + ROW_CONTEXT_SIZE + 1, value.size - ROW_CONTEXT_SIZE - 1), &opened);
    if (err == ERR_OK)
        err = row_read(buf_span(&opened), out);
    if (err == ERR_OK)
        out->memory = opened; /* The values lie in it. */
    else
        buf_release(&opened);
    return err;
}

enum err row_get_numbered(const struct snapshot *snapshot, uint32_t number, struct object *out,
                          uint32_t *out_space)
{
    enum err err = row_load(snapshot, number, out, out_space);

    if (err == ERR_OK && out->memory.data == NULL)
        err = object_own(out);
    if (err != ERR_OK)
        object_release(out);
    return err;
}

static void row_id_key(uint32_t space, uint8_t kind, const struct id *id, struct key *out)
{
    key_of_u32(space, out);
    key_add_byte(out, kind);
    if (id != NULL)
        key_add_bytes(out, span_of(id->bytes, ID_SIZE));
}

enum err row_find(const struct snapshot *snapshot, uint32_t space, uint8_t kind,
                  const struct id *id, uint32_t *out_number)
{
    struct span value;
    struct key key;
    enum err err;

    row_id_key(space, kind, id, &key);
    err = ledger_get(snapshot, TABLE_OBJECT_ID, &key, &value);
    if (err == ERR_OK && value.size != 4)
        err = ERR_CORRUPT;
    if (err == ERR_OK)
        *out_number = be32(value.data);
    return err;
}

enum err row_number_for(struct ledger_txn *txn, uint32_t space, uint8_t kind, const struct id *id,
                        uint32_t *out_number, bool *out_is_new)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = row_find(&snapshot, space, kind, id, out_number);
    uint8_t number[4];
    struct key key;

    *out_is_new = err == ERR_NOT_FOUND;
    if (err != ERR_NOT_FOUND)
        return err;
    *out_number = ++txn->counters.objects;
    txn->unwritten = *out_number;
    be32_put(number, *out_number);
    row_id_key(space, kind, id, &key);
    return ledger_put(txn, TABLE_OBJECT_ID, &key, span_of(number, sizeof number));
}

enum err row_get(const struct snapshot *snapshot, const struct id *space, uint8_t kind,
                 const struct id *id, struct object *out, uint32_t *out_number)
{
    struct space_row row;
    uint32_t ignored;
    enum err err = ledger_space(snapshot, space, &row);

    *out = (struct object){0};
    if (err == ERR_OK)
        err = row_find(snapshot, row.number, kind, id, out_number);
    return err == ERR_OK ? row_get_numbered(snapshot, *out_number, out, &ignored) : err;
}

enum err row_each(const struct snapshot *snapshot, const struct id *space, uint8_t kind,
                  row_fn each, void *self)
{
    return row_each_after(snapshot, space, kind, NULL, each, self);
}

enum err row_each_after(const struct snapshot *snapshot, const struct id *space, uint8_t kind,
                        const struct id *after, row_fn each, void *self)
{
    struct kv_cursor *cursor;
    struct span key_bytes, value;
    struct space_row row;
    struct key key, from;
    enum err err = ledger_space(snapshot, space, &row);

    if (err != ERR_OK)
        return err;
    err = kv_cursor_open(snapshot->kv, TABLE_OBJECT_ID, &cursor);
    if (err != ERR_OK)
        return err;
    row_id_key(row.number, kind, NULL, &key);
    row_id_key(row.number, kind, after, &from);
    if (after != NULL)
        key_add_byte(&from, 0); /* The first key behind it. */
    for (err = kv_cursor_seek(cursor, key_span(&from)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        struct object object = {0};
        uint32_t ignored;

        kv_cursor_at(cursor, &key_bytes, &value);
        if (key_bytes.size < key.size || memcmp(key_bytes.data, key.bytes, key.size) != 0 ||
            value.size != 4)
            break;
        err = row_load(snapshot, be32(value.data), &object, &ignored);
        if (err == ERR_OK && object_is_visible(&object))
            err = each(self, be32(value.data), &object);
        object_release(&object);
        if (err != ERR_OK)
            break;
    }
    kv_cursor_close(cursor);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err row_numbers(const struct snapshot *snapshot, uint32_t space, struct buf *out)
{
    struct kv_cursor *cursor;
    struct span key_bytes, value;
    struct key key;
    enum err err = kv_cursor_open(snapshot->kv, TABLE_OBJECT_ID, &cursor);

    if (err != ERR_OK)
        return err;
    key_of_u32(space, &key);
    for (err = kv_cursor_seek(cursor, key_span(&key)); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        uint32_t number;

        kv_cursor_at(cursor, &key_bytes, &value);
        if (key_bytes.size < 4 || be32(key_bytes.data) != space)
            break;
        if (value.size != 4) {
            err = ERR_CORRUPT;
            break;
        }
        number = be32(value.data);
        buf_append(out, span_of(&number, sizeof number));
    }
    kv_cursor_close(cursor);
    if (err == ERR_NOT_FOUND)
        err = ERR_OK;
    return err == ERR_OK ? buf_err(out) : err;
}
