/*
 * Quoting: with my consent and the subject's, my peers also see what a peer of mine shows to the
 * network. I turn it on for each peer by hand, because it tells who my peers are; the subject
 * allows it by a show to the network or the public. Nobody quotes a quote.
 */
#ifndef KITH_NODE_QUOTE_H
#define KITH_NODE_QUOTE_H

#include "storage/view_endorsement.h"

/* Do I quote what this peer shows to the network? */
MUST_USE enum err quote_is_on(const struct snapshot *snapshot, const struct public_key *member,
                              bool *out);
/* Turns quoting of a peer on, making the network space the first time, or off; then quotes what is
 * shown, or takes it out. */
MUST_USE enum err quote_turn(struct ledger_txn *txn, const struct public_key *member, bool is_on);
/* The same for all peers, those to come too: whoever is turned off later stays so. */
MUST_USE enum err quote_turn_all(struct ledger_txn *txn, bool is_on);
/* Brings the quote of one endorsement in line: view is NULL when it is seen no more. Writes nothing
 * when all is as it should be, or when QUOTES_MAX or QUOTES_SIZE_MAX is reached. */
MUST_USE enum err quote_settle(struct ledger_txn *txn, const struct endorsement_place *place,
                               const struct endorsement_view *view);
/* The same for everything I quote or could quote. */
MUST_USE enum err quote_sweep(struct ledger_txn *txn);

#endif
