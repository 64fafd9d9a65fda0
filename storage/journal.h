/* What happened, for `kith log`: a local table, newest last, at most JOURNAL_ROWS_MAX rows (the
 * oldest go). */
#ifndef KITH_STORAGE_JOURNAL_H
#define KITH_STORAGE_JOURNAL_H

#include "storage/ledger.h"

enum { JOURNAL_ROWS_MAX = 10000 };

struct journal_row {
    uint64_t number;
    uint64_t at_ms;
    struct span kind; /* a short fixed word: linked, removed, refused, ... */
    struct span who;  /* a name, perhaps empty */
    struct span text; /* one sentence */
    struct span ref;  /* an id, perhaps empty */
};

MUST_USE enum err journal_add(struct ledger_txn *txn, const struct journal_row *row);
typedef enum err (*journal_fn)(void *self, const struct journal_row *row);
/* Rows with a number above after, oldest first. */
MUST_USE enum err journal_each(const struct snapshot *snapshot, uint64_t after, journal_fn each,
                               void *self);

#endif
