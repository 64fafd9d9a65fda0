/* Introductions and secrets are counted from 0, and kept as bits or from 1. */
#include "tests/sim/introduction_twice.h"

#include <string.h>

#include "tests/sim/worlds.h"

/* The link as one of the two holds it. */
struct twice_link {
    uint8_t speaks, accepts; /* secrets: 0 none, else introduction + 1 */
    uint8_t via, source;     /* the introduction it came by, and was told by last; likewise */
    uint8_t is_confirmed;
    uint8_t said_linked; /* bits: what my hellos said */
    uint8_t is_joined;   /* bits: connected, and carried out */
    uint8_t may_call;    /* bits: I hold the invitation of the other */
    uint8_t is_spent;    /* bits: of the invitations I hold for them */
    uint8_t has_met;     /* bits: a session with the other stood after my hello */
    uint8_t pad[2];
};

struct twice_world {
    uint32_t introducer[2]; /* by introduction: facts about both sides, and ENDED */
    uint32_t known[2][2];   /* by introduction and side */
    struct twice_link link[2];
    uint8_t cut[2]; /* enum link, of the first introducer and each side */
    uint8_t pad[2];
};

struct twice {
    const struct twice_setting *setting;
    struct twice_found *found;
    struct worlds worlds;
};

static uint8_t twice_bit(unsigned intro)
{
    return (uint8_t)(1u << intro);
}

static uint32_t twice_about(const struct twice_world *world, unsigned intro, unsigned side)
{
    return world->introducer[intro] >> (side * SIDE) & SIDE_MASK;
}

/* The product's judgements. */

static enum link twice_cut(const struct twice_world *world, unsigned intro, unsigned side)
{
    return intro == 0 ? (enum link)world->cut[side] : LINKED;
}

static bool twice_was_called(const struct twice_world *world, unsigned intro, unsigned side)
{
    return world->link[side].via == intro + 1 && (world->known[intro][side] & HELLO) != 0;
}

static void twice_judge(const struct twice *twice, const struct twice_world *world, unsigned intro,
                        unsigned side, struct introduction_verdict *out)
{
    uint32_t facts = world->known[intro][side];
    struct introduction_facts seen = {
        .has_offer = (facts & OFFER) != 0,
        .has_withdraw = (facts & WITHDRAW) != 0,
        .has_release = (facts & RELEASE) != 0 && (facts & YES) != 0,
        .has_hello = ((facts & RELAY) != 0 && (facts & RELEASE) != 0) ||
                     twice_was_called(world, intro, side),
        .said_yes = (facts & YES) != 0,
        .said_no = (facts & NO) != 0,
        .said_retract = (facts & RETRACT) != 0,
        .said_hello = (facts & HELLO) != 0,
        .has_met = (world->link[side].has_met & twice_bit(intro)) != 0,
        .is_peer = twice_cut(world, intro, side) != CUT_BY_SIDE,
        .is_mismatched = twice->setting->is_other_key && intro == 1 && side == 0,
        .is_auto = twice->setting->machines.is_auto[side],
        .has_place = true,
        .has_run_out = true,
        .now_ms = 2,
        .issued_ms = 1,
        .expires_ms = UINT64_C(21) * 86400000};

    twice->setting->machines.judge(&seen, out);
}

static enum introduction_state twice_state(const struct twice *twice,
                                           const struct twice_world *world, unsigned intro,
                                           unsigned side)
{
    struct introduction_verdict verdict;

    if ((world->link[side].is_joined & twice_bit(intro)) != 0)
        return INTRODUCTION_CONNECTED; /* Nobody looks at it again. */
    twice_judge(twice, world, intro, side, &verdict);
    return verdict.state;
}

