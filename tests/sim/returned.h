/*
 * What lies on a branch of a log, as another machine gives it back: carried by hand, without a
 * session.
 */
#ifndef KITH_TESTS_SIM_RETURNED_H
#define KITH_TESTS_SIM_RETURNED_H

#include "proto/replica.h"
#include "tests/sim/member.h"

enum { RETURNED_MAX = 4 };

/* As it comes out of a session at the other end. */
struct returned *returned_carry(const struct returned_row *row);
/* A member's log of the device that it is now, as it comes back from whoever cannot say which
 * epochs it is sealed under: its first RETURNED_MAX batches. Returns how many there are. */
size_t returned_own_log(struct member *member, const struct id *space,
                        struct returned *out[static RETURNED_MAX]);

#endif
