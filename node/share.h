/*
 * What becomes of a shared contact at its reader: shown once, found changed or taken back. Each
 * step looks at what is there and writes what is missing, so a step repeated after a crash, or
 * taken on two devices at once, does no harm.
 */
#ifndef KITH_NODE_SHARE_H
#define KITH_NODE_SHARE_H

#include "storage/view_share.h"

/* Puts a body into the pair space written for its reader, in place of what was told before. */
MUST_USE enum err share_tell(struct ledger_txn *txn, const struct id *pair_space,
                             const struct id *object, struct span body);
/* Takes it back, and with it what was written of it. Nothing when there is none. */
MUST_USE enum err share_withdraw(struct ledger_txn *txn, const struct id *pair_space,
                                 const struct id *object);
/* Called from the agenda with a share's name, or with the root of a peer all of whose shares are
 * to be looked at. */
MUST_USE enum err share_look(struct ledger_txn *txn, struct span name);

#endif