static void twice_judge_plan(const struct twice *twice, const struct twice_world *world,
                             unsigned intro, struct introduction_plan_verdict *out)
{
    struct introduction_plan_facts seen = {.is_parallel = twice->setting->machines.is_parallel,
                                           .first = twice->setting->machines.first,
                                           .is_ended = (world->introducer[intro] & ENDED) != 0,
                                           .now_ms = 2,
                                           .expires_ms = UINT64_C(21) * 86400000};

    for (unsigned side = 0; side < 2; side++) {
        uint32_t facts = twice_about(world, intro, side);

        seen.was_asked[side] = (facts & OFFER) != 0;
        seen.has_yes[side] = (facts & YES) != 0;
        seen.has_no[side] = (facts & (NO | RETRACT)) != 0;
        seen.was_released[side] = (facts & RELEASE) != 0;
        seen.was_withdrawn[side] = (facts & WITHDRAW) != 0;
        seen.has_hello[side] = (facts & HELLO) != 0;
        seen.was_relayed[side] =
            (facts & RELAY) != 0 || (twice_about(world, intro, 1 - side) & HELLO) == 0;
        seen.is_peer[side] = twice_cut(world, intro, side) != CUT_BY_INTRODUCER;
    }
    twice->setting->machines.plan(&seen, out);
}

/* The link. */

static enum link_verdict twice_keep(const struct twice *twice, struct twice_link *link,
                                    uint8_t fresh, struct link_judge_facts *facts)
{
    enum link_verdict verdict;

    facts->is_linked = facts->has_secret = link->speaks != 0;
    facts->is_held = link->speaks == fresh || link->accepts == fresh;
    facts->is_before_first = fresh <= link->speaks;
    facts->is_before_old = fresh <= link->accepts;
    verdict = twice->setting->keep(facts);
    if (verdict == LINK_VOUCHED)
        return verdict;
    if (link->speaks == 0)
        link->via = fresh;
    link->source = fresh;
    if (verdict == LINK_ALONE)
        link->accepts = 0;
    if (verdict == LINK_FIRST)
        link->accepts = link->speaks;
    if (verdict == LINK_SECOND)
        link->accepts = fresh;
    if (verdict == LINK_ALONE || verdict == LINK_FIRST)
        link->speaks = fresh;
    return verdict;
}

static void twice_join(const struct twice *twice, struct twice_world *world, unsigned intro,
                       unsigned side)
{
    struct twice_link *link = &world->link[side];
    struct link_judge_facts facts = {
        .said_linked = (link->said_linked & twice_bit(intro)) != 0,
        .heard_linked = (world->link[1 - side].said_linked & twice_bit(intro)) != 0,
        .is_confirmed = link->is_confirmed != 0,
        .has_old = link->accepts != 0};

    if (twice_keep(twice, link, (uint8_t)(intro + 1), &facts) == LINK_VOUCHED)
        return;
    link->is_confirmed = 0;
    link->may_call |= twice_bit(intro);
}

/* Answers that are due. */

static bool twice_answer_plan(const struct twice *twice, struct twice_world *world, unsigned intro)
{
    struct introduction_plan_verdict verdict;
    uint32_t before = world->introducer[intro];
    bool was_released = ((before | before >> SIDE) & RELEASE) != 0;

    twice_judge_plan(twice, world, intro, &verdict);
    for (unsigned side = 0; side < 2; side++) {
        uint32_t other = twice_about(world, intro, 1 - side);
        uint32_t facts = twice_about(world, intro, side);

        if (verdict.must_release[side]) {
            twice->found->early += (facts & YES) == 0 || (other & YES) == 0;
            twice->found->refused += !was_released && ((facts | other) & (NO | RETRACT)) != 0;
        }
        facts =
            (verdict.must_offer[side] ? OFFER : 0u) | (verdict.must_release[side] ? RELEASE : 0u) |
            (verdict.must_withdraw[side] ? WITHDRAW : 0u) | (verdict.must_relay[side] ? RELAY : 0u);
        world->introducer[intro] |= facts << (side * SIDE);
    }
    if (verdict.must_end)
        world->introducer[intro] |= ENDED;
    return world->introducer[intro] != before;
}

