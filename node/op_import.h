/* Address books that come as files: first a plan, then one write transaction. Each is an op of the
 * table in ops.c. */
#ifndef KITH_NODE_OP_IMPORT_H
#define KITH_NODE_OP_IMPORT_H

#include "node/ops.h"

MUST_USE enum err op_import(struct op_call *call);
/* Waits until everybody imported can be found. */
MUST_USE enum err op_import_poll(struct op_call *call);
MUST_USE enum err op_import_plan(struct op_call *call);

#endif
