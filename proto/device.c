/* Certificates are verified over the body's exact bytes; a chain is read front to back, each by the
 * one before it. */
#include "proto/device.h"

#include <string.h>

#include "proto/limits.h"

enum {
    CERTIFICATE_FORM = 1,
    CERTIFICATE_FORM_SUCCESSOR = 2,
    CERTIFICATE_BODY_MAX = CERTIFICATE_SIZE_MAX - 2 - 2 - SIGNATURE_SIZE
};

static const char certificate_label[] = "kith cert";

/* PROTOCOL CERT-1: "A certificate's body is [form, member, device, static key, receiving key, time
 * in ms, name, certifier]; its statement [body as binary, signature], the certifier's under kith
 * cert over the body. It is at most CERTIFICATE_SIZE_MAX bytes. Form 1 admits a
 * device; form 2 is a device's word that this one is its successor (RETIRE-12)." */
enum err certificate_issue(const struct certificate *certificate,
                           const struct signing_key *certifier, struct buf *out)
{
    uint8_t signature[SIGNATURE_SIZE];
    struct buf body = {0};
    enum err err;

    if (certificate->name.size > DEVICE_NAME_SIZE_MAX)
        return ERR_LIMIT;
    wire_put_array(&body, 8);
    wire_put_uint(&body, certificate->is_successor ? CERTIFICATE_FORM_SUCCESSOR : CERTIFICATE_FORM);
    wire_put_bin(&body, span_of(certificate->member.bytes, 32));
    wire_put_bin(&body, span_of(certificate->device.bytes, 32));
    wire_put_bin(&body, span_of(certificate->static_key, 32));
    wire_put_bin(&body, span_of(certificate->receiving_key, 32));
    wire_put_uint(&body, certificate->time_ms);
    wire_put_str(&body, certificate->name);
    wire_put_bin(&body, span_of(certifier->public_key.bytes, 32));
    err = buf_err(&body);
    if (err == ERR_OK)
        err = identity_sign(certifier, certificate_label, buf_span(&body), signature);
    if (err == ERR_OK) {
        wire_put_array(out, 2);
        wire_put_bin(out, buf_span(&body));
        wire_put_bin(out, span_of(signature, sizeof signature));
        err = buf_err(out);
    }
    buf_release(&body);
    return err;
}

static void certificate_read_body(struct wire *wire, struct certificate *out)
{
    uint64_t form = wire_uint(wire, UINT8_MAX);

    if (form != CERTIFICATE_FORM && form != CERTIFICATE_FORM_SUCCESSOR)
        wire_fail(wire);
    out->is_successor = form == CERTIFICATE_FORM_SUCCESSOR;
    wire_bytes(wire, out->member.bytes, 32);
    wire_bytes(wire, out->device.bytes, 32);
    wire_bytes(wire, out->static_key, 32);
    wire_bytes(wire, out->receiving_key, 32);
    out->time_ms = wire_uint(wire, UINT64_MAX);
    out->name = wire_str(wire, DEVICE_NAME_SIZE_MAX);
    wire_bytes(wire, out->certifier.bytes, 32);
    wire_end(wire);
}

static enum err certificate_take(struct span statement, struct certificate *out,
                                 struct span *out_body, const uint8_t **out_signature)
{
    struct wire_doc doc = {0};
    struct wire wire;
    enum err err;

    if (statement.size > CERTIFICATE_SIZE_MAX)
        return ERR_MALFORMED;
    err = wire_open(&doc, statement, &wire);
    if (err == ERR_OK) {
        *out_body = wire_bin(&wire, 1, CERTIFICATE_BODY_MAX);
        *out_signature = wire_bin(&wire, SIGNATURE_SIZE, SIGNATURE_SIZE).data;
        wire_end(&wire);
        err = wire_err(&doc);
    }
    if (err == ERR_OK)
        err = wire_open(&doc, *out_body, &wire);
    if (err == ERR_OK) {
        certificate_read_body(&wire, out);
        err = wire_err(&doc);
    }
    out->statement = statement;
    wire_release(&doc);
    return err;
}