static bool twice_answer(const struct twice *twice, struct twice_world *world, unsigned intro,
                         unsigned side)
{
    struct twice_link *link = &world->link[side];
    uint32_t *facts = &world->known[intro][side], before = *facts;
    struct introduction_verdict verdict;

    if ((link->is_joined & twice_bit(intro)) != 0)
        return false;
    twice_judge(twice, world, intro, side, &verdict);
    *facts |= (verdict.must_say_yes ? YES : 0u) | (verdict.must_say_retract ? RETRACT : 0u) |
              (verdict.must_say_hello ? HELLO : 0u);
    if (verdict.must_say_hello) {
        twice->found->refused += (before & NO) != 0;
        link->said_linked |= link->speaks != 0 ? twice_bit(intro) : 0;
    } else if (verdict.state == INTRODUCTION_CONNECTED) {
        if ((before & RELAY) == 0 && !twice_was_called(world, intro, side))
            return false; /* Met; their hello may come yet. */
        link->is_joined |= twice_bit(intro);
        if (!twice_was_called(world, intro, side))
            twice_join(twice, world, intro, side);
        return true;
    }
    return *facts != before;
}

static void twice_add(struct twice *twice, struct twice_world *world)
{
    bool is_moving = true;

    for (int rounds = 0; is_moving && rounds < 16; rounds++) {
        is_moving = false;
        for (unsigned intro = 0; intro < 2; intro++) {
            is_moving |= twice_answer_plan(twice, world, intro);
            is_moving |= twice_answer(twice, world, intro, 0);
            is_moving |= twice_answer(twice, world, intro, 1);
        }
    }
    worlds_add(&twice->worlds, world);
}

/* What may happen next. */

static bool twice_deliver_one(struct twice *twice, const struct twice_world *world, unsigned intro,
                              unsigned side)
{
    uint32_t held = twice_about(world, intro, side), known = world->known[intro][side];
    uint32_t down = held & SAID_TO & ~known, up = known & SAID_BY & ~held;

    if (twice_cut(world, intro, side) != LINKED)
        return false;
    for (unsigned bit = 0; bit < SIDE; bit++) {
        struct twice_world next = *world;

        if ((down >> bit & 1) != 0)
            next.known[intro][side] |= UINT32_C(1) << bit;
        else if ((up >> bit & 1) != 0)
            next.introducer[intro] |= UINT32_C(1) << (bit + side * SIDE);
        else
            continue;
        twice_add(twice, &next);
    }
    return (down | up) != 0;
}

/* With the invitation of the other: the one who is called claims, and both hold the secret. */
static bool twice_call_one(struct twice *twice, const struct twice_world *world, unsigned intro,
                           unsigned side)
{
    struct link_judge_facts called = {0}, caller = {0};
    struct twice_world next = *world;
    struct twice_link *mine = &next.link[side], *theirs = &next.link[1 - side];
    uint8_t fresh = (uint8_t)(intro + 1);

    if (twice->setting->has_no_calls || (mine->may_call & twice_bit(intro)) == 0 ||
        mine->is_confirmed || (world->known[intro][1 - side] & HELLO) == 0 ||
        (theirs->is_spent & twice_bit(intro)) != 0)
        return false;
    if (twice_keep(twice, theirs, fresh, &called) != LINK_SAME)
        theirs->is_confirmed = 0;
    if (twice_keep(twice, mine, fresh, &caller) != LINK_SAME)
        mine->is_confirmed = 0;
    twice_add(twice, &next);
    return mine->speaks != world->link[side].speaks || mine->accepts != world->link[side].accepts ||
           theirs->speaks != world->link[1 - side].speaks ||
           theirs->accepts != world->link[1 - side].accepts;
}

static bool twice_takes(const struct twice_link *link, uint8_t secret)
{
    return secret != 0 && (link->speaks == secret || link->accepts == secret);
}

/* A session under a secret that both hold; this side learns of it, the other may not yet. That the
 * link is confirmed follows only from one under the secret this side speaks under. */
