/* What trust comes to, in sentences, and the branches behind them. */
#ifndef KITH_NODE_DESCRIBE_TRUST_H
#define KITH_NODE_DESCRIBE_TRUST_H

#include "node/vouch.h"

/* One endorsement of the person asked about. */
struct describe_trust_said {
    struct public_key issuer;
    struct id id;
    enum relation relation;
    uint64_t issued_s;
    uint32_t person; /* the issuer, where hop is not 0 */
    uint32_t fade;
    unsigned hop;
    bool is_mine;
    json_t *about; /* its tags; owned */
};

/* One branch of one endorsement. */
struct describe_trust_route {
    const struct describe_trust_said *said;
    uint32_t branch;
    uint64_t amount;
};

/* A question, and what was found. */
struct describe_trust {
    struct op_call *call;
    struct vouch_view view;
    struct name_match who;
    struct buf name;   /* of who, as sentences have it, with an end */
    const char *about; /* NULL: whatever it is about */
    struct buf about_folded, scratch;
    struct buf said;   /* struct describe_trust_said */
    struct buf routes; /* struct describe_trust_route */
    bool is_muted;
    json_t *sentences;
};

const struct describe_trust_said *describe_trust_said(const struct describe_trust *trust);
size_t describe_trust_count(const struct describe_trust *trust);
const struct describe_trust_route *describe_trust_routes(const struct describe_trust *trust);
size_t describe_trust_routes_count(const struct describe_trust *trust);
/* The name as sentences have it. */
const char *describe_trust_name(const struct describe_trust *trust);
/* Adds what there is to say to the sentences; the first is the answer in short. */
MUST_USE enum err describe_trust_say(struct describe_trust *trust);
/* Adds the strongest branches, those of one endorsement few. */
MUST_USE enum err describe_trust_branches(struct describe_trust *trust, json_t *list);

#endif
