/* Forgetting objects of my self space and of my pair spaces (proto/forget.h). */
#ifndef KITH_STORAGE_FORGET_H
#define KITH_STORAGE_FORGET_H

#include "storage/ledger.h"

/* Deletes the object, and lets go of everything that was ever written about it and is held here.
 * ERR_NOT_FOUND: there is no such object; ERR_STATE: not in a self or pair space of mine;
 * ERR_LIMIT: more entries than one forget can name. Looks at every entry of the logs that wrote
 * about it. */
MUST_USE enum err forget_object(struct ledger_txn *txn, const struct id *space, uint8_t kind,
                                const struct id *object);
/* The same for several of one space, with one look at the logs. */
struct forget_target {
    uint8_t kind;
    struct id object;
};
MUST_USE enum err forget_objects(struct ledger_txn *txn, const struct id *space,
                                 const struct forget_target *targets, size_t count);
/* Called by follow after a forget has changed. */
MUST_USE enum err forget_changed(struct ledger_txn *txn, const struct space_row *space,
                                 const struct object *after);

#endif
