/*
 * A restatement repeats what is live in a card or network space, so that whoever is admitted later
 * reads nothing that was withdrawn, and so that what is dead need not be kept. It begins with an
 * epoch that tells no earlier key; then, all in one log: this object's first edit (what it covers),
 * one repetition (original.h) for each edit that still has something live in it, and this object's
 * second edit, which says that it is complete.
 */
#ifndef KITH_PROTO_RESTATE_H
#define KITH_PROTO_RESTATE_H

#include "proto/kind.h"
#include "proto/limits.h"

enum restate_field {
    RESTATE_COVERS = 1,  /* bytes: restate_put_covers */
    RESTATE_EPOCH = 2,   /* bytes: id of the epoch it opened */
    RESTATE_COMPLETE = 3 /* number: entries since the first edit; written last */
};

/* How much of one log a restatement has looked at: a mark of that log. */
struct restate_cover {
    struct public_key device;
    uint64_t size;
    uint8_t tag[TAG_SIZE];
};

/* Appends [[device, size, tag], ...]; at most LOGS_PER_PEER_MAX. */
void restate_put_covers(const struct restate_cover *covers, size_t count, struct buf *out);
/* ERR_MALFORMED, ERR_NOMEM. */
MUST_USE enum err restate_read_covers(struct span bytes,
                                      struct restate_cover out[static LOGS_PER_PEER_MAX],
                                      size_t *out_count);

extern const struct kind restate_kind;

#endif
