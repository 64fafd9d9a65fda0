/*
 * Who certifies a device shows that they want it, not that it is theirs: a certificate asks nothing
 * of the device. So where two members certify one signing key, the first is held to be right until
 * the device has signed something for one of them; what the other said is kept beside it. A
 * handshake key may be of two devices for as long as both say so: a caller proves whose he is.
 */
#ifndef KITH_STORAGE_VIEW_CLAIM_H
#define KITH_STORAGE_VIEW_CLAIM_H

#include "storage/view_peer.h"

/* Has the device of this row signed anything for the row's member, as far as is held here? A device
 * of my own member need not: I admitted it. */
MUST_USE enum err view_claim_is_proven(const struct snapshot *snapshot,
                                       const struct device_row *row, bool *out);
/* What another member's certificate says of a device, as its row would be. */
MUST_USE enum err view_claim_put(struct ledger_txn *txn, const struct public_key *device,
                                 const struct public_key *member, struct span row);
/* Borrowed. ERR_NOT_FOUND. */
MUST_USE enum err view_claim_get(const struct snapshot *snapshot, const struct public_key *device,
                                 const struct public_key *member, struct span *out);
/* What anybody claimed of this device, and of its handshake key. */
MUST_USE enum err view_claim_drop_all(struct ledger_txn *txn, const struct public_key *device);
/* Every claim; the walk stops at the first error and returns it. */
typedef enum err (*view_claim_fn)(void *self, const struct public_key *device,
                                  const struct public_key *member, struct span row);
MUST_USE enum err view_claim_each(const struct snapshot *snapshot, view_claim_fn each, void *self);

/* Under this handshake key this member has this device. */
MUST_USE enum err view_claim_put_static(struct ledger_txn *txn, const uint8_t key[static 32],
                                        const struct public_key *member,
                                        const struct public_key *device);
/* No longer this device of this member. */
MUST_USE enum err view_claim_drop_static(struct ledger_txn *txn, const struct device_row *row);
typedef enum err (*view_claim_static_fn)(void *self, const struct public_key *member,
                                         const struct public_key *device);
MUST_USE enum err view_claim_each_static(const struct snapshot *snapshot,
                                         const uint8_t key[static 32], view_claim_static_fn each,
                                         void *self);

/* View_static.c: the one row of a handshake key. A device that is another member's than the
 * one who has the row keeps a claim. */
MUST_USE enum err view_static_put(struct ledger_txn *txn, const struct device_row *row);
/* The device is no longer called by this key; its row here does not say so any more. */
MUST_USE enum err view_static_drop(struct ledger_txn *txn, const struct device_row *row);
/* Every row leads to a device with that key, and to every device one does: an older program left
 * those of who claimed what was another's. */
MUST_USE enum err view_static_mend(struct ledger_txn *txn);

/* What view_device.c knows of rows: the bytes of one, and those whose they are held to be. */
MUST_USE enum err view_device_read_row(const struct public_key *device, struct span row,
                                       struct device_row *out, struct span *out_statement);
MUST_USE enum err view_device_each_row(const struct snapshot *snapshot,
                                       const struct public_key *member, view_device_fn each,
                                       void *self);

/* How devices are put, view_device_claim.c's part. ERR_LIMIT: of this member enough are known. */
MUST_USE enum err view_device_has_room(const struct snapshot *snapshot,
                                       const struct public_key *member);
/* Known: as the other member's whose it is held to be. row: what it is as this one's. */
MUST_USE enum err view_device_put_claim(struct ledger_txn *txn, const struct device_row *known,
                                        const struct certificate *certificate, struct span row);

#endif
