/*
 * Closeness: how near the owner feels to somebody. It lives in the self space, is asked by trust
 * and warm paths on the owner's machines alone, and is never sent to anybody.
 */
#ifndef KITH_PROTO_CLOSENESS_H
#define KITH_PROTO_CLOSENESS_H

#include "proto/kind.h"

enum closeness_field {
    CLOSENESS_OF = 1,   /* text: the did:key of a member, else a contact's id in hex */
    CLOSENESS_LEVEL = 2 /* number: enum closeness */
};

/* The nearer before the farther. Numbers are on disk. */
enum closeness {
    CLOSENESS_UNSET = 0,
    CLOSENESS_CLOSE = 1,
    CLOSENESS_GOOD = 2,
    CLOSENESS_KNOWN = 3,
    CLOSENESS_MET = 4,
    CLOSENESS_MUTED = 5
};

/* Names as commands and JSON have them. */
const char *closeness_name(enum closeness level);
/* ERR_INVALID. */
MUST_USE enum err closeness_named(const char *name, enum closeness *out);

extern const struct kind closeness_kind;

#endif
