/*
 * A batch of a branch that its log does not follow, on its way back to its author: what a reader
 * still holds of a retired device, or what the author asked for as proof that it is a copy. It
 * proves itself: the entries are chained and closed by a head of the device. With it travel the
 * epochs it is sealed under, so that the author can read what it has forgotten.
 */
#ifndef KITH_PROTO_RETURNED_H
#define KITH_PROTO_RETURNED_H

#include "proto/epoch.h"
#include "proto/kind.h"
#include "proto/limits.h"

/* An epoch as it is told: what its id is made from, and the key where the teller holds it. */
struct returned_epoch {
    uint32_t index; /* in the branch's log */
    struct public_key opener;
    struct epoch epoch; /* id, parents, depth, readers, commitment */
    bool has_key;
    uint8_t key[KEY_SIZE]; /* secret */
};

/* What a store hands out. Holds keys: lives in memory from secret_new. */
struct returned_row {
    struct log_id log;
    enum space_kind kind;
    struct chain start, end;
    struct batch_writer entries; /* released by whoever asked */
    uint8_t signature[SIGNATURE_SIZE];
    bool is_last; /* of what was asked for; of a return, always */
    struct returned_epoch epochs[RETURN_EPOCHS_MAX];
    size_t epochs_count;
};
void returned_release(struct returned_row *row);
/* Appends the message's elements after its number. */
void returned_put(const struct returned_row *row, uint32_t number, struct buf *out);

/* What was received and verified; free with returned_free. */
struct returned {
    uint32_t number;
    enum space_kind kind;
    bool is_last;
    struct verified_batch *batch;
    struct returned_epoch epochs[RETURN_EPOCHS_MAX];
    size_t epochs_count;
};
/* Reads the elements after the number. Every told epoch's id is computed and its key checked
 * against it. ERR_MALFORMED, ERR_FORGED, ERR_LIMIT, ERR_NOMEM. */
MUST_USE enum err returned_read(struct wire *wire, struct returned **out);
void returned_free(struct returned *returned);

#endif
