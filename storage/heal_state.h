/*
 * Between heal.c and heal_duty.c.
 */
#ifndef KITH_STORAGE_HEAL_STATE_H
#define KITH_STORAGE_HEAL_STATE_H

#include "proto/retire.h"
#include "storage/ledger.h"

/* Says that a device of mine writes no more. successor: NULL where there is none. */
MUST_USE enum err heal_retire(struct ledger_txn *txn, const struct public_key *device,
                              const struct public_key *successor, enum retire_reason reason);
/* Says how much of its log in a space of mine counts, unless that was said: in this one, in all. */
MUST_USE enum err heal_keep(struct ledger_txn *txn, const struct space_row *space,
                            const struct public_key *device);
MUST_USE enum err heal_keep_all(struct ledger_txn *txn, const struct public_key *device);
/* Says of void devices of mine that they were stolen, where that is sure. */
MUST_USE enum err heal_void(struct ledger_txn *txn);

#endif
