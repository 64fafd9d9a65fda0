/* Threads as people and programs see them: who answered, through whom, and what was said since. */
#ifndef KITH_NODE_DESCRIBE_LEAD_H
#define KITH_NODE_DESCRIBE_LEAD_H

#include "node/describe.h"
#include "proto/reply.h"

/* A thread by its first letter; with_letters: and all the others, the oldest first. */
json_t *describe_lead(const struct op_call *call, const struct object *lead, bool with_letters);
/* The threads about one ask (its id), or (NULL) all, the newest first: those of asks of mine (true)
 * and those where I answered. */
json_t *describe_leads(const struct op_call *call, const struct id *ask);

#endif
