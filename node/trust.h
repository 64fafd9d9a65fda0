/*
 * Trust: vouch flow, counted by branches. It begins with how close the owner feels to people, flows
 * from each along the endorsements they wrote, is halved by everybody it passes, and is divided
 * among all whom they endorse. What arrives is kept apart by the first person on the way, its
 * branch, so that one fooled friend never counts for more than a cap. The rules, with every
 * rounding, are PROTOCOL TRUST.
 *
 * What follows: all that reaches a set of invented people is at most twice what flows from true
 * people into it, however many they are, since everybody passes on at most half and nothing flows
 * sideways or back (see tests/unit/trust.c).
 *
 * Pure: people are numbers from 0, all amounts are 16.16 fixed point integers, and results do not
 * depend on the order of what is given, but for that of friends, which the caller settles.
 */
#ifndef KITH_NODE_TRUST_H
#define KITH_NODE_TRUST_H

#include "crypto/span.h"
#include "proto/endorsement.h"

enum {
    TRUST_ONE = 1 << 16,
    TRUST_CLOSE = TRUST_ONE, /* how close the owner feels to somebody */
    TRUST_GOOD = TRUST_ONE / 4 * 3,
    TRUST_KNOWN = TRUST_ONE / 2,
    TRUST_MET = TRUST_ONE / 4,
    TRUST_MUTED = 0,
    TRUST_KAPPA = 39321, /* 0.6: what one branch can add to a claim */
    TRUST_HOPS = 3
};

/* How much is left of something said so many days ago. */
uint32_t trust_fade(uint32_t days);

/* One endorsement that counts. */
struct trust_vouch {
    uint32_t from, to;                    /* people */
    uint32_t day;                         /* when it was issued, in days since 1970 */
    uint32_t tags[ENDORSEMENT_ABOUT_MAX]; /* numbers of what it is about; 0: none */
    uint8_t tags_count;
    uint8_t relation; /* enum relation */
};

/* Who vouches for whom, and with what weight, on one day. Each two people once. */
struct trust_graph {
    uint32_t people;
    uint32_t edges;
    uint32_t *out_at, *out_to, *out_weight; /* by who vouches: out_at has people + 1 places */
    uint32_t *in_at, *in_from, *in_weight;  /* the same edges by whom they are about */
};

/* vouches are put in another order. ERR_NOMEM; ERR_INVALID: a number that is no person's. */
MUST_USE enum err trust_graph_make(uint32_t people, struct trust_vouch *vouches, uint32_t count,
                                   uint32_t today, struct trust_graph *out);
void trust_graph_release(struct trust_graph *graph);

/* Somebody the owner knows: the first hop. */
struct trust_friend {
    uint32_t person;
    uint32_t closeness; /* TRUST_MUTED: as if they were not there */
};

/* What came through one friend. */
struct trust_share {
    uint32_t branch; /* their place in the list of friends */
    uint32_t amount;
};

struct trust_flow;

/* Lets trust flow. Both are borrowed until trust_flow_free; of two friends who are one person the
 * first counts. The order of friends is that of the product in TRUST-7. */
MUST_USE enum err trust_flow_new(const struct trust_graph *graph,
                                 const struct trust_friend *friends, uint32_t count,
                                 struct trust_flow **out);
void trust_flow_free(struct trust_flow *flow);
/* 1 for friends, up to TRUST_HOPS; 0: not reached, or muted. */
unsigned trust_hop(const struct trust_flow *flow, uint32_t person);
uint32_t trust_amount(const struct trust_flow *flow, uint32_t person);
bool trust_is_muted(const struct trust_flow *flow, uint32_t person);
/* The branches of what reaches a person, by friend, none of them 0. Valid until the next call. */
MUST_USE enum err trust_branches(struct trust_flow *flow, uint32_t person,
                                 const struct trust_share **out, uint32_t *out_count);
/* The people on the strongest way from a friend to a person, both included: as many as the
 * person's hop. ERR_NOT_FOUND: nothing came that way. */
MUST_USE enum err trust_route(struct trust_flow *flow, uint32_t branch, uint32_t person,
                              uint32_t out[static TRUST_HOPS], uint32_t *out_count);

/* What is said in favour of a claim: by whom, and how much of it is left. */
struct trust_word {
    uint32_t issuer;
    uint32_t fade;
};
/* How well a claim is carried, from 0 to TRUST_ONE. */
MUST_USE enum err trust_claim(struct trust_flow *flow, const struct trust_word *words,
                              uint32_t count, uint32_t *out);

#endif
