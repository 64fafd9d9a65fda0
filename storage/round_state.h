/* What the files of rounds share; only they include it. */
#ifndef KITH_STORAGE_ROUND_STATE_H
#define KITH_STORAGE_ROUND_STATE_H

#include "storage/ledger_state.h"
#include "storage/round.h"

enum { ROUND_KEYS = 16 /* of logs that a thread looks at in turn */ };

/* The key of one log in one epoch. */
struct round_key {
    uint32_t log, index; /* log 0: empty */
    struct space_row space;
    struct public_key device;
};

struct round_reader {
    struct round_key keys[ROUND_KEYS];
    uint8_t *secrets; /* ROUND_KEYS entry keys, and one epoch key */
    size_t next;
    struct buf plain;
    struct edit_space edit;
};

/* Reads an entry and finds its key. ERR_NOT_FOUND: it is one for follow. */
MUST_USE enum err round_load(const struct snapshot *snapshot, struct round_reader *reader,
                             uint64_t arrival, struct entry_row *out_entry, size_t *out_key);
const uint8_t *round_secret(const struct round_reader *reader, size_t key);

#endif
