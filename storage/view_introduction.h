/*
 * Introductions as reactions and ops look at them: what was said in each (facts, by introducer and
 * id, derived from the statements in pair spaces), what became of it here (a row, kept over a
 * rebuild), and who asked this member to introduce them (wants). Statements are verified before
 * they are facts; what one introducer may make this node keep is bounded.
 */
#ifndef KITH_STORAGE_VIEW_INTRODUCTION_H
#define KITH_STORAGE_VIEW_INTRODUCTION_H

#include "proto/introduction.h"
#include "proto/introduction_judge.h"
#include "storage/agenda.h"
#include "storage/running.h"

struct introduction_row {
    struct public_key introducer; /* my own member: I bring two together */
    struct id id;
    enum introduction_state state; /* as it was last judged */
    bool is_suppressed;            /* stays so, answered or not */
    bool was_gone;                 /* the introducer was no peer once, before an answer */
    bool is_mismatched;            /* alarm; stays until the owner says otherwise */
    bool is_asked_again;
    bool is_met;         /* connected by a session, without the other's hello, which may come yet */
    bool has_thanked[2]; /* of an introducer: A, B; told to the owner */
    bool has_other;
    struct public_key other; /* of an introducee: the other, once a release or a tag shows who */
    uint64_t seen_ms;        /* heard of, by my clock */
    uint64_t shown_ms;       /* shown to the owner; 0: not yet */
    uint64_t ended_ms;       /* 0: still under way */
    uint64_t ended_running_ms;
    struct moment agreed; /* wall_ms 0: not yet */
    uint64_t expires_ms;
};

/* I have said hello, and wait for that of the other. */
bool view_introduction_awaits(const struct introduction_row *row);
/* The name of an introduction on the agenda, and the start of its keys. */
void view_introduction_name(const struct public_key *introducer, const struct id *id,
                            struct key *out);
/* The name of a want on the agenda: who is asked, who asks, its id. */
enum { VIEW_INTRODUCTION_WANT_SIZE = 32 + 32 + ID_SIZE };
/* ERR_NOT_FOUND. */
MUST_USE enum err view_introduction(const struct snapshot *snapshot,
                                    const struct public_key *introducer, const struct id *id,
                                    struct introduction_row *out);
MUST_USE enum err view_introduction_put(struct ledger_txn *txn, const struct introduction_row *row);
/* Forgets the row and its facts: its time as a tombstone is over. */
MUST_USE enum err view_introduction_forget(struct ledger_txn *txn,
                                           const struct public_key *introducer,
                                           const struct id *id);
typedef enum err (*view_introduction_fn)(void *self, const struct introduction_row *row);
/* All rows, or (introducer not NULL) those of one introducer. */
MUST_USE enum err view_introduction_each(const struct snapshot *snapshot,
                                         const struct public_key *introducer,
                                         view_introduction_fn each, void *self);

/* A verified statement: bytes live until each returns. */
struct introduction_fact {
    struct public_key member; /* who said it */
    struct hash hash;
    struct span bytes;
    struct introduction_message message; /* borrows from bytes */
};
typedef enum err (*view_introduction_fact_fn)(void *self, const struct introduction_fact *fact);
MUST_USE enum err view_introduction_facts(const struct snapshot *snapshot,
                                          const struct public_key *introducer, const struct id *id,
                                          view_introduction_fact_fn each, void *self);
/* What peers asked of `to`, expired ones included. */
MUST_USE enum err view_introduction_wants(const struct snapshot *snapshot,
                                          const struct public_key *to,
                                          view_introduction_fact_fn each, void *self);

/* Is this member muted at that time? */
MUST_USE enum err view_introduction_muted(const struct snapshot *snapshot,
                                          const struct public_key *member, uint64_t now_ms,
                                          bool *out);

/* Called by follow after a statement, a record, a key, a mute or a link changed. before may be
 * NULL. */
MUST_USE enum err view_introduction_changed(struct ledger_txn *txn, const struct space_row *space,
                                            const struct object *before,
                                            const struct object *after);

#endif
