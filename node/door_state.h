/* What the files of the door share; only they include it. */
#ifndef KITH_NODE_DOOR_STATE_H
#define KITH_NODE_DOOR_STATE_H

#include "node/door.h"

/* door.c: one end of a stream socket. */
bool door_write(int descriptor, struct span bytes);
/* Waits for the answer, telling progress on the way; with an event function it then goes on for as
 * long as rows come. False when the answer was a failure, or when none came: failure is empty then.
 */
MUST_USE bool door_await(int descriptor, struct door_call *call);

/* door_here.c: runs the op on this home's own store, in a child of this process. The caller holds
 * the lock when the op writes. */
MUST_USE bool door_run_apart(const struct config *config, struct home *home, const struct op *op,
                             struct door_call *call);

/* door_store.c: what a child of this process has heard its owner type; the next one finds it. */
void door_keep_typed(const struct config *config, const struct door_store *store);
/* A command was ended after its commit and before the lists had followed: who reads
 * next brings them up to date first, unless somebody else is at it. The store is open for reading.
 */
MUST_USE enum err door_catch_up(const struct home *home, struct door_store *store);
/* Why the keys could not be had. */
void door_fail_key(struct op_failure *failure, enum err err, const struct home *home);

#endif
