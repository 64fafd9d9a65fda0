/* The flow from friends outwards, layer by layer, and from a person back to the branches. */
#include <string.h>

#include "crypto/heap.h"
#include "node/trust.h"

enum {
    TRUST_HOP_MUTED = 0xff,
    TRUST_UNSEEN = UINT32_MAX,
    TRUST_SHARES_MAX = 1 << 20 /* remembered for further questions: 8 MiB */
};

/* Of one person. */
struct trust_mind {
    uint64_t raw;     /* what came, before it was cut to 1 */
    uint64_t divisor; /* what its own share is divided by */
    uint32_t amount;
    uint32_t shares_at; /* TRUST_UNSEEN until somebody asks */
    uint32_t shares_count;
    uint32_t branch; /* of friends: their place in the list */
    uint8_t hop;
};

struct trust_flow {
    const struct trust_graph *graph;
    const struct trust_friend *friends;
    uint32_t friends_count;
    struct trust_mind *minds;
    uint32_t *reached; /* one layer after the other */
    uint32_t layers[TRUST_HOPS + 1];
    struct buf shares; /* struct trust_share */
    uint64_t *sums;    /* of each friend; all 0 between calls */
};

/* PROTOCOL TRUST-5: "f(u, x) = t(u) w(u, x) / (2 max(the sum of w(u, y) over all y, 4))." */
static uint64_t trust_divisor(const struct trust_flow *flow, uint32_t person)
{
    const struct trust_graph *graph = flow->graph;
    uint64_t sum = 0, least = (uint64_t)4 * TRUST_ONE;

    for (uint32_t edge = graph->out_at[person]; edge < graph->out_at[person + 1]; edge++)
        if (flow->minds[graph->out_to[edge]].hop != TRUST_HOP_MUTED)
            sum += graph->out_weight[edge];
    return 2 * (sum > least ? sum : least);
}

static void trust_pour(struct trust_flow *flow, uint32_t person, unsigned hop,
                       uint32_t *reached_count)
{
    const struct trust_graph *graph = flow->graph;
    struct trust_mind *mind = &flow->minds[person];

    mind->divisor = trust_divisor(flow, person);
    for (uint32_t edge = graph->out_at[person]; edge < graph->out_at[person + 1]; edge++) {
        struct trust_mind *other = &flow->minds[graph->out_to[edge]];

        if (other->hop == 0) {
            other->hop = (uint8_t)(hop + 1);
            flow->reached[(*reached_count)++] = graph->out_to[edge];
        }
        /* Nothing flows sideways or back. */
        if (other->hop == hop + 1)
            other->raw += (uint64_t)mind->amount * graph->out_weight[edge] / mind->divisor;
    }
}

static void trust_spread(struct trust_flow *flow)
{
    uint32_t count = flow->layers[1];

    for (unsigned hop = 1; hop < TRUST_HOPS; hop++) {
        for (uint32_t at = flow->layers[hop - 1]; at < flow->layers[hop]; at++)
            trust_pour(flow, flow->reached[at], hop, &count);
        for (uint32_t at = flow->layers[hop]; at < count; at++) {
            struct trust_mind *mind = &flow->minds[flow->reached[at]];

            mind->amount = (uint32_t)(mind->raw < TRUST_ONE ? mind->raw : TRUST_ONE);
        }
        flow->layers[hop + 1] = count;
    }
}

/* PROTOCOL TRUST-2: "Muted people, and every endorsement by or of them, are left out before
 * anything is counted." */
static void trust_begin(struct trust_flow *flow)
{
    for (uint32_t person = 0; person < flow->graph->people; person++)
        flow->minds[person].shares_at = TRUST_UNSEEN;
    for (uint32_t at = 0; at < flow->friends_count; at++) {
        const struct trust_friend *known = &flow->friends[at];
        struct trust_mind *mind = &flow->minds[known->person];

        if (mind->hop != 0)
            continue;
        mind->hop = known->closeness > 0 ? 1 : TRUST_HOP_MUTED;
        mind->amount = known->closeness;
        mind->raw = known->closeness;
        mind->branch = at;
        if (known->closeness > 0)
            flow->reached[flow->layers[1]++] = known->person;
    }
}

