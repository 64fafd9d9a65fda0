/*
 * Epochs and grants: a stretch of a space under one key. An epoch entry is not sealed; it carries
 * the key wrapped for devices (own grants: self and pair spaces) or for nobody (card and network:
 * their keys travel in sealed pair entries). The epoch's id commits to its key, its parents and its
 * readers. It has several parents where two devices of one member opened epochs that did not know
 * of each other: it reaches both, and gives the keys of both.
 *
 *   id = digest("kith epoch", space || opener device || parent ids, or zeros || depth u32 ||
 * readers || commitment)
 */
#ifndef KITH_PROTO_EPOCH_H
#define KITH_PROTO_EPOCH_H

#include "crypto/entropy.h"
#include "crypto/seal.h"
#include "proto/limits.h"
#include "proto/log.h"

enum { EPOCH_PREVIOUS_SIZE = KEY_SIZE + SEAL_OVERHEAD }; /* of one parent's key, sealed */

struct epoch {
    bool is_use; /* the entry uses an epoch opened in another log of the space: only id is set */
    struct hash id;
    struct hash parents[EPOCH_PARENTS_MAX]; /* ascending */
    size_t parents_count;
    uint32_t depth;         /* 1 without a parent, else the greatest parent's + 1 */
    struct hash readers;    /* commitment to the list of readers, salted: see epoch_readers */
    struct hash commitment; /* seal_commitment of the key */
    struct span previous;   /* the parents' keys, each sealed under this key, in their order; empty
                               when there is no parent or their keys are not told (restatements) */
    struct span wraps;      /* encoded, borrowed from the payload */
    size_t wraps_count;
};

/* What a new epoch is made from. */
struct epoch_plan {
    struct id space;
    struct public_key opener;
    const struct hash *parents; /* ascending */
    size_t parents_count;       /* <= EPOCH_PARENTS_MAX */
    const uint8_t *parent_keys; /* 32 bytes each; NULL: they are not told */
    uint32_t depth;
    struct hash readers;
    const uint8_t *recipients; /* X25519 keys to wrap for, 32 bytes each */
    size_t recipients_count;   /* <= EPOCH_WRAPS_MAX */
};

/* readers = digest("kith readers", salt || the devices' or members' keys in ascending order) */
void epoch_readers(const struct id *salt, const struct public_key *sorted, size_t count,
                   struct hash *out);
/* Fills in the id that follows from the other parts and from who opened it in which space. */
void epoch_name(const struct id *space, const struct public_key *opener, struct epoch *epoch);
/* Draws the key (32 secret bytes) and appends the entry's payload. ERR_FORGED for a low-order
 * recipient. */
MUST_USE enum err epoch_create(const struct epoch_plan *plan, const struct entropy *entropy,
                               uint8_t out_key[static KEY_SIZE], struct hash *out_id,
                               struct buf *out_payload);
/* Appends the payload of an entry that uses an epoch opened in another log of the space. */
void epoch_put_use(const struct hash *id, struct buf *out_payload);
/* Reads an unsealed entry's payload; out borrows from it. ERR_MALFORMED. */
MUST_USE enum err epoch_read(const struct log_id *log, struct span payload, struct epoch *out);
/* The key, if one of the wraps is for this receiving key. ERR_NOT_FOUND: none is; ERR_FORGED: the
 * wrap opens to a key the commitment does not fit. */
MUST_USE enum err epoch_unwrap(const struct epoch *epoch, const struct exchange_key *receiving,
                               uint8_t out_key[static KEY_SIZE]);
/* A parent's key out of this epoch's key. ERR_NOT_FOUND when there are no so many parents or none
 * is told, ERR_FORGED. */
MUST_USE enum err epoch_previous(const struct epoch *epoch, size_t parent,
                                 const uint8_t key[static KEY_SIZE],
                                 uint8_t out_key[static KEY_SIZE]);
/* Does this key belong to this epoch? ERR_FORGED. */
MUST_USE enum err epoch_check(const struct epoch *epoch, const uint8_t key[static KEY_SIZE]);

#endif
