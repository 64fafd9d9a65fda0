/*
 * Introductions in random worlds, one from each seed: Iris is linked with Ana and with Bruno and
 * brings them together, while connections are cut, delayed and refused, machines lose power, and
 * each clock is up to three days off. In some worlds Bruno declines, in some one of the two and
 * Iris part in the middle: one removes or blocks the other; in some of those Jo introduces the two
 * as well. Then all is mended, and what must be so is looked for.
 *
 *   sim_introduction [--copies] [--seed N | --from N --count N] [--trace]
 *
 * --copies: other worlds (introducing.h), in which machines go back to old copies and are cloned,
 * too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/introducing_judge.h"
#include "tests/sim/net.h"
#include "tests/sim/seeds.h"

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

enum meet_kind { MEET_AGREE, MEET_DECLINE, MEET_PART, MEET_TWICE, MEET_KINDS };
enum { MEET_MEMBERS = 4, MEET_INTRODUCTIONS = 2 };

/* What a member knew of the introductions when its store had so many commits. */
struct meet_seen {
    uint64_t commits;
    struct {
        char state[32], id[40];
    } introductions[MEET_INTRODUCTIONS];
};

struct meet {
    struct world world;
    struct judge judge;
    struct world_node *iris, *jo, *ana, *bruno;
    enum meet_kind kind;
    const char *first;
    struct world_node *parting; /* MEET_PART: who ends a link with Iris, or with whom she does */
    bool is_by_iris, is_blocking;
    bool is_blind, is_over, is_introduced, is_parted, has_looked;
    char uris[4][INVITATION_TEXT_SIZE_MAX];
    struct meet_seen seen[MEET_MEMBERS]; /* by number of the node */
};

