/*
 * Long-term keys: Ed25519 for signing (RFC 8032), X25519 for agreement (RFC 7748), both made from a
 * seed and never converted into one another. A signature always covers a 16-byte purpose label.
 */
#ifndef KITH_CRYPTO_IDENTITY_H
#define KITH_CRYPTO_IDENTITY_H

#include "crypto/digest.h"

enum { SIGNATURE_SIZE = 64, SEED_SIZE = 32, DID_SIZE = 57 };
/* Ed25519 reads what it signs twice, so label and message are copied into one piece. No signed
 * thing of the protocol is larger than a certificate chain or an endorsement with its exports. */
enum { IDENTITY_MESSAGE_SIZE_MAX = 65536 };

/* An Ed25519 public key: a member (its root 0) or a device (its signing key). */
struct public_key {
    uint8_t bytes[32];
};

/* Lives in memory from secret_new only. */
struct signing_key {
    uint8_t secret[64]; /* seed, then public key: libsodium's layout */
    struct public_key public_key;
};

/* Lives in memory from secret_new only. The secret is the seed; RFC 7748 clamps it in use. */
struct exchange_key {
    uint8_t secret[32];
    uint8_t public_key[32];
};

void identity_signing_key(const uint8_t seed[static SEED_SIZE], struct signing_key *out);
void identity_exchange_key(const uint8_t seed[static SEED_SIZE], struct exchange_key *out);
/* Root key number index of a recovery seed: root 0 is the member. out is 32 secret bytes. */
void identity_root_seed(const uint8_t seed[static SEED_SIZE], uint32_t index,
                        uint8_t out[static SEED_SIZE]);
/* The seed of the member's recovery key (X25519). */
void identity_recovery_seed(const uint8_t seed[static SEED_SIZE], uint8_t out[static SEED_SIZE]);

/* The label is at most 16 bytes, padded with zeros. ERR_LIMIT for a message above
 * IDENTITY_MESSAGE_SIZE_MAX; ERR_NOMEM, for messages above 4,080 bytes only. */
MUST_USE enum err identity_sign(const struct signing_key *key, const char *label,
                                struct span message, uint8_t out_signature[static SIGNATURE_SIZE]);
/* ERR_FORGED when it does not fit; small-order keys and malleated signatures never fit. ERR_LIMIT
 * and ERR_NOMEM as above. */
MUST_USE enum err identity_verify(const struct public_key *key, const char *label,
                                  struct span message,
                                  const uint8_t signature[static SIGNATURE_SIZE]);
/* Plain Ed25519 without a label, any message size, no heap: only for formats of others (Data
 * Integrity eddsa-jcs-2022), whose messages are hashes. Everything of ours is labelled. */
void identity_sign_raw(const struct signing_key *key, struct span message,
                       uint8_t out_signature[static SIGNATURE_SIZE]);
MUST_USE enum err identity_verify_raw(const struct public_key *key, struct span message,
                                      const uint8_t signature[static SIGNATURE_SIZE]);
/* X25519; ERR_FORGED for a low-order public key. */
MUST_USE enum err identity_agree(const uint8_t secret_key[static 32],
                                 const uint8_t public_key[static 32], uint8_t out[static KEY_SIZE]);

/* "did:key:z6Mk..." of an Ed25519 key (W3C did:key): DID_SIZE bytes with the end. */
void identity_did(const struct public_key *key, char out[static DID_SIZE]);
/* ERR_INVALID when it is no did:key of an Ed25519 key. */
MUST_USE enum err identity_read_did(struct span text, struct public_key *out);

static inline bool public_key_is_equal(const struct public_key *left,
                                       const struct public_key *right)
{
    return span_is_equal(span_of(left->bytes, 32), span_of(right->bytes, 32));
}

#endif
