/* Lower and higher are by the bytes of the roots, so both sides hash the same. */
#include "proto/introduction_bond.h"

#include <string.h>

#include "proto/invite.h"
#include "proto/limits.h"

static const char introduction_bond_label[] = "kith hello";

/* PROTOCOL INTRO-4: "key = KDF(secret, kith intro xid) and ephemeral key = KDF(secret, kith intro
 * eph, introducer | id) are the private keys, so that all devices say the same." */
void introduction_bond_keys(const uint8_t secret[static KEY_SIZE],
                            const struct public_key *introducer, const struct id *id,
                            struct exchange_key *out_key, struct exchange_key *out_ephemeral)
{
    uint8_t context[32 + ID_SIZE], seed[SEED_SIZE];

    digest_derive(secret, "kith intro xid", span_of(NULL, 0), seed);
    identity_exchange_key(seed, out_key);
    memcpy(context, introducer->bytes, 32);
    memcpy(context + 32, id->bytes, ID_SIZE);
    digest_derive(secret, "kith intro eph", span_of(context, sizeof context), seed);
    identity_exchange_key(seed, out_ephemeral);
    secret_wipe(seed, sizeof seed);
}

/* PROTOCOL INTRO-11: "T = HASH(`kith transcript`, id | introducer | offer of the lower | offer of
 * the higher | bundle of the lower | bundle of the higher)" */
static void introduction_bond_transcript(const struct public_key *introducer, const struct id *id,
                                         const struct introduction_bundle *lower,
                                         const struct introduction_bundle *higher, struct hash *out)
{
    const struct span parts[6] = {span_of(id->bytes, ID_SIZE),
                                  span_of(introducer->bytes, 32),
                                  span_of(lower->offer.bytes, HASH_SIZE),
                                  span_of(higher->offer.bytes, HASH_SIZE),
                                  span_of(lower->yes.bytes, HASH_SIZE),
                                  span_of(higher->yes.bytes, HASH_SIZE)};

    digest("kith transcript", parts, 6, out);
}

/* ss: both ephemerals; the lower's ephemeral with the higher's key; the lower's key with the
 * higher's ephemeral. */
static enum err introduction_bond_agreements(const struct introduction_bundle *theirs,
                                             bool is_lower, const struct exchange_key *key,
                                             const struct exchange_key *ephemeral,
                                             uint8_t out[static 3 * KEY_SIZE])
{
    uint8_t *with_my_ephemeral = out + (is_lower ? 1 : 2) * KEY_SIZE;
    uint8_t *with_my_key = out + (is_lower ? 2 : 1) * KEY_SIZE;
    enum err err = identity_agree(ephemeral->secret, theirs->ephemeral, out);

    if (err == ERR_OK)
        err = identity_agree(ephemeral->secret, theirs->key, with_my_ephemeral);
    return err == ERR_OK ? identity_agree(key->secret, theirs->ephemeral, with_my_key) : err;
}

enum err introduction_bond_agree(const struct public_key *introducer, const struct id *id,
                                 const struct introduction_bundle *mine,
                                 const struct introduction_bundle *theirs,
                                 const struct exchange_key *key,
                                 const struct exchange_key *ephemeral,
                                 struct introduction_bond *out)
{
    bool is_lower = span_order(span_of(mine->root.bytes, 32), span_of(theirs->root.bytes, 32)) < 0;
    uint8_t shared[3 * KEY_SIZE];
    struct span parts[1] = {span_of(shared, sizeof shared)};
    struct hash secret;
    enum err err = introduction_bond_agreements(theirs, is_lower, key, ephemeral, shared);

    if (err != ERR_OK)
        return err;
    introduction_bond_transcript(introducer, id, is_lower ? mine : theirs, is_lower ? theirs : mine,
                                 &out->transcript);
    digest("kith intro ss", parts, 1, &secret);
    digest_derive(secret.bytes, "kith intro bond", span_of(out->transcript.bytes, HASH_SIZE),
                  out->key);
    secret_wipe(shared, sizeof shared);
    secret_wipe(&secret, sizeof secret);
    return ERR_OK;
}

void introduction_bond_secret(const struct introduction_bond *bond, uint8_t out[static KEY_SIZE])
{
    digest_derive(bond->key, "kith intro pair", span_of(NULL, 0), out);
}

void introduction_bond_call(const struct introduction_bond *bond,
                            uint8_t out[static INVITATION_SECRET_SIZE])
{
    uint8_t key[KEY_SIZE];

    digest_derive(bond->key, "kith intro call", span_of(NULL, 0), key);
    memcpy(out, key, INVITATION_SECRET_SIZE);
    secret_wipe(key, sizeof key);
}

/* Hellos. */

/* PROTOCOL INTRO-13: "What the device signs is a value that only the two can compute" */
static void introduction_bond_claim(const struct introduction_bond *bond,
                                    const struct public_key *sender, struct span content,
                                    uint8_t out[static HASH_SIZE])
{
    const struct span parts[2] = {span_of(bond->transcript.bytes, HASH_SIZE), content};
    uint8_t key[KEY_SIZE];

    digest_derive(bond->key, "kith hello sign", span_of(sender->bytes, 32), key);
    digest_keyed(key, introduction_bond_label, parts, 2, out, HASH_SIZE);
    secret_wipe(key, sizeof key);
}

