/*
 * Header (96 bytes, all of it authenticated), then 512 sealed bytes. The commitment in the header
 * separates a wrong passphrase from a damaged file and makes the seal commit to its key.
 *
 *   0 magic 8 | 8 version 2 | 10 kdf 1 | 11 flags 1 | 12 ops 4 | 16 memory KiB 4 | 20 salt 16 | 36
 * nonce 24 | 60 commitment 32 | 92 length 4 | 96 ciphertext and tag
 */
#include "crypto/keyfile.h"

#include <sodium.h>
#include <string.h>

#include "crypto/seal.h"
#include "crypto/secret.h"

enum {
    KEYFILE_HEADER_SIZE = 96,
    KEYFILE_PLAIN_SIZE = 512,
    KEYFILE_SEALED_SIZE = KEYFILE_PLAIN_SIZE + 16,
    KEYFILE_VERSION = 1,
    KEYFILE_OPS_MAX = 16,
    KEYFILE_MEMORY_KIB_MAX = 2 << 20
};

enum keyfile_kdf { KEYFILE_PLAIN = 0, KEYFILE_ARGON2ID = 1 };

static const uint8_t keyfile_magic[8] = "kithkey";

struct keyfile_header {
    uint8_t kdf;
    uint32_t ops, memory_kib;
    const uint8_t *salt, *nonce, *commitment, *sealed;
};

struct keyfile_cost keyfile_cost_default(void)
{
    return (struct keyfile_cost){.ops = crypto_pwhash_OPSLIMIT_MODERATE,
                                 .memory_kib = crypto_pwhash_MEMLIMIT_MODERATE / 1024};
}

/* Without a passphrase the key comes from the salt alone: it hides nothing, but damage shows the
 * same way. */
