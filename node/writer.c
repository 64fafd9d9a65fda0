/*
 * Group commit without waiting: whatever is queued when the thread comes back from a commit goes
 * into the next one, up to a bound in bytes (node/group.c).
 */
#include "node/writer.h"

#include <pthread.h>

#include "crypto/heap.h"
#include "node/clock.h"
#include "storage/follow.h"

enum { WRITER_STAGE_ENTRIES = 20000 };

struct writer {
    struct ledger *ledger;
    void (*wake)(void *self);
    void *self;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct group_queue queue, done;
    bool is_stopping, is_running, is_behind;
};

void writer_run_alone(struct ledger *ledger, struct writer_job *job)
{
    job->next = NULL;
    group_run(ledger, job, clock_wall_ms());
}

static void writer_hand_back(struct writer *writer, struct writer_job *first)
{
    (void)pthread_mutex_lock(&writer->mutex); /* A valid mutex of our own cannot fail. */
    for (struct writer_job *job = first, *next; job != NULL; job = next) {
        next = job->next;
        group_add(&writer->done, job);
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
        group = group_take(&writer->queue);
        writer->is_running = group != NULL;
        is_behind = writer->is_behind;
        is_over = writer->is_stopping && group == NULL;
        (void)pthread_mutex_unlock(&writer->mutex);
        if (is_over)
            return NULL;
        if (group != NULL) {
            group_run(writer->ledger, group, clock_wall_ms());
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
    group_add(&writer->queue, job);
    (void)pthread_cond_signal(&writer->filled);
    (void)pthread_mutex_unlock(&writer->mutex);
}

struct writer_job *writer_done(struct writer *writer)
{
    struct writer_job *first;

    (void)pthread_mutex_lock(&writer->mutex);
    first = writer->done.first;
    writer->done = (struct group_queue){0};
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
