/* From endorsements to weights between people: both ways round, each two people once. */
#include "node/trust.h"

#include <string.h>

#include "crypto/heap.h"

enum { TRUST_HALF_LIFE_DAYS = 730, TRUST_FADE_STEPS = 32, TRUST_SWAP_DAYS = 30 };

/* PROTOCOL TRUST-3: "T is 65536, 64132, 62757, 61413, 60097, 58809, 57549, 56316, 55109, 53928,
 * 52773, 51642, 50535, 49452, 48393, 47356, 46341, 45348, 44376, 43425, 42495, 41584, 40693, 39821,
 * 38968, 38133, 37316, 36516, 35734, 34968, 34219, 33486, 32768." */
static const uint32_t trust_fades[TRUST_FADE_STEPS + 1] = {
    65536, 64132, 62757, 61413, 60097, 58809, 57549, 56316, 55109, 53928, 52773,
    51642, 50535, 49452, 48393, 47356, 46341, 45348, 44376, 43425, 42495, 41584,
    40693, 39821, 38968, 38133, 37316, 36516, 35734, 34968, 34219, 33486, 32768};

/* PROTOCOL TRUST-3: "After d days there is left (T(i) - (T(i) - T(i + 1)) q / 730) / 2^h, where h =
 * d / 730, i = 32 (d mod 730) / 730 and q the rest of that division." */
uint32_t trust_fade(uint32_t days)
{
    uint32_t halvings = days / TRUST_HALF_LIFE_DAYS;
    uint32_t place = days % TRUST_HALF_LIFE_DAYS * TRUST_FADE_STEPS;
    uint32_t at = place / TRUST_HALF_LIFE_DAYS, rest = place % TRUST_HALF_LIFE_DAYS;
    uint32_t drop = trust_fades[at] - trust_fades[at + 1];

    return halvings > 16 ? 0 : (trust_fades[at] - drop * rest / TRUST_HALF_LIFE_DAYS) >> halvings;
}

/* PROTOCOL TRUST-4: "Its factor is 1 for worked with, managed, was managed by and client, 3/4 for
 * taught, studied and volunteered, 1/2 for know personally." */
static uint32_t trust_factor(enum relation relation)
{
    switch (relation) {
    case RELATION_WORKED_WITH:
    case RELATION_MANAGED:
    case RELATION_WAS_MANAGED_BY:
    case RELATION_CLIENT:
        return TRUST_ONE;
    case RELATION_TAUGHT:
    case RELATION_STUDIED:
    case RELATION_VOLUNTEERED:
        return TRUST_ONE / 4 * 3;
    case RELATION_KNOW_PERSONALLY:
        break;
    }
    return TRUST_ONE / 2;
}

/* What is needed while a graph is made. */
struct trust_making {
    struct trust_vouch *vouches; /* by who vouches, once sorted */
    uint32_t people, count, today;
    uint32_t *in_at, *in; /* by whom they are about: places in vouches */
    uint32_t *mark;       /* of each person */
};

/* Beginnings of groups out of counts: at[n + 1] holds how many group n has. */
static void trust_sum(uint32_t *at, uint32_t groups)
{
    for (uint32_t group = 0; group < groups; group++)
        at[group + 1] += at[group];
}

/* Where each group begins, after it has been filled: what moved on moves back. */
static void trust_rewind(uint32_t *at, uint32_t groups)
{
    memmove(at + 1, at, groups * sizeof *at);
    at[0] = 0;
}

/* Brings vouches into the order of who vouches, each where it belongs. */
static enum err trust_sort(struct trust_making *making, uint32_t *out_at)
{
    struct trust_vouch *sorted = heap_new_zeroed(making->count + 1, sizeof *sorted);

    if (sorted == NULL)
        return ERR_NOMEM;
    for (uint32_t at = 0; at < making->count; at++)
        out_at[making->vouches[at].from + 1]++;
    trust_sum(out_at, making->people);
    for (uint32_t at = 0; at < making->count; at++)
        sorted[out_at[making->vouches[at].from]++] = making->vouches[at];
    trust_rewind(out_at, making->people);
    if (making->count > 0)
        memcpy(making->vouches, sorted, making->count * sizeof *sorted);
    heap_free(sorted);
    return ERR_OK;
}

static void trust_turn(struct trust_making *making)
{
    for (uint32_t at = 0; at < making->count; at++)
        making->in_at[making->vouches[at].to + 1]++;
    trust_sum(making->in_at, making->people);
    for (uint32_t at = 0; at < making->count; at++)
        making->in[making->in_at[making->vouches[at].to]++] = at;
    trust_rewind(making->in_at, making->people);
}

static bool trust_shares_tag(const struct trust_vouch *left, const struct trust_vouch *right)
{
    for (size_t one = 0; one < left->tags_count; one++)
        for (size_t other = 0; other < right->tags_count; other++)
            if (left->tags[one] == right->tags[other] && left->tags[one] != 0)
                return true;
    return false;
}

/* PROTOCOL TRUST-4: "It is halved where the subject endorses the issuer too, for one of the same
 * tags, the days of issue at most 30 apart." */
static bool trust_is_swap(const struct trust_making *making, const struct trust_vouch *vouch)
{
    for (uint32_t at = making->in_at[vouch->from]; at < making->in_at[vouch->from + 1]; at++) {
        const struct trust_vouch *other = &making->vouches[making->in[at]];
        uint32_t apart =
            other->day > vouch->day ? other->day - vouch->day : vouch->day - other->day;

        if (other->from == vouch->to && apart <= TRUST_SWAP_DAYS && trust_shares_tag(vouch, other))
            return true;
    }
    return false;
}

