/*
 * Sharing a contact: what a member tells one peer about somebody in the address book, field by
 * field as chosen. It stands in the pair space, replaces what was told before, and is taken back by
 * forgetting it. Notes, interactions, reminders and circles have no place in it.
 *
 * Pure: what the bytes mean. Who was told what, and what was decided, is storage/view_share.
 */
#ifndef KITH_PROTO_SHARE_H
#define KITH_PROTO_SHARE_H

#include "proto/kind.h"
#include "proto/limits.h"

enum { SHARE_TEXTS = 4, SHARE_SETS = 4 };

/* The fields of a contact that may travel, in the order of the body: of each row below one. */
extern const uint8_t share_text_fields[SHARE_TEXTS]; /* name, org, title, place */
extern const uint8_t share_set_fields[SHARE_SETS];   /* e-mails, phones, web addresses, tags */

struct share_set {
    struct span values[SHARE_VALUES_MAX];
    size_t count;
};

struct share {
    struct span texts[SHARE_TEXTS]; /* empty: not told; the name is always told */
    struct share_set sets[SHARE_SETS];
    bool is_org;
    struct span why;   /* a line for the reader; may be empty */
    uint64_t shared_s; /* by the writer's clock */
};

/* Which bound a share breaks; FINE is 0. */
enum share_fault {
    SHARE_FINE,
    SHARE_UNREADABLE, /* no array of this shape */
    SHARE_NAMELESS,
    SHARE_NAME_LONG,
    SHARE_TEXT_LONG,
    SHARE_VALUES_MANY,
    SHARE_VALUE_BAD, /* empty, or too long */
    SHARE_WHY_LONG,
    SHARE_TEXT_BAD, /* a control byte */
    SHARE_LARGE     /* all of it */
};

/* The bounds of SHARE-2 that one text or the counts can break: what writers and readers check
 * alike. */
enum share_fault share_check(const struct share *share);
/* What was wrong, as the end of a sentence; "" for FINE. */
const char *share_fault_text(enum share_fault fault);

/* Appends the body. ERR_INVALID when a bound is broken, out_fault says which. */
MUST_USE enum err share_write(const struct share *share, struct buf *out,
                              enum share_fault *out_fault);
/* What out points to lies in body. ERR_MALFORMED, out_fault says why; ERR_NOMEM. */
MUST_USE enum err share_read(struct span body, struct share *out, enum share_fault *out_fault);
/* Is the same told, whenever it was told? */
bool share_is_equal(const struct share *left, const struct share *right);

/* The object's id: the same on all devices of the writer, another one for each reader. */
void share_id(const struct id *pair_space, const struct id *contact, struct id *out);
/* The id of the reader's record of it. */
void share_record_id(const struct public_key *writer, const struct id *share, struct id *out);

enum share_field { SHARE_BODY = 1 }; /* bytes */

enum share_decision { SHARE_WAITING = 0, SHARE_KEPT = 1, SHARE_SET_ASIDE = 2 };

/* The reader's own: what was seen, and decided. */
enum share_record_field {
    SHARE_RECORD_MEMBER = 1,    /* bytes: who shares */
    SHARE_RECORD_OBJECT = 2,    /* bytes: id of the share */
    SHARE_RECORD_SEEN = 3,      /* number: ms, when it was first told to the owner */
    SHARE_RECORD_DECISION = 4,  /* number: enum share_decision */
    SHARE_RECORD_DECIDED = 5,   /* number: ms */
    SHARE_RECORD_CONTACT = 6,   /* bytes: id of the contact it became */
    SHARE_RECORD_BODY = 7,      /* bytes: the body that was kept */
    SHARE_RECORD_WITHDRAWN = 8, /* number: ms, when what was kept was found taken back */
    SHARE_RECORD_NEWS = 9       /* number: ms, when the owner was last told that it changed */
};

extern const struct kind share_kind, share_record_kind;

#endif
