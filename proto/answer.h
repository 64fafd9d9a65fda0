/*
 * Answers: what whoever asked says to somebody who replied, walking forward along the people who
 * carried the reply: thanks, which all of them read, and letters, which only the one who replied
 * can. Both are signed by the ask's own key, so that each who hands one on has checked it.
 * PROTOCOL.md says the bytes (ANSWER).
 */
#ifndef KITH_PROTO_ANSWER_H
#define KITH_PROTO_ANSWER_H

#include "proto/ask.h"
#include "proto/letter.h"

/* Numbers are on the wire. */
enum answer_type { ANSWER_THANKS = 1, ANSWER_LETTER = 2 };

struct answer {
    enum answer_type type;
    struct public_key asker; /* A0, the ask's own key */
    struct hash body;        /* hash of the ask's body */
    struct hash ask;         /* of the ask; read: follows from both */
    struct hash reply;       /* id of the letter that began the thread */
    uint64_t at_ms;          /* by the clock of whoever asked */
    struct span line;        /* thanks: may be empty */
    struct span letter;
};

/* Appends it, signed with A0. ERR_LIMIT: the line is too long. */
MUST_USE enum err answer_say(const struct answer *answer, const struct signing_key *asker,
                             struct buf *out);
/* Reads and verifies; whether it is about an ask I know is for who reads to see. out borrows.
 * ERR_MALFORMED, ERR_FORGED, ERR_NOMEM. */
MUST_USE enum err answer_read(struct span bytes, struct answer *out);
/* The same for one that was verified before: no cryptography. ERR_MALFORMED, ERR_NOMEM. */
MUST_USE enum err answer_look(struct span bytes, struct answer *out);

/* Inside a letter. */
struct answer_letter {
    struct hash ask, reply;
    bool wants_introduction; /* yes to "shall I introduce you?" */
    uint64_t at_ms;
    struct span text; /* may be empty in a yes */
    struct span name; /* empty without a name */
};

/* Appends the content. ERR_LIMIT. */
MUST_USE enum err answer_write(const struct answer_letter *letter, struct buf *out);
/* No cryptography; out borrows. ERR_MALFORMED, ERR_NOMEM. */
MUST_USE enum err answer_peek(struct span content, struct answer_letter *out);
/* Opens and verifies the letter of an answer that answer_read has verified; key is the thread's.
 * out borrows from plain, which is to be wiped. ERR_FORGED, ERR_MALFORMED, ERR_NOMEM. */
MUST_USE enum err answer_open(const struct exchange_key *key, const struct answer *answer,
                              struct buf *plain, struct answer_letter *out,
                              struct letter *out_letter, bool *out_has_member,
                              struct public_key *out_member);

extern const struct kind answer_kind;

#endif
