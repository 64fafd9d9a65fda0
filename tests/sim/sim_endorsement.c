/*
 * Endorsements in random worlds, one from each seed (vouching.h). Bad times, then all is mended and
 * judged; in every fourth world months go by, shows are renewed or run out, and all is judged
 * again; last comes somebody new.
 *
 *   sim_endorsement [--copies] [--seed N | --from N --count N] [--trace]
 *
 * --copies: machines go back to old copies and are cloned, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/seeds.h"
#include "tests/sim/vouching_judge.h"

enum {
    SIM_ENDORSEMENT_COUNT = 1000,
    SIM_ENDORSEMENT_CASE = 100,
    SIM_ENDORSEMENT_ACTS = 30,
    SIM_ENDORSEMENT_WAIT_MS = 1000,
    SIM_ENDORSEMENT_MONTHS_EVERY = 4
};

struct sim_endorsement_sum {
    bool has_copies;
    uint64_t deals, shown, revoked, ended, months;
};

static void sim_endorsement_bad_times(struct vouching *vouching)
{
    struct world *world = &vouching->world;

    world->has_faults = true;
    for (uint64_t left = SIM_ENDORSEMENT_ACTS + world_draw(world, SIM_ENDORSEMENT_ACTS); left > 0;
         left--) {
        vouching_act(vouching);
        world_run_until(world, world->now_ms + 200 + world_draw(world, SIM_ENDORSEMENT_WAIT_MS));
    }
}

static void sim_endorsement_rest(struct vouching *vouching)
{
    vouching_settle(vouching, vouching_judge);
    vouching_judge(vouching);
    vouching_judge_revoked(vouching);
}

/* A month, and shows are renewed; two more, and what was renewed still holds; then its subject is
 * away for longer than any show lasts, and what it shows is seen by nobody until it is back. */
static void sim_endorsement_months(struct vouching *vouching)
{
    struct world *world = &vouching->world;
    size_t away = world_draw(world, VOUCHING_PERSONS - 1);

    world_live(&vouching->world, UINT64_C(31) * VOUCHING_DAY_MS);
    sim_endorsement_rest(vouching);
    world_live(&vouching->world, UINT64_C(62) * VOUCHING_DAY_MS);
    sim_endorsement_rest(vouching);
    if (vouching->judge.failure[0] != '\0')
        return;
    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->person == away)
            world_crash(world->nodes[at]);
    world_live(&vouching->world, UINT64_C(91) * VOUCHING_DAY_MS);
    vouching_judge_hidden(vouching, away);
    sim_endorsement_rest(vouching);
}

static void sim_endorsement_live(void *self, struct seeds_one *one)
{
    struct vouching *vouching = world_memory(sizeof *vouching);
    struct judge *judge = &vouching->judge;
    struct sim_endorsement_sum *sum = self;

    vouching_begin(vouching, one->seed, one->is_talkative, sum->has_copies);
    sim_endorsement_bad_times(vouching);
    sim_endorsement_rest(vouching);
    sum->deals += vouching->deals_count;
    sum->ended += vouching->has_ended;
    for (size_t at = 0; at < vouching->deals_count; at++)
        sum->revoked += vouching->deals[at].was_revoked;
    if (judge->failure[0] == '\0')
        sum->shown += vouching_judge_shown(vouching);
    if (judge->failure[0] == '\0' && one->seed % SIM_ENDORSEMENT_MONTHS_EVERY == 1) {
        sim_endorsement_months(vouching);
        sum->months++;
    }
    if (judge->failure[0] == '\0' && !vouching->is_hostile && !vouching->has_ended &&
        one->seed % 2 == 0) {
        vouching_judge_welcome(vouching, 1, VOUCHING_PERSONS - 1);
        vouching_welcome(vouching);
        sim_endorsement_rest(vouching);
    }
    if (judge->failure[0] == '\0')
        judge_all(judge);
    memcpy(one->failure, judge->failure, sizeof one->failure);
    vouching_end(vouching);
    free(vouching);
}

static bool sim_endorsement_end(void *self, uint64_t count)
{
    const struct sim_endorsement_sum *sum = self;

    (void)printf("%" PRIu64 " worlds: %" PRIu64 " endorsements, %" PRIu64
                 " shown at the end, %" PRIu64 " taken back, in %" PRIu64
                 " a link ends, in %" PRIu64 " months go by\n",
                 count, sum->deals, sum->shown, sum->revoked, sum->ended, sum->months);
    return true;
}

int main(int argc, char **argv)
{
    struct sim_endorsement_sum sum = {0};
    const struct seeds seeds = {.what = "worlds of endorsements",
                                .count = SIM_ENDORSEMENT_COUNT,
                                .every = SIM_ENDORSEMENT_CASE,
                                .flags = {{"--copies", &sum.has_copies}},
                                .live = sim_endorsement_live,
                                .end = sim_endorsement_end,
                                .self = &sum};

    return seeds_main(&seeds, argc, argv);
}
