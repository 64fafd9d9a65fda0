/* How an introduction becomes a link: each side stores it alone, out of the other's hello; the
 * first session under the shared secret confirms it. */
#ifndef KITH_NODE_LINK_JOIN_H
#define KITH_NODE_LINK_JOIN_H

#include "node/link.h"
#include "proto/introduction_bond.h"

struct link_join {
    const struct public_key *introducer;
    const struct id *introduction;
    const struct introduction_hello *hello; /* the other's */
    const struct id *pair_out;              /* the space my own hello named */
    const uint8_t *secret;                  /* 32 bytes: the link's */
    const uint8_t *call; /* INVITATION_SECRET_SIZE bytes: of the invitation the other holds */
    const struct id
        *source;     /* object id of my invitation for them and of my acceptance of theirs */
    bool was_linked; /* what my own hello said */
};

/* Makes the link, with the contact, the grant of my card and the journal; or, when both sides hold
 * one already, only adds who vouches. out_name is the other's name. */
MUST_USE enum err link_join(struct ledger_txn *txn, const struct link_join *join);
/* Adds to the link with this member who vouches for their key. */
MUST_USE enum err link_join_vouch(struct ledger_txn *txn, const struct public_key *member,
                                  const struct public_key *introducer);

/* P5: the link's secret is gone, what the other could read gets new epochs, and the knock is new.
 */
MUST_USE enum err link_join_cut(struct ledger_txn *txn, const struct public_key *member,
                                enum link_state state);
/* After the first session under a link: whoever was introduced, and whom the owner deleted while
 * waiting for their hello, is removed now as anybody is. So nobody is left half linked. */
MUST_USE enum err link_join_drop(struct ledger_txn *txn, const struct public_key *member);

#endif
