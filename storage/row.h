/*
 * Object rows: the merged state of each object, one value each, with references (arrival numbers)
 * to the entries that won. Rows of secret kinds are sealed under the local key.
 */
#ifndef KITH_STORAGE_ROW_H
#define KITH_STORAGE_ROW_H

#include "proto/object.h"
#include "storage/ledger.h"

/* The bytes of a row. */
void row_write(const struct object *object, struct buf *out);
/* Values borrow from bytes. ERR_CORRUPT, ERR_NOMEM. */
MUST_USE enum err row_read(struct span bytes, struct object *out);

/* Loads an object by name or by number; what it holds lives in the object itself. ERR_NOT_FOUND. */
MUST_USE enum err row_get(const struct snapshot *snapshot, const struct id *space, uint8_t kind,
                          const struct id *id, struct object *out, uint32_t *out_number);
MUST_USE enum err row_get_numbered(const struct snapshot *snapshot, uint32_t number,
                                   struct object *out, uint32_t *out_space);
/* Visits the visible objects of one kind in one space, by id (ids begin with creation time). The
 * object is valid during the call. Stops at the first error and returns it. */
typedef enum err (*row_fn)(void *self, uint32_t number, const struct object *object);
MUST_USE enum err row_each(const struct snapshot *snapshot, const struct id *space, uint8_t kind,
                           row_fn each, void *self);
/* The same, from the first object behind this one; NULL: from the first. */
MUST_USE enum err row_each_after(const struct snapshot *snapshot, const struct id *space,
                                 uint8_t kind, const struct id *after, row_fn each, void *self);

/* The numbers of all objects of a space, uint32_t each, appended to out. */
MUST_USE enum err row_numbers(const struct snapshot *snapshot, uint32_t space, struct buf *out);

/* Where an object lies. ERR_NOT_FOUND. */
MUST_USE enum err row_find(const struct snapshot *snapshot, uint32_t space, uint8_t kind,
                           const struct id *id, uint32_t *out_number);
/* The same, given a number when it has none. */
MUST_USE enum err row_number_for(struct ledger_txn *txn, uint32_t space, uint8_t kind,
                                 const struct id *id, uint32_t *out_number, bool *out_is_new);
/* As row_get_numbered, but values may borrow from the snapshot: cheaper, valid until its end or the
 * next put. */
MUST_USE enum err row_load(const struct snapshot *snapshot, uint32_t number, struct object *out,
                           uint32_t *out_space);
MUST_USE enum err row_put(struct ledger_txn *txn, uint32_t number, uint32_t space,
                          const struct object *object);

#endif
