/*
 * Contacts as people look for them: by folded name, e-mail, phone, id. Derived from contact objects
 * of the self space.
 */
#ifndef KITH_STORAGE_VIEW_CONTACT_H
#define KITH_STORAGE_VIEW_CONTACT_H

#include "proto/contact.h"
#include "storage/ledger.h"

enum match_what {
    MATCH_BY_EMAIL = 1,
    MATCH_BY_PHONE = 2,
    MATCH_BY_UID = 3,
    MATCH_BY_MEMBER = 4,
    MATCH_BY_TAG = 5,
    MATCH_BY_ORG = 6,
    MATCH_BY_URL = 7
};

typedef enum err (*view_contact_fn)(void *self, uint32_t number, const struct object *contact);
/* In the order of folded names. Stops at the first error of each and returns it (ERR_CANCELLED is a
 * way to stop). */
MUST_USE enum err view_contact_each(const struct snapshot *snapshot, view_contact_fn each,
                                    void *self);
/* Contacts whose folded name begins with the folded prefix. */
MUST_USE enum err view_contact_named(const struct snapshot *snapshot, struct span prefix,
                                     view_contact_fn each, void *self);
/* Contacts whose folded name is this, folded; both by what a name's key has room for, so that the
 * names are compared again by who must be sure. */
MUST_USE enum err view_contact_called(const struct snapshot *snapshot, struct span name,
                                      view_contact_fn each, void *self);
/* Contacts with exactly this value (folded or normalised as its kind demands). */
MUST_USE enum err view_contact_match(const struct snapshot *snapshot, enum match_what what,
                                     struct span value, view_contact_fn each, void *self);
/* Contacts whose id begins with these hex digits. */
MUST_USE enum err view_contact_by_id(const struct snapshot *snapshot, struct span hex_prefix,
                                     view_contact_fn each, void *self);
/* Every two contacts that follow one another under one value (one, two), (two, three), ... */
typedef enum err (*view_contact_pair_fn)(void *self, uint32_t left, uint32_t right);
MUST_USE enum err view_contact_pairs(const struct snapshot *snapshot, enum match_what what,
                                     view_contact_pair_fn each, void *self);
/* The values of one kind that begin with these folded bytes, each once, with a contact that has it.
 * Values too long for a key are passed over. Stops at the first error of each and returns it. */
typedef enum err (*view_contact_value_fn)(void *self, uint32_t number, struct span value);
MUST_USE enum err view_contact_values(const struct snapshot *snapshot, enum match_what what,
                                      struct span prefix, view_contact_value_fn each, void *self);
/* The same for contacts with one folded name. */
MUST_USE enum err view_contact_namesakes(const struct snapshot *snapshot, view_contact_pair_fn each,
                                         void *self);
/* The numbers of all contacts in the order of folded names, without reading them. */
typedef enum err (*view_contact_number_fn)(void *self, uint32_t number);
MUST_USE enum err view_contact_numbers(const struct snapshot *snapshot, view_contact_number_fn each,
                                       void *self);
/* Whether the contact has a place of its own in lists: the heads of groups have (view_same.h). */
MUST_USE enum err view_contact_list(struct ledger_txn *txn, uint32_t number,
                                    const struct object *contact, bool is_listed);
/* What stands for the contact in lists: the name, else the organisation. */
struct span view_contact_shown(const struct object *contact);
MUST_USE enum err view_contact_count(const struct snapshot *snapshot, uint64_t *out);
/* Called by follow: the object before (or NULL) and after the edit. */
MUST_USE enum err view_contact_changed(struct ledger_txn *txn, uint32_t number,
                                       const struct object *before, const struct object *after);

#endif
