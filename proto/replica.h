/*
 * What a session must be able to ask of a store: interfaces only. Answered by storage/replica from
 * a snapshot, and by small doubles in tests. Every call sees committed state. What is shared with a
 * peer: the spaces one writes for the other; between devices of one member: everything.
 */
#ifndef KITH_PROTO_REPLICA_H
#define KITH_PROTO_REPLICA_H

#include "proto/limits.h"
#include "proto/message.h"

struct replica_log {
    struct log_id log;
    bool is_mine; /* written by a device of my member */
    struct chain tip;
    uint64_t start; /* entries up to here are not held: it was begun behind them */
    bool has_keys;  /* of a self or pair space */
    uint32_t cuts;  /* grows when it leaves the way it went: a longer log may be another branch */
};

typedef enum err (*replica_log_fn)(void *self, const struct replica_log *log);

/* What is known of the device that writes a log. */
struct replica_standing {
    bool is_mine;    /* its space is written by my member */
    bool is_this;    /* by this very device */
    bool is_retired; /* it writes no more */
    bool is_out;     /* given up, stolen or void */
    bool has_keep;
    uint64_t keep_size; /* entries of this log that count */
    bool is_off;        /* what I hold of it does not lie below the kept mark, or may not */
};

/* Where a walk over returns stands; zero it before the first. */
struct replica_place {
    uint8_t bytes[4 + 32 + HASH_SIZE];
    bool is_begun;
};

typedef enum err (*replica_fact_fn)(void *self, struct span statement);
typedef enum err (*replica_device_fn)(void *self, const struct public_key *device);

/* Entries and payload bytes: what may be taken still, and of how much that is left. */
struct replica_room {
    uint64_t entries, bytes;
    uint64_t entries_max, bytes_max; /* 0: no bound but the disk's */
};

struct replica {
    /* Every log shared with the peer that I hold, small spaces first (pair, card, network, self),
     * then by device. Stops at the first error of each and returns it. */
    enum err (*logs)(void *self, const struct public_key *peer, replica_log_fn each,
                     void *each_self);
    /* The logs of one space, as above: for live push. Nothing when the space is not shared with the
     * peer. */
    enum err (*space_logs)(void *self, const struct public_key *peer, const struct id *space,
                           replica_log_fn each, void *each_self);
    /* Where a log stands, is_mine aside; size 0 with the chain's beginning when I hold nothing of
     * it. */
    enum err (*tip)(void *self, const struct log_id *log, struct replica_log *out);
    /* Where a log begins for a peer that holds nothing of it; size 0: with its first entry. */
    enum err (*beginning)(void *self, const struct public_key *peer, const struct log_id *log,
                          struct log_beginning *out);
    /* The chain after the first size entries. ERR_NOT_FOUND beyond the tip, and between the log's
     * beginning and its start. */
    enum err (*chain_at)(void *self, const struct log_id *log, uint64_t size, struct chain *out);
    /* May this peer give me entries of this log? ERR_NOT_FOUND: no such space or device is known
     * (yet); ERR_STATE: its device is retired, and what I hold is all that counts. */
    enum err (*accepts)(void *self, const struct public_key *peer, const struct log_id *log);
    /* Entries after start, to the next block's end or the tip, with the head's signature that
     * closes them. out_end is the chain there. ERR_NOT_FOUND when there is nothing after start.
     * Adds to writer, which the caller releases. */
    enum err (*read)(void *self, const struct log_id *log, const struct chain *start,
                     struct batch_writer *writer, struct chain *out_end,
                     uint8_t out_signature[SIGNATURE_SIZE]);
    /* Entries and payload bytes after size, for totals. */
    enum err (*count)(void *self, const struct log_id *log, uint64_t size, uint64_t *out_entries,
                      uint64_t *out_bytes);
    /* How much more of what this peer's member writes may be stored. Between own devices only a
     * disk that is nearly full sets a bound. */
    enum err (*room)(void *self, const struct public_key *peer, struct replica_room *out);
    enum err (*standing)(void *self, const struct log_id *log, struct replica_standing *out);
    /* Tags at the block ends of at most size entries, and at size itself where the log has so many:
     * newest first, at most TRACE_TAGS_MAX. out_is_last: none is left below. */
    enum err (*trace)(void *self, const struct log_id *log, uint64_t size,
                      struct trace_tag out[static TRACE_TAGS_MAX], size_t *out_count,
                      bool *out_is_last);
    /* As read, with the epochs the entries are sealed under: for an author that is a copy. */
    enum err (*fetch)(void *self, const struct log_id *log, const struct chain *start,
                      struct returned_row *out);
    /* The next batch of the peer's member that was cut from its log and is not restated yet, and
     * moves on; for an own device, of anybody. ERR_NOT_FOUND at the end. */
    enum err (*next_return)(void *self, const struct public_key *peer, struct replica_place *place,
                            struct returned_row *out);
    /* Certificates from the root down, retire and keep statements about a device, as far as this
     * peer may know them. */
    enum err (*facts)(void *self, const struct public_key *peer, const struct public_key *device,
                      replica_fact_fn each, void *each_self);
    /* Devices of my member that were shut out. */
    enum err (*shut_out)(void *self, replica_device_fn each, void *each_self);
    /* Was this device stolen, and leads to my own one? NULL: any that does. */
    enum err (*is_led_by)(void *self, const struct public_key *device, bool *out);
    /* Entries of a log behind after whose payload is missing and may not be, ascending. */
    enum err (*wanted)(void *self, const struct log_id *log, uint64_t after,
                       uint64_t out[static WANTS_PER_MESSAGE_MAX], size_t *out_count);
    /* Appends the payload of one entry. ERR_NOT_FOUND: it is not here, or is to be forgotten. */
    enum err (*payload)(void *self, const struct log_id *log, uint64_t seq, struct buf *out);
    void *self;
};

#endif
