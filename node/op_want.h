/* Asking peers for endorsements, and what they ask of me. */
#ifndef KITH_NODE_OP_WANT_H
#define KITH_NODE_OP_WANT_H

#include "node/ops.h"

enum err op_want(struct op_call *call);
enum err op_want_list(struct op_call *call);

#endif
