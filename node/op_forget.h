/* Letting go of a person: the contact and whatever was noted about it, on all own devices, so that
 * no undo and no history brings it back. */
#ifndef KITH_NODE_OP_FORGET_H
#define KITH_NODE_OP_FORGET_H

#include "node/ops.h"

/* The group of contacts whose head is this one, their interactions, reminders and closeness. */
MUST_USE enum err op_forget_contact(struct op_call *call, uint32_t head);

#endif