static bool twice_have_session(struct twice *twice, const struct twice_world *world, unsigned side)
{
    struct twice_world next = *world;
    struct twice_link *link = &next.link[side];
    const struct twice_link *other = &world->link[1 - side];
    bool is_confirmed = twice->setting->is_credulous || twice_takes(other, link->speaks);

    if (!twice_takes(other, link->speaks) && !twice_takes(link, other->speaks))
        return false;
    if (is_confirmed && !link->is_confirmed && link->source != 0 &&
        (world->known[link->source - 1][side] & HELLO) != 0)
        link->is_spent |= twice_bit(link->source - 1u);
    link->is_confirmed |= is_confirmed;
    for (unsigned intro = 0; intro < 2; intro++)
        if (twice_state(twice, world, intro, side) == INTRODUCTION_GREETED)
            link->has_met |= twice_bit(intro);
    if (memcmp(link, &world->link[side], sizeof *link) == 0)
        return false;
    twice_add(twice, &next);
    return true;
}

static void twice_say(struct twice *twice, const struct twice_world *world, unsigned intro,
                      unsigned side, uint32_t fact)
{
    struct twice_world next = *world;

    next.known[intro][side] |= fact;
    twice_add(twice, &next);
}

static void twice_decide(struct twice *twice, const struct twice_world *world, unsigned intro,
                         unsigned side)
{
    const struct twice_setting *setting = twice->setting;
    enum introduction_state state = twice_state(twice, world, intro, side);
    bool is_bound = side == 1 && intro == 0;

    if (is_bound && setting->b_is_silent)
        return;
    if (state == INTRODUCTION_OFFERED) {
        if (!is_bound || !setting->b_only_declines)
            twice_say(twice, world, intro, side, YES);
        twice_say(twice, world, intro, side, NO);
    }
    if (state == INTRODUCTION_AGREED && setting->may_end[intro])
        twice_say(twice, world, intro, side, RETRACT);
}

static void twice_withdraw(struct twice *twice, const struct twice_world *world, unsigned intro)
{
    struct introduction_plan_verdict verdict;
    struct twice_world next = *world;

    if (!twice->setting->may_end[intro])
        return;
    twice_judge_plan(twice, world, intro, &verdict);
    if (verdict.state != INTRODUCTION_OPEN)
        return;
    next.introducer[intro] |= ENDED;
    twice_add(twice, &next);
}

/* The first introducer and a side part. */
static void twice_part(struct twice *twice, const struct twice_world *world, unsigned side)
{
    if (!twice->setting->may_cut || world->cut[side] != LINKED)
        return;
    for (enum link cut = CUT_BY_INTRODUCER; cut <= CUT_BY_SIDE; cut++) {
        struct twice_world next = *world;

        next.cut[side] = (uint8_t)cut;
        twice_add(twice, &next);
    }
}

/* Looking. */

/* Whoever waits for an answer may wait for ever; whoever waits for something that was said must
 * not. */
static bool twice_is_stuck(enum introduction_state mine, enum introduction_state theirs,
                           bool is_linked)
{
    switch (mine) {
    case INTRODUCTION_OFFERED:
    case INTRODUCTION_DECLINED:
    case INTRODUCTION_WITHDRAWN:
    case INTRODUCTION_RETRACTED:
    case INTRODUCTION_CONFLICT:
        return false;
    case INTRODUCTION_AGREED:
        return theirs == INTRODUCTION_AGREED || theirs == INTRODUCTION_CONNECTED ||
               theirs == INTRODUCTION_GREETED;
    case INTRODUCTION_GREETED:
        return theirs != INTRODUCTION_RETRACTED && theirs != INTRODUCTION_CONFLICT;
    case INTRODUCTION_CONNECTED: /* They may have taken it back, and be linked with me anyhow. */
        return theirs != INTRODUCTION_CONNECTED &&
               (!is_linked ||
                (theirs != INTRODUCTION_RETRACTED && theirs != INTRODUCTION_CONFLICT));
    case INTRODUCTION_NONE: /* Asked second, and nobody asked yet. */
        return theirs != INTRODUCTION_OFFERED && theirs != INTRODUCTION_DECLINED &&
               theirs != INTRODUCTION_WITHDRAWN && theirs != INTRODUCTION_RETRACTED;
    case INTRODUCTION_HELD:
    case INTRODUCTION_SUPPRESSED:
    case INTRODUCTION_LAPSED:
    case INTRODUCTION_OPEN:
    case INTRODUCTION_RELEASED:
    case INTRODUCTION_CLOSED:
        break;
    }
    return true;
}

