/*
 * Which returned batches one session has offered, or was given: each goes once. Only a word of each
 * hash is kept, in a table keyed by the handshake: nobody can choose hashes that fall on one place.
 * Of two that share a word, one in 2^64, the second waits for the next session.
 */
#ifndef KITH_PROTO_OFFERS_H
#define KITH_PROTO_OFFERS_H

#include "proto/id.h"

enum { OFFERS_MAX = 65536 }; /* in one session; more go in the next */

/* A zeroed one is empty. */
struct offers {
    uint64_t *words; /* 0: free */
    size_t count, capacity;
};

/* True when it was not there and is now; false, too, when there is no room or no memory. */
bool offers_add(struct offers *offers, const uint8_t key[static HASH_SIZE],
                const struct hash *hash);
size_t offers_held(const struct offers *offers);
void offers_release(struct offers *offers);

#endif
