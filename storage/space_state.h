/* What the files of spaces share; only they include it. */
#ifndef KITH_STORAGE_SPACE_STATE_H
#define KITH_STORAGE_SPACE_STATE_H

#include "storage/space.h"
#include "storage/view_peer.h"

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
/* May the peer read my card or network space today? */
bool space_may_read(enum space_kind kind, const struct peer *peer);
bool space_audience_has(const struct space_audience *audience, const struct public_key *reader);

#endif
