/* Sealing under a shared key and wrapping to a public one. No heap but the caller's buf. */
#include "crypto/seal.h"

#include <sodium.h>
#include <string.h>

_Static_assert(SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "sizes agree");
_Static_assert(SEAL_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "sizes agree");
_Static_assert(KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "sizes agree");
_Static_assert(SEAL_OVERHEAD == SEAL_NONCE_SIZE + SEAL_TAG_SIZE, "nonce and tag");
_Static_assert(SEAL_WRAP_OVERHEAD == crypto_box_curve25519xchacha20poly1305_SEALBYTES,
               "libsodium's sealed box");

/* Room for payload and overhead; NULL, and out failed, when there is none. */
static uint8_t *seal_room(struct buf *out, size_t payload_size, size_t overhead)
{
    size_t size;

    if (!size_add(payload_size, overhead, &size)) {
        out->is_failed = true;
        return NULL;
    }
    return buf_grow(out, size);
}

/* PROTOCOL SEAL-2: "The nonce is MAC-24(KDF(key, kith nonce, nothing), kith nonce, size of the
 * context as u64 | context | plain). A reader does not check it: the tag says what holds." */
/* PROTOCOL SEAL-3: "Equal contents under one key and context give equal bytes." */
static void seal_nonce(const uint8_t key[static KEY_SIZE], struct span context, struct span plain,
                       uint8_t out[static SEAL_NONCE_SIZE])
{
    uint8_t nonce_key[KEY_SIZE];
    uint8_t context_size[8];
    struct span parts[3] = {span_of(context_size, sizeof context_size), context, plain};

    be64_put(context_size, context.size);
    digest_derive(key, "kith nonce", span_of(NULL, 0), nonce_key);
    digest_keyed(nonce_key, "kith nonce", parts, 3, out, SEAL_NONCE_SIZE);
    sodium_memzero(nonce_key, sizeof nonce_key);
}

/* PROTOCOL SEAL-1: "seal(key, context, plain) is nonce (24 bytes), then ciphertext and tag (16
 * bytes) of XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with the context as associated
 * data." */
void seal(const uint8_t key[static KEY_SIZE], struct span context, struct span plain,
          struct buf *out)
{
    uint8_t *nonce = seal_room(out, plain.size, SEAL_OVERHEAD);

    if (nonce == NULL)
        return;
    seal_nonce(key, context, plain, nonce);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + SEAL_NONCE_SIZE, NULL, plain.data,
                                                     plain.size, context.data, context.size, NULL,
                                                     nonce, key); /* cannot fail */
}

enum err seal_open(const uint8_t key[static KEY_SIZE], struct span context, struct span sealed,
                   struct buf *out)
{
    if (sealed.size < SEAL_OVERHEAD)
        return ERR_FORGED;
    buf_reserve(out, sealed.size - SEAL_OVERHEAD);
    if (buf_err(out) != ERR_OK)
        return ERR_NOMEM;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            out->data + out->size, NULL, NULL, sealed.data + SEAL_NONCE_SIZE,
            sealed.size - SEAL_NONCE_SIZE, context.data, context.size, sealed.data, key) != 0)
        return ERR_FORGED;
    out->size += sealed.size - SEAL_OVERHEAD;
    return ERR_OK;
}

/* The AEAD's first block of keystream makes its Poly1305 key; the plaintext begins with the second
 * (RFC 8439, 2.8; the draft's 2.2 for the longer nonce). */
size_t seal_peek(const uint8_t key[static KEY_SIZE], struct span sealed,
                 uint8_t out[static SEAL_PEEK_MAX])
{
    size_t size = sealed.size > SEAL_OVERHEAD ? sealed.size - SEAL_OVERHEAD : 0;

    size = size < SEAL_PEEK_MAX ? size : SEAL_PEEK_MAX;
    if (size > 0)
        (void)crypto_stream_xchacha20_xor_ic(out, sealed.data + SEAL_NONCE_SIZE, size, sealed.data,
                                             1, key); /* cannot fail */
    return size;
}

/* PROTOCOL SEAL-4: "The commitment to a key is MAC-32(key, kith commitment, nothing). Whoever
 * publishes a commitment may be held to that one key." */
void seal_commitment(const uint8_t key[static KEY_SIZE], struct hash *out)
{
    digest_derive(key, "kith commitment", span_of(NULL, 0), out->bytes);
}

/* PROTOCOL SEAL-5: "wrap(recipient, plain) is e (32 bytes), tag (16 bytes), ciphertext: the
 * layout of libsodium's crypto_box_curve25519xchacha20poly1305_seal. e is the X25519 public key
 * of 32 fresh random bytes; the nonce is BLAKE2b with 24 bytes of output, without key and label,
 * over e | recipient; the key is HChaCha20 of the agreement of both with a zero input." */
enum err seal_wrap(const uint8_t recipient[static KEY_SIZE], const struct entropy *entropy,
                   struct span plain, struct buf *out)
{
    uint8_t ephemeral[KEY_SIZE], shared[KEY_SIZE], nonce[SEAL_NONCE_SIZE];
    uint8_t both[2 * KEY_SIZE]; /* ephemeral public key, recipient */
    enum err err = ERR_FORGED;
    uint8_t *at;

    entropy_fill(entropy, ephemeral, sizeof ephemeral);
    (void)crypto_scalarmult_curve25519_base(both, ephemeral); /* fails for no scalar */
    memcpy(both + KEY_SIZE, recipient, KEY_SIZE);
    if (crypto_box_curve25519xchacha20poly1305_beforenm(shared, recipient, ephemeral) != 0)
        goto wipe;
    err = ERR_NOMEM;
    at = seal_room(out, plain.size, SEAL_WRAP_OVERHEAD);
    if (at == NULL)
        goto wipe;
    /* The one BLAKE2b without a label: the layout is libsodium's. */
    (void)crypto_generichash(nonce, sizeof nonce, both, sizeof both, NULL, 0);
    memcpy(at, both, KEY_SIZE);
    (void)crypto_box_curve25519xchacha20poly1305_easy_afternm(at + KEY_SIZE, plain.data, plain.size,
                                                              nonce, shared); /* cannot fail */
    err = ERR_OK;
wipe:
    sodium_memzero(ephemeral, sizeof ephemeral);
    sodium_memzero(shared, sizeof shared);
    return err;
}

/* PROTOCOL SEAL-6: "wrap and its reverse refuse public keys by KEYS-7." */
enum err seal_unwrap(const uint8_t public_key[static KEY_SIZE],
                     const uint8_t secret_key[static KEY_SIZE], struct span wrapped,
                     struct buf *out)
{
    if (wrapped.size < SEAL_WRAP_OVERHEAD)
        return ERR_FORGED;
    buf_reserve(out, wrapped.size - SEAL_WRAP_OVERHEAD);
    if (buf_err(out) != ERR_OK)
        return ERR_NOMEM;
    if (crypto_box_curve25519xchacha20poly1305_seal_open(out->data + out->size, wrapped.data,
                                                         wrapped.size, public_key, secret_key) != 0)
        return ERR_FORGED;
    out->size += wrapped.size - SEAL_WRAP_OVERHEAD;
    return ERR_OK;
}
