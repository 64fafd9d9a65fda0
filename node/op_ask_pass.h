/* Passing an ask on: a human act, to few people. */
#ifndef KITH_NODE_OP_ASK_PASS_H
#define KITH_NODE_OP_ASK_PASS_H

#include "node/ops.h"

enum err op_ask_pass(struct op_call *call);

#endif
