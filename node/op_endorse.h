/* Writing an endorsement, and whether it could be, whatever its words. Ops of the table in ops.c.
 */
#ifndef KITH_NODE_OP_ENDORSE_H
#define KITH_NODE_OP_ENDORSE_H

#include "node/ops.h"

MUST_USE enum err op_endorse(struct op_call *call);
MUST_USE enum err op_endorse_plan(struct op_call *call);

#endif
