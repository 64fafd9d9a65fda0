/*
 * Entries whose payload is gone, or never came: their header stays, so that the chain holds. A
 * payload may be missing where a forget names the entry, where its expiry has passed, or where a
 * restatement covers it; any other is asked for in every session.
 */
#ifndef KITH_STORAGE_ABSENT_H
#define KITH_STORAGE_ABSENT_H

#include "storage/ledger.h"

/* Drops the payload of an entry that is held. Nothing when it is gone already. */
MUST_USE enum err absent_drop(struct ledger_txn *txn, uint64_t arrival);
/* Notes an entry that came without payload. */
MUST_USE enum err absent_note(struct ledger_txn *txn, uint32_t log, uint64_t seq,
                              uint32_t payload_size);
/* What the forgets of a space say of a payload, by its hash, whether or not it is held. */
enum absent_naming {
    ABSENT_UNNAMED,
    ABSENT_NAMED, /* a forget names it */
    ABSENT_STAYS  /* one names it, but it is a forget itself */
};
/* naming is not ABSENT_UNNAMED. */
MUST_USE enum err absent_forgive(struct ledger_txn *txn, uint32_t space, const struct hash *payload,
                                 enum absent_naming naming);
enum absent_naming absent_naming_of(const struct snapshot *snapshot, uint32_t space,
                                    const struct hash *payload);
/* Does any forget of this space name an entry? */
MUST_USE enum err absent_has_forgiven(const struct snapshot *snapshot, uint32_t space, bool *out);
/* How many payloads of a log are missing, and their bytes. */
struct absent_total {
    uint64_t entries, bytes;
};
MUST_USE enum err absent_total(const struct snapshot *snapshot, uint32_t log,
                               struct absent_total *out);
/* Payload bytes missing behind the first size entries of a log. */
MUST_USE enum err absent_bytes(const struct snapshot *snapshot, uint32_t log, uint64_t size,
                               uint64_t *out);
/* The payload of an entry that lacks it has come. ERR_FORGED: it is another; ERR_NOT_FOUND: nothing
 * lacks there. Merged when the views follow. */
MUST_USE enum err absent_fill(struct ledger_txn *txn, const struct log_id *log, uint64_t seq,
                              struct span payload);
/* Places of a log behind after whose payload is missing and may not be, ascending; each stops the
 * walk by an error, which is returned. What is not behind is not looked at. */
typedef enum err (*absent_fn)(void *self, uint64_t seq);
MUST_USE enum err absent_each_wanted(const struct snapshot *snapshot, const struct log_row *log,
                                     uint64_t after, absent_fn each, void *self);
/* Has one come so, or been left so, within RETURN_WAIT_DAYS? Somebody may still bring it. */
MUST_USE enum err absent_is_awaited(const struct snapshot *snapshot, const struct log_row *log,
                                    bool *out);
/* How large the payload is, of a row of the table. ERR_CORRUPT. */
MUST_USE enum err absent_read_size(struct span row, uint32_t *out);

#endif
