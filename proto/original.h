/*
 * An original: who wrote an edit first, told by whoever repeats it verbatim. Two duties repeat: a
 * device restates what a cut of its own log took away (returns), and a restatement of a card or
 * network space repeats what is live there. Merging, ties, duplicates and deletes use the original
 * only, so that a repetition changes nothing where the first is known. The space is the one the
 * repetition stands in.
 *
 * The place is where the repeater found the edit, told by a restatement alone: what a newer
 * restatement covers is judged by places. It differs from the original where a return was restated.
 */
#ifndef KITH_PROTO_ORIGINAL_H
#define KITH_PROTO_ORIGINAL_H

#include "proto/log.h"

struct original {
    struct public_key device;
    uint64_t seq;           /* in the log of that device; 0: of no entry in particular */
    struct hash entry_hash; /* payload hash of the entry: its identity */
    bool has_place;
    struct public_key place_device;
    uint64_t place_seq;
};

/* Puts one element: [device, seq, entry hash], with a place [..., device, seq]. */
void original_put(const struct original *original, struct buf *out);
/* Takes one element; another shape fails the document. */
void original_read(struct wire *wire, struct original *out);
bool original_is_equal(const struct original *left, const struct original *right);

#endif
