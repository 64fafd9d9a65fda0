/*
 * The simulator's answer to kv.h: a disk in memory (struct kv_mem), and the store opened on it
 * (struct kv). The disk outlives the store, as a disk does: close or crash, and open it again. It
 * can lose its last commits, be copied whole, be set back to a copy (a restored backup, a cloned
 * machine), and fail on order.
 *
 * Read transactions see what was there when they began: every commit is a new root of a tree whose
 * nodes are shared and never changed. Threads as in kv.h; a disk and its clones share nodes safely.
 */
#ifndef KITH_TESTS_SIM_KV_MEM_H
#define KITH_TESTS_SIM_KV_MEM_H

#include <stdbool.h>

#include "storage/kv.h"

enum { KV_MEM_HISTORY_MAX = 1024 };

struct kv_mem;

struct kv_mem_options {
    unsigned tables_count;
    unsigned history_max; /* commits that kv_mem_crash can take back; at most KV_MEM_HISTORY_MAX */
};

/* What counts as an operation: every call through kv.h that reaches the store, except close, abort,
 * cursor_at and cursor_close. */
struct kv_mem_failure {
    uint64_t at;    /* the first to fail, counted from 1 = the next; 0: none fails any more */
    enum err err;   /* what it answers */
    bool is_sticky; /* all later ones fail too, until kv_mem_fail or a crash */
};

/* Told of every commit of a write transaction, twice: before it is durable, and once it is, before
 * anybody else is told. May clone the disk; nothing else of it. */
typedef void (*kv_mem_watch_fn)(void *self, bool is_durable);

MUST_USE enum err kv_mem_new(const struct kv_mem_options *options, struct kv_mem **out);
/* Not while a store is open on it. NULL is allowed. */
void kv_mem_free(struct kv_mem *mem);
/* ERR_BUSY: open already. ERR_NOMEM. */
MUST_USE enum err kv_mem_open(struct kv_mem *mem, struct kv **out);

/* Power cut: every transaction and the open store end without a word (their pointers are dead; do
 * not close them), the last lost_count commits (as far as the history goes) have never been, orders
 * to fail are forgotten. Returns how many were lost. */
unsigned kv_mem_crash(struct kv_mem *mem, unsigned lost_count);
/* A second disk with the same contents and history; cheap. Without the open store and its
 * transactions. */
MUST_USE enum err kv_mem_clone(const struct kv_mem *mem, struct kv_mem **out);
/* A crash, after which the disk holds what `from` holds. */
void kv_mem_restore(struct kv_mem *mem, const struct kv_mem *from);

/* One watcher; watch may be NULL. */
void kv_mem_watch(struct kv_mem *mem, kv_mem_watch_fn watch, void *self);

void kv_mem_fail(struct kv_mem *mem, struct kv_mem_failure failure);
/* How many operations failed by order since the disk was made. */
uint64_t kv_mem_failures_count(const struct kv_mem *mem);
uint64_t kv_mem_operations_count(const struct kv_mem *mem);
/* Commits of write transactions on the disk now: what crash and restore turn back. */
uint64_t kv_mem_commits_count(const struct kv_mem *mem);

#endif
