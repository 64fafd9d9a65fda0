/*
 * Introductions: a member brings two peers together, and both must agree. What is said are
 * statements of certified devices, objects of the pair spaces between the introducer and each of
 * the two; PROTOCOL.md says the bytes (INTRO). Here: their codec, tags, and the kinds of what is
 * kept in self. What follows from a set of them is introduction_judge.h, what the two derive from
 * it introduction_bond.h.
 */
#ifndef KITH_PROTO_INTRODUCTION_H
#define KITH_PROTO_INTRODUCTION_H

#include "proto/kind.h"
#include "proto/statement.h"

/* Numbers are on the wire. */
enum introduction_type {
    INTRODUCTION_WANT = 1,     /* to a peer: please introduce me to ... */
    INTRODUCTION_OFFER = 2,    /* by the introducer, to each of the two */
    INTRODUCTION_YES = 3,      /* to the introducer; the whole statement is the bundle */
    INTRODUCTION_NO = 4,       /* to the introducer only */
    INTRODUCTION_RETRACT = 5,  /* a yes taken back */
    INTRODUCTION_KNOWN = 6,    /* we know each other already */
    INTRODUCTION_RELEASE = 7,  /* by the introducer, to both, once both have said yes */
    INTRODUCTION_WITHDRAW = 8, /* by the introducer */
    INTRODUCTION_HELLO = 9,    /* sealed for the other, handed to the introducer */
    INTRODUCTION_RELAY = 10,   /* the same bytes, handed on */
    INTRODUCTION_THANKS = 11   /* to the introducer, any time later */
};

struct introduction_want {
    uint64_t expires_ms;
    bool has_target;
    struct public_key target; /* a member; else words say who */
    struct span words;        /* tags or free text */
    struct span blurb;        /* what the introducer may pass on */
    struct span note;         /* for the introducer alone */
    bool is_auto;             /* an offer that names this want is answered yes at once */
};

struct introduction_offer {
    uint64_t issued_ms, expires_ms;
    bool is_blind;
    struct hash tag;
    struct span name; /* empty when blind */
    struct span line, why;
    bool has_want;
    struct id want;
};

struct introduction_yes {
    struct hash offer;
    struct span key; /* statement by root 0: see introduction_key_read */
    uint8_t ephemeral[32];
};

struct introduction_release {
    struct span other;       /* the other's YES, whole */
    struct hash yes;         /* of the reader's YES that counts */
    struct hash offer;       /* the reader's */
    struct hash other_offer; /* the other's */
    bool has_salt;
    struct id salt; /* opens the tag of a blind offer */
};

struct introduction_thanks {
    struct span line;
    uint8_t outcome; /* 0: not told */
};

struct introduction_message {
    enum introduction_type type;
    struct id id;         /* the introduction; of a WANT the want */
    struct public_key to; /* the reader of the pair space it stands in */
    union {
        struct introduction_want want;
        struct introduction_offer offer;
        struct introduction_yes yes;
        struct hash no; /* the offer's */
        struct introduction_release release;
        struct span sealed; /* HELLO, RELAY */
        struct introduction_thanks thanks;
    };
};

/* Appends the statement: by a device with its identity. ERR_LIMIT: a text is too long. */
MUST_USE enum err introduction_say(const struct introduction_message *message,
                                   const struct signing_key *device, struct span identity,
                                   struct buf *out);
/* Reads and verifies; out borrows from bytes. ERR_MALFORMED, ERR_FORGED, ERR_NOMEM. */
MUST_USE enum err introduction_read(struct span bytes, struct public_key *out_member,
                                    struct introduction_message *out);
/* The same for a statement that was verified before. */
MUST_USE enum err introduction_peek(struct span bytes, struct public_key *out_member,
                                    struct introduction_message *out);
/* Who introduces, by who said what to whom. */
const struct public_key *introduction_introducer(const struct introduction_message *message,
                                                 const struct public_key *member);

/* The person's introduction key: X25519, certified by root 0. Appends the statement. */
MUST_USE enum err introduction_key_issue(const struct signing_key *root,
                                         const uint8_t public_key[static 32], uint64_t created_ms,
                                         struct buf *out);
MUST_USE enum err introduction_key_read(struct span bytes, struct public_key *out_member,
                                        uint8_t out_public_key[static 32]);

/* What an offer commits to: who knows or blocks the other recognises them by it; with a salt nobody
 * does before the salt is told. salt is NULL for an offer that names the other. */
void introduction_tag(const struct id *id, const struct id *salt, const struct public_key *other,
                      struct hash *out);
/* Object id of what is kept in self about one introduction. */
void introduction_record_id(const struct public_key *introducer, const struct id *id,
                            struct id *out);
/* When an offer ends: no later than the longest life from its issue. */
uint64_t introduction_expires_ms(const struct introduction_offer *offer);

/* Kinds of the self space. */

enum introduction_record_field {
    RECORD_INTRODUCER = 1, /* bytes: root */
    RECORD_ID = 2,         /* bytes: 16 */
    /* Of the introducer: the plan. */
    RECORD_A = 3,        /* bytes: root */
    RECORD_B = 4,        /* bytes: root */
    RECORD_WHY = 5,      /* text */
    RECORD_TO_A = 6,     /* text: instead of why */
    RECORD_TO_B = 7,     /* text: instead of why */
    RECORD_FIRST = 8,    /* number: 0 A, 1 B, 2 both */
    RECORD_IS_BLIND = 9, /* number */
    RECORD_ISSUED = 10,  /* number: ms */
    RECORD_EXPIRES = 11, /* number: ms */
    RECORD_SALT_A = 12,  /* bytes: 16, of the tag A is told */
    RECORD_SALT_B = 13,  /* bytes: 16 */
    RECORD_WANT_A = 14,  /* bytes: 16, the want of A that this answers */
    RECORD_WANT_B = 15,  /* bytes: 16 */
    RECORD_ENDED = 16,   /* number: enum introduction_ended */
    /* Of an introducee: the owner's own. */
    RECORD_MESSAGE = 20,   /* text: to the other, in the hello */
    RECORD_PAIR = 21,      /* bytes: 16, the pair space drawn for the other */
    RECORD_CONFIRMED = 22, /* number: 1 asked again, and yes */
    RECORD_DROPPED = 23,   /* number: 1 deleted while waiting for the other's hello */
    RECORD_QUIET = 24,     /* number: 1 declined by saying nothing */
    RECORD_HEARD = 25,     /* text: what the other said in their hello */
    RECORD_MET = 26        /* number: 1 it has ended in a link on one of my devices */
};

enum introduction_ended {
    INTRODUCTION_ENDED_WITHDRAWN = 1, /* taken back by the owner */
    INTRODUCTION_ENDED_GONE = 2       /* one of the two is no peer any more */
};

enum introduction_key_field {
    INTRODUCTION_KEY_SECRET = 1,   /* bytes: 32; cleared when it is over */
    INTRODUCTION_KEY_CREATED = 2,  /* number: ms */
    INTRODUCTION_KEY_STATEMENT = 3 /* bytes: the key, certified by root 0 */
};

enum introduction_mute_field {
    INTRODUCTION_MUTE_MEMBER = 1, /* bytes: root */
    INTRODUCTION_MUTE_UNTIL = 2   /* number: ms */
};

extern const struct kind introduction_kind, introduction_record_kind, introduction_key_kind,
    introduction_mute_kind;

#endif
