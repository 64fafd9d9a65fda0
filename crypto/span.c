/* Bytes: borrowed, growing, big-endian, and sizes that cannot wrap. */
#include "crypto/span.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"

enum { BUF_CAPACITY_MIN = 64, BUF_REST_MIN = 64 << 10, BUF_REST_PART = 4 };

struct span span_str(const char *text)
{
    return span_of(text, strlen(text));
}

bool span_is_equal(struct span left, struct span right)
{
    return left.size == right.size && span_order(left, right) == 0;
}

int span_order(struct span left, struct span right)
{
    size_t shorter = left.size < right.size ? left.size : right.size;
    int order = shorter > 0 ? memcmp(left.data, right.data, shorter) : 0;

    if (order != 0)
        return order;
    return left.size < right.size ? -1 : left.size > right.size ? 1 : 0;
}

/* The contents in memory of another size; NULL: they are where they were. */
static uint8_t *buf_move(struct buf *buf, size_t capacity)
{
    uint8_t *data;

    if (!buf->is_secret || buf->data == NULL)
        return heap_resize(buf->data, capacity);
    data = heap_new(capacity);
    if (data == NULL)
        return NULL;
    memcpy(data, buf->data, buf->size);
    secret_wipe(buf->data, buf->capacity);
    heap_free(buf->data);
    return data;
}

void buf_reserve(struct buf *buf, size_t size)
{
    size_t wanted, capacity;
    uint8_t *data;

    if (buf->is_failed)
        return;
    if (!size_add(buf->size, size, &wanted)) {
        buf->is_failed = true;
        return;
    }
    /* Even no bytes get an address, so that NULL means failure. */
    if (wanted <= buf->capacity && buf->data != NULL)
        return;
    capacity = buf->capacity < BUF_CAPACITY_MIN ? BUF_CAPACITY_MIN : buf->capacity;
    while (capacity < wanted)
        if (!size_mul(capacity, 2, &capacity)) {
            capacity = wanted;
            break;
        }
    data = buf_move(buf, capacity);
    if (data == NULL) {
        buf->is_failed = true;
        return;
    }
    buf->data = data;
    buf->capacity = capacity;
}

uint8_t *buf_grow(struct buf *buf, size_t size)
{
    uint8_t *at;

    buf_reserve(buf, size);
    if (buf->is_failed)
        return NULL;
    at = buf->data + buf->size;
    buf->size += size;
    return at;
}

void buf_append(struct buf *buf, struct span bytes)
{
    uint8_t *at;

    if (bytes.size == 0)
        return;
    at = buf_grow(buf, bytes.size);
    if (at != NULL)
        memcpy(at, bytes.data, bytes.size);
}

void buf_byte(struct buf *buf, uint8_t value)
{
    buf_append(buf, span_of(&value, 1));
}

void buf_u16(struct buf *buf, uint16_t value)
{
    uint8_t *at = buf_grow(buf, 2);

    if (at != NULL)
        be16_put(at, value);
}

void buf_u32(struct buf *buf, uint32_t value)
{
    uint8_t *at = buf_grow(buf, 4);

    if (at != NULL)
        be32_put(at, value);
}

void buf_u64(struct buf *buf, uint64_t value)
{
    uint8_t *at = buf_grow(buf, 8);

    if (at != NULL)
        be64_put(at, value);
}

void buf_clear(struct buf *buf)
{
    if (buf->is_secret && buf->size > 0)
        secret_wipe(buf->data, buf->size);
    buf->size = 0;
    buf->is_failed = false;
}

void buf_drop(struct buf *buf, size_t count)
{
    KITH_ASSERT(count <= buf->size);
    if (count == 0)
        return;
    memmove(buf->data, buf->data + count, buf->size - count);
    buf->size -= count;
    if (buf->is_secret)
        secret_wipe(buf->data + buf->size, count);
}

/* What still grows is not cut down each time. */
void buf_rest(struct buf *buf)
{
    uint8_t *data;

    if (buf->size == 0) {
        buf_release(buf);
        return;
    }
    if (buf->capacity <= BUF_REST_MIN || buf->size > buf->capacity / BUF_REST_PART)
        return;
    data = buf_move(buf, buf->size);
    if (data == NULL)
        return;
    buf->data = data;
    buf->capacity = buf->size;
}

void buf_release(struct buf *buf)
{
    if (buf->is_secret && buf->data != NULL)
        secret_wipe(buf->data, buf->capacity);
    heap_free(buf->data);
    *buf = (struct buf){.is_secret = buf->is_secret};
}

enum err buf_err(const struct buf *buf)
{
    return buf->is_failed ? ERR_NOMEM : ERR_OK;
}

uint16_t be16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

uint32_t be32(const uint8_t *at)
{
    return (uint32_t)be16(at) << 16 | be16(at + 2);
}

uint64_t be64(const uint8_t *at)
{
    return (uint64_t)be32(at) << 32 | be32(at + 4);
}

/* PROTOCOL LABEL-6: "All integers are unsigned and big-endian." */
void be16_put(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)(value & 0xff);
}

void be32_put(uint8_t *at, uint32_t value)
{
    be16_put(at, (uint16_t)(value >> 16));
    be16_put(at + 2, (uint16_t)(value & 0xffff));
}

void be64_put(uint8_t *at, uint64_t value)
{
    be32_put(at, (uint32_t)(value >> 32));
    be32_put(at + 4, (uint32_t)(value & 0xffffffff));
}

bool size_add(size_t left, size_t right, size_t *out)
{
    size_t sum;

    if (__builtin_add_overflow(left, right, &sum))
        return false;
    *out = sum;
    return true;
}

bool size_mul(size_t left, size_t right, size_t *out)
{
    size_t product;

    if (__builtin_mul_overflow(left, right, &product))
        return false;
    *out = product;
    return true;
}

void hex_write(struct span bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t at = 0; at < bytes.size; at++) {
        out[2 * at] = digits[bytes.data[at] >> 4];
        out[2 * at + 1] = digits[bytes.data[at] & 15];
    }
    out[2 * bytes.size] = '\0';
}

static int hex_digit(uint8_t letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    if (letter >= 'a' && letter <= 'f')
        return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F')
        return letter - 'A' + 10;
    return -1;
}

enum err hex_read(struct span text, uint8_t *out, size_t size)
{
    if (text.size != 2 * size)
        return ERR_INVALID;
    for (size_t at = 0; at < text.size; at++)
        if (hex_digit(text.data[at]) < 0)
            return ERR_INVALID;
    for (size_t at = 0; at < size; at++)
        out[at] = (uint8_t)(hex_digit(text.data[2 * at]) << 4 | hex_digit(text.data[2 * at + 1]));
    return ERR_OK;
}

void buf_number(struct buf *buf, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;

    for (; value > 0x7f; value >>= 7)
        bytes[size++] = (uint8_t)(0x80 | (value & 0x7f));
    bytes[size++] = (uint8_t)value;
    buf_append(buf, span_of(bytes, size));
}

bool span_take_number(struct span *rest, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned at = 0; at < rest->size && at < 10; at++) {
        uint8_t byte = rest->data[at];

        value |= (uint64_t)(byte & 0x7f) << 7 * at;
        if ((byte & 0x80) == 0) {
            *rest = span_of(rest->data + at + 1, rest->size - at - 1);
            *out = value;
            return true;
        }
    }
    return false;
}