enum err certificate_read(struct span statement, struct certificate *out)
{
    const uint8_t *signature;
    struct span body;
    enum err err = certificate_take(statement, out, &body, &signature);

    if (err == ERR_OK)
        err = identity_verify(&out->certifier, certificate_label, body, signature);
    return err;
}

enum err certificate_peek(struct span statement, struct certificate *out)
{
    const uint8_t *signature;
    struct span body;

    return certificate_take(statement, out, &body, &signature);
}

/* PROTOCOL CERT-4: "An identity is [member, hash of root 1, [statement, ...]], at most
 * IDENTITY_SIZE_MAX bytes. The hash of root 1 is HASH(kith next root, its public key); a peer
 * pins it when the link is made." */
void device_put_identity(const struct public_key *member, const struct hash *next_root,
                         const struct span *statements, size_t statements_count, struct buf *out)
{
    wire_put_array(out, 3);
    wire_put_bin(out, span_of(member->bytes, 32));
    wire_put_bin(out, span_of(next_root->bytes, HASH_SIZE));
    wire_put_array(out, statements_count);
    for (size_t at = 0; at < statements_count; at++)
        wire_put_bin(out, statements[at]);
}

/* PROTOCOL CERT-3: "The first certificate is by the root, each other by the device of the one
 * before it." */
static enum err device_check_link(const struct device_chain *chain, size_t at)
{
    const struct certificate *certificate = &chain->certificates[at];
    const struct public_key *by = at == 0 ? &chain->member : &chain->certificates[at - 1].device;

    if (!public_key_is_equal(&certificate->member, &chain->member) ||
        !public_key_is_equal(&certificate->certifier, by))
        return ERR_FORGED;
    return at == 0 && certificate->is_successor ? ERR_FORGED : ERR_OK;
}

/* PROTOCOL CERT-2: "At most CHAIN_LENGTH_MAX certificates of form 1, and CHAIN_CERTIFICATES_MAX in
 * all, lead from the root to a device: a successor stands at the depth of the device before it. No
 * certificate of form 2 is by the root." */
enum err device_read_identity(struct span bytes, struct device_chain *out,
                              struct hash *out_next_root)
{
    struct span statements[CHAIN_CERTIFICATES_MAX];
    struct wire_doc doc = {0};
    struct wire wire, list;
    size_t depth = 0;
    enum err err;

    *out = (struct device_chain){0};
    if (bytes.size > IDENTITY_SIZE_MAX)
        return ERR_MALFORMED;
    err = wire_open(&doc, bytes, &wire);
    if (err == ERR_OK) {
        wire_bytes(&wire, out->member.bytes, 32);
        wire_bytes(&wire, out_next_root->bytes, HASH_SIZE);
        list = wire_array(&wire, 1, CHAIN_CERTIFICATES_MAX);
        while (list.left > 0 && wire_err(&doc) == ERR_OK)
            statements[out->count++] = wire_bin(&list, 1, CERTIFICATE_SIZE_MAX);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    wire_release(&doc);
    for (size_t at = 0; at < out->count && err == ERR_OK; at++) {
        err = certificate_read(statements[at], &out->certificates[at]);
        if (err == ERR_OK)
            err = device_check_link(out, at);
        depth += !out->certificates[at].is_successor;
        if (err == ERR_OK && depth > CHAIN_LENGTH_MAX)
            err = ERR_MALFORMED;
    }
    return err;
}

void device_keys_of(const struct device_chain *chain, struct device_keys *out)
{
    out->count = chain->count;
    for (size_t at = 0; at < chain->count; at++)
        out->devices[at] = chain->certificates[at].device;
}

const struct certificate *device_of(const struct device_chain *chain)
{
    KITH_ASSERT(chain->count > 0);
    return &chain->certificates[chain->count - 1];
}
