/*
 * The two statements that end a device. Retire says that a device writes no more, and why; it
 * stands in the card space. Keep says, inside one space, up to which mark the device's log counts.
 * Both are facts: verified once, they stay, whatever becomes of the log that brought them.
 */
#ifndef KITH_PROTO_RETIRE_H
#define KITH_PROTO_RETIRE_H

#include "proto/kind.h"
#include "proto/statement.h"

enum retire_reason {
    RETIRE_FORKED = 1, /* it has two branches: it, or its copy, goes on under another key */
    RETIRE_OWNER = 2,  /* the owner has given it up */
    RETIRE_STOLEN = 3  /* somebody else may write with it */
};

struct retirement {
    struct public_key member; /* who says so: of the statement */
    struct public_key signer; /* the device that signed it, or the member's root */
    struct public_key device;
    struct public_key successor; /* all zero: none */
    enum retire_reason reason;
    uint64_t time_ms;
};

struct keep {
    struct public_key member; /* of the statement */
    struct public_key signer; /* as above */
    struct id space;
    struct public_key device;
    uint64_t size;                     /* entries that count; 0: none */
    struct hash hash;                  /* of the chain there; not looked at for size 0 */
    uint8_t signature[SIGNATURE_SIZE]; /* the device's own head there; zeros for size 0 */
};

/* Who signs: the root where it is held, else a device with its identity. */
struct retire_signer {
    const struct signing_key *root;   /* or NULL */
    const struct signing_key *device; /* without a root */
    struct span identity;
};

/* Each appends the statement. */
MUST_USE enum err retire_issue(const struct retirement *retirement,
                               const struct retire_signer *signer, struct buf *out);
MUST_USE enum err retire_issue_keep(const struct keep *keep, const struct retire_signer *signer,
                                    struct buf *out);
/* Each reads and verifies the signature with its chain, and a keep's head. ERR_MALFORMED,
 * ERR_FORGED (another label's, too), ERR_NOMEM. */
MUST_USE enum err retire_read(struct span bytes, struct retirement *out);
MUST_USE enum err retire_read_keep(struct span bytes, struct keep *out);

/* The device that a retire or keep statement is about: no cryptography. ERR_MALFORMED. */
MUST_USE enum err retire_peek(uint8_t kind, struct span bytes, struct public_key *out_device);

/* Of two keeps for one log: does left count before right? */
bool retire_keep_counts(const struct keep *left, const struct keep *right);

extern const struct kind retire_kind, keep_kind;

#endif
