/* The store's answer to proto/replica.h: one snapshot, asked by sessions on the loop's thread. */
#ifndef KITH_STORAGE_REPLICA_H
#define KITH_STORAGE_REPLICA_H

#include "proto/replica.h"
#include "storage/ledger.h"
#include "storage/view_peer.h"

/* Fills out with the answers of this snapshot, which it borrows: valid until the snapshot ends. */
void replica_of(struct snapshot *snapshot, struct replica *out);
/* What this peer has used of its room, and the bounds: entries and bytes here are those held. */
MUST_USE enum err replica_used(const struct snapshot *snapshot, const struct peer *peer,
                               struct replica_room *out);

#endif
