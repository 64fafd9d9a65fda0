/*
 * Making restatements of my card and network spaces (proto/restate.h).
 */
#ifndef KITH_STORAGE_RESTATE_H
#define KITH_STORAGE_RESTATE_H

#include "storage/ledger.h"

/* Would somebody who gets the space's current key read what was withdrawn: an edit some value of
 * which is not live any more, sealed under an epoch that this key opens? */
MUST_USE enum err restate_is_due(struct ledger_txn *txn, const struct space_row *space, bool *out);
/* Repeats what is live under an epoch that tells no earlier key, and grants that epoch to every
 * linked peer. One step of the transaction: it is there whole or not at all. */
MUST_USE enum err restate_space(struct ledger_txn *txn, const struct id *space);

#endif
