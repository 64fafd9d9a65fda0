/*
 * What a device must keep secret, as bytes of a file. Bytes in, bytes out: reading and writing
 * files is node/home's work. The layout stands in proto/PROTOCOL.md, "Key file".
 */
#ifndef KITH_CRYPTO_KEYFILE_H
#define KITH_CRYPTO_KEYFILE_H

#include "crypto/entropy.h"
#include "crypto/identity.h"

/* Lives in memory from secret_new only. */
struct device_secrets {
    bool has_root;               /* false on a device that does not hold the member's root 0 */
    uint8_t root_seed[32];       /* Ed25519 seed of root 0 */
    uint8_t signing_seed[32];    /* Ed25519 seed of the device */
    uint8_t static_seed[32];     /* X25519 seed: handshakes */
    uint8_t receiving_seed[32];  /* X25519 seed: grants are wrapped to it */
    uint8_t local_key[32];       /* seals and checks rows of this device's own store */
    uint8_t incarnation[16];     /* random per key file: tells a copied store from its original */
    uint8_t recovery_public[32]; /* X25519; public: own grants are wrapped to it too */
    struct hash next_root_hash;  /* hash of root 1's public key; public */
    struct public_key member;    /* root 0's public key */
    uint64_t created_at_ms;
    /* Keys drawn for the device that follows this one, stored before anything uses them. The store
     * says which of the two writes in it. */
    bool has_successor;
    uint8_t successor_signing_seed[32], successor_static_seed[32], successor_receiving_seed[32];
};

/* Everything a member's first device needs, from the recovery seed (24 words) and fresh randomness.
 * ERR_NOMEM when no memory could be locked; out is then to be wiped. */
MUST_USE enum err keyfile_draw(const uint8_t recovery_seed[static SEED_SIZE],
                               const struct entropy *entropy, uint64_t now_ms,
                               struct device_secrets *out);

enum { KEYFILE_SIZE_MAX = 4096, PASSPHRASE_SIZE_MAX = 1024 };

/* Argon2id costs; the default is libsodium's MODERATE. Reading refuses ops > 16 or more than 2 GiB.
 */
struct keyfile_cost {
    uint32_t ops;
    uint32_t memory_kib;
};
struct keyfile_cost keyfile_cost_default(void);

/* Appends the file's bytes. An empty passphrase means protection by file permissions only; the cost
 * is then not looked at. ERR_LIMIT for costs that reading would refuse or a passphrase above
 * PASSPHRASE_SIZE_MAX, ERR_INVALID for costs below libsodium's least (1 pass, 8 KiB), ERR_NOMEM
 * when Argon2id gets no memory. Takes as long as the cost says: half a second by default. */
MUST_USE enum err keyfile_write(const struct device_secrets *secrets, struct span passphrase,
                                struct keyfile_cost cost, const struct entropy *entropy,
                                struct buf *out);
/* ERR_LOCKED: a passphrase is needed, or it is wrong (told apart by whether one was given);
 * ERR_CORRUPT: damaged; ERR_VERSION: written by a newer kith; ERR_LIMIT: costs beyond the limits,
 * found before any memory is taken; ERR_NOMEM. out is written only on success. A passphrase given
 * for a file that needs none is not looked at. */
MUST_USE enum err keyfile_read(struct span file, struct span passphrase,
                               struct device_secrets *out);
/* True when the file says that a passphrase protects it; false also for damaged files. */
bool keyfile_is_protected(struct span file);
/* The memory that opening it takes; 0 without a passphrase and for damaged files. */
uint64_t keyfile_memory_kib(struct span file);

#endif
