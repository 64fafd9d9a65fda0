/* Long-term keys over libsodium's Ed25519 and X25519, and their name as a did:key. */
#include "crypto/identity.h"

#include <sodium.h>
#include <string.h>

#include "crypto/base58.h"
#include "crypto/heap.h"

enum {
    IDENTITY_LABEL_SIZE = 16,
    /* What is signed often (heads, certificates) fits the stack; the rest goes to the heap. */
    IDENTITY_STACK_SIZE = 4096,
    IDENTITY_DID_BYTES = 34,  /* multicodec ed25519-pub (0xed 0x01), then the key */
    IDENTITY_DID_DIGITS = 47, /* base58 digits of any number of 34 bytes that begins with 0xed */
};

static const char identity_did_prefix[] = "did:key:z";

_Static_assert(SIGNATURE_SIZE == crypto_sign_ed25519_BYTES, "sizes agree");
_Static_assert(SEED_SIZE == crypto_sign_ed25519_SEEDBYTES, "sizes agree");
_Static_assert(DID_SIZE == sizeof identity_did_prefix + IDENTITY_DID_DIGITS, "sizes agree");

/* PROTOCOL ID-2: "A member is its root key 0, a device its signing key: Ed25519, 32 bytes." */
void identity_signing_key(const uint8_t seed[static SEED_SIZE], struct signing_key *out)
{
    (void)crypto_sign_ed25519_seed_keypair(out->public_key.bytes, out->secret, seed);
}

/* PROTOCOL KEYS-6: "An X25519 private key is the 32 bytes themselves; clamping is part of the
 * multiplication." */
void identity_exchange_key(const uint8_t seed[static SEED_SIZE], struct exchange_key *out)
{
    memcpy(out->secret, seed, SEED_SIZE);
    (void)crypto_scalarmult_curve25519_base(out->public_key, out->secret);
}

/* PROTOCOL KEYS-2: "Root key number n is the Ed25519 key (RFC 8032) whose 32-byte private key is
 * KDF(recovery seed, kith root, n as u32)." */
void identity_root_seed(const uint8_t seed[static SEED_SIZE], uint32_t index,
                        uint8_t out[static SEED_SIZE])
{
    uint8_t context[4];

    be32_put(context, index);
    digest_derive(seed, "kith root", span_of(context, sizeof context), out);
}

/* PROTOCOL KEYS-4: "The member's recovery key is the X25519 key (RFC 7748) whose private key is
 * KDF(recovery seed, kith recovery, nothing)." */
void identity_recovery_seed(const uint8_t seed[static SEED_SIZE], uint8_t out[static SEED_SIZE])
{
    digest_derive(seed, "kith recovery", span_of(NULL, 0), out);
}

/* Label and message in one piece, as Ed25519 reads its message twice: in stack when it fits, else
 * on the heap. *out is the caller's to give back with identity_unlabel. */
/* PROTOCOL SIGN-2: "A message is at most 65,536 bytes." */
static enum err identity_label(const char *label, struct span message, uint8_t *stack,
                               uint8_t **out)
{
    size_t label_size = strlen(label);
    size_t size = IDENTITY_LABEL_SIZE + message.size;

    KITH_ASSERT(label_size <= IDENTITY_LABEL_SIZE);
    if (message.size > IDENTITY_MESSAGE_SIZE_MAX)
        return ERR_LIMIT;
    *out = size <= IDENTITY_STACK_SIZE ? stack : heap_new(size);
    if (*out == NULL)
        return ERR_NOMEM;
    memset(*out, 0, IDENTITY_LABEL_SIZE);
    memcpy(*out, label, label_size);
    if (message.size > 0)
        memcpy(*out + IDENTITY_LABEL_SIZE, message.data, message.size);
    return ERR_OK;
}

static void identity_unlabel(uint8_t *labelled, const uint8_t *stack)
{
    if (labelled != stack)
        heap_free(labelled);
}

/* PROTOCOL SIGN-1: "A signature is pure Ed25519 over the padded label (16 bytes) and the
 * message." */
