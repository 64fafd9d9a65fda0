/* A message's size is checked before a byte of it is waited for. */
#include "proto/frame.h"

#include "proto/limits.h"

enum { FRAME_SIZE_SIZE = 4 };

/* PROTOCOL FRAME-1: "The contents of a direction's frames are one stream of size u32 | message;
 * a message is 1 to MESSAGE_SIZE_MAX bytes." */
size_t frame_begin(struct buf *out)
{
    size_t begun_at = out->size;

    buf_u32(out, 0);
    return begun_at;
}

void frame_end(struct buf *out, size_t begun_at)
{
    if (!out->is_failed)
        be32_put(out->data + begun_at, (uint32_t)(out->size - begun_at - FRAME_SIZE_SIZE));
}

static bool frame_is_sized(const struct frame_reader *reader, size_t *out_size)
{
    if (reader->bytes.size - reader->taken < FRAME_SIZE_SIZE)
        return false;
    *out_size = be32(reader->bytes.data + reader->taken);
    return true;
}

enum err frame_feed(struct frame_reader *reader, struct span bytes)
{
    size_t size;

    buf_drop(&reader->bytes, reader->taken);
    reader->taken = 0;
    buf_append(&reader->bytes, bytes);
    if (buf_err(&reader->bytes) != ERR_OK)
        return ERR_NOMEM;
    if (frame_is_sized(reader, &size) && (size == 0 || size > MESSAGE_SIZE_MAX))
        return ERR_LIMIT;
    return ERR_OK;
}

enum err frame_next(struct frame_reader *reader, struct span *out_message)
{
    size_t size;

    if (!frame_is_sized(reader, &size))
        return ERR_NOT_FOUND;
    if (size == 0 || size > MESSAGE_SIZE_MAX)
        return ERR_LIMIT;
    if (reader->bytes.size - reader->taken - FRAME_SIZE_SIZE < size)
        return ERR_NOT_FOUND;
    *out_message = span_of(reader->bytes.data + reader->taken + FRAME_SIZE_SIZE, size);
    reader->taken_last = FRAME_SIZE_SIZE + size;
    reader->taken += reader->taken_last;
    return ERR_OK;
}

void frame_rest(struct frame_reader *reader)
{
    buf_drop(&reader->bytes, reader->taken);
    reader->taken = 0;
    buf_rest(&reader->bytes);
}

void frame_release(struct frame_reader *reader)
{
    buf_release(&reader->bytes);
    reader->taken = 0;
}
