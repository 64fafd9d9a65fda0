/* Ops on links: levels, names, removal, blocking. Each is an op of the table in
 * ops.c. */
#ifndef KITH_NODE_OP_PEER_H
#define KITH_NODE_OP_PEER_H

#include "node/ops.h"

MUST_USE enum err op_peer_block(struct op_call *call);
MUST_USE enum err op_peer_compared(struct op_call *call);
MUST_USE enum err op_peer_list(struct op_call *call);
MUST_USE enum err op_peer_remove(struct op_call *call);
MUST_USE enum err op_peer_rename(struct op_call *call);
MUST_USE enum err op_peer_show(struct op_call *call);
MUST_USE enum err op_peer_unblock(struct op_call *call);
MUST_USE enum err op_peer_words(struct op_call *call);

#endif
