/* Who asks, who will pass it on to whom, and who will answer: drawn before anything happens, so
 * that the links it takes can be made first. */
#include "tests/sim/spread.h"

#include <stdio.h>
#include <string.h>

enum {
    SPREAD_POST_DAYS = 4,  /* in which all are posted */
    SPREAD_CLOSE_PART = 4, /* one in so many is closed in the middle */
    SPREAD_REPLY_PART = 5,
    SPREAD_FOUL_MAX = 3 /* of one ask, how many try a link more */
};

struct spread_role *spread_role(const struct spread_ask *ask, size_t member)
{
    return ask->role_of[member] != SPREAD_NOBODY ? &ask->roles[ask->role_of[member]] : NULL;
}

static void spread_plan_add(struct spread *spread, struct spread_ask *ask, size_t member,
                            uint8_t depth)
{
    if (member == ask->author || ask->role_of[member] != SPREAD_NOBODY)
        return;
    ask->role_of[member] = (uint16_t)ask->roles_count;
    ask->roles[ask->roles_count++] = (struct spread_role){
        .member = (uint16_t)member,
        .depth = depth,
        .passes = depth < ASK_HOPS_MAX && world_once_in(&spread->world, spread->options.every),
        .replies = world_once_in(&spread->world, SPREAD_REPLY_PART),
        .foul_to = SPREAD_NOBODY};
}

/* The author's own peers have it already. */
static void spread_plan_pass(struct spread *spread, struct spread_ask *ask,
                             struct spread_role *role)
{
    const struct graph_person *person = &spread->graph->people[role->member];
    size_t first = world_draw(&spread->world, person->count);

    for (size_t at = 0; at < person->count && role->to_count < ASK_PASSES_MAX; at++) {
        uint16_t to = person->links[(first + at) % person->count];
        const struct spread_role *known = spread_role(ask, to);

        if (to == ask->author || (known != NULL && known->depth == 1))
            continue;
        role->to[role->to_count++] = to;
        spread_plan_add(spread, ask, to, (uint8_t)(role->depth + 1));
    }
}

/* Somebody at the limit has a neighbour who must never have it. */
static void spread_plan_foul(struct spread *spread, struct spread_ask *ask)
{
    size_t count = 0;

    for (size_t at = 0; at < ask->roles_count && count < SPREAD_FOUL_MAX; at++) {
        struct spread_role *role = &ask->roles[at];
        const struct graph_person *person = &spread->graph->people[role->member];

        if (role->depth < ASK_HOPS_MAX)
            continue;
        for (size_t link = 0; link < person->count && role->foul_to == SPREAD_NOBODY; link++)
            if (person->links[link] != ask->author && spread_role(ask, person->links[link]) == NULL)
                role->foul_to = person->links[link];
        count += role->foul_to != SPREAD_NOBODY;
    }
}

static bool spread_plan_has_asked(const struct spread *spread, size_t asks, size_t member)
{
    for (size_t at = 0; at < asks; at++)
        if (spread->asks[at].author == member)
            return true;
    return false;
}

static void spread_plan_one(struct spread *spread, size_t number)
{
    struct spread_ask *ask = &spread->asks[number];
    const struct graph *graph = spread->graph;
    struct world *world = &spread->world;

    do
        ask->author = (uint16_t)world_draw(world, graph->count);
    while (graph->people[ask->author].count == 0 ||
           spread_plan_has_asked(spread, number, ask->author));
    ask->role_of = world_memory(graph->count * sizeof *ask->role_of);
    ask->roles = world_memory(graph->count * sizeof *ask->roles);
    memset(ask->role_of, 0xff, graph->count * sizeof *ask->role_of);
    (void)snprintf(ask->title, sizeof ask->title, "Ask %zu", number);
    ask->post_ms = world_draw(world, (uint64_t)SPREAD_POST_DAYS * SPREAD_DAY_MS);
    if (number % SPREAD_CLOSE_PART == SPREAD_CLOSE_PART - 1)
        ask->close_ms =
            ask->post_ms + world_draw(world, (uint64_t)SPREAD_POST_DAYS * SPREAD_DAY_MS);
    for (size_t link = 0; link < graph->people[ask->author].count; link++)
        spread_plan_add(spread, ask, graph->people[ask->author].links[link], 1);
    for (size_t at = 0; at < ask->roles_count; at++)
        if (ask->roles[at].passes)
            spread_plan_pass(spread, ask, &ask->roles[at]);
    ask->roles[ask->roles_count - 1].replies = true; /* From as far away as there is one. */
    spread_plan_foul(spread, ask);
}

void spread_plan(struct spread *spread)
{
    spread->asks = world_memory(spread->options.asks * sizeof *spread->asks);
    for (size_t at = 0; at < spread->options.asks; at++)
        spread_plan_one(spread, at);
}
