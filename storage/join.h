/*
 * A further device of a member: what it is told by one that is there already, and the time until it
 * holds what its first meeting announced, in which it writes nothing. How the welcome travels is
 * the caller's affair; it is secret.
 */
#ifndef KITH_STORAGE_JOIN_H
#define KITH_STORAGE_JOIN_H

#include "proto/invite.h"
#include "proto/limits.h"
#include "storage/ledger.h"

/* What a new device asks to be certified with; name is of the device. */
struct join_ask {
    struct public_key device;
    uint8_t static_key[KEY_SIZE], receiving_key[KEY_SIZE];
    char name[DEVICE_NAME_SIZE_MAX + 1];
};

/* Lives in memory from secret_new, or is wiped after use. */
struct join_welcome {
    struct public_key member;
    struct hash next_root_hash;
    uint8_t recovery_public[KEY_SIZE];
    struct id self_space, card_space;
    uint8_t secret[KEY_SIZE], knock[KEY_SIZE];
    uint8_t identity[IDENTITY_SIZE_MAX]; /* root and chain of the new device */
    size_t identity_size;
    uint8_t host[IDENTITY_SIZE_MAX]; /* and of the one that certified it */
    size_t host_size;
    uint8_t addresses[ADDRESSES_MAX * (ADDRESS_SIZE_MAX + 1)]; /* of that one (address_put_list) */
    size_t addresses_size;
};

/* On the new device: its own keys, and what they say of it. The member's part of the secrets comes
 * with the welcome; the device does not hold the root. */
void join_draw(const struct entropy *entropy, uint64_t now_ms, struct device_secrets *out);
MUST_USE enum err join_ask_of(const struct device_secrets *secrets, struct span name,
                              struct join_ask *out);
/* On a device that is there: certifies the other in the card space, by the root where it is held,
 * else by this device. ERR_LIMIT: its own chain is too long for that; ERR_STATE: it is retired, or
 * has not met the others itself yet. */
MUST_USE enum err join_admit(struct ledger_txn *txn, const struct join_ask *ask,
                             struct join_welcome *out);
/* On the new device again: the secrets are complete, and an empty store is made. ERR_EXISTS;
 * ERR_FORGED: the welcome is for another device. */
MUST_USE enum err join_create(struct kv *kv, struct device_secrets *secrets,
                              const struct entropy *entropy, const struct join_welcome *welcome,
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
/* The knock key the welcome told. ERR_NOT_FOUND on a device that was never new. */
MUST_USE enum err join_knock(const struct snapshot *snapshot, uint8_t out[static KEY_SIZE]);

#endif
