/*
 * The life of one world, from a seed: members who link through real invitations, edit on all sides
 * and part, while the net, the disks, the clocks and the power do their worst; then everything is
 * mended, and the judge looks.
 */
#ifndef KITH_TESTS_SIM_STORY_H
#define KITH_TESTS_SIM_STORY_H

#include "tests/sim/judge.h"

struct story_options {
    uint64_t seed;
    bool is_talkative;
    bool has_devices; /* members get further devices */
    bool has_copies;  /* machines go back to old copies, and are cloned */
    bool has_bursts;  /* cards change by the hundred, and are restated */
    bool has_forgets; /* contacts are made and forgotten */
};

struct story_result {
    char failure[400]; /* empty: all is well */
    uint64_t trace;    /* hash of all that happened */
    uint64_t steps, edits;
    uint64_t census[WORLD_FAULTS];
};

void story_run(const struct story_options *options, struct story_result *out);

#endif
