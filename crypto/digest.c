/* Labelled BLAKE2b and the SHA-2 family, over libsodium. States that have seen a key are wiped. */
#include "crypto/digest.h"

#include <sodium.h>
#include <string.h>

enum { DIGEST_LABEL_SIZE = 16, DIGEST_OUT_SIZE_MIN = 8, DIGEST_OUT_SIZE_MAX = 64 };
enum { DIGEST_SHA_SIZE_MAX = 64, DIGEST_HKDF_BLOCKS_MAX = 255 };

_Static_assert(DIGEST_LABEL_SIZE == crypto_generichash_blake2b_PERSONALBYTES, "label fills it");
_Static_assert(DIGEST_OUT_SIZE_MAX == crypto_generichash_blake2b_BYTES_MAX, "BLAKE2b's largest");
_Static_assert(SHORT_KEY_SIZE == crypto_shorthash_KEYBYTES, "SipHash's");
_Static_assert(DIGEST_SHA_SIZE_MAX == crypto_hash_sha512_BYTES, "the larger of the two");

/* RFC 7693 with the label as personalisation; key may be NULL when key_size is 0. */
/* PROTOCOL LABEL-1: "A label is ASCII text of 1 to 16 bytes, padded with zero bytes to 16. No
 * two purposes share a label." */
/* PROTOCOL LABEL-5: "Where data is written as a | b, the parts are joined with nothing between
 * them. At most one part varies in size, or the size of the varying parts but one is itself a
 * part." */
static void digest_blake2b(const uint8_t *key, size_t key_size, const char *label,
                           const struct span *parts, size_t parts_count, uint8_t *out,
                           size_t out_size)
{
    uint8_t personal[DIGEST_LABEL_SIZE] = {0};
    size_t label_size = strlen(label);
    crypto_generichash_blake2b_state state;

    KITH_ASSERT(label_size <= sizeof personal);
    KITH_ASSERT(out_size >= DIGEST_OUT_SIZE_MIN && out_size <= DIGEST_OUT_SIZE_MAX);
    memcpy(personal, label, label_size);
    /* The three calls answer only whether the sizes fit, which was just checked. */
    (void)crypto_generichash_blake2b_init_salt_personal(&state, key, key_size, out_size, NULL,
                                                        personal);
    for (size_t index = 0; index < parts_count; index++)
        (void)crypto_generichash_blake2b_update(&state, parts[index].data, parts[index].size);
    (void)crypto_generichash_blake2b_final(&state, out, out_size);
    if (key_size > 0)
        sodium_memzero(&state, sizeof state);
}

/* PROTOCOL LABEL-2: "H(label, data) is BLAKE2b (RFC 7693) with 32 bytes of output, no key, no
 * salt, and the padded label as personalisation." */
void digest(const char *label, const struct span *parts, size_t parts_count, struct hash *out)
{
    digest_blake2b(NULL, 0, label, parts, parts_count, out->bytes, HASH_SIZE);
}

/* PROTOCOL LABEL-3: "MAC-n(key, label, data) is BLAKE2b with n bytes of output (8 to 64), a key
 * of 32 bytes, no salt, and the padded label as personalisation." */
void digest_keyed(const uint8_t key[static KEY_SIZE], const char *label, const struct span *parts,
                  size_t parts_count, uint8_t *out, size_t out_size)
{
    digest_blake2b(key, KEY_SIZE, label, parts, parts_count, out, out_size);
}

/* PROTOCOL LABEL-4: "KDF(key, label, context) is MAC-32(key, label, context). The context may be
 * empty." */
void digest_derive(const uint8_t key[static KEY_SIZE], const char *label, struct span context,
                   uint8_t out[static KEY_SIZE])
{
    digest_blake2b(key, KEY_SIZE, label, &context, 1, out, KEY_SIZE);
}

