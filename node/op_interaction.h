/* Noting that two people were in touch, and what there was between them. */
#ifndef KITH_NODE_OP_INTERACTION_H
#define KITH_NODE_OP_INTERACTION_H

#include "node/ops.h"

enum err op_interaction_log(struct op_call *call);
enum err op_interaction_timeline(struct op_call *call);
/* What was given and asked, for the owner alone. */
enum err op_interaction_balance(struct op_call *call);

/* The last day the contact, or one it is merged with, was in touch; 0 when never. */
MUST_USE enum err op_interaction_last(struct op_call *call, uint32_t number, uint64_t *out_ms);

#endif
