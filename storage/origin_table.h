/*
 * Who wrote what holds a place that another edit wrote with an equal counter. Kept once it was
 * looked up: the entry that holds it may be large, and each small edit that ties with it would open
 * it again. Made again with the views.
 */
#ifndef KITH_STORAGE_ORIGIN_TABLE_H
#define KITH_STORAGE_ORIGIN_TABLE_H

#include "proto/object.h"
#include "storage/ledger.h"

/* ERR_NOT_FOUND: it was not looked up yet. */
MUST_USE enum err origin_table_get(const struct snapshot *snapshot, uint64_t arrival,
                                   struct origin *out);
MUST_USE enum err origin_table_put(struct ledger_txn *txn, const struct origin *origin);

#endif
