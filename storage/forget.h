/* Forgetting objects of my self space and of my pair spaces (proto/forget.h). */
#ifndef KITH_STORAGE_FORGET_H
#define KITH_STORAGE_FORGET_H

#include "storage/ledger.h"

/* Deletes the object, and lets go of everything that was ever written about it and is held here.
 * ERR_NOT_FOUND: there is no such object; ERR_STATE: not in a self or pair space of mine. Looks at
 * every entry of the space. */
MUST_USE enum err forget_object(struct ledger_txn *txn, const struct id *space, uint8_t kind,
                                const struct id *object);
/* The same for several of one space, with one look at the logs. */
struct forget_target {
    uint8_t kind;
    struct id object;
};
MUST_USE enum err forget_objects(struct ledger_txn *txn, const struct id *space,
                                 const struct forget_target *targets, size_t count);
/* Called from the agenda: forgets what repeats an entry that a forget names. */
MUST_USE enum err forget_tend(struct ledger_txn *txn, struct span name);

/* An entry's edit. Zero it before the first use; release it after the last. */
struct forget_entry {
    struct edit_space edit;
    struct buf plain; /* secret */
};
/* ERR_NOT_FOUND: it cannot be read here. */
MUST_USE enum err forget_read(const struct snapshot *snapshot, const struct entry_row *row,
                              struct forget_entry *out);
void forget_entry_release(struct forget_entry *entry);

/* Does it only repeat what a forget of its space names? */
bool forget_names_original(const struct snapshot *snapshot, uint32_t space,
                           const struct edit *edit);
/* Called by follow before it merges an entry's edit where forgets of its space name anything: does
 * it say nothing any more? Its payload is dropped then; what only repeats what is named is put on
 * the agenda. */
MUST_USE enum err forget_is_named(struct ledger_txn *txn, const struct space_row *space,
                                  const struct entry_row *entry, const struct hash *payload,
                                  const struct edit *edit, bool *out);
/* Called by follow when an edit of a forget was merged. */
MUST_USE enum err forget_written(struct ledger_txn *txn, const struct space_row *space,
                                 const struct edit *edit);

#endif
