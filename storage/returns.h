/*
 * What was cut from logs and must not be lost: it is merged and shown like any entry, goes back to
 * its author, and is dropped once a log repeats it. Repeating it is the author's standing duty.
 */
#ifndef KITH_STORAGE_RETURNS_H
#define KITH_STORAGE_RETURNS_H

#include "proto/replica.h"
#include "storage/ledger.h"

enum { RETURNS_CHUNK = 256 /* entries repeated in one commit */ };

/* Takes a verified batch of a branch of one of my own spaces, or, from a device of my member, of
 * anybody's. Of a sibling's log that is not retired and that I hold another branch of, it is the
 * proof that retires it. ERR_NOT_FOUND: not to be taken from this member, or the device is not
 * known. */
MUST_USE enum err returns_take(struct ledger_txn *txn, const struct returned *returned,
                               const struct public_key *from);
/* Repeats in my own logs what the returns hold and logs lack, up to RETURNS_CHUNK entries, and
 * drops what is repeated. Called in every commit; does nothing on a device that is retired. */
MUST_USE enum err returns_do_duty(struct ledger_txn *txn);
/* Is there something of mine left to repeat? What cannot be read yet counts, too. */
bool returns_are_due(const struct snapshot *snapshot);
/* A log repeats another's entry: called by follow. */
MUST_USE enum err returns_note(struct ledger_txn *txn, const struct entry_row *entry,
                               const struct hash *original);
/* See proto/replica.h. */
MUST_USE enum err returns_next(const struct snapshot *snapshot, const struct public_key *peer,
                               struct replica_place *place, struct returned_row *out);

#endif
