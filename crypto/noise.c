/*
 * Section numbers are those of the specification, revision 34. Patterns are data: each message a
 * string of letters, one a token. e and s are themselves; 1 is ee, 2 es, 3 se, 4 ss; p is psk, put
 * in by the name's modifiers.
 */
#include "crypto/noise.h"

#include <sodium.h>
#include <string.h>

enum { NOISE_MESSAGES_MAX = 5, NOISE_TOKENS_MAX = 8 };

struct noise_pattern {
    const char *name;
    const char *initiator_pre, *responder_pre; /* "", "e", "s" */
    const char *messages[NOISE_MESSAGES_MAX];  /* the first by the initiator, then in turn */
};

/* Sections 7.4, 7.5 and appendix 18.1 (deferred patterns). */
static const struct noise_pattern noise_patterns[] = {
    {"N", "", "s", {"e2"}},
    {"K", "s", "s", {"e24"}},
    {"X", "", "s", {"e2s4"}},
    {"NN", "", "", {"e", "e1"}},
    {"KN", "s", "", {"e", "e13"}},
    {"NK", "", "s", {"e2", "e1"}},
    {"KK", "s", "s", {"e24", "e13"}},
    {"NX", "", "", {"e", "e1s2"}},
    {"KX", "s", "", {"e", "e13s2"}},
    {"XN", "", "", {"e", "e1", "s3"}},
    {"IN", "", "", {"es", "e13"}},
    {"XK", "", "s", {"e2", "e1", "s3"}},
    {"IK", "", "s", {"e2s4", "e13"}},
    {"XX", "", "", {"e", "e1s2", "s3"}},
    {"IX", "", "", {"es", "e13s2"}},
    {"NK1", "", "s", {"e", "e12"}},
    {"NX1", "", "", {"e", "e1s", "2"}},
    {"X1N", "", "", {"e", "e1", "s", "3"}},
    {"X1K", "", "s", {"e2", "e1", "s", "3"}},
    {"XK1", "", "s", {"e", "e12", "s3"}},
    {"X1K1", "", "s", {"e", "e12", "s", "3"}},
    {"X1X", "", "", {"e", "e1s2", "s", "3"}},
    {"XX1", "", "", {"e", "e1s", "2s3"}},
    {"X1X1", "", "", {"e", "e1s", "2s", "3"}},
    {"K1N", "s", "", {"e", "e1", "3"}},
    {"K1K", "s", "s", {"e2", "e1", "3"}},
    {"KK1", "s", "s", {"e", "e132"}},
    {"K1K1", "s", "s", {"e", "e12", "3"}},
    {"K1X", "s", "", {"e", "e1s2", "3"}},
    {"KX1", "s", "", {"e", "e13s", "2"}},
    {"K1X1", "s", "", {"e", "e1s", "32"}},
    {"I1N", "", "", {"es", "e1", "3"}},
    {"I1K", "", "s", {"e2s", "e1", "3"}},
    {"IK1", "", "s", {"es", "e132"}},
    {"I1K1", "", "s", {"es", "e12", "3"}},
    {"I1X", "", "", {"es", "e1s2", "3"}},
    {"IX1", "", "", {"es", "e13s", "2"}},
    {"I1X1", "", "", {"es", "e1s", "32"}},
};

/* Cipher and symmetric state, sections 5.1 and 5.2. */

static void noise_nonce(uint64_t counter, uint8_t out[static 12])
{
    memset(out, 0, 4);
    for (size_t at = 0; at < 8; at++)
        out[4 + at] = (uint8_t)(counter >> (8 * at) & 0xff);
}

void noise_seal(const uint8_t key[static KEY_SIZE], uint64_t nonce, struct span context,
                struct span plain, uint8_t *out)
{
    uint8_t bytes[12];

    noise_nonce(nonce, bytes);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.size, context.data,
                                                    context.size, NULL, bytes,
                                                    key); /* Cannot fail. */
}

enum err noise_open(const uint8_t key[static KEY_SIZE], uint64_t nonce, struct span context,
                    struct span sealed, uint8_t *out)
{
    uint8_t bytes[12];

