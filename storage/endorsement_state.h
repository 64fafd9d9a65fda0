/* What the files of the endorsement table share; only they include it. */
#ifndef KITH_STORAGE_ENDORSEMENT_STATE_H
#define KITH_STORAGE_ENDORSEMENT_STATE_H

#include "storage/endorsement_table.h"

enum {
    SORT_SUBJECT = 1,
    SORT_ISSUER = 2,
    SORT_REVOKED = 3,
    SORT_UUID = 4,
    SORT_DROPPED = 5,
    SORT_PLACE = 6,
    SORT_QUOTES = 7,
    SORT_UNDECIDED = 8,
    SORT_OFFERED = 9,
    SORT_WAITING = 10,
    SUBJECT_KEY_SIZE = 1 + 32 + 8 + ID_SIZE + 4,
    UUID_KEY_SIZE = 1 + ID_SIZE + ID_SIZE + 4,
    PLACE_SIZE = 32 + 8,
    ENDORSEMENT_REVOKED_BIT = 0x80,
    ROW_FIXED_SIZE = 7 + 4 + 4 + 32 + 32 + ID_SIZE + ID_SIZE + 4 * 8
};

/* Keys, each of one sort; who is a subject, an issuer or a writer. */
void endorsement_key(uint8_t sort, const struct public_key *who, struct key *out);
void endorsement_row_key(uint8_t sort, const struct public_key *who,
                         const struct endorsement_row *row, struct key *out);
void endorsement_uuid_key(const struct endorsement_row *row, struct key *out);
void endorsement_place_key(uint32_t space, const struct id *object, struct key *out);
void endorsement_revoked_key(const struct public_key *issuer, const struct id *object,
                             struct key *out);

/* The bytes of a row, and back; tags borrow from value. ERR_CORRUPT. */
void endorsement_put_row(const struct endorsement_row *row, struct buf *out);
MUST_USE enum err endorsement_read_row(struct span key, struct span value,
                                       struct endorsement_row *out);

/* Under which of both sorts a row stands. */
uint8_t endorsement_row_sort(const struct ledger *ledger, const struct endorsement_row *row);
/* Endorsement_waiting.c: after rows of this endorsement, or what is known of it, changed. */
MUST_USE enum err endorsement_waiting_tend(struct ledger_txn *txn,
                                           const struct endorsement_row *row);

/* A row that counts something. */
MUST_USE enum err endorsement_read_count(const struct snapshot *snapshot, const struct key *key,
                                         uint64_t *out_count, uint64_t *out_bytes);

#endif
