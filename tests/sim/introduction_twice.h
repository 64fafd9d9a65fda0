/*
 * Two introductions of one pair at once, by two introducers or by one, in every order. Everybody
 * has one device, nobody's clock moves and the link to the second introducer does not end;
 * introduction_search has those. What is new here is what the two share: the link. The judgements
 * are the product's own code, those of both machines and that of which secrets a link keeps
 * (proto/link_judge.h); modelled is who knows which facts, when a hello says that its sender is
 * linked, and the calls between the two: with the invitation an introduction left, and the sessions
 * by which a side takes the link for confirmed and knows that whom it greeted is met, which may
 * come at each side alone.
 *
 * P1, P4  as in introduction_search, of each introduction
 * P2  what A can observe of both introductions and of the link when B declines the first is what A
 *     can observe when B never answers it
 * P5  in no quiet state is one side linked and the other not, or speaks under a secret that the
 *     other does not accept; and there is a link just where an introduction connected
 * P6  in no quiet state does either introduction stand anywhere but at one of its ends: what both
 *     agreed to and nobody took back is connected on both sides, whatever became of the other one;
 *     only where its introducer and a side have parted it may stay without a link
 * P7  there is no conflict where no key differs
 * P8  in no quiet state are the two linked and waits one of them for a hello
 */
#ifndef KITH_TESTS_SIM_INTRODUCTION_TWICE_H
#define KITH_TESTS_SIM_INTRODUCTION_TWICE_H

#include "proto/link_judge.h"
#include "tests/sim/introduction_search.h"

struct twice_setting {
    struct introduction_setting machines; /* judge, plan, is_parallel, first, is_auto */
    enum link_verdict (*keep)(const struct link_judge_facts *facts);
    bool may_cut;      /* the first introducer and either side may part, by either's doing */
    bool has_no_calls; /* with an invitation that an introduction left */
    bool is_credulous; /* damaged: any session confirms a link, also one under the other secret */
    bool may_end[2];   /* of this introduction, a yes is taken back, or the offers are */
    bool is_other_key; /* the second introducer's name is here under another key, at A */
    bool b_only_declines; /* the first introduction */
    bool b_is_silent;     /* the first introduction */
};

struct twice_found {
    size_t states, quiet, early, refused, apart, stuck, left, conflicts;
    size_t connected[2], both; /* this introduction, both introductions, at both sides */
    size_t despite;            /* the second connected at both sides, the first declined */
    bool is_cut;
    uint8_t *seen_by_a; /* TWICE_OBSERVATIONS */
};

enum { TWICE_STATES_MAX = 1 << 20, TWICE_OBSERVATIONS = 1 << 20 };

void introduction_twice_run(const struct twice_setting *setting, struct twice_found *found);

#endif
