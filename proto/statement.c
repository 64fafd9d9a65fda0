/* The signer stands in what is signed: a device key that two members certify speaks for each of
 * them only where it says so. */
#include "proto/statement.h"

#include <string.h>

#include "proto/limits.h"

/* PROTOCOL STATEMENT-2: "The signature is that of the root or the device over size of the signer
 * u16 | signer | body, under the label of the purpose." */
static void statement_put_message(struct span signer, struct span body, struct buf *out)
{
    buf_u16(out, (uint16_t)signer.size);
    buf_append(out, signer);
    buf_append(out, body);
}

static enum err statement_sign(const char *label, const struct signing_key *key, struct span signer,
                               struct span body, uint8_t out_signature[static SIGNATURE_SIZE])
{
    struct buf message = {0};
    enum err err;

    if (body.size > STATEMENT_BODY_SIZE_MAX)
        return ERR_LIMIT;
    statement_put_message(signer, body, &message);
    err = buf_err(&message);
    if (err == ERR_OK)
        err = identity_sign(key, label, buf_span(&message), out_signature);
    buf_release(&message);
    return err;
}

static enum err statement_put(struct span signer, struct span body,
                              const uint8_t signature[static SIGNATURE_SIZE], struct buf *out)
{
    wire_put_array(out, 3);
    wire_put_bin(out, signer);
    wire_put_bin(out, body);
    wire_put_bin(out, span_of(signature, SIGNATURE_SIZE));
    return buf_err(out);
}

enum err statement_by_root(const char *label, const struct signing_key *root, struct span body,
                           struct buf *out)
{
    struct span signer = span_of(root->public_key.bytes, 32);
    uint8_t signature[SIGNATURE_SIZE];
    enum err err = statement_sign(label, root, signer, body, signature);

    return err == ERR_OK ? statement_put(signer, body, signature, out) : err;
}

enum err statement_by_device(const char *label, const struct signing_key *device,
                             struct span identity, struct span body, struct buf *out)
{
    uint8_t signature[SIGNATURE_SIZE];
    struct device_chain chain;
    struct hash next_root;
    enum err err = device_read_identity(identity, &chain, &next_root);

    if (err == ERR_OK && !public_key_is_equal(&device_of(&chain)->device, &device->public_key))
        err = ERR_INVALID;
    if (err == ERR_OK)
        err = statement_sign(label, device, identity, body, signature);
    return err == ERR_OK ? statement_put(identity, body, signature, out) : err;
}

/* PROTOCOL STATEMENT-1: "A statement is [signer, body as binary, signature]." */
static enum err statement_take(struct span bytes, struct span *out_signer, struct span *out_body,
                               struct span *out_signature)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err;

    if (bytes.size > STATEMENT_SIZE_MAX)
        return ERR_MALFORMED;
    err = wire_open(&doc, bytes, &wire);
    if (err == ERR_OK) {
        *out_signer = wire_bin(&wire, 32, IDENTITY_SIZE_MAX);
        *out_body = wire_bin(&wire, 1, STATEMENT_BODY_SIZE_MAX);
        *out_signature = wire_bin(&wire, SIGNATURE_SIZE, SIGNATURE_SIZE);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err;
}

enum err statement_read(const char *label, struct span bytes, struct statement *out)
{
    const struct public_key *signer = &out->member;
    struct span by, signature;
    struct buf message = {0};
    enum err err;

    *out = (struct statement){0};
    err = statement_take(bytes, &by, &out->body, &signature);
    if (err != ERR_OK)
        return err;
    if (by.size == 32) {
        memcpy(out->member.bytes, by.data, 32);
    } else {
        err = device_read_identity(by, &out->chain, &out->next_root);
        if (err != ERR_OK)
            return err;
        out->identity = by;
        out->member = out->chain.member;
        signer = &device_of(&out->chain)->device;
    }
    statement_put_message(by, out->body, &message);
    err = buf_err(&message);
    if (err == ERR_OK)
        err = identity_verify(signer, label, buf_span(&message), signature.data);
    buf_release(&message);
    return err;
}

enum err statement_peek(struct span bytes, struct public_key *out_member, struct span *out_body)
{
    struct wire_doc doc = {0};
    struct span by, signature;
    struct wire wire;
    enum err err = statement_take(bytes, &by, out_body, &signature);

    if (err == ERR_OK && by.size == 32) {
        memcpy(out_member->bytes, by.data, 32);
        return ERR_OK;
    }
    if (err == ERR_OK)
        err = wire_open(&doc, by, &wire);
    if (err == ERR_OK) {
        wire_bytes(&wire, out_member->bytes, 32);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    return err;
}

/* PROTOCOL STATEMENT-3: "A statement is known by HASH(kith statement, its bytes)." */
void statement_hash(struct span bytes, struct hash *out)
{
    digest("kith statement", &bytes, 1, out);
}

/* PROTOCOL STATEMENT-3: "As an object of its own its id is the first 16 bytes of that hash;" */
void statement_id(struct span bytes, struct id *out)
{
    struct hash hash;

    statement_hash(bytes, &hash);
    memcpy(out->bytes, hash.bytes, ID_SIZE);
}
