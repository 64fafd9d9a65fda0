/* What is due: reminders, birthdays, quiet ties, endorsements and asks that end, and what waits. */
#ifndef KITH_NODE_OP_DUE_H
#define KITH_NODE_OP_DUE_H

#include "node/ops.h"

enum err op_due(struct op_call *call);
/* Adds to the result what is due by the end of today, and all that waits for the owner, as "due".
 */
MUST_USE enum err op_due_today(struct op_call *call);

#endif
