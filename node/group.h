/*
 * Group commit, pure: whatever waits is taken together, written in one transaction and committed
 * once. The writer thread drives it in the product, the simulated world in tests.
 */
#ifndef KITH_NODE_GROUP_H
#define KITH_NODE_GROUP_H

#include "storage/ledger.h"

/* One piece of work. Jobs are the caller's memory, in one queue at a time. */
struct writer_job {
    /* May be called again for the same job: when a neighbour in the same transaction failed after
     * having written, everything is taken back and each job runs alone. txn is NULL for a reading
     * job. */
    enum err (*run)(struct writer_job *job, struct ledger_txn *txn);
    bool is_reading;
    size_t weight;           /* bytes, for the bound on one transaction */
    enum err err;            /* of run, or of the commit */
    bool was_behind;         /* it waits for the lists, or has waited */
    struct ledger_news news; /* of the commit that carried it */
    struct writer_job *next;
};

struct group_queue {
    struct writer_job *first, *last;
};

void group_add(struct group_queue *queue, struct writer_job *job);
/* NULL when there is none. */
struct writer_job *group_take_one(struct group_queue *queue);
/* Takes what may be committed together: one reading job alone, or writing jobs up to the bounds.
 * Linked by next; NULL when nothing waits. */
struct writer_job *group_take(struct group_queue *queue);
/* Runs what group_take took; each job then has its err and news. wall_ms is what entries are dated
 * with. */
void group_run(struct ledger *ledger, struct writer_job *first, uint64_t wall_ms);
/* Of what group_run ran: parts the first job that found the lists far behind (ERR_BEHIND), and all
 * that came after it, which have done nothing. NULL when there is none, or it had waited before. */
struct writer_job *group_part_behind(struct writer_job **in_out_first);
/* They are the first again, in their order. */
void group_put_back(struct group_queue *queue, struct writer_job *first);
/* Of jobs that come back in order: does the engine hear of this one's commit now? Once for each
 * commit that touched spaces. */
bool group_tells_news(const struct writer_job *job);

#endif
