/*
 * The writer thread: the only one that writes the store. It takes what queued while the last commit
 * ran, runs it in one transaction, commits, and hands every job back as done; it never waits for
 * company. Between commits it brings the views up to date when they are behind, with a thread
 * beside it that opens entries ahead when they are far behind (writer_round.h).
 *
 * Jobs are the caller's memory and are the writer's from push until they come back through
 * writer_done.
 */
#ifndef KITH_NODE_WRITER_H
#define KITH_NODE_WRITER_H

#include "node/group.h"

struct writer;

/* When views that are far behind are caught up with. */
struct writer_pace {
    uint64_t quiet_ms;   /* nothing has come in for so long, */
    uint64_t longest_ms; /* or they have been behind for so long */
};
#define WRITER_PACE_DEFAULT ((struct writer_pace){.quiet_ms = 50, .longest_ms = 2000})

/* wake is called on the writer thread when done jobs wait; it may only poke the loop. */
MUST_USE enum err writer_start(struct ledger *ledger, const struct writer_pace *pace,
                               void (*wake)(void *self), void *self, struct writer **out);
void writer_push(struct writer *writer, struct writer_job *job);
/* The jobs done since the last call, oldest first; NULL when none. Any thread but the writer's. */
struct writer_job *writer_done(struct writer *writer);
/* True while something is queued or running, or the views are behind. */
bool writer_is_busy(struct writer *writer);
/* From the next group on this ledger is written with; called on the writer thread, by a job. */
void writer_change_ledger(struct writer *writer, struct ledger *ledger);
/* What is written with now; for jobs, on the writer thread. */
struct ledger *writer_ledger(const struct writer *writer);
/* Finishes what is queued, ends the thread. Done jobs that nobody took are left to writer_done
 * before. */
void writer_stop(struct writer *writer);
void writer_free(struct writer *writer);

/* The same for a command without a node: runs one job in its own process, on this thread. */
void writer_run_alone(struct ledger *ledger, struct writer_job *job);

#endif
