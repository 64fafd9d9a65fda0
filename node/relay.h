/*
 * Who hands on what: a reply on its way to whoever asked, or an answer on its way back. What to do
 * with it follows from what is known of it here, whatever came first, so it is decided once for all
 * devices and finds nothing to do when it was done. Pure; node/reply.h reads the facts and acts.
 */
#ifndef KITH_NODE_RELAY_H
#define KITH_NODE_RELAY_H

#include "crypto/identity.h"

enum { RELAY_WAYS_MAX = 12 };

/* A neighbour it can be handed to. */
struct relay_way {
    struct public_key to;
    struct public_key grant; /* of a reply: mine, by which I have the ask from them */
    bool is_peer;
    bool was_told; /* it stands in what I write for them */
};

struct relay_facts {
    bool is_mine;   /* I wrote it */
    bool is_for_me; /* a reply to an ask of mine, an answer to a reply of mine */
    bool fits;      /* a grant I gave to who brought it; an answer signed by whoever asked */
    bool was_taken; /* within the pace of who brought it */
    bool has_pace;  /* they may bring one more today */
    bool is_over;   /* nobody carries it any more */
    struct relay_way ways[RELAY_WAYS_MAX]; /* the best first; not who brought it */
    size_t ways_count;
};

enum relay_step {
    RELAY_DONE,   /* nothing to do */
    RELAY_WAIT,   /* until they may bring more */
    RELAY_REFUSE, /* tell the owner why, and count it */
    RELAY_OPEN,
    RELAY_HAND, /* to ways[way] */
    RELAY_KEEP, /* until there is a way */
    RELAY_DROP  /* it is over */
};

struct relay_verdict {
    enum relay_step step;
    size_t way;
};

void relay_judge(const struct relay_facts *facts, struct relay_verdict *out);
/* Adds a way behind the others, unless its neighbour has one. False: there are too many. */
bool relay_add_way(struct relay_facts *facts, const struct relay_way *way);

#endif
