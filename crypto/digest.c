/* Every BLAKE2b carries its purpose as personalisation; SHA-2 serves foreign standards only. */
#include "crypto/digest.h"

#include <sodium.h>
#include <string.h>

static void digest_personal(const char *label,
                            uint8_t out[static crypto_generichash_blake2b_PERSONALBYTES])
{
    size_t size = strlen(label);

    KITH_ASSERT(size <= crypto_generichash_blake2b_PERSONALBYTES);
    memset(out, 0, crypto_generichash_blake2b_PERSONALBYTES);
    memcpy(out, label, size);
}

static void digest_run(const uint8_t *key, size_t key_size, const char *label,
                       const struct span *parts, size_t parts_count, uint8_t *out, size_t out_size)
{
    uint8_t personal[crypto_generichash_blake2b_PERSONALBYTES];
    crypto_generichash_blake2b_state state;
    int status;

    KITH_ASSERT(out_size >= 8 && out_size <= crypto_generichash_blake2b_BYTES_MAX);
    digest_personal(label, personal);
    status = crypto_generichash_blake2b_init_salt_personal(&state, key, key_size, out_size, NULL,
                                                           personal);
    KITH_ASSERT(status == 0);
    for (size_t at = 0; at < parts_count; at++)
        if (parts[at].size > 0)
            (void)crypto_generichash_blake2b_update(&state, parts[at].data,
                                                    parts[at].size); /* Cannot fail. */
    (void)crypto_generichash_blake2b_final(&state, out, out_size);
    if (key != NULL)
        sodium_memzero(&state, sizeof state);
}

void digest(const char *label, const struct span *parts, size_t parts_count, struct hash *out)
{
    digest_run(NULL, 0, label, parts, parts_count, out->bytes, HASH_SIZE);
}

void digest_keyed(const uint8_t key[static KEY_SIZE], const char *label, const struct span *parts,
                  size_t parts_count, uint8_t *out, size_t out_size)
{
    digest_run(key, KEY_SIZE, label, parts, parts_count, out, out_size);
}

void digest_derive(const uint8_t key[static KEY_SIZE], const char *label, struct span context,
                   uint8_t out[static KEY_SIZE])
{
    digest_run(key, KEY_SIZE, label, &context, 1, out, KEY_SIZE);
}

size_t digest_sha_size(enum digest_sha sha)
{
    return sha == DIGEST_SHA256 ? crypto_hash_sha256_BYTES : crypto_hash_sha512_BYTES;
}

void digest_sha_hash(enum digest_sha sha, struct span left, struct span right, uint8_t *out)
{
    if (sha == DIGEST_SHA256) {
        crypto_hash_sha256_state state;

        (void)crypto_hash_sha256_init(&state); /* None of these can fail. */
        (void)crypto_hash_sha256_update(&state, left.data, left.size);
        (void)crypto_hash_sha256_update(&state, right.data, right.size);
        (void)crypto_hash_sha256_final(&state, out);
    } else {
        crypto_hash_sha512_state state;

        (void)crypto_hash_sha512_init(&state);
        (void)crypto_hash_sha512_update(&state, left.data, left.size);
        (void)crypto_hash_sha512_update(&state, right.data, right.size);
        (void)crypto_hash_sha512_final(&state, out);
    }
}

/* HMAC over three parts, which is what HKDF's expansion needs. */
static void digest_hmac_parts(enum digest_sha sha, struct span key,
                              const struct span parts[static 3], uint8_t *out)
{
    if (sha == DIGEST_SHA256) {
        crypto_auth_hmacsha256_state state;

        (void)crypto_auth_hmacsha256_init(&state, key.data, key.size);
        for (size_t at = 0; at < 3; at++)
            (void)crypto_auth_hmacsha256_update(&state, parts[at].data, parts[at].size);
        (void)crypto_auth_hmacsha256_final(&state, out);
        sodium_memzero(&state, sizeof state);
    } else {
        crypto_auth_hmacsha512_state state;

        (void)crypto_auth_hmacsha512_init(&state, key.data, key.size);
        for (size_t at = 0; at < 3; at++)
            (void)crypto_auth_hmacsha512_update(&state, parts[at].data, parts[at].size);
        (void)crypto_auth_hmacsha512_final(&state, out);
        sodium_memzero(&state, sizeof state);
    }
}

void digest_hmac(enum digest_sha sha, struct span key, struct span message, uint8_t *out)
{
    const struct span parts[3] = {message, {0}, {0}};

    digest_hmac_parts(sha, key, parts, out);
}

enum err digest_hkdf(enum digest_sha sha, struct span key, struct span salt, struct span info,
                     uint8_t *out, size_t out_size)
{
    static const uint8_t zeros[crypto_hash_sha512_BYTES];
    uint8_t extracted[crypto_hash_sha512_BYTES], block[crypto_hash_sha512_BYTES];
    size_t size = digest_sha_size(sha), done = 0, block_size = 0;
    uint8_t counter = 0;

    if (out_size > 255 * size)
        return ERR_LIMIT;
    digest_hmac(sha, salt.size > 0 ? salt : span_of(zeros, size), key, extracted);
    while (done < out_size) {
        const struct span parts[3] = {span_of(block, block_size), info, span_of(&counter, 1)};
        size_t take = out_size - done < size ? out_size - done : size;

        counter++;
        digest_hmac_parts(sha, span_of(extracted, size), parts, block);
        block_size = size;
        memcpy(out + done, block, take);
        done += take;
    }
    sodium_memzero(extracted, sizeof extracted);
    sodium_memzero(block, sizeof block);
    return ERR_OK;
}
