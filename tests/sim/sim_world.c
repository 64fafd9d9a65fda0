/*
 * Random worlds, one from each seed: the same seed gives the same world, byte for byte.
 *
 *   sim_world                       the seeds of a test run
 *   sim_world --seed 0x2a --trace   one of them again, told step by step
 *   sim_world --from 5000 --count 20000
 *   sim_world --devices             members get further devices
 *   sim_world --copies              machines go back to old copies and are cloned, too
 *   sim_world --bursts              cards change by the hundred and are restated, too
 *
 * Every sixteenth world is run twice and must leave the same trace. At the end the census of faults
 * is told: one that never came true in a full run is a failure.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/story.h"

enum {
    SIM_WORLD_COUNT = 1000,
    SIM_WORLD_TWICE = 16,
    SIM_WORLD_CASE = 100,
    SIM_WORLD_FAILURES_MAX = 10
};

struct sim_world_run {
    uint64_t from, count;
    bool is_one, is_talkative, has_copies, has_devices, has_bursts;
    uint64_t census[WORLD_FAULTS];
    uint64_t steps, edits, failures;
};

static bool sim_world_number(const char *text, uint64_t *out)
{
    char *end;

    *out = strtoull(text, &end, 0);
    return *text != '\0' && *end == '\0';
}

static bool sim_world_arguments(int argc, char **argv, struct sim_world_run *run)
{
    for (int at = 1; at < argc; at++) {
        const char *value = at + 1 < argc ? argv[at + 1] : "";

        if (strcmp(argv[at], "--trace") == 0 || strcmp(argv[at], "--copies") == 0 ||
            strcmp(argv[at], "--devices") == 0 || strcmp(argv[at], "--bursts") == 0) {
            run->is_talkative |= strcmp(argv[at], "--trace") == 0;
            run->has_copies |= strcmp(argv[at], "--copies") == 0;
            run->has_devices |= strcmp(argv[at], "--devices") == 0;
            run->has_bursts |= strcmp(argv[at], "--bursts") == 0;
            continue;
        }
        run->is_one |= strcmp(argv[at], "--seed") == 0;
        if (strcmp(argv[at], "--seed") == 0 || strcmp(argv[at], "--from") == 0) {
            if (!sim_world_number(value, &run->from))
                return false;
        } else if (strcmp(argv[at], "--count") != 0 || !sim_world_number(value, &run->count)) {
            return false;
        }
        at++;
    }
    if (run->is_one)
        run->count = 1;
    return true;
}

static void sim_world_one(struct sim_world_run *run, uint64_t seed, const char *program)
{
    struct story_options options = {.seed = seed,
                                    .is_talkative = run->is_talkative,
                                    .has_devices = run->has_devices,
                                    .has_copies = run->has_copies,
                                    .has_bursts = run->has_bursts};
    struct story_result result, again;

    story_run(&options, &result);
    if (result.failure[0] == '\0' && !run->is_talkative && seed % SIM_WORLD_TWICE == 0) {
        story_run(&options, &again);
        if (again.trace != result.trace)
            (void)snprintf(result.failure, sizeof result.failure,
                           "the same seed gave another world");
    }
    for (size_t at = 0; at < WORLD_FAULTS; at++)
        run->census[at] += result.census[at];
    run->steps += result.steps;
    run->edits += result.edits;
    if (result.failure[0] == '\0')
        return;
    run->failures++;
    (void)printf("not ok world 0x%" PRIx64 ": %s\n  replay: %s --seed 0x%" PRIx64 " --trace\n",
                 seed, result.failure, program, seed);
}

static void sim_world_census(struct sim_world_run *run)
{
    for (size_t at = 0; at < WORLD_FAULTS; at++)
        (void)printf("%8" PRIu64 " %s\n", run->census[at], world_fault_text[at]);
    for (size_t at = 0; at < WORLD_STORY_FAULTS; at++) {
        if (run->census[at] > 0 || run->count < SIM_WORLD_COUNT)
            continue;
        run->failures++;
        (void)printf("not ok census: never happened: %s\n", world_fault_text[at]);
    }
}

int main(int argc, char **argv)
{
    struct sim_world_run run = {.from = 1, .count = SIM_WORLD_COUNT};

    if (!sim_world_arguments(argc, argv, &run)) {
        (void)fprintf(
            stderr,
            "%s [--devices] [--copies] [--bursts] [--seed N | --from N --count N] [--trace]\n",
            argv[0]);
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* Only how soon it is seen depends on it. */
    for (uint64_t at = 0; at < run.count && run.failures < SIM_WORLD_FAILURES_MAX; at++) {
        sim_world_one(&run, run.from + at, argv[0]);
        if (run.failures == 0 && (at + 1) % SIM_WORLD_CASE == 0)
            (void)printf("ok worlds up to 0x%" PRIx64 " agree\n", run.from + at);
    }
    sim_world_census(&run);
    (void)printf("%" PRIu64 " worlds, %" PRIu64 " steps, %" PRIu64 " edits acknowledged\n",
                 run.count, run.steps, run.edits);
    if (run.failures == 0)
        (void)printf("ok %" PRIu64 " worlds from 0x%" PRIx64 " agree\n", run.count, run.from);
    return run.failures == 0 ? 0 : 1;
}
