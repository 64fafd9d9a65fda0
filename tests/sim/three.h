/* Three members for tests of introductions: an introducer and two of their peers who do not know
 * each other. */
#ifndef KITH_TESTS_SIM_THREE_H
#define KITH_TESTS_SIM_THREE_H

#include "tests/sim/meeting.h"

struct three {
    struct member iris, ana, bruno;
};

void three_new(struct three *three);
void three_free(struct three *three);
/* Iris introduces Ana (A) to Bruno (B). */
void three_begin(struct three *three, const char *first, bool is_blind);
/* Carries everything Iris and the two have for one another. */
void three_round(struct three *three);
/* Iris offers Ana somebody, as the introduction whose id is this number sixteen times. */
void three_offer(struct three *three, uint8_t number, uint64_t issued_ms);
/* How many a member is shown. */
size_t three_shown(struct member *member);
/* Ends the test unless the only introduction a member is shown stands so; "": there is none. */
void three_expect(struct member *member, const char *state);
/* ... unless both hold the link, each under the other's introducer, with one secret and crossing
 * spaces. */
void three_expect_linked(struct three *three);

#endif
