/*
 * Interactions by contact and day: the timeline of a person, and when the two of you were last in
 * touch. Derived from interaction objects of the self space.
 */
#ifndef KITH_STORAGE_VIEW_INTERACTION_H
#define KITH_STORAGE_VIEW_INTERACTION_H

#include "proto/interaction.h"
#include "storage/ledger.h"

/* Notes an interaction in the self space. on_ms 0: now. Text and ref may be empty. out_id may be
 * NULL. */
struct interaction {
    struct id contact;
    enum interaction_what what;
    uint64_t on_ms;
    struct span text, ref;
};
MUST_USE enum err view_interaction_add(struct ledger_txn *txn, const struct interaction *note,
                                       struct id *out_id);
/* An act of kith, with a ref, by or for a member: noted once for the contact they are linked to,
 * whoever notes it again and on whichever device; not at all without a contact. Text longer than
 * fits is cut. */
MUST_USE enum err view_interaction_act(struct ledger_txn *txn, const struct public_key *member,
                                       const struct interaction *act);

/* Called by follow: the object before (or NULL) and after the edit. */
MUST_USE enum err view_interaction_changed(struct ledger_txn *txn, uint32_t number,
                                           const struct object *before, const struct object *after);

/* A contact's interactions, newest day first. Stops at the first error and returns it. */
typedef enum err (*view_interaction_fn)(void *self, uint32_t number, const struct object *note);
MUST_USE enum err view_interaction_each(const struct snapshot *snapshot, const struct id *contact,
                                        view_interaction_fn each, void *self);
/* The newest day up to now_ms; 0 when there is none. */
MUST_USE enum err view_interaction_last(const struct snapshot *snapshot, const struct id *contact,
                                        uint64_t now_ms, uint64_t *out_ms);

#endif
