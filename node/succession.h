/*
 * A device's way to its successor, pure: the keys are drawn and made durable, one transaction takes
 * over, the old signing key is forgotten. Runs where transactions are written; a power cut anywhere
 * leaves either the old device or the new one (ledger_open decides), and no key in two hands.
 */
#ifndef KITH_NODE_SUCCESSION_H
#define KITH_NODE_SUCCESSION_H

#include "storage/ledger.h"

struct succession {
    struct ledger *ledger;             /* of the device that may have to go */
    uint8_t handshake_hash[HASH_SIZE]; /* of the session that brought the proof */
    uint64_t wall_ms;
    /* Makes the key file hold these secrets, durably: called twice. */
    enum err (*store_keys)(void *self, const struct device_secrets *secrets);
    void *self;
    struct ledger
        *successor; /* out: from here on it is the one to write with; the caller's to close */
    struct ledger_news news; /* out */
};

/* ERR_NOT_FOUND: there is no reason for it. On any other error nothing has changed but that the key
 * file may hold keys that are never used. */
MUST_USE enum err succession_run(struct succession *succession);
/* After ledger_open: the key file is written again where the store had gone over to the successor
 * it holds, so that the old key is gone. */
MUST_USE enum err
succession_finish(const struct ledger *ledger, const struct device_secrets *stored,
                  enum err (*store_keys)(void *self, const struct device_secrets *secrets),
                  void *self);

#endif
