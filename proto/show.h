/*
 * A show: the subject's own word, by one of their devices, that an endorsement may be seen, by whom
 * and for how long. Without a show in force nobody but issuer and subject is shown an endorsement.
 */
#ifndef KITH_PROTO_SHOW_H
#define KITH_PROTO_SHOW_H

#include "proto/device.h"
#include "proto/endorsement.h"

struct show {
    struct public_key member; /* the subject, whose device signed */
    struct public_key device;
    struct device_keys by; /* read: down to the device */
    struct hash endorsement;
    enum audience audience;   /* AUDIENCE_PEERS or more */
    uint64_t made_s, until_s; /* by the signer's clock: only their distance counts for others */
};

/* Appends the statement; identity is the device's chain (device_put_identity), member and device
 * are taken from it. ERR_INVALID when it would hold longer than SHOW_DAYS_MAX or show to nobody. */
MUST_USE enum err show_issue(const struct show *show, struct span identity,
                             const struct signing_key *device, struct buf *out);
/* ERR_MALFORMED, ERR_FORGED, ERR_NOMEM. Whether it fits an endorsement is show_fits. */
MUST_USE enum err show_read(struct span statement, struct show *out);
/* Does the show speak for this endorsement: made by its subject, naming its hash, within the
 * issuer's ceiling? */
bool show_fits(const struct show *show, const struct endorsement *endorsement,
               const struct hash *hash);

#endif
