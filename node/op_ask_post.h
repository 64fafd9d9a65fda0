/* Posting an ask or an offer. */
#ifndef KITH_NODE_OP_ASK_POST_H
#define KITH_NODE_OP_ASK_POST_H

#include "node/ops.h"

enum err op_ask_post(struct op_call *call);
enum err op_ask_post_offer(struct op_call *call);

/* ask.post.plan, offer.post.plan: {"title", "to": names, "left_out", "hop_limit", "named",
 * "expires"} of what would be posted; fails as the posting would for its words and for whom it
 * names. */
enum err op_ask_post_plan(struct op_call *call);
enum err op_ask_post_offer_plan(struct op_call *call);

#endif
