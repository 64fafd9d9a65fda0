/*
 * The column of name keys: for each object number the first eight bytes of the folded name, 240
 * numbers a row, so that thousands of contacts can be put in the order of names without reading
 * them. Names equal in their first eight bytes are told apart by the reader.
 */
#ifndef KITH_STORAGE_NAME_ORDER_H
#define KITH_STORAGE_NAME_ORDER_H

#include "storage/ledger.h"

enum { NAME_ORDER_ROW = 240 /* keys of eight bytes: values of 1,920 bytes (DESIGN 12.5) */ };

struct name_order_change {
    uint64_t name; /* 0: no longer listed */
    uint32_t number;
    uint32_t order; /* the later of two changes counts */
};

/* Zero it before first use. Owns its array. */
struct name_order_batch {
    struct name_order_change *changes;
    size_t count, capacity;
};

/* The key of a folded name: its first eight bytes as a number, so that numbers order as names do.
 * Never 0: an object without a name comes first. */
uint64_t name_order_key(struct span folded);
/* Notes the key of an object; 0: it is no longer listed. ERR_NOMEM. */
MUST_USE enum err name_order_note(struct name_order_batch *batch, uint32_t number, uint64_t name);
/* Writes what was noted and empties the batch. */
MUST_USE enum err name_order_flush(struct ledger_txn *txn, struct name_order_batch *batch);
void name_order_release(struct name_order_batch *batch);

/* Reads keys; ascending numbers are cheap. Begin with the snapshot and zeroes. */
struct name_order_reader {
    const struct snapshot *snapshot;
    bool is_loaded;
    uint32_t row;
    struct span keys;
};
/* 0 when the object is not listed. ERR_CORRUPT. */
MUST_USE enum err name_order_at(struct name_order_reader *reader, uint32_t number, uint64_t *out);

#endif