static uint32_t trust_weigh(const struct trust_making *making, const struct trust_vouch *vouch,
                            bool may_be_swap)
{
    uint32_t age = making->today > vouch->day ? making->today - vouch->day : 0;
    uint64_t weight =
        (uint64_t)trust_factor((enum relation)vouch->relation) * trust_fade(age) / TRUST_ONE;

    return (uint32_t)(may_be_swap && trust_is_swap(making, vouch) ? weight / 2 : weight);
}

/* The edges of one person: PROTOCOL TRUST-4: "The weight w(u, x) of an edge is the greatest of
 * those of the endorsements it stands for." */
static void trust_put_edges(struct trust_making *making, const uint32_t *vouches_at, uint32_t from,
                            struct trust_graph *graph)
{
    uint32_t first = graph->edges;

    /* Who endorses this person, each marked; only those can have swapped. */
    for (uint32_t at = making->in_at[from]; at < making->in_at[from + 1]; at++)
        making->mark[making->vouches[making->in[at]].from] = UINT32_MAX;
    for (uint32_t at = vouches_at[from]; at < vouches_at[from + 1]; at++) {
        const struct trust_vouch *vouch = &making->vouches[at];
        uint32_t mark = making->mark[vouch->to];
        uint32_t weight = trust_weigh(making, vouch, mark != 0);
        bool is_known =
            mark > first && mark <= graph->edges && graph->out_to[mark - 1] == vouch->to;
        uint32_t edge = is_known ? mark - 1 : graph->edges;

        if (!is_known) {
            graph->out_to[edge] = vouch->to;
            graph->out_weight[edge] = 0;
            making->mark[vouch->to] = ++graph->edges;
        }
        if (weight > graph->out_weight[edge])
            graph->out_weight[edge] = weight;
    }
    for (uint32_t at = making->in_at[from]; at < making->in_at[from + 1]; at++)
        making->mark[making->vouches[making->in[at]].from] = 0;
    for (uint32_t edge = first; edge < graph->edges; edge++)
        making->mark[graph->out_to[edge]] = 0;
    graph->out_at[from + 1] = graph->edges;
}

static void trust_put_back(struct trust_graph *graph)
{
    for (uint32_t edge = 0; edge < graph->edges; edge++)
        graph->in_at[graph->out_to[edge] + 1]++;
    trust_sum(graph->in_at, graph->people);
    for (uint32_t from = 0; from < graph->people; from++)
        for (uint32_t edge = graph->out_at[from]; edge < graph->out_at[from + 1]; edge++) {
            uint32_t place = graph->in_at[graph->out_to[edge]]++;

            graph->in_from[place] = from;
            graph->in_weight[place] = graph->out_weight[edge];
        }
    trust_rewind(graph->in_at, graph->people);
}

static enum err trust_make(struct trust_making *making, uint32_t *vouches_at,
                           struct trust_graph *graph)
{
    enum err err = trust_sort(making, vouches_at);

    if (err != ERR_OK)
        return err;
    trust_turn(making);
    for (uint32_t from = 0; from < making->people; from++)
        trust_put_edges(making, vouches_at, from, graph);
    trust_put_back(graph);
    return ERR_OK;
}

static uint32_t *trust_places(size_t count)
{
    return heap_new_zeroed(count + 1, sizeof(uint32_t));
}

enum err trust_graph_make(uint32_t people, struct trust_vouch *vouches, uint32_t count,
                          uint32_t today, struct trust_graph *out)
{
    struct trust_making making = {
        .vouches = vouches, .people = people, .count = count, .today = today};
    uint32_t *vouches_at = trust_places((size_t)people + 1);
    enum err err = ERR_NOMEM;

    *out = (struct trust_graph){.people = people,
                                .out_at = trust_places((size_t)people + 1),
                                .out_to = trust_places(count),
                                .out_weight = trust_places(count),
                                .in_at = trust_places((size_t)people + 1),
                                .in_from = trust_places(count),
                                .in_weight = trust_places(count)};
    making.in_at = trust_places((size_t)people + 1);
    making.in = trust_places(count);
    making.mark = trust_places(people);
    if (vouches_at != NULL && out->out_at != NULL && out->out_to != NULL &&
        out->out_weight != NULL && out->in_at != NULL && out->in_from != NULL &&
        out->in_weight != NULL && making.in_at != NULL && making.in != NULL && making.mark != NULL)
        err = ERR_OK;
    for (uint32_t at = 0; at < count; at++)
        if (vouches[at].from >= people || vouches[at].to >= people)
            err = err == ERR_OK ? ERR_INVALID : err;
    if (err == ERR_OK)
        err = trust_make(&making, vouches_at, out);
    heap_free(vouches_at);
    heap_free(making.in_at);
    heap_free(making.in);
    heap_free(making.mark);
    if (err != ERR_OK)
        trust_graph_release(out);
    return err;
}

void trust_graph_release(struct trust_graph *graph)
{
    heap_free(graph->out_at);
    heap_free(graph->out_to);
    heap_free(graph->out_weight);
    heap_free(graph->in_at);
    heap_free(graph->in_from);
    heap_free(graph->in_weight);
    *graph = (struct trust_graph){0};
}
