/* My own card. Each is an op of the table in ops.c. */
#ifndef KITH_NODE_OP_ME_H
#define KITH_NODE_OP_ME_H

#include "node/ops.h"

MUST_USE enum err op_me_edit(struct op_call *call);
MUST_USE enum err op_me_show(struct op_call *call);

#endif
