/*
 * How near the owner feels to people: what they said, and what holds where they said nothing. Of
 * peers: good once the eight words were compared, known when invited, met when introduced; blocked
 * ones are muted. Of contacts: met. Private: it stays in the self space.
 */
#ifndef KITH_NODE_CLOSENESS_H
#define KITH_NODE_CLOSENESS_H

#include "node/name.h"
#include "proto/closeness.h"
#include "proto/link.h"

/* Somebody who is a peer, or about whom the owner said something. */
struct closeness_row {
    bool has_member, has_contact, is_peer;
    struct public_key member;
    struct id contact; /* as it is shown */
    enum closeness level;
    bool is_set;       /* the owner said so */
    bool is_blocked;   /* muted, whatever the owner said */
    char name[201];    /* of peers: mine for them, else their card's */
    uint64_t since_ms; /* of peers: when they were linked */
    bool has_via;
    struct public_key via; /* of peers: who introduced them */
};

struct closeness_list {
    struct closeness_row *rows; /* members first, in the order of their roots; then contacts */
    size_t count, members_count;
};

MUST_USE enum err closeness_load(const struct snapshot *snapshot, struct closeness_list *out);
void closeness_release(struct closeness_list *list);
/* NULL: nobody who is near. */
const struct closeness_row *closeness_of(const struct closeness_list *list,
                                         const struct public_key *member);
/* The same for somebody by name, who may be a contact only; CLOSENESS_MET when nothing is known. */
enum closeness closeness_to(const struct closeness_list *list, const struct name_match *who);
/* Says how near somebody is, or (CLOSENESS_UNSET) nothing any more. */
MUST_USE enum err closeness_say(struct ledger_txn *txn, const struct name_match *who,
                                enum closeness level);

#endif
