/*
 * Introductions in random worlds, one from each seed (introducing.h): bad times, then all is mended
 * and judged (introducing_judge.h).
 *
 *   sim_introduction [--copies] [--seed N | --from N --count N] [--trace]
 *
 * --copies: machines go back to old copies and are cloned, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/introducing_judge.h"
#include "tests/sim/seeds.h"

enum { SIM_INTRODUCTION_COUNT = 1000, SIM_INTRODUCTION_CASE = 100 };

struct sim_introduction {
    bool has_copies;
    uint64_t linked, restored, cloned;
};

static void sim_introduction_live(void *self, struct seeds_one *one)
{
    struct introducing *introducing = world_memory(sizeof *introducing);
    struct sim_introduction *sim = self;
    const uint64_t *census = introducing->world.census;

    introducing_run(introducing, one->seed, one->is_talkative, sim->has_copies);
    sim->linked += judge_is_linked(introducing->nodes[ANA], introducing->nodes[BRUNO]);
    sim->restored += census[WORLD_RESTORE];
    sim->cloned += census[WORLD_CLONE];
    memcpy(one->failure, introducing->judge.failure, sizeof one->failure);
    introducing_end(introducing);
    free(introducing);
}

static bool sim_introduction_end(void *self, uint64_t count)
{
    const struct sim_introduction *sim = self;

    (void)printf("%" PRIu64 " of %" PRIu64 " meetings end in a link; machines went back %" PRIu64
                 " times and were cloned %" PRIu64 " times\n",
                 sim->linked, count, sim->restored, sim->cloned);
    return true;
}

int main(int argc, char **argv)
{
    struct sim_introduction sim = {.has_copies = false};
    const struct seeds seeds = {.what = "meetings",
                                .count = SIM_INTRODUCTION_COUNT,
                                .every = SIM_INTRODUCTION_CASE,
                                .flags = {{"--copies", &sim.has_copies}},
                                .live = sim_introduction_live,
                                .end = sim_introduction_end,
                                .self = &sim};

    return seeds_main(&seeds, argc, argv);
}
