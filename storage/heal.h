/*
 * What a device does that finds itself, or a sibling, forked: a successor takes over, statements
 * say so, each space gets the mark up to which the old log counts.
 */
#ifndef KITH_STORAGE_HEAL_H
#define KITH_STORAGE_HEAL_H

#include "proto/retire.h"
#include "storage/ledger.h"
#include "storage/standing.h"

/* Must this device have a successor? Because its own key signed what it does not hold, or because
 * it learnt that it was retired as forked. Retired by the owner, or stolen: never. */
MUST_USE enum err heal_is_due(const struct snapshot *snapshot, bool *out);
/* Draws a successor's keys into the secrets of a key file: from entropy and from the session that
 * brought the proof, whose other side drew a share, so that copies with one random state part. */
void heal_draw(struct device_secrets *secrets, const struct entropy *entropy,
               const uint8_t handshake_hash[static HASH_SIZE]);
/* In a transaction of the successor's ledger (ledger_succeed): certifies it, retires the device
 * before it, marks how much of its logs counts, and cuts what lies beyond. Everything is in this
 * one transaction. */
MUST_USE enum err heal_take_over(struct ledger_txn *txn, const struct device_secrets *before);
/* Retires a sibling of whose log in this space two branches are held. */
MUST_USE enum err heal_sibling(struct ledger_txn *txn, const struct space_row *space,
                               const struct public_key *device);
/* Gives up a device of mine, or says that it was stolen: what it wrote counts as far as it is held
 * here, its readers' keys are changed, what it certified later is void. ERR_NOT_FOUND: no such
 * device of mine; ERR_STATE: this one is retired itself, or has no say over that one (neither the
 * root nor a place above it). */
MUST_USE enum err heal_shut_out(struct ledger_txn *txn, const struct public_key *device,
                                enum retire_reason reason);
/* Tells the journal, once, that this device was shut out. */
MUST_USE enum err heal_note_out(struct ledger_txn *txn, enum standing standing);
/* Marks retired logs of mine that have no keep; opens new epochs where the current one was cut. A
 * part of every commit that may have made it necessary. */
MUST_USE enum err heal_do_duty(struct ledger_txn *txn);
/* The same where more has come than is merged in one transaction: the agenda keeps it. */
MUST_USE enum err heal_do_duty_later(struct ledger_txn *txn);
/* What the agenda kept, or the keeps of a device that was stolen a day ago, as far as nobody wrote
 * them. */
MUST_USE enum err heal_tend(struct ledger_txn *txn, struct span name);

#endif
