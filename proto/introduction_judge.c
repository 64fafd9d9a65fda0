/* Two cascades of "unless": the strongest facts first. */
#include "proto/introduction_judge.h"

#include "proto/limits.h"

#define INTRODUCTION_SKEW_MS (INTRODUCTION_SKEW_HOURS * (MS_PER_DAY / 24))
enum { INTRODUCTION_LOOK_AGAIN_MS = 60 * 60 * 1000 }; /* while the two clocks disagree */

#define INTRODUCTION_RETRACT_MS (INTRODUCTION_RETRACT_DAYS * MS_PER_DAY)

/* Introducee. */

/* A release that fits a yes of mine. PROTOCOL INTRO-16: "A hello that was said outranks all; a
 * retraction outranks the release; where another device said no, the owner is asked again." */
static void introduction_judge_released(const struct introduction_facts *facts,
                                        struct introduction_verdict *out)
{
    if (facts->said_retract) {
        out->state = INTRODUCTION_RETRACTED;
    } else if (facts->is_mismatched && !facts->is_confirmed) {
        out->state = INTRODUCTION_CONFLICT;
    } else if ((facts->said_no || facts->said_known) && !facts->is_confirmed) {
        out->state = INTRODUCTION_OFFERED;
        out->is_asked_again = true;
    } else {
        out->must_say_hello = true;
        out->state =
            facts->has_hello || facts->has_met ? INTRODUCTION_CONNECTED : INTRODUCTION_GREETED;
    }
}

static void introduction_judge_agreed(const struct introduction_facts *facts,
                                      struct introduction_verdict *out)
{
    uint64_t over_ms = facts->expires_ms + INTRODUCTION_RETRACT_MS;

    if (facts->has_withdraw) {
        out->state = INTRODUCTION_WITHDRAWN;
    } else if (!facts->is_peer || (facts->now_ms >= over_ms && facts->has_run_out)) {
        out->state = INTRODUCTION_RETRACTED;
        out->must_say_retract = true;
    } else {
        out->state = INTRODUCTION_AGREED;
        out->wake_ms =
            facts->now_ms < over_ms ? over_ms : facts->now_ms + INTRODUCTION_LOOK_AGAIN_MS;
    }
}

static void introduction_judge_unanswered(const struct introduction_facts *facts,
                                          struct introduction_verdict *out)
{
    if (facts->has_withdraw || facts->was_gone || !facts->is_peer) {
        out->state = INTRODUCTION_WITHDRAWN;
    } else if (facts->now_ms + INTRODUCTION_SKEW_MS < facts->issued_ms) {
        out->wake_ms = facts->issued_ms - INTRODUCTION_SKEW_MS;
    } else if (facts->now_ms >= facts->expires_ms) {
        out->state = INTRODUCTION_LAPSED;
    } else if (facts->is_auto) {
        out->state = INTRODUCTION_AGREED;
        out->must_say_yes = true;
        out->wake_ms = facts->expires_ms + INTRODUCTION_RETRACT_MS;
    } else {
        out->state = facts->has_place ? INTRODUCTION_OFFERED : INTRODUCTION_HELD;
        out->wake_ms = facts->expires_ms;
    }
}

void introduction_judge(const struct introduction_facts *facts, struct introduction_verdict *out)
{
    *out = (struct introduction_verdict){.state = INTRODUCTION_NONE, .wake_ms = UINT64_MAX};
    out->must_say_hello = facts->said_hello && facts->is_other_release;
    if (facts->said_hello)
        out->state =
            facts->has_hello || facts->has_met ? INTRODUCTION_CONNECTED : INTRODUCTION_GREETED;
    else if (facts->is_suppressed)
        out->state = INTRODUCTION_SUPPRESSED;
    else if (facts->said_yes && facts->has_release)
        introduction_judge_released(facts, out);
    else if (facts->said_no || facts->said_known)
        out->state = INTRODUCTION_DECLINED;
    else if (facts->said_retract)
        out->state = INTRODUCTION_RETRACTED;
    else if (!facts->has_offer)
        out->state = facts->has_withdraw ? INTRODUCTION_WITHDRAWN : INTRODUCTION_NONE;
    else if (facts->said_yes)
        introduction_judge_agreed(facts, out);
    else
        introduction_judge_unanswered(facts, out);
}

/* Introducer. */

/* PROTOCOL INTRO-15: "A release outranks everything; then a no, a retraction or an end; then two
 * yeses." */
static void introduction_judge_release(const struct introduction_plan_facts *facts,
                                       struct introduction_plan_verdict *out)
{
    out->state = INTRODUCTION_RELEASED;
    for (unsigned side = 0; side < 2; side++) {
        out->must_release[side] =
            !facts->was_released[side] && facts->is_peer[side] && facts->has_yes[1 - side];
        out->must_relay[side] =
            !facts->was_relayed[side] && facts->is_peer[side] && facts->has_hello[1 - side];
    }
}

/* An end is told to whoever was asked, unless somebody said no: nobody learns of a no. */
static void introduction_judge_closed(const struct introduction_plan_facts *facts, bool is_gone,
                                      struct introduction_plan_verdict *out)
{
    bool is_told = (facts->is_ended || is_gone) && !facts->has_no[0] && !facts->has_no[1];

    out->state = INTRODUCTION_CLOSED;
    out->must_end = is_gone && !facts->is_ended;
    for (unsigned side = 0; side < 2; side++)
        out->must_withdraw[side] = is_told && facts->was_asked[side] && facts->is_peer[side] &&
                                   !facts->was_withdrawn[side];
}

static void introduction_judge_open(const struct introduction_plan_facts *facts,
                                    struct introduction_plan_verdict *out)
{
    unsigned first = facts->first & 1, second = 1 - first;

    out->state = INTRODUCTION_OPEN;
    out->wake_ms = facts->expires_ms;
    out->must_offer[first] = !facts->was_asked[first];
    out->must_offer[second] =
        !facts->was_asked[second] && (facts->is_parallel || facts->has_yes[first]);
}

void introduction_judge_plan(const struct introduction_plan_facts *facts,
                             struct introduction_plan_verdict *out)
{
    bool is_gone = !facts->is_peer[0] || !facts->is_peer[1];
    bool is_over = is_gone || facts->is_ended || facts->has_no[0] || facts->has_no[1] ||
                   facts->was_withdrawn[0] || facts->was_withdrawn[1] ||
                   facts->now_ms >= facts->expires_ms;

    *out = (struct introduction_plan_verdict){.state = INTRODUCTION_OPEN, .wake_ms = UINT64_MAX};
    if (facts->was_released[0] || facts->was_released[1])
        introduction_judge_release(facts, out);
    else if (is_over)
        introduction_judge_closed(facts, is_gone, out);
    else if (facts->has_yes[0] && facts->has_yes[1])
        introduction_judge_release(facts, out);
    else
        introduction_judge_open(facts, out);
}
