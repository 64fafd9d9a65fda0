/*
 * The stream inside a channel: [u32 size][message], one after the other, cut anywhere by the
 * channel's frames.
 */
#ifndef KITH_PROTO_FRAME_H
#define KITH_PROTO_FRAME_H

#include "crypto/span.h"

/* Begins a message in out and returns the place to give to frame_end. */
size_t frame_begin(struct buf *out);
void frame_end(struct buf *out, size_t begun_at);

/* Collects bytes and cuts messages out of them. A zeroed one is empty. */
struct frame_reader {
    struct buf bytes;
    size_t taken;      /* bytes at the front that belong to messages already handed out */
    size_t taken_last; /* bytes of the last one, with its size */
};

/* ERR_NOMEM, or ERR_LIMIT once a message announces more than MESSAGE_SIZE_MAX or less than 1. */
MUST_USE enum err frame_feed(struct frame_reader *reader, struct span bytes);
/* A message when a whole one is there, valid until the next feed. ERR_NOT_FOUND when not; ERR_LIMIT
 * as above. */
MUST_USE enum err frame_next(struct frame_reader *reader, struct span *out_message);
/* Gives back memory that no message under way needs. What frame_next handed out is void then. */
void frame_rest(struct frame_reader *reader);
void frame_release(struct frame_reader *reader);

#endif
