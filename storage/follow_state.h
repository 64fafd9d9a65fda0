/* What the files of follow share; only they include it. */
#ifndef KITH_STORAGE_FOLLOW_STATE_H
#define KITH_STORAGE_FOLLOW_STATE_H

#include "storage/follow.h"
#include "storage/ledger_state.h"
#include "storage/view_restate.h"

struct follow_cache {
    struct log_row log;
    struct space_row space;
    uint32_t index; /* epoch index the key is for; 0: none */
    uint8_t *key;   /* secret: of entries of this log in this epoch */
    struct edit_space edit;
    struct buf plain, row;
    struct view_restate *restate; /* of the log's space */
    struct buf again;             /* uint32_t: spaces to be merged again */
    bool is_silent;               /* views are told later */
    bool has_forgiven;            /* a forget names an entry of the log */
    bool is_inline;               /* in the commit that brought what is followed */
};

/* Made when it is first asked for. */
MUST_USE enum err follow_cache_get(struct ledger_txn *txn, struct follow_cache **out);
/* Merges one entry of those held, or puts it among those that wait for their key. ERR_CORRUPT when
 * there is none under this number. */
MUST_USE enum err follow_entry(struct ledger_txn *txn, uint64_t arrival);
/* Merges up to budget entries of those that are pending. */
MUST_USE enum err follow_some(struct ledger_txn *txn, size_t budget);
/* The views of each kind, told what an object was (NULL: it is new) and what it has become. */
MUST_USE enum err follow_tell(struct ledger_txn *txn, const struct space_row *space,
                              uint32_t number, const struct object *before,
                              const struct object *after);

struct follow_context {
    struct ledger_txn *txn;
    uint32_t space;
};

/* What object_apply asks; self is a struct follow_context. */
struct object_context follow_object_context(struct follow_context *self);
/* May an edit stand in this space, and does it keep the rules of its kind? */
bool follow_has_place(const struct space_row *space, const struct edit *edit);
/* Reads an object twice: as it was, and to be changed. scratch holds the bytes of both. */
MUST_USE enum err follow_read_row(struct ledger_txn *txn, struct buf *scratch, uint32_t number,
                                  struct object *before, struct object *after);

/* Follow_bound.c. The number of a log that an edit names; of somebody else's space there are so
 * many: ERR_LIMIT. */
MUST_USE enum err follow_bound_log(struct ledger_txn *txn, uint32_t space,
                                   const struct public_key *device, uint32_t *out);
/* The number of the log that the place of an original lies in; 0: there is none. */
MUST_USE enum err follow_place_log(struct ledger_txn *txn, const struct space_row *space,
                                   const struct public_key *device, uint32_t *out);
bool follow_bound_is_beyond(const struct space_row *space, const struct object *object,
                            const struct edit *edit);
/* Follow_prune.c: an object without what lost or hidden entries said; the space is merged again
 * where that does not tell all. */
MUST_USE enum err follow_prune(struct ledger_txn *txn, const struct space_row *space, uint8_t kind,
                               const struct id *object);
/* Follow_again.c. The space is merged again before follow ends: not at once, for what is being
 * merged now is not done with what it has in hand. */
MUST_USE enum err follow_demand_again(struct ledger_txn *txn, uint32_t space);
/* Does so until nothing is demanded any more. */
MUST_USE enum err follow_make_again(struct ledger_txn *txn);
/* Restatements of this space were looked through, and its entries merged again: so many. */
void follow_wait_spent(struct ledger_txn *txn, uint32_t space, size_t count);
/* Must this wait in somebody else's space? Then the agenda names it: a look at the restatements, or
 * the whole space, which then is merged again whatever counts. */
enum follow_waits { FOLLOW_WAITS_LOOK, FOLLOW_WAITS_SPACE };
MUST_USE enum err follow_wait_is_due(struct ledger_txn *txn, const struct space_row *space,
                                     enum follow_waits what, bool *out);

#endif
