/*
 * Postings: under each token the numbers of the objects that have it. All of a table, in the order
 * of (token, number), is cut into rows of about POSTING_ROW_MAX bytes. A row's key is token, 0,
 * number: the row is responsible for what lies from there up to the next row's key. What comes
 * before the first row's key belongs to a row under the least key, the empty token's.
 *
 * A row is a sequence of tokens: how many bytes the token has in common with the one before it in
 * the row, how many more follow, these, then its numbers, each as the distance to the one before
 * (the first: to -1), in seven bits a byte, and a zero behind the last. So a word that one contact
 * has costs a dozen bytes, and a word that all have one byte for each.
 *
 * Changes are collected and applied in the order of tokens: what costs is a page made dirty, not a
 * number written.
 */
#ifndef KITH_STORAGE_POSTING_H
#define KITH_STORAGE_POSTING_H

#include "storage/fold.h"
#include "storage/key.h"
#include "storage/ledger.h"

enum {
    POSTING_TOKEN_MAX = FOLD_WORD_SIZE_MAX, /* bytes */
    POSTING_ROW_MAX = 800,        /* bytes: four or five rows fill a page, however they are cut */
    POSTING_ROW_ROOM = 1024,      /* of the last posting written to a full row, too */
    POSTING_CHANGES_MAX = 1 << 18 /* collected before they are applied: 12 MiB */
};

struct posting_change {
    uint64_t head; /* the token's first eight bytes as a number: they decide most comparisons */
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

/* Notes that an object has, or no longer has, a token of 1 to POSTING_TOKEN_MAX bytes. Tokens of
 * one table have no zero byte; or those that may have one are told from all others by their first
 * byte and are of one length among themselves. ERR_NOMEM. */
MUST_USE enum err posting_note(struct posting_batch *batch, struct span token, uint32_t number,
                               bool is_there);
/* Applies what was noted and empties the batch. */
MUST_USE enum err posting_flush(struct ledger_txn *txn, enum table table,
                                struct posting_batch *batch);
void posting_release(struct posting_batch *batch);

/* Some or all of the numbers of one token, ascending. */
typedef enum err (*posting_fn)(void *self, struct span token, const uint32_t *numbers,
                               size_t count);
/* Visits the numbers of every token that begins with the prefix, in the order of tokens. Stops at
 * the first error of each and returns it. ERR_CORRUPT. */
MUST_USE enum err posting_each(const struct snapshot *snapshot, enum table table,
                               struct span prefix, posting_fn each, void *self);
/* Does the object have exactly this token? ERR_NOT_FOUND. */
MUST_USE enum err posting_find(const struct snapshot *snapshot, enum table table, struct span token,
                               uint32_t number);
/* Are the rows of this table as they should be? ERR_CORRUPT; out_count: numbers in all. */
MUST_USE enum err posting_check(const struct snapshot *snapshot, enum table table,
                                uint64_t *out_count);

#endif
