/*
 * The table of kinds: what objects there are, in which spaces they live, which fields they have.
 * One file per kind (contact, card, link, ...) names its fields; everything else about them is
 * generic.
 */
#ifndef KITH_PROTO_KIND_H
#define KITH_PROTO_KIND_H

#include "proto/object.h"

/* What a space is for. Numbers are on the wire and on disk. */
enum space_kind { SPACE_SELF = 1, SPACE_CARD = 2, SPACE_PAIR = 3, SPACE_NETWORK = 4 };

enum kind_number {
    KIND_EPOCH = 1, /* unsealed entries only; not an object */

    KIND_CONTACT = 10, /* self: somebody in the address book */
    KIND_LINK =
        11, /* self: the trust between me and a member; object id = id_about("kith link", root) */
    KIND_INVITATION = 12, /* self: an invitation I gave */
    KIND_KEY = 13,   /* self: an epoch key held; object id = first 16 bytes of the epoch's id */
    KIND_SPACE = 14, /* self: a space of mine; object id = the space's id */
    KIND_KNOCK = 15, /* self: a knock key of mine */
    KIND_ACCEPTANCE = 16,  /* self: an invitation I accepted and that has not led to a link yet */
    KIND_INTERACTION = 18, /* self: two people were in touch; object id random, or that of an act,
                              see interaction.h */
    KIND_REMINDER = 19,    /* self: to be in touch again; object id random */
    KIND_CIRCLE = 17,      /* self: a private label; object id from the folded name, see circle.h */

    KIND_CLOSENESS = 20, /* self: how near I feel to somebody; object id =
                            id_about("kith closeness", root), or a contact's */

    KIND_CARD = 30, /* card: what I tell peers about myself; one object, id all zero */
    KIND_CERTIFICATE =
        31,          /* card: a device's certificate; object id = id_about("kith device", device) */
    KIND_REACH = 32, /* card: where a device can be reached; object id as its certificate's */
    KIND_DOOR = 33,  /* card: the knock key peers are to use; one object, id all zero */

    KIND_GRANT = 40, /* pair: an epoch key of my card or network space; object id = first 16 bytes
                       of the epoch's id */

    KIND_RETIRE = 50, /* card: a device writes no more; a statement */
    KIND_KEEP = 51,   /* all: how much of a retired device's log counts; a statement */

    KIND_RESTATEMENT = 55, /* card, network: what is live, repeated; object id random */
    KIND_FORGET = 56,      /* self, pair: an object whose payloads may be gone; object id random */
    KIND_EXPIRY = 57,      /* what is over some day, as the agenda calls it; not an object */
    KIND_ENDORSEMENT = 60, /* pair: offered; card: shown; network: quoted; object id = first 16
                              bytes of its hash */
    KIND_KEPT = 61,        /* self: an endorsement received, and what I decided; object id alike */
    KIND_REVOKED = 62,     /* card: the hash of an endorsement I took back; object id alike */
    KIND_QUOTING = 63,     /* self: whether a peer's shown endorsements go into my network space;
                             object id = id_about("kith quoting", root) */
    KIND_ENDORSEMENT_WANT = 95,    /* pair: the writer would like to be endorsed by the reader; one
                                      object, id all zero */
    KIND_INTRODUCTION = 70,        /* pair: what is said in an introduction; a statement */
    KIND_INTRODUCTION_RECORD = 71, /* self: what the owner decided about one */
    KIND_INTRODUCTION_KEY = 72,    /* self: an introduction key of the member */
    KIND_INTRODUCTION_MUTE = 73,   /* self: object id = id_about("kith mute", root) */

    KIND_PASS = 80,   /* pair: an ask handed to its reader; named by its bytes, as a statement */
    KIND_ASK = 81,    /* self: an ask of mine */
    KIND_HEARD = 82,  /* self: what the owner decided about somebody's ask */
    KIND_PASSED = 83, /* self: a grant I issued */
    KIND_CLOSE = 84,  /* pair: an ask is over; named by its bytes */

    KIND_REPLY = 85,  /* pair: a letter to who asked, and the grant it goes by; a statement */
    KIND_LEAD = 86,   /* self: one letter of a thread; object id = first 16 bytes of its hash */
    KIND_ANSWER = 88, /* pair: thanks, or a letter back to who replied; a statement */

    KIND_DROPPED = 99,     /* what was refused, as the agenda calls it; not an object */
    KIND_SHARE = 90,       /* pair: a contact shared with the reader; id by share_id */
    KIND_SHARE_RECORD = 91 /* self: one that was shared with me; id by share_record_id */
};

enum { KIND_STATEMENT_FIELD = 1 }; /* the one field of kinds that are statements: bytes */

enum field_match { MATCH_EXACT, MATCH_EMAIL, MATCH_PHONE }; /* how set values are compared */

struct field {
    uint8_t number;
    const char *name;
    enum value_type type;
    bool is_set;
    enum field_match match;
    uint32_t size_max; /* bytes of text and bytes; largest number otherwise (0: any) */
};

struct kind {
    uint8_t number;
    const char *name;
    unsigned spaces;   /* bit (1 << space_kind) */
    bool is_secret;    /* its rows are sealed under the device's local key */
    bool is_statement; /* its objects are statements: never changed, named by their bytes */
    const struct field *fields;
    size_t fields_count;
};

/* NULL when unknown. */
const struct kind *kind_find(uint8_t number);
const struct field *kind_field(const struct kind *kind, uint8_t number);
const struct field *kind_field_named(const struct kind *kind, struct span name);
/* Appends the normalised form of a set value: e-mails in lower case (ASCII), phones as digits with
 * a leading plus, others as they are. */
void kind_normalise(enum field_match match, struct span value, struct buf *out);

#endif