uint64_t digest_short(const uint8_t key[static SHORT_KEY_SIZE], struct span bytes)
{
    uint8_t out[crypto_shorthash_BYTES];

    (void)crypto_shorthash(out, bytes.data, bytes.size, key);
    return be64(out);
}

size_t digest_sha_size(enum digest_sha sha)
{
    return sha == DIGEST_SHA256 ? crypto_hash_sha256_BYTES : crypto_hash_sha512_BYTES;
}

void digest_sha_hash(enum digest_sha sha, struct span left, struct span right, uint8_t *out)
{
    if (sha == DIGEST_SHA256) {
        crypto_hash_sha256_state state;

        (void)crypto_hash_sha256_init(&state);
        (void)crypto_hash_sha256_update(&state, left.data, left.size);
        (void)crypto_hash_sha256_update(&state, right.data, right.size);
        (void)crypto_hash_sha256_final(&state, out);
        sodium_memzero(&state, sizeof state);
    } else {
        crypto_hash_sha512_state state;

        (void)crypto_hash_sha512_init(&state);
        (void)crypto_hash_sha512_update(&state, left.data, left.size);
        (void)crypto_hash_sha512_update(&state, right.data, right.size);
        (void)crypto_hash_sha512_final(&state, out);
        sodium_memzero(&state, sizeof state);
    }
}

/* libsodium declares the key's address never NULL, even for an empty key. */
static const uint8_t *digest_hmac_key(struct span key)
{
    static const uint8_t nothing = 0;

    return key.size > 0 ? key.data : &nothing;
}

static void digest_hmac_parts(enum digest_sha sha, struct span key, const struct span *parts,
                              size_t parts_count, uint8_t *out)
{
    if (sha == DIGEST_SHA256) {
        crypto_auth_hmacsha256_state state;

        (void)crypto_auth_hmacsha256_init(&state, digest_hmac_key(key), key.size);
        for (size_t index = 0; index < parts_count; index++)
            (void)crypto_auth_hmacsha256_update(&state, parts[index].data, parts[index].size);
        (void)crypto_auth_hmacsha256_final(&state, out);
        sodium_memzero(&state, sizeof state);
    } else {
        crypto_auth_hmacsha512_state state;

        (void)crypto_auth_hmacsha512_init(&state, digest_hmac_key(key), key.size);
        for (size_t index = 0; index < parts_count; index++)
            (void)crypto_auth_hmacsha512_update(&state, parts[index].data, parts[index].size);
        (void)crypto_auth_hmacsha512_final(&state, out);
        sodium_memzero(&state, sizeof state);
    }
}

void digest_hmac(enum digest_sha sha, struct span key, struct span message, uint8_t *out)
{
    digest_hmac_parts(sha, key, &message, 1, out);
}

enum err digest_hkdf(enum digest_sha sha, struct span key, struct span salt, struct span info,
                     uint8_t *out, size_t out_size)
{
    size_t hash_size = digest_sha_size(sha);
    uint8_t extracted[DIGEST_SHA_SIZE_MAX];
    uint8_t block[DIGEST_SHA_SIZE_MAX];
    size_t block_size = 0;
    uint8_t counter = 0;

    if (out_size > DIGEST_HKDF_BLOCKS_MAX * hash_size)
        return ERR_LIMIT;
    /* HMAC pads keys with zeros, so an empty salt is the RFC's string of zeros. */
    digest_hmac_parts(sha, salt, &key, 1, extracted);
    for (size_t at = 0; at < out_size; at += block_size) {
        struct span parts[3] = {span_of(block, block_size), info, span_of(&counter, 1)};
        size_t rest = out_size - at;

        counter++;
        digest_hmac_parts(sha, span_of(extracted, hash_size), parts, 3, block);
        block_size = hash_size;
        memcpy(out + at, block, rest < hash_size ? rest : hash_size);
    }
    sodium_memzero(extracted, sizeof extracted);
    sodium_memzero(block, sizeof block);
    return ERR_OK;
}
