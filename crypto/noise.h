/*
 * The Noise Protocol Framework, revision 34: handshake patterns as a table of tokens, DH 25519,
 * cipher ChaChaPoly, hash SHA256 or SHA512. A pure machine: messages in, messages out. Its state is
 * secret: it lives in memory from secret_new.
 */
#ifndef KITH_CRYPTO_NOISE_H
#define KITH_CRYPTO_NOISE_H

#include "crypto/digest.h"
#include "crypto/entropy.h"
#include "crypto/identity.h"

enum {
    NOISE_TAG_SIZE = 16,
    NOISE_HASH_SIZE_MAX = 64,
    NOISE_MESSAGE_SIZE_MAX = 65535,
    NOISE_PSKS_MAX = 4,
    NOISE_NAME_SIZE_MAX = 64
};

struct noise_cipher {
    uint8_t key[KEY_SIZE];
    uint64_t nonce;
    bool has_key;
};

/* What a side brings along. Whether each is needed is the pattern's business. */
struct noise_keys {
    const struct exchange_key *own_static;
    const uint8_t *remote_static; /* 32 bytes, or NULL */
    const uint8_t *psks;          /* 32 bytes each, in the order of the pattern's psk tokens */
    size_t psks_count;
};

struct noise {
    enum digest_sha sha;
    bool is_initiator;
    const struct noise_pattern *pattern;
    uint8_t modifiers; /* bit n: psk n */
    size_t message;    /* the next one, from 0 */
    struct noise_cipher cipher;
    uint8_t chaining_key[NOISE_HASH_SIZE_MAX];
    uint8_t hash[NOISE_HASH_SIZE_MAX];
    struct exchange_key own_static, own_ephemeral;
    uint8_t remote_static[32], remote_ephemeral[32];
    bool has_own_static, has_remote_static, has_remote_ephemeral;
    uint8_t psks[NOISE_PSKS_MAX][KEY_SIZE];
    size_t psks_count, psks_used;
};

/* protocol_name as in "Noise_XKpsk3_25519_ChaChaPoly_SHA256". ERR_INVALID: an unknown name;
 * ERR_STATE: a key the pattern needs before its first message is missing. */
MUST_USE enum err noise_init(struct noise *noise, const char *protocol_name, bool is_initiator,
                             struct span prologue, const struct noise_keys *keys);
/* Appends the next message. ERR_FORGED for a low-order key of the other side, ERR_STATE when it is
 * not my turn or a key is missing. After an error the handshake is over. */
MUST_USE enum err noise_write(struct noise *noise, const struct entropy *entropy,
                              struct span payload, struct buf *out);
/* Reads the next message and appends its payload. ERR_FORGED, ERR_MALFORMED (too short). */
MUST_USE enum err noise_read(struct noise *noise, struct span message, struct buf *out_payload);
/* The same in two halves for a message whose psk depends on the static key it reveals:
 * noise_read_static reads up to the first psk token and says where it stopped; the caller copies
 * the state, sets a candidate psk and goes on with noise_read_rest, as often as it has candidates.
 */
MUST_USE enum err noise_read_static(struct noise *noise, struct span message, size_t *out_token,
                                    size_t *out_offset);
MUST_USE enum err noise_read_rest(struct noise *noise, struct span message, size_t token,
                                  size_t offset, const uint8_t psk[static KEY_SIZE],
                                  struct buf *out_payload);
bool noise_is_done(const struct noise *noise);
bool noise_is_my_turn(const struct noise *noise);
/* The keys after the handshake: of what the initiator sends and of what the responder sends. */
void noise_split(const struct noise *noise, uint8_t out_initiator[static KEY_SIZE],
                 uint8_t out_responder[static KEY_SIZE]);
/* Transport messages with an explicit nonce, as noise's CipherState does them. */
void noise_seal(const uint8_t key[static KEY_SIZE], uint64_t nonce, struct span context,
                struct span plain, uint8_t *out);
MUST_USE enum err noise_open(const uint8_t key[static KEY_SIZE], uint64_t nonce,
                             struct span context, struct span sealed, uint8_t *out);
/* REKEY(k) of section 4.2. */
void noise_rekey(uint8_t key[static KEY_SIZE]);

#endif
