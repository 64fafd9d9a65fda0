/*
 * The three steps by which an invitation becomes a link, as the writer thread carries them out for
 * a session: claim (the inviter learns who holds the invitation and draws the link secret, once),
 * make (the acceptor stores the link), complete (the inviter stores what the acceptor told). Each
 * is one transaction; repeating a step gives the same answer. ERR_FORGED, of make and complete: the
 * other side broke LINK-7, and nothing is to be written.
 */
#ifndef KITH_NODE_LINK_H
#define KITH_NODE_LINK_H

#include "node/ops.h"
#include "proto/device.h"
#include "proto/link.h"
#include "proto/link_judge.h"
#include "proto/message.h"

struct link_answer {
    bool is_refused;
    enum refusal refusal;
    bool has_message;
    struct link_message message; /* spans borrow from storage below */
    char name[201];
    uint8_t addresses[ADDRESSES_MAX * (ADDRESS_SIZE_MAX + 1)];
};

/* What an invitation's session knows. */
struct link_request {
    struct id
        invitation; /* object id: of the invitation (inviter) or of the acceptance (acceptor) */
    struct device_chain chain;
    struct hash next_root;
    struct span identity;
    struct link_message message; /* make, complete */
    struct span my_addresses;
};

MUST_USE enum err link_claim(struct ledger_txn *txn, const struct link_request *request,
                             struct link_answer *out);
MUST_USE enum err link_make(struct ledger_txn *txn, const struct link_request *request,
                            struct link_answer *out);
MUST_USE enum err link_complete(struct ledger_txn *txn, const struct link_request *request,
                                struct link_answer *out);
/* The acceptor was told why there is no link: the acceptance is dropped, the owner told through the
 * journal. */
MUST_USE enum err link_refused(struct ledger_txn *txn, const struct id *acceptance,
                               enum refusal refusal);
/* A session under the link's secret was confirmed: the invitation is spent. Of a link that has
 * another secret by now, or has ended, nothing is; secret is the hash of the one the session spoke
 * under (link_secret_hash), NULL for that of a link which the session made itself. */
MUST_USE enum err link_confirmed(struct ledger_txn *txn, const struct public_key *member,
                                 const struct hash *secret);
void link_secret_hash(const uint8_t secret[static KEY_SIZE], struct hash *out);
/* Whoever is removed holds no invitation any more: what they claimed and never confirmed, or what
 * an introduction left for them, is revoked. */
MUST_USE enum err link_revoke_claims(struct ledger_txn *txn, const struct public_key *member);

/* Parts of making a link that an introduction shares (link_join.c). */

struct amend;
struct peer;
/* Loads the link there is; a zeroed peer when there is none. */
MUST_USE enum err link_before(struct ledger_txn *txn, const struct public_key *member,
                              struct peer *out);
/* Of two secrets for one pair the one with the least hash counts; the other is accepted until both
 * have confirmed. */
bool link_secret_counts(const uint8_t candidate[static KEY_SIZE],
                        const uint8_t other[static KEY_SIZE]);
/* The facts about a new secret beside those of the link there is. */
void link_secret_compare(const struct peer *before, const uint8_t fresh[static KEY_SIZE],
                         struct link_judge_facts *out);
/* Carries out what was judged of the secrets. */
void link_amend_verdict(struct amend *amend, const struct peer *before,
                        const uint8_t fresh[static KEY_SIZE], enum link_verdict verdict);
/* link_space.c. ERR_FORGED: what is told as the member's spaces is somebody else's, or another kind
 * of space. */
MUST_USE enum err link_check_spaces(const struct snapshot *snapshot,
                                    const struct public_key *member, const struct id *pair,
                                    const struct id *card);
/* Their spaces get local numbers, so that batches of them are known when they come. ERR_FORGED as
 * above. */
MUST_USE enum err link_add_spaces(struct ledger_txn *txn, const struct public_key *member,
                                  const struct link_message *message);
/* What the other side told about itself. */
void link_amend_told(struct amend *amend, const struct link_message *message);
/* The contact of a link: the one that was wanted (ID_SIZE bytes), else one that is linked to the
 * member already, else a new one. */
MUST_USE enum err link_contact(struct ledger_txn *txn, const struct public_key *member,
                               struct span wanted, struct span name, struct id *out);
MUST_USE enum err link_grant_card(struct ledger_txn *txn, const struct public_key *member);
MUST_USE enum err link_journal(struct ledger_txn *txn, const char *kind, struct span who,
                               const char *text);

#endif
