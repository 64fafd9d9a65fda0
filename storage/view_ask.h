/*
 * Asks as reactions and ops look at them: what became of each here (a row, kept over a rebuild), by
 * which ways it came (routes), and the grants this member issued, by which replies find their way
 * back. Passes are verified before they are routes; what one neighbour may make this node keep is
 * bounded. What is judged here is the same whatever came first.
 */
#ifndef KITH_STORAGE_VIEW_ASK_H
#define KITH_STORAGE_VIEW_ASK_H

#include "proto/ask_pass.h"
#include "storage/agenda.h"
#include "storage/ledger.h"
#include "storage/running.h"

/* Numbers are on disk. That it has expired is no state: see view_ask_is_over. */
enum ask_state {
    ASK_STATE_MINE = 1,   /* posted by me */
    ASK_STATE_SHOWN = 2,  /* heard, within every budget */
    ASK_STATE_LATER = 3,  /* heard; in the digest */
    ASK_STATE_SILENT = 4, /* heard, by somebody I have blocked: never shown */
    ASK_STATE_UNHEARD = 5 /* not heard: only that it is closed, or only passes that were refused */
};

struct ask_row {
    struct id id;
    enum ask_state state;
    uint8_t closed;      /* enum ask_reason; 0: it is not closed, as far as I know */
    uint64_t expires_ms; /* the ask's own word */
    struct moment heard; /* first heard of, on both clocks */
    uint64_t shown_ms;   /* 0: not yet */
    uint64_t closed_ms;  /* by my clock */
};

/* The name of an ask on the agenda (KIND_ASK): its id. */
/* ERR_NOT_FOUND. */
MUST_USE enum err view_ask(const struct snapshot *snapshot, const struct id *id,
                           struct ask_row *out);
MUST_USE enum err view_ask_put(struct ledger_txn *txn, const struct ask_row *row);
/* Over by its time, both clocks asked (EXPIRY-1); closed or not. */
MUST_USE enum err view_ask_is_over(const struct snapshot *snapshot, const struct ask_row *row,
                                   uint64_t now_ms, bool *out);
typedef enum err (*view_ask_fn)(void *self, const struct ask_row *row);
/* All rows, tombstones included. */
MUST_USE enum err view_ask_each(const struct snapshot *snapshot, view_ask_fn each, void *self);
/* Forgets the row, its routes and refusals. */
MUST_USE enum err view_ask_forget(struct ledger_txn *txn, const struct id *id);

/* Routes: how an ask came here. */

struct ask_route {
    struct id ask;
    struct public_key from;  /* the neighbour who passed it */
    uint8_t depth;           /* mine by this route; 0: a close */
    enum ask_fault fault;    /* ASK_FINE, or why it was refused */
    struct public_key grant; /* G under which I have it by this route */
    uint64_t at_ms;          /* when it came, by my clock */
    uint64_t arrival;        /* of the entry that brought it */
    uint8_t hash[16];        /* of its bytes */
};
typedef enum err (*view_ask_route_fn)(void *self, const struct ask_route *route);
/* The routes that count, nearest to the author first, then the earliest; the first of each
 * neighbour only. The first route is the way back, the others are spare ones. */
MUST_USE enum err view_ask_routes(const struct snapshot *snapshot, const struct id *id,
                                  view_ask_route_fn each, void *self);
/* The best of them. ERR_NOT_FOUND. */
MUST_USE enum err view_ask_route(const struct snapshot *snapshot, const struct id *id,
                                 struct ask_route *out);
/* All rows of one ask, refusals and closes included, in the order of the keys. */
MUST_USE enum err view_ask_routes_all(const struct snapshot *snapshot, const struct id *id,
                                      view_ask_route_fn each, void *self);
MUST_USE enum err view_ask_route_put(struct ledger_txn *txn, const struct ask_route *route);
/* A route or refusal by its name on the agenda (KIND_PASS): ask, neighbour, hash. */
enum { VIEW_ASK_ROUTE_NAME = ID_SIZE + 32 + 16 };
void view_ask_route_name(const struct ask_route *route, struct key *out);
MUST_USE enum err view_ask_route_named(const struct snapshot *snapshot, struct span name,
                                       struct ask_route *out);
/* What was said, pass or close: of a route that was not refused. As view_ask_pass otherwise. */
MUST_USE enum err view_ask_said(const struct snapshot *snapshot, const struct ask_route *route,
                                struct buf *plain, struct span *out);
/* The pass a route came by, read again; plain owns its bytes: wipe it (view_ask_wipe). The spans of
 * out borrow from it. ERR_NOT_FOUND: its time is over, and it is gone. */
MUST_USE enum err view_ask_pass(const struct snapshot *snapshot, const struct ask_route *route,
                                struct buf *plain, struct ask_pass *out);
/* The same of an ask of mine: depth 0, the secret A0's. ERR_NOT_FOUND: it is not mine. */
MUST_USE enum err view_ask_own(const struct snapshot *snapshot, const struct id *id,
                               struct buf *plain, struct ask_pass *out);
/* The seed behind the reply key of an ask of mine (identity_exchange_key). ERR_NOT_FOUND. */
MUST_USE enum err view_ask_reply_secret(const struct snapshot *snapshot, const struct id *id,
                                        uint8_t out[static SEED_SIZE]);
void view_ask_wipe(struct buf *plain);

/* Grants I issued. */

struct ask_grant {
    struct id ask;
    struct public_key grant; /* G given */
    struct public_key to;    /* to whom */
    bool is_mine;            /* by the author: via and from mean nothing */
    struct public_key via;   /* G under which I have it */
    struct public_key from;  /* who gave me that: the way back */
};
/* By the grant that a reply names. ERR_NOT_FOUND: I never issued it. */
MUST_USE enum err view_ask_grant(const struct snapshot *snapshot, const struct public_key *grant,
                                 struct ask_grant *out);
MUST_USE enum err view_ask_grant_put(struct ledger_txn *txn, const struct ask_grant *grant);
typedef enum err (*view_ask_grant_fn)(void *self, const struct ask_grant *grant);
/* Those of one ask, in the order of the keys. */
MUST_USE enum err view_ask_grants(const struct snapshot *snapshot, const struct id *id,
                                  view_ask_grant_fn each, void *self);

/* Budgets: what one neighbour has used up here. Counters of a day begin anew with each day of my
 * wall clock. The row under my own root counts what was shown to me. */

struct ask_budget {
    struct public_key neighbour;
    uint64_t full_ms; /* when the bucket of passes is full again */
    uint32_t kept;    /* routes and tombstones kept of them */
    uint64_t day;     /* the day the counters are of, in days since 1970 */
    uint32_t refused; /* that day */
    uint32_t shown;   /* that day: of my own row */
    uint32_t relayed; /* that day: replies handed on for them */
    uint32_t ignored; /* passes in a row that the owner would rather not have had */
};
/* A member without a row has a fresh one. */
MUST_USE enum err view_ask_budget(const struct snapshot *snapshot,
                                  const struct public_key *neighbour, uint64_t now_ms,
                                  struct ask_budget *out);
MUST_USE enum err view_ask_budget_put(struct ledger_txn *txn, const struct ask_budget *budget);
/* Takes a pass out of the bucket; false, and nothing taken, when it is empty. */
bool view_ask_budget_take(struct ask_budget *budget, uint64_t now_ms);

/* Called by follow after a pass, a close, an ask of mine or a grant changed. */
MUST_USE enum err view_ask_changed(struct ledger_txn *txn, const struct space_row *space,
                                   const struct object *after);

#endif
