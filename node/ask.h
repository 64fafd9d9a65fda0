/*
 * What follows from asks without anybody's hand: what was heard is told to the owner and noted on
 * the timeline, a close walks on to whoever was passed the ask, what is over is forgotten in time.
 * Passing is never among it.
 */
#ifndef KITH_NODE_ASK_H
#define KITH_NODE_ASK_H

#include "storage/view_ask.h"

/* Called from the agenda with an ask's id (KIND_ASK), and with a route's name (KIND_PASS). */
MUST_USE enum err ask_look(struct ledger_txn *txn, struct span name);
MUST_USE enum err ask_look_route(struct ledger_txn *txn, struct span name);

/* Says something that is named by its bytes to a peer, in the pair space, once. ERR_NOT_FOUND: no
 * peer of mine. */
MUST_USE enum err ask_say(struct ledger_txn *txn, const struct public_key *to, uint8_t kind,
                          struct span bytes, uint64_t expires_ms);
/* Whoever holds an ask gives it to one person: the pass, and a note of the grant. from is whom the
 * holder has it from; NULL: the holder is the author. Leaves the views behind. */
struct ask_gift {
    const struct ask_pass *held;
    const struct public_key *to, *from;
    struct span line;
};
MUST_USE enum err ask_give(struct ledger_txn *txn, const struct ask_gift *gift);

#endif
