/*
 * What becomes of an endorsement: offered, decided on, shown, renewed, taken back. Each step looks
 * at what is there and writes what is missing, so a step repeated after a crash, or taken on two
 * devices at once, does no harm.
 */
#ifndef KITH_NODE_ENDORSE_H
#define KITH_NODE_ENDORSE_H

#include "storage/view_endorsement.h"

/* Puts a record into the pair space written for its subject. */
MUST_USE enum err endorse_offer(struct ledger_txn *txn, const struct id *pair_space,
                                struct span statement);
/* On the timeline of the issuer or the subject, whichever is not me: endorsed, or endorsed me. */
MUST_USE enum err endorse_note(struct ledger_txn *txn, const struct endorsement *endorsement);
/* A human act of the subject: takes the place of every decision this device has seen. */
MUST_USE enum err endorse_decide(struct ledger_txn *txn, const struct endorsement_view *view,
                                 enum endorsement_decision decision);
/* Takes back one of mine: its hash goes onto my card. */
MUST_USE enum err endorse_revoke(struct ledger_txn *txn, const struct endorsement_view *view);
/* Brings what others are shown in line with what was decided, for one endorsement about me: the
 * card has it with a fresh show, or has it not. Writes nothing when all is as it should be. What
 * has expired stays: every reader sees that it has. */
MUST_USE enum err endorse_settle(struct ledger_txn *txn, const struct endorsement_view *view);
/* Has everything looked at tomorrow. */
MUST_USE enum err endorse_plan_sweep(struct ledger_txn *txn);
/* Called from the agenda with the place of an endorsement, or with ENDORSEMENT_SWEEP for all that
 * kept: receives what was offered to me, settles what I decided, quotes what peers show. */
MUST_USE enum err endorse_look(struct ledger_txn *txn, struct span name);

#endif
