/* Ops on invitations. Each is an op of the table in ops.c. */
#ifndef KITH_NODE_OP_INVITE_H
#define KITH_NODE_OP_INVITE_H

#include "node/ops.h"

MUST_USE enum err op_invite(struct op_call *call);
MUST_USE enum err op_invite_revoke(struct op_call *call);
/* Those nobody has used yet, each with "id", "name" and "expires"; never what opens one. */
MUST_USE enum err op_invite_list_open(struct op_call *call);
MUST_USE enum err op_invite_accept(struct op_call *call);
MUST_USE enum err op_invite_accept_poll(struct op_call *call);

#endif
