/*
 * The main of a program of seeds: each is a world, lived and judged, and one that fails is told
 * with the command that shows it again.
 *
 *   PROGRAM [flags] [--seed N | --from N --count N] [--trace]
 */
#ifndef KITH_TESTS_SIM_SEEDS_H
#define KITH_TESTS_SIM_SEEDS_H

#include <stdbool.h>
#include <stdint.h>

enum { SEEDS_FLAGS_MAX = 4, SEEDS_FAILURE_SIZE = 400 };

struct seeds_one {
    uint64_t seed;
    bool is_talkative;
    char failure[SEEDS_FAILURE_SIZE]; /* empty: all is well */
};

struct seeds_flag {
    const char *name; /* "--copies"; NULL ends a list of flags */
    bool *is_set;
};

struct seeds {
    const char *what; /* "meetings" */
    uint64_t count;   /* of a run that does not say */
    uint64_t every;   /* a line after so many; 0: only at the end */
    struct seeds_flag flags[SEEDS_FLAGS_MAX];
    void (*live)(void *self, struct seeds_one *one);
    /* Says what came of so many, and whether that will do; NULL: nothing to say. */
    bool (*end)(void *self, uint64_t count);
    void *self;
};

/* What main returns. */
int seeds_main(const struct seeds *seeds, int argc, char **argv);

#endif
