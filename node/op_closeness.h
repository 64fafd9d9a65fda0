/* How near one feels to somebody; private, never sent. */
#ifndef KITH_NODE_OP_CLOSENESS_H
#define KITH_NODE_OP_CLOSENESS_H

#include "node/ops.h"

enum err op_closeness(struct op_call *call);

#endif
