/* What is due: reminders, birthdays, quiet ties, endorsements that end, introductions. */
#ifndef KITH_NODE_OP_DUE_H
#define KITH_NODE_OP_DUE_H

#include "node/ops.h"

enum err op_due(struct op_call *call);

#endif
