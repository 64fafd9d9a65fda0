/*
 * Group commit without waiting: whatever is queued when the thread comes back from a commit goes
 * into the next one, up to a bound in bytes. A job that fails cleanly leaves its neighbours alone;
 * one that fails after having written makes the group run again one by one, so that its
 * half-written work is not committed and theirs is not lost.
 */
#include "node/writer.h"

#include <pthread.h>

#include "crypto/heap.h"
#include "node/clock.h"
#include "storage/follow.h"

enum { WRITER_WEIGHT_MAX = 4 << 20, WRITER_JOBS_MAX = 8000, WRITER_STAGE_ENTRIES = 20000 };

struct writer_queue {
    struct writer_job *first, *last;
};

struct writer {
    struct ledger *ledger;
    void (*wake)(void *self);
    void *self;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct writer_queue queue, done;
    bool is_stopping, is_running, is_behind;
};

static void writer_queue_add(struct writer_queue *queue, struct writer_job *job)
{
    job->next = NULL;
    if (queue->last != NULL)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
}

static struct writer_job *writer_queue_take(struct writer_queue *queue)
{
    struct writer_job *job = queue->first;

    if (job == NULL)
        return NULL;
    queue->first = job->next;
    if (queue->first == NULL)
        queue->last = NULL;
    job->next = NULL;
    return job;
}

static void writer_begin_err(struct writer_job *first, enum err err)
{
    for (struct writer_job *job = first; job != NULL; job = job->next)
        job->err = err;
}

void writer_run_alone(struct ledger *ledger, struct writer_job *job)
{
    struct ledger_txn *txn;

    job->news = (struct ledger_news){0};
    if (job->is_reading) {
        job->err = job->run(job, NULL);
        return;
    }
    job->err = ledger_begin(ledger, clock_wall_ms(), &txn);
    if (job->err != ERR_OK)
        return;
    job->err = job->run(job, txn);
    if (job->err != ERR_OK || !ledger_txn_has_written(txn))
        ledger_abort(txn);
    else
        job->err = ledger_commit(txn, &job->news);
}

/* One transaction for all. False when a job spoilt it: nothing was committed then. */
static bool writer_run_group(struct ledger *ledger, struct writer_job *first)
{
    struct ledger_news news = {0};
    struct ledger_txn *txn;
    enum err err = ledger_begin(ledger, clock_wall_ms(), &txn);

    if (err != ERR_OK) {
        writer_begin_err(first, err);
        return true;
    }
    for (struct writer_job *job = first; job != NULL; job = job->next) {
        uint64_t before = ledger_txn_written(txn);

        job->err = job->run(job, txn);
        if (job->err != ERR_OK && ledger_txn_written(txn) != before) {
            ledger_abort(txn);
            return false;
        }
    }
    if (!ledger_txn_has_written(txn)) {
        ledger_abort(txn);
        return true;
    }
    err = ledger_commit(txn, &news);
    for (struct writer_job *job = first; job != NULL; job = job->next) {
        if (job->err == ERR_OK)
            job->err = err;
        job->news = news;
    }
    return true;
}

static void writer_run(struct ledger *ledger, struct writer_job *first)
{
    if (first->next == NULL) {
        writer_run_alone(ledger, first);
        return;
    }
    if (writer_run_group(ledger, first))
        return;
    for (struct writer_job *job = first, *next; job != NULL; job = next) {
        next = job->next;
        writer_run_alone(ledger, job);
        job->next = next;
    }
}

/* Takes the next group: one reading job alone, or writing jobs up to the bounds. Called with the
 * mutex held. */
static struct writer_job *writer_take_group(struct writer *writer)
{
    struct writer_queue group = {0};
    size_t weight = 0, count = 0;

    while (writer->queue.first != NULL) {
        struct writer_job *job = writer->queue.first;

        if (group.first != NULL && (job->is_reading || weight + job->weight > WRITER_WEIGHT_MAX ||
                                    count >= WRITER_JOBS_MAX))
            break;
        weight += job->weight;
        count++;
        writer_queue_add(&group, writer_queue_take(&writer->queue));
        if (job->is_reading)
            break;
    }
    return group.first;
}

