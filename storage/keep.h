/*
 * Where a retired device's log ends. What lies beyond leaves the log, not the node: its entries
 * become returns (returns.h), stay merged and readable, and go back to their author.
 */
#ifndef KITH_STORAGE_KEEP_H
#define KITH_STORAGE_KEEP_H

#include "storage/ledger.h"

/* Brings a log into accord with the keep that counts for it, as far as what is held allows: cuts
 * what lies beyond, or goes over to a branch that lies among the returns and leads there. Does
 * nothing for a device that is not retired, or without a keep. */
MUST_USE enum err keep_apply(struct ledger_txn *txn, const struct space_row *space,
                             const struct public_key *device);
/* What was opened in a log of this space may have to be told anew: a keep of it counts now. */
MUST_USE enum err keep_unsettle(struct ledger_txn *txn, const struct id *space);
/* Cuts a log at the last block's end up to size, or to nothing: the other side has it otherwise
 * from there, or ends there. */
MUST_USE enum err keep_rebase(struct ledger_txn *txn, const struct log_id *log, uint64_t size);
/* Entries left their log, or belong to it again: the space's objects are made anew. */
struct ledger_touched;
MUST_USE enum err keep_follow(struct ledger_txn *txn, const struct ledger_touched *log);
/* Does what is held of a retired log lie on the way to its kept mark? False also while less is held
 * than counts. */
MUST_USE enum err keep_is_met(const struct snapshot *snapshot, const struct space_row *space,
                              const struct public_key *device, bool *out);
/* Does the log pass through this place? */
MUST_USE enum err keep_is_on(const struct snapshot *snapshot, const struct log_row *log,
                             const struct log_id *id, uint64_t size, const struct hash *hash,
                             bool *out);
/* Appends the ends of the batches among the returns that lead from a place of the log to this hash,
 * newest first; out_base is that place. ERR_NOT_FOUND when none do. */
MUST_USE enum err keep_path(const struct snapshot *snapshot, const struct log_row *log,
                            const struct log_id *id, const struct hash *to, struct buf *out_ends,
                            uint64_t *out_base);
/* The end of the longest branch among the returns that leads on from a place of the log. size 0 and
 * ERR_NOT_FOUND: none. out_signature is the head there. */
MUST_USE enum err keep_longest_return(struct ledger_txn *txn, const struct space_row *space,
                                      const struct public_key *device, struct chain *out,
                                      uint8_t out_signature[static SIGNATURE_SIZE]);

#endif
