/*
 * What a command asks before its owner writes a longer text: would it be done? The op itself runs,
 * with words in the place of those that are yet to come (cmd_text.h), and is taken back: what it
 * refuses then is heard before anything was written. The answer is an empty object.
 */
#ifndef KITH_NODE_OP_PLAN_H
#define KITH_NODE_OP_PLAN_H

#include "node/ops.h"

MUST_USE enum err op_plan_contact_add(struct op_call *call);
MUST_USE enum err op_plan_contact_edit(struct op_call *call);
MUST_USE enum err op_plan_contact_log(struct op_call *call);
MUST_USE enum err op_plan_endorse(struct op_call *call);
MUST_USE enum err op_plan_endorsement_want(struct op_call *call);
MUST_USE enum err op_plan_introduce(struct op_call *call);
MUST_USE enum err op_plan_intro_thanks(struct op_call *call);
MUST_USE enum err op_plan_intro_want(struct op_call *call);
MUST_USE enum err op_plan_lead_answer(struct op_call *call);
MUST_USE enum err op_plan_thanks(struct op_call *call);

#endif
