/*
 * How far a log is read here: entries may wait for a key that is on its way, or have come without
 * the payload.
 */
#ifndef KITH_STORAGE_UNREAD_H
#define KITH_STORAGE_UNREAD_H

#include "storage/ledger.h"

/* The first entry of a log behind its first so many that waits for its key. ERR_NOT_FOUND: none. */
MUST_USE enum err unread_waiting(const struct snapshot *snapshot, const struct log_row *log,
                                 uint64_t after, uint64_t *out_seq);
/* The same of entries whose payload is missing and may not be (ABSENT-1), too. */
MUST_USE enum err unread_first(const struct snapshot *snapshot, const struct log_row *log,
                               uint64_t after, uint64_t *out_seq);

#endif
