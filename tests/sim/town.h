/* A small town for asks: Ana knows Bruno and Emil, who both know Carla, who knows Dora. What is not
 * as expected stops the program. */
#ifndef KITH_TESTS_SIM_TOWN_H
#define KITH_TESTS_SIM_TOWN_H

#include "tests/sim/asking.h"

struct town {
    struct member ana, bruno, emil, carla, dora;
};

void town_new(struct town *town);
void town_free(struct town *town);
/* Everybody syncs with everybody they know, until nothing is new. */
void town_carry(struct town *town);
/* Ana asks Bruno and Emil. */
void town_ask(struct town *town, const char *title, struct id *out);
void town_expect(struct member *member, const struct id *id, const char *state);
/* So many refusals were told, the last for this reason. */
void town_expect_refused(struct member *member, const char *why, size_t count);
/* Routes and tombstones a member keeps of a neighbour. */
uint32_t town_routes(struct member *member, const struct public_key *from);
/* The close of an ask, as its author would say it. */
void town_close_bytes(struct member *author, const struct id *id, struct buf *out);

#endif
