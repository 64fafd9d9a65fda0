/* Sealing with a synthetic nonce; wrapping in libsodium's sealed-box layout with injected
 * randomness. */
#include "crypto/seal.h"

#include <sodium.h>

static void seal_nonce(const uint8_t key[static KEY_SIZE], struct span context, struct span plain,
                       uint8_t out[static SEAL_NONCE_SIZE])
{
    uint8_t context_size[8];
    const struct span parts[3] = {span_of(context_size, sizeof context_size), context, plain};

    be64_put(context_size, context.size);
    digest_keyed(key, "kith nonce", parts, 3, out, SEAL_NONCE_SIZE);
}

void seal(const uint8_t key[static KEY_SIZE], struct span context, struct span plain,
          struct buf *out)
{
    uint8_t *at = buf_grow(out, plain.size + SEAL_OVERHEAD);

    if (at == NULL)
        return;
    seal_nonce(key, context, plain, at);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(at + SEAL_NONCE_SIZE, NULL, plain.data,
                                                     plain.size, context.data, context.size, NULL,
                                                     at, key); /* Cannot fail. */
}

enum err seal_open(const uint8_t key[static KEY_SIZE], struct span context, struct span sealed,
                   struct buf *out)
{
    size_t before = out->size;
    uint8_t *at;

    if (sealed.size < SEAL_OVERHEAD)
        return ERR_FORGED;
    at = buf_grow(out, sealed.size - SEAL_OVERHEAD);
    if (at == NULL)
        return ERR_NOMEM;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(at, NULL, NULL, sealed.data + SEAL_NONCE_SIZE,
                                                   sealed.size - SEAL_NONCE_SIZE, context.data,
                                                   context.size, sealed.data, key) != 0) {
        out->size = before;
        return ERR_FORGED;
    }
    return ERR_OK;
}

void seal_commitment(const uint8_t key[static KEY_SIZE], struct hash *out)
{
    digest_keyed(key, "kith commitment", NULL, 0, out->bytes, HASH_SIZE);
}

/* The nonce of libsodium's sealed box: a hash of both public keys, fresh because the ephemeral key
 * is. */
static void seal_wrap_nonce(const uint8_t ephemeral[static KEY_SIZE],
                            const uint8_t recipient[static KEY_SIZE],
                            uint8_t out[static SEAL_NONCE_SIZE])
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, NULL, 0, SEAL_NONCE_SIZE);
    (void)crypto_generichash_update(&state, ephemeral, KEY_SIZE);
    (void)crypto_generichash_update(&state, recipient, KEY_SIZE);
    (void)crypto_generichash_final(&state, out, SEAL_NONCE_SIZE);
}

enum err seal_wrap(const uint8_t recipient[static KEY_SIZE], const struct entropy *entropy,
                   struct span plain, struct buf *out)
{
    uint8_t seed[KEY_SIZE], secret[KEY_SIZE], nonce[SEAL_NONCE_SIZE];
    size_t before = out->size;
    uint8_t *at = buf_grow(out, plain.size + SEAL_WRAP_OVERHEAD);
    enum err err = ERR_OK;

    if (at == NULL)
        return ERR_NOMEM;
    entropy_fill(entropy, seed, sizeof seed);
    (void)crypto_box_curve25519xchacha20poly1305_seed_keypair(at, secret, seed);
    seal_wrap_nonce(at, recipient, nonce);
    if (crypto_box_curve25519xchacha20poly1305_easy(at + KEY_SIZE, plain.data, plain.size, nonce,
                                                    recipient, secret) != 0) {
        out->size = before;
        err = ERR_FORGED;
    }
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(secret, sizeof secret);
    return err;
}

enum err seal_unwrap(const uint8_t public_key[static KEY_SIZE],
                     const uint8_t secret_key[static KEY_SIZE], struct span wrapped,
                     struct buf *out)
{
    uint8_t nonce[SEAL_NONCE_SIZE];
    size_t before = out->size;
    uint8_t *at;

    if (wrapped.size < SEAL_WRAP_OVERHEAD)
        return ERR_FORGED;
    at = buf_grow(out, wrapped.size - SEAL_WRAP_OVERHEAD);
    if (at == NULL)
        return ERR_NOMEM;
    seal_wrap_nonce(wrapped.data, public_key, nonce);
    if (crypto_box_curve25519xchacha20poly1305_open_easy(at, wrapped.data + KEY_SIZE,
                                                         wrapped.size - KEY_SIZE, nonce,
                                                         wrapped.data, secret_key) != 0) {
        out->size = before;
        return ERR_FORGED;
    }
    return ERR_OK;
}
