/*
 * The history of an object: its edits in the order in which this node merged them, each with the
 * object before and after it. What an edit did not change, though it said so, was set aside by a
 * concurrent one. Reaches back OBJECT_EDITS_MAX edits; what is older shows as the first state.
 */
#ifndef KITH_STORAGE_HISTORY_H
#define KITH_STORAGE_HISTORY_H

#include "proto/object.h"
#include "storage/ledger.h"

struct history_step {
    const struct origin *origin; /* who wrote it first, and when; arrival is this node's entry */
    const struct edit *edit;
    const struct object *before, *after; /* before has no edits when this is the first */
};

/* Valid during the call. Stops at the first error and returns it. */
typedef enum err (*history_fn)(void *self, const struct history_step *step);
/* ERR_NOT_FOUND: no such object. Entries whose payload was forgotten are left out. */
MUST_USE enum err history_each(const struct snapshot *snapshot, uint32_t number, history_fn each,
                               void *self);

#endif
