/*
 * How long this node has run, all its runs added up: the clock by which things that others said
 * grow old here. It stands still while nothing runs and never jumps, so a wrong wall clock ends
 * nothing.
 */
#ifndef KITH_STORAGE_UPTIME_H
#define KITH_STORAGE_UPTIME_H

#include "storage/ledger.h"

/* Milliseconds, as of the last uptime_add. */
MUST_USE enum err uptime_ms(const struct snapshot *snapshot, uint64_t *out);
MUST_USE enum err uptime_add(struct ledger_txn *txn, uint64_t more_ms);

#endif
