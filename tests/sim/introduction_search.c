/* One introduction, and as many devices as there are. See introduction_search.h. */
#include "tests/sim/introduction_search.h"

#include "tests/sim/worlds.h"

enum { I1, I2, A1, A2, B1, NODES };

enum { BEFORE = 0, PAST = 1, LONG_PAST = 2 };

struct world {
    uint32_t known[NODES];
    uint8_t clock[3]; /* of introducer, A, B: none agrees with another */
    uint8_t link[2];
    uint8_t has_place[2];
    uint8_t dropped[2];
    uint8_t is_linked; /* the two, by another way */
    uint8_t pad[2];
};

struct search {
    const struct introduction_setting *setting;
    struct introduction_found *found;
    struct worlds worlds;
    bool is_dropping; /* the variant in which deleting forgets */
};

/* Who is where. */

static unsigned search_party(unsigned node)
{
    return node <= I2 ? 0 : node <= A2 ? 1 : 2;
}

static bool search_is_there(const struct introduction_setting *setting, unsigned node)
{
    return (node != I2 || setting->has_twin_i) && (node != A2 || setting->has_twin_a);
}

static uint32_t search_side(const struct world *world, unsigned node, unsigned side)
{
    return world->known[node] >> (side * SIDE) & SIDE_MASK;
}

static void search_learn(struct world *world, unsigned node, unsigned side, uint32_t facts)
{
    world->known[node] |= facts << (side * SIDE);
}

/* The product's judgement of what a device knows. */

static uint64_t search_now(const struct world *world, unsigned party)
{
    static const uint64_t days[] = {1, 22, 40};

    return days[world->clock[party]] * UINT64_C(86400000);
}

static void search_judge(const struct search *search, const struct world *world, unsigned node,
                         struct introduction_verdict *out)
{
    unsigned side = search_party(node) - 1;
    uint32_t facts = search_side(world, node, side);
    struct introduction_facts seen = {.has_offer = (facts & OFFER) != 0,
                                      .has_withdraw = (facts & WITHDRAW) != 0,
                                      .has_release = (facts & RELEASE) != 0 && (facts & YES) != 0,
                                      .has_hello = (facts & RELAY) != 0 && (facts & RELEASE) != 0,
                                      .said_yes = (facts & YES) != 0,
                                      .said_no = (facts & NO) != 0,
                                      .said_retract = (facts & RETRACT) != 0,
                                      .said_hello = (facts & HELLO) != 0,
                                      .has_met = (facts & MET) != 0,
                                      .is_peer = world->link[side] != CUT_BY_SIDE,
                                      .is_suppressed = search->setting->is_suppressed[side],
                                      .is_auto = search->setting->is_auto[side],
                                      .has_place = world->has_place[side] != 0,
                                      .was_gone = (facts & GONE) != 0,
                                      .is_confirmed = (facts & CONFIRMED) != 0,
                                      .has_run_out = true,
                                      .now_ms = search_now(world, side + 1),
                                      .issued_ms = 1,
                                      .expires_ms = UINT64_C(21) * 86400000};

    search->setting->judge(&seen, out);
    if (search->is_dropping && world->dropped[side] && out->state == INTRODUCTION_CONNECTED)
        out->state = INTRODUCTION_LAPSED;
}

static void search_judge_plan(const struct search *search, const struct world *world, unsigned node,
                              struct introduction_plan_verdict *out)
{
    struct introduction_plan_facts seen = {.is_parallel = search->setting->is_parallel,
                                           .first = search->setting->first,
                                           .is_ended = (world->known[node] & ENDED) != 0,
                                           .now_ms = search_now(world, 0),
                                           .expires_ms = UINT64_C(21) * 86400000};

