/*
 * What two introduced people derive from both of their bundles, and nobody else can, the introducer
 * included: the key of each one's hello, what each signs for the other alone, and the secret of the
 * link between them. Three X25519 agreements, of the ephemeral keys and of each ephemeral with the
 * other's introduction key (the shape of Noise KK without its static agreement), under a transcript
 * of everything both were told.
 */
#ifndef KITH_PROTO_INTRODUCTION_BOND_H
#define KITH_PROTO_INTRODUCTION_BOND_H

#include "crypto/seal.h"
#include "crypto/secret.h"
#include "proto/introduction.h"
#include "proto/limits.h"

/* One of the two as the bundle shows them. */
struct introduction_bundle {
    struct public_key root;
    struct hash offer; /* the one it answers */
    struct hash yes;   /* the hash of the whole statement */
    uint8_t key[32];   /* introduction key */
    uint8_t ephemeral[32];
};

/* Lives in memory from secret_new, or is wiped after use. */
struct introduction_bond {
    uint8_t key[KEY_SIZE];
    struct hash transcript;
};

/* The private keys for one introduction, out of the member's introduction secret. All devices of
 * the member derive the same. Wipe both. */
void introduction_bond_keys(const uint8_t secret[static KEY_SIZE],
                            const struct public_key *introducer, const struct id *id,
                            struct exchange_key *out_key, struct exchange_key *out_ephemeral);
/* ERR_FORGED for keys of low order. */
MUST_USE enum err introduction_bond_agree(const struct public_key *introducer, const struct id *id,
                                          const struct introduction_bundle *mine,
                                          const struct introduction_bundle *theirs,
                                          const struct exchange_key *key,
                                          const struct exchange_key *ephemeral,
                                          struct introduction_bond *out);
/* The secret of an invitation that each holds for the other, should one side's hello never come. */
void introduction_bond_call(const struct introduction_bond *bond,
                            uint8_t out[static INVITATION_SECRET_SIZE]);
/* The link's secret. */
void introduction_bond_secret(const struct introduction_bond *bond, uint8_t out[static KEY_SIZE]);

/* What each tells the other once both have agreed. */
struct introduction_hello {
    struct device_chain chain; /* of the device that says it; read only */
    struct hash next_root;     /* read only */
    struct span identity;
    struct id pair_space; /* the sender writes it for the other */
    struct id card_space;
    uint8_t knock[KEY_SIZE];
    struct span addresses; /* of the device; see address_put_list */
    struct span name;
    struct span message; /* a line from person to person */
    bool is_linked;      /* the sender holds a link with the other already */
};

/* Appends the sealed bytes; the same content gives the same bytes. ERR_LIMIT: too large. */
MUST_USE enum err introduction_bond_seal(const struct introduction_bond *bond,
                                         const struct introduction_hello *hello,
                                         const struct public_key *sender,
                                         const struct signing_key *device, struct buf *out);
/* Opens and verifies the hello of the one with this root; out borrows from plain, which is to be
 * wiped. ERR_FORGED: it is somebody else's, or for another introduction. ERR_MALFORMED. */
MUST_USE enum err introduction_bond_open(const struct introduction_bond *bond,
                                         const struct public_key *sender, struct span sealed,
                                         struct buf *plain, struct introduction_hello *out);

#endif
