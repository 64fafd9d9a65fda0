/* Endorsements by the thousand, each rightly signed, in the pair space of one issuer: as another
 * program might write them, past the issuer's own caps. */
#ifndef KITH_TESTS_SIM_FLOOD_H
#define KITH_TESTS_SIM_FLOOD_H

#include "tests/sim/meeting.h"

/* A record as its issuer would sign it, appended to out. */
struct flood_record {
    const char *words;
    uint64_t issued_s;
    bool is_proved; /* accepting looks at the proofs, receiving does not */
};
void flood_record(struct member *issuer, const struct public_key *subject,
                  const struct flood_record *record, struct buf *out);

struct flood {
    size_t count;
    uint64_t issued_s; /* of the first; each of the others a second later */
    bool is_revoked;   /* each is taken back in the same commit */
};

/* Written, not carried. What is not expected to fail stops the program. */
void flood_offer(struct member *issuer, const struct member *subject, const struct flood *flood);
#endif
