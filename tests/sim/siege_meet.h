/* Members without a network for introductions against the rules: Iris introduces Ana and Bruno,
 * Mallory is whoever else is needed. */
#ifndef KITH_TESTS_SIM_SIEGE_MEET_H
#define KITH_TESTS_SIM_SIEGE_MEET_H

#include "tests/sim/siege.h"
#include "tests/sim/three.h"

/* The cast, and the introduction. */
struct siege_meet {
    struct siege *siege;
    struct three three;
    struct member mallory;
    struct id id;
};

void siege_meet_begin(struct siege *siege, struct siege_meet *meet);
void siege_meet_end(struct siege_meet *meet);
/* The id of the introduction, as this member knows it. */
void siege_meet_note(struct siege_meet *meet, struct member *member);
void siege_meet_introduce(struct siege_meet *meet);
void siege_meet_expect(struct siege_meet *meet, struct member *member, const char *state,
                       const char *what);
void siege_meet_expect_apart(struct siege_meet *meet);
void siege_meet_accept_all(struct member *member);
/* A yes by this member to Iris, true in everything but that nobody asked. */
void siege_meet_yes(struct siege_meet *meet, struct member *by, struct buf *out);
/* The yes that a member said, as Iris has it: the statement; the offer it names. */
void siege_meet_said(struct siege_meet *meet, struct member *by, struct buf *out,
                     struct hash *out_offer);

#endif
