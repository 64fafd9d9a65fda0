/* Asks and offers: looking at them, and what is decided about them. Posting is op_ask_post.h,
 * passing on op_ask_pass.h. */
#ifndef KITH_NODE_OP_ASK_H
#define KITH_NODE_OP_ASK_H

#include "node/ops.h"
#include "storage/view_ask.h"

enum err op_ask_list(struct op_call *call);
/* The same without who may fit, which looks through all contacts; also by the param "others". */
enum err op_ask_list_plain(struct op_call *call);
enum err op_ask_show(struct op_call *call);
enum err op_ask_close(struct op_call *call);
enum err op_ask_dismiss(struct op_call *call);

/* The one ask whose id begins so; tombstones and what is never shown are none. On ERR_NOT_FOUND,
 * ERR_AMBIGUOUS and ERR_INVALID the call's failure is filled. */
MUST_USE enum err op_ask_find(struct op_call *call, const char *typed, struct ask_row *out);
/* Looks again and answers with the ask. */
MUST_USE enum err op_ask_answer(struct op_call *call, const struct id *id);
/* What neighbours who passed it have used up, after the owner did something with it: their passes
 * are welcome, or were not. */
MUST_USE enum err op_ask_welcome(struct op_call *call, const struct id *id, bool is_welcome);
/* Adds "asks" to a status. */
MUST_USE enum err op_ask_status(struct op_call *call);

#endif
