/*
 * Every run of an introduction, in a small world: the introducer and two introducees, each with one
 * or two devices, every message late by any amount, out of order, or lost with a link. The
 * judgement is the product's own code; what is modelled here is only who knows which facts. Facts
 * are bits: a device knows a set of them and nothing about their order, so two unordered logs a
 * side are a special case of what is explored.
 *
 * P1  no bundle leaves the introducer before both have said yes
 * P2  what one side can observe when the other declines is what it can observe when the other never
 *     answers
 * P3  no quiet state has exactly one side connected
 * P4  nobody releases who holds a refusal, and nobody says hello who holds a no of their own
 *     without being asked again
 * P8  in no quiet state does anybody wait for a hello of somebody they are linked with: the two may
 *     come to a link by another way, at any time, and meet under it
 */
#ifndef KITH_TESTS_SIM_INTRODUCTION_SEARCH_H
#define KITH_TESTS_SIM_INTRODUCTION_SEARCH_H

#include <stddef.h>

#include "proto/introduction_judge.h"

/* Facts. Where one device holds those about both, those of B stand SIDE bits further. */
enum {
    OFFER = 1,
    RELEASE = 2,
    WITHDRAW = 4,
    RELAY = 8, /* the other's hello */
    YES = 16,
    NO = 32,
    RETRACT = 64,
    HELLO = 128,
    CONFIRMED = 256, /* in self */
    GONE = 512,      /* this device's own */
    MET = 1024,      /* in self */
    SIDE = 11,
    SIDE_MASK = (1 << SIDE) - 1,
    SAID_TO = OFFER | RELEASE | WITHDRAW | RELAY,
    SAID_BY = YES | NO | RETRACT | HELLO
};
/* The link of the introducer and a side. */
enum link { LINKED, CUT_BY_INTRODUCER, CUT_BY_SIDE };
#define ENDED (UINT32_C(1) << (2 * SIDE)) /* in the introducer's self */

struct introduction_setting {
    bool is_parallel, has_twin_a, has_twin_i, may_cut, is_deleting;
    bool is_timeless, is_firm; /* no clock moves; the introducer's owner never withdraws */
    bool may_link;             /* the two may come to a link that owes nothing to this */
    unsigned first;
    bool is_auto[2], is_held[2], is_suppressed[2];
    bool b_only_declines, b_is_silent;
    void (*judge)(const struct introduction_facts *facts, struct introduction_verdict *out);
    void (*plan)(const struct introduction_plan_facts *facts,
                 struct introduction_plan_verdict *out);
};

struct introduction_found {
    size_t states, early, half, refused, left, connected, limit;
    bool is_cut;
    uint8_t *seen_by_a; /* which observations of A were possible */
};

enum { INTRODUCTION_STATES_MAX = 1 << 21, INTRODUCTION_OBSERVATIONS = 1 << 14 };

/* Explores all there is. is_dropping: the damaged variant in which deleting forgets. */
void introduction_search_run(const struct introduction_setting *setting, bool is_dropping,
                             struct introduction_found *found);

#endif
