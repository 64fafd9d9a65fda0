/*
 * Which letters make a thread: what describes one, or finds it by the beginning of its id, need not
 * look at all the others. A thread is known by its first letter; a letter's object id is the
 * beginning of its hash (reply_object_id).
 */
#ifndef KITH_STORAGE_VIEW_THREAD_H
#define KITH_STORAGE_VIEW_THREAD_H

#include "proto/reply.h"
#include "storage/row.h"

struct thread {
    struct hash first;      /* the letter that began it; perhaps it has not come */
    uint32_t letters, mine; /* how many there are, and how many I wrote */
};

/* Threads whose ids begin with these hex digits (none: all), by id. Stops at the first error of
 * each and returns it. */
typedef enum err (*view_thread_fn)(void *self, const struct thread *thread);
MUST_USE enum err view_thread_each(const struct snapshot *snapshot, struct span hex,
                                   view_thread_fn each, void *self);
/* Those about one ask, by id: whose first letter names it. */
MUST_USE enum err view_thread_of_ask(const struct snapshot *snapshot, const struct id *ask,
                                     view_thread_fn each, void *self);
/* The letters of one, in the order in which this store first heard of them. */
MUST_USE enum err view_thread_letters(const struct snapshot *snapshot, const struct hash *first,
                                      row_fn each, void *self);
/* Its first letter, to be released. ERR_NOT_FOUND: it has not come. */
MUST_USE enum err view_thread_first(const struct snapshot *snapshot, const struct hash *first,
                                    struct object *out);

/* Called by follow after a lead changed. before may be NULL. */
MUST_USE enum err view_thread_changed(struct ledger_txn *txn, uint32_t number,
                                      const struct object *before, const struct object *after);

#endif
