/* Asking peers for endorsements, and what they ask of me. */
#ifndef KITH_NODE_OP_WANT_H
#define KITH_NODE_OP_WANT_H

#include "node/ops.h"
#include "node/want.h"

enum err op_want(struct op_call *call);
enum err op_want_list(struct op_call *call);

/* The wants of linked peers that the owner has not done since. want is released by the caller of
 * each. Stops at the first error. */
typedef enum err (*op_want_fn)(void *self, const struct peer *peer, const struct want *want);
MUST_USE enum err op_want_each(struct op_call *call, op_want_fn each, void *self);

#endif
