/*
 * Answers: what whoever asked says to somebody who replied, walking forward along the people who
 * carried the reply: thanks, which all of them read, and letters, which only the one who replied
 * can. Both are signed by the ask's own key, so that each who hands one on has checked it.
 * PROTOCOL.md says the bytes (ANSWER).
 */
#ifndef KITH_PROTO_ANSWER_H
#define KITH_PROTO_ANSWER_H

#include "proto/kind.h"
#include "proto/letter.h"

/* Numbers are on the wire. */
enum answer_type { ANSWER_THANKS = 1, ANSWER_LETTER = 2 };

struct answer {
    enum answer_type type;
    struct hash ask;
    struct hash reply; /* id of the letter that began the thread */
    uint64_t at_ms;    /* by the clock of whoever asked */
    struct span line;  /* thanks: may be empty */
    struct span letter;
};

/* Appends it, signed. asker is the key the ask names. ERR_LIMIT: the line is too long. */
MUST_USE enum err answer_say(const struct answer *answer, const struct signing_key *asker,
                             struct buf *out);
/* Reads; out borrows. asker NULL: the signature is not looked at. ERR_MALFORMED, ERR_FORGED,
 * ERR_NOMEM. */
MUST_USE enum err answer_read(struct span bytes, const struct public_key *asker,
                              struct answer *out);

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
                              const struct public_key *asker, struct buf *plain,
                              struct answer_letter *out, struct letter *out_letter,
                              bool *out_has_member, struct public_key *out_member);

extern const struct kind answer_kind;

#endif
