/*
 * A row's bytes: counts and numbers as variable-length integers (seven bits a byte, the high bit
 * says that more follow), ids and dots plain. Arrays are made a power of two long, as proto/object
 * grows them.
 */
#include "storage/row.h"

#include <string.h>

#include "crypto/heap.h"
#include "proto/limits.h"
#include "storage/ledger_state.h"

enum { ROW_COUNT_MAX = 1 << 20, ROW_CONTEXT_SIZE = 4 };

/* Writing. */

static void row_put_number(struct buf *out, uint64_t value)
{
    while (value > 0x7f) {
        buf_byte(out, (uint8_t)(0x80 | (value & 0x7f)));
        value >>= 7;
    }
    buf_byte(out, (uint8_t)value);
}

static void row_put_value(struct buf *out, const struct value *value)
{
    buf_byte(out, (uint8_t)value->type);
    if (value->type == VALUE_NUMBER)
        row_put_number(out, value->number);
    if (value->type == VALUE_TEXT || value->type == VALUE_BYTES) {
        row_put_number(out, value->bytes.size);
        buf_append(out, value->bytes);
    }
}

static void row_put_element(struct buf *out, const struct object_element *element)
{
    buf_byte(out, element->field);
    buf_append(out, span_of(element->element.bytes, ID_SIZE));
    row_put_number(out, element->dots_count);
    for (size_t at = 0; at < element->dots_count; at++) {
        buf_append(out, span_of(element->dots[at].dot.bytes, ID_SIZE));
        row_put_number(out, element->dots[at].arrival);
        row_put_value(out, &element->dots[at].value);
    }
}

static void row_put_reaches(struct buf *out, const struct object_reach *reaches, size_t count)
{
    row_put_number(out, count);
    for (size_t at = 0; at < count; at++) {
        row_put_number(out, reaches[at].log);
        row_put_number(out, reaches[at].seq);
    }
}

void row_write(const struct object *object, struct buf *out)
{
    buf_byte(out, object->kind);
    buf_append(out, span_of(object->id.bytes, ID_SIZE));
    row_put_number(out, object->registers_count);
    for (size_t at = 0; at < object->registers_count; at++) {
        buf_byte(out, object->registers[at].field);
        row_put_number(out, object->registers[at].counter);
        row_put_number(out, object->registers[at].arrival);
        row_put_value(out, &object->registers[at].value);
    }
    row_put_number(out, object->elements_count);
    for (size_t at = 0; at < object->elements_count; at++)
        row_put_element(out, &object->elements[at]);
    row_put_number(out, object->gone_count);
    buf_append(out, span_of(object->gone, object->gone_count * sizeof *object->gone));
    row_put_reaches(out, object->touched, object->touched_count);
    row_put_reaches(out, object->hidden, object->hidden_count);
    row_put_number(out, object->ties_count);
    for (size_t at = 0; at < object->ties_count; at++) {
        buf_append(out, span_of(object->ties[at].other.bytes, ID_SIZE));
        row_put_number(out, object->ties[at].counter);
        row_put_number(out, object->ties[at].arrival);
        buf_byte(out, object->ties[at].is_same ? 1 : 0);
    }
    row_put_number(out, object->edits_count);
    for (size_t at = 0; at < object->edits_count; at++)
        row_put_number(out, object->edits[at]);
}

/* Reading: a failure sticks. */

struct row_reader {
    const uint8_t *at, *end;
    enum err err;
};

static uint64_t row_number(struct row_reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    reader->err = ERR_CORRUPT;
    return 0;
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

static struct value row_value(struct row_reader *reader)
{
    struct value value = {.type = (enum value_type)row_byte(reader)};

    if (value.type == VALUE_NUMBER)
        value.number = row_number(reader);
    else if (value.type == VALUE_TEXT || value.type == VALUE_BYTES)
        value.bytes = row_bytes(reader, row_number(reader));
    else if (value.type != VALUE_NONE)
        reader->err = ERR_CORRUPT;
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
        out->registers[at].arrival = row_number(reader);
        out->registers[at].value = row_value(reader);
    }
}

static void row_element(struct row_reader *reader, struct object_element *out)
{
    const struct object_dot *least;

    out->field = row_byte(reader);
    row_id(reader, &out->element);
    out->dots = row_array(reader, ID_SIZE + 2, sizeof *out->dots, &out->dots_count);
    for (size_t at = 0; at < out->dots_count && reader->err == ERR_OK; at++) {
        row_id(reader, &out->dots[at].dot);
        out->dots[at].arrival = row_number(reader);
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

static void row_ties(struct row_reader *reader, struct object *out)
{
    out->ties = row_array(reader, ID_SIZE + 3, sizeof *out->ties, &out->ties_count);
    for (size_t at = 0; at < out->ties_count && reader->err == ERR_OK; at++) {
        row_id(reader, &out->ties[at].other);
        out->ties[at].counter = row_number(reader);
        out->ties[at].arrival = row_number(reader);
        out->ties[at].is_same = row_byte(reader) != 0;
    }
}

/* Rows written before histories were kept end before this. */
static void row_edits(struct row_reader *reader, struct object *out)
{
    if (reader->at == reader->end)
        return;
    out->edits = row_array(reader, 1, sizeof *out->edits, &out->edits_count);
    for (size_t at = 0; at < out->edits_count && reader->err == ERR_OK; at++)
        out->edits[at] = row_number(reader);
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
        out->elements =
            row_array(&reader, ID_SIZE + 2, sizeof *out->elements, &out->elements_count);
    for (size_t at = 0; at < out->elements_count && reader.err == ERR_OK; at++)
        row_element(&reader, &out->elements[at]);
    if (reader.err == ERR_OK)
        out->gone = row_array(&reader, ID_SIZE, sizeof *out->gone, &out->gone_count);
    for (size_t at = 0; at < out->gone_count && reader.err == ERR_OK; at++)
        row_id(&reader, &out->gone[at]);
    if (reader.err == ERR_OK)
        out->touched = row_reaches(&reader, &out->touched_count);
    if (reader.err == ERR_OK)
        out->hidden = row_reaches(&reader, &out->hidden_count);
    if (reader.err == ERR_OK)
        row_ties(&reader, out);
    if (reader.err == ERR_OK)
        row_edits(&reader, out);
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
