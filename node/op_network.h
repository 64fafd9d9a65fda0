/* Ops on quoting: whose endorsements my other peers see through me. Each is an op of the table in
 * ops.c. */
#ifndef KITH_NODE_OP_NETWORK_H
#define KITH_NODE_OP_NETWORK_H

#include "node/ops.h"

MUST_USE enum err op_network_list(struct op_call *call);
MUST_USE enum err op_network_off(struct op_call *call);
MUST_USE enum err op_network_on(struct op_call *call);
MUST_USE enum err op_network_quote(struct op_call *call);
MUST_USE enum err op_network_unquote(struct op_call *call);

#endif
