/*
 * Running time: how long this machine has been seen running since the store was made. It is kept
 * beside the wall clock, which may jump: what sends or drops something because time has passed asks
 * both.
 */
#ifndef KITH_STORAGE_RUNNING_H
#define KITH_STORAGE_RUNNING_H

#include "storage/ledger.h"

enum { RUNNING_DAY_MS = 24 * 60 * 60 * 1000 };

/* A moment on both clocks. */
struct moment {
    uint64_t running_ms, wall_ms;
};

/* Adds what the machine's own clock, which never goes back while the ledger is open, has moved
 * since the last call; the first call of an open ledger only takes its reading. */
MUST_USE enum err running_advance(struct ledger_txn *txn, uint64_t machine_ms);
/* As of the last time it was written. */
MUST_USE enum err running_ms(const struct snapshot *snapshot, uint64_t *out);
MUST_USE enum err running_moment(struct ledger_txn *txn, struct moment *out);
/* Have so many milliseconds passed since then? Both clocks must say so, within a day. */
bool running_has_passed(const struct moment *since, const struct moment *now, uint64_t span_ms);

#endif
