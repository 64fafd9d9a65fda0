/* Who among my contacts might fit an ask that was heard: "matches" of ask list and ask show, for
 * the owner alone. */
#ifndef KITH_NODE_ASK_MATCHES_H
#define KITH_NODE_ASK_MATCHES_H

#include "node/matches.h"
#include "storage/view_ask.h"

/* Adds "matches" to a described ask: of those heard from others that are not over, and only when
 * there are some. Nobody is named who asks, who passed it on, or from whom it is to be kept. */
MUST_USE enum err ask_matches_add(struct matches *matches, const struct ask_row *row, json_t *ask);

#endif
