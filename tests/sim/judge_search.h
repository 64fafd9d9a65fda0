/* Searching all bytes a node holds, and what its keys open. A part of the judge. */
#ifndef KITH_TESTS_SIM_JUDGE_SEARCH_H
#define KITH_TESTS_SIM_JUDGE_SEARCH_H

#include "tests/sim/judge.h"

/* No canary that is not for this node's member, in rows or in anything a key it holds opens. */
void judge_search(struct judge *judge, struct world_node *node);
/* Over all nodes: no two sealed entries share a nonce unless they are the same bytes. */
void judge_nonces(struct judge *judge);

#endif
