/* Who changed what of a contact, and when. */
#ifndef KITH_NODE_OP_HISTORY_H
#define KITH_NODE_OP_HISTORY_H

#include "node/ops.h"

enum err op_history(struct op_call *call);

#endif
