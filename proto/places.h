/*
 * Where in a list a log stands: a table of numbers beside the list, so that thousands of logs are
 * not compared with one another. Keyed by the handshake.
 */
#ifndef KITH_PROTO_PLACES_H
#define KITH_PROTO_PLACES_H

#include "proto/log.h"

struct place {
    uint64_t word;
    uint32_t at; /* in the list, plus 1; 0: free */
};

/* A zeroed one is empty. */
struct places {
    struct place *table;
    size_t count, capacity;
};

/* What the log is looked up by. */
uint64_t places_word(const uint8_t key[static HASH_SIZE], const struct log_id *log);
/* Goes over what has this word: *step is 0 before the first. False at the end. */
bool places_next(const struct places *places, uint64_t word, size_t *step, uint32_t *out);
/* False without memory: nothing was added. */
MUST_USE bool places_add(struct places *places, uint64_t word, uint32_t at);
size_t places_held(const struct places *places);
void places_release(struct places *places);

#endif
