/* How much of what a peer writes this node keeps, by its owner's wish. An op of the table in
 * ops.c. */
#ifndef KITH_NODE_OP_QUOTA_H
#define KITH_NODE_OP_QUOTA_H

#include "node/ops.h"

MUST_USE enum err op_quota(struct op_call *call);

#endif
