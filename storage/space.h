/*
 * Spaces of mine: making them, their epochs, and granting their keys. Who reads what is decided
 * here and in ops, never by a reader.
 */
#ifndef KITH_STORAGE_SPACE_H
#define KITH_STORAGE_SPACE_H

#include "storage/ledger.h"

/* Draws an id, records the space in self, opens its first epoch. For a pair space peer is the
 * reader, whose devices known so far get the key; for card and network it is NULL. */
MUST_USE enum err space_create(struct ledger_txn *txn, enum space_kind kind,
                               const struct public_key *peer, struct id *out_id);
/* A fresh epoch for the audience as it is now: own devices, recovery key, and (pair) the peer's
 * devices, or (card, network) every linked peer by a grant in its pair space. */
MUST_USE enum err space_rotate(struct ledger_txn *txn, const struct id *space);
/* Tells one peer the keys of my card (or network) space: a grant in its pair space for each epoch
 * it may read. */
MUST_USE enum err space_grant(struct ledger_txn *txn, const struct id *space,
                              const struct public_key *peer);

/* Draws a new knock, tells it to all peers through the card space; older ones are still answered
 * for a while. */
MUST_USE enum err space_renew_knock(struct ledger_txn *txn);

#endif
