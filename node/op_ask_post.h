/* Posting an ask or an offer. */
#ifndef KITH_NODE_OP_ASK_POST_H
#define KITH_NODE_OP_ASK_POST_H

#include "node/ops.h"

enum err op_ask_post(struct op_call *call);
enum err op_ask_post_offer(struct op_call *call);

#endif
