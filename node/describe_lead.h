/* Threads as people and programs see them: who answered, through whom, and what was said since. */
#ifndef KITH_NODE_DESCRIBE_LEAD_H
#define KITH_NODE_DESCRIBE_LEAD_H

#include "node/describe.h"
#include "proto/reply.h"

/* How much was said in each thread; one walk over all letters. Zero it, release it. */
struct describe_lead_tally {
    struct buf threads; /* id 32, letters u32, of those mine u32 */
};
MUST_USE enum err describe_lead_count(const struct op_call *call, struct describe_lead_tally *out);
/* Of the thread this letter is of. */
void describe_lead_counted(const struct describe_lead_tally *tally, const struct object *lead,
                           uint32_t *out_letters, uint32_t *out_mine);
void describe_lead_tally_release(struct describe_lead_tally *tally);

/* What waits for the owner in a thread: a word to who answered, or an introduction that is wanted.
 */
enum describe_lead_waits {
    DESCRIBE_LEAD_WAITS_NOT,
    DESCRIBE_LEAD_WAITS_WORD,
    DESCRIBE_LEAD_WAITS_INTRODUCTION
};
enum describe_lead_waits describe_lead_waits(const struct describe_lead_tally *tally,
                                             const struct object *lead);

/* A thread by its first letter, with all the others, the oldest first. */
json_t *describe_lead(const struct op_call *call, const struct object *lead);
/* The threads about one ask (its id), or (NULL) all, the newest first: those of asks of mine (true)
 * and those where I answered. */
json_t *describe_leads(const struct op_call *call, const struct id *ask);

#endif
