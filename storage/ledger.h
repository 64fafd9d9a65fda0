/*
 * The ledger: every entry this node holds, own and others', with chains, heads, epochs and keys.
 * What a commit makes durable is what may be acknowledged. It takes foreign entries only as struct
 * verified_batch. Views follow it: in the same transaction when at most FOLLOW_INLINE_MAX entries
 * are pending, behind their watermark otherwise (follow.h).
 *
 * One ledger per open store. Write transactions belong to the writer thread; snapshots may be taken
 * on any thread.
 */
#ifndef KITH_STORAGE_LEDGER_H
#define KITH_STORAGE_LEDGER_H

#include "crypto/keyfile.h"
#include "proto/epoch.h"
#include "proto/kind.h"
#include "storage/key.h"

enum {
    STORE_FORMAT = 1,
    FOLLOW_INLINE_MAX = 256,
    FOLLOW_AT_ONCE_MAX = 20000 /* entries from before a transaction that are merged in it, where it
                                  must see them: a tenth of a second, a mebibyte of pages */
};

struct ledger;

/* Committed (or, inside a write transaction, current) state. A plain value: borrow it, do not keep
 * it. */
struct snapshot {
    struct ledger *ledger;
    struct kv_txn *kv;
};

/* Makes an empty store: format, self space, this device's first log with its first epoch.
 * ERR_EXISTS when there is one already. Everything is in one transaction. */
MUST_USE enum err ledger_create(struct kv *kv, const struct device_secrets *secrets,
                                const struct entropy *entropy, struct span device_name,
                                uint64_t now_ms);
/* secrets are copied into locked memory; kv stays the caller's and outlives the ledger.
 * ERR_NOT_FOUND: empty store; ERR_VERSION: written by a newer kith; ERR_CORRUPT: made for other
 * keys, or damaged. */
MUST_USE enum err ledger_open(struct kv *kv, const struct device_secrets *secrets,
                              const struct entropy *entropy, struct ledger **out);
/* True when another version of the program made the views: the next write transaction drops them,
 * and follow makes them again. */
bool ledger_has_old_views(struct ledger *ledger);
void ledger_close(struct ledger *ledger);
/* The same store written by another device of the member from here on: secrets name it as current.
 * Its first transaction must say so (heal.h). Both ledgers may be read meanwhile; kv stays the
 * caller's. */
MUST_USE enum err ledger_succeed(const struct ledger *before, const struct device_secrets *secrets,
                                 struct ledger **out);

/* Reads again what the store keeps of devices that wrote here before. */
MUST_USE enum err ledger_reload_keys(struct ledger *ledger);

const struct public_key *ledger_member(const struct ledger *ledger);
const struct public_key *ledger_device(const struct ledger *ledger);
const struct signing_key *ledger_signing_key(const struct ledger *ledger);
const struct exchange_key *ledger_static_key(const struct ledger *ledger);
const struct exchange_key *ledger_receiving_key(const struct ledger *ledger);
/* Handshake keys of the devices this store was written by before, the newest first: they are still
 * answered. NULL at the end. */
const struct exchange_key *ledger_old_static_key(const struct ledger *ledger, size_t index);
/* NULL on a device without it. */
const struct signing_key *ledger_root_key(const struct ledger *ledger);
const struct device_secrets *ledger_secrets(const struct ledger *ledger);
const struct entropy *ledger_entropy(const struct ledger *ledger);
const struct id *ledger_self_space(const struct ledger *ledger);
/* Rule L10: the disk is nearly full; what others give is not taken, what the owner writes is. Set
 * and asked on one thread, the loop's. */
void ledger_set_disk_low(struct ledger *ledger, bool is_low);
bool ledger_is_disk_low(const struct ledger *ledger);
/* Seals and opens small local secrets (rows of secret kinds, epoch keys) under the local key. */
void ledger_seal_local(const struct ledger *ledger, struct span context, struct span plain,
                       struct buf *out);
MUST_USE enum err ledger_open_local(const struct ledger *ledger, struct span context,
                                    struct span sealed, struct buf *out);

MUST_USE enum err ledger_snapshot(struct ledger *ledger, struct snapshot *out);
void ledger_snapshot_end(struct snapshot *snapshot);

/* Reading (any snapshot). */

struct space_row {
    uint32_t number;
    struct id id;
    enum space_kind kind;
    bool is_mine;             /* written by my member */
    struct public_key writer; /* member */
    struct public_key reader; /* pair spaces: the member it is for */
    struct hash current;      /* own spaces: the epoch written under; all zero before the first */
    bool is_unsettled;        /* own spaces: current is in question (space_settle) */
};
/* Card and network spaces are restated, and no others. */
static inline bool ledger_space_is_restated(const struct space_row *space)
{
    return space->kind == SPACE_CARD || space->kind == SPACE_NETWORK;
}
MUST_USE enum err ledger_space(const struct snapshot *snapshot, const struct id *id,
                               struct space_row *out);
MUST_USE enum err ledger_space_numbered(const struct snapshot *snapshot, uint32_t number,
                                        struct space_row *out);
/* My own card space (or network space): ERR_NOT_FOUND before it is made. */
MUST_USE enum err ledger_own_space(const struct snapshot *snapshot, enum space_kind kind,
                                   struct space_row *out);

struct log_row {
    uint32_t number;
    uint32_t space;
    struct public_key device;
    struct chain tip;
    uint8_t head_signature[SIGNATURE_SIZE];
    uint32_t epochs_count;
    uint64_t payload_bytes; /* of all its entries held */
    uint64_t start;         /* entries up to here are not held: it was begun behind them */
    uint32_t cuts;          /* how often it left the way it went: see keep.h */
};
MUST_USE enum err ledger_log(const struct snapshot *snapshot, const struct log_id *id,
                             struct log_row *out);