enum err identity_sign(const struct signing_key *key, const char *label, struct span message,
                       uint8_t out_signature[static SIGNATURE_SIZE])
{
    uint8_t stack[IDENTITY_STACK_SIZE];
    uint8_t *labelled;
    enum err err = identity_label(label, message, stack, &labelled);

    if (err != ERR_OK)
        return err;
    identity_sign_raw(key, span_of(labelled, IDENTITY_LABEL_SIZE + message.size), out_signature);
    identity_unlabel(labelled, stack);
    return ERR_OK;
}

enum err identity_verify(const struct public_key *key, const char *label, struct span message,
                         const uint8_t signature[static SIGNATURE_SIZE])
{
    uint8_t stack[IDENTITY_STACK_SIZE];
    uint8_t *labelled;
    enum err err = identity_label(label, message, stack, &labelled);

    if (err != ERR_OK)
        return err;
    err =
        identity_verify_raw(key, span_of(labelled, IDENTITY_LABEL_SIZE + message.size), signature);
    identity_unlabel(labelled, stack);
    return err;
}

/* PROTOCOL SIGN-5: "A signature without a label is made only for formats of others whose message is
 * a hash fixed by that format." */
void identity_sign_raw(const struct signing_key *key, struct span message,
                       uint8_t out_signature[static SIGNATURE_SIZE])
{
    (void)crypto_sign_ed25519_detached(out_signature, NULL, message.data, message.size,
                                       key->secret); /* cannot fail */
}

/* PROTOCOL SIGN-3: "A verifier checks S·B = R + k·A without the cofactor, on the bytes received,
 * and refuses: S not below the order of the base point; a public key that is not canonical or of
 * small order; an R of small order." */
/* PROTOCOL SIGN-4: "By SIGN-3 a public key with a part of small order beside one of large order is
 * accepted where the equation holds. Only the owner of a key can make it so, and signs for no other
 * key by it." */
enum err identity_verify_raw(const struct public_key *key, struct span message,
                             const uint8_t signature[static SIGNATURE_SIZE])
{
    return crypto_sign_ed25519_verify_detached(signature, message.data, message.size, key->bytes) ==
                   0
               ? ERR_OK
               : ERR_FORGED;
}

/* PROTOCOL KEYS-7: "An agreement whose result is 32 zero bytes (a public key of low order) is
 * refused." */
enum err identity_agree(const uint8_t secret_key[static 32], const uint8_t public_key[static 32],
                        uint8_t out[static KEY_SIZE])
{
    uint8_t shared[KEY_SIZE];
    enum err err = ERR_FORGED;

    if (crypto_scalarmult_curve25519(shared, secret_key, public_key) == 0) {
        memcpy(out, shared, KEY_SIZE);
        err = ERR_OK;
    }
    sodium_memzero(shared, sizeof shared);
    return err;
}

/* PROTOCOL KEYS-8: "A member is written as a did:key: the text did:key:z, then the 34 bytes 0xed
 * 0x01 and the public key in base58 with the Bitcoin alphabet. That is always 56 characters; any
 * other form of the same number is refused." */
void identity_did(const struct public_key *key, char out[static DID_SIZE])
{
    size_t prefix_size = sizeof identity_did_prefix - 1;
    uint8_t number[IDENTITY_DID_BYTES] = {0xed, 0x01};
    char text[BASE58_TEXT_SIZE];

    memcpy(number + 2, key->bytes, sizeof key->bytes);
    base58_write(span_of(number, sizeof number), text);
    memcpy(out, identity_did_prefix, prefix_size);
    memcpy(out + prefix_size, text, IDENTITY_DID_DIGITS + 1);
}

/* A number of 34 bytes beginning with 0xed 0x01 has one writing in 47 digits, so what is read here
 * is canonical. */
enum err identity_read_did(struct span text, struct public_key *out)
{
    size_t prefix_size = sizeof identity_did_prefix - 1;
    uint8_t number[IDENTITY_DID_BYTES];

    if (text.size != DID_SIZE - 1 ||
        !span_is_equal(span_of(text.data, prefix_size), span_str(identity_did_prefix)))
        return ERR_INVALID;
    if (base58_read(span_of(text.data + prefix_size, IDENTITY_DID_DIGITS), number, sizeof number) !=
        ERR_OK)
        return ERR_INVALID;
    if (number[0] != 0xed || number[1] != 0x01)
        return ERR_INVALID;
    memcpy(out->bytes, number + 2, sizeof out->bytes);
    return ERR_OK;
}
