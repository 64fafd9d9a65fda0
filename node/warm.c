/* Neighbours are looked at in four rows: who endorses, who is endorsed, who quotes, who is quoted.
 */
#include "node/warm.h"

enum { WARM_NONE = UINT32_MAX };

struct warm_search {
    const struct vouch_view *view;
    uint32_t me, to;
    uint32_t *budget;
    struct buf *out;
    size_t begun; /* where this search's ways begin in out */
};

/* Neighbour number at of a person; WARM_NONE behind the last. */
static uint32_t warm_neighbour(const struct vouch_view *view, uint32_t person, uint32_t at)
{
    const struct trust_graph *graph = vouch_trust(view);
    uint32_t in = graph->in_at[person + 1] - graph->in_at[person];
    uint32_t out = graph->out_at[person + 1] - graph->out_at[person], count;
    const uint32_t *quoters = vouch_quoters(view, person, &count), *quoted;

    if (at < in)
        return graph->in_from[graph->in_at[person] + at];
    at -= in;
    if (at < out)
        return graph->out_to[graph->out_at[person] + at];
    at -= out;
    if (at < count)
        return quoters[at];
    at -= count;
    quoted = vouch_quoted(view, person, &count);
    return at < count ? quoted[at] : WARM_NONE;
}

static struct warm_way *warm_ways(const struct warm_search *search, size_t *out_count)
{
    *out_count = (search->out->size - search->begun) / sizeof(struct warm_way);
    return (struct warm_way *)(void *)(search->out->data + search->begun);
}

/* One way for each last person before the end: the strongest. */
static enum err warm_add(struct warm_search *search, const struct warm_way *way)
{
    size_t count;
    struct warm_way *ways = search->out->size > search->begun ? warm_ways(search, &count) : NULL;

    for (size_t at = 0; ways != NULL && at < count; at++)
        if (ways[at].count == way->count &&
            ways[at].through[way->count - 1] == way->through[way->count - 1]) {
            if (way->least > ways[at].least)
                ways[at] = *way;
            return ERR_OK;
        }
    buf_append(search->out, span_of(way, sizeof *way));
    return buf_err(search->out);
}

static bool warm_may_be(const struct warm_search *search, uint32_t person)
{
    return person != search->me && person != search->to &&
           !trust_is_muted(search->view->flow, person);
}

static enum err warm_through_one(struct warm_search *search)
{
    enum err err = ERR_OK;
    uint32_t one;

    for (uint32_t at = 0; err == ERR_OK && *search->budget > 0 &&
                          (one = warm_neighbour(search->view, search->to, at)) != WARM_NONE;
         at++) {
        struct warm_way way = {.to = search->to,
                               .through = {one},
                               .count = 1,
                               .least = trust_amount(search->view->flow, one)};

        --*search->budget;
        if (warm_may_be(search, one) && trust_hop(search->view->flow, one) == 1)
            err = warm_add(search, &way);
    }
    return err;
}

/* The strongest friend who knows somebody that knows the one looked for. */
static enum err warm_through_two(struct warm_search *search, uint32_t last)
{
    struct trust_flow *flow = search->view->flow;
    struct warm_way way = {.to = search->to, .through = {WARM_NONE, last}, .count = 2};
    uint32_t friend_amount = 0, one;

    for (uint32_t at = 0;
         *search->budget > 0 && (one = warm_neighbour(search->view, last, at)) != WARM_NONE; at++) {
        --*search->budget;
        if (!warm_may_be(search, one) || trust_hop(flow, one) != 1 ||
            trust_amount(flow, one) <= friend_amount)
            continue;
        friend_amount = trust_amount(flow, one);
        way.through[0] = one;
    }
    if (way.through[0] == WARM_NONE)
        return ERR_OK;
    way.least = trust_amount(flow, last) < friend_amount ? trust_amount(flow, last) : friend_amount;
    return warm_add(search, &way);
}

static enum err warm_far(struct warm_search *search)
{
    enum err err = ERR_OK;
    uint32_t last;

    for (uint32_t at = 0; err == ERR_OK && *search->budget > 0 &&
                          (last = warm_neighbour(search->view, search->to, at)) != WARM_NONE;
         at++) {
        --*search->budget;
        if (warm_may_be(search, last) && trust_hop(search->view->flow, last) != 1)
            err = warm_through_two(search, last);
    }
    return err;
}

enum err warm_find(const struct vouch_view *view, uint32_t me, uint32_t to, bool is_far,
                   uint32_t *budget, struct buf *out)
{
    struct warm_search search = {
        .view = view, .me = me, .to = to, .budget = budget, .out = out, .begun = out->size};
    enum err err = warm_through_one(&search);

    return err == ERR_OK && is_far ? warm_far(&search) : err;
}

static enum err warm_from(struct warm_search *search, uint32_t branch, warm_fn each, void *self)
{
    const struct trust_friend *known = &search->view->friends[branch];
    enum err err = ERR_OK;
    uint32_t other;

    for (uint32_t at = 0; err == ERR_OK && *search->budget > 0 &&
                          (other = warm_neighbour(search->view, known->person, at)) != WARM_NONE;
         at++) {
        struct warm_way way = {
            .to = other, .through = {known->person}, .count = 1, .least = known->closeness};

        --*search->budget;
        if (warm_may_be(search, other) && other != known->person)
            err = each(self, &way);
    }
    return err;
}

enum err warm_ahead(const struct vouch_view *view, uint32_t me, uint32_t *budget, warm_fn each,
                    void *self)
{
    struct warm_search search = {.view = view, .me = me, .to = WARM_NONE, .budget = budget};
    enum err err = ERR_OK;

    for (enum closeness level = CLOSENESS_CLOSE; level <= CLOSENESS_MET; level++)
        for (uint32_t at = 0; err == ERR_OK && at < view->friends_count; at++)
            if (vouch_friend(view, at)->level == level)
                err = warm_from(&search, at, each, self);
    return err;
}
