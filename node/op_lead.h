/* What came back to my asks, and what I answered to others': looking, going on, giving thanks. */
#ifndef KITH_NODE_OP_LEAD_H
#define KITH_NODE_OP_LEAD_H

#include "node/ops.h"

enum err op_lead_list(struct op_call *call);      /* lead.list */
enum err op_lead_show(struct op_call *call);      /* lead.show */
enum err op_lead_answer(struct op_call *call);    /* lead.answer */
enum err op_lead_introduce(struct op_call *call); /* lead.introduce */
enum err op_lead_thanks(struct op_call *call);    /* thanks */
/* Adds "leads" to a status: answers that wait for a word, introductions that are wanted of me. */
MUST_USE enum err op_lead_status(struct op_call *call);

#endif
