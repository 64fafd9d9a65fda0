/*
 * What a link that is told of once more keeps: which secret speaks, which is accepted besides. A
 * pure function of what both hold and said, so that whichever of two introductions or invitations
 * of one pair comes first, both end with the same two secrets. tests/sim/introduction_twice
 * explores this very function exhaustively.
 */
#ifndef KITH_PROTO_LINK_JUDGE_H
#define KITH_PROTO_LINK_JUDGE_H

#include <stdbool.h>

struct link_judge_facts {
    bool is_linked;    /* here, now */
    bool has_secret;   /* it has one */
    bool said_linked;  /* my own hello said that I hold a link */
    bool heard_linked; /* theirs did */
    bool is_held;      /* the new secret is one of the two that are here */
    bool is_confirmed; /* introductions: a session under the link was, so the other lost it */
    bool has_old;      /* introductions: a second secret is here */
    bool is_before_first, is_before_old; /* the new secret counts before (INVITE-4) */
};

enum link_verdict {
    LINK_VOUCHED, /* nothing is replaced: only whoever introduced us is noted */
    LINK_ALONE,   /* the new secret, and no other */
    LINK_SAME,    /* the secrets stay */
    LINK_FIRST,   /* the new one speaks, the one that spoke is accepted */
    LINK_SECOND   /* the new one is accepted */
};

enum link_verdict link_judge(const struct link_judge_facts *facts);

#endif
