/*
 * A header that says how the file's key is made, then one sealed struct of fixed size. Read it in
 * this order: keyfile_header_write, keyfile_key, keyfile_write. The nonce is the header's checksum,
 * so damage there is told apart from a wrong passphrase, and before Argon2id has spent its time.
 */
#include "crypto/keyfile.h"

#include <sodium.h>
#include <string.h>

#include "crypto/seal.h"
#include "crypto/secret.h"

/* PROTOCOL "Key file": offsets in the header. */
enum {
    KEYFILE_AT_VERSION = 8,
    KEYFILE_AT_KDF = 10,
    KEYFILE_AT_FLAGS = 11,
    KEYFILE_AT_OPS = 12,
    KEYFILE_AT_MEMORY = 16,
    KEYFILE_AT_SALT = 20,
    KEYFILE_AT_NONCE = 36,
    KEYFILE_AT_COMMITMENT = 60,
    KEYFILE_AT_LENGTH = 92,
    KEYFILE_HEADER_SIZE = 96,
};
enum {
    KEYFILE_VERSION = 1,
    KEYFILE_KDF_NONE = 0,
    KEYFILE_KDF_ARGON2ID = 1,
    KEYFILE_SALT_SIZE = 16,
    KEYFILE_NONCE_SIZE = 24,
    KEYFILE_PLAIN_SIZE = 512,
    KEYFILE_SEALED_SIZE = KEYFILE_PLAIN_SIZE + 16,
    KEYFILE_SIZE = KEYFILE_HEADER_SIZE + KEYFILE_SEALED_SIZE,
    KEYFILE_USED_SIZE = 1 + 5 * 32 + 16 + 3 * 32 + 8 + 1 + 3 * 32,
    KEYFILE_AT_MEMBER = 241,
    KEYFILE_AT_SUCCESSOR = 281,
};
enum { KEYFILE_OPS_MAX = 16, KEYFILE_MEMORY_KIB_MIN = 8, KEYFILE_MEMORY_KIB_MAX = 2097152 };

static const uint8_t keyfile_magic[8] = "kithkey";

_Static_assert(KEYFILE_AT_LENGTH + 4 == KEYFILE_HEADER_SIZE, "the header is full");
_Static_assert((int)KEYFILE_SIZE <= (int)KEYFILE_SIZE_MAX, "readers' bound holds");
_Static_assert(KEYFILE_SALT_SIZE == crypto_pwhash_argon2id_SALTBYTES, "sizes agree");
_Static_assert(KEYFILE_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "sizes agree");
_Static_assert(KEYFILE_SEALED_SIZE - KEYFILE_PLAIN_SIZE ==
                   crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "sizes agree");
_Static_assert(KEYFILE_MEMORY_KIB_MIN * 1024 == crypto_pwhash_argon2id_MEMLIMIT_MIN, "sizes agree");

/* Lives in secret memory. */
struct keyfile_work {
    uint8_t key[KEY_SIZE];
    uint8_t plain[KEYFILE_PLAIN_SIZE];
    struct signing_key root;
};

/* PROTOCOL KEYS-3: "The member is root key 0; the member's id is its public key." */
/* PROTOCOL KEYS-5: "A device draws four independent random values of 32 bytes: the private keys of
 * its Ed25519 signing key, its X25519 static key and its X25519 receiving key, and its local key.
 * No key is converted from Ed25519 to X25519 or back." */
