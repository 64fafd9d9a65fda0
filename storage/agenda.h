/*
 * What must be looked at again: names of things, each due now (a fact about it arrived) or at a
 * time. A row may be one too many, never one too few: whoever looks and finds nothing to do does
 * nothing. Who looks is node/react.h. Rows last over a crash and over rebuilding the views.
 */
#ifndef KITH_STORAGE_AGENDA_H
#define KITH_STORAGE_AGENDA_H

#include "storage/ledger.h"

enum { AGENDA_NAME_MAX = 128, AGENDA_NOW = 0 };

struct agenda_item {
    uint8_t kind; /* of the objects it is about; says who looks */
    uint8_t name[AGENDA_NAME_MAX];
    size_t name_size;
};

/* due_ms is wall clock; AGENDA_NOW: before this transaction is committed, or as soon after as the
 * views have caught up. */
MUST_USE enum err agenda_put(struct ledger_txn *txn, uint64_t due_ms, uint8_t kind,
                             struct span name);
/* Takes the earliest that is due by now_ms. ERR_NOT_FOUND: none is. */
MUST_USE enum err agenda_take(struct ledger_txn *txn, uint64_t now_ms, struct agenda_item *out);
/* Takes one of this kind that is due now. ERR_NOT_FOUND. */
MUST_USE enum err agenda_take_kind(struct ledger_txn *txn, uint8_t kind, struct agenda_item *out);
/* Is one of this kind due now? */
MUST_USE enum err agenda_has_kind(const struct snapshot *snapshot, uint8_t kind, bool *out);
/* When the earliest is due; UINT64_MAX when there is none. */
MUST_USE enum err agenda_next(const struct snapshot *snapshot, uint64_t *out_due_ms);

#endif
