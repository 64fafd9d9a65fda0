/*
 * Typed reading and canonical writing of msgpack: the only file that includes msgpack.h. Writers
 * append to a struct buf (sticky failure there). Readers are cursors over a document that has
 * passed the gate; the first mistake sticks to the document, later reads give zeros, and one check
 * of wire_err at the end decides.
 */
#ifndef KITH_PROTO_WIRE_H
#define KITH_PROTO_WIRE_H

#include "crypto/span.h"

/* The owner of one parsed document; zero it before first use, release it after the last. May be
 * opened again and again: the memory is kept. What it hands out points into the bytes it was opened
 * on. */
struct wire_doc {
    void *zone;
    void *root;
    bool is_failed;
    bool is_out_of_memory;
};

/* A place in one array of a document. */
struct wire {
    struct wire_doc *doc;
    const void *next;
    size_t left; /* elements not read yet */
};

/* Opens a document that must be one array; out stands before its first element. ERR_MALFORMED,
 * ERR_NOMEM. */
MUST_USE enum err wire_open(struct wire_doc *doc, struct span bytes, struct wire *out);
/* ERR_OK while every read so far fitted; else ERR_MALFORMED. */
MUST_USE enum err wire_err(const struct wire_doc *doc);
void wire_release(struct wire_doc *doc);

/* Each takes the next element; a wrong type or a bound passed fails the document. */
uint64_t wire_uint(struct wire *wire, uint64_t max);
bool wire_bool(struct wire *wire);
struct span wire_bin(struct wire *wire, size_t min, size_t max);
/* Copies exactly size bytes of a bin. */
void wire_bytes(struct wire *wire, uint8_t *out, size_t size);
struct span wire_str(struct wire *wire, size_t max);
struct wire wire_array(struct wire *wire, size_t min, size_t max);
/* True, and takes it, when the next element is nil. */
bool wire_is_nil(struct wire *wire);
enum wire_type { WIRE_NOTHING, WIRE_NIL, WIRE_BOOL, WIRE_UINT, WIRE_BIN, WIRE_STR, WIRE_ARRAY };
enum wire_type wire_next_type(const struct wire *wire);
/* Fails the document when elements of this array are left. */
void wire_end(struct wire *wire);
/* Marks the document as malformed: for rules the types cannot say. */
void wire_fail(struct wire *wire);

/* The version of msgpack-c that runs. */
const char *wire_library(void);

void wire_put_array(struct buf *out, size_t count);
void wire_put_uint(struct buf *out, uint64_t value);
void wire_put_bool(struct buf *out, bool value);
void wire_put_nil(struct buf *out);
void wire_put_bin(struct buf *out, struct span bytes);
/* bytes must be valid UTF-8. */
void wire_put_str(struct buf *out, struct span bytes);

#endif
