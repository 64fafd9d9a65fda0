/* Three members and one endorsement, without a network: Ana writes it about Bruno, who is linked
 * with her and with Chie. What is not expected to fail stops the program. */
#ifndef KITH_TESTS_SIM_VOUCHED_H
#define KITH_TESTS_SIM_VOUCHED_H

#include "tests/sim/meeting.h"

struct vouched {
    struct member ana, bruno, chie;
};

void vouched_new(struct vouched *vouched);
void vouched_free(struct vouched *vouched);
/* Everybody syncs with everybody they are linked with, until nothing is new. */
void vouched_round(struct vouched *vouched);
/* Ana endorses Bruno. */
void vouched_endorse(struct vouched *vouched, const char *ceiling);
/* An op on the newest one that this list ("given", "received") of the member has; what it comes to.
 * to may be NULL. */
enum op_code vouched_op(struct member *member, const char *method, const char *list,
                        const char *to);
/* The subject decides, which must be possible. */
void vouched_decide(struct member *subject, const char *method, const char *to);
/* The state of the newest one about this member, as they see it; "" for none. */
const char *vouched_state(struct member *member, char room[static 32]);
/* How many of a subject's a member is shown; of one's own: how many one shows. */
size_t vouched_seen(struct member *member, const struct member *subject);
size_t vouched_shown_to(struct member *subject);
/* Does this store hold the words anywhere? */
bool vouched_holds_words(struct member *member);

#endif
