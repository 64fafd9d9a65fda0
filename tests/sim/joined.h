/*
 * A further device of a member, admitted as the product admits it, without a session: it holds no
 * root, its store is its own.
 */
#ifndef KITH_TESTS_SIM_JOINED_H
#define KITH_TESTS_SIM_JOINED_H

#include "tests/sim/member.h"

/* Certified by this one, by the root where that holds it; the new store knows what the welcome
 * says, and waits for its first meeting. */
void joined_new(struct member *device, struct member *host, uint8_t seed);
/* One that was retired as forked goes on under a new key. ERR_NOT_FOUND: it has no reason. */
enum err joined_succeed(struct member *device);
/* Facts about all devices of a member, as a session tells them before it gives what those wrote. */
void joined_tell(struct member *to, struct member *from);

#endif