enum err keyfile_draw(const uint8_t recovery_seed[static SEED_SIZE], const struct entropy *entropy,
                      uint64_t now_ms, struct device_secrets *out)
{
    uint8_t other[SEED_SIZE];
    struct signing_key *key = secret_new(sizeof *key);
    struct exchange_key *recovery = secret_new(sizeof *recovery);
    struct span next;
    enum err err = key != NULL && recovery != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK) {
        out->has_root = true;
        out->created_at_ms = now_ms;
        identity_root_seed(recovery_seed, 0, out->root_seed);
        identity_signing_key(out->root_seed, key);
        out->member = key->public_key;
        identity_root_seed(recovery_seed, 1, other);
        identity_signing_key(other, key);
        next = span_of(key->public_key.bytes, 32);
        digest("kith next root", &next, 1, &out->next_root_hash);
        identity_recovery_seed(recovery_seed, other);
        identity_exchange_key(other, recovery);
        memcpy(out->recovery_public, recovery->public_key, 32);
        entropy_fill(entropy, out->signing_seed, 32);
        entropy_fill(entropy, out->static_seed, 32);
        entropy_fill(entropy, out->receiving_seed, 32);
        entropy_fill(entropy, out->local_key, 32);
        entropy_fill(entropy, out->incarnation, 16);
        secret_wipe(other, sizeof other);
    }
    secret_free(key);
    secret_free(recovery);
    return err;
}

struct keyfile_cost keyfile_cost_default(void)
{
    return (struct keyfile_cost){.ops = crypto_pwhash_argon2id_OPSLIMIT_MODERATE,
                                 .memory_kib = crypto_pwhash_argon2id_MEMLIMIT_MODERATE / 1024};
}

static bool keyfile_cost_is_low(struct keyfile_cost cost)
{
    return cost.ops < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
           cost.memory_kib < KEYFILE_MEMORY_KIB_MIN;
}

static bool keyfile_cost_is_high(struct keyfile_cost cost)
{
    return cost.ops > KEYFILE_OPS_MAX || cost.memory_kib > KEYFILE_MEMORY_KIB_MAX;
}

/* The hash of the header around the nonce, which is its value. */
/* PROTOCOL FILE-6: "The nonce is the first 24 bytes of H(kith file header, header bytes 0 to 35
 * | header bytes 60 to 95). It is unique because the key is by FILE-3, and it is the header's
 * checksum." */
static void keyfile_checksum(const uint8_t header[static KEYFILE_HEADER_SIZE],
                             uint8_t out[static KEYFILE_NONCE_SIZE])
{
    struct span parts[2] = {
        span_of(header, KEYFILE_AT_NONCE),
        span_of(header + KEYFILE_AT_COMMITMENT, KEYFILE_HEADER_SIZE - KEYFILE_AT_COMMITMENT)};
    struct hash hash;

    digest("kith file header", parts, 2, &hash);
    memcpy(out, hash.bytes, KEYFILE_NONCE_SIZE);
}

