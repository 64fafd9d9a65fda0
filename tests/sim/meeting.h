/*
 * Members who are introduced, without a network: ops through the same group commit as the
 * product's, logs carried by hand. Everything repeats from the members' seeds.
 */
#ifndef KITH_TESTS_SIM_MEETING_H
#define KITH_TESTS_SIM_MEETING_H

#include "node/introduction.h"
#include "node/ops.h"
#include "tests/sim/member.h"

/* Linked, named, with one another's cards. */
void meeting_link(struct member *left, struct member *right);
void meeting_new(struct member *member, uint8_t seed, const char *name);
/* Runs an op in a commit of its own, with its reactions; takes params over. *out_code is OP_DONE or
 * why not (may be NULL). A new reference, or NULL. */
json_t *meeting_op(struct member *member, const char *method, json_t *params,
                   enum op_code *out_code);
/* A commit that only answers what is due. */
void meeting_tick(struct member *member);
/* Lets so much time pass while the node runs: on both clocks. */
void meeting_live(struct member *member, uint64_t span_ms);
/* Carries what each wrote for the other until nothing is new, with reactions on both sides. */
void meeting_carry(struct member *left, struct member *right);
/* Only one way. Returns how many entries. */
uint64_t meeting_carry_one_way(struct member *to, struct member *from);

/* The only introduction of a member, or the one with this id: its state, "" when none is shown. */
const char *meeting_state(struct member *member, const char *id, char room[static 32]);
/* Its id, "" when there is none. */
void meeting_first_id(struct member *member, char out[static ID_TEXT_SIZE]);
/* A says yes to the first that is offered. */
void meeting_accept(struct member *member);
/* Says anything at all to a peer, as only a hostile program would. */
void meeting_say(struct member *member, const struct member *to,
                 struct introduction_message *message);
/* Is this anywhere in the plaintext of what is stored: entries opened, every row of every table? */
bool meeting_holds(struct member *member, struct span needle);
bool meeting_holds_at(const struct snapshot *snapshot, struct span needle);
/* The link as the member holds it, in memory of the caller, to be wiped. */
bool meeting_peer(struct member *member, const struct member *other, struct peer *out);

#endif
