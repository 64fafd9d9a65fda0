/* See seeds.h. */
#include "tests/sim/seeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS_FAILURES_MAX = 10 };

struct seeds_run {
    const struct seeds *seeds;
    const char *program;
    uint64_t from, count, failures;
    bool is_talkative;
};

static bool seeds_number(const char *text, uint64_t *out)
{
    char *end;

    *out = strtoull(text, &end, 0);
    return *text != '\0' && *end == '\0';
}

static bool seeds_set_flag(const struct seeds *seeds, const char *argument)
{
    for (size_t at = 0; at < SEEDS_FLAGS_MAX && seeds->flags[at].name != NULL; at++)
        if (strcmp(seeds->flags[at].name, argument) == 0) {
            *seeds->flags[at].is_set = true;
            return true;
        }
    return false;
}

static bool seeds_arguments(struct seeds_run *run, int argc, char **argv)
{
    bool is_one = false;

    for (int at = 1; at < argc; at++) {
        const char *value = at + 1 < argc ? argv[at + 1] : "";
        bool is_count = strcmp(argv[at], "--count") == 0;
        bool is_seed = strcmp(argv[at], "--seed") == 0;

        if (seeds_set_flag(run->seeds, argv[at]))
            continue;
        if (strcmp(argv[at], "--trace") == 0) {
            run->is_talkative = true;
            continue;
        }
        if (!is_count && !is_seed && strcmp(argv[at], "--from") != 0)
            return false;
        if (!seeds_number(value, is_count ? &run->count : &run->from))
            return false;
        is_one |= is_seed;
        at++;
    }
    if (is_one)
        run->count = 1;
    return true;
}

/* All flags of this program, in brackets, or those that are set. */
static void seeds_print_flags(const struct seeds *seeds, bool is_set, FILE *out)
{
    for (size_t at = 0; at < SEEDS_FLAGS_MAX && seeds->flags[at].name != NULL; at++)
        if (!is_set)
            (void)fprintf(out, " [%s]", seeds->flags[at].name);
        else if (*seeds->flags[at].is_set)
            (void)fprintf(out, " %s", seeds->flags[at].name);
}

static void seeds_live(struct seeds_run *run, uint64_t seed)
{
    struct seeds_one one = {.seed = seed, .is_talkative = run->is_talkative};

    run->seeds->live(run->seeds->self, &one);
    if (one.failure[0] == '\0')
        return;
    run->failures++;
    (void)printf("not ok %s 0x%" PRIx64 ": %s\n  replay: %s", run->seeds->what, seed, one.failure,
                 run->program);
    seeds_print_flags(run->seeds, true, stdout);
    (void)printf(" --seed 0x%" PRIx64 " --trace\n", seed);
}

int seeds_main(const struct seeds *seeds, int argc, char **argv)
{
    struct seeds_run run = {.seeds = seeds, .program = argv[0], .from = 1, .count = seeds->count};

    if (!seeds_arguments(&run, argc, argv)) {
        (void)fprintf(stderr, "%s", argv[0]);
        seeds_print_flags(seeds, false, stderr);
        (void)fprintf(stderr, " [--seed N | --from N --count N] [--trace]\n");
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* Only how soon it is seen depends on it. */
    for (uint64_t at = 0; at < run.count && run.failures < SEEDS_FAILURES_MAX; at++) {
        seeds_live(&run, run.from + at);
        if (run.failures == 0 && seeds->every > 0 && (at + 1) % seeds->every == 0)
            (void)printf("ok %s up to 0x%" PRIx64 "\n", seeds->what, run.from + at);
    }
    if (seeds->end != NULL)
        run.failures += !seeds->end(seeds->self, run.count);
    if (run.failures == 0)
        (void)printf("ok %" PRIu64 " %s from 0x%" PRIx64 " are as they must be\n", run.count,
                     seeds->what, run.from);
    return run.failures == 0 ? 0 : 1;
}
