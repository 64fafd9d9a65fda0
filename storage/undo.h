/*
 * What this device did last to contacts, so that it can be taken back: for each act the entries it
 * wrote in its own log of the self space. They are named by their arrival numbers, which they keep
 * whatever becomes of their log: where this device was restored from an old copy, and healed,
 * another entry may lie at their place. A local table, the newest UNDO_ROWS_MAX acts.
 */
#ifndef KITH_STORAGE_UNDO_H
#define KITH_STORAGE_UNDO_H

#include "storage/ledger.h"

enum { UNDO_ROWS_MAX = 1000, UNDO_WHAT_MAX = 300 };

struct undo_row {
    uint64_t number;
    uint64_t act;         /* number of the first row of its act: a long one is written in steps */
    uint32_t log;         /* this device's log of the self space, as it was then */
    uint64_t first, last; /* arrivals of its first entry there and its last */
    bool is_by_seq;       /* written before 2026-12: first and last are seq instead */
    uint64_t at_ms;
    char what[UNDO_WHAT_MAX + 1]; /* in words: "add Joon Kim" */
};

/* An entry of the self space: arrival is 0 where it is not here. */
struct undo_place {
    uint32_t log;
    uint64_t seq, arrival;
};

/* Where an act begins. */
uint64_t undo_mark(const struct ledger_txn *txn);
/* Says in row what was appended to this device's log of the self space since mark. ERR_NOT_FOUND:
 * nothing was. */
MUST_USE enum err undo_since(struct ledger_txn *txn, uint64_t mark, struct undo_row *row);
/* Notes an act, or a further step of the act that is named; number, at_ms and, where it is zero,
 * act are set here. */
MUST_USE enum err undo_push(struct ledger_txn *txn, struct undo_row *row);
/* The newest act. ERR_NOT_FOUND: nothing is left to take back. */
MUST_USE enum err undo_last(const struct snapshot *snapshot, struct undo_row *out);
/* The newest step of an act that is left. ERR_NOT_FOUND. */
MUST_USE enum err undo_step(const struct snapshot *snapshot, uint64_t act, struct undo_row *out);
/* ERR_STATE: nobody can tell which entries it wrote. It names places (is_by_seq), and at one of
 * them several have lain since. */
MUST_USE enum err undo_check(const struct snapshot *snapshot, const struct undo_row *row);
/* One of its entries, for each number from first to last, once it was checked. ERR_NOT_FOUND: that
 * one is none of them. */
MUST_USE enum err undo_entry(const struct snapshot *snapshot, const struct undo_row *row,
                             uint64_t number, struct entry_row *out);
/* Is this entry one of them? */
bool undo_wrote(const struct undo_row *row, const struct entry_row *entry);
/* Forgets every act that names somebody and wrote one of these entries. */
MUST_USE enum err undo_forget(struct ledger_txn *txn, const struct undo_place *places,
                              size_t count);
MUST_USE enum err undo_drop(struct ledger_txn *txn, const struct undo_row *row);

#endif
