/* Threads as people and programs see them: who answered, through whom, and what was said since. */
#ifndef KITH_NODE_DESCRIBE_LEAD_H
#define KITH_NODE_DESCRIBE_LEAD_H

#include "node/describe.h"
#include "storage/view_thread.h"

/* What waits for the owner in a thread: a word to who wrote last, or an introduction that is
 * wanted.
 */
enum describe_lead_waits {
    DESCRIBE_LEAD_WAITS_NOT,
    DESCRIBE_LEAD_WAITS_WORD,
    DESCRIBE_LEAD_WAITS_INTRODUCTION
};
/* out_newest (may be NULL) gets the letter that wants an answer, when it is not the first. */
enum describe_lead_waits describe_lead_waits(const struct op_call *call,
                                             const struct thread *thread, const struct object *lead,
                                             json_t **out_newest);

/* A thread by its first letter, with all the others, the oldest first. */
json_t *describe_lead(const struct op_call *call, const struct object *lead);
/* The threads about one ask (its id), or (NULL) all, the newest first: those of asks of mine (true)
 * and those where I answered. */
json_t *describe_leads(const struct op_call *call, const struct id *ask);

#endif
