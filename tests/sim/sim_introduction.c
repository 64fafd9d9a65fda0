/*
 * Introductions in random worlds, one from each seed: Iris is linked with Ana and with Bruno and
 * brings them together, while connections are cut, delayed and refused, machines lose power, and
 * each clock is up to a day off. In some worlds Bruno declines, in some Iris removes him in the
 * middle. Then all is mended, and what must be so is looked for.
 *
 *   sim_introduction [--seed N | --from N --count N] [--trace]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/judge.h"
#include "tests/sim/net.h"

enum {
    MEET_COUNT = 1000,
    MEET_CASE = 100,
    MEET_BAD_MS = 180 * 1000,
    MEET_HEAL_MS = 60 * 60 * 1000,
    MEET_LOOK_MS = 5000,
    MEET_AGAIN_MS = 5000,
    MEET_QUIET_LOOKS = 12,
    MEET_DAY_MS = 24 * 3600 * 1000
};

enum meet_kind { MEET_AGREE, MEET_DECLINE, MEET_REMOVE, MEET_KINDS };

/* What a member knew of the introduction when its store had so many commits. */
struct meet_seen {
    uint64_t commits;
    char state[32], id[40];
};

struct meet {
    struct world world;
    struct judge judge;
    struct world_node *iris, *ana, *bruno;
    enum meet_kind kind;
    const char *first;
    bool is_blind, is_over, is_introduced, is_removed;
    char uris[2][INVITATION_TEXT_SIZE_MAX];
    struct meet_seen seen[3]; /* by number of the node */
};

static void meet_on_uri(struct world_node *node, void *self, enum err err,
                        const struct op_call *call)
{
    char *uri = self;

    (void)node;
    if (err == ERR_OK && uri[0] == '\0')
        (void)snprintf(uri, INVITATION_TEXT_SIZE_MAX, "%s",
                       json_string_value(json_object_get(call->result, "uri")));
}

static void meet_on_done(struct world_node *node, void *self, enum err err,
                         const struct op_call *call)
{
    (void)node;
    (void)call;
    if (err == ERR_OK)
        *(bool *)self = true;
}

/* Iris is linked with this one, or asks again. */
static bool meet_link(struct meet *meet, struct world_node *node, char *uri)
{
    if (judge_is_linked(meet->iris, node) && judge_is_linked(node, meet->iris))
        return true;
    if (uri[0] == '\0')
        world_op(meet->iris, "peer.invite", json_pack("{s:s}", "name", node->name), meet_on_uri,
                 uri);
    else
        world_op(node, "peer.accept", json_pack("{s:s}", "uri", uri), NULL, NULL);
    return false;
}

/* The one introduction a member knows of; its state is "" when there is none. Nothing that is
 * waited for changes by time alone, so a store that has not changed is not asked again. */
static const struct meet_seen *meet_look(struct meet *meet, struct world_node *node)
{
    struct meet_seen *seen = &meet->seen[node->number];
    uint64_t commits = kv_mem_commits_count(node->mem);
    json_t *list, *row;
    const char *its;

    if (seen->commits == commits)
        return seen;
    list = world_read(node, "intro.list", json_object());
    row = json_array_get(json_object_get(list, "introductions"), 0);
    its = json_string_value(json_object_get(row, "state"));
    (void)snprintf(seen->state, sizeof seen->state, "%s", its != NULL ? its : "");
    its = json_string_value(json_object_get(row, "id"));
    (void)snprintf(seen->id, sizeof seen->id, "%s", its != NULL ? its : "");
    json_decref(list);
    seen->commits = commits;
    return seen;
}

static void meet_answer(struct meet *meet, struct world_node *node)
{
    bool declines = node == meet->bruno && meet->kind == MEET_DECLINE;
    const struct meet_seen *seen = meet_look(meet, node);

    if (strcmp(seen->state, "offered") == 0)
        world_op(node, declines ? "intro.decline" : "intro.accept",
                 json_pack("{s:s}", "id", seen->id), NULL, NULL);
}

static void meet_introduce(struct meet *meet)
{
    meet->is_introduced = meet_look(meet, meet->iris)->state[0] != '\0';
    if (!meet->is_introduced)
        world_op(meet->iris, "introduce",
                 json_pack("{s:s, s:s, s:s, s:s, s:b}", "a", meet->ana->name, "b",
                           meet->bruno->name, "why", "Boats.", "first", meet->first, "blind",
                           meet->is_blind),
                 NULL, NULL);
}

static void meet_power(struct meet *meet)
{
    struct world *world = &meet->world;
    struct world_node *nodes[] = {meet->iris, meet->ana, meet->bruno};
    struct world_node *node = nodes[world_draw(world, 3)];

    if (!node->is_up)
        world_start(node);
    else if (world_once_in(world, 2))
        world_crash(node);
    else
        world_stop(node);
}

static void meet_do(struct world *world, struct world_node *nobody, void *data)
{
    struct meet *meet = data;
    bool is_linked = meet_link(meet, meet->ana, meet->uris[0]);

    (void)nobody;
    if (meet->is_removed || meet->is_introduced)
        is_linked = true;
    else
        is_linked = meet_link(meet, meet->bruno, meet->uris[1]) && is_linked;
    if (is_linked && !meet->is_introduced)
        meet_introduce(meet);
    meet_answer(meet, meet->ana);
    meet_answer(meet, meet->bruno);
    if (meet->kind == MEET_REMOVE && meet->is_introduced && !meet->is_removed &&
        world_once_in(world, 6))
        world_op(meet->iris, "peer.remove", json_pack("{s:s}", "who", meet->bruno->name),
                 meet_on_done, &meet->is_removed);
    if (!meet->is_over && world_once_in(world, 3))
        meet_power(meet);
    world_after(world, MEET_AGAIN_MS + world_draw(world, 2500), NULL, meet_do, meet);
}

