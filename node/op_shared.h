/* Ops on shared contacts there are: listing both ways, keeping one, letting it pass, counting. Each
 * is an op of the table in ops.c. Sharing one is op_share.h. */
#ifndef KITH_NODE_OP_SHARED_H
#define KITH_NODE_OP_SHARED_H

#include "node/ops.h"

MUST_USE enum err op_shared_keep(struct op_call *call);
MUST_USE enum err op_shared_list(struct op_call *call);
MUST_USE enum err op_shared_set_aside(struct op_call *call);
MUST_USE enum err op_shared_show(struct op_call *call);

/* Adds "shares" to the answer of status. */
MUST_USE enum err op_shared_status(struct op_call *call);

#endif
