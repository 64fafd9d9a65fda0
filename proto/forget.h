/*
 * A forget names an object of its self or pair space and every entry of it that its writer held:
 * their payloads may be missing from then on, and say nothing where they are still there.
 */
#ifndef KITH_PROTO_FORGET_H
#define KITH_PROTO_FORGET_H

#include "proto/kind.h"

enum forget_field {
    FORGET_KIND = 1,   /* number: of the object */
    FORGET_OBJECT = 2, /* bytes: its id */
    FORGET_PLACES = 3  /* bytes: [[device, [seq, ...]], ...] */
};

/* Appends one device's entries; the caller has begun the array. seqs are ascending. */
void forget_put_places(const struct public_key *device, const uint64_t *seqs, size_t count,
                       struct buf *out);
/* Visits each place; stops at the first error and returns it. ERR_MALFORMED, ERR_NOMEM: nothing was
 * visited. */
typedef enum err (*forget_fn)(void *self, const struct public_key *device, uint64_t seq);
MUST_USE enum err forget_each_place(struct span places, forget_fn each, void *self);

extern const struct kind forget_kind;

#endif
