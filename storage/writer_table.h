/*
 * Which spaces each member writes: of hundreds that are known, two or three. Made again with the
 * views.
 */
#ifndef KITH_STORAGE_WRITER_TABLE_H
#define KITH_STORAGE_WRITER_TABLE_H

#include "storage/ledger.h"

MUST_USE enum err writer_table_put(struct ledger_txn *txn, const struct space_row *space);
/* From the spaces that are there. */
MUST_USE enum err writer_table_make(struct ledger_txn *txn);
/* In the order of their numbers; stops at the first error and returns it. */
typedef enum err (*writer_table_fn)(void *self, const struct space_row *space);
MUST_USE enum err writer_table_each(const struct snapshot *snapshot,
                                    const struct public_key *writer, writer_table_fn each,
                                    void *self);

#endif
