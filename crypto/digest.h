/*
 * Hashes and key derivation. BLAKE2b (RFC 7693) always carries a purpose label of at most 16 bytes
 * as its personalisation, so no two uses can be confused. SHA-2, HMAC (RFC 2104) and HKDF (RFC
 * 5869) serve Noise, BIP-39 and published vectors only.
 */
#ifndef KITH_CRYPTO_DIGEST_H
#define KITH_CRYPTO_DIGEST_H

#include "crypto/span.h"

enum { HASH_SIZE = 32, KEY_SIZE = 32 };

struct hash {
    uint8_t bytes[HASH_SIZE];
};

/* The label is at most 16 bytes. Parts are hashed one after the other with nothing between them, so
 * at most one of them may vary in size. */
void digest(const char *label, const struct span *parts, size_t parts_count, struct hash *out);
/* The same under a key of 32 bytes: a message authentication code. out_size is 8 to 64. */
void digest_keyed(const uint8_t key[static KEY_SIZE], const char *label, const struct span *parts,
                  size_t parts_count, uint8_t *out, size_t out_size);
/* A key for one purpose from another key. context may be empty. */
void digest_derive(const uint8_t key[static KEY_SIZE], const char *label, struct span context,
                   uint8_t out[static KEY_SIZE]);

enum { SHORT_KEY_SIZE = 16 };

/* SipHash-2-4 (Aumasson and Bernstein, 2012): for tables in memory whose keys others choose, under
 * a key they do not know. No hash to keep or to send. */
uint64_t digest_short(const uint8_t key[static SHORT_KEY_SIZE], struct span bytes);

enum digest_sha { DIGEST_SHA256, DIGEST_SHA512 };
/* 32 or 64. */
size_t digest_sha_size(enum digest_sha sha);
void digest_sha_hash(enum digest_sha sha, struct span left, struct span right, uint8_t *out);
void digest_hmac(enum digest_sha sha, struct span key, struct span message, uint8_t *out);
/* RFC 5869, any output size up to 255 hashes: ERR_LIMIT above. */
MUST_USE enum err digest_hkdf(enum digest_sha sha, struct span key, struct span salt,
                              struct span info, uint8_t *out, size_t out_size);

#endif
