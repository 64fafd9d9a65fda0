/*
 * Who says whether introductions in a world have come to what they must. PROTOCOL INTRO-15 and -16:
 * what is decided is a function of the set of facts. So the facts of all machines are brought
 * together, what follows from them is written down here once more, and each machine must be there:
 *
 * - all machines of one member tell the same, and what the facts of all say;
 * - nothing that was answered is lost; two yeses and no refusal end in a link;
 * - the two are linked on both sides, or on neither;
 * - nobody holds key, address or (asked blind) name of the other before both were asked to say yes;
 * - no machine that held a no first said release, none whose member said no said hello, unless it
 *   had been said before or the owner was asked again.
 *
 * Two limits, each only where a machine of that member went back:
 *
 * - a plan that no machine of the introducer's holds any more releases and hands on nothing more
 *   (DESIGN P1: "What one device wrote since its last meeting with any other machine dies with its
 *   disk");
 * - a yes whose secret no machine of its member's holds any more makes no link: whoever said it is
 *   not linked by it, though the other may be (FORKS.md: "a link whose secret lived only on a dead
 *   branch needs a new invitation").
 */
#ifndef KITH_TESTS_SIM_INTRODUCING_JUDGE_H
#define KITH_TESTS_SIM_INTRODUCING_JUDGE_H

#include "tests/sim/introducing.h"

/* Now and then while they live: what came to each store since, in its order. */
void introducing_judge_watch(struct introducing *introducing);
/* A machine went back: what it did is told no more, unless another one has it. */
void introducing_judge_went_back(void *self, struct world_node *node, uint64_t since);
/* All is at rest. */
void introducing_judge(struct introducing *introducing);

#endif
