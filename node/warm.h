/*
 * Warm ways to somebody: who, whom the owner knows, knows them. Two people know one another where
 * one endorses the other and that one shows it, or where one, linked with the other, quotes what is
 * said of them. A shared employer is no way. Pure: over the graph of vouch.h.
 */
#ifndef KITH_NODE_WARM_H
#define KITH_NODE_WARM_H

#include "node/vouch.h"

enum { WARM_BETWEEN_MAX = 2 };

struct warm_way {
    uint32_t to;
    uint32_t through[WARM_BETWEEN_MAX]; /* from a friend on */
    uint32_t count;                     /* of them: 1 or 2 */
    uint32_t least;                     /* the weakest trust in one of them */
};

/* Appends the ways to a person, struct warm_way each: through one friend first, one way for each,
 * then (is_far) the ways through two people, one for each of those nearest to the person. Nobody
 * muted, and not the owner, is on them. budget is lowered by what was looked at, and ends the
 * search at 0. ERR_NOMEM. */
MUST_USE enum err warm_find(const struct vouch_view *view, uint32_t me, uint32_t to, bool is_far,
                            uint32_t *budget, struct buf *out);

/* Tells whom the owner's friends know, friend after friend, the nearest first. Stops at the first
 * error of each and returns it. */
typedef enum err (*warm_fn)(void *self, const struct warm_way *way);
MUST_USE enum err warm_ahead(const struct vouch_view *view, uint32_t me, uint32_t *budget,
                             warm_fn each, void *self);

#endif
