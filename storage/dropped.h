/*
 * What somebody said in a space they write for me that breaks a rule: of it nothing is kept but how
 * much there was. It is counted against who said it, shown with them, and told to the owner, with
 * the newest reason, at most once a day.
 */
#ifndef KITH_STORAGE_DROPPED_H
#define KITH_STORAGE_DROPPED_H

#include "storage/ledger.h"

/* Numbers are on disk. */
enum dropped_reason {
    DROPPED_ENTRY = 1,       /* cannot be opened or read, or its kind has no place there */
    DROPPED_ENDORSEMENT = 2, /* forged, beyond a bound, or in the wrong place */
    DROPPED_INTRODUCTION = 3,
    DROPPED_REPLY = 4
};

struct dropped {
    uint64_t count;   /* ever */
    uint64_t told;    /* of them */
    uint64_t told_ms; /* when; 0: never */
    uint8_t newest;   /* enum dropped_reason; 0: not known */
};

/* One more, by the writer of this space. Nothing where that is me. */
MUST_USE enum err dropped_add(struct ledger_txn *txn, const struct space_row *space,
                              enum dropped_reason reason);
MUST_USE enum err dropped_of(const struct snapshot *snapshot, const struct public_key *writer,
                             struct dropped *out);
/* Called from the agenda with the writer's root: tells the owner what has not been told. */
MUST_USE enum err dropped_look(struct ledger_txn *txn, struct span name);

#endif