struct meet_sum {
    bool has_copies;
    uint64_t linked, restored, cloned;
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

/* The introducer is linked with this one, or asks again. */
static bool meet_link(struct world_node *introducer, struct world_node *node, char *uri)
{
    if (judge_is_linked(introducer, node) && judge_is_linked(node, introducer))
        return true;
    if (uri[0] == '\0')
        world_op(introducer, "peer.invite", json_pack("{s:s}", "name", node->name), meet_on_uri,
                 uri);
    else
        world_op(node, "peer.accept", json_pack("{s:s}", "uri", uri), NULL, NULL);
    return false;
}

/* The introductions a member knows of; the state of one that is not is "". A store that has not
 * changed is not asked again, unless its clock was set. */
static const struct meet_seen *meet_look(struct meet *meet, struct world_node *node)
{
    struct meet_seen *seen = &meet->seen[node->number];
    uint64_t commits = kv_mem_commits_count(node->mem);
    json_t *list, *row;

    if (seen->commits == commits)
        return seen;
    *seen = (struct meet_seen){.commits = commits};
    list = world_read(node, "intro.list", json_object());
    for (size_t at = 0; at < MEET_INTRODUCTIONS; at++) {
        row = json_array_get(json_object_get(list, "introductions"), at);
        if (row == NULL)
            break;
        (void)snprintf(seen->introductions[at].state, sizeof seen->introductions[at].state, "%s",
                       json_string_value(json_object_get(row, "state")));
        (void)snprintf(seen->introductions[at].id, sizeof seen->introductions[at].id, "%s",
                       json_string_value(json_object_get(row, "id")));
    }
    json_decref(list);
    return seen;
}

static bool meet_stands(struct meet *meet, struct world_node *node, const char *state)
{
    const struct meet_seen *seen = meet_look(meet, node);

    return strcmp(seen->introductions[0].state, state) == 0 ||
           strcmp(seen->introductions[1].state, state) == 0;
}

static void meet_answer(struct meet *meet, struct world_node *node)
{
    bool declines = node == meet->bruno && meet->kind == MEET_DECLINE;
    const struct meet_seen *seen = meet_look(meet, node);

    for (size_t at = 0; at < MEET_INTRODUCTIONS; at++)
        if (strcmp(seen->introductions[at].state, "offered") == 0)
            world_op(node, declines ? "intro.decline" : "intro.accept",
                     json_pack("{s:s}", "id", seen->introductions[at].id), NULL, NULL);
}

static bool meet_introduce_by(struct meet *meet, struct world_node *introducer)
{
    if (meet_look(meet, introducer)->introductions[0].state[0] != '\0')
        return true;
    world_op(introducer, "introduce",
             json_pack("{s:s, s:s, s:s, s:s, s:b}", "a", meet->ana->name, "b", meet->bruno->name,
                       "why", "Boats.", "first", meet->first, "blind", meet->is_blind),
             NULL, NULL);
    return false;
}

static void meet_introduce(struct meet *meet)
{
    meet->is_introduced = meet_introduce_by(meet, meet->iris);
    if (meet->kind == MEET_TWICE)
        meet->is_introduced = meet_introduce_by(meet, meet->jo) && meet->is_introduced;
}

static void meet_power(struct meet *meet)
{
    struct world *world = &meet->world;
    struct world_node *nodes[] = {meet->iris, meet->ana, meet->bruno, meet->jo};
    struct world_node *node = nodes[world_draw(world, MEET_MEMBERS)];

    if (!node->is_up)
        world_start(node);
    else if (world_once_in(world, 3))
        world_crash(node);
    else if (world_once_in(world, 3))
        world_stop(node);
    else
        world_doom(node);
}

static void meet_part(struct meet *meet)
{
    struct world_node *by = meet->is_by_iris ? meet->iris : meet->parting;
    struct world_node *other = meet->is_by_iris ? meet->parting : meet->iris;

    /* Done, though the power was gone before anybody was told. */
    meet->is_parted = by->is_up && !judge_is_linked(by, other);
    if (meet->is_parted)
        return;
    world_op(by, meet->is_blocking ? "peer.block" : "peer.remove",
             json_pack("{s:s}", "who", other->name), meet_on_done, &meet->is_parted);
}

static bool meet_may_part(const struct meet *meet)
{
    return (meet->kind == MEET_PART || meet->kind == MEET_TWICE) && meet->is_introduced &&
           !meet->is_parted;
}

static void meet_do(struct world *world, struct world_node *nobody, void *data)
{
    struct meet *meet = data;
    bool is_linked = true;

    (void)nobody;
    if (!meet->is_introduced) {
        is_linked = meet_link(meet->iris, meet->ana, meet->uris[0]);
        is_linked = meet_link(meet->iris, meet->bruno, meet->uris[1]) && is_linked;
    }
    if (!meet->is_introduced && meet->kind == MEET_TWICE) {
        is_linked = meet_link(meet->jo, meet->ana, meet->uris[2]) && is_linked;
        is_linked = meet_link(meet->jo, meet->bruno, meet->uris[3]) && is_linked;
    }
    if (is_linked && !meet->is_introduced)
        meet_introduce(meet);
    meet_answer(meet, meet->ana);
    meet_answer(meet, meet->bruno);
    if (meet_may_part(meet) && world_once_in(world, 6))
        meet_part(meet);
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
    struct world_node *nodes[MEET_MEMBERS];

    meet->kind = (enum meet_kind)world_draw(world, MEET_KINDS);
    meet->first = firsts[world_draw(world, 3)];
    meet->is_blind = world_once_in(world, 2);
    meet->is_by_iris = world_once_in(world, 2);
    meet->is_blocking = world_once_in(world, 2);
    nodes[0] = meet->iris = world_init(world, "iris");
    nodes[1] = meet->ana = world_init(world, "ana");
    nodes[2] = meet->bruno = world_init(world, "bruno");
    nodes[3] = meet->jo = world_init(world, "jo");
    meet->parting = nodes[1 + world_draw(world, 2)];
    for (size_t at = 0; at < MEET_MEMBERS; at++) {
        nodes[at]->wall_offset_ms =
            (int64_t)world_draw(world, 6 * (uint64_t)MEET_DAY_MS) - INT64_C(3) * MEET_DAY_MS;
        meet_name(meet, nodes[at]);
        world_start(nodes[at]);
    }
    for (size_t at = 0; at < MEET_MEMBERS; at++)
        for (size_t other = 0; other < MEET_MEMBERS; other++)
            if (other == 1 || other == 2 ? at == 0 || at == 3 : at == 1 || at == 2)
                judge_met(&meet->judge, nodes[at]->person, nodes[other]->person);
}

/* Whoever is linked with an introducer is in step with them. A connection that one side lost may
 * take a while to be missed by the other, and one that stands still may do so beyond the bad time
 * and all the quiet looks after it. */
static bool meet_is_calm(struct meet *meet)
{
    struct world_node *introducers[] = {meet->iris, meet->jo}, *sides[] = {meet->ana, meet->bruno};
    bool is_calm = true;

    for (size_t at = 0; at < 4; at++) {
        struct world_node *by = introducers[at / 2], *side = sides[at % 2];

        if (judge_is_linked(by, side) && judge_is_linked(side, by))
            is_calm = is_calm && judge_is_settled(by, side);
    }
    return is_calm;
}

/* Both linked and in step, or neither; both where both agreed and nobody was removed. Whoever is
 * linked with the other waits for them in no introduction. */
static bool meet_is_settled(struct meet *meet)
{
    bool one = judge_is_linked(meet->ana, meet->bruno);
    bool other = judge_is_linked(meet->bruno, meet->ana);

    if (!meet_is_calm(meet))
        return false; /* All that is linked is compared. */
    switch (meet->kind) {
    case MEET_AGREE:
        return judge_is_settled(meet->ana, meet->bruno);
    case MEET_DECLINE:
        return meet_stands(meet, meet->iris, "closed") && !one && !other;
    case MEET_PART:
        return meet->is_parted && one == other &&
               (!one || judge_is_settled(meet->ana, meet->bruno));
    case MEET_TWICE:
        return meet->is_parted && judge_is_settled(meet->ana, meet->bruno) &&
               !meet_stands(meet, meet->ana, "greeted") &&
               !meet_stands(meet, meet->bruno, "greeted");
    case MEET_KINDS:
        break;
    }
    return false;
}

static enum err meet_write_nothing(void *what, struct ledger_txn *txn)
{
    (void)what;
    (void)txn;
    return ERR_OK;
}

/* Looks at what is due by the clock, as a node does from time to time, and calls everybody. */
static void meet_call(struct meet *meet, struct world_node *node)
{
    world_write(node, meet_write_nothing, NULL, meet_on_done, &meet->has_looked);
    world_op(node, "sync", json_object(), NULL, NULL);
}

static void meet_heal(struct meet *meet)
{
    static const char *const kinds[] = {"both agree", "Bruno declines", "one and Iris part",
                                        "one and Iris part, Jo introduces, too"};
    struct world *world = &meet->world;
    struct world_node *nodes[] = {meet->iris, meet->ana, meet->bruno, meet->jo};
    uint64_t until = world->now_ms + MEET_HEAL_MS;
    int64_t ahead = 0;
    unsigned quiet = 0;

    meet->is_over = true;
    /* Clocks are set, and by then the days have passed that the fastest was ahead. */
    for (size_t at = 0; at < MEET_MEMBERS; at++)
        if (nodes[at]->wall_offset_ms > ahead)
            ahead = nodes[at]->wall_offset_ms;
    for (size_t at = 0; at < MEET_MEMBERS; at++) {
        nodes[at]->wall_offset_ms = ahead;
        nodes[at]->doom = WORLD_SAFE;
        meet->seen[nodes[at]->number].commits = 0; /* An offer may be due by the clock alone. */
    }
    world->has_faults = false;
    world->islands_until_ms = 0;
    for (unsigned look = 0; world->now_ms < until && quiet < MEET_QUIET_LOOKS; look++) {
        for (size_t at = 0; at < MEET_MEMBERS; at++)
            if (!nodes[at]->is_up)
                world_start(nodes[at]);
            else if (look % 12 == 0)
                meet_call(meet, nodes[at]);
        world_run_until(world, world->now_ms + MEET_LOOK_MS);
        quiet = meet_is_settled(meet) ? quiet + 1 : 0;
    }
    if (quiet == 0)
        judge_fail(&meet->judge, "%s, %s first: ana %s bruno%s, bruno %s ana%s", kinds[meet->kind],
                   meet->first, judge_is_linked(meet->ana, meet->bruno) ? "has" : "has not",
                   meet_stands(meet, meet->ana, "greeted") ? " and waits" : "",
                   judge_is_linked(meet->bruno, meet->ana) ? "has" : "has not",
                   meet_stands(meet, meet->bruno, "greeted") ? " and waits" : "");
}

static void meet_live_copies(struct meet_sum *sum, struct seeds_one *one)
{
    struct introducing *introducing = world_memory(sizeof *introducing);
    const uint64_t *census = introducing->world.census;

    introducing_run(introducing, one->seed, one->is_talkative);
    sum->linked += judge_is_linked(introducing->nodes[ANA], introducing->nodes[BRUNO]);
    sum->restored += census[WORLD_RESTORE];
    sum->cloned += census[WORLD_CLONE];
    memcpy(one->failure, introducing->judge.failure, sizeof one->failure);
    introducing_end(introducing);
    free(introducing);
}

static void meet_live_alone(struct meet_sum *sum, struct seeds_one *one)
{
    struct meet *meet = world_memory(sizeof *meet);
    struct world *world = &meet->world;

    world_begin(world, one->seed);
    world->is_talkative = one->is_talkative;
    judge_begin(&meet->judge, world);
    meet_begin(meet);
    world->has_faults = true;
    world_after(world, 0, NULL, meet_do, meet);
    world_run_until(world, world->now_ms + MEET_BAD_MS);
    meet_heal(meet);
    if (judge_is_linked(meet->ana, meet->bruno)) {
        sum->linked++;
        judge_met(&meet->judge, meet->ana->person, meet->bruno->person);
        judge_met(&meet->judge, meet->bruno->person, meet->ana->person);
    }
    judge_all(&meet->judge);
    memcpy(one->failure, meet->judge.failure, sizeof one->failure);
    world_end(world);
    judge_end(&meet->judge);
    free(meet);
}

static void meet_live(void *self, struct seeds_one *one)
{
    struct meet_sum *sum = self;

    if (sum->has_copies)
        meet_live_copies(sum, one);
    else
        meet_live_alone(sum, one);
}

static bool meet_end(void *self, uint64_t count)
{
    const struct meet_sum *sum = self;

    (void)printf("%" PRIu64 " of %" PRIu64 " meetings end in a link", sum->linked, count);
    if (sum->has_copies)
        (void)printf("; machines went back %" PRIu64 " times and were cloned %" PRIu64 " times",
                     sum->restored, sum->cloned);
    (void)printf("\n");
    return true;
}

int main(int argc, char **argv)
{
    struct meet_sum sum = {.has_copies = false};
    const struct seeds seeds = {.what = "meetings",
                                .count = MEET_COUNT,
                                .every = MEET_CASE,
                                .flags = {{"--copies", &sum.has_copies}},
                                .live = meet_live,
                                .end = meet_end,
                                .self = &sum};

    return seeds_main(&seeds, argc, argv);
}
