/*
 * Contacts that are the same person: groups by the ties that hold. A tie is written on both
 * contacts; of the two the greater counter counts, and of equal ones that which parts them. A group
 * is shown as one contact, its head: the one that was made first. The head's own words come first,
 * sets are united. Nothing is merged in the objects, so that parting them again loses nothing.
 */
#ifndef KITH_STORAGE_VIEW_SAME_H
#define KITH_STORAGE_VIEW_SAME_H

#include "proto/object.h"
#include "storage/ledger.h"

enum { VIEW_SAME_MAX = 64 /* contacts of one group; more ties are passed over */ };

/* Called by follow after a contact's row and its own views are written. */
MUST_USE enum err view_same_changed(struct ledger_txn *txn, uint32_t number,
                                    const struct object *before, const struct object *after);
/* The contact this one is shown as: itself, or the head of its group. */
MUST_USE enum err view_same_head(const struct snapshot *snapshot, uint32_t number,
                                 uint32_t *out_head);
/* The contacts shown as this head, itself first. */
MUST_USE enum err view_same_members(const struct snapshot *snapshot, uint32_t head,
                                    uint32_t out[static VIEW_SAME_MAX], size_t *out_count);
/* The head of a contact's group with what the others add; owns its values. A contact without group
 * is read as it is. ERR_NOT_FOUND. */
MUST_USE enum err view_same_read(const struct snapshot *snapshot, uint32_t number,
                                 struct object *out, uint32_t *out_head);
/* Every contact that is shown as another one. */
typedef enum err (*view_same_fn)(void *self, uint32_t number, uint32_t head);
MUST_USE enum err view_same_each(const struct snapshot *snapshot, view_same_fn each, void *self);

#endif
