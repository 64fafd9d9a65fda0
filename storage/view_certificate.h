/*
 * Which certificate of a device counts. Every certificate that was found good stays, whoever it is
 * by; of all those of one device the one that brings it nearest to its root counts, whichever came
 * first. The device's row (view_device) is that one's, and changes with it. Each member's
 * certificates are among themselves: one by another never takes the row, it is a claim
 * (view_claim).
 */
#ifndef KITH_STORAGE_VIEW_CERTIFICATE_H
#define KITH_STORAGE_VIEW_CERTIFICATE_H

#include "storage/view_peer.h"

/* A verified certificate of this member's. shown: its object as the card space has it, or NULL; one
 * that came another way is passed over when its certifier is not known yet. */
MUST_USE enum err view_certificate_take(struct ledger_txn *txn, const struct public_key *member,
                                        const struct certificate *certificate,
                                        const struct object *shown);
/* It became known how a device of this member's stands: all of them are judged anew. */
MUST_USE enum err view_certificate_judge(struct ledger_txn *txn, const struct public_key *member);

#endif
