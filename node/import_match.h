/* Whether somebody of a file is in the address book already. */
#ifndef KITH_NODE_IMPORT_MATCH_H
#define KITH_NODE_IMPORT_MATCH_H

#include "node/person.h"
#include "proto/limits.h"
#include "storage/ledger.h"

struct import_match {
    bool is_found;
    struct id contact;
    bool has_like; /* not found, but somebody has the same name, e-mail or phone */
    struct id like;
};

/*
 * Known again by UID; else by the address of a profile page; else by the folded name, together with
 * an e-mail or phone in common, or, when neither side has any, with the same organisation. Two
 * cards of different UIDs, or different profiles, and nothing else in common are two people.
 */
MUST_USE enum err import_match(const struct snapshot *snapshot, const struct person *person,
                               struct import_match *out);
/* A web address without scheme, "www." and what comes after the path: where a page is, however
 * written. */
struct span import_match_bare(struct span url);
/* Is this web address one person's page (LinkedIn, XING)? */
bool import_match_is_profile(struct span url);

#endif
