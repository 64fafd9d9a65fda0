/* See vouching.h: how time goes by, and how all comes to rest. */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "proto/limits.h"
#include "tests/sim/net.h"
#include "tests/sim/vouching.h"

enum {
    VOUCHING_LOOK_MS = 4000,
    VOUCHING_LOOKS_MAX = 300,
    VOUCHING_QUIET = 4,
    VOUCHING_HOUR_MS = 60 * 60 * 1000
};

/* Time. */

static enum err vouching_write_nothing(void *what, struct ledger_txn *txn)
{
    (void)what;
    (void)txn;
    return ERR_OK;
}

static void vouching_on_written(struct world_node *node, void *self, enum err err,
                                const struct op_call *call)
{
    (void)node;
    (void)self;
    (void)err;
    (void)call;
}

void vouching_tick(struct vouching *vouching)
{
    for (size_t at = 0; at < vouching->world.nodes_count; at++)
        if (vouching->world.nodes[at]->is_up)
            world_write(vouching->world.nodes[at], vouching_write_nothing, NULL,
                        vouching_on_written, NULL);
}

/* Rest. */

static uint64_t vouching_commits(const struct vouching *vouching)
{
    uint64_t commits = 0;

    for (size_t at = 0; at < vouching->world.nodes_count; at++)
        commits += kv_mem_commits_count(vouching->world.nodes[at]->mem);
    return commits;
}

/* The first two who should be in step and are not; "" when all are. */
static void vouching_out_of_step(struct vouching *vouching, char out_who[static 64])
{
    struct world *world = &vouching->world;

    for (size_t one = 0; one < world->nodes_count; one++)
        for (size_t other = one + 1; other < world->nodes_count; other++) {
            struct world_node *left = world->nodes[one], *right = world->nodes[other];

            if (left->person == right->person
                    ? !world_is_in_step(left, &right->secrets->member)
                    : judge_is_linked(left, right) && judge_is_linked(right, left) &&
                          !judge_is_settled(left, right)) {
                (void)snprintf(out_who, 64, "%s and %s", left->name, right->name);
                return;
            }
        }
    out_who[0] = '\0';
}

/* Time goes on from the greatest. */
static void vouching_mend(struct vouching *vouching)
{
    struct world *world = &vouching->world;
    int64_t ahead = 0;

    vouching->is_over = true;
    world->has_faults = false;
    world->islands_until_ms = 0;
    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->wall_offset_ms > ahead)
            ahead = world->nodes[at]->wall_offset_ms;
    for (size_t at = 0; at < world->nodes_count; at++) {
        world->nodes[at]->wall_offset_ms = ahead;
        world->nodes[at]->doom = WORLD_SAFE;
    }
}

static void vouching_call(struct vouching *vouching)
{
    struct world *world = &vouching->world;

    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->is_up)
            world_op(world->nodes[at], "sync", json_object(), NULL, NULL);
}

/* Copies that nobody has found out yet come and go at their peers, and write that down. What was
 * sealed for readers whom nobody knows any more waits for RETURN_WAIT_DAYS (PROTOCOL RETURN-10). */
static void vouching_settle_copies(struct vouching *vouching,
                                   void (*judge)(struct vouching *vouching))
{
    struct world *world = &vouching->world;
    char kept[sizeof vouching->judge.failure], last[sizeof kept] = "";
    unsigned quiet = 0, days = 0;

    memcpy(kept, vouching->judge.failure, sizeof kept);
    for (unsigned look = 0; look < 3 * VOUCHING_LOOKS_MAX && quiet < 2; look++) {
        bool is_new_day, is_rested = copies_rest(&vouching->copies, look, &is_new_day);

        if (is_new_day)
            vouching_call(vouching);
        vouching_tick(vouching);
        world_run_until(world, world->now_ms + VOUCHING_LOOK_MS);
        if (!is_rested)
            continue;
        if (look / VOUCHING_LOOKS_MAX > days) {
            days++;
            world_live(world, RETURN_WAIT_DAYS * VOUCHING_DAY_MS + VOUCHING_HOUR_MS);
        }
        judge(vouching);
        if (vouching->judge.failure[0] == '\0')
            judge_all(&vouching->judge);
        quiet = vouching->judge.failure[0] == '\0' ? quiet + 1 : 0;
        memcpy(last, vouching->judge.failure, sizeof last);
        memcpy(vouching->judge.failure, kept, sizeof kept);
    }
    if (quiet < 2)
        judge_fail(&vouching->judge, "never as it must be: %s", last);
}

void vouching_settle(struct vouching *vouching, void (*judge)(struct vouching *vouching))
{
    struct world *world = &vouching->world;
    uint64_t commits = 0;
    char who[64] = "";
    unsigned quiet = 0;

    vouching_mend(vouching);
    if (vouching->has_copies) {
        vouching_settle_copies(vouching, judge);
        return;
    }
    for (unsigned look = 0; look < VOUCHING_LOOKS_MAX && quiet < VOUCHING_QUIET; look++) {
        for (size_t at = 0; at < world->nodes_count; at++)
            if (!world->nodes[at]->is_up)
                world_start(world->nodes[at]);
            else if (look % 12 == 0)
                world_op(world->nodes[at], "sync", json_object(), NULL, NULL);
        vouching_tick(vouching);
        world_run_until(world, world->now_ms + VOUCHING_LOOK_MS);
        vouching_out_of_step(vouching, who);
        quiet = commits == vouching_commits(vouching) && who[0] == '\0' ? quiet + 1 : 0;
        commits = vouching_commits(vouching);
    }
    if (quiet < VOUCHING_QUIET)
        judge_fail(&vouching->judge, "they never come to rest: %s",
                   who[0] != '\0' ? who : "there is always something to write");
}
