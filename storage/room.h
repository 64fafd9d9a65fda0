/* How much of the store a peer's writing takes up, and how much it may. */
#ifndef KITH_STORAGE_ROOM_H
#define KITH_STORAGE_ROOM_H

#include "proto/replica.h"
#include "storage/ledger.h"
#include "storage/view_peer.h"

/* What this peer has used of its room, and the bounds: entries and bytes here are those held. */
MUST_USE enum err room_used(const struct snapshot *snapshot, const struct peer *peer,
                            struct replica_room *out);

#endif
