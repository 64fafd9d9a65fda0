/* Finding contacts by any of their words. */
#ifndef KITH_NODE_OP_SEARCH_H
#define KITH_NODE_OP_SEARCH_H

#include "node/ops.h"

enum err op_search(struct op_call *call);

#endif
