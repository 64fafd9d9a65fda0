/*
 * Endorsements in random worlds, one from each seed (vouching.h). Bad times, then all is mended and
 * judged; in every fourth world months go by, shows are renewed or run out, and all is judged
 * again; last comes somebody new.
 *
 *   sim_endorsement [--seed N | --from N --count N] [--trace]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/vouching_judge.h"

enum {
    SIM_ENDORSEMENT_COUNT = 1000,
    SIM_ENDORSEMENT_CASE = 100,
    SIM_ENDORSEMENT_ACTS = 30,
    SIM_ENDORSEMENT_WAIT_MS = 1000,
    SIM_ENDORSEMENT_FAILURES_MAX = 10,
    SIM_ENDORSEMENT_MONTHS_EVERY = 4
};

struct sim_endorsement_sum {
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
    vouching_settle(vouching);
    vouching_judge(vouching);
    vouching_judge_revoked(vouching);
}

/* A month, and shows are renewed; two more, and what was renewed still holds; then its subject is
 * away for longer than any show lasts, and what it shows is seen by nobody until it is back. */
static void sim_endorsement_months(struct vouching *vouching)
{
    struct world *world = &vouching->world;
    size_t away = world_draw(world, VOUCHING_PERSONS - 1);

    vouching_live(vouching, UINT64_C(31) * VOUCHING_DAY_MS);
    sim_endorsement_rest(vouching);
    vouching_live(vouching, UINT64_C(62) * VOUCHING_DAY_MS);
    sim_endorsement_rest(vouching);
    if (vouching->judge.failure[0] != '\0')
        return;
    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->person == away)
            world_crash(world->nodes[at]);
    vouching_live(vouching, UINT64_C(91) * VOUCHING_DAY_MS);
    vouching_judge_hidden(vouching, away);
    sim_endorsement_rest(vouching);
}

static bool sim_endorsement_run(uint64_t seed, bool is_talkative, struct sim_endorsement_sum *sum,
                                const char *program)
{
    struct vouching *vouching = world_memory(sizeof *vouching);
    struct judge *judge = &vouching->judge;
    bool is_well;

    vouching_begin(vouching, seed, is_talkative);
    sim_endorsement_bad_times(vouching);
    sim_endorsement_rest(vouching);
    sum->deals += vouching->deals_count;
    sum->ended += vouching->has_ended;
    for (size_t at = 0; at < vouching->deals_count; at++)
        sum->revoked += vouching->deals[at].was_revoked;
    if (judge->failure[0] == '\0')
        sum->shown += vouching_judge_shown(vouching);
    if (judge->failure[0] == '\0' && seed % SIM_ENDORSEMENT_MONTHS_EVERY == 1) {
        sim_endorsement_months(vouching);
        sum->months++;
    }
    if (judge->failure[0] == '\0' && !vouching->is_hostile && !vouching->has_ended &&
        seed % 2 == 0) {
        vouching_judge_welcome(vouching, 1, VOUCHING_PERSONS - 1);
        vouching_welcome(vouching);
        sim_endorsement_rest(vouching);
    }
    if (judge->failure[0] == '\0')
        judge_all(judge);
    is_well = judge->failure[0] == '\0';
    if (!is_well)
        (void)printf("not ok endorsements 0x%" PRIx64 ": %s\n  replay: %s --seed 0x%" PRIx64
                     " --trace\n",
                     seed, judge->failure, program, seed);
    vouching_end(vouching);
    free(vouching);
    return is_well;
}

int main(int argc, char **argv)
{
    uint64_t from = 1, count = SIM_ENDORSEMENT_COUNT, failures = 0;
    struct sim_endorsement_sum sum = {0};
    bool is_talkative = false;

    for (int at = 1; at < argc; at++) {
        const char *value = at + 1 < argc ? argv[at + 1] : "0";

        if (strcmp(argv[at], "--trace") == 0) {
            is_talkative = true;
            continue;
        }
        if (strcmp(argv[at], "--count") == 0)
            count = strtoull(value, NULL, 0);
        else
            from = strtoull(value, NULL, 0);
        if (strcmp(argv[at], "--seed") == 0)
            count = 1;
        at++;
    }
    for (uint64_t at = 0; at < count && failures < SIM_ENDORSEMENT_FAILURES_MAX; at++) {
        failures += !sim_endorsement_run(from + at, is_talkative, &sum, argv[0]);
        if (failures == 0 && (at + 1) % SIM_ENDORSEMENT_CASE == 0)
            (void)printf("ok endorsements up to 0x%" PRIx64 " are as they must be\n", from + at);
    }
    if (failures == 0)
        (void)printf("ok %" PRIu64 " worlds from 0x%" PRIx64 ": %" PRIu64 " endorsements, %" PRIu64
                     " shown at the end, %" PRIu64 " taken back, in %" PRIu64
                     " a link ends, in %" PRIu64 " months go by\n",
                     count, from, sum.deals, sum.shown, sum.revoked, sum.ended, sum.months);
    return failures == 0 ? 0 : 1;
}
