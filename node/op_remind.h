/* Reminders to be in touch: they count from the last real contact, or stand on a day. */
#ifndef KITH_NODE_OP_REMIND_H
#define KITH_NODE_OP_REMIND_H

#include "node/ops.h"

enum err op_remind(struct op_call *call);
enum err op_remind_list(struct op_call *call);
enum err op_remind_done(struct op_call *call);
enum err op_remind_snooze(struct op_call *call);
enum err op_remind_remove(struct op_call *call);

#endif
