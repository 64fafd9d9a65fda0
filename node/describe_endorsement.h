/* Endorsements as JSON: the keys of the command line's promise. */
#ifndef KITH_NODE_DESCRIBE_ENDORSEMENT_H
#define KITH_NODE_DESCRIBE_ENDORSEMENT_H

#include "node/ops.h"
#include "storage/view_endorsement.h"

/* New reference; NULL without memory or when the record cannot be read. */
json_t *describe_endorsement(const struct op_call *call, const struct endorsement_view *view);
/* A member: {"member", "name"}. The name is my own card's, my name for a peer, or fallback (which
 * may be empty). */
json_t *describe_endorsement_member(const struct op_call *call, const struct public_key *member,
                                    struct span fallback);
/* What may be seen of a member, as a page about them mentions it: the newest few, each {"id",
 * "issuer", "relation", "about"}. Sets the key only when there are some. */
void describe_endorsement_mentions(const struct op_call *call, json_t *out,
                                   const struct public_key *member);
const char *describe_endorsement_state(enum endorsement_state state);

#endif