    for (unsigned side = 0; side < 2; side++) {
        uint32_t facts = search_side(world, node, side);
        uint32_t other = search_side(world, node, 1 - side);

        seen.was_asked[side] = (facts & OFFER) != 0;
        seen.has_yes[side] = (facts & YES) != 0;
        seen.has_no[side] = (facts & (NO | RETRACT)) != 0;
        seen.was_released[side] = (facts & RELEASE) != 0;
        seen.was_withdrawn[side] = (facts & WITHDRAW) != 0;
        seen.has_hello[side] = (facts & HELLO) != 0;
        seen.was_relayed[side] = (facts & RELAY) != 0 || (other & HELLO) == 0;
        seen.is_peer[side] = world->link[side] != CUT_BY_INTRODUCER;
    }
    search->setting->plan(&seen, out);
}

/* Answers that are due, until nothing is: what the ledger does in one commit. */

static void search_check_release(const struct search *search, const struct world *world,
                                 unsigned node)
{
    uint32_t a = search_side(world, node, 0), b = search_side(world, node, 1);
    bool was_released = ((a | b) & RELEASE) != 0;

    if ((a & YES) == 0 || (b & YES) == 0)
        search->found->early++;
    if (!was_released && ((a | b) & (NO | RETRACT)) != 0)
        search->found->refused++;
}

static bool search_answer_plan(const struct search *search, struct world *world, unsigned node)
{
    struct introduction_plan_verdict verdict;
    uint32_t before = world->known[node];

    search_judge_plan(search, world, node, &verdict);
    for (unsigned side = 0; side < 2; side++)
        if (verdict.must_release[side])
            search_check_release(search, world, node);
    if (verdict.must_end)
        world->known[node] |= ENDED;
    for (unsigned side = 0; side < 2; side++)
        search_learn(world, node, side,
                     (verdict.must_offer[side] ? OFFER : 0u) |
                         (verdict.must_release[side] ? RELEASE : 0u) |
                         (verdict.must_withdraw[side] ? WITHDRAW : 0u) |
                         (verdict.must_relay[side] ? RELAY : 0u));
    return world->known[node] != before;
}

static bool search_answer(const struct search *search, struct world *world, unsigned node)
{
    unsigned side = search_party(node) - 1;
    struct introduction_verdict verdict;
    uint32_t before = world->known[node], facts = search_side(world, node, side);

    search_judge(search, world, node, &verdict);
    if (verdict.must_say_hello && (facts & NO) != 0 && (facts & CONFIRMED) == 0)
        search->found->refused++;
    search_learn(world, node, side,
                 (verdict.must_say_yes ? YES : 0u) | (verdict.must_say_retract ? RETRACT : 0u) |
                     (verdict.must_say_hello ? HELLO : 0u));
    if ((facts & (OFFER | YES)) == OFFER && world->link[side] == CUT_BY_SIDE)
        search_learn(world, node, side, GONE);
    return world->known[node] != before;
}

static void search_settle(const struct search *search, struct world *world)
{
    for (unsigned node = 0; node < NODES; node++)
        for (int rounds = 0; search_is_there(search->setting, node) && rounds < 8; rounds++)
            if (!(search_party(node) == 0 ? search_answer_plan(search, world, node)
                                          : search_answer(search, world, node)))
                break;
}

static void search_add(struct search *search, struct world *world)
{
    search_settle(search, world);
    worlds_add(&search->worlds, world);
}

/* What may happen next. */

static bool search_hears(const struct world *world, unsigned from, unsigned to)
{
    unsigned left = search_party(from), right = search_party(to);

    if (left == right)
        return true; /* Own devices. */
    if (left != 0 && right != 0)
        return false; /* The two have no way to one another but the introducer. */
    return world->link[(left == 0 ? right : left) - 1] == LINKED;
}

/* Facts that from has and to may get, in the places where to looks for them. */
static uint32_t search_news(const struct world *world, unsigned from, unsigned to)
{
    unsigned left = search_party(from), right = search_party(to);
    uint32_t news = 0;

    if (left == 0 && right == 0)
        news = world->known[from];
    else if (left == 0)
        news = (uint32_t)(search_side(world, from, right - 1) & SAID_TO) << ((right - 1) * SIDE);
    else if (right == 0)
        news = (uint32_t)(search_side(world, from, left - 1) & SAID_BY) << ((left - 1) * SIDE);
    else
        news = world->known[from] & ~((uint32_t)GONE << ((left - 1) * SIDE));
    return news & ~world->known[to];
}