    if (sealed.size < NOISE_TAG_SIZE)
        return ERR_MALFORMED;
    noise_nonce(nonce, bytes);
    return crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.size,
                                                     context.data, context.size, bytes, key) == 0
               ? ERR_OK
               : ERR_FORGED;
}

void noise_rekey(uint8_t key[static KEY_SIZE])
{
    static const uint8_t zeros[KEY_SIZE];
    uint8_t sealed[KEY_SIZE + NOISE_TAG_SIZE];

    noise_seal(key, UINT64_MAX, span_of(NULL, 0), span_of(zeros, sizeof zeros), sealed);
    memcpy(key, sealed, KEY_SIZE);
    sodium_memzero(sealed, sizeof sealed);
}

static struct span noise_hash(const struct noise *noise)
{
    return span_of(noise->hash, digest_sha_size(noise->sha));
}

static void noise_mix_hash(struct noise *noise, struct span data)
{
    uint8_t hash[NOISE_HASH_SIZE_MAX];

    digest_sha_hash(noise->sha, noise_hash(noise), data, hash);
    memcpy(noise->hash, hash, digest_sha_size(noise->sha));
}

/* HKDF of section 4.3: outputs of one hash each. */
static void noise_hkdf(const struct noise *noise, struct span input, size_t outputs,
                       uint8_t out[static 3 * 64])
{
    size_t size = digest_sha_size(noise->sha);
    enum err err = digest_hkdf(noise->sha, input, span_of(noise->chaining_key, size),
                               span_of(NULL, 0), out, outputs * size);

    KITH_ASSERT(err == ERR_OK);
}

static void noise_set_key(struct noise *noise, const uint8_t *key)
{
    memcpy(noise->cipher.key, key, KEY_SIZE);
    noise->cipher.nonce = 0;
    noise->cipher.has_key = true;
}

static void noise_mix_key(struct noise *noise, struct span input)
{
    uint8_t out[3 * 64];
    size_t size = digest_sha_size(noise->sha);

    noise_hkdf(noise, input, 2, out);
    memcpy(noise->chaining_key, out, size);
    noise_set_key(noise, out + size);
    sodium_memzero(out, sizeof out);
}

static void noise_mix_key_and_hash(struct noise *noise, struct span input)
{
    uint8_t out[3 * 64];
    size_t size = digest_sha_size(noise->sha);

    noise_hkdf(noise, input, 3, out);
    memcpy(noise->chaining_key, out, size);
    noise_mix_hash(noise, span_of(out + size, size));
    noise_set_key(noise, out + 2 * size);
    sodium_memzero(out, sizeof out);
}

static void noise_encrypt_and_hash(struct noise *noise, struct span plain, struct buf *out)
{
    size_t size = plain.size + (noise->cipher.has_key ? NOISE_TAG_SIZE : 0);
    uint8_t *at = buf_grow(out, size);

    if (at == NULL)
        return;
    if (noise->cipher.has_key)
        noise_seal(noise->cipher.key, noise->cipher.nonce++, noise_hash(noise), plain, at);
    else if (plain.size > 0)
        memcpy(at, plain.data, plain.size);
    noise_mix_hash(noise, span_of(at, size));
}

static enum err noise_decrypt_and_hash(struct noise *noise, struct span sealed, uint8_t *out)
{
    enum err err = ERR_OK;

    if (noise->cipher.has_key)
        err = noise_open(noise->cipher.key, noise->cipher.nonce++, noise_hash(noise), sealed, out);
    else if (sealed.size > 0)
        memcpy(out, sealed.data, sealed.size);
    if (err == ERR_OK)
        noise_mix_hash(noise, sealed);
    return err;
}

/* Names: "Noise_" pattern modifiers "_25519_ChaChaPoly_" hash. */

static const struct noise_pattern *noise_find_pattern(struct span name)
{
    for (size_t at = 0; at < sizeof noise_patterns / sizeof noise_patterns[0]; at++)
        if (span_is_equal(span_str(noise_patterns[at].name), name))
            return &noise_patterns[at];
    return NULL;
}