enum err trust_flow_new(const struct trust_graph *graph, const struct trust_friend *friends,
                        uint32_t count, struct trust_flow **out)
{
    struct trust_flow *flow = heap_new_zeroed(1, sizeof *flow);

    *out = NULL;
    if (flow == NULL)
        return ERR_NOMEM;
    flow->graph = graph;
    flow->friends = friends;
    flow->friends_count = count;
    flow->minds = heap_new_zeroed((size_t)graph->people + 1, sizeof *flow->minds);
    flow->reached = heap_new_zeroed((size_t)graph->people + 1, sizeof *flow->reached);
    flow->sums = heap_new_zeroed((size_t)count + 1, sizeof *flow->sums);
    if (flow->minds == NULL || flow->reached == NULL || flow->sums == NULL) {
        trust_flow_free(flow);
        return ERR_NOMEM;
    }
    for (uint32_t at = 0; at < count; at++)
        if (friends[at].person >= graph->people || friends[at].closeness > TRUST_ONE) {
            trust_flow_free(flow);
            return ERR_INVALID;
        }
    trust_begin(flow);
    trust_spread(flow);
    *out = flow;
    return ERR_OK;
}

void trust_flow_free(struct trust_flow *flow)
{
    if (flow == NULL)
        return;
    heap_free(flow->minds);
    heap_free(flow->reached);
    heap_free(flow->sums);
    buf_release(&flow->shares);
    heap_free(flow);
}

unsigned trust_hop(const struct trust_flow *flow, uint32_t person)
{
    uint8_t hop = flow->minds[person].hop;

    return hop == TRUST_HOP_MUTED ? 0 : hop;
}

uint32_t trust_amount(const struct trust_flow *flow, uint32_t person)
{
    return trust_hop(flow, person) > 0 ? flow->minds[person].amount : 0;
}

bool trust_is_muted(const struct trust_flow *flow, uint32_t person)
{
    return flow->minds[person].hop == TRUST_HOP_MUTED;
}

/* Branches. */

static const struct trust_share *trust_shares(const struct trust_flow *flow,
                                              const struct trust_mind *mind)
{
    return (const struct trust_share *)(const void *)flow->shares.data + mind->shares_at;
}

/* What gathered in sums becomes the shares of a person. PROTOCOL TRUST-6: "Where the flows into x
 * were more than 1 together, b(c, x) is divided by their sum." */
static enum err trust_keep_shares(struct trust_flow *flow, struct trust_mind *mind)
{
    uint32_t begin = (uint32_t)(flow->shares.size / sizeof(struct trust_share)), count = 0;

    for (uint32_t branch = 0; branch < flow->friends_count; branch++) {
        uint64_t sum = flow->sums[branch];
        struct trust_share share = {.branch = branch};

        flow->sums[branch] = 0;
        if (mind->raw > TRUST_ONE)
            sum = sum * TRUST_ONE / mind->raw;
        share.amount = (uint32_t)sum;
        if (sum == 0)
            continue;
        buf_append(&flow->shares, span_of(&share, sizeof share));
        count++;
    }
    if (buf_err(&flow->shares) != ERR_OK)
        return ERR_NOMEM;
    mind->shares_at = begin;
    mind->shares_count = count;
    return ERR_OK;
}

static bool trust_is_before(const struct trust_flow *flow, uint32_t from,
                            const struct trust_mind *mind)
{
    return flow->minds[from].hop + 1 == mind->hop;
}

/* PROTOCOL TRUST-6: "b(c, x) is the sum of b(c, u) w(u, x) / (2 max(the sum of w(u, y) over all y,
 * 4)) over the layer before." The layers before have their shares. */
static enum err trust_gather(struct trust_flow *flow, uint32_t person)
{
    const struct trust_graph *graph = flow->graph;
    struct trust_mind *mind = &flow->minds[person];

    if (mind->hop == 1)
        flow->sums[mind->branch] = mind->amount;
    for (uint32_t edge = graph->in_at[person]; edge < graph->in_at[person + 1]; edge++) {
        const struct trust_mind *before = &flow->minds[graph->in_from[edge]];

        if (!trust_is_before(flow, graph->in_from[edge], mind))
            continue;
        for (uint32_t at = 0; at < before->shares_count; at++) {
            const struct trust_share *share = &trust_shares(flow, before)[at];

            flow->sums[share->branch] +=
                (uint64_t)share->amount * graph->in_weight[edge] / before->divisor;
        }
    }
    return trust_keep_shares(flow, mind);
}

/* Hop by hop, so that everybody is asked once: first the friends, then who hangs on them. */
static enum err trust_find_shares(struct trust_flow *flow, uint32_t person, unsigned depth)
{
    const struct trust_graph *graph = flow->graph;
    struct trust_mind *mind = &flow->minds[person];
    enum err err = ERR_OK;

