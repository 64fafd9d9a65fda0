/* Searching all bytes a node holds, and what its keys open. A part of the judge. */
#ifndef KITH_TESTS_SIM_JUDGE_SEARCH_H
#define KITH_TESTS_SIM_JUDGE_SEARCH_H

#include "tests/sim/judge.h"

/* Every "canary:" and nine digits that a node, whose ledger is open, holds in rows or in anything a
 * key it holds opens. */
typedef void (*judge_canary_fn)(void *self, struct world_node *node, size_t number,
                                const char *where);
void judge_search_each(struct world_node *node, judge_canary_fn each, void *self);
/* No canary that is not for this node's member, in rows or in anything a key it holds opens. */
void judge_search(struct judge *judge, struct world_node *node);
/* Does a node, whose ledger is open, hold these bytes in rows or in anything its keys open? */
bool judge_search_holds(struct world_node *node, struct span needle);
/* Over all nodes: no two sealed entries share a nonce unless they are the same bytes. */
void judge_nonces(struct judge *judge);

#endif
