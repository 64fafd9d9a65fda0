/* Who can introduce one to somebody: warm ways, each with the next line to type. */
#ifndef KITH_NODE_OP_PATH_H
#define KITH_NODE_OP_PATH_H

#include "node/ops.h"

enum err op_path(struct op_call *call);

#endif