static uint8_t *keyfile_put(uint8_t *at, const uint8_t *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

/* PROTOCOL FILE-2: "The plaintext has 512 bytes" */
static void keyfile_plain_write(const struct device_secrets *secrets,
                                uint8_t plain[static KEYFILE_PLAIN_SIZE])
{
    uint8_t *at = plain;

    memset(plain, 0, KEYFILE_PLAIN_SIZE);
    *at++ = secrets->has_root ? 1 : 0;
    if (secrets->has_root)
        memcpy(at, secrets->root_seed, 32);
    at += 32;
    at = keyfile_put(at, secrets->signing_seed, 32);
    at = keyfile_put(at, secrets->static_seed, 32);
    at = keyfile_put(at, secrets->receiving_seed, 32);
    at = keyfile_put(at, secrets->local_key, 32);
    at = keyfile_put(at, secrets->incarnation, 16);
    at = keyfile_put(at, secrets->recovery_public, 32);
    at = keyfile_put(at, secrets->next_root_hash.bytes, 32);
    at = keyfile_put(at, secrets->member.bytes, 32);
    be64_put(at, secrets->created_at_ms);
    KITH_ASSERT(at + 8 == plain + KEYFILE_AT_SUCCESSOR);
    if (!secrets->has_successor)
        return;
    at = plain + KEYFILE_AT_SUCCESSOR;
    *at++ = 1;
    at = keyfile_put(at, secrets->successor_signing_seed, 32);
    at = keyfile_put(at, secrets->successor_static_seed, 32);
    at = keyfile_put(at, secrets->successor_receiving_seed, 32);
    KITH_ASSERT(at == plain + KEYFILE_USED_SIZE);
}

static const uint8_t *keyfile_get(const uint8_t *at, uint8_t *out, size_t size)
{
    memcpy(out, at, size);
    return at + size;
}

/* Is the member whose root is held the one that is named? */
static bool keyfile_names_root(struct keyfile_work *work)
{
    identity_signing_key(work->plain + 1, &work->root);
    return memcmp(work->root.public_key.bytes, work->plain + KEYFILE_AT_MEMBER, 32) == 0;
}

/* ERR_CORRUPT, out untouched, when the bytes are none that keyfile_plain_write writes. */
static enum err keyfile_plain_read(struct keyfile_work *work, struct device_secrets *out)
{
    const uint8_t *plain = work->plain, *at = plain + 1;

    if (plain[0] > 1 || (plain[0] == 0 && !sodium_is_zero(at, 32)) ||
        plain[KEYFILE_AT_SUCCESSOR] > 1 ||
        (plain[KEYFILE_AT_SUCCESSOR] == 0 &&
         !sodium_is_zero(plain + KEYFILE_AT_SUCCESSOR, (size_t)3 * 32 + 1)) ||
        !sodium_is_zero(plain + KEYFILE_USED_SIZE, KEYFILE_PLAIN_SIZE - KEYFILE_USED_SIZE) ||
        (plain[0] == 1 && !keyfile_names_root(work)))
        return ERR_CORRUPT;
    out->has_root = plain[0] == 1;
    at = keyfile_get(at, out->root_seed, 32);
    at = keyfile_get(at, out->signing_seed, 32);
    at = keyfile_get(at, out->static_seed, 32);
    at = keyfile_get(at, out->receiving_seed, 32);
    at = keyfile_get(at, out->local_key, 32);
    at = keyfile_get(at, out->incarnation, 16);
    at = keyfile_get(at, out->recovery_public, 32);
    at = keyfile_get(at, out->next_root_hash.bytes, 32);
    at = keyfile_get(at, out->member.bytes, 32);
    out->created_at_ms = be64(at);
    out->has_successor = plain[KEYFILE_AT_SUCCESSOR] == 1;
    at = keyfile_get(plain + KEYFILE_AT_SUCCESSOR + 1, out->successor_signing_seed, 32);
    at = keyfile_get(at, out->successor_static_seed, 32);
    (void)keyfile_get(at, out->successor_receiving_seed, 32); /* The last field. */
    return ERR_OK;
}

/* The file's key from its header. ERR_NOMEM when Argon2id gets no memory. */
/* PROTOCOL FILE-4: "With kdf 0 the key is KDF(32 zero bytes, kith file key, salt): it hides
 * nothing, and damage is still found. With kdf 1 it is Argon2id version 1.3 (RFC 9106) of the
 * passphrase's bytes and the salt, with one lane, 32 bytes." */
static enum err keyfile_key(const uint8_t header[static KEYFILE_HEADER_SIZE],
                            struct span passphrase, uint8_t out[static KEY_SIZE])
{
    const uint8_t *salt = header + KEYFILE_AT_SALT;
    size_t memory = (size_t)be32(header + KEYFILE_AT_MEMORY) * 1024;

    if (header[KEYFILE_AT_KDF] == KEYFILE_KDF_NONE) {
        static const uint8_t no_key[KEY_SIZE];

        digest_derive(no_key, "kith file key", span_of(salt, KEYFILE_SALT_SIZE), out);
        return ERR_OK;
    }
    if (crypto_pwhash_argon2id(out, KEY_SIZE, (const char *)passphrase.data, passphrase.size, salt,
                               be32(header + KEYFILE_AT_OPS), memory,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return ERR_NOMEM;
    return ERR_OK;
}

/* All of the header but commitment and nonce. The salt is random and covers the plaintext, so that
 * two machines with one random state still use a key once. */
/* PROTOCOL FILE-3: "The salt is MAC-16(32 fresh random bytes, kith file salt, plaintext), so
 * that a salt serves one plaintext even on machines with identical random state. A reader does
 * not check it." */
/* PROTOCOL FILE-1: "A key file of version 1 has 624 bytes: a header of 96, then 528 of ciphertext
 * and tag." */
static void keyfile_header_write(uint8_t header[static KEYFILE_HEADER_SIZE], bool is_protected,
                                 struct keyfile_cost cost, const struct entropy *entropy,
                                 struct span plain)
{
    uint8_t random[KEY_SIZE];

    memset(header, 0, KEYFILE_HEADER_SIZE);
    memcpy(header, keyfile_magic, sizeof keyfile_magic);
    be16_put(header + KEYFILE_AT_VERSION, KEYFILE_VERSION);
    if (is_protected) {
        header[KEYFILE_AT_KDF] = KEYFILE_KDF_ARGON2ID;
        be32_put(header + KEYFILE_AT_OPS, cost.ops);
        be32_put(header + KEYFILE_AT_MEMORY, cost.memory_kib);
    }
    entropy_fill(entropy, random, sizeof random);
    digest_keyed(random, "kith file salt", &plain, 1, header + KEYFILE_AT_SALT, KEYFILE_SALT_SIZE);
    be32_put(header + KEYFILE_AT_LENGTH, KEYFILE_SEALED_SIZE);
    sodium_memzero(random, sizeof random);
}

/* PROTOCOL FILE-7: "What follows the header is XChaCha20-Poly1305 of the plaintext under key and
 * nonce with the whole header as associated data." */
/* PROTOCOL FILE-8: "A passphrase is 1 to 1,024 bytes. A writer never writes costs that a reader
 * refuses." */
enum err keyfile_write(const struct device_secrets *secrets, struct span passphrase,
                       struct keyfile_cost cost, const struct entropy *entropy, struct buf *out)
{
    bool is_protected = passphrase.size > 0;
    uint8_t file[KEYFILE_SIZE];
    struct keyfile_work *work;
    struct hash commitment;
    enum err err;

    if (passphrase.size > PASSPHRASE_SIZE_MAX || (is_protected && keyfile_cost_is_high(cost)))
        return ERR_LIMIT;
    if (is_protected && keyfile_cost_is_low(cost))
        return ERR_INVALID;
    work = secret_new(sizeof *work);
    if (work == NULL)
        return ERR_NOMEM;
    keyfile_plain_write(secrets, work->plain);
    keyfile_header_write(file, is_protected, cost, entropy,
                         span_of(work->plain, sizeof work->plain));
    err = keyfile_key(file, passphrase, work->key);
    if (err != ERR_OK)
        goto out;
    seal_commitment(work->key, &commitment);
    memcpy(file + KEYFILE_AT_COMMITMENT, commitment.bytes, HASH_SIZE);
    keyfile_checksum(file, file + KEYFILE_AT_NONCE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        file + KEYFILE_HEADER_SIZE, NULL, work->plain, sizeof work->plain, file,
        KEYFILE_HEADER_SIZE, NULL, file + KEYFILE_AT_NONCE, work->key); /* cannot fail */
    buf_append(out, span_of(file, sizeof file));
    err = buf_err(out);
out:
    secret_free(work);
    return err;
}

/* Everything that can be known without a key. A newer version may have another shape and checksum,
 * so the version is judged first; what the checksum covers and this version does not know is newer
 * too. */
/* PROTOCOL FILE-9: "A reader judges in this order, before it spends memory or time: 1. the magic
 * bytes are others, or fewer than 96 or more than 4,096 bytes: damaged; 2. the version is above 1:
 * written by a newer version; 3. the version is 0, a size is another or the nonce is not that of
 * FILE-6: damaged; 4. kdf above 1 or a flag: written by a newer version; 5. costs with kdf 0, or
 * below 1 pass or 8 KiB with kdf 1: damaged; above 16 passes or 2,097,152 KiB: limit; 6. kdf 1 and
 * no passphrase: locked." */
static enum err keyfile_header_check(struct span file)
{
    struct keyfile_cost cost;
    uint8_t checksum[KEYFILE_NONCE_SIZE];

    if (file.size < KEYFILE_HEADER_SIZE || file.size > KEYFILE_SIZE_MAX ||
        !span_is_equal(span_of(file.data, sizeof keyfile_magic),
                       span_of(keyfile_magic, sizeof keyfile_magic)))
        return ERR_CORRUPT;
    if (be16(file.data + KEYFILE_AT_VERSION) > KEYFILE_VERSION)
        return ERR_VERSION;
    keyfile_checksum(file.data, checksum);
    if (be16(file.data + KEYFILE_AT_VERSION) != KEYFILE_VERSION || file.size != KEYFILE_SIZE ||
        be32(file.data + KEYFILE_AT_LENGTH) != KEYFILE_SEALED_SIZE ||
        !span_is_equal(span_of(checksum, sizeof checksum),
                       span_of(file.data + KEYFILE_AT_NONCE, KEYFILE_NONCE_SIZE)))
        return ERR_CORRUPT;
    if (file.data[KEYFILE_AT_KDF] > KEYFILE_KDF_ARGON2ID || file.data[KEYFILE_AT_FLAGS] != 0)
        return ERR_VERSION;
    cost = (struct keyfile_cost){.ops = be32(file.data + KEYFILE_AT_OPS),
                                 .memory_kib = be32(file.data + KEYFILE_AT_MEMORY)};
    if (file.data[KEYFILE_AT_KDF] == KEYFILE_KDF_NONE)
        return cost.ops == 0 && cost.memory_kib == 0 ? ERR_OK : ERR_CORRUPT;
    if (keyfile_cost_is_low(cost))
        return ERR_CORRUPT;
    return keyfile_cost_is_high(cost) ? ERR_LIMIT : ERR_OK;
}

/* PROTOCOL FILE-5: "The commitment is that of SEAL-4 to the key." */
/* PROTOCOL FILE-10: "Then: a commitment that is not the key's means a wrong passphrase (kdf 1)
 * or damage (kdf 0); a tag that does not fit, or a plaintext other than FILE-2, means damage." */
enum err keyfile_read(struct span file, struct span passphrase, struct device_secrets *out)
{
    enum err err = keyfile_header_check(file);
    struct keyfile_work *work;
    struct hash commitment;
    bool is_protected;

    if (err != ERR_OK)
        return err;
    is_protected = keyfile_is_protected(file);
    if (is_protected && (passphrase.size == 0 || passphrase.size > PASSPHRASE_SIZE_MAX))
        return ERR_LOCKED;
    work = secret_new(sizeof *work);
    if (work == NULL)
        return ERR_NOMEM;
    err = keyfile_key(file.data, passphrase, work->key);
    if (err != ERR_OK)
        goto out;
    seal_commitment(work->key, &commitment);
    err = is_protected ? ERR_LOCKED : ERR_CORRUPT;
    if (!secret_is_equal(commitment.bytes, file.data + KEYFILE_AT_COMMITMENT, HASH_SIZE))
        goto out;
    err = ERR_CORRUPT;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            work->plain, NULL, NULL, file.data + KEYFILE_HEADER_SIZE, KEYFILE_SEALED_SIZE,
            file.data, KEYFILE_HEADER_SIZE, file.data + KEYFILE_AT_NONCE, work->key) != 0)
        goto out;
    err = keyfile_plain_read(work, out);
out:
    secret_free(work);
    return err;
}

bool keyfile_is_protected(struct span file)
{
    return keyfile_header_check(file) == ERR_OK &&
           file.data[KEYFILE_AT_KDF] == KEYFILE_KDF_ARGON2ID;
}

uint64_t keyfile_memory_kib(struct span file)
{
    return keyfile_is_protected(file) ? be32(file.data + KEYFILE_AT_MEMORY) : 0;
}
