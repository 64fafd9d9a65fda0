/*
 * What one device wrote in one space: a BLAKE2b chain of entries, cut into blocks, closed by signed
 * heads. This file alone makes struct verified_batch, the only form in which foreign entries reach
 * a store.
 *
 *   chain(0)  = digest("kith log", space || device)
 *   chain(n)  = digest("kith chain", chain(n-1) || epoch u32 || expires u64 || size u32 || payload
 * hash) head      = signature under "kith head" over space || device || size u64 || chain(size)
 *   mark      = (space, device, size, first 16 bytes of chain(size))
 */
#ifndef KITH_PROTO_LOG_H
#define KITH_PROTO_LOG_H

#include "crypto/seal.h"
#include "proto/id.h"
#include "proto/wire.h"

enum { TAG_SIZE = 16 };

struct log_id {
    struct id space;
    struct public_key device;
};

/* An entry without its payload: what the chain covers. */
struct entry_header {
    uint32_t
        epoch_index; /* 0: the payload is not sealed; n: under the n-th epoch entry of this log */
    uint64_t expires_at_s;    /* 0: never */
    uint32_t payload_size;    /* bytes, as sealed */
    struct hash payload_hash; /* digest("kith payload", payload) */
};

struct entry {
    struct entry_header header;
    struct span
        payload; /* absent (size 0, data NULL) when forgotten or expired; an entry is never empty */
};

/* How far a log has been followed. */
struct chain {
    uint64_t size; /* entries */
    struct hash hash;
    uint32_t block_entries; /* since the last block's end */
    uint32_t block_bytes;   /* payload since the last block's end */
};

/* Where a log begins for whoever needs nothing older: the end of a block under a restatement
 * (BEGIN in PROTOCOL.md). */
struct log_beginning {
    uint64_t size; /* entries before it; 0: the log begins with its first */
    struct hash hash;
    uint32_t epochs_count; /* unsealed entries among those before it */
    struct hash epoch;     /* the one that the last of them names; zeros: none */
};

struct mark {
    struct log_id log;
    uint64_t size;
    uint8_t tag[TAG_SIZE];
};

struct head {
    uint64_t size;
    struct hash hash;
    uint8_t signature[SIGNATURE_SIZE];
};

bool log_id_is_equal(const struct log_id *left, const struct log_id *right);

void chain_begin(const struct log_id *log, struct chain *out);
/* Adds one entry. True when the entry ends a block (the counters are then 0 again). */
bool chain_extend(struct chain *chain, const struct entry_header *header);
void chain_mark(const struct chain *chain, const struct log_id *log, struct mark *out);

/* Fills header.payload_size and payload_hash from the payload. */
void entry_hash_payload(struct entry *entry);
/* The key all entries of one log in one epoch are sealed with. */
void entry_key(const uint8_t epoch_key[static KEY_SIZE], const struct log_id *log,
               uint8_t out[static KEY_SIZE]);
/* Appends the sealed payload; seq is the entry's number in its log, from 1. */
void entry_seal(const uint8_t key[static KEY_SIZE], const struct entry_header *header, uint64_t seq,
                struct span plain, struct buf *out);
/* Appends the plaintext. ERR_FORGED, ERR_NOMEM. */
MUST_USE enum err entry_open(const uint8_t key[static KEY_SIZE], const struct entry *entry,
                             uint64_t seq, struct buf *out);

/* The first bytes of what may be the plaintext: see seal_peek. */
static inline size_t entry_peek(const uint8_t key[static KEY_SIZE], const struct entry *entry,
                                uint8_t out[static SEAL_PEEK_MAX])
{
    return seal_peek(key, entry->payload, out);
}

MUST_USE enum err head_sign(const struct signing_key *device, const struct log_id *log,
                            const struct chain *chain, struct head *out);
/* ERR_FORGED. */
MUST_USE enum err head_verify(const struct log_id *log, const struct head *head);

/* A batch being written: the entries start..start+count of one block, in order, then the head's
 * signature. */
struct batch_writer {
    struct buf entries; /* encoded */
    size_t count;
};
void batch_add(struct batch_writer *writer, const struct entry *entry);
/* Appends the batch's three elements (array of entries, signature) to a message already begun by
 * the caller. */
void batch_put(struct batch_writer *writer, const uint8_t signature[static SIGNATURE_SIZE],
               struct buf *out);
void batch_release(struct batch_writer *writer);

/*
 * Reads what batch_put wrote from a message, checks it against the log as far as it is known and
 * against the signature of the log's device. tip is the chain at the batch's start. On success the
 * result owns a copy of all it needs and out_tip is the chain after it. ERR_MALFORMED (also:
 * crosses a block's end, empty, unknown flags), ERR_FORGED, ERR_LIMIT, ERR_NOMEM.
 */
struct verified_batch;
MUST_USE enum err batch_verify(struct wire *wire, const struct log_id *log, const struct chain *tip,
                               struct chain *out_tip, struct verified_batch **out);
void verified_batch_free(struct verified_batch *batch);
const struct log_id *verified_batch_log(const struct verified_batch *batch);
/* The chain before the first entry and after the last. */
const struct chain *verified_batch_start(const struct verified_batch *batch);
const struct chain *verified_batch_end(const struct verified_batch *batch);
const struct head *verified_batch_head(const struct verified_batch *batch);
size_t verified_batch_count(const struct verified_batch *batch);
/* index < count. The entry borrows from the batch. */
const struct entry *verified_batch_entry(const struct verified_batch *batch, size_t index);
/* Says that the log begins with this batch for whoever holds nothing of it. */
void verified_batch_begin(struct verified_batch *batch, const struct log_beginning *beginning);
/* Its size is 0 where nothing was said. */
const struct log_beginning *verified_batch_beginning(const struct verified_batch *batch);
/* Bytes it takes in memory, for budgets. */
size_t verified_batch_size(const struct verified_batch *batch);

#endif
