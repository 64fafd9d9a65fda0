/*
 * Which of the statements that one member says of one type are kept as facts, when they are too
 * many: those with the least ranks. So whoever has heard the same keeps the same, whatever came
 * first (FORKS.md rule 20). Only the files of the view use it.
 */
#ifndef KITH_STORAGE_VIEW_INTRODUCTION_KEEP_H
#define KITH_STORAGE_VIEW_INTRODUCTION_KEEP_H

#include "proto/object.h"
#include "storage/ledger_state.h"

/* Keeps a statement under prefix and its hash, which is added to prefix; where max are kept
 * already, the one with the greatest rank goes. ERR_CANCELLED: that is this one, or it is forged.
 * SIZE_MAX: all are kept. */
MUST_USE enum err view_introduction_keep(struct ledger_txn *txn, enum table table,
                                         struct key *prefix, size_t max, struct span bytes,
                                         uint64_t arrival);
/* The statement an entry brought, in plain. ERR_NOT_FOUND when its payload is gone or its key with
 * it. */
MUST_USE enum err view_introduction_keep_open(const struct snapshot *snapshot, uint64_t arrival,
                                              struct edit_space *edit, struct buf *plain,
                                              struct span *out);

#endif
