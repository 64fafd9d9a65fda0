/*
 * A further device of a member: what it is told by one that is there already, and the time until it
 * holds what its first meeting announced, in which it writes nothing. How the welcome travels is
 * the caller's affair; it is secret.
 */
#ifndef KITH_STORAGE_JOIN_H
#define KITH_STORAGE_JOIN_H

#include "proto/welcome.h"
#include "storage/ledger.h"

/* On the new device: its own keys, and what they say of it. The member's part of the secrets comes
 * with the welcome; the device does not hold the root. */
void join_draw(const struct entropy *entropy, uint64_t now_ms, struct device_secrets *out);
MUST_USE enum err join_ask_of(const struct device_secrets *secrets, struct span name,
                              struct welcome_ask *out);
/* On a device that is there: certifies the other in the card space, by the root where it is held,
 * else by this device. ERR_LIMIT: its own chain is too long for that; ERR_STATE: it is retired, or
 * has not met the others itself yet. */
MUST_USE enum err join_admit(struct ledger_txn *txn, const struct welcome_ask *ask,
                             struct welcome *out);
/* On the new device again: the secrets are complete, and an empty store is made. ERR_EXISTS;
 * ERR_FORGED: the welcome is for another device, or from another member's. */
MUST_USE enum err join_create(struct kv *kv, struct device_secrets *secrets,
                              const struct entropy *entropy, const struct welcome *welcome,
                              uint64_t now_ms);

/* True until the new device holds what was announced at its first meeting. */
MUST_USE enum err join_is_pending(const struct snapshot *snapshot, bool *out);
/* It holds it: it may write now. Nothing while the views are behind. */
MUST_USE enum err join_finish(struct ledger_txn *txn);

/* On the first device, which has opened the first epoch of its self space: keeps the secret that
 * own devices share. */
MUST_USE enum err join_begin(struct ledger_txn *txn);
/* That secret: the psk between them. ERR_NOT_FOUND. */
MUST_USE enum err join_secret(const struct snapshot *snapshot, uint8_t out[static KEY_SIZE]);
/* The knock key that own devices have among themselves. ERR_NOT_FOUND: one of them was shut out. */
MUST_USE enum err join_knock_between(const struct snapshot *snapshot, uint8_t out[static KEY_SIZE]);
/* That which two of them have with each other, and with no third: by the static key of this one, or
 * one it had before, and that of the other. ERR_FORGED: that is no key; ERR_NOT_FOUND. */
MUST_USE enum err join_knock_mutual(const struct snapshot *snapshot, const struct exchange_key *own,
                                    const uint8_t other[static KEY_SIZE],
                                    uint8_t out[static KEY_SIZE]);
/* The knock key the welcome told. ERR_NOT_FOUND on a device that was never new. */
MUST_USE enum err join_knock(const struct snapshot *snapshot, uint8_t out[static KEY_SIZE]);

#endif
