/* Letters the owner writes: a reply to somebody's ask, or an answer to who replied to theirs. Each
 * is sealed, kept in self, and on its way when this returns. */
#ifndef KITH_NODE_LEAD_WRITE_H
#define KITH_NODE_LEAD_WRITE_H

#include "proto/answer.h"
#include "proto/reply.h"
#include "storage/view_ask.h"

/* A reply or a further message of the thread; its keys are put in here. secret is the thread's, 32
 * bytes. It is signed by name when it has one. ERR_LIMIT: it is too long. Not sent before a
 * react_all.
 */
struct lead_draft {
    struct reply reply;
    const uint8_t *secret;
    const uint8_t *reply_key; /* 32: of the ask */
    uint64_t expires_ms;
};
MUST_USE enum err lead_write_reply(struct ledger_txn *txn, struct lead_draft *draft,
                                   struct hash *out_id);

/* An answer to a thread: object is its first letter, kept in self. Each goes to a neighbour who
 * brought it and is a peer. ERR_NOT_FOUND: there is none; ERR_LIMIT. */
MUST_USE enum err lead_write_answer(struct ledger_txn *txn, const struct object *lead,
                                    struct answer_letter *letter);
MUST_USE enum err lead_write_thanks(struct ledger_txn *txn, const struct object *lead,
                                    struct span line, struct public_key *out_to);

#endif
