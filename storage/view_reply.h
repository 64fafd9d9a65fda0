/*
 * Replies as reactions look at them: what became of each letter here (a row, kept over a rebuild),
 * who brought it and what was said back about it (facts, derived from pair spaces), and what of
 * that was not looked at yet. What one neighbour may make this node keep is bounded.
 */
#ifndef KITH_STORAGE_VIEW_REPLY_H
#define KITH_STORAGE_VIEW_REPLY_H

#include "proto/answer.h"
#include "proto/reply.h"
#include "storage/agenda.h"
#include "storage/ledger.h"
#include "storage/running.h"

/* Numbers are on disk. */
enum reply_state {
    REPLY_NEW = 0,     /* not looked at, or beyond a neighbour's pace */
    REPLY_KEPT = 1,    /* waits for somebody to hand it to */
    REPLY_HANDED = 2,  /* on its way to who asked */
    REPLY_OPENED = 3,  /* the ask is mine: read */
    REPLY_REFUSED = 4, /* nothing more is done about it */
};

struct reply_row {
    struct hash id; /* of the letter: its name on the agenda (KIND_REPLY) */
    enum reply_state state;
    bool is_mine;           /* I wrote it */
    bool is_thanked;        /* thanks came, or were said */
    struct id ask;          /* with any state but new and refused */
    struct public_key from; /* who brought it first; nobody when it is mine */
    struct public_key to;   /* handed: to whom last */
    struct moment seen;     /* first, on both clocks */
    uint64_t keep_ms;       /* from then on it is remembered so long */
};

/* ERR_NOT_FOUND. */
MUST_USE enum err view_reply(const struct snapshot *snapshot, const struct hash *id,
                             struct reply_row *out);
MUST_USE enum err view_reply_put(struct ledger_txn *txn, const struct reply_row *row);
/* Forgets the row and its facts. */
MUST_USE enum err view_reply_forget(struct ledger_txn *txn, const struct hash *id);

/* Something a neighbour's pair space says about a reply. */
struct reply_brought {
    uint8_t kind; /* KIND_REPLY or KIND_ANSWER */
    struct public_key by;
    struct id object;
    uint64_t arrival;
    bool is_waiting; /* not looked at yet */
};
typedef enum err (*view_reply_fn)(void *self, const struct reply_brought *brought);
/* Replies first, then answers; in the order of who said it. */
MUST_USE enum err view_reply_brought(const struct snapshot *snapshot, const struct hash *id,
                                     view_reply_fn each, void *self);
/* It was looked at: it waits no more, and (keep false) is no fact. */
MUST_USE enum err view_reply_taken(struct ledger_txn *txn, const struct hash *id,
                                   const struct reply_brought *brought, bool keep);

/* Called by follow after a reply, an answer, a lead, a pass or a link changed. before may be NULL.
 */
MUST_USE enum err view_reply_changed(struct ledger_txn *txn, const struct space_row *space,
                                     const struct object *before, const struct object *after);

#endif