static void twice_look_quiet(struct twice *twice, const struct twice_world *world,
                             enum introduction_state states[2][2])
{
    const struct twice_link *a = &world->link[0], *b = &world->link[1];
    bool is_linked = a->speaks != 0 && b->speaks != 0, is_connected = false;

    twice->found->quiet++;
    for (unsigned intro = 0; intro < 2; intro++) {
        bool is_cut = twice_cut(world, intro, 0) != LINKED || twice_cut(world, intro, 1) != LINKED;

        is_connected |= states[intro][0] == INTRODUCTION_CONNECTED;
        twice->found->stuck +=
            !is_cut && (twice_is_stuck(states[intro][0], states[intro][1], is_linked) ||
                        twice_is_stuck(states[intro][1], states[intro][0], is_linked));
        twice->found->left += is_linked && (states[intro][0] == INTRODUCTION_GREETED ||
                                            states[intro][1] == INTRODUCTION_GREETED);
    }
    if (a->speaks == 0 && b->speaks == 0)
        twice->found->apart += is_connected;
    else
        twice->found->apart +=
            !is_connected || !twice_takes(a, b->speaks) || !twice_takes(b, a->speaks);
}

static void twice_look(struct twice *twice, const struct twice_world *world, bool is_quiet)
{
    enum introduction_state states[2][2];
    bool is_connected[2];

    for (unsigned intro = 0; intro < 2; intro++) {
        for (unsigned side = 0; side < 2; side++) {
            states[intro][side] = twice_state(twice, world, intro, side);
            twice->found->conflicts += states[intro][side] == INTRODUCTION_CONFLICT;
        }
        is_connected[intro] = states[intro][0] == INTRODUCTION_CONNECTED &&
                              states[intro][1] == INTRODUCTION_CONNECTED;
        twice->found->connected[intro] += is_connected[intro];
    }
    twice->found->both += is_connected[0] && is_connected[1];
    twice->found->despite += is_connected[1] && (twice_about(world, 0, 1) & NO) != 0;
    if (is_quiet)
        twice_look_quiet(twice, world, states);
    if (twice->found->seen_by_a != NULL) {
        const struct twice_link *link = &world->link[0];
        uint32_t seen = (world->known[0][0] & 255) | (world->known[1][0] & 255) << 8 |
                        (uint32_t)link->speaks << 16 | (uint32_t)link->is_joined << 18;

        twice->found->seen_by_a[seen % TWICE_OBSERVATIONS] = 1;
    }
}

void introduction_twice_run(const struct twice_setting *setting, struct twice_found *found)
{
    struct twice twice = {.setting = setting, .found = found};
    struct twice_world first = {0};

    worlds_begin(&twice.worlds, sizeof first, TWICE_STATES_MAX);
    twice_add(&twice, &first);
    for (size_t at = 0; at < twice.worlds.count; at++) {
        struct twice_world world;
        bool is_moving = false;

        worlds_read(&twice.worlds, at, &world);
        for (unsigned pair = 0; pair < 4; pair++) {
            is_moving |= twice_deliver_one(&twice, &world, pair >> 1, pair & 1);
            is_moving |= twice_call_one(&twice, &world, pair >> 1, pair & 1);
            twice_decide(&twice, &world, pair >> 1, pair & 1);
        }
        for (unsigned number = 0; number < 2; number++) {
            is_moving |= twice_have_session(&twice, &world, number);
            twice_withdraw(&twice, &world, number);
            twice_part(&twice, &world, number);
        }
        twice_look(&twice, &world, !is_moving);
    }
    found->states = twice.worlds.count;
    found->is_cut = twice.worlds.is_cut;
    worlds_end(&twice.worlds);
}
