/* Answering somebody's ask: a lead, an offer of help, a cheer. */
#ifndef KITH_NODE_OP_REPLY_H
#define KITH_NODE_OP_REPLY_H

#include "node/ops.h"

enum err op_reply(struct op_call *call); /* ask.reply */
/* ask.reply.plan: {"must_ask": has the owner to say that they asked whoever it is "about"?}. Fails
 * as the reply would for its ask, its words and whom it names. */
enum err op_reply_plan(struct op_call *call);
/* My name as my card says it, or a piece of the did; out has room for NAME_SIZE_MAX and the end. */
MUST_USE enum err op_reply_my_name(const struct op_call *call, char *out, size_t out_size);

#endif
