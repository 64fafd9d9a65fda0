/* Four members and an ask among them, without a network: for tests of what walks back and forward.
 * What is not expected to fail stops the program. */
#ifndef KITH_TESTS_SIM_FOUR_H
#define KITH_TESTS_SIM_FOUR_H

#include "tests/sim/meeting.h"

/* Ana asks. Bruno and Carla have it from her, Dora from both of them; or one from another. */
struct four {
    struct member ana, bruno, carla, dora;
    char ask[ID_TEXT_SIZE];
};

/* Everybody hears everything. */
void four_all(struct four *four);
/* Linked: Ana with Bruno and Carla, Bruno with Carla, Dora with both. */
void four_new(struct four *four);
void four_free(struct four *four);
/* The ask went in a row: Ana, Bruno, Carla, Dora. */
void four_row(struct four *four);
/* It went by two ways: Ana; Bruno and Carla; Dora. */
void four_diamond(struct four *four);
/* Somebody answers; out is the lead's id. */
void four_reply_to(struct four *four, struct member *by, const char *text,
                   char out[static ID_TEXT_SIZE]);
size_t four_leads(struct member *member);
/* How many lines of the journal are of this kind and contain this. */
size_t four_told(struct member *member, const char *kind, const char *text);
/* What one says to another of a kind: how many, and the newest appended unless NULL. */
size_t four_says(struct member *by, const struct member *to, uint8_t kind, struct buf *out_newest);
/* Says anything at all, as only a hostile program would; or a letter of noise under a grant. */
void four_say_anything(struct member *by, const struct member *to, uint8_t kind, struct span bytes);
void four_say_noise(struct member *by, const struct member *to, const struct public_key *grant,
                    uint32_t number);
/* The grant by which somebody has the ask. */
struct public_key four_grant(struct four *four, struct member *of);

#endif
