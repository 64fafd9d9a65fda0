/*
 * The writer thread catching up, with a thread beside it that opens entries ahead of what it
 * merges. Belongs to the writer thread; the helper lives from start to free.
 */
#ifndef KITH_NODE_WRITER_ROUND_H
#define KITH_NODE_WRITER_ROUND_H

#include "storage/ledger.h"

struct writer_round;

/* ERR_NOT_FOUND: nothing is pending. */
MUST_USE enum err writer_round_start(struct ledger *ledger, struct writer_round **out);
/* Some milliseconds of work. *out_is_over: the views have come to where the ledger stood at the
 * start. After an error the round can only be freed. */
MUST_USE enum err writer_round_step(struct writer_round *round, bool *out_is_over);
/* Before others write: commits what is merged. What was opened ahead is opened again, for they may
 * change it. */
MUST_USE enum err writer_round_rest(struct writer_round *round);
/* Broken off, it leaves nothing half done. */
void writer_round_free(struct writer_round *round);

#endif
