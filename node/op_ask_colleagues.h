/* Who works where the owner works: whoever looks for something else should know before they ask. */
#ifndef KITH_NODE_OP_ASK_COLLEAGUES_H
#define KITH_NODE_OP_ASK_COLLEAGUES_H

#include "node/ops.h"

/* Fails the call (ERR_AMBIGUOUS) with the names of peers who work at org, by their card or by what
 * the owner wrote, and are in neither list of roots: those it is kept from, those it was meant for
 * by name. An empty org fits nobody. */
MUST_USE enum err op_ask_colleagues(struct op_call *call, struct span org,
                                    const struct buf *keep_from, const struct buf *named);

#endif
