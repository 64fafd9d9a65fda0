/* Ops on the address book. Each is an op of the table in ops.c. */
#ifndef KITH_NODE_OP_CONTACT_H
#define KITH_NODE_OP_CONTACT_H

#include "node/ops.h"

MUST_USE enum err op_contact_add(struct op_call *call);
MUST_USE enum err op_contact_edit(struct op_call *call);
MUST_USE enum err op_contact_list(struct op_call *call);
MUST_USE enum err op_contact_remove(struct op_call *call);
MUST_USE enum err op_contact_show(struct op_call *call);

#endif
