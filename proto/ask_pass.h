/*
 * Passes: an ask handed to one person. Each link of the chain names a fresh grant key and, by a
 * tag under a salt that only the recipient gets, for whom it is; it is signed by the grant before
 * it, the first by the ask's own key. So nobody can lengthen a chain beyond what the author
 * allowed, hand the same link to a second person, or splice it to another ask. Who colludes can
 * share the keys themselves.
 */
#ifndef KITH_PROTO_ASK_PASS_H
#define KITH_PROTO_ASK_PASS_H

#include "proto/ask.h"

struct ask_link {
    struct public_key grant;
    uint8_t tag[ASK_TAG_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
};

/* What its holder has: to read, to answer, and, where depth < hop_limit, to pass on. The author's
 * own has depth 0, and the secret is A0's. Spans borrow; secret is a secret. */
struct ask_pass {
    struct span body;
    struct span author; /* the author part; empty where the holder may not know */
    struct ask_link links[ASK_HOPS_MAX];
    size_t depth;
    struct span secret; /* SEED_SIZE: of the last grant */
    struct span salt;   /* ASK_SALT_SIZE: of the last tag */
    struct span line;   /* from whom it was passed by */
    /* Derived when read. */
    struct ask ask;
    struct hash hash;
    struct id id;
};

/* Why a pass is refused. */
enum ask_fault {
    ASK_FINE,
    ASK_BROKEN,        /* no pass at all */
    ASK_TOO_FAR,       /* beyond its hop limit */
    ASK_CHAIN_FORGED,  /* a link was not signed by the grant before it, for this ask */
    ASK_WRONG_READER,  /* given to somebody else */
    ASK_WRONG_SECRET,  /* the secret is not that of the last grant */
    ASK_NOT_SIGNED,    /* the author may be named here and is not */
    ASK_TOLD_TOO_MUCH, /* the author is named where they must not be */
    ASK_WRONG_AUTHOR,  /* the author part fits another author or ask */
    ASK_TOO_LONG,      /* ends later than an ask may, or its entry does not end with it */
    ASK_TOO_MANY,      /* more than one neighbour may leave here */
    ASK_CLOSE_FORGED,  /* a close that is not the author's */
    ASK_SHUT_OUT,      /* signed with a device of the author that is known to be stolen */
    ASK_FAULT_LAST = ASK_SHUT_OUT
};
/* As told to the owner, behind "a pass by NAME was refused: ". */
const char *ask_fault_sentence(enum ask_fault fault);

/* Appends the pass for a recipient by its holder. The grant follows from the holder's secret and
 * the recipient, so that every device of the holder gives the same one. ERR_LIMIT: the line is too
 * long; ERR_STATE: it goes no further. */
MUST_USE enum err ask_pass_issue(const struct ask_pass *held, const struct public_key *to,
                                 struct span line, struct buf *out, struct public_key *out_grant);
/* Reads the bytes; nothing is verified. ERR_MALFORMED, ERR_NOMEM. */
MUST_USE enum err ask_pass_read(struct span bytes, struct ask_pass *out);
/* Verifies one that was read, given by `from` to `reader`. ERR_NOMEM. */
MUST_USE enum err ask_pass_check(const struct ask_pass *pass, const struct public_key *from,
                                 const struct public_key *reader, enum ask_fault *out);
/* The last grant: what replies name. depth > 0. */
const struct public_key *ask_pass_grant(const struct ask_pass *pass);

#endif