static void writer_hand_back(struct writer *writer, struct writer_job *first)
{
    (void)pthread_mutex_lock(&writer->mutex); /* A valid mutex of our own cannot fail. */
    for (struct writer_job *job = first, *next; job != NULL; job = next) {
        next = job->next;
        writer_queue_add(&writer->done, job);
    }
    writer->is_running = false;
    (void)pthread_mutex_unlock(&writer->mutex);
    writer->wake(writer->self);
}

/* Views far behind are brought up between commits, a stage at a time, so that an owner's edit never
 * waits for long. */
static void writer_follow(struct writer *writer)
{
    bool is_more = false;
    enum err err = follow_stage(writer->ledger, WRITER_STAGE_ENTRIES, &is_more);

    (void)pthread_mutex_lock(&writer->mutex);
    writer->is_behind = err == ERR_OK && is_more;
    (void)pthread_mutex_unlock(&writer->mutex);
    writer->wake(writer->self);
}

static void *writer_main(void *self)
{
    struct writer *writer = self;

    for (;;) {
        struct writer_job *group;
        bool is_behind, is_over;

        (void)pthread_mutex_lock(&writer->mutex);
        while (writer->queue.first == NULL && !writer->is_stopping && !writer->is_behind)
            (void)pthread_cond_wait(&writer->filled, &writer->mutex);
        group = writer_take_group(writer);
        writer->is_running = group != NULL;
        is_behind = writer->is_behind;
        is_over = writer->is_stopping && group == NULL;
        (void)pthread_mutex_unlock(&writer->mutex);
        if (is_over)
            return NULL;
        if (group != NULL) {
            writer_run(writer->ledger, group);
            is_behind = follow_is_behind(writer->ledger);
            (void)pthread_mutex_lock(&writer->mutex);
            writer->is_behind = is_behind;
            (void)pthread_mutex_unlock(&writer->mutex);
            writer_hand_back(writer, group);
        } else if (is_behind) {
            writer_follow(writer);
        }
    }
}

enum err writer_start(struct ledger *ledger, void (*wake)(void *self), void *self,
                      struct writer **out)
{
    struct writer *writer = heap_new_zeroed(1, sizeof *writer);

    if (writer == NULL)
        return ERR_NOMEM;
    writer->ledger = ledger;
    writer->wake = wake;
    writer->self = self;
    writer->is_behind = follow_is_behind(ledger);
    if (pthread_mutex_init(&writer->mutex, NULL) != 0)
        goto free_writer;
    if (pthread_cond_init(&writer->filled, NULL) != 0)
        goto destroy_mutex;
    if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0)
        goto destroy_cond;
    *out = writer;
    return ERR_OK;

destroy_cond:
    (void)pthread_cond_destroy(&writer->filled);
destroy_mutex:
    (void)pthread_mutex_destroy(&writer->mutex);
free_writer:
    heap_free(writer);
    return ERR_NOMEM;
}

void writer_push(struct writer *writer, struct writer_job *job)
{
    (void)pthread_mutex_lock(&writer->mutex);
    writer_queue_add(&writer->queue, job);
    (void)pthread_cond_signal(&writer->filled);
    (void)pthread_mutex_unlock(&writer->mutex);
}

struct writer_job *writer_done(struct writer *writer)
{
    struct writer_job *first;

    (void)pthread_mutex_lock(&writer->mutex);
    first = writer->done.first;
    writer->done = (struct writer_queue){0};
    (void)pthread_mutex_unlock(&writer->mutex);
    return first;
}

bool writer_is_busy(struct writer *writer)
{
    bool is_busy;

    (void)pthread_mutex_lock(&writer->mutex);
    is_busy = writer->queue.first != NULL || writer->is_running || writer->is_behind ||
              writer->done.first != NULL;
    (void)pthread_mutex_unlock(&writer->mutex);
    return is_busy;
}

void writer_stop(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    writer->is_stopping = true;
    (void)pthread_cond_signal(&writer->filled);
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_join(writer->thread, NULL);
}

void writer_free(struct writer *writer)
{
    if (writer == NULL)
        return;
    (void)pthread_cond_destroy(&writer->filled);
    (void)pthread_mutex_destroy(&writer->mutex);
    heap_free(writer);
}
