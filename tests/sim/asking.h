/*
 * Asks without a network: posted past the author's own budgets, as another program might, and
 * anything at all said to a peer. See meeting.h for the rest.
 */
#ifndef KITH_TESTS_SIM_ASKING_H
#define KITH_TESTS_SIM_ASKING_H

#include "node/ask.h"
#include "tests/sim/meeting.h"

/* Posts to these members, NULL ends them; *out_id is the ask's. The title makes the ask: the same
 * author and title give the same keys. Lives days from the author's clock. */
struct asking_post {
    struct member *author;
    const char *title;
    uint8_t hop_limit;
    enum ask_naming naming;
    uint64_t days;
    struct span keep;
};
void asking_post(const struct asking_post *post, struct member *const *to, struct id *out_id);
/* The bytes of the pass by which a member has an ask; of the nearest route. */
void asking_bytes(struct member *member, const struct id *id, struct buf *out);
/* Says bytes to a peer whatever they are; the entry ends at expires_ms. */
void asking_say(struct member *member, const struct member *to, uint8_t kind, struct span bytes,
                uint64_t expires_ms);
/* Passes it on by the op; the code it ended with. */
enum op_code asking_pass(struct member *member, const struct id *id, const char *to);
/* The state, "" when nothing of it is shown. */
const char *asking_state(struct member *member, const struct id *id, char room[static 32]);
/* What the op shows, a new reference; NULL when there is none. */
json_t *asking_show(struct member *member, const struct id *id);
/* Lines of the log of this kind. */
size_t asking_told(struct member *member, const char *kind);
/* The log's last line of this kind has this text in it. */
bool asking_last_says(struct member *member, const char *kind, const char *text);
/* Lets time pass on both clocks, or (is_wall) on the wall alone; then looks at what is due. */
void asking_wait(struct member *member, uint64_t ms, bool is_wall);

#endif
