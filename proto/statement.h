/*
 * Statements: what a member says on its own, valid outside the log that carries it. A statement is
 * the three-element array [signer, body, signature]. The signer is the member's root 0 (32 bytes),
 * or the identity of one of its devices (CERT-4: the root and the chain down to the device). The
 * signature covers signer and body under the label of what is being said, so a statement of one
 * purpose, or of one member, never passes for another's.
 */
#ifndef KITH_PROTO_STATEMENT_H
#define KITH_PROTO_STATEMENT_H

#include "proto/device.h"
#include "proto/id.h"

struct statement {
    struct public_key member; /* who says it */
    struct device_chain
        chain;             /* of the device that signed; count 0: the root did. Borrows, as body */
    struct hash next_root; /* of the identity; all zero when the root signed */
    struct span identity;  /* as it stands in the statement; empty when the root signed */
    struct span body;
};

/* Each appends the statement. A label is at most 16 bytes. ERR_LIMIT: the body is larger than
 * STATEMENT_BODY_SIZE_MAX. */
MUST_USE enum err statement_by_root(const char *label, const struct signing_key *root,
                                    struct span body, struct buf *out);
/* identity is the device's own (view_identity). ERR_INVALID: it is another device's. */
MUST_USE enum err statement_by_device(const char *label, const struct signing_key *device,
                                      struct span identity, struct span body, struct buf *out);
/* Reads and verifies the signature and the chain; whether the device was revoked is for the store
 * to say. out borrows from bytes. ERR_MALFORMED, ERR_FORGED, ERR_NOMEM. */
MUST_USE enum err statement_read(const char *label, struct span bytes, struct statement *out);
/* Member and body of a statement that was verified before: no cryptography. ERR_MALFORMED. */
MUST_USE enum err statement_peek(struct span bytes, struct public_key *out_member,
                                 struct span *out_body);

/* What a statement is known by: over its exact bytes, signature included. */
void statement_hash(struct span bytes, struct hash *out);
/* The object id of a statement that is an object of its own: the first bytes of its hash, so that
 * nobody can put other words in its place. */
void statement_id(struct span bytes, struct id *out);

#endif
