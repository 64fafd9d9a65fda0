/*
 * Certificates: who says that a device speaks for a member. A statement is the two-element array
 * [body, signature]; the signature is under "kith cert" over the body's exact bytes, by the
 * certifier: the member's root 0 or a device that is certified itself (CHAIN_LENGTH_MAX
 * certificates at most between root and device, each with its successors: CHAIN_CERTIFICATES_MAX
 * in all).
 */
#ifndef KITH_PROTO_DEVICE_H
#define KITH_PROTO_DEVICE_H

#include "proto/limits.h"
#include "proto/log.h"

struct certificate {
    struct public_key member;
    struct public_key device;
    struct public_key certifier;
    uint8_t static_key[32];    /* X25519: handshakes */
    uint8_t receiving_key[32]; /* X25519: grants */
    uint64_t time_ms;
    bool is_successor;     /* of its certifier, at whose depth it stands */
    struct span name;      /* of the device, e.g. "desk"; borrowed from the statement */
    struct span statement; /* the bytes it was read from, borrowed; empty before it is issued */
};

/* Appends the statement. */
MUST_USE enum err certificate_issue(const struct certificate *certificate,
                                    const struct signing_key *certifier, struct buf *out);
/* Reads and verifies the signature; whether the certifier may certify is the chain's question. */
MUST_USE enum err certificate_read(struct span statement, struct certificate *out);
/* The same for one that was verified before: no cryptography. ERR_MALFORMED. */
MUST_USE enum err certificate_peek(struct span statement, struct certificate *out);

/* Who a device is: the member's root and the certificates from the root down to the device. */
struct device_chain {
    struct public_key member;
    struct certificate certificates[CHAIN_CERTIFICATES_MAX];
    size_t count;
};

/* The devices of a chain, from the root's down: what is left of it where the member is known. */
struct device_keys {
    struct public_key devices[CHAIN_CERTIFICATES_MAX];
    size_t count;
};
void device_keys_of(const struct device_chain *chain, struct device_keys *out);

/* Appends [member, next root hash, statement...]: what travels in message 3 and in the first frame.
 */
void device_put_identity(const struct public_key *member, const struct hash *next_root,
                         const struct span *statements, size_t statements_count, struct buf *out);
/* Reads, verifies every signature, that each certificate is by the root or the one before it, and
 * how many admit a device. ERR_MALFORMED, ERR_FORGED. out borrows from bytes. */
MUST_USE enum err device_read_identity(struct span bytes, struct device_chain *out,
                                       struct hash *out_next_root);
/* The last certificate: the device itself. count > 0. */
const struct certificate *device_of(const struct device_chain *chain);

#endif
