/* What comes for the owner: replies to an ask of theirs, answers to a reply of theirs. Opened,
 * checked, and kept in self as a quoted copy, with the credit to who handed it over. */
#ifndef KITH_NODE_LEAD_H
#define KITH_NODE_LEAD_H

#include "node/carry.h"

/* The letter of a reply to an ask of mine, brought by a neighbour; carry->row names both.
 * ERR_FORGED, ERR_MALFORMED, ERR_INVALID (its name is proved by a stolen device): nothing was kept.
 */
MUST_USE enum err lead_take_reply(struct carry *carry, struct span letter);
/* An answer to a reply of mine (carry->own); verified. The same errors. */
MUST_USE enum err lead_take_answer(struct carry *carry, const struct answer *answer,
                                   const struct public_key *by);

#endif
