/*
 * Looking the store over: chains lead to signed heads, keyed hashes fit, every row can be read, and
 * tables that say the same agree. Reads only; in doubt it goes on, so that one damaged row does not
 * hide another. It walks everything at once. Rebuilding throws the views away and makes them again
 * from the entries.
 */
#ifndef KITH_STORAGE_CHECK_H
#define KITH_STORAGE_CHECK_H

#include "storage/ledger.h"

struct check_report {
    uint64_t entries, logs, heads, objects; /* looked at */
    uint64_t damaged;
    char first[200]; /* what was found first; empty when all is well */
};

/* ERR_NOMEM, ERR_IO; damage is no error but counted. */
MUST_USE enum err check_store(const struct snapshot *snapshot, struct check_report *out);
/* Do the views not say yet what they said before they were dropped? An edit would be of what once
 * was, and lose to what it has not seen. */
MUST_USE enum err check_is_rebuilding(struct ledger_txn *txn, bool *out);
/* Drops every view and has them made again by follow. The writer's work. */
MUST_USE enum err check_forget_views(struct ledger_txn *txn);

#endif
