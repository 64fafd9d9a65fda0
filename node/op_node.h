/* Where things stand: status, log, sync, stop. Each is an op of the table in ops.c. */
#ifndef KITH_NODE_OP_NODE_H
#define KITH_NODE_OP_NODE_H

#include "node/ops.h"

MUST_USE enum err op_node_log(struct op_call *call);
MUST_USE enum err op_node_status(struct op_call *call);
enum err op_node_waiting(struct op_call *call); /* status.waiting: status, and what is due today */
MUST_USE enum err op_node_stop(struct op_call *call);
MUST_USE enum err op_node_sync(struct op_call *call);
MUST_USE enum err op_node_sync_poll(struct op_call *call);

#endif
