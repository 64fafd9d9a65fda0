/* Trust in words: people by name, relations as sentences have them. Never a number but of people
 * and endorsements. Texts are those of others: whoever shows them cleans them. */
#ifndef KITH_NODE_VOUCH_WORDS_H
#define KITH_NODE_VOUCH_WORDS_H

#include "node/vouch.h"

/* Appends a name: my own for a peer or a contact, else that which the member signs endorsements
 * with, else the beginning of the did:key. Long ones are cut. */
MUST_USE enum err vouch_put_name(struct vouch_view *view, const struct public_key *member,
                                 struct buf *out);
/* {"member", "name"}; the name is left out when nobody told one. New reference, or NULL. */
json_t *vouch_describe(struct vouch_view *view, const struct public_key *member);
/* What an issuer did for or with a subject: "has worked with", "were clients of". The subject's
 * name goes behind it, and then vouch_relation_end: " personally", or nothing. */
const char *vouch_relation(enum relation relation, bool is_plural);
const char *vouch_relation_end(enum relation relation);
/* "one" to "twelve", then digits. */
void vouch_put_number(size_t number, struct buf *out);
/* "Ana, Bruno and Chie": puts what goes before name number at of count. */
void vouch_put_comma(size_t at, size_t count, struct buf *out);

#endif
