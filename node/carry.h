/*
 * Replies and answers as this node looks at them when something about one arrived or became due:
 * what a neighbour brought is taken within their pace, opened when it is for the owner, and handed
 * on otherwise, in the same transaction. relay.h decides, lead.h opens.
 */
#ifndef KITH_NODE_CARRY_H
#define KITH_NODE_CARRY_H

#include "proto/object.h"
#include "storage/view_ask.h"
#include "storage/view_reply.h"

enum { CARRY_BROUGHT_MAX = REPLY_SOURCES_MAX + REPLY_SAID_MAX };

/* What is known of one reply in one transaction. */
struct carry {
    struct ledger_txn *txn;
    struct snapshot snapshot;
    uint64_t now_ms;
    struct reply_row row;
    struct object own;                               /* the lead in self, when I wrote it */
    struct reply_brought brought[CARRY_BROUGHT_MAX]; /* replies, then answers; each as it came */
    size_t brought_count;
};

/* The reactor: see node/react.h. */
MUST_USE enum err carry_look(struct ledger_txn *txn, struct span name);

/* Carry_reply.c: takes what was brought; hands on what is on its way. */
MUST_USE enum err carry_take_reply(struct carry *carry, struct reply_brought *brought);
MUST_USE enum err carry_send(struct carry *carry);
/* Carry_answer.c */
MUST_USE enum err carry_take_answer(struct carry *carry, struct reply_brought *brought);

/* Did I write the reply? */
bool carry_is_own(const struct carry *carry);
/* Is it one that was carried or opened here, or mine? */
bool carry_is_known(const struct carry *carry);
/* By when nobody carries it any more; at once when its ask is not known. */
MUST_USE enum err carry_ask_ends(struct carry *carry, uint64_t *out_expires_ms, bool *out_is_over);
/* Whose word in the pair space between a member and me: theirs, or mine for them. */
enum carry_side { CARRY_THEIRS, CARRY_MINE };
/* The bytes, appended to out unless that is NULL. ERR_NOT_FOUND: it is not there, or over. */
MUST_USE enum err carry_said(const struct carry *carry, const struct public_key *member,
                             enum carry_side side, uint8_t kind, const struct id *id,
                             struct buf *out);
/* Is there a link with them, and a space to say it in? */
MUST_USE enum err carry_is_linked(const struct carry *carry, const struct public_key *member,
                                  bool *out);
/* May they bring one more today? */
MUST_USE enum err carry_has_pace(const struct carry *carry, const struct public_key *by, bool *out);
/* May another device of mine know what this one does not yet know of it? For a while. */
MUST_USE enum err carry_is_early(const struct carry *carry, const struct reply_brought *brought,
                                 bool *out);
/* It was looked at, which costs who brought it one of today's. refusal NULL: it was fine; else why
 * not, told to the owner while those are few. */
MUST_USE enum err carry_spend(struct carry *carry, struct reply_brought *brought,
                              const char *refusal);
/* It stands no more (keep false), or was looked at. */
MUST_USE enum err carry_taken(struct carry *carry, struct reply_brought *brought, bool keep);
/* Looks again when their day is over. */
MUST_USE enum err carry_wait(struct carry *carry);
/* Why what came for me could not be opened or does not count, as a refusal says it; NULL: the error
 * is no fault of it. */
const char *carry_fault(enum err err);

enum { CARRY_TITLE_SIZE = 424 };
/* The ask's title; "" when it is not held any more. */
void carry_title(const struct snapshot *snapshot, const struct id *ask,
                 char out[static CARRY_TITLE_SIZE]);
/* A line for the owner about this reply; who is a member, or NULL. */
MUST_USE enum err carry_journal(struct carry *carry, const char *kind, const struct public_key *who,
                                const char *text);

#endif