/* Own devices tell one another everything when they meet. */
static void search_tell_all(struct search *search, const struct world *world, unsigned to,
                            uint32_t news)
{
    struct world next = *world;

    next.known[to] |= news;
    search_add(search, &next);
}

static bool search_deliver(struct search *search, const struct world *world)
{
    bool is_moving = false;

    for (unsigned from = 0; from < NODES; from++)
        for (unsigned to = 0; to < NODES; to++) {
            uint32_t news;

            if (from == to || !search_is_there(search->setting, from) ||
                !search_is_there(search->setting, to) || !search_hears(world, from, to))
                continue;
            news = search_news(world, from, to);
            is_moving |= news != 0;
            if (search_party(from) == search_party(to) && news != 0) {
                search_tell_all(search, world, to, news);
                continue;
            }
            for (unsigned bit = 0; bit < 32; bit++) {
                struct world next = *world;

                if ((news >> bit & 1) == 0)
                    continue;
                next.known[to] |= UINT32_C(1) << bit;
                search_add(search, &next);
            }
        }
    return is_moving;
}

static enum introduction_state search_state(const struct search *search, const struct world *world,
                                            unsigned node)
{
    struct introduction_verdict verdict;

    search_judge(search, world, node, &verdict);
    return verdict.state;
}

/* Whoever is connected by the other's hello calls them, who waits for one, and tells it directly.
 */
static bool search_meet(struct search *search, const struct world *world)
{
    bool is_moving = false;

    for (unsigned from = A1; from < NODES; from++)
        for (unsigned to = A1; to < NODES; to++) {
            struct world next = *world;

            if (search_party(from) == search_party(to) || !search_is_there(search->setting, from) ||
                !search_is_there(search->setting, to) ||
                (search_side(world, from, search_party(from) - 1) & RELAY) == 0 ||
                search_state(search, world, from) != INTRODUCTION_CONNECTED ||
                search_state(search, world, to) != INTRODUCTION_GREETED)
                continue;
            search_learn(&next, to, search_party(to) - 1, RELAY);
            search_add(search, &next);
            is_moving = true;
        }
    return is_moving;
}

/* A session of the two under the link that owes nothing to this, after a hello was said. */
static bool search_have_session(struct search *search, const struct world *world)
{
    bool is_moving = false;

    for (unsigned node = A1; node < NODES && world->is_linked; node++) {
        struct world next = *world;
        unsigned side = search_party(node) - 1;

        if (!search_is_there(search->setting, node) ||
            (search_side(world, node, side) & (HELLO | MET)) != HELLO)
            continue;
        search_learn(&next, node, side, MET);
        search_add(search, &next);
        is_moving = true;
    }
    return is_moving;
}

static void search_link(struct search *search, const struct world *world)
{
    struct world next = *world;

    if (!search->setting->may_link || world->is_linked)
        return;
    next.is_linked = 1;
    search_add(search, &next);
}

static void search_say(struct search *search, const struct world *world, unsigned node,
                       uint32_t fact)
{
    struct world next = *world;

    search_learn(&next, node, search_party(node) - 1, fact);
    search_add(search, &next);
}

static void search_decide(struct search *search, const struct world *world, unsigned node)
{
    struct introduction_verdict verdict;
    bool is_b = node == B1;

    search_judge(search, world, node, &verdict);
    if (is_b && search->setting->b_is_silent)
        return;
    if (verdict.state == INTRODUCTION_OFFERED && !verdict.is_asked_again) {
        if (!is_b || !search->setting->b_only_declines)
            search_say(search, world, node, YES);
        search_say(search, world, node, NO);
    }
    if (verdict.is_asked_again)
        search_say(search, world, node, CONFIRMED);
    if (verdict.state == INTRODUCTION_AGREED || verdict.is_asked_again)
        search_say(search, world, node, RETRACT);
    if (verdict.state == INTRODUCTION_GREETED && search->setting->is_deleting) {
        struct world next = *world;

        next.dropped[search_party(node) - 1] = 1;
        search_add(search, &next);
    }
}

