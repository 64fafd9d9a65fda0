/*
 * Who says whether endorsements in a world are as they should be, once all is at rest:
 *
 * - what anybody is shown was written by who is said to have written it, and both signatures, the
 *   issuer's and the subject's, fit (ENDORSE-1, SHOW-3), asked of the bytes in the store;
 * - what a subject decided is what others see: its peers what it shows them, and their peers what
 *   is quoted and shown to the network, no more and no less; where a link has ended, no more;
 * - what was taken back is shown by nobody who is in touch with who took it back, and can never be
 *   shown again;
 * - two devices of one member tell the same, and what they tell is a function of the set of
 *   decisions that stand (FORKS rule 20, ENDORSE-7).
 *
 * With copies: what was written, or taken back, and told to somebody is not lost, unless the
 * machine that did it went back and nobody else has it. A decision that was lost so is what the
 * card shows; a choice whom to quote that was lost so is lost.
 *
 * Who holds the words at all is the canaries' part (judge.h).
 */
#ifndef KITH_TESTS_SIM_VOUCHING_JUDGE_H
#define KITH_TESTS_SIM_VOUCHING_JUDGE_H

#include "tests/sim/vouching.h"

void vouching_judge(struct vouching *vouching);
/* A machine went back: what it wrote or took back since that deed is told no more, unless another
 * one tells of it. */
void vouching_judge_went_back(void *self, struct world_node *node, uint64_t since);
/* Every subject tries to show what was taken back: none may. */
void vouching_judge_revoked(struct vouching *vouching);
/* Nobody but a subject itself is shown anything about them. */
void vouching_judge_hidden(struct vouching *vouching, size_t subject);
/* How many endorsements are shown to somebody by their subjects. */
size_t vouching_judge_shown(struct vouching *vouching);
/* Whoever comes now may read what Bruno shows and quotes now. */
void vouching_judge_welcome(struct vouching *vouching, size_t host, size_t guest);

#endif