/* "psk0", or several joined by "+". */
static bool noise_read_modifiers(struct span text, uint8_t *out)
{
    *out = 0;
    while (text.size > 0) {
        if (text.size < 4 || memcmp(text.data, "psk", 3) != 0 || text.data[3] < '0' ||
            text.data[3] > '4')
            return false;
        *out |= (uint8_t)(1u << (text.data[3] - '0'));
        text = span_of(text.data + 4, text.size - 4);
        if (text.size > 0 && text.data[0] != '+')
            return false;
        if (text.size > 0)
            text = span_of(text.data + 1, text.size - 1);
    }
    return true;
}

static enum err noise_read_name(struct noise *noise, const char *name)
{
    static const char middle[] = "_25519_ChaChaPoly_";
    const char *at = strstr(name, middle), *hash, *psk;
    size_t size;

    if (at == NULL || strncmp(name, "Noise_", 6) != 0 || strlen(name) > NOISE_NAME_SIZE_MAX)
        return ERR_INVALID;
    hash = at + sizeof middle - 1;
    if (strcmp(hash, "SHA256") != 0 && strcmp(hash, "SHA512") != 0)
        return ERR_INVALID;
    noise->sha = strcmp(hash, "SHA256") == 0 ? DIGEST_SHA256 : DIGEST_SHA512;
    name += 6;
    psk = strstr(name, "psk");
    size = psk != NULL && psk < at ? (size_t)(psk - name) : (size_t)(at - name);
    noise->pattern = noise_find_pattern(span_of(name, size));
    if (noise->pattern == NULL ||
        !noise_read_modifiers(span_of(name + size, (size_t)(at - name) - size), &noise->modifiers))
        return ERR_INVALID;
    return ERR_OK;
}

/* The tokens of a message with the psk tokens the name puts in (section 9.4). */
static void noise_tokens(const struct noise *noise, size_t message,
                         char out[static NOISE_TOKENS_MAX + 1])
{
    size_t size = 0;

    if (message == 0 && (noise->modifiers & 1) != 0)
        out[size++] = 'p';
    for (const char *at = noise->pattern->messages[message]; *at != '\0'; at++)
        out[size++] = *at;
    if ((noise->modifiers >> (message + 1) & 1) != 0)
        out[size++] = 'p';
    out[size] = '\0';
}

static size_t noise_messages_count(const struct noise *noise)
{
    size_t count = 0;

    while (count < NOISE_MESSAGES_MAX && noise->pattern->messages[count] != NULL)
        count++;
    return count;
}

/* The handshake state, section 5.3. */

static enum err noise_pre_message(struct noise *noise, const char *tokens, bool is_initiators)
{
    if (tokens[0] != 's')
        return ERR_OK;
    if (is_initiators == noise->is_initiator) {
        if (!noise->has_own_static)
            return ERR_STATE;
        noise_mix_hash(noise, span_of(noise->own_static.public_key, 32));
        return ERR_OK;
    }
    if (!noise->has_remote_static)
        return ERR_STATE;
    noise_mix_hash(noise, span_of(noise->remote_static, 32));
    return ERR_OK;
}

enum err noise_init(struct noise *noise, const char *protocol_name, bool is_initiator,
                    struct span prologue, const struct noise_keys *keys)
{
    size_t name_size = strlen(protocol_name), hash_size;
    enum err err;

    memset(noise, 0, sizeof *noise);
    noise->is_initiator = is_initiator;
    err = noise_read_name(noise, protocol_name);
    if (err != ERR_OK)
        return err;
    hash_size = digest_sha_size(noise->sha);
    if (name_size <= hash_size)
        memcpy(noise->hash, protocol_name, name_size);
    else
        digest_sha_hash(noise->sha, span_of(protocol_name, name_size), span_of(NULL, 0),
                        noise->hash);
    memcpy(noise->chaining_key, noise->hash, hash_size);
    noise_mix_hash(noise, prologue);
    if (keys->own_static != NULL) {
        noise->own_static = *keys->own_static;
        noise->has_own_static = true;
    }
    if (keys->remote_static != NULL) {
        memcpy(noise->remote_static, keys->remote_static, 32);
        noise->has_remote_static = true;
    }
    noise->psks_count = keys->psks_count < NOISE_PSKS_MAX ? keys->psks_count : NOISE_PSKS_MAX;
    for (size_t at = 0; at < noise->psks_count; at++)
        memcpy(noise->psks[at], keys->psks + at * KEY_SIZE, KEY_SIZE);
    err = noise_pre_message(noise, noise->pattern->initiator_pre, true);
    if (err == ERR_OK)
        err = noise_pre_message(noise, noise->pattern->responder_pre, false);
    return err;
}

