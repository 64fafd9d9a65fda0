/* Ed25519 and X25519 from seeds, labelled signatures, did:key. */
#include "crypto/identity.h"

#include <sodium.h>
#include <string.h>

#include "crypto/heap.h"

enum {
    IDENTITY_LABEL_SIZE = 16,
    IDENTITY_MULTICODEC_SIZE = 2,
    IDENTITY_DID_BYTES = IDENTITY_MULTICODEC_SIZE + 32,
    IDENTITY_DID_DIGITS = 47 /* base58 digits of 34 bytes that begin with 0xed01 */
};

static const char identity_did_prefix[] = "did:key:z";
static const char identity_base58[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

void identity_signing_key(const uint8_t seed[static SEED_SIZE], struct signing_key *out)
{
    (void)crypto_sign_seed_keypair(out->public_key.bytes, out->secret, seed); /* Cannot fail. */
}

void identity_exchange_key(const uint8_t seed[static SEED_SIZE], struct exchange_key *out)
{
    memcpy(out->secret, seed, sizeof out->secret);
    (void)crypto_scalarmult_base(out->public_key,
                                 out->secret); /* Cannot fail for the base point. */
}

void identity_root_seed(const uint8_t seed[static SEED_SIZE], uint32_t index,
                        uint8_t out[static SEED_SIZE])
{
    uint8_t number[4];

    be32_put(number, index);
    digest_derive(seed, "kith root", span_of(number, sizeof number), out);
}

void identity_recovery_seed(const uint8_t seed[static SEED_SIZE], uint8_t out[static SEED_SIZE])
{
    digest_derive(seed, "kith recovery", span_of(NULL, 0), out);
}

/* Label, padded with zeros, then the message. Small ones stay on the stack. */
struct identity_message {
    uint8_t small[512];
    uint8_t *bytes;
    size_t size;
};

static bool identity_message_begin(struct identity_message *message, const char *label,
                                   struct span text)
{
    size_t label_size = strlen(label);

    KITH_ASSERT(label_size <= IDENTITY_LABEL_SIZE);
    if (!size_add(text.size, IDENTITY_LABEL_SIZE, &message->size))
        return false;
    message->bytes =
        message->size <= sizeof message->small ? message->small : heap_new(message->size);
    if (message->bytes == NULL)
        return false;
    memset(message->bytes, 0, IDENTITY_LABEL_SIZE);
    memcpy(message->bytes, label, label_size);
    if (text.size > 0)
        memcpy(message->bytes + IDENTITY_LABEL_SIZE, text.data, text.size);
    return true;
}

static void identity_message_end(struct identity_message *message)
{
    if (message->bytes != message->small)
        heap_free(message->bytes);
}

enum err identity_sign(const struct signing_key *key, const char *label, struct span message,
                       uint8_t out_signature[static SIGNATURE_SIZE])
{
    struct identity_message labelled;

    if (!identity_message_begin(&labelled, label, message))
        return ERR_NOMEM;
    identity_sign_raw(key, span_of(labelled.bytes, labelled.size), out_signature);
    identity_message_end(&labelled);
    return ERR_OK;
}

enum err identity_verify(const struct public_key *key, const char *label, struct span message,
                         const uint8_t signature[static SIGNATURE_SIZE])
{
    struct identity_message labelled;
    enum err err;

    if (!identity_message_begin(&labelled, label, message))
        return ERR_NOMEM;
    err = identity_verify_raw(key, span_of(labelled.bytes, labelled.size), signature);
    identity_message_end(&labelled);
    return err;
}

void identity_sign_raw(const struct signing_key *key, struct span message,
                       uint8_t out_signature[static SIGNATURE_SIZE])
{
    (void)crypto_sign_detached(out_signature, NULL, message.data, message.size,
                               key->secret); /* Cannot fail. */
}

enum err identity_verify_raw(const struct public_key *key, struct span message,
                             const uint8_t signature[static SIGNATURE_SIZE])
{
    return crypto_sign_verify_detached(signature, message.data, message.size, key->bytes) == 0
               ? ERR_OK
               : ERR_FORGED;
}

enum err identity_agree(const uint8_t secret_key[static 32], const uint8_t public_key[static 32],
                        uint8_t out[static KEY_SIZE])
{
    return crypto_scalarmult(out, secret_key, public_key) == 0 ? ERR_OK : ERR_FORGED;
}

/* Long division by 58; the bytes never begin with zeros, so there are no leading ones to add. */
void identity_did(const struct public_key *key, char out[static DID_SIZE])
{
    uint8_t digits[IDENTITY_DID_DIGITS] = {0};
    uint8_t bytes[IDENTITY_DID_BYTES] = {0xed, 0x01};
    size_t prefix = sizeof identity_did_prefix - 1;

    memcpy(bytes + IDENTITY_MULTICODEC_SIZE, key->bytes, 32);
    for (size_t at = 0; at < sizeof bytes; at++) {
        unsigned carry = bytes[at];

        for (size_t digit = sizeof digits; digit-- > 0;) {
            carry += (unsigned)digits[digit] << 8;
            digits[digit] = (uint8_t)(carry % 58);
            carry /= 58;
        }
    }
    memcpy(out, identity_did_prefix, prefix);
    for (size_t digit = 0; digit < sizeof digits; digit++)
        out[prefix + digit] = identity_base58[digits[digit]];
    out[prefix + sizeof digits] = '\0';
}

enum err identity_read_did(struct span text, struct public_key *out)
{
    uint8_t bytes[IDENTITY_DID_BYTES] = {0};
    size_t prefix = sizeof identity_did_prefix - 1;

    if (text.size != prefix + IDENTITY_DID_DIGITS ||
        memcmp(text.data, identity_did_prefix, prefix) != 0)
        return ERR_INVALID;
    for (size_t at = prefix; at < text.size; at++) {
        const char *digit = text.data[at] != '\0' ? strchr(identity_base58, text.data[at]) : NULL;
        unsigned carry;

        if (digit == NULL)
            return ERR_INVALID;
        carry = (unsigned)(digit - identity_base58);
        for (size_t byte = sizeof bytes; byte-- > 0;) {
            carry += (unsigned)bytes[byte] * 58;
            bytes[byte] = (uint8_t)(carry & 0xff);
            carry >>= 8;
        }
        if (carry != 0)
            return ERR_INVALID;
    }
    if (bytes[0] != 0xed || bytes[1] != 0x01)
        return ERR_INVALID;
    memcpy(out->bytes, bytes + IDENTITY_MULTICODEC_SIZE, 32);
    return ERR_OK;
}
