/* Who works where the owner works: whoever looks for something else should know before they ask. */
#ifndef KITH_NODE_OP_ASK_COLLEAGUES_H
#define KITH_NODE_OP_ASK_COLLEAGUES_H

#include "node/ops.h"

/* Lists of roots: whom it is kept from, whom it was meant for by name, and the only ones it can
 * reach (NULL: whoever gets it may pass it on). */
struct op_ask_audience {
    const struct buf *keep_from, *named, *reached;
};
/* Fails the call (ERR_AMBIGUOUS) with the names of peers who work at org, by their card or by what
 * the owner wrote, whom it may reach and who are in neither of the first two lists. An empty org
 * fits nobody. */
MUST_USE enum err op_ask_colleagues(struct op_call *call, struct span org,
                                    const struct op_ask_audience *audience);
/* Adds to the answer, as "colleagues", the names of contacts who work there and are no members as
 * far as the owner knows: they may hear of it from others. */
MUST_USE enum err op_ask_colleagues_note(struct op_call *call, struct span org);

#endif
