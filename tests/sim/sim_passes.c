/*
 * Asks in random worlds, one from each seed: Ana asks Ben and Cyn, who both know Dan, who knows
 * Eve. Whoever has the ask passes it on, in some worlds Ana closes it in the middle, while
 * connections are cut, delayed and refused, machines lose power, and each clock is up to half a day
 * off. Then all is mended: everybody within the limit has it once, nobody beyond it, nothing was
 * refused, and whoever has what is closed knows so.
 *
 *   sim_passes [--seed N | --from N --count N] [--trace]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/judge.h"
#include "tests/sim/net.h"
#include "tests/sim/seeds.h"

enum {
    PASSES_COUNT = 200,
    PASSES_NODES = 5,
    PASSES_LINKS = 5,
    PASSES_BAD_MS = 300 * 1000,
    PASSES_HEAL_MS = 60 * 60 * 1000,
    PASSES_LOOK_MS = 5000,
    PASSES_AGAIN_MS = 8000,
    PASSES_QUIET = 12, /* looks in a row at which all is well */
    PASSES_DAY_MS = 24 * 3600 * 1000
};

enum { ANA, BEN, CYN, DAN, EVE };

static const struct {
    size_t one, other, depth; /* depth: of the other by this way */
} passes_links[PASSES_LINKS] = {
    {ANA, BEN, 1}, {ANA, CYN, 1}, {BEN, DAN, 2}, {CYN, DAN, 2}, {DAN, EVE, 3}};

struct passes {
    struct world world;
    struct judge judge;
    struct world_node *nodes[PASSES_NODES];
    char uris[PASSES_LINKS][INVITATION_TEXT_SIZE_MAX];
    const char *hops, *name;
    bool closes, is_over;
    char failure[200];
};

/* What a member sees of the ask. */
struct passes_look {
    char state[32], id[40];
    size_t rows, ways, passed_to;
};

static void passes_see(struct world_node *node, struct passes_look *out)
{
    json_t *list = world_read(node, "ask.list", json_pack("{s:b}", "all", true));
    json_t *asks = json_object_get(list, "asks"), *row = json_array_get(asks, 0);
    const char *state = json_string_value(json_object_get(row, "state"));
    const char *id = json_string_value(json_object_get(row, "id"));

    *out = (struct passes_look){.rows = json_array_size(asks)};
    (void)snprintf(out->state, sizeof out->state, "%s", state != NULL ? state : "");
    (void)snprintf(out->id, sizeof out->id, "%s", id != NULL ? id : "");
    out->ways = json_object_get(row, "from") != NULL
                    ? 1 + json_array_size(json_object_get(row, "also_from"))
                    : 0;
    out->passed_to = json_array_size(json_object_get(row, "passed_to"));
    json_decref(list);
}

static size_t passes_refused(struct world_node *node)
{
    json_t *log = world_read(node, "log", json_object()), *row;
    size_t at, count = 0;

    json_array_foreach(json_object_get(log, "events"), at, row)
    {
        const char *text = json_string_value(json_object_get(row, "text"));

        count += text != NULL && strstr(text, "handed on something") != NULL;
    }
    json_decref(log);
    return count;
}

/* What people do. */

static void passes_on_uri(struct world_node *node, void *self, enum err err,
                          const struct op_call *call)
{
    char *uri = self;

    (void)node;
    if (err == ERR_OK && uri[0] == '\0')
        (void)snprintf(uri, INVITATION_TEXT_SIZE_MAX, "%s",
                       json_string_value(json_object_get(call->result, "uri")));
}

static bool passes_is_linked(struct passes *passes, size_t link)
{
    struct world_node *one = passes->nodes[passes_links[link].one];
    struct world_node *other = passes->nodes[passes_links[link].other];

    return judge_is_linked(one, other) && judge_is_linked(other, one);
}

