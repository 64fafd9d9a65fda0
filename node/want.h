/* Asking a peer for an endorsement: a wish in the pair space, told to its reader once. Nobody is
 * ever reminded of it. */
#ifndef KITH_NODE_WANT_H
#define KITH_NODE_WANT_H

#include "storage/view_peer.h"

/* One wish as it stands in a pair space. */
struct want {
    uint64_t asked_ms;
    struct object object; /* owns the texts */
};

/* The wish in the space I write for a peer (is_mine), or in the one they write for me. Released by
 * object_release of its object. ERR_NOT_FOUND: none, or one that is over. */
MUST_USE enum err want_get(const struct snapshot *snapshot, const struct peer *peer, bool is_mine,
                           uint64_t now_ms, struct want *out);
/* Called from the agenda with the root of who asks. */
MUST_USE enum err want_look(struct ledger_txn *txn, struct span name);
/* Notes on the timeline of a peer that one asked the other. out_is_new: not before in this span. */
MUST_USE enum err want_note(struct ledger_txn *txn, const struct public_key *peer, bool is_mine,
                            struct span words, bool *out_is_new);

#endif
