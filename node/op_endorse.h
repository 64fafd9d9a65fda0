/* Writing an endorsement. An op of the table in ops.c. */
#ifndef KITH_NODE_OP_ENDORSE_H
#define KITH_NODE_OP_ENDORSE_H

#include "node/ops.h"

MUST_USE enum err op_endorse(struct op_call *call);

#endif
