/*
 * Asks and offers: a call to the network, and how it ends. The body is what everybody reads who has
 * the ask; the author part says whose it is, to those who may know. What hands an ask on is
 * ask_pass.h. PROTOCOL.md says the bytes (ASK).
 */
#ifndef KITH_PROTO_ASK_H
#define KITH_PROTO_ASK_H

#include "proto/kind.h"
#include "proto/limits.h"
#include "proto/statement.h"

/* Numbers are on the wire. */
enum ask_sort { ASK_SORT_ASK = 1, ASK_SORT_OFFER = 2 };
enum ask_naming {
    ASK_NAMED_ALWAYS = 1,    /* at every hop */
    ASK_NAMED_FIRST = 2,     /* to whom the author gave it */
    ASK_NAMED_ON_REQUEST = 3 /* by nobody but the author: signed for nobody */
};
enum ask_reason { ASK_FOUND = 1, ASK_CHANGED = 2 }; /* why it was closed */

struct ask {
    enum ask_sort sort;
    enum ask_naming naming;
    uint8_t hop_limit; /* 1 to ASK_HOPS_MAX */
    uint64_t issued_ms, expires_ms;
    struct public_key key; /* A0, of this ask alone: what is signed by it is the author's */
    uint8_t reply_key[32]; /* X25519, of this ask alone: replies are sealed to it */
    struct hash author;    /* commits to who it is; see ask_author */
    struct span title, text, caution;
    struct span tags[ASK_TAGS_MAX];
    size_t tags_count;
    struct span keep; /* keep-away tags, one byte each */
};

/* Appends the body. ERR_LIMIT: a text is too long, or all together. */
MUST_USE enum err ask_write(const struct ask *ask, struct buf *out);
/* out borrows from body. ERR_MALFORMED, ERR_NOMEM. */
MUST_USE enum err ask_read(struct span body, struct ask *out);
/* What is wrong with a text, in a sentence for who wrote it; NULL when nothing is. */
const char *ask_text_fault(const struct ask *ask);

/* What the signatures of an ask are over: HASH(A0 | hash of the body). Its first bytes name it. */
void ask_hash(const struct public_key *key, struct span body, struct hash *out);
/* The same by the hash of the body, for who has not seen it. */
void ask_hash_of(const struct public_key *key, const struct hash *body, struct hash *out);
void ask_hash_body(struct span body, struct hash *out);
void ask_id(const struct hash *hash, struct id *out);
/* The commitment to an author, opened by the author part. */
void ask_author(const uint8_t salt[static ASK_SALT_SIZE], const struct public_key *root,
                struct hash *out);
/* May whoever has it at this depth read who the author is? */
bool ask_is_named(const struct ask *ask, size_t depth);
/* Does a keep-away tag fit this member? By chance it does for one in 256, for each tag. */
uint8_t ask_keep(const struct public_key *key, const struct public_key *root);
bool ask_keeps_from(const struct ask *ask, const struct public_key *root);

/* The author part: salt and, by a certified device, a statement of the ask's hash and the author's
 * name. Appends it. ERR_LIMIT: the name is too long. */
MUST_USE enum err ask_author_write(const uint8_t salt[static ASK_SALT_SIZE],
                                   const struct hash *hash, struct span name,
                                   const struct signing_key *device, struct span identity,
                                   struct buf *out);
struct ask_signer {
    struct public_key member;
    struct span name;      /* borrows from the part */
    struct device_keys by; /* read: down to the device that signed */
};
/* ERR_MALFORMED; ERR_FORGED: not by whom the ask commits to, or not about this ask. */
MUST_USE enum err ask_author_read(struct span part, const struct ask *ask, const struct hash *hash,
                                  struct ask_signer *out);
/* The same for a part that was verified before: no cryptography. ERR_MALFORMED. */
MUST_USE enum err ask_author_peek(struct span part, struct ask_signer *out);

/* CLOSE: can be checked by who has not seen the ask. */
struct ask_close {
    struct public_key key; /* A0 */
    struct hash body;      /* hash of the body */
    enum ask_reason reason;
    struct hash hash; /* read: of the ask */
};
/* secret is A0's. Appends. */
MUST_USE enum err ask_close_write(struct span body, const struct signing_key *secret,
                                  enum ask_reason reason, struct buf *out);
/* ERR_MALFORMED, ERR_FORGED. */
MUST_USE enum err ask_close_read(struct span bytes, struct ask_close *out);
/* The same for one that was verified before: no cryptography. */
MUST_USE enum err ask_close_peek(struct span bytes, struct ask_close *out);

/* Kinds of the self space. Object id of ASK and HEARD: the ask's id. */

enum ask_field {
    ASK_BODY = 1,         /* bytes */
    ASK_SECRET = 2,       /* bytes: seed of A0 */
    ASK_REPLY_SECRET = 3, /* bytes: X25519 seed behind the reply key */
    ASK_AUTHOR_PART = 4,  /* bytes; none when named on request */
    ASK_CLOSED = 5,       /* number: enum ask_reason */
    ASK_CLOSED_AT = 6     /* number: ms */
};

/* What the owner did with an ask that was heard. */
enum heard_field {
    HEARD_DISMISSED = 1, /* number: ms; not now */
    HEARD_ANSWERED = 2   /* number: ms */
};

/* A grant I issued; object id = id_about("kith passed", grant). */
enum passed_field {
    PASSED_ASK = 1,   /* bytes: the ask's id */
    PASSED_TO = 2,    /* bytes: root */
    PASSED_GRANT = 3, /* bytes: the public key that was given */
    PASSED_VIA = 4,   /* bytes: the grant under which I have it; none when it is mine */
    PASSED_FROM = 5,  /* bytes: root of who gave me that; none when it is mine */
    PASSED_LINE = 6,  /* text: the personal line */
    PASSED_AT = 7     /* number: ms */
};

extern const struct kind pass_kind, ask_kind, heard_kind, passed_kind, close_kind;

#endif