static enum err noise_agree(struct noise *noise, const struct exchange_key *own,
                            const uint8_t remote[static 32])
{
    uint8_t shared[KEY_SIZE];
    enum err err = identity_agree(own->secret, remote, shared);

    if (err == ERR_OK)
        noise_mix_key(noise, span_of(shared, sizeof shared));
    sodium_memzero(shared, sizeof shared);
    return err;
}

/* ee, es, se, ss: the first letter is the initiator's key, the second the responder's. */
static enum err noise_dh(struct noise *noise, char token)
{
    bool initiator_ephemeral = token == '1' || token == '2';
    bool responder_ephemeral = token == '1' || token == '3';
    bool own_is_ephemeral = noise->is_initiator ? initiator_ephemeral : responder_ephemeral;
    bool remote_is_ephemeral = noise->is_initiator ? responder_ephemeral : initiator_ephemeral;

    if ((!own_is_ephemeral && !noise->has_own_static) ||
        (!remote_is_ephemeral && !noise->has_remote_static) ||
        (remote_is_ephemeral && !noise->has_remote_ephemeral))
        return ERR_STATE;
    return noise_agree(noise, own_is_ephemeral ? &noise->own_ephemeral : &noise->own_static,
                       remote_is_ephemeral ? noise->remote_ephemeral : noise->remote_static);
}

static enum err noise_psk(struct noise *noise)
{
    if (noise->psks_used == noise->psks_count)
        return ERR_STATE;
    noise_mix_key_and_hash(noise, span_of(noise->psks[noise->psks_used++], KEY_SIZE));
    return ERR_OK;
}

static void noise_mix_ephemeral(struct noise *noise, const uint8_t key[static 32])
{
    noise_mix_hash(noise, span_of(key, 32));
    if (noise->modifiers != 0)
        noise_mix_key(noise, span_of(key, 32));
}

static enum err noise_write_token(struct noise *noise, char token, const struct entropy *entropy,
                                  struct buf *out)
{
    uint8_t seed[SEED_SIZE];

    switch (token) {
    case 'e':
        entropy_fill(entropy, seed, sizeof seed);
        identity_exchange_key(seed, &noise->own_ephemeral);
        sodium_memzero(seed, sizeof seed);
        buf_append(out, span_of(noise->own_ephemeral.public_key, 32));
        noise_mix_ephemeral(noise, noise->own_ephemeral.public_key);
        return ERR_OK;
    case 's':
        if (!noise->has_own_static)
            return ERR_STATE;
        noise_encrypt_and_hash(noise, span_of(noise->own_static.public_key, 32), out);
        return ERR_OK;
    case 'p':
        return noise_psk(noise);
    default:
        return noise_dh(noise, token);
    }
}

bool noise_is_done(const struct noise *noise)
{
    return noise->message == noise_messages_count(noise);
}

bool noise_is_my_turn(const struct noise *noise)
{
    return !noise_is_done(noise) && (noise->message % 2 == 0) == noise->is_initiator;
}

enum err noise_write(struct noise *noise, const struct entropy *entropy, struct span payload,
                     struct buf *out)
{
    char tokens[NOISE_TOKENS_MAX + 1];
    enum err err = ERR_OK;

    if (!noise_is_my_turn(noise))
        return ERR_STATE;
    noise_tokens(noise, noise->message, tokens);
    for (const char *at = tokens; *at != '\0' && err == ERR_OK; at++)
        err = noise_write_token(noise, *at, entropy, out);
    if (err != ERR_OK)
        return err;
    noise_encrypt_and_hash(noise, payload, out);
    noise->message++;
    return buf_err(out);
}

