/*
 * Interactions: dated notes that two people were truly in touch, by hand or by an act of kith. They
 * live in the self space and are never sent to anybody. Reminders too.
 */
#ifndef KITH_PROTO_INTERACTION_H
#define KITH_PROTO_INTERACTION_H

#include "proto/kind.h"

enum interaction_field {
    INTERACTION_CONTACT = 1, /* bytes: the contact's object id */
    INTERACTION_WHAT = 2,    /* number: enum interaction_what */
    INTERACTION_TEXT = 3,
    INTERACTION_ON = 4, /* number: ms, noon of the day when typed by hand */
    INTERACTION_REF = 5 /* text: id of the introduction, endorsement or ask it came from */
};

/* Numbers are on disk: add, never renumber. */
enum interaction_what {
    INTERACTION_MET = 1,
    INTERACTION_CALL = 2,
    INTERACTION_MAIL = 3,
    INTERACTION_GIFT = 4,
    INTERACTION_NOTE = 5,

    INTERACTION_LINKED = 20,
    INTERACTION_ENDORSED = 21,    /* I endorsed them */
    INTERACTION_ENDORSED_ME = 22, /* they endorsed me */
    INTERACTION_INTRODUCED = 23,  /* I introduced them to somebody */
    INTERACTION_INTRODUCED_ME = 24,
    INTERACTION_PASSED = 25, /* I passed their ask on */
    INTERACTION_PASSED_MINE = 26,
    INTERACTION_ANSWERED = 27, /* I answered their ask: a lead, an offer of help */
    INTERACTION_ANSWERED_ME = 28,
    INTERACTION_CHEERED = 29,
    INTERACTION_CHEERED_ME = 30,
    INTERACTION_ASKED = 31, /* I asked them */
    INTERACTION_ASKED_ME = 32,
    INTERACTION_OFFERED = 33,
    INTERACTION_OFFERED_ME = 34,
    INTERACTION_THANKED = 35,
    INTERACTION_THANKED_ME = 36,
    INTERACTION_WANTED = 37, /* I asked them for an introduction or an endorsement */
    INTERACTION_WANTED_ME = 38,
    INTERACTION_SHARED = 39, /* I shared a contact with them */
    INTERACTION_SHARED_ME = 40,
    INTERACTION_CARRIED_ME = 41 /* what I passed to them came back with an answer */
};

enum interaction_side {
    INTERACTION_NEITHER,
    INTERACTION_GAVE, /* I did something for them */
    INTERACTION_GOT,  /* they did something for me */
    INTERACTION_ASKS  /* I asked something of them */
};

struct interaction_about {
    enum interaction_what what;
    const char *name;     /* as typed and in JSON */
    const char *sentence; /* what happened, for a timeline */
    enum interaction_side side;
    bool by_hand;
};

/* NULL when unknown: a newer kith wrote it. */
const struct interaction_about *interaction_about(uint64_t what);
const struct interaction_about *interaction_named(struct span name);

enum reminder_field {
    REMINDER_CONTACT = 1, /* bytes: the contact's object id */
    REMINDER_TAG = 2,     /* text: everybody with this tag */
    REMINDER_CIRCLE = 3,  /* text: everybody in this circle */
    REMINDER_EVERY = 4,   /* number: days since the last interaction */
    REMINDER_ON = 5,      /* number: ms, a day of its own */
    REMINDER_TEXT = 6,
    REMINDER_LATE = 7,    /* number: days after which it is late; absent: half as long again */
    REMINDER_SNOOZED = 8, /* number: ms, not shown before */
    REMINDER_DONE = 9     /* number: ms, when it was done: of a repeated one it counts from here */
};

/* The object id of an act of kith: the same on every device and whenever it is noted again. ref is
 * the id, as text, of what was done for or by the member. */
void interaction_act_id(const struct public_key *member, enum interaction_what what,
                        struct span ref, struct id *out);

extern const struct kind interaction_kind, reminder_kind;

#endif
