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
 * linked peer. One step of the transaction: it is there whole or not at all. Whoever calls it asked
 * restate_may_be_made. */
MUST_USE enum err restate_space(struct ledger_txn *txn, const struct id *space);

/* False while something that a restatement would repeat may have been sealed for fewer readers than
 * today's (RETURN-10). */
MUST_USE enum err restate_may_be_made(struct ledger_txn *txn, const struct space_row *space,
                                      bool *out);

/* Called from the agenda with a space's id: drops what the restatement that counts covers, for
 * others' spaces at once, for my own when every reader has acknowledged it or RESTATE_KEEP_DAYS
 * have passed. Restates an own space where it holds more dead bytes than live ones, or where
 * another device of mine wrote under an older epoch since. */
MUST_USE enum err restate_tend(struct ledger_txn *txn, struct span name);

#endif
