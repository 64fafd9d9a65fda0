/* Ops on endorsements there are: listing, deciding, taking back. Each is an op of the table in
 * ops.c. Writing one is op_endorse.h, exporting op_credential.h. */
#ifndef KITH_NODE_OP_ENDORSEMENT_H
#define KITH_NODE_OP_ENDORSEMENT_H

#include "node/ops.h"
#include "storage/view_endorsement.h"

MUST_USE enum err op_endorsement_accept(struct op_call *call);
MUST_USE enum err op_endorsement_hide(struct op_call *call);
MUST_USE enum err op_endorsement_list(struct op_call *call);
MUST_USE enum err op_endorsement_publish(struct op_call *call);
MUST_USE enum err op_endorsement_revoke(struct op_call *call);
MUST_USE enum err op_endorsement_set_aside(struct op_call *call);
MUST_USE enum err op_endorsement_show(struct op_call *call);

/* What the files about endorsements share. */

/* The one endorsement that an id, its beginning, or a name means (which.h). Its tags are not
 * borrowed on: about_count is 0. The call's failure is filled in. */
MUST_USE enum err op_endorsement_find(struct op_call *call, const char *id,
                                      struct endorsement_view *out);
/* Is this me? */
bool op_endorsement_is_me(const struct op_call *call, const struct public_key *member);
/* Answers with one endorsement as it stands now. */
MUST_USE enum err op_endorsement_answer(struct op_call *call,
                                        const struct endorsement_place *place);

#endif
