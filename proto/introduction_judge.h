/*
 * What follows from what was said. Two machines, one of the introducer and one of an introducee, as
 * pure functions of the set of facts held, the time and the owner's own decisions: never of the
 * order of arrival, so that several logs a side, forks and clones agree. tests/sim/introduction_
 * search explores these very functions exhaustively.
 */
#ifndef KITH_PROTO_INTRODUCTION_JUDGE_H
#define KITH_PROTO_INTRODUCTION_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

/* On disk in the rows of introductions. */
enum introduction_state {
    INTRODUCTION_NONE = 0,       /* nothing to go by yet */
    INTRODUCTION_HELD = 1,       /* no place for it yet; nobody sees it */
    INTRODUCTION_SUPPRESSED = 2, /* from or about somebody blocked or muted; nobody sees it */
    INTRODUCTION_OFFERED = 3,
    INTRODUCTION_AGREED = 4, /* yes */
    INTRODUCTION_DECLINED = 5,
    INTRODUCTION_LAPSED = 6,
    INTRODUCTION_WITHDRAWN = 7,
    INTRODUCTION_RETRACTED = 8,
    INTRODUCTION_GREETED = 9,
    INTRODUCTION_CONNECTED = 10,
    INTRODUCTION_CONFLICT = 11,
    INTRODUCTION_OPEN = 12, /* from here the introducer's */
    INTRODUCTION_RELEASED = 13,
    INTRODUCTION_CLOSED = 14
};

/* Of an introducee. */
struct introduction_facts {
    bool has_offer, has_withdraw;
    bool has_release; /* it fits the yes, the bundle and the offer */
    bool has_hello;   /* the other's, opened and verified; needs a release */
    bool said_yes, said_no, said_retract, said_known, said_hello; /* by own devices */
    bool has_met;       /* since my hello a session with the other stood, under any link of ours, or
                           this introduction has linked another device of mine */
    bool is_peer;       /* the introducer still is one */
    bool is_suppressed; /* introducer muted or blocked, or the other is */
    bool is_mismatched; /* the release shows another person than the offer or the address book */
    bool is_auto;       /* it answers a want of mine that said yes ahead */
    bool has_place;     /* it is shown already, or may be */
    bool was_gone;      /* the introducer was no peer any more, once, before any answer */
    bool is_confirmed;  /* asked again, the owner said yes */
    bool has_run_out;   /* running time, too, says that a yes may be taken back */
    uint64_t now_ms, issued_ms, expires_ms;
};

struct introduction_verdict {
    enum introduction_state state;
    bool must_say_yes, must_say_retract, must_say_hello;
    bool is_asked_again; /* offered once more: released, though another device said no */
    uint64_t wake_ms;    /* when time alone may change this; UINT64_MAX: never */
};

void introduction_judge(const struct introduction_facts *facts, struct introduction_verdict *out);

/* Of the introducer; index 0 is A, 1 is B. */
struct introduction_plan_facts {
    bool is_parallel;
    unsigned first;        /* sequential: who is asked first */
    bool was_asked[2];     /* own OFFER */
    bool has_yes[2];       /* it fits an own offer, and its bundle holds */
    bool has_no[2];        /* NO, RETRACT or KNOWN */
    bool was_released[2];  /* own RELEASE */
    bool was_withdrawn[2]; /* own WITHDRAW */
    bool has_hello[2];     /* from this one */
    bool was_relayed[2];   /* to this one */
    bool is_peer[2];
    bool is_ended; /* by the owner, or one of the two was gone once */
    uint64_t now_ms, expires_ms;
};

struct introduction_plan_verdict {
    enum introduction_state state; /* OPEN, RELEASED or CLOSED */
    bool must_offer[2], must_release[2], must_withdraw[2], must_relay[2];
    bool must_end; /* note that it is over for good: one of the two is gone */
    uint64_t wake_ms;
};

void introduction_judge_plan(const struct introduction_plan_facts *facts,
                             struct introduction_plan_verdict *out);

#endif
