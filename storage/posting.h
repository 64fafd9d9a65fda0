/*
 * Search postings: under each token the numbers of the objects that contain it, ascending, in
 * blocks of at most POSTING_BLOCK_MAX. A block's key says from which number on it is responsible,
 * the first block of a token from 0 on, so that a change touches one block. Values stay below the
 * size from which LMDB uses pages of their own.
 *
 * Changes are collected and applied in the order of tokens: what costs is a page made dirty, not a
 * number written.
 */
#ifndef KITH_STORAGE_POSTING_H
#define KITH_STORAGE_POSTING_H

#include "storage/fold.h"
#include "storage/ledger.h"

enum {
    POSTING_TOKEN_MAX = FOLD_WORD_SIZE_MAX, /* bytes */
    POSTING_BLOCK_MAX = 480,      /* numbers of four bytes: values of 1,920 bytes (DESIGN 12.5) */
    POSTING_CHANGES_MAX = 1 << 18 /* collected before they are applied: 10 MiB */
};

struct posting_change {
    uint8_t token[POSTING_TOKEN_MAX];
    uint32_t number;
    uint32_t order; /* the later of two changes counts */
    uint8_t token_size;
    bool is_there;
};

/* Zero it before first use. Owns its array. */
struct posting_batch {
    struct posting_change *changes;
    size_t count, capacity;
};

/* Notes that an object has, or no longer has, a token of 1 to POSTING_TOKEN_MAX bytes without a
 * zero byte. ERR_NOMEM. */
MUST_USE enum err posting_note(struct posting_batch *batch, struct span token, uint32_t number,
                               bool is_there);
/* Applies what was noted and empties the batch. */
MUST_USE enum err posting_flush(struct ledger_txn *txn, struct posting_batch *batch);
void posting_release(struct posting_batch *batch);

/* One block: count numbers of four bytes, big-endian, ascending. */
typedef enum err (*posting_fn)(void *self, struct span token, const uint8_t *numbers, size_t count);
/* Visits the blocks of every token that begins with the prefix, in the order of tokens. Stops at
 * the first error of each and returns it. ERR_CORRUPT. */
MUST_USE enum err posting_each(const struct snapshot *snapshot, struct span prefix, posting_fn each,
                               void *self);
/* Does the object have exactly this token? ERR_NOT_FOUND. */
MUST_USE enum err posting_find(const struct snapshot *snapshot, struct span token, uint32_t number);
/* Are the blocks of this table as they should be? ERR_CORRUPT; out_count: numbers in all. */
MUST_USE enum err posting_check(const struct snapshot *snapshot, uint64_t *out_count);

#endif
