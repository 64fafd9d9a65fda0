/* msgpack-c behind the gate. A cursor walks msgpack-c's own objects; nothing is copied. */
#include "proto/wire.h"

#include <msgpack.h>
#include <string.h>

#include "proto/scan.h"

enum { WIRE_ZONE_SIZE = 8192 };

static const msgpack_object *wire_node(const struct wire *wire)
{
    return wire->next;
}

enum err wire_open(struct wire_doc *doc, struct span bytes, struct wire *out)
{
    msgpack_object root;
    msgpack_unpack_return status;
    size_t offset = 0;

    *out = (struct wire){.doc = doc};
    doc->is_failed = true;
    if (scan(bytes) != SCAN_FINE)
        return ERR_MALFORMED;
    if (doc->zone == NULL)
        doc->zone = msgpack_zone_new(WIRE_ZONE_SIZE);
    else
        msgpack_zone_clear(doc->zone);
    if (doc->zone == NULL)
        return ERR_NOMEM;
    status = msgpack_unpack((const char *)bytes.data, bytes.size, &offset, doc->zone, &root);
    if (status == MSGPACK_UNPACK_NOMEM_ERROR)
        return ERR_NOMEM;
    if ((status != MSGPACK_UNPACK_SUCCESS && status != MSGPACK_UNPACK_EXTRA_BYTES) ||
        root.type != MSGPACK_OBJECT_ARRAY)
        return ERR_MALFORMED;
    doc->is_failed = false;
    out->next = root.via.array.ptr;
    out->left = root.via.array.size;
    return ERR_OK;
}

enum err wire_err(const struct wire_doc *doc)
{
    return doc->is_failed ? ERR_MALFORMED : ERR_OK;
}

void wire_release(struct wire_doc *doc)
{
    if (doc->zone != NULL)
        msgpack_zone_free(doc->zone);
    *doc = (struct wire_doc){0};
}

void wire_fail(struct wire *wire)
{
    wire->doc->is_failed = true;
}

enum wire_type wire_next_type(const struct wire *wire)
{
    if (wire->doc->is_failed || wire->left == 0)
        return WIRE_NOTHING;
    switch (wire_node(wire)->type) {
    case MSGPACK_OBJECT_NIL:
        return WIRE_NIL;
    case MSGPACK_OBJECT_BOOLEAN:
        return WIRE_BOOL;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return WIRE_UINT;
    case MSGPACK_OBJECT_BIN:
        return WIRE_BIN;
    case MSGPACK_OBJECT_STR:
        return WIRE_STR;
    case MSGPACK_OBJECT_ARRAY:
        return WIRE_ARRAY;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
    case MSGPACK_OBJECT_MAP:
    case MSGPACK_OBJECT_EXT:
        break;
    }
    return WIRE_NOTHING;
}

/* The next object when it has this type; else NULL, and the document has failed. */
static const msgpack_object *wire_take(struct wire *wire, enum wire_type type)
{
    const msgpack_object *node = wire_node(wire);

    if (wire_next_type(wire) != type) {
        wire_fail(wire);
        return NULL;
    }
    wire->next = node + 1;
    wire->left--;
    return node;
}

uint64_t wire_uint(struct wire *wire, uint64_t max)
{
    const msgpack_object *node = wire_take(wire, WIRE_UINT);

    if (node == NULL)
        return 0;
    if (node->via.u64 > max) {
        wire_fail(wire);
        return 0;
    }
    return node->via.u64;
}

bool wire_bool(struct wire *wire)
{
    const msgpack_object *node = wire_take(wire, WIRE_BOOL);

    return node != NULL && node->via.boolean;
}

struct span wire_bin(struct wire *wire, size_t min, size_t max)
{
    const msgpack_object *node = wire_take(wire, WIRE_BIN);

    if (node == NULL)
        return span_of(NULL, 0);
    if (node->via.bin.size < min || node->via.bin.size > max) {
        wire_fail(wire);
        return span_of(NULL, 0);
    }
    return span_of(node->via.bin.ptr, node->via.bin.size);
}

void wire_bytes(struct wire *wire, uint8_t *out, size_t size)
{
    struct span bytes = wire_bin(wire, size, size);

    if (bytes.size == size && size > 0)
        memcpy(out, bytes.data, size);
    else
        memset(out, 0, size);
}

struct span wire_str(struct wire *wire, size_t max)
{
    const msgpack_object *node = wire_take(wire, WIRE_STR);

    if (node == NULL)
        return span_of(NULL, 0);
    if (node->via.str.size > max) {
        wire_fail(wire);
        return span_of(NULL, 0);
    }
    return span_of(node->via.str.ptr, node->via.str.size);
}

struct wire wire_array(struct wire *wire, size_t min, size_t max)
{
    const msgpack_object *node = wire_take(wire, WIRE_ARRAY);
    struct wire inner = {.doc = wire->doc};

    if (node == NULL)
        return inner;
    if (node->via.array.size < min || node->via.array.size > max) {
        wire_fail(wire);
        return inner;
    }
    inner.next = node->via.array.ptr;
    inner.left = node->via.array.size;
    return inner;
}

bool wire_is_nil(struct wire *wire)
{
    if (wire_next_type(wire) != WIRE_NIL)
        return false;
    (void)wire_take(wire, WIRE_NIL); /* Known to be there. */
    return true;
}

void wire_end(struct wire *wire)
{
    if (wire->left > 0)
        wire_fail(wire);
}

/* Writing. */

static int wire_append(void *self, const char *bytes, size_t size)
{
    struct buf *out = self;

    buf_append(out, span_of(bytes, size));
    return 0; /* A failure sticks to out. */
}

static msgpack_packer wire_packer(struct buf *out)
{
    msgpack_packer packer;

    msgpack_packer_init(&packer, out, wire_append);
    return packer;
}

void wire_put_array(struct buf *out, size_t count)
{
    msgpack_packer packer = wire_packer(out);

    (void)msgpack_pack_array(&packer, count); /* wire_append never fails. */
}

void wire_put_uint(struct buf *out, uint64_t value)
{
    msgpack_packer packer = wire_packer(out);

    (void)msgpack_pack_uint64(&packer, value);
}

void wire_put_bool(struct buf *out, bool value)
{
    msgpack_packer packer = wire_packer(out);

    (void)(value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
}

void wire_put_nil(struct buf *out)
{
    msgpack_packer packer = wire_packer(out);

    (void)msgpack_pack_nil(&packer);
}

void wire_put_bin(struct buf *out, struct span bytes)
{
    msgpack_packer packer = wire_packer(out);

    (void)msgpack_pack_bin(&packer, bytes.size);
    buf_append(out, bytes);
}

void wire_put_str(struct buf *out, struct span bytes)
{
    msgpack_packer packer = wire_packer(out);

    (void)msgpack_pack_str(&packer, bytes.size);
    buf_append(out, bytes);
}

const char *wire_library(void)
{
    return msgpack_version();
}