static void introduction_bond_put_content(const struct introduction_hello *hello, struct buf *out)
{
    wire_put_array(out, 8);
    wire_put_bin(out, hello->identity);
    wire_put_bin(out, span_of(hello->pair_space.bytes, ID_SIZE));
    wire_put_bin(out, span_of(hello->card_space.bytes, ID_SIZE));
    wire_put_bin(out, span_of(hello->knock, KEY_SIZE));
    wire_put_bin(out, hello->addresses);
    wire_put_str(out, hello->name);
    wire_put_str(out, hello->message);
    wire_put_bool(out, hello->is_linked);
}

static enum err introduction_bond_read_content(struct span content, struct introduction_hello *out)
{
    struct address addresses[ADDRESSES_MAX];
    struct wire_doc doc = {0};
    size_t count = 0;
    struct wire wire;
    enum err err = wire_open(&doc, content, &wire);

    if (err == ERR_OK) {
        out->identity = wire_bin(&wire, 1, IDENTITY_SIZE_MAX);
        wire_bytes(&wire, out->pair_space.bytes, ID_SIZE);
        wire_bytes(&wire, out->card_space.bytes, ID_SIZE);
        wire_bytes(&wire, out->knock, KEY_SIZE);
        out->addresses = wire_bin(&wire, 0, ADDRESSES_MAX * (ADDRESS_SIZE_MAX + 1));
        out->name = wire_str(&wire, NAME_SIZE_MAX);
        out->message = wire_str(&wire, INTRODUCTION_MESSAGE_SIZE_MAX);
        out->is_linked = wire_bool(&wire);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    if (err == ERR_OK && address_read_list(out->addresses, addresses, &count) != ERR_OK)
        err = ERR_MALFORMED;
    return err == ERR_OK ? device_read_identity(out->identity, &out->chain, &out->next_root) : err;
}

enum err introduction_bond_seal(const struct introduction_bond *bond,
                                const struct introduction_hello *hello,
                                const struct public_key *sender, const struct signing_key *device,
                                struct buf *out)
{
    uint8_t claim[HASH_SIZE], signature[SIGNATURE_SIZE], key[KEY_SIZE];
    struct buf content = {0}, plain = {0};
    enum err err;

    introduction_bond_put_content(hello, &content);
    err = buf_err(&content);
    if (err == ERR_OK) {
        introduction_bond_claim(bond, sender, buf_span(&content), claim);
        err =
            identity_sign(device, introduction_bond_label, span_of(claim, sizeof claim), signature);
    }
    if (err == ERR_OK) {
        wire_put_array(&plain, 2);
        wire_put_bin(&plain, buf_span(&content));
        wire_put_bin(&plain, span_of(signature, sizeof signature));
        err = buf_err(&plain);
    }
    if (err == ERR_OK && plain.size + SEAL_OVERHEAD > INTRODUCTION_HELLO_SIZE_MAX)
        err = ERR_LIMIT;
    if (err == ERR_OK) {
        digest_derive(bond->key, "kith hello key", span_of(sender->bytes, 32), key);
        seal(key, span_of(bond->transcript.bytes, HASH_SIZE), buf_span(&plain), out);
        err = buf_err(out);
        secret_wipe(key, sizeof key);
    }
    if (content.data != NULL)
        secret_wipe(content.data, content.capacity);
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.capacity);
    buf_release(&content);
    buf_release(&plain);
    return err;
}

static enum err introduction_bond_read(const struct introduction_bond *bond,
                                       const struct public_key *sender, struct span plain,
                                       struct introduction_hello *out)
{
    struct span content = {0}, signature = {0};
    uint8_t claim[HASH_SIZE];
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err = wire_open(&doc, plain, &wire);

    if (err == ERR_OK) {
        content = wire_bin(&wire, 1, INTRODUCTION_HELLO_SIZE_MAX);
        signature = wire_bin(&wire, SIGNATURE_SIZE, SIGNATURE_SIZE);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    if (err == ERR_OK)
        err = introduction_bond_read_content(content, out);
    if (err == ERR_OK && !public_key_is_equal(&out->chain.member, sender))
        err = ERR_FORGED;
    if (err != ERR_OK)
        return err;
    introduction_bond_claim(bond, sender, content, claim);
    return identity_verify(&device_of(&out->chain)->device, introduction_bond_label,
                           span_of(claim, sizeof claim), signature.data);
}

enum err introduction_bond_open(const struct introduction_bond *bond,
                                const struct public_key *sender, struct span sealed,
                                struct buf *plain, struct introduction_hello *out)
{
    uint8_t key[KEY_SIZE];
    enum err err;

    *out = (struct introduction_hello){.is_linked = false};
    digest_derive(bond->key, "kith hello key", span_of(sender->bytes, 32), key);
    err = seal_open(key, span_of(bond->transcript.bytes, HASH_SIZE), sealed, plain);
    secret_wipe(key, sizeof key);
    return err == ERR_OK ? introduction_bond_read(bond, sender, buf_span(plain), out) : err;
}
