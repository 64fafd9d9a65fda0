/*
 * Somebody who holds a member's whole store and every key in it, and gets at another's ciphertext:
 * tries all keys, all that follow from them, and the member's receiving key on every wrap.
 */
#ifndef KITH_TESTS_SIM_BURGLAR_H
#define KITH_TESTS_SIM_BURGLAR_H

#include "tests/sim/member.h"

/* How many sealed entries of `owner` with arrival numbers above `after` open with what `thief` has.
 */
size_t burglar_opens(struct member *thief, struct member *owner, uint64_t after);
/* Does any entry that opens contain the text? */
bool burglar_finds(struct member *thief, struct member *owner, uint64_t after, const char *text);
uint64_t burglar_newest(struct member *owner);

#endif
