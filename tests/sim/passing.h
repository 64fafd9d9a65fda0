/*
 * People who come and go: of a few contacts one is added, written to, shared, taken back or
 * forgotten. What is told of nobody is expected to stay; what is forgotten must be gone.
 */
#ifndef KITH_TESTS_SIM_PASSING_H
#define KITH_TESTS_SIM_PASSING_H

#include "tests/sim/world.h"

/* One such act, drawn from the world's chance; it may fail: there may be none of that name. with:
 * somebody the member may be linked with. */
void passing_step(struct world_node *node, const char *with);

#endif
