/*
 * Endorsements: signed words of one member about the work of another. The record is signed by the
 * issuer's root 0 and carries both proofs of its W3C export, made at the same time, so that the
 * subject can export it while the issuer is away. Who may see it is the subject's to say: show.h.
 *
 * Pure: what the bytes mean. Who holds which, and what was decided, is storage/view_endorsement.
 */
#ifndef KITH_PROTO_ENDORSEMENT_H
#define KITH_PROTO_ENDORSEMENT_H

#include "proto/kind.h"
#include "proto/limits.h"

/* How the issuer knows the subject's work. Numbers are on the wire. */
enum relation {
    RELATION_WORKED_WITH = 1,
    RELATION_MANAGED = 2,
    RELATION_WAS_MANAGED_BY = 3,
    RELATION_CLIENT = 4,
    RELATION_TAUGHT = 5,
    RELATION_STUDIED = 6,
    RELATION_VOLUNTEERED = 7,
    RELATION_KNOW_PERSONALLY = 8
};

/* Who may see one: the issuer's ceiling, and what the subject chose below it. */
enum audience {
    AUDIENCE_SUBJECT = 0, /* as a ceiling: the subject only; as a choice: nobody */
    AUDIENCE_PEERS = 1,
    AUDIENCE_NETWORK = 2, /* peers of the subject may quote it onward */
    AUDIENCE_PUBLIC = 3   /* and anybody may hold the exported credential */
};

struct endorsement {
    struct id id; /* a UUID of version 7 (RFC 9562) */
    struct public_key issuer, subject;
    enum relation relation;
    struct span about[ENDORSEMENT_ABOUT_MAX]; /* tags as written */
    size_t about_count;
    struct span words;
    uint16_t since, until; /* years; 0: not said */
    uint64_t issued_s, expires_s;
    enum audience ceiling;
    bool has_supersedes;
    struct id supersedes; /* the id of the endorsement this one renews */
    struct span name;     /* of the issuer, as the export tells it */
    uint8_t jcs_proof[SIGNATURE_SIZE];
    uint8_t rdfc_proof[SIGNATURE_SIZE];
};

/* Which part of a record breaks a rule; FINE is 0. */
enum endorsement_fault {
    ENDORSEMENT_FINE,
    ENDORSEMENT_BAD_ID,
    ENDORSEMENT_OF_ONESELF,
    ENDORSEMENT_BAD_RELATION,
    ENDORSEMENT_BAD_ABOUT,
    ENDORSEMENT_WORDS_SHORT,
    ENDORSEMENT_WORDS_LONG,
    ENDORSEMENT_BAD_YEARS,
    ENDORSEMENT_BAD_LIFE, /* it does not end after it begins, or lives too long */
    ENDORSEMENT_BAD_CEILING,
    ENDORSEMENT_BAD_TEXT /* not UTF-8, a zero byte, or a name that is missing or too long */
};

/* The bounds of ENDORSE-2: what issuers and readers check alike. Not the signatures. */
enum endorsement_fault endorsement_check(const struct endorsement *endorsement);
/* Draws an id: 48 bits of time, then random ones, with the marks of a UUID of version 7. */
void endorsement_draw_id(const struct entropy *entropy, uint64_t now_ms, struct id *out);

/* Shows and revocations name an endorsement by statement_hash, and objects by statement_id. */

/* Appends the statement, signed by the issuer's root. ERR_INVALID when a bound is broken. */
MUST_USE enum err endorsement_issue(const struct endorsement *endorsement,
                                    const struct signing_key *root, struct buf *out);
/* Reads a statement, checks every bound and the root's signature. What out points to lies in
 * statement. ERR_MALFORMED, ERR_FORGED, ERR_NOMEM. The proofs of the export are covered by the
 * signature, and are checked by whoever exports. */
MUST_USE enum err endorsement_read(struct span statement, struct endorsement *out);
/* The same of a statement that was read before, so that its signature need not be checked again. */
MUST_USE enum err endorsement_peek(struct span statement, struct endorsement *out);

/* Names as commands and JSON have them; NULL for numbers that are none. */
const char *relation_name(enum relation relation);
MUST_USE enum err relation_named(const char *name, enum relation *out);
/* "peers", "network", "public"; AUDIENCE_SUBJECT is "nobody" as a choice, "subject" as a ceiling.
 */
const char *audience_name(enum audience audience, bool is_ceiling);
MUST_USE enum err audience_named(const char *name, bool is_ceiling, enum audience *out);

/* Fields. */
enum endorsement_field {
    ENDORSEMENT_STATEMENT = 1, /* bytes */
    ENDORSEMENT_SHOW = 2       /* bytes: a show; in card and network spaces */
};
enum kept_field {
    KEPT_STATEMENT = 1,  /* bytes: the endorsement as received */
    KEPT_IS_REVOKED = 2, /* number: 1 once its issuer took it back */
    KEPT_DECISIONS = 20  /* texts: see ENDORSE-7; the strongest one counts */
};
enum revoked_field { REVOKED_HASH = 1 }; /* bytes: of the endorsement */
enum quoting_field {
    QUOTING_MEMBER = 1, /* bytes: the peer's root */
    QUOTING_IS_ON = 2   /* number */
};

extern const struct kind endorsement_kind, kept_kind, revoked_kind, quoting_kind;

#endif
