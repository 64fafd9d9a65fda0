/* When the power goes, in a sweep. A part of kills. */
#ifndef KITH_TESTS_SIM_KILLS_CUT_H
#define KITH_TESTS_SIM_KILLS_CUT_H

#include "tests/sim/kills.h"

/* The world's has_power_cut; self is the telling. Forks where a cut is wanted: true in the child.
 */
bool kills_cut_here(void *self, struct world_node *node);
/* After each cut a node is down for so many looks: shorter than anybody notices, or longer. */
uint64_t kills_cut_looks(const struct kills_sweep *sweep);
/* How to see what failed again. */
void kills_cut_print(const struct kills *kills);

#endif
