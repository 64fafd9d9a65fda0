/*
 * Changing an object: compares what is wanted with what is there and appends one edit with only
 * what differs. Nothing differs: nothing is written, unless the object was deleted: then it is
 * shown again. Text and bytes given are borrowed until amend_end.
 */
#ifndef KITH_NODE_AMEND_H
#define KITH_NODE_AMEND_H

#include "proto/kind.h"
#include "storage/ledger.h"

struct amend {
    struct ledger_txn *txn;
    struct id space;
    struct object object; /* as it was */
    bool is_new;
    struct edit_space edit;
    size_t changes;
    struct id dot; /* of the newest add; dots of one edit count up from a random one */
    bool has_dot;
    enum err err; /* the first failure; told by amend_end */
};

/* Begins with the object as this transaction sees it, or with none. */
void amend_begin(struct amend *amend, struct ledger_txn *txn, const struct id *space, uint8_t kind,
                 const struct id *id);
/* The same for an id that was drawn just now: nobody has written under it. */
void amend_begin_new(struct amend *amend, struct ledger_txn *txn, const struct id *space,
                     uint8_t kind, const struct id *id);
/* An empty text clears the field. */
void amend_text(struct amend *amend, uint8_t field, struct span text);
void amend_bytes(struct amend *amend, uint8_t field, struct span bytes);
void amend_number(struct amend *amend, uint8_t field, uint64_t number);
void amend_clear(struct amend *amend, uint8_t field);
/* Adds an element, or does nothing when the set has it and this edit has not removed it. */
void amend_add(struct amend *amend, uint8_t field, struct span value);
/* Removes an element; false when the set has none that is equal. */
bool amend_remove(struct amend *amend, uint8_t field, struct span value);
void amend_remove_all(struct amend *amend, uint8_t field);
/* Says that two contacts are the same, or are not. */
void amend_same(struct amend *amend, const struct id *other, bool is_same);
/* Shows a deleted object again: writes what it has once more. */
void amend_restore(struct amend *amend);
/* Deletes the object: hides every write this device has seen. */
void amend_delete(struct amend *amend);
/* The same by its owner's hand. ERR_KEY_MISSING at its end, and nothing is written, while another
 * device's entry that may be about it cannot be read. */
void amend_delete_by_hand(struct amend *amend);
/* Appends the edit when something changed, follows it, and releases everything. out_changes may be
 * NULL. */
MUST_USE enum err amend_end(struct amend *amend, size_t *out_changes);

/* The same, but leaves the views behind: for thousands of objects at once. Who needs to read them
 * in the same transaction calls follow_all first. */
MUST_USE enum err amend_end_behind(struct amend *amend, size_t *out_changes);
/* Releases everything and appends nothing. */
void amend_abort(struct amend *amend);

#endif
