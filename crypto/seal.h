/*
 * Sealing: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a synthetic nonce, a commitment to
 * the key (Poly1305 commits to none), and wrapping to an X25519 key in the layout of libsodium's
 * crypto_box_curve25519xchacha20poly1305_seal, with the ephemeral key from struct entropy.
 * Sealed bytes are nonce (24), ciphertext, tag (16).
 */
#ifndef KITH_CRYPTO_SEAL_H
#define KITH_CRYPTO_SEAL_H

#include "crypto/digest.h"
#include "crypto/entropy.h"

enum { SEAL_NONCE_SIZE = 24, SEAL_TAG_SIZE = 16, SEAL_OVERHEAD = 40, SEAL_WRAP_OVERHEAD = 48 };

/* In all of these plain, sealed and wrapped must not lie in out, whose memory may move. */

/* Appends the sealed bytes to out; without memory out has failed (buf_err). The nonce is a keyed
 * hash of context and plaintext, so equal nonces under one key mean equal content even on machines
 * with identical random state; it also shows who sees both that two equal contents are equal. */
void seal(const uint8_t key[static KEY_SIZE], struct span context, struct span plain,
          struct buf *out);
/* Appends the plaintext to out. ERR_FORGED, out untouched, when key, context or bytes do not fit;
 * ERR_NOMEM. */
MUST_USE enum err seal_open(const uint8_t key[static KEY_SIZE], struct span context,
                            struct span sealed, struct buf *out);
enum { SEAL_PEEK_MAX = 64 };
/* The first bytes of the plaintext, as far as it goes up to SEAL_PEEK_MAX, without looking at the
 * tag: a guess at what may be sealed, to put work in order, at a third of the price. Nothing may
 * rest on it. Returns how many there are; 0 for what is too short to be sealed. */
size_t seal_peek(const uint8_t key[static KEY_SIZE], struct span sealed,
                 uint8_t out[static SEAL_PEEK_MAX]);
/* What the holder of the key, and nobody else, could have published. */
void seal_commitment(const uint8_t key[static KEY_SIZE], struct hash *out);

/* Appends ephemeral key (32), tag and ciphertext. ERR_FORGED, out untouched, for a low-order
 * recipient key; ERR_NOMEM. */
MUST_USE enum err seal_wrap(const uint8_t recipient[static KEY_SIZE], const struct entropy *entropy,
                            struct span plain, struct buf *out);
/* Appends the plaintext. ERR_FORGED, out untouched, when keys or bytes do not fit; ERR_NOMEM. */
MUST_USE enum err seal_unwrap(const uint8_t public_key[static KEY_SIZE],
                              const uint8_t secret_key[static KEY_SIZE], struct span wrapped,
                              struct buf *out);

#endif