static void search_withdraw(struct search *search, const struct world *world, unsigned node)
{
    struct introduction_plan_verdict verdict;
    struct world next = *world;

    search_judge_plan(search, world, node, &verdict);
    if (verdict.state != INTRODUCTION_OPEN)
        return;
    next.known[node] |= ENDED;
    search_add(search, &next);
}

static void search_elapse(struct search *search, const struct world *world)
{
    for (unsigned party = 0; party < 3 && !search->setting->is_timeless; party++) {
        struct world next = *world;

        if (next.clock[party] == (party == 0 ? PAST : LONG_PAST))
            continue;
        next.clock[party]++;
        search_add(search, &next);
    }
    for (unsigned side = 0; side < 2; side++) {
        struct world next = *world;

        if (next.has_place[side])
            continue;
        next.has_place[side] = 1;
        search_add(search, &next);
    }
}

static void search_cut(struct search *search, const struct world *world)
{
    for (unsigned side = 0; side < 2 && search->setting->may_cut; side++)
        for (enum link cut = CUT_BY_INTRODUCER; cut <= CUT_BY_SIDE; cut++) {
            struct world next = *world;

            if (next.link[side] != LINKED)
                continue;
            next.link[side] = (uint8_t)cut;
            search_add(search, &next);
        }
}

/* Looking. */

static bool search_stands(const struct search *search, const struct world *world, unsigned party,
                          enum introduction_state state)
{
    for (unsigned node = A1; node < NODES; node++)
        if (search_is_there(search->setting, node) && search_party(node) == party &&
            search_state(search, world, node) == state)
            return true;
    return false;
}

static void search_look(struct search *search, const struct world *world, bool is_quiet)
{
    bool a = search_stands(search, world, 1, INTRODUCTION_CONNECTED);
    bool b = search_stands(search, world, 2, INTRODUCTION_CONNECTED);

    search->found->connected += a && b;
    search->found->half += is_quiet && !world->is_linked && a != b;
    search->found->left += is_quiet && world->is_linked &&
                           (search_stands(search, world, 1, INTRODUCTION_GREETED) ||
                            search_stands(search, world, 2, INTRODUCTION_GREETED));
    if (search->found->seen_by_a != NULL) {
        uint32_t seen = search_side(world, A1, 0) << 3 | (uint32_t)world->clock[1] << 1 |
                        (world->link[0] == CUT_BY_SIDE ? 1u : 0u);

        search->found->seen_by_a[seen % INTRODUCTION_OBSERVATIONS] = 1;
    }
}

void introduction_search_run(const struct introduction_setting *setting, bool is_dropping,
                             struct introduction_found *found)
{
    struct search search = {.setting = setting, .found = found, .is_dropping = is_dropping};
    struct world first = {.has_place = {!setting->is_held[0], !setting->is_held[1]}};

    if (found->limit == 0)
        found->limit = INTRODUCTION_STATES_MAX;
    worlds_begin(&search.worlds, sizeof first, found->limit);
    search_add(&search, &first);
    for (size_t at = 0; at < search.worlds.count; at++) {
        struct world world;
        bool is_moving;

        worlds_read(&search.worlds, at, &world);
        is_moving = search_deliver(&search, &world);
        is_moving |= search_meet(&search, &world);
        is_moving |= search_have_session(&search, &world);
        search_look(&search, &world, !is_moving);
        for (unsigned node = A1; node < NODES; node++)
            if (search_is_there(setting, node))
                search_decide(&search, &world, node);
        for (unsigned node = I1; node <= I2 && !setting->is_firm; node++)
            if (search_is_there(setting, node))
                search_withdraw(&search, &world, node);
        search_link(&search, &world);
        search_elapse(&search, &world);
        search_cut(&search, &world);
    }
    found->states = search.worlds.count;
    found->is_cut = search.worlds.is_cut;
    worlds_end(&search.worlds);
}