static enum err noise_read_ephemeral(struct noise *noise, struct span message, size_t *offset)
{
    if (message.size - *offset < 32)
        return ERR_MALFORMED;
    memcpy(noise->remote_ephemeral, message.data + *offset, 32);
    noise->has_remote_ephemeral = true;
    noise_mix_ephemeral(noise, noise->remote_ephemeral);
    *offset += 32;
    return ERR_OK;
}

static enum err noise_read_own_static(struct noise *noise, struct span message, size_t *offset)
{
    size_t size = 32 + (noise->cipher.has_key ? NOISE_TAG_SIZE : 0);
    enum err err;

    if (message.size - *offset < size)
        return ERR_MALFORMED;
    err =
        noise_decrypt_and_hash(noise, span_of(message.data + *offset, size), noise->remote_static);
    noise->has_remote_static = err == ERR_OK;
    *offset += size;
    return err;
}

static enum err noise_read_token(struct noise *noise, char token, struct span message,
                                 size_t *offset)
{
    switch (token) {
    case 'e':
        return noise_read_ephemeral(noise, message, offset);
    case 's':
        return noise_read_own_static(noise, message, offset);
    case 'p':
        return noise_psk(noise);
    default:
        return noise_dh(noise, token);
    }
}

static enum err noise_read_payload(struct noise *noise, struct span sealed, struct buf *out)
{
    size_t before = out->size, tag = noise->cipher.has_key ? NOISE_TAG_SIZE : 0;
    uint8_t *at;
    enum err err;

    if (sealed.size < tag)
        return ERR_MALFORMED;
    at = buf_grow(out, sealed.size - tag);
    if (at == NULL)
        return ERR_NOMEM;
    err = noise_decrypt_and_hash(noise, sealed, at);
    if (err == ERR_OK)
        noise->message++;
    else
        out->size = before;
    return err;
}

/* From one token on, up to the end or the first psk when stop_at_psk. */
static enum err noise_read_from(struct noise *noise, struct span message, bool stop_at_psk,
                                size_t *token, size_t *offset)
{
    char tokens[NOISE_TOKENS_MAX + 1];
    enum err err = ERR_OK;

    if (noise_is_done(noise) || noise_is_my_turn(noise))
        return ERR_STATE;
    if (message.size > NOISE_MESSAGE_SIZE_MAX)
        return ERR_MALFORMED;
    noise_tokens(noise, noise->message, tokens);
    while (tokens[*token] != '\0' && err == ERR_OK) {
        if (stop_at_psk && tokens[*token] == 'p')
            break;
        err = noise_read_token(noise, tokens[*token], message, offset);
        (*token)++;
    }
    return err;
}

enum err noise_read(struct noise *noise, struct span message, struct buf *out_payload)
{
    size_t token = 0, offset = 0;
    enum err err = noise_read_from(noise, message, false, &token, &offset);

    if (err != ERR_OK)
        return err;
    return noise_read_payload(noise, span_of(message.data + offset, message.size - offset),
                              out_payload);
}

enum err noise_read_static(struct noise *noise, struct span message, size_t *out_token,
                           size_t *out_offset)
{
    *out_token = *out_offset = 0;
    return noise_read_from(noise, message, true, out_token, out_offset);
}

enum err noise_read_rest(struct noise *noise, struct span message, size_t token, size_t offset,
                         const uint8_t psk[static KEY_SIZE], struct buf *out_payload)
{
    enum err err;

    memcpy(noise->psks[0], psk, KEY_SIZE);
    noise->psks_count = 1;
    noise->psks_used = 0;
    err = noise_read_from(noise, message, false, &token, &offset);
    if (err != ERR_OK)
        return err;
    return noise_read_payload(noise, span_of(message.data + offset, message.size - offset),
                              out_payload);
}

void noise_split(const struct noise *noise, uint8_t out_initiator[static KEY_SIZE],
                 uint8_t out_responder[static KEY_SIZE])
{
    uint8_t out[3 * 64];
    size_t size = digest_sha_size(noise->sha);

    noise_hkdf(noise, span_of(NULL, 0), 2, out);
    memcpy(out_initiator, out, KEY_SIZE);
    memcpy(out_responder, out + size, KEY_SIZE);
    sodium_memzero(out, sizeof out);
}
