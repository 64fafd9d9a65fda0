/* Deleting: what a delete names. */
#ifndef KITH_STORAGE_DELETE_H
#define KITH_STORAGE_DELETE_H

#include "proto/object.h"
#include "storage/ledger.h"

/* Adds to the edit the deletes that name every write the object was merged of, as far as its
 * history reaches back and its newest writes and those apart tell; DELETE_WRITES_MAX of them.
 * ERR_NOMEM, and what the store says. */
MUST_USE enum err delete_put(const struct snapshot *snapshot, const struct object *object,
                             struct edit_space *edit);
/* The same but for what a log says behind an entry of it that waits for its key: where that is
 * something, out_is_short, the object goes on showing. For what its owner wrote: what kith itself
 * shows and takes back is not to be seen any longer than it must. */
MUST_USE enum err delete_put_read(const struct snapshot *snapshot, const struct object *object,
                                  struct edit_space *edit, bool *out_is_short);

#endif
