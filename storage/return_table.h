/*
 * Rows of what logs do not follow: batches that were cut or came back, entries by their hash, and
 * which entry repeats which. Only the files of the ledger use it.
 */
#ifndef KITH_STORAGE_RETURN_TABLE_H
#define KITH_STORAGE_RETURN_TABLE_H

#include "proto/limits.h"
#include "storage/ledger_state.h"

/* A batch of a branch; its end's chain hash is its key. */
struct return_row {
    uint64_t start_size;
    struct hash start_hash;
    uint8_t signature[SIGNATURE_SIZE]; /* the device's head at its end */
    size_t count;
    uint64_t arrivals[BLOCK_ENTRIES_MAX];
};

MUST_USE enum err return_table_put(struct ledger_txn *txn, uint32_t space,
                                   const struct public_key *device, const struct hash *end,
                                   const struct return_row *row);
MUST_USE enum err return_table_get(const struct snapshot *snapshot, uint32_t space,
                                   const struct public_key *device, const struct hash *end,
                                   struct return_row *out);
MUST_USE enum err return_table_drop(struct ledger_txn *txn, uint32_t space,
                                    const struct public_key *device, const struct hash *end);
/* Of one device in one space. Nothing may be written meanwhile. */
typedef enum err (*return_row_fn)(void *self, const struct hash *end, const struct return_row *row);
MUST_USE enum err return_table_each(const struct snapshot *snapshot, uint32_t space,
                                    const struct public_key *device, return_row_fn each,
                                    void *self);

/* A row's place; zero is before the first. */
struct return_place {
    uint32_t space;
    struct public_key device;
    struct hash end;
    bool is_begun;
};
/* The row after a place, of any space and device, and moves there. ERR_NOT_FOUND at the end. */
MUST_USE enum err return_table_next(const struct snapshot *snapshot, struct return_place *place,
                                    struct return_row *out);
MUST_USE enum err return_table_is_empty(const struct snapshot *snapshot, bool *out);

/* An entry that its log does not follow. */
struct return_cut {
    uint32_t log;
    uint64_t seq;
    struct hash payload;
};
MUST_USE enum err return_table_put_cut(struct ledger_txn *txn, const struct return_cut *cut,
                                       uint64_t arrival);
MUST_USE enum err return_table_drop_cut(struct ledger_txn *txn, const struct return_cut *cut);
/* ERR_NOT_FOUND. */
MUST_USE enum err return_table_cut(const struct snapshot *snapshot, const struct return_cut *cut,
                                   uint64_t *out_arrival);

/* All that were cut from one log. */
typedef enum err (*return_cut_fn)(void *self, uint64_t arrival);
MUST_USE enum err return_table_cuts(const struct snapshot *snapshot, uint32_t log,
                                    return_cut_fn each, void *self);

/* The entry under arrival, of this log, repeats the one with this payload hash. */
MUST_USE enum err return_table_put_restated(struct ledger_txn *txn, uint32_t space,
                                            const struct hash *payload, uint32_t log,
                                            uint64_t arrival);
/* Is it repeated in a log that follows the repetition? */
MUST_USE enum err return_table_is_restated(const struct snapshot *snapshot, uint32_t space,
                                           const struct hash *payload, bool *out);

#endif
