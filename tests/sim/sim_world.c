/*
 * Random worlds, one from each seed: the same seed gives the same world, byte for byte.
 *
 *   sim_world                       the seeds of a test run
 *   sim_world --seed 0x2a --trace   one of them again, told step by step
 *   sim_world --from 5000 --count 20000
 *   sim_world --devices             members get further devices
 *   sim_world --copies              machines go back to old copies and are cloned, too
 *   sim_world --bursts              cards change by the hundred and are restated, too
 *   sim_world --forgets             contacts are forgotten, too
 *
 * Every sixteenth world is run twice and must leave the same trace. At the end the census of faults
 * is told: one that never came true in a full run is a failure.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/seeds.h"
#include "tests/sim/story.h"

enum { SIM_WORLD_COUNT = 1000, SIM_WORLD_TWICE = 16, SIM_WORLD_CASE = 100 };

struct sim_world {
    bool has_copies, has_devices, has_bursts, has_forgets;
    uint64_t census[WORLD_FAULTS];
    uint64_t steps, edits;
};

static void sim_world_live(void *self, struct seeds_one *one)
{
    struct sim_world *sim = self;
    struct story_options options = {.seed = one->seed,
                                    .is_talkative = one->is_talkative,
                                    .has_devices = sim->has_devices,
                                    .has_copies = sim->has_copies,
                                    .has_bursts = sim->has_bursts,
                                    .has_forgets = sim->has_forgets};
    struct story_result result, again;

    story_run(&options, &result);
    if (result.failure[0] == '\0' && !one->is_talkative && one->seed % SIM_WORLD_TWICE == 0) {
        story_run(&options, &again);
        if (again.trace != result.trace)
            (void)snprintf(result.failure, sizeof result.failure,
                           "the same seed gave another world");
    }
    for (size_t at = 0; at < WORLD_FAULTS; at++)
        sim->census[at] += result.census[at];
    sim->steps += result.steps;
    sim->edits += result.edits;
    memcpy(one->failure, result.failure, sizeof one->failure);
}

static bool sim_world_census(void *self, uint64_t count)
{
    const struct sim_world *sim = self;
    bool is_whole = true;

    for (size_t at = 0; at < WORLD_FAULTS; at++)
        (void)printf("%8" PRIu64 " %s\n", sim->census[at], world_fault_text[at]);
    for (size_t at = 0; at < WORLD_STORY_FAULTS; at++) {
        if (sim->census[at] > 0 || count < SIM_WORLD_COUNT)
            continue;
        is_whole = false;
        (void)printf("not ok census: never happened: %s\n", world_fault_text[at]);
    }
    (void)printf("%" PRIu64 " worlds, %" PRIu64 " steps, %" PRIu64 " edits acknowledged\n", count,
                 sim->steps, sim->edits);
    return is_whole;
}

int main(int argc, char **argv)
{
    struct sim_world sim = {.has_copies = false};
    const struct seeds seeds = {.what = "worlds",
                                .count = SIM_WORLD_COUNT,
                                .every = SIM_WORLD_CASE,
                                .flags = {{"--devices", &sim.has_devices},
                                          {"--copies", &sim.has_copies},
                                          {"--bursts", &sim.has_bursts},
                                          {"--forgets", &sim.has_forgets}},
                                .live = sim_world_live,
                                .end = sim_world_census,
                                .self = &sim};

    return seeds_main(&seeds, argc, argv);
}