static enum err keyfile_key(struct span passphrase, const struct keyfile_header *header,
                            uint8_t out[static KEY_SIZE])
{
    uint8_t zeros[KEY_SIZE] = {0};

    if (header->kdf == KEYFILE_PLAIN) {
        digest_derive(zeros, "kith keyfile", span_of(header->salt, 16), out);
        return ERR_OK;
    }
    if (crypto_pwhash(out, KEY_SIZE, (const char *)passphrase.data, passphrase.size, header->salt,
                      header->ops, (size_t)header->memory_kib * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ERR_NOMEM;
    return ERR_OK;
}

static void keyfile_put_secrets(const struct device_secrets *secrets, struct buf *out)
{
    buf_byte(out, secrets->has_root ? 1 : 0);
    buf_append(out, span_of(secrets->root_seed, 32));
    buf_append(out, span_of(secrets->signing_seed, 32));
    buf_append(out, span_of(secrets->static_seed, 32));
    buf_append(out, span_of(secrets->receiving_seed, 32));
    buf_append(out, span_of(secrets->local_key, 32));
    buf_append(out, span_of(secrets->incarnation, 16));
    buf_append(out, span_of(secrets->recovery_public, 32));
    buf_append(out, span_of(secrets->next_root_hash.bytes, 32));
    buf_append(out, span_of(secrets->member.bytes, 32));
    buf_u64(out, secrets->created_at_ms);
}

static void keyfile_take(const uint8_t **at, uint8_t *out, size_t size)
{
    memcpy(out, *at, size);
    *at += size;
}

static void keyfile_get_secrets(const uint8_t *at, struct device_secrets *out)
{
    out->has_root = *at++ == 1;
    keyfile_take(&at, out->root_seed, 32);
    keyfile_take(&at, out->signing_seed, 32);
    keyfile_take(&at, out->static_seed, 32);
    keyfile_take(&at, out->receiving_seed, 32);
    keyfile_take(&at, out->local_key, 32);
    keyfile_take(&at, out->incarnation, 16);
    keyfile_take(&at, out->recovery_public, 32);
    keyfile_take(&at, out->next_root_hash.bytes, 32);
    keyfile_take(&at, out->member.bytes, 32);
    out->created_at_ms = be64(at);
}

static void keyfile_put_header(uint8_t kdf, struct keyfile_cost cost, const struct entropy *entropy,
                               struct buf *out)
{
    uint8_t drawn[16 + 24];

    entropy_fill(entropy, drawn, sizeof drawn);
    buf_append(out, span_of(keyfile_magic, sizeof keyfile_magic));
    buf_u16(out, KEYFILE_VERSION);
    buf_byte(out, kdf);
    buf_byte(out, 0);
    buf_u32(out, kdf == KEYFILE_PLAIN ? 0 : cost.ops);
    buf_u32(out, kdf == KEYFILE_PLAIN ? 0 : cost.memory_kib);
    buf_append(out, span_of(drawn, sizeof drawn));
}

/* Seals the plaintext behind the header that stands at the start of file. */
static void keyfile_seal(const uint8_t key[static KEY_SIZE], struct span plain, size_t header_at,
                         struct buf *out)
{
    struct hash commitment;
    uint8_t *sealed;

    seal_commitment(key, &commitment);
    buf_append(out, span_of(commitment.bytes, HASH_SIZE));
    buf_u32(out, KEYFILE_SEALED_SIZE);
    sealed = buf_grow(out, KEYFILE_SEALED_SIZE);
    if (sealed != NULL)
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, plain.data, plain.size,
                                                         out->data + header_at, KEYFILE_HEADER_SIZE,
                                                         NULL, out->data + header_at + 36, key);
}

enum err keyfile_write(const struct device_secrets *secrets, struct span passphrase,
                       struct keyfile_cost cost, const struct entropy *entropy, struct buf *out)
{
    uint8_t kdf = passphrase.size > 0 ? KEYFILE_ARGON2ID : KEYFILE_PLAIN;
    size_t header_at = out->size;
    uint8_t *plain = secret_new(KEYFILE_PLAIN_SIZE), *key = secret_new(KEY_SIZE);
    struct buf text = {0};
    enum err err = ERR_NOMEM;

    if (plain == NULL || key == NULL)
        goto out;
    keyfile_put_secrets(secrets, &text);
    keyfile_put_header(kdf, cost, entropy, out);
    if (text.is_failed || out->is_failed)
        goto out;
    memcpy(plain, text.data, text.size);
    err = keyfile_key(passphrase,
                      &(struct keyfile_header){.kdf = kdf,
                                               .ops = cost.ops,
                                               .memory_kib = cost.memory_kib,
                                               .salt = out->data + header_at + 20},
                      key);
    if (err == ERR_OK)
        keyfile_seal(key, span_of(plain, KEYFILE_PLAIN_SIZE), header_at, out);
    if (err == ERR_OK)
        err = buf_err(out);

out:
    if (text.data != NULL)
        secret_wipe(text.data, text.capacity);
    buf_release(&text);
    secret_free(key);
    secret_free(plain);
    return err;
}

static enum err keyfile_read_header(struct span file, struct keyfile_header *out)
{
    if (file.size < KEYFILE_HEADER_SIZE ||
        memcmp(file.data, keyfile_magic, sizeof keyfile_magic) != 0)
        return ERR_CORRUPT;
    if (be16(file.data + 8) > KEYFILE_VERSION)
        return ERR_VERSION;
    out->kdf = file.data[10];
    out->ops = be32(file.data + 12);
    out->memory_kib = be32(file.data + 16);
    out->salt = file.data + 20;
    out->nonce = file.data + 36;
    out->commitment = file.data + 60;
    out->sealed = file.data + KEYFILE_HEADER_SIZE;
    if (be16(file.data + 8) != KEYFILE_VERSION || out->kdf > KEYFILE_ARGON2ID ||
        file.data[11] != 0 || be32(file.data + 92) != KEYFILE_SEALED_SIZE ||
        file.size != KEYFILE_HEADER_SIZE + KEYFILE_SEALED_SIZE)
        return ERR_CORRUPT;
    if (out->ops > KEYFILE_OPS_MAX || out->memory_kib > KEYFILE_MEMORY_KIB_MAX)
        return ERR_LIMIT;
    if (out->kdf == KEYFILE_ARGON2ID &&
        (out->ops < crypto_pwhash_OPSLIMIT_MIN || out->memory_kib < 8))
        return ERR_CORRUPT;
    return ERR_OK;
}

static enum err keyfile_open(struct span file, const struct keyfile_header *header,
                             struct span passphrase, struct device_secrets *out)
{
    uint8_t *plain = secret_new(KEYFILE_PLAIN_SIZE), *key = secret_new(KEY_SIZE);
    struct hash commitment;
    enum err err = ERR_NOMEM;

    if (plain == NULL || key == NULL)
        goto out;
    err = keyfile_key(passphrase, header, key);
    if (err != ERR_OK)
        goto out;
    seal_commitment(key, &commitment);
    if (!secret_is_equal(commitment.bytes, header->commitment, HASH_SIZE)) {
        err = header->kdf == KEYFILE_ARGON2ID ? ERR_LOCKED : ERR_CORRUPT;
        goto out;
    }
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, header->sealed,
                                                   KEYFILE_SEALED_SIZE, file.data,
                                                   KEYFILE_HEADER_SIZE, header->nonce, key) != 0)
        err = ERR_CORRUPT;
    else
        keyfile_get_secrets(plain, out);

out:
    secret_free(key);
    secret_free(plain);
    return err;
}

enum err keyfile_read(struct span file, struct span passphrase, struct device_secrets *out)
{
    struct keyfile_header header;
    enum err err = keyfile_read_header(file, &header);

    if (err != ERR_OK)
        return err;
    if (header.kdf == KEYFILE_ARGON2ID && passphrase.size == 0)
        return ERR_LOCKED;
    if (passphrase.size > PASSPHRASE_SIZE_MAX)
        return ERR_LIMIT;
    return keyfile_open(file, &header, passphrase, out);
}

bool keyfile_is_protected(struct span file)
{
    struct keyfile_header header;

    return keyfile_read_header(file, &header) == ERR_OK && header.kdf == KEYFILE_ARGON2ID;
}
