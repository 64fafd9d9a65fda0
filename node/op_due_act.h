/* Acts of kith that end or wait: endorsements and asks before they end, introductions to be
 * answered, what peers want, contacts they share. */
#ifndef KITH_NODE_OP_DUE_ACT_H
#define KITH_NODE_OP_DUE_ACT_H

#include "node/ops.h"

enum { OP_DUE_TEXT_SIZE = 400 };

struct op_due_act {
    const char *kind;         /* "endorsement", "introduction", "ask", "introduction wanted",
                                 "endorsement wanted" or "share" */
    struct public_key member; /* who wrote it or is endorsed; who introduces, wants or shares; me:
                                 mine */
    struct id id;             /* as its own commands take it; an endorsement's is a UUID; zeroes:
                                 there is none */
    uint64_t due_ms;          /* it expires, or waits since */
    bool is_patient;          /* waits for as long as it likes, and is never late */
    char text[OP_DUE_TEXT_SIZE];
};

typedef enum err (*op_due_act_fn)(void *self, const struct op_due_act *act);
/* Endorsements in force, by me or of me and accepted, that expire by until_ms and have no renewal
 * on its way; open asks of mine that end by then; and all that waits for me: introductions, wants,
 * shared contacts. Stops at the first error. */
MUST_USE enum err op_due_act_each(struct op_call *call, uint64_t until_ms, op_due_act_fn each,
                                  void *self);

#endif
