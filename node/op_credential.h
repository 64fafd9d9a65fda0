/* Ops on exported endorsements: making them, presenting them, judging one from anywhere. Ops of the
 * table in ops.c. */
#ifndef KITH_NODE_OP_CREDENTIAL_H
#define KITH_NODE_OP_CREDENTIAL_H

#include "node/ops.h"

MUST_USE enum err op_credential_export(struct op_call *call);
MUST_USE enum err op_credential_present(struct op_call *call);
MUST_USE enum err op_credential_verify(struct op_call *call);

#endif
