/*
 * Object rows: the merged state of each object, one value each, with references (arrival numbers) to the entries that
 * won. Rows of secret kinds are sealed under the local key.
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
MUST_USE enum err row_get(const struct snapshot *snapshot, const struct id *space, uint8_t kind, const struct id *id,
                          struct object *out, uint32_t *out_number);
MUST_USE enum err row_get_numbered(const struct snapshot *snapshot, uint32_t number, struct object *out,
                                   uint32_t *out_space);
/* Visits the visible objects of one kind in one space, by id (ids begin with creation time). The object is valid during
 * the call. Stops at the first error and returns it. */
typedef enum err (*row_fn)(void *self, uint32_t number, const struct object *object);
MUST_USE enum err row_each(const struct snapshot *snapshot, const struct id *space, uint8_t kind, row_fn each, void *self);

#endif
