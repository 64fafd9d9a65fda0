/* The store's answer to proto/replica.h: one snapshot, asked by sessions on the loop's thread. */
#ifndef KITH_STORAGE_REPLICA_H
#define KITH_STORAGE_REPLICA_H

#include "proto/replica.h"
#include "storage/ledger.h"

/* Fills out with the answers of this snapshot, which it borrows: valid until the snapshot ends. */
void replica_of(struct snapshot *snapshot, struct replica *out);

#endif
