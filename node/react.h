/*
 * Reactions: an entry that arrives may oblige its reader to answer (an introducer who holds two
 * yeses must release). What to answer is a pure function of the facts held and the time, so it is
 * the same whatever came first, and finds nothing to do when it was answered already. The answers
 * are appended in the transaction of the entry that caused them, by this device in its own logs;
 * a timer is the same thing with a tick as the fact. node/group.c calls this before each commit.
 */
#ifndef KITH_NODE_REACT_H
#define KITH_NODE_REACT_H

#include "storage/ledger.h"

/* Looks at one named thing of a kind: reads the facts, judges them, appends what is missing, puts
 * the next tick on the agenda. Fails for the store only. */
typedef enum err (*react_fn)(struct ledger_txn *txn, struct span name);

/* Follows, then looks at everything that is due, and at what becomes due by that, up to a bound;
 * the rest stays on the agenda. Does nothing while the views are behind: what is read then would
 * lack facts that are held. */
MUST_USE enum err react_all(struct ledger_txn *txn);
/* Is something due at this wall time that a transaction should look at? */
bool react_is_due(struct ledger *ledger, uint64_t wall_ms);

#endif