    if (mind->shares_at != TRUST_UNSEEN || depth == 0)
        return ERR_OK;
    for (uint32_t edge = graph->in_at[person]; err == ERR_OK && edge < graph->in_at[person + 1];
         edge++)
        if (mind->hop > 1 && trust_is_before(flow, graph->in_from[edge], mind))
            err = trust_find_shares(flow, graph->in_from[edge], depth - 1);
    return err == ERR_OK ? trust_gather(flow, person) : err;
}

enum err trust_branches(struct trust_flow *flow, uint32_t person, const struct trust_share **out,
                        uint32_t *out_count)
{
    struct trust_mind *mind = &flow->minds[person];
    enum err err;

    *out_count = 0;
    *out = NULL;
    if (trust_hop(flow, person) == 0)
        return ERR_OK;
    if (flow->shares.size / sizeof(struct trust_share) > TRUST_SHARES_MAX) {
        buf_clear(&flow->shares);
        for (uint32_t at = 0; at < flow->graph->people; at++)
            flow->minds[at].shares_at = TRUST_UNSEEN;
    }
    err = trust_find_shares(flow, person, TRUST_HOPS);
    if (err != ERR_OK)
        return err;
    *out = mind->shares_count > 0 ? trust_shares(flow, mind) : NULL;
    *out_count = mind->shares_count;
    return ERR_OK;
}

static uint64_t trust_share_of(struct trust_flow *flow, uint32_t person, uint32_t branch)
{
    const struct trust_mind *mind = &flow->minds[person];

    for (uint32_t at = 0; mind->shares_at != TRUST_UNSEEN && at < mind->shares_count; at++)
        if (trust_shares(flow, mind)[at].branch == branch)
            return trust_shares(flow, mind)[at].amount;
    return 0;
}

enum err trust_route(struct trust_flow *flow, uint32_t branch, uint32_t person,
                     uint32_t out[static TRUST_HOPS], uint32_t *out_count)
{
    const struct trust_graph *graph = flow->graph;
    const struct trust_share *shares;
    uint32_t count;
    unsigned hop = trust_hop(flow, person);
    enum err err = trust_branches(flow, person, &shares, &count);

    if (err != ERR_OK)
        return err;
    if (hop == 0 || trust_share_of(flow, person, branch) == 0)
        return ERR_NOT_FOUND;
    *out_count = hop;
    out[hop - 1] = person;
    for (; hop > 1; hop--) {
        uint64_t best = 0;

        for (uint32_t edge = graph->in_at[person]; edge < graph->in_at[person + 1]; edge++) {
            uint32_t before = graph->in_from[edge];
            uint64_t amount = flow->minds[before].hop + 1u == hop
                                  ? trust_share_of(flow, before, branch) * graph->in_weight[edge]
                                  : 0;

            if (amount > best) {
                best = amount;
                out[hop - 2] = before;
            }
        }
        if (best == 0)
            return ERR_NOT_FOUND;
        person = out[hop - 2];
    }
    return ERR_OK;
}

/* Claims. */

/* PROTOCOL TRUST-7: "m(c) = min(39321, the sum of a(i) b(c, i) over the issuers)." */
static enum err trust_collect(struct trust_flow *flow, const struct trust_word *words,
                              uint32_t count, uint64_t *out_for)
{
    const struct trust_share *shares;
    uint32_t shares_count;
    enum err err = ERR_OK;

    for (uint32_t word = 0; err == ERR_OK && word < count; word++) {
        err = trust_branches(flow, words[word].issuer, &shares, &shares_count);
        for (uint32_t at = 0; err == ERR_OK && at < shares_count; at++)
            out_for[shares[at].branch] +=
                (uint64_t)words[word].fade * shares[at].amount / TRUST_ONE;
    }
    return err;
}

enum err trust_claim(struct trust_flow *flow, const struct trust_word *words, uint32_t count,
                     uint32_t *out)
{
    uint64_t *amounts = heap_new_zeroed((size_t)flow->friends_count + 1, sizeof *amounts);
    uint64_t doubt = TRUST_ONE;
    enum err err = amounts != NULL ? trust_collect(flow, words, count, amounts) : ERR_NOMEM;

    /* PROTOCOL TRUST-7: "P begins as 1; friend after friend, in the ascending order of their roots,
     * it becomes P (1 - m(c)), rounded up; S = 1 - P." */
    for (uint32_t branch = 0; err == ERR_OK && branch < flow->friends_count; branch++) {
        uint64_t part = amounts[branch] < TRUST_KAPPA ? amounts[branch] : TRUST_KAPPA;

        doubt = (doubt * (TRUST_ONE - part) + TRUST_ONE - 1) / TRUST_ONE;
    }
    *out = (uint32_t)(TRUST_ONE - doubt);
    heap_free(amounts);
    return err;
}