MUST_USE enum err ledger_log_numbered(const struct snapshot *snapshot, uint32_t number,
                                      struct log_row *out);
/* The logs of a space, by device: calls each until it returns an error, which is returned. */
typedef enum err (*ledger_log_fn)(void *self, const struct log_row *log);
MUST_USE enum err ledger_logs(const struct snapshot *snapshot, uint32_t space, ledger_log_fn each,
                              void *self);

struct entry_row {
    uint64_t arrival;
    uint32_t log;
    uint64_t seq;
    struct entry entry; /* payload borrowed from the snapshot */
    bool is_cut;        /* its log does not follow it (returns.h) */
    struct hash epoch;  /* then: the epoch it is sealed under */
};
MUST_USE enum err ledger_entry(const struct snapshot *snapshot, uint64_t arrival,
                               struct entry_row *out);
MUST_USE enum err ledger_entry_at(const struct snapshot *snapshot, uint32_t log, uint64_t seq,
                                  struct entry_row *out);
/* Appends the entry's plaintext. ERR_KEY_MISSING. Unsealed entries give their payload. */
MUST_USE enum err ledger_open_entry(const struct snapshot *snapshot, const struct entry_row *row,
                                    struct buf *out);
/* The number of the newest entry; 0 when there is none. Also the count of entries held. */
MUST_USE enum err ledger_newest_arrival(const struct snapshot *snapshot, uint64_t *out);
/* The chain after the first size entries of a log. ERR_NOT_FOUND beyond the tip, and between the
 * log's beginning and its start. */
MUST_USE enum err ledger_chain_at(const struct snapshot *snapshot, const struct log_row *log,
                                  const struct log_id *id, uint64_t size, struct chain *out);
/* Payload bytes of the first size entries of a log; of all when it has fewer. */
MUST_USE enum err ledger_bytes_at(const struct snapshot *snapshot, const struct log_row *log,
                                  uint64_t size, uint64_t *out);

/* Writing (the writer thread). */

struct ledger_txn;
MUST_USE enum err ledger_begin(struct ledger *ledger, uint64_t now_ms, struct ledger_txn **out);
/* What this transaction sees, own writes included; views only after ledger_follow. */
struct snapshot ledger_txn_snapshot(struct ledger_txn *txn);
uint64_t ledger_txn_now_ms(const struct ledger_txn *txn);
/* A random id for this transaction: an import draws many, and each call of the kernel costs. */
void ledger_draw(struct ledger_txn *txn, struct id *out);
/* Grows with every change this transaction made or failed to make: tells whether a failed step left
 * something behind. */
uint64_t ledger_txn_written(const struct ledger_txn *txn);
static inline bool ledger_txn_has_written(const struct ledger_txn *txn)
{
    return ledger_txn_written(txn) > 0;
}
/* Seals an edit under the space's current epoch and appends it to this device's log there. Own
 * spaces only. */
MUST_USE enum err ledger_append(struct ledger_txn *txn, const struct id *space,
                                struct edit_space *edit, uint64_t expires_at_s);
/* The same from an edit's bytes, which nobody looks at again. */
MUST_USE enum err ledger_append_plain(struct ledger_txn *txn, const struct id *space,
                                      struct span plain, uint64_t expires_at_s);
/* Opens a new epoch in an own space; it becomes the current one when it is the deepest: see
 * space.h, which knows the readers. out_key is secret. */
MUST_USE enum err ledger_append_epoch(struct ledger_txn *txn, const struct id *space,
                                      const struct epoch_plan *plan, struct hash *out_id,
                                      uint8_t out_key[static KEY_SIZE]);
/* Registers a space (own or a peer's) under a local number; does nothing when it is there already.
 */
MUST_USE enum err ledger_add_space(struct ledger_txn *txn, const struct space_row *space);
/* Holds a key for an epoch; entries that waited for it become pending for the views. */
MUST_USE enum err ledger_add_key(struct ledger_txn *txn, const struct hash *epoch,
                                 const uint8_t key[static KEY_SIZE]);
/* ERR_NOT_FOUND: unknown space; ERR_STATE: the device is retired, and this lies beyond what counts
 * of its log; ERR_DETACHED: does not continue what is stored (nothing is stored then; wholly known
 * entries are ERR_OK and change nothing). The space's writer must have certified the device:
 * ERR_FORGED otherwise. */
MUST_USE enum err ledger_ingest(struct ledger_txn *txn, const struct verified_batch *batch);
/* The same of one that another device of my member gives: it may hold more of a frozen log. */
MUST_USE enum err ledger_ingest_shared(struct ledger_txn *txn, const struct verified_batch *batch);
/* Brings the views up to this transaction's entries, so that the caller reads what it wrote. */
MUST_USE enum err ledger_follow(struct ledger_txn *txn);

/* The spaces something was appended or ingested in. */
struct ledger_news {
    struct id spaces[64];
    size_t spaces_count;
    bool is_cut;    /* more than fit: treat every space as changed */
    bool has_links; /* a link changed: sessions may end or start */
};
/* Signs heads, follows (inline when few), commits. Ends the transaction either way. ERR_FULL,
 * ERR_IO, ERR_NOMEM: nothing of it remains. out_news may be NULL. */
MUST_USE enum err ledger_commit(struct ledger_txn *txn, struct ledger_news *out_news);
void ledger_abort(struct ledger_txn *txn);

#endif
