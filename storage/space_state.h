/* What the files of spaces share; only they include it. */
#ifndef KITH_STORAGE_SPACE_STATE_H
#define KITH_STORAGE_SPACE_STATE_H

#include "storage/space.h"

/* Who may read a space today. */
struct space_audience {
    uint8_t recipients[EPOCH_WRAPS_MAX]
                      [KEY_SIZE]; /* receiving keys an epoch's key is wrapped for */
    size_t recipients_count;
    struct buf readers; /* struct public_key, ascending: members, and their devices */
};
/* The caller releases the readers. */
MUST_USE enum err space_find_audience(const struct snapshot *snapshot,
                                      const struct space_row *space, struct space_audience *out);
bool space_audience_has(const struct space_audience *audience, const struct public_key *reader);

#endif
