/* Who among the people one knows stands for somebody. */
#ifndef KITH_NODE_OP_TRUST_H
#define KITH_NODE_OP_TRUST_H

#include "node/ops.h"

enum err op_trust(struct op_call *call);

#endif
