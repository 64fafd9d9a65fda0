/*
 * Borrowed bytes (span), growing bytes (buf), big-endian integers and checked sizes.
 * A span never owns. A buf owns its bytes until buf_release or buf_take.
 */
#ifndef KITH_CRYPTO_SPAN_H
#define KITH_CRYPTO_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/err.h"

struct span {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;         /* bytes */
};

static inline struct span span_of(const void *data, size_t size)
{
    return (struct span){.data = data, .size = size};
}

/* The bytes of a string, without its end. */
struct span span_str(const char *text);

/* Not for secrets: stops at the first difference. */
bool span_is_equal(struct span left, struct span right);
/* Negative, 0 or positive in the order of bytes; a prefix comes first. Not for secrets. */
int span_order(struct span left, struct span right);

/*
 * Growing bytes. Failure is sticky: after an append that could not get memory or would pass size_t,
 * every later append does nothing and buf_err says ERR_NOMEM, so writers are straight lines with
 * one check at the end. A zeroed struct buf is empty and valid.
 */
struct buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool is_failed;
    bool is_secret; /* wiped wherever its bytes are left behind: set before the first of them */
};

void buf_append(struct buf *buf, struct span bytes);
void buf_byte(struct buf *buf, uint8_t value);
void buf_u16(struct buf *buf, uint16_t value);
void buf_u32(struct buf *buf, uint32_t value);
void buf_u64(struct buf *buf, uint64_t value);
/* Room for size more bytes, counted as written; NULL when failed. Valid until the next call. */
uint8_t *buf_grow(struct buf *buf, size_t size);
/* Makes sure that size more bytes fit without moving; the contents stay as they are. */
void buf_reserve(struct buf *buf, size_t size);
/* Forgets the contents, keeps the memory; clears a failure. */
void buf_clear(struct buf *buf);
/* Drops count bytes from the front. count <= size. */
void buf_drop(struct buf *buf, size_t count);
/* Gives back memory that is not in use: all of it where there is nothing, else what goes far beyond
 * the size. Contents stay; the address may change. */
void buf_rest(struct buf *buf);
void buf_release(struct buf *buf);
MUST_USE enum err buf_err(const struct buf *buf);
static inline struct span buf_span(const struct buf *buf)
{
    return span_of(buf->data, buf->size);
}

/* Big-endian integers at an address that has room for them. */
uint16_t be16(const uint8_t *at);
uint32_t be32(const uint8_t *at);
uint64_t be64(const uint8_t *at);
void be16_put(uint8_t *at, uint16_t value);
void be32_put(uint8_t *at, uint32_t value);
void be64_put(uint8_t *at, uint64_t value);

/* Numbers most of which are small: seven bits a byte, the lowest first; the high bit says that more
 * follow. */
void buf_number(struct buf *buf, uint64_t value);
/* Takes one off the front. False, *out untouched, when it is cut or longer than 64 bits can be. */
bool span_take_number(struct span *rest, uint64_t *out);

/* Checked sizes: false, and out untouched, when the result does not fit. */
MUST_USE bool size_add(size_t left, size_t right, size_t *out);
MUST_USE bool size_mul(size_t left, size_t right, size_t *out);

/* Lower-case hexadecimal: out has room for 2 * bytes.size + 1. */
void hex_write(struct span bytes, char *out);
/* Reads exactly size bytes from 2 * size hex digits of either case: ERR_INVALID otherwise. */
MUST_USE enum err hex_read(struct span text, uint8_t *out, size_t size);

#endif
