/*
 * Replies to an ask: a lead, an offer of help, a cheer, or a further message of the same thread. A
 * reply is a letter for the ask's reply key, so nobody who carries it back can read it; each of
 * them sees the grant it came by. PROTOCOL.md says the bytes (REPLY). Here too: the fields under
 * which both sides keep the letters of a thread in self.
 */
#ifndef KITH_PROTO_REPLY_H
#define KITH_PROTO_REPLY_H

#include "proto/kind.h"
#include "proto/letter.h"

/* Numbers are on the wire and on disk. */
enum reply_kind { REPLY_LEAD = 1, REPLY_OFFER_HELP = 2, REPLY_CHEER = 3, REPLY_MESSAGE = 4 };

/* NULL when unknown. As typed and in JSON. */
const char *reply_kind_name(uint64_t kind);

/* Somebody the reply names: only what the writer chose to tell. */
struct reply_about {
    struct span name; /* empty: nobody is named */
    struct reply_fact {
        uint8_t field; /* of proto/contact.h */
        struct span value;
    } facts[8];
    size_t facts_count;
    bool offers_introduction; /* "shall I introduce you?" */
};

struct reply {
    struct hash ask;
    enum reply_kind kind;
    uint64_t at_ms;           /* by the writer's clock */
    struct public_key thread; /* signs every letter of the writer's in this thread */
    uint8_t box[KEY_SIZE];    /* answers are sealed for it */
    bool has_first;
    struct hash first; /* the letter that began the thread; a message has it, nothing else does */
    struct span text;
    struct span name; /* what the writer calls themself; empty without a name */
    struct reply_about about;
};

/* Both keys of a thread out of its secret of 32 bytes. In memory from secret_new, or wiped. */
void reply_keys(const uint8_t secret[static KEY_SIZE], struct signing_key *out_thread,
                struct exchange_key *out_box);

/* Appends the content. ERR_LIMIT: something is too long, or against REPLY-3. */
MUST_USE enum err reply_write(const struct reply *reply, struct buf *out);
/* Content that was verified before: no cryptography; out borrows. ERR_MALFORMED, ERR_NOMEM. */
MUST_USE enum err reply_peek(struct span content, struct reply *out);
/* Opens and verifies a letter to this ask. out borrows from plain, which is to be wiped.
 * ERR_FORGED: altered, or for another ask; ERR_MALFORMED; ERR_NOMEM. */
MUST_USE enum err reply_open(const struct exchange_key *key, const struct hash *ask,
                             struct span bytes, struct buf *plain, struct reply *out,
                             struct letter *out_letter, bool *out_has_member,
                             struct public_key *out_member);

/* What stands in a pair space: the letter and the grant by which the writer of the space has the
 * ask. */
struct reply_carried {
    struct public_key grant;
    struct span letter;
};
void reply_carry(const struct reply_carried *carried, struct buf *out);
/* ERR_MALFORMED, ERR_NOMEM. out borrows. */
MUST_USE enum err reply_read_carried(struct span bytes, struct reply_carried *out);

/* One letter of a thread as either side keeps it in self; object id = reply_object_id. */
enum lead_field {
    LEAD_ASK = 1,      /* bytes: 32 */
    LEAD_THREAD = 2,   /* bytes: 32, id of the letter that began the thread */
    LEAD_LETTER = 3,   /* bytes: 32, id of this one */
    LEAD_IS_MINE = 4,  /* number: 1 I wrote it */
    LEAD_IS_ASKED = 5, /* number: 1 I wrote the ask */
    LEAD_CONTENT = 6,  /* bytes: as reply.h or answer.h says */
    LEAD_PROOF = 7,    /* bytes: statement of who wrote it */
    LEAD_THROUGH = 8,  /* bytes: root of the peer who handed it to me */
    LEAD_AT = 9,       /* number: ms, by my clock */
    LEAD_SECRET = 10,  /* bytes: 32, of the thread; with who answers, on the first letter */
    LEAD_SEALED = 11,  /* bytes: the letter as it travels, of those I wrote */
    LEAD_EXPIRES = 12, /* number: ms, when nobody carries it any more */
    /* On the first letter of a thread. */
    LEAD_THANKED = 13,   /* number: ms */
    LEAD_THANKS = 14,    /* text */
    LEAD_MEET = 15,      /* number: ms, when whoever asked said yes to an introduction */
    LEAD_INTRODUCED = 16 /* number: ms, when it was begun */
};

void reply_object_id(const struct hash *letter, struct id *out);

extern const struct kind reply_kind, lead_kind;

#endif
