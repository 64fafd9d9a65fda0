/*
 * Views behind their watermark: brings objects and the tables derived from them up to the entries
 * the ledger holds. Inside a commit when at most FOLLOW_INLINE_MAX entries are pending, in stages
 * of their own transactions otherwise.
 */
#ifndef KITH_STORAGE_FOLLOW_H
#define KITH_STORAGE_FOLLOW_H

#include "storage/ledger.h"

/* True when committed entries wait to be merged. */
bool follow_is_behind(struct ledger *ledger);
/* Merges up to budget pending entries in a transaction of its own. The writer thread only. */
MUST_USE enum err follow_stage(struct ledger *ledger, size_t budget, bool *out_is_more);
/* Merges what is pending inside a write transaction when that is at most FOLLOW_INLINE_MAX entries,
 * else nothing. Entries that waited for a key follow as far as the same bound leaves room; the rest
 * of them is for stages. */
MUST_USE enum err follow_inline(struct ledger_txn *txn);
/* True while this transaction holds entries that are not merged, or whose key has just come. */
bool follow_txn_is_behind(const struct ledger_txn *txn);
/* Merges everything that is pending: for what must see all of it. ERR_BEHIND: more than
 * FOLLOW_AT_ONCE_MAX of it was there before this transaction, which must be begun again when stages
 * have merged it (node/group.h). */
MUST_USE enum err follow_all(struct ledger_txn *txn);
/* Makes a space's objects from nothing before this transaction's next follow ends; one of somebody
 * else's that was made so just now later, when the agenda says (restate_tend). */
MUST_USE enum err follow_space_again(struct ledger_txn *txn, uint32_t space);
/* What the agenda says of that, under KIND_RESTATEMENT: the space's id, and one byte. */
enum { FOLLOW_AGAIN_NAME_SIZE = ID_SIZE + 1 };
/* Merges an entry once more, which lacked its payload when its turn came. */
MUST_USE enum err follow_later(struct ledger_txn *txn, uint64_t arrival);
/* An entry shows nothing any more: the object it is of is told so. */
MUST_USE enum err follow_hide(struct ledger_txn *txn, uint64_t arrival);
/* Entries committed, and entries merged. */
MUST_USE enum err follow_progress(const struct snapshot *snapshot, uint64_t *out_held,
                                  uint64_t *out_merged);

/* What a transaction remembers between edits; made by follow, freed with the transaction. NULL does
 * nothing. */
struct follow_cache;
void follow_cache_free(struct follow_cache *cache);

#endif
