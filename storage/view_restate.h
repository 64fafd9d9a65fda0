/*
 * Which restatement of a space counts, and what it leaves alive. Derived from restatement objects;
 * made again with the other views.
 */
#ifndef KITH_STORAGE_VIEW_RESTATE_H
#define KITH_STORAGE_VIEW_RESTATE_H

#include "proto/restate.h"
#include "storage/ledger.h"
#include "storage/running.h"

struct view_restate_cover {
    uint32_t log;
    uint64_t size;
};

/* The newest complete restatement of a space. */
struct view_restate {
    bool is_there;
    uint32_t depth; /* of its epoch */
    struct hash epoch;
    uint32_t log;        /* it stands in this log, */
    struct moment since; /* it was found to count here */
    uint64_t begin, end; /* from its first edit to its last */
    size_t covers_count;
    struct view_restate_cover covers[LOGS_PER_PEER_MAX];
};

/* is_there is false when the space has none. */
MUST_USE enum err view_restate_load(const struct snapshot *snapshot, uint32_t space,
                                    struct view_restate *out);
/* How much of a log it covers. */
uint64_t view_restate_covered(const struct view_restate *restate, uint32_t log);
/* Is what stands here dead: covered and not repeated? The place is the edit's own, or the one a
 * repetition names; it is dead where either is covered. */
bool view_restate_is_dead(const struct view_restate *restate, uint32_t log, uint64_t seq,
                          uint32_t place_log, uint64_t place_seq);

/* Called when a restatement object changed (after: what it is now), and when logs were cut or
 * joined (NULL): looks which one counts, and what it covers. True where that is another, so that
 * the space's objects must be merged again. */
MUST_USE enum err view_restate_look(struct ledger_txn *txn, const struct space_row *space,
                                    const struct object *after, bool *out_is_new,
                                    size_t *out_looked);

#endif
