/* Bringing two people together, and asking a peer to be brought together with somebody. */
#ifndef KITH_NODE_OP_INTRODUCE_H
#define KITH_NODE_OP_INTRODUCE_H

#include "node/ops.h"

enum err op_introduce(struct op_call *call);      /* introduce */
enum err op_introduce_want(struct op_call *call); /* intro.want */

#endif
