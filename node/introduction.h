/*
 * An introduction as this node looks at it when something about it arrived or became due: reads all
 * facts held, has them judged (proto/introduction_judge.h), and carries the verdict out in the same
 * transaction. introducer.c does so for the one who brings two together, introducee.c for each of
 * the two; here is what they share.
 */
#ifndef KITH_NODE_INTRODUCTION_H
#define KITH_NODE_INTRODUCTION_H

#include "node/amend.h"
#include "storage/view_interaction.h"
#include "storage/view_introduction.h"
#include "storage/view_peer.h"

/* What is known of one introduction in one transaction. Owns its memory. */
struct introduction_case {
    struct ledger_txn *txn;
    struct snapshot snapshot;
    uint64_t now_ms;
    struct introduction_row row;
    struct id record_id;
    struct object record; /* the owner's, in self; empty without one */
    bool has_record;
    struct introduction_fact *facts;
    size_t facts_count;
    struct buf memory; /* their bytes */
};

/* The reactor: see node/react.h. */
MUST_USE enum err introduction_look(struct ledger_txn *txn, struct span name);

/* ERR_NOT_FOUND: nothing is known of it. Close it also then. txn is NULL where it is only read. */
MUST_USE enum err introduction_open(const struct snapshot *snapshot, struct ledger_txn *txn,
                                    const struct public_key *introducer, const struct id *id,
                                    struct introduction_case *out);
void introduction_close(struct introduction_case *intro);

/* Introducer.c, introducee.c: judge and carry out. Each may change intro->row. */
MUST_USE enum err introducer_look(struct introduction_case *intro);
MUST_USE enum err introducee_look(struct introduction_case *intro);

/* Says it to a peer in the pair space I write for them. ERR_NOT_FOUND: there is no such space. */
MUST_USE enum err introduction_tell(struct introduction_case *intro, const struct public_key *to,
                                    struct introduction_message *message);
/* The owner's record of it, to be changed. */
void introduction_amend(struct introduction_case *intro, struct amend *out);
/* A line for the owner. who is a name, or "". */
MUST_USE enum err introduction_journal(struct introduction_case *intro, const char *kind,
                                       const char *who, const char *text);
/* On the timeline of a member: an act about this introduction. */
MUST_USE enum err introduction_act(struct introduction_case *intro, const struct public_key *member,
                                   enum interaction_what what, struct span text);
/* A member's link, or a zeroed one with state 0 when there is none. */
MUST_USE enum err introduction_peer(const struct snapshot *snapshot,
                                    const struct public_key *member, struct peer *out);
/* What the owner calls a member: alias, card name, or a piece of the did. */
enum { INTRODUCTION_NAME_SIZE = 201 };
void introduction_name(const struct snapshot *snapshot, const struct public_key *member,
                       char out[static INTRODUCTION_NAME_SIZE]);

/* Of one introduction the facts of a type by a member: index from 0, in the order of their hashes;
 * NULL at the end. */
const struct introduction_fact *introduction_said(const struct introduction_case *intro,
                                                  enum introduction_type type,
                                                  const struct public_key *member, size_t index);

/* The introduction secret and its certified public key, for a yes said now: the newest, made new
 * when it is older than INTRODUCTION_KEY_DAYS. secret is 32 bytes. ERR_STATE: this device cannot
 * certify one and no other did. */
MUST_USE enum err introduction_secret_now(struct introduction_case *intro,
                                          uint8_t secret[static KEY_SIZE],
                                          struct buf *out_statement);
/* The secret behind a certified public key. ERR_NOT_FOUND: erased, or never mine. */
MUST_USE enum err introduction_secret_of(const struct snapshot *snapshot, struct span statement,
                                         uint8_t secret[static KEY_SIZE]);
/* Erases secrets that are past their time and that no open introduction needs. */
MUST_USE enum err introduction_secret_tidy(struct ledger_txn *txn, uint64_t now_ms);

#endif
