/*
 * Whether a device counts: what was stated about it, and whether whoever certified it could still
 * do so. The one place that says what a stolen device has spoilt.
 */
#ifndef KITH_STORAGE_STANDING_H
#define KITH_STORAGE_STANDING_H

#include "proto/device.h"
#include "storage/ledger.h"

enum standing {
    STANDING_GOOD,
    STANDING_FORKED, /* it goes on under another key */
    STANDING_OWNER,  /* given up: from here on it is shut out */
    STANDING_STOLEN,
    STANDING_VOID /* its certificate is by a stolen device, and came too late */
};

static inline bool standing_is_out(enum standing standing)
{
    return standing >= STANDING_OWNER;
}

/* One sentence for its owner, on the device that is shut out; NULL for any other. */
const char *standing_sentence(enum standing standing);
/* An unknown device is good as far as statements go. */
MUST_USE enum err standing_of(const struct snapshot *snapshot, const struct public_key *device,
                              enum standing *out);
/* How a device stands that signed a statement, judged by the chain it carries: its own standing
 * where it is known here, else that of the nearest one above it that is; void below a stolen one.
 * Good where none is known. */
MUST_USE enum err standing_of_signer(const struct snapshot *snapshot,
                                     const struct device_keys *chain, enum standing *out);
/* Would a certificate make its device void? card: its object as the card space shows it now, or
 * NULL to look. */
MUST_USE enum err standing_of_certificate(const struct snapshot *snapshot,
                                          const struct certificate *certificate,
                                          const struct object *card, bool *out_is_void);
/* Is the chain's device shut out, or void by one of its certificates? */
MUST_USE enum err standing_of_chain(const struct snapshot *snapshot,
                                    const struct device_chain *chain, bool *out_is_out);

#endif
