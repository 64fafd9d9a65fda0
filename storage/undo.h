/*
 * What this device did last to contacts, so that it can be taken back: for each act the stretch of
 * its own log of the self space. A local table, the newest UNDO_ROWS_MAX acts.
 */
#ifndef KITH_STORAGE_UNDO_H
#define KITH_STORAGE_UNDO_H

#include "storage/ledger.h"

enum { UNDO_ROWS_MAX = 1000, UNDO_WHAT_MAX = 300 };

struct undo_row {
    uint64_t number;
    uint32_t log;         /* this device's log of the self space, as it was then */
    uint64_t first, last; /* seq in it */
    uint64_t at_ms;
    char what[UNDO_WHAT_MAX + 1]; /* in words: "add Joon Kim" */
};

/* This device's log of the self space and how long it is; zeroes before its first entry. */
MUST_USE enum err undo_tip(struct ledger_txn *txn, uint32_t *out_log, uint64_t *out_size);
/* Notes an act; number and at_ms are set here. */
MUST_USE enum err undo_push(struct ledger_txn *txn, const struct undo_row *row);
/* The newest act. ERR_NOT_FOUND: nothing is left to take back. */
MUST_USE enum err undo_last(const struct snapshot *snapshot, struct undo_row *out);
/* Forgets every act whose words end so. */
MUST_USE enum err undo_forget(struct ledger_txn *txn, struct span words);
MUST_USE enum err undo_drop(struct ledger_txn *txn, const struct undo_row *row);

#endif