static bool passes_link(struct passes *passes, size_t link)
{
    struct world_node *one = passes->nodes[passes_links[link].one];
    struct world_node *other = passes->nodes[passes_links[link].other];
    char *uri = passes->uris[link];

    if (passes_is_linked(passes, link))
        return true;
    if (uri[0] == '\0')
        world_op(one, "peer.invite", json_pack("{s:s}", "name", other->name), passes_on_uri, uri);
    else
        world_op(other, "peer.accept", json_pack("{s:s}", "uri", uri), NULL, NULL);
    return false;
}

static void passes_post(struct passes *passes)
{
    struct passes_look look;

    passes_see(passes->nodes[ANA], &look);
    if (look.rows == 0)
        world_op(passes->nodes[ANA], "ask.post",
                 json_pack("{s:s, s:s, s:s, s:s}", "text", "A boat shed for the winter.", "title",
                           "Boat shed", "hops", passes->hops, "name", passes->name),
                 NULL, NULL);
    else if (passes->closes && strcmp(look.state, "open") == 0 && world_once_in(&passes->world, 9))
        world_op(passes->nodes[ANA], "ask.close", json_pack("{s:s}", "id", look.id), NULL, NULL);
}

/* Whoever has it and has not passed it on does, sooner or later. */
static void passes_pass(struct passes *passes, size_t link)
{
    struct world_node *giver = passes->nodes[passes_links[link].one];
    struct world_node *taker = passes->nodes[passes_links[link].other];
    struct passes_look look;

    passes_see(giver, &look);
    if (look.rows == 0 || look.passed_to > 0 || strcmp(look.state, "closed") == 0 ||
        !world_once_in(&passes->world, 2))
        return;
    world_op(giver, "ask.pass", json_pack("{s:s, s:[s]}", "id", look.id, "to", taker->name), NULL,
             NULL);
}

static void passes_power(struct passes *passes)
{
    struct world *world = &passes->world;
    struct world_node *node = passes->nodes[world_draw(world, PASSES_NODES)];

    if (!node->is_up)
        world_start(node);
    else if (world_once_in(world, 2))
        world_crash(node);
    else
        world_stop(node);
}

static void passes_do(struct world *world, struct world_node *nobody, void *data)
{
    struct passes *passes = data;
    bool is_linked = true;

    (void)nobody;
    for (size_t link = 0; link < PASSES_LINKS; link++)
        is_linked = passes_link(passes, link) && is_linked;
    if (passes_is_linked(passes, 0) && passes_is_linked(passes, 1))
        passes_post(passes);
    for (size_t link = 2; link < PASSES_LINKS; link++)
        if (passes_is_linked(passes, link))
            passes_pass(passes, link);
    if (!passes->is_over && world_once_in(world, 3))
        passes_power(passes);
    world_after(world, PASSES_AGAIN_MS + world_draw(world, 4000), NULL, passes_do, passes);
}

/* What must be so in the end. */

static bool passes_wrong(struct passes *passes, size_t who, const char *what)
{
    (void)snprintf(passes->failure, sizeof passes->failure, "%s: %s (hops %s, %s%s)",
                   passes->nodes[who]->name, what, passes->hops, passes->name,
                   passes->closes ? ", closed" : "");
    return false;
}

static bool passes_is_well_at(struct passes *passes, size_t who, size_t depth)
{
    bool is_within = depth <= (size_t)(passes->hops[0] - '0');
    struct passes_look look;

    passes_see(passes->nodes[who], &look);
    if (look.rows > 1)
        return passes_wrong(passes, who, "has it more than once");
    if (!is_within && look.rows > 0)
        return passes_wrong(passes, who, "has it beyond the limit");
    if (passes_refused(passes->nodes[who]) > 0)
        return passes_wrong(passes, who, "refused something");
    if (!is_within || (passes->closes && look.rows == 0))
        return true;
    if (look.rows == 0)
        return passes_wrong(passes, who, "has not got it");
    if (passes->closes && strcmp(look.state, "closed") != 0)
        return passes_wrong(passes, who, "does not know that it is closed");
    if (!passes->closes && who == DAN && look.ways != 2)
        return passes_wrong(passes, who, "does not know both ways");
    return true;
}

