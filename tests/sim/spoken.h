/* What was said in introductions, as a store has it: statement by statement, as they came. */
#ifndef KITH_TESTS_SIM_SPOKEN_H
#define KITH_TESTS_SIM_SPOKEN_H

#include "proto/introduction.h"
#include "tests/sim/world.h"

struct spoken {
    struct introduction_message message;
    struct public_key member; /* who said it */
    bool is_first;            /* by this very device, and no repetition */
    bool has_expiry;
};

typedef void (*spoken_fn)(void *self, struct world_node *node, const struct snapshot *snapshot,
                          const struct spoken *spoken);
/* What came to a node that is up beyond *arrival, which moves on. */
void spoken_each(struct world_node *node, uint64_t *arrival, spoken_fn each, void *self);

#endif
