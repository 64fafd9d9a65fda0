/* Private labels on contacts and peers. */
#ifndef KITH_NODE_OP_CIRCLE_H
#define KITH_NODE_OP_CIRCLE_H

#include "node/name.h"

enum err op_circle_create(struct op_call *call);
enum err op_circle_add(struct op_call *call);
enum err op_circle_remove(struct op_call *call);
enum err op_circle_list(struct op_call *call);

/* Everybody in a circle, each person once; those who were removed from the address book are passed
 * over. ERR_NOT_FOUND, with the call's failure filled: no such circle. */
typedef enum err (*op_circle_fn)(void *self, const struct name_match *who);
MUST_USE enum err op_circle_each(struct op_call *call, const char *name, op_circle_fn each,
                                 void *self);
/* Is there such a circle? The same failure otherwise. */
MUST_USE enum err op_circle_is(struct op_call *call, const char *name);

#endif