static bool passes_is_well(struct passes *passes)
{
    struct passes_look look;

    passes_see(passes->nodes[ANA], &look);
    if (strcmp(look.state, passes->closes ? "closed" : "open") != 0 || look.rows != 1)
        return passes_wrong(passes, ANA, "has not asked, or not closed");
    for (size_t link = 0; link < PASSES_LINKS; link++)
        if (!judge_is_settled(passes->nodes[passes_links[link].one],
                              passes->nodes[passes_links[link].other]))
            return passes_wrong(passes, passes_links[link].other, "is not linked and in step");
    for (size_t link = 0; link < PASSES_LINKS; link++)
        if (!passes_is_well_at(passes, passes_links[link].other, passes_links[link].depth))
            return false;
    return true;
}

static void passes_heal(struct passes *passes)
{
    struct world *world = &passes->world;
    uint64_t until = world->now_ms + PASSES_HEAL_MS;
    unsigned quiet = 0;

    passes->is_over = true;
    world->has_faults = false;
    world->islands_until_ms = 0;
    for (unsigned look = 0; world->now_ms < until && quiet < PASSES_QUIET; look++) {
        for (size_t at = 0; at < PASSES_NODES; at++)
            if (!passes->nodes[at]->is_up)
                world_start(passes->nodes[at]);
            else if (look % 12 == 0)
                world_op(passes->nodes[at], "sync", json_object(), NULL, NULL);
        world_run_until(world, world->now_ms + PASSES_LOOK_MS);
        quiet = passes_is_well(passes) ? quiet + 1 : 0;
    }
    if (quiet == 0)
        judge_fail(&passes->judge, "%s", passes->failure);
}

static void passes_begin(struct passes *passes)
{
    static const char *const names[PASSES_NODES] = {"ana", "ben", "cyn", "dan", "eve"};
    static const char *const hops[] = {"1", "2", "3"};
    static const char *const namings[] = {"always", "first", "on-request"};
    struct world *world = &passes->world;

    passes->hops = hops[world_draw(world, 3)];
    passes->name = namings[world_draw(world, 3)];
    passes->closes = world_once_in(world, 2);
    for (size_t at = 0; at < PASSES_NODES; at++) {
        passes->nodes[at] = world_init(world, names[at]);
        passes->nodes[at]->wall_offset_ms =
            (int64_t)world_draw(world, PASSES_DAY_MS) - PASSES_DAY_MS / 2;
        world_start(passes->nodes[at]);
    }
    for (size_t link = 0; link < PASSES_LINKS; link++) {
        size_t one = passes->nodes[passes_links[link].one]->person;
        size_t other = passes->nodes[passes_links[link].other]->person;

        judge_met(&passes->judge, one, other);
        judge_met(&passes->judge, other, one);
    }
}

static void passes_live(void *self, struct seeds_one *one)
{
    struct passes *passes = world_memory(sizeof *passes);
    struct world *world = &passes->world;

    (void)self;
    world_begin(world, one->seed);
    world->is_talkative = one->is_talkative;
    judge_begin(&passes->judge, world);
    passes_begin(passes);
    world->has_faults = true;
    world_after(world, 0, NULL, passes_do, passes);
    world_run_until(world, world->now_ms + PASSES_BAD_MS);
    passes_heal(passes);
    judge_all(&passes->judge);
    memcpy(one->failure, passes->judge.failure, sizeof one->failure);
    world_end(world);
    judge_end(&passes->judge);
    free(passes);
}

int main(int argc, char **argv)
{
    const struct seeds seeds = {
        .what = "worlds of asks", .count = PASSES_COUNT, .live = passes_live};

    return seeds_main(&seeds, argc, argv);
}
