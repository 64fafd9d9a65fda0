/* Names of things: 16 random bytes for spaces, objects and dots. */
#ifndef KITH_PROTO_ID_H
#define KITH_PROTO_ID_H

#include "crypto/entropy.h"
#include "crypto/identity.h"

enum { ID_SIZE = 16, ID_TEXT_SIZE = 2 * ID_SIZE + 1 };

struct id {
    uint8_t bytes[ID_SIZE];
};

/* An object id: 48 bits of creation time, then random bits, so that neighbours in time are
 * neighbours on disk. */
void id_draw(const struct entropy *entropy, uint64_t now_ms, struct id *out);
/* 16 random bytes: spaces and dots. */
void id_draw_random(const struct entropy *entropy, struct id *out);
/* The id of the one object of its kind about a public key (a link to a member, a device's
 * certificate). */
void id_about(const char *label, const struct public_key *key, struct id *out);
static inline bool id_is_equal(const struct id *left, const struct id *right)
{
    return span_is_equal(span_of(left->bytes, ID_SIZE), span_of(right->bytes, ID_SIZE));
}

#endif
