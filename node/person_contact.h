/* A contact of the store as a person: what is written out, and what a file is compared with. */
#ifndef KITH_NODE_PERSON_CONTACT_H
#define KITH_NODE_PERSON_CONTACT_H

#include "node/person.h"
#include "storage/ledger.h"

/* The card of the member a contact is linked to, as their peer sees it; an empty object when there
 * is none. The caller releases it. */
MUST_USE enum err person_card_of(const struct snapshot *snapshot, const struct object *contact,
                                 struct object *out);
/* The field of a card that says what this field of a contact does; 0: none. */
uint8_t person_card_field(uint8_t contact_field);
/* What the contact says and, where it says nothing, the card; sets are united. When neither has a
 * name, one is made of what there is. */
MUST_USE enum err person_of_contact(const struct snapshot *snapshot, const struct object *contact,
                                    struct person *out);

#endif
