/*
 * Entries that are over some day: for objects that live and die whole. What is over is hidden at
 * once, and its payload dropped EXPIRY_KEEP_DAYS of running time later. Both wait while the wall
 * clock and the running time do not agree (running.h).
 */
#ifndef KITH_STORAGE_EXPIRY_H
#define KITH_STORAGE_EXPIRY_H

#include "storage/ledger.h"

/* An entry was stored. Nothing when it has no expiry. */
MUST_USE enum err expiry_note(struct ledger_txn *txn, const struct entry_row *row);
/* Is it hidden, or dropped already? */
bool expiry_is_over(const struct snapshot *snapshot, const struct entry_row *row);
/* Called from the agenda: hides and drops what is due. */
MUST_USE enum err expiry_tend(struct ledger_txn *txn, struct span name);

#endif
