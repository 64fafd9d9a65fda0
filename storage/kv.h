/*
 * The small ordered key-value seam under all of storage. kv_lmdb is the product's answer, tests/sim/kv_mem
 * the simulator's; tests/contract runs one suite over both. Keys are 1 to KV_KEY_SIZE_MAX bytes, ordered
 * as unsigned bytes, a prefix first. Values are 0 to KV_VALUE_SIZE_MAX bytes.
 *
 * One write transaction at a time; it belongs to the thread that began it. Read transactions see the
 * store as it was when they began and may run on any thread, beside a writer. Values and keys handed out
 * live until the transaction ends or, in a write transaction, until its next put or delete.
 */
#ifndef KITH_STORAGE_KV_H
#define KITH_STORAGE_KV_H

#include "crypto/span.h"

enum {
    KV_KEY_SIZE_MAX = 511,         /* LMDB's bound as Debian builds it */
    KV_VALUE_SIZE_MAX = 1 << 20,   /* rule L4 */
    KV_TABLES_MAX = 32
};

struct kv;        /* an open store */
struct kv_txn;    /* a transaction */
struct kv_cursor; /* a place in one table of one transaction */
struct kv_usage;

enum kv_mode { KV_READ, KV_WRITE };

/* What the two answers implement. Contracts stand at the functions below, which are the way to call it. */
struct kv_ops {
    void (*close)(struct kv *kv);
    enum err (*begin)(struct kv *kv, enum kv_mode mode, struct kv_txn **out);
    enum err (*commit)(struct kv_txn *txn);
    void (*abort)(struct kv_txn *txn);
    enum err (*get)(struct kv_txn *txn, unsigned table, struct span key, struct span *out_value);
    enum err (*put)(struct kv_txn *txn, unsigned table, struct span key, struct span value);
    enum err (*append)(struct kv_txn *txn, unsigned table, struct span key, struct span value);
    enum err (*erase)(struct kv_txn *txn, unsigned table, struct span key);
    enum err (*cursor_open)(struct kv_txn *txn, unsigned table, struct kv_cursor **out);
    enum err (*cursor_seek)(struct kv_cursor *cursor, struct span key);
    enum err (*cursor_last)(struct kv_cursor *cursor);
    enum err (*cursor_next)(struct kv_cursor *cursor);
    enum err (*cursor_previous)(struct kv_cursor *cursor);
    void (*cursor_at)(const struct kv_cursor *cursor, struct span *out_key, struct span *out_value);
    void (*cursor_close)(struct kv_cursor *cursor);
    enum err (*count)(struct kv_txn *txn, unsigned table, uint64_t *out);
    enum err (*usage)(struct kv *kv, struct kv_usage *out);
};

struct kv_usage {
    uint64_t live_bytes; /* pages in use */
    uint64_t file_bytes; /* as the file system counts them */
    uint64_t map_bytes;  /* address space */
};

/* Every struct kv, kv_txn and kv_cursor begins with this, so that the functions below can find the answer. */
struct kv_base {
    const struct kv_ops *ops;
};

void kv_close(struct kv *kv); /* no transaction may be open */
/* ERR_BUSY: too many readers; ERR_IO, ERR_FULL, ERR_NOMEM. A store that once failed to sync refuses every
 * later write with ERR_IO (rule L18). */
MUST_USE enum err kv_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **out);
/* Durable when it returns ERR_OK. On any error nothing of the transaction remains. Ends it either way. */
MUST_USE enum err kv_commit(struct kv_txn *txn);
void kv_abort(struct kv_txn *txn);
/* ERR_NOT_FOUND. */
MUST_USE enum err kv_get(struct kv_txn *txn, unsigned table, struct span key, struct span *out_value);
/* Replaces. After an error of put, append or erase other than ERR_NOT_FOUND the transaction can only be aborted. */
MUST_USE enum err kv_put(struct kv_txn *txn, unsigned table, struct span key, struct span value);
/* A put whose key is greater than every key of the table: cheaper. ERR_INVALID when it is not. */
MUST_USE enum err kv_append(struct kv_txn *txn, unsigned table, struct span key, struct span value);
/* ERR_NOT_FOUND when there is nothing to erase. */
MUST_USE enum err kv_erase(struct kv_txn *txn, unsigned table, struct span key);

/* How many keys a table has; cheap. */
MUST_USE enum err kv_count(struct kv_txn *txn, unsigned table, uint64_t *out);

/* A cursor is closed before its transaction ends. A put or erase through the transaction makes every cursor's
 * place undefined until the next seek or last. */
MUST_USE enum err kv_cursor_open(struct kv_txn *txn, unsigned table, struct kv_cursor **out);
/* To the first key not less than this one (an empty key: the first of the table). ERR_NOT_FOUND at the end. */
MUST_USE enum err kv_cursor_seek(struct kv_cursor *cursor, struct span key);
MUST_USE enum err kv_cursor_last(struct kv_cursor *cursor);
MUST_USE enum err kv_cursor_next(struct kv_cursor *cursor);
MUST_USE enum err kv_cursor_previous(struct kv_cursor *cursor);
/* Only after a successful seek, last, next or previous. */
void kv_cursor_at(const struct kv_cursor *cursor, struct span *out_key, struct span *out_value);
void kv_cursor_close(struct kv_cursor *cursor);

MUST_USE enum err kv_usage(struct kv *kv, struct kv_usage *out);

#endif
