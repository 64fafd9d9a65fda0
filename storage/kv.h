/*
 * The small ordered key-value seam under all of storage. kv_lmdb is the product's answer,
 * tests/sim/kv_mem the simulator's; tests/contract runs one suite over both. Keys are 1 to
 * KV_KEY_SIZE_MAX bytes, ordered as unsigned bytes, a prefix first. Values are 0 to
 * KV_VALUE_SIZE_MAX bytes.
 *
 * One write transaction at a time; it belongs to the thread that began it. Read transactions see
 * the store as it was when they began and may run on any thread, beside a writer. Values and keys
 * handed out live until the transaction ends or, in a write transaction, until its next put or
 * delete.
 */
#ifndef KITH_STORAGE_KV_H
#define KITH_STORAGE_KV_H

#include "crypto/span.h"

enum {
    KV_KEY_SIZE_MAX = 511,       /* LMDB's bound as Debian builds it */
    KV_VALUE_SIZE_MAX = 1 << 20, /* rule L4 */
    KV_TABLES_MAX = 64
};

struct kv;
struct kv_txn;
struct kv_cursor;
struct kv_usage;

enum kv_mode { KV_READ, KV_WRITE };

/* What the two answers implement. Contracts stand at the functions below, which are the only way to
 * call it and which check what both answers would otherwise check twice: bounds, modes, failed
 * transactions, lost places. */
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

/* What every answer's own store, transaction and cursor begin with. An answer fills in a struct kv
 * when it opens; the functions below keep the rest. Nobody else looks inside. */
struct kv {
    const struct kv_ops *ops;
    unsigned tables_count;
};

struct kv_txn {
    struct kv *kv;
    enum kv_mode mode;
    enum err failed;        /* the first failed write; only abort is left then */
    uint64_t writes_count;  /* what a cursor compares to know that its place is lost */
    unsigned cursors_count; /* open cursors */
};

struct kv_cursor {
    struct kv_txn *txn;
    uint64_t writes_count; /* of the transaction, when the place was taken */
    bool is_placed;
};

struct kv_usage {
    uint64_t live_bytes; /* pages in use */
    uint64_t file_bytes; /* as the file system counts them */
    uint64_t map_bytes;  /* address space */
};

/* No transaction may be open. NULL is allowed. */
void kv_close(struct kv *kv);
/* KV_READ: ERR_BUSY: too many readers. KV_WRITE: ERR_BUSY: there is a write transaction already;
 * ERR_STATE: opened for reading only; ERR_IO for ever after a failed sync (rule L18). May wait for
 * readers of other threads to end, so a thread keeps none open for long. Both: ERR_IO, ERR_NOMEM,
 * ERR_CORRUPT. */
MUST_USE enum err kv_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **out);
/* Durable when it returns ERR_OK. On any error nothing of the transaction is seen by later
 * transactions; after ERR_IO it is the next opening of the store that decides whether it happened.
 * After a failed write it aborts and returns that write's error. ERR_FULL: no room. Ends the
 * transaction either way. */
MUST_USE enum err kv_commit(struct kv_txn *txn);
/* NULL is allowed. */
void kv_abort(struct kv_txn *txn);
/* ERR_NOT_FOUND; ERR_INVALID: a key of a size that cannot be. */
MUST_USE enum err kv_get(struct kv_txn *txn, unsigned table, struct span key,
                         struct span *out_value);
/* Replaces. ERR_INVALID: a key or value of a size that cannot be; ERR_FULL, ERR_IO, ERR_NOMEM.
 * After an error of put, append or erase other than ERR_NOT_FOUND the transaction can only be
 * aborted. The key and the value may not lie in the store itself. */
MUST_USE enum err kv_put(struct kv_txn *txn, unsigned table, struct span key, struct span value);
/* A put whose key is greater than every key of the table: cheaper. ERR_INVALID when it is not. */
MUST_USE enum err kv_append(struct kv_txn *txn, unsigned table, struct span key, struct span value);
/* ERR_NOT_FOUND when there is nothing to erase. */
MUST_USE enum err kv_erase(struct kv_txn *txn, unsigned table, struct span key);

/* How many keys a table has; cheap. */
MUST_USE enum err kv_count(struct kv_txn *txn, unsigned table, uint64_t *out);

/* A cursor is closed before its transaction ends. It has a place after a successful seek, last,
 * next or previous, until one of them fails or something is written through its transaction; only
 * while it has one may next, previous and at be called. */
MUST_USE enum err kv_cursor_open(struct kv_txn *txn, unsigned table, struct kv_cursor **out);
/* To the first key not less than this one (an empty key: the first of the table). ERR_NOT_FOUND at
 * the end. */
MUST_USE enum err kv_cursor_seek(struct kv_cursor *cursor, struct span key);
MUST_USE enum err kv_cursor_last(struct kv_cursor *cursor);
MUST_USE enum err kv_cursor_next(struct kv_cursor *cursor);
MUST_USE enum err kv_cursor_previous(struct kv_cursor *cursor);
void kv_cursor_at(const struct kv_cursor *cursor, struct span *out_key, struct span *out_value);
/* NULL is allowed. */
void kv_cursor_close(struct kv_cursor *cursor);

MUST_USE enum err kv_usage(struct kv *kv, struct kv_usage *out);

#endif