static void meet_name(struct meet *meet, struct world_node *node)
{
    char text[JUDGE_CANARY_SIZE];
    size_t canary = judge_canary(&meet->judge, node, JUDGE_CARD, text);

    world_op(node, "me.edit", json_pack("{s:[s]}", "url", text), NULL, NULL);
    meet->judge.canaries[canary].is_acknowledged = true; /* No node runs: it is done at once. */
}

static void meet_begin(struct meet *meet)
{
    static const char *const firsts[] = {"A", "B", "both"};
    struct world *world = &meet->world;
    struct world_node *nodes[3];

    meet->kind = (enum meet_kind)world_draw(world, MEET_KINDS);
    meet->first = firsts[world_draw(world, 3)];
    meet->is_blind = world_once_in(world, 2);
    nodes[0] = meet->iris = world_init(world, "iris");
    nodes[1] = meet->ana = world_init(world, "ana");
    nodes[2] = meet->bruno = world_init(world, "bruno");
    for (size_t at = 0; at < 3; at++) {
        nodes[at]->wall_offset_ms = (int64_t)world_draw(world, MEET_DAY_MS) - MEET_DAY_MS / 2;
        meet_name(meet, nodes[at]);
        world_start(nodes[at]);
    }
    judge_met(&meet->judge, meet->iris->person, meet->ana->person);
    judge_met(&meet->judge, meet->ana->person, meet->iris->person);
    judge_met(&meet->judge, meet->iris->person, meet->bruno->person);
    judge_met(&meet->judge, meet->bruno->person, meet->iris->person);
}

/* Both linked and in step, or neither; both where both agreed and nobody was removed. */
static bool meet_is_settled(struct meet *meet)
{
    bool one = judge_is_linked(meet->ana, meet->bruno);
    bool other = judge_is_linked(meet->bruno, meet->ana);

    switch (meet->kind) {
    case MEET_AGREE:
        return judge_is_settled(meet->ana, meet->bruno);
    case MEET_DECLINE:
        return strcmp(meet_look(meet, meet->iris)->state, "closed") == 0 && !one && !other;
    case MEET_REMOVE:
        return meet->is_removed && one == other &&
               (!one || judge_is_settled(meet->ana, meet->bruno));
    case MEET_KINDS:
        break;
    }
    return false;
}

static void meet_heal(struct meet *meet)
{
    static const char *const kinds[] = {"both agree", "Bruno declines", "Iris removes Bruno"};
    struct world *world = &meet->world;
    struct world_node *nodes[] = {meet->iris, meet->ana, meet->bruno};
    uint64_t until = world->now_ms + MEET_HEAL_MS;
    unsigned quiet = 0;

    meet->is_over = true;
    world->has_faults = false;
    world->islands_until_ms = 0;
    for (unsigned look = 0; world->now_ms < until && quiet < MEET_QUIET_LOOKS; look++) {
        for (size_t at = 0; at < 3; at++)
            if (!nodes[at]->is_up)
                world_start(nodes[at]);
            else if (look % 12 == 0)
                world_op(nodes[at], "sync", json_object(), NULL, NULL);
        world_run_until(world, world->now_ms + MEET_LOOK_MS);
        quiet = meet_is_settled(meet) ? quiet + 1 : 0;
    }
    if (quiet == 0)
        judge_fail(&meet->judge, "%s, %s first: ana %s bruno, bruno %s ana", kinds[meet->kind],
                   meet->first, judge_is_linked(meet->ana, meet->bruno) ? "has" : "has not",
                   judge_is_linked(meet->bruno, meet->ana) ? "has" : "has not");
}

static bool meet_run(uint64_t seed, bool is_talkative, uint64_t *out_linked, const char *program)
{
    struct meet *meet = world_memory(sizeof *meet);
    struct world *world = &meet->world;
    bool is_well;

    world_begin(world, seed);
    world->is_talkative = is_talkative;
    judge_begin(&meet->judge, world);
    meet_begin(meet);
    world->has_faults = true;
    world_after(world, 0, NULL, meet_do, meet);
    world_run_until(world, world->now_ms + MEET_BAD_MS);
    meet_heal(meet);
    if (judge_is_linked(meet->ana, meet->bruno)) {
        (*out_linked)++;
        judge_met(&meet->judge, meet->ana->person, meet->bruno->person);
        judge_met(&meet->judge, meet->bruno->person, meet->ana->person);
    }
    judge_all(&meet->judge);
    is_well = meet->judge.failure[0] == '\0';
    if (!is_well)
        (void)printf("not ok meeting 0x%" PRIx64 ": %s\n  replay: %s --seed 0x%" PRIx64
                     " --trace\n",
                     seed, meet->judge.failure, program, seed);
    world_end(world);
    judge_end(&meet->judge);
    free(meet);
    return is_well;
}

int main(int argc, char **argv)
{
    uint64_t from = 1, count = MEET_COUNT, linked = 0, failures = 0;
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
    for (uint64_t at = 0; at < count && failures < 10; at++) {
        failures += !meet_run(from + at, is_talkative, &linked, argv[0]);
        if (failures == 0 && (at + 1) % MEET_CASE == 0)
            (void)printf("ok meetings up to 0x%" PRIx64 " end as they must\n", from + at);
    }
    if (failures == 0)
        (void)printf("ok %" PRIu64 " meetings from 0x%" PRIx64 " end as they must, %" PRIu64
                     " of them in a link\n",
                     count, from, linked);
    return failures == 0 ? 0 : 1;
}
