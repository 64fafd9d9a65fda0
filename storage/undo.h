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
    uint64_t act;         /* number of the first row of its act: a long one is written in steps */
    uint32_t log;         /* this device's log of the self space, as it was then */
    uint64_t first, last; /* seq in it */
    uint64_t at_ms;
    char what[UNDO_WHAT_MAX + 1]; /* in words: "add Joon Kim" */
};

/* Where an entry lies: local number of its log, and seq in it. */
struct undo_place {
    uint32_t log;
    uint64_t seq;
};

/* This device's log of the self space and how long it is; zeroes before its first entry. */
MUST_USE enum err undo_tip(struct ledger_txn *txn, uint32_t *out_log, uint64_t *out_size);
/* Notes an act, or a further step of the act that is named; number, at_ms and, where it is zero,
 * act are set here. */
MUST_USE enum err undo_push(struct ledger_txn *txn, struct undo_row *row);
/* The newest act. ERR_NOT_FOUND: nothing is left to take back. */
MUST_USE enum err undo_last(const struct snapshot *snapshot, struct undo_row *out);
/* The newest step of an act that is left. ERR_NOT_FOUND. */
MUST_USE enum err undo_step(const struct snapshot *snapshot, uint64_t act, struct undo_row *out);
/* Forgets every act that names somebody and wrote one of these entries. */
MUST_USE enum err undo_forget(struct ledger_txn *txn, const struct undo_place *places,
                              size_t count);
MUST_USE enum err undo_drop(struct ledger_txn *txn, const struct undo_row *row);

#endif
