/* Ops that give: sharing a contact with peers, looking at what would travel, taking it back. Each
 * is an op of the table in ops.c. What peers share with me is op_shared.h. */
#ifndef KITH_NODE_OP_SHARE_H
#define KITH_NODE_OP_SHARE_H

#include "node/ops.h"

MUST_USE enum err op_share(struct op_call *call);
MUST_USE enum err op_share_plan(struct op_call *call);
MUST_USE enum err op_share_withdraw(struct op_call *call);

#endif
