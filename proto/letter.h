/*
 * Letters: what two people write one another through others who must not read it. A letter is some
 * content, signed by a key made for this alone and, where the writer gives their name, by a device
 * of theirs; sealed for one key and padded, so that its size tells next to nothing. What the
 * content says is reply.h (to who asked) and answer.h (back). PROTOCOL.md says the bytes (LETTER).
 */
#ifndef KITH_PROTO_LETTER_H
#define KITH_PROTO_LETTER_H

#include "crypto/seal.h"
#include "proto/statement.h"

/* What a letter is known by. */
void letter_id(struct span letter, struct hash *out);
bool letter_is_size(size_t size);

/* Who writes. device NULL: without a name. identity is the device's own (view_identity). */
struct letter_by {
    const struct signing_key *writer;
    const struct signing_key *device;
    struct span identity;
};
/* Appends the letter. ERR_LIMIT: the content is too large; ERR_FORGED: a recipient key of low
 * order; ERR_INVALID: the identity is another device's; ERR_NOMEM. */
MUST_USE enum err letter_seal(const struct letter_by *by, struct span content,
                              const uint8_t recipient[static KEY_SIZE],
                              const struct entropy *entropy, struct buf *out);

struct letter {
    struct span content;
    struct span signature; /* SIGNATURE_SIZE */
    struct span proof;     /* statement of who writes; empty without a name */
};
/* Opens; out borrows from plain, which is to be wiped. Nothing is verified yet. ERR_FORGED: not for
 * this key, or altered; ERR_MALFORMED; ERR_NOMEM. */
MUST_USE enum err letter_open(const struct exchange_key *key, struct span bytes, struct buf *plain,
                              struct letter *out);
/* Did writer sign it, and where there is a proof, who is it? has_member is false without one.
 * ERR_FORGED, ERR_MALFORMED, ERR_NOMEM. */
MUST_USE enum err letter_verify(const struct letter *letter, const struct public_key *writer,
                                bool *out_has_member, struct public_key *out_member);
/* Which devices of theirs prove the name, in a letter that letter_verify has verified; count 0:
 * none is given. ERR_FORGED, ERR_MALFORMED, ERR_NOMEM. */
MUST_USE enum err letter_signers(const struct letter *letter, struct device_keys *out);

#endif
