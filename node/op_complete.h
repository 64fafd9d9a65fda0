/* Names for a shell's completion. */
#ifndef KITH_NODE_OP_COMPLETE_H
#define KITH_NODE_OP_COMPLETE_H

#include "node/ops.h"

enum err op_complete(struct op_call *call);

#endif
