/* To whom an ask goes: each member once, and who is left out, with the reason. */
#ifndef KITH_NODE_OP_ASK_TO_H
#define KITH_NODE_OP_ASK_TO_H

#include "node/name.h"
#include "storage/view_ask.h"

struct op_ask_to {
    struct op_call *call;
    struct buf members; /* roots, one after the other */
    struct buf named;   /* of those, the ones typed by name */
    json_t *left_out;   /* [{"name":..,"why":..}] */
};

void op_ask_to_begin(struct op_call *call, struct op_ask_to *out);
void op_ask_to_release(struct op_ask_to *to);
/* Each person of a list of names; one who is no peer fails the call. */
MUST_USE enum err op_ask_to_named(struct op_ask_to *to, json_t *names);
/* Everybody in each circle of a list; who is no peer is left out. */
MUST_USE enum err op_ask_to_circles(struct op_ask_to *to, json_t *circles);
/* Every peer. */
MUST_USE enum err op_ask_to_all(struct op_ask_to *to);
size_t op_ask_to_count(const struct op_ask_to *to);
struct public_key op_ask_to_at(const struct op_ask_to *to, size_t index);
bool op_ask_to_has(const struct buf *members, const struct public_key *member);
/* Takes one out again. */
void op_ask_to_leave_out(struct op_ask_to *to, size_t index, const char *why);
/* Those whom a keep-away tag of the ask fits. */
void op_ask_to_keep_away(struct op_ask_to *to, const struct ask *ask);

#endif
