/*
 * Catching up from far behind: a round over up to ROUND_ENTRIES_MAX pending entries. They are
 * looked at once to learn which objects they are of, sorted by object, opened again in that order a
 * chunk at a time, and merged so that each object's row is read and written once, in transactions
 * that stay small. The watermark moves when the round is over: one that is broken off is begun
 * anew and comes to the same, for merging an entry twice changes nothing.
 *
 * Only kinds whose views ask for no order are sorted; entries of all others, and whatever cannot be
 * opened, come first and in their own order, each through follow.
 *
 * Looking and opening may run on any thread beside the writer; all else belongs to the writer.
 */
#ifndef KITH_STORAGE_ROUND_H
#define KITH_STORAGE_ROUND_H

#include "storage/ledger.h"

enum {
    ROUND_ENTRIES_MAX = 500000,  /* 16 bytes each while sorted */
    ROUND_ENTRIES_MIN = 1000,    /* below that, arrival order costs less */
    ROUND_CHUNK_ENTRIES = 2048,  /* opened ahead of the writer, */
    ROUND_CHUNK_BYTES = 2 << 20, /* and so many bytes of them */
    ROUND_PAGES_MAX = 4096,      /* dirty pages of one transaction, as estimated (rule L4) */
    ROUND_OBJECTS_MAX = 4096     /* of one transaction: no owner waits longer than for these */
};

struct round;

/* Is there enough pending for a round? */
bool round_is_due(struct ledger *ledger);
/* Over what is pending now. ERR_NOT_FOUND when nothing is. */
MUST_USE enum err round_begin(struct ledger *ledger, struct round **out);
size_t round_count(const struct round *round);
/* What is not committed is taken back. */
void round_free(struct round *round);

/* Keys and logs a thread has looked up; its own. Zero it before first use. */
struct round_reader;
MUST_USE enum err round_reader_new(struct round_reader **out);
void round_reader_free(struct round_reader *reader);

/* Learns the objects of the entries from..until-1 of the round. Threads look at parts of their own.
 */
MUST_USE enum err round_look(struct round *round, struct round_reader *reader, size_t from,
                             size_t until);
/* Merges those of the entries from..until-1 that are not sorted: all of these were looked at, and
 * all before them merged so. Others may be looked at meanwhile. A transaction stays open as with
 * round_merge, with the same errors. */
MUST_USE enum err round_merge_unsorted(struct round *round, size_t from, size_t until);
/* After all were looked at, and those that are not sorted merged. Returns where the others begin.
 */
size_t round_sort(struct round *round);

/* A piece of the sorted round, opened. */
struct round_chunk;
MUST_USE enum err round_chunk_new(struct round_chunk **out);
void round_chunk_free(struct round_chunk *chunk);
/* Opens the entries at from and after, as many as a chunk holds; it sees what is committed now.
 * *out_until is where the next chunk begins. */
MUST_USE enum err round_open(struct round *round, struct round_reader *reader, size_t from,
                             struct round_chunk *chunk, size_t *out_until);

/* Merges a chunk. A transaction stays open until it is large enough, or round_rest. Chunks that
 * were opened before others wrote are opened again before they are merged. ERR_STATE: the views
 * were made anew meanwhile, the round is void. On any error it can only be freed. */
MUST_USE enum err round_merge(struct round *round, struct round_chunk *chunk);
/* Commits what is merged, so that others may write. */
MUST_USE enum err round_rest(struct round *round);
/* After the last chunk: moves the watermark, and commits. */
MUST_USE enum err round_end(struct round *round);

/* All of it on this thread. */
MUST_USE enum err round_run(struct ledger *ledger);

#endif
