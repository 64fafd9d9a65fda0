/*
 * A forget names an object of its self or pair space and every entry of it that its writer held,
 * or held repeated: their payloads may be missing from then on, and say nothing where they are
 * still there. An entry is named by its place and the hash of its payload: two branches of a log
 * have other entries at the same place.
 */
#ifndef KITH_PROTO_FORGET_H
#define KITH_PROTO_FORGET_H

#include "crypto/digest.h"
#include "proto/kind.h"

enum forget_field {
    FORGET_KIND = 1,   /* number: of the object */
    FORGET_OBJECT = 2, /* bytes: its id */
    FORGET_PLACES = 3  /* bytes: [[device, [[seq, payload hash], ...]], ...] */
};

struct forget_place {
    struct public_key device;
    uint64_t seq;
    struct hash payload;
};

/* Appends the list of these places, those of one device beside each other; at most
 * FORGET_PLACES_MAX. */
void forget_put_places(const struct forget_place *places, size_t count, struct buf *out);
/* Visits each place; stops at the first error and returns it. ERR_MALFORMED, ERR_NOMEM: nothing was
 * visited. */
typedef enum err (*forget_fn)(void *self, const struct forget_place *place);
MUST_USE enum err forget_each_place(struct span places, forget_fn each, void *self);

extern const struct kind forget_kind;

#endif
