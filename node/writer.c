/*
 * Group commit without waiting: whatever is queued when the thread comes back from a commit goes
 * into the next one, up to a bound in bytes (node/group.c).
 */
#include "node/writer.h"

#include <pthread.h>

#include "crypto/heap.h"
#include "node/clock.h"
#include "node/writer_round.h"
#include "storage/follow.h"
#include "storage/round.h"

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
    struct writer_pace pace;
    /* Of the thread alone: */
    struct writer_round *round; /* under way, or NULL */
    uint64_t behind_since_ms, wrote_at_ms;
    bool must_catch_up; /* the first of the queue waits for the lists */
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

static void writer_set_behind(struct writer *writer, bool is_behind)
{
    (void)pthread_mutex_lock(&writer->mutex);
    writer->is_behind = is_behind;
    (void)pthread_mutex_unlock(&writer->mutex);
}

/* Views. A little behind, they are brought up a stage at a time; far behind, in rounds, of which
 * each step takes some milliseconds, so that an owner's edit never waits for long. */

static enum err writer_step_round(struct writer *writer)
{
    bool is_over = false;
    enum err err = ERR_OK;

    if (writer->round == NULL)
        err = writer_round_start(writer->ledger, &writer->round);
    if (err == ERR_OK)
        err = writer_round_step(writer->round, &is_over);
    if (err == ERR_OK && !is_over)
        return ERR_OK;
    writer_round_free(writer->round);
    writer->round = NULL;
    writer->behind_since_ms = clock_running_ms();
    /* Views made anew, or others' entries followed meanwhile, make a round void: on to the next. */
    return err == ERR_STATE || err == ERR_NOT_FOUND ? ERR_OK : err;
}

static void writer_follow(struct writer *writer)
{
    bool is_more = true;
    enum err err;

    if (writer->round != NULL || round_is_due(writer->ledger)) {
        err = writer_step_round(writer);
        is_more = writer->round != NULL || follow_is_behind(writer->ledger);
    } else {
        err = follow_stage(writer->ledger, WRITER_STAGE_ENTRIES, &is_more);
    }
    writer_set_behind(writer, err == ERR_OK && is_more);
    if (writer->round == NULL)
        writer->wake(writer->self);
}

/* While much comes in, sorting a little of it at a time would cost more than it brings: a round
 * waits for a quiet moment, but not for ever. Milliseconds; 0: now. */
static uint64_t writer_pause_ms(const struct writer *writer)
{
    uint64_t now_ms = clock_running_ms();
    uint64_t quiet_at_ms = writer->wrote_at_ms + writer->pace.quiet_ms;
    uint64_t latest_at_ms = writer->behind_since_ms + writer->pace.longest_ms;
    uint64_t until_ms = quiet_at_ms < latest_at_ms ? quiet_at_ms : latest_at_ms;

    if (writer->round != NULL || writer->must_catch_up || until_ms <= now_ms ||
        !round_is_due(writer->ledger))
        return 0;
    return until_ms - now_ms;
}

/* The thread. */

/* What must see all lists is run again when they are whole, and what came after it behind it. */
static void writer_put_off(struct writer *writer, struct writer_job **group)
{
    struct writer_job *behind = group_part_behind(group);

    writer->must_catch_up = behind != NULL;
    if (behind == NULL)
        return;
    (void)pthread_mutex_lock(&writer->mutex);
    group_put_back(&writer->queue, behind);
    (void)pthread_mutex_unlock(&writer->mutex);
}

static void writer_write(struct writer *writer, struct writer_job *group)
{
    bool is_behind;

    if (writer->round != NULL && writer_round_rest(writer->round) != ERR_OK) {
        writer_round_free(writer->round);
        writer->round = NULL;
    }
    group_run(writer->ledger, group, clock_wall_ms());
    writer_put_off(writer, &group);
    is_behind = follow_is_behind(writer->ledger);
    writer->wrote_at_ms = clock_running_ms();
    if (!writer->is_behind)
        writer->behind_since_ms = writer->wrote_at_ms;
    writer_set_behind(writer, is_behind);
    writer_hand_back(writer, group);
}

/* Waits for work; called with the mutex held. True when something was queued meanwhile. */
static bool writer_wait(struct writer *writer, uint64_t pause_ms)
{
    struct timespec until;

    if (pause_ms == 0) {
        (void)pthread_cond_wait(&writer->filled, &writer->mutex);
        return true;
    }
    clock_after_ms(pause_ms, &until);
    return pthread_cond_timedwait(&writer->filled, &writer->mutex, &until) == 0;
}

static void *writer_main(void *self)
{
    struct writer *writer = self;
    bool is_over = false;

    while (!is_over) {
        struct writer_job *group;
        uint64_t pause_ms = writer->is_behind ? writer_pause_ms(writer) : 0;
        bool is_behind;

        (void)pthread_mutex_lock(&writer->mutex);
        while (writer->queue.first == NULL && !writer->is_stopping &&
               (!writer->is_behind || pause_ms > 0) && writer_wait(writer, pause_ms))
            continue;
        is_behind = writer->is_behind;
        group = is_behind && writer->must_catch_up ? NULL : group_take(&writer->queue);
        writer->is_running = group != NULL;
        is_over = writer->is_stopping && group == NULL && writer->queue.first == NULL;
        (void)pthread_mutex_unlock(&writer->mutex);
        if (group != NULL)
            writer_write(writer, group);
        if (is_behind && !is_over && (group == NULL || writer->round != NULL))
            writer_follow(writer);
    }
    writer_round_free(writer->round);
    return NULL;
}

static int writer_init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    int status = pthread_condattr_init(&attributes);

    if (status != 0)
        return status;
    status = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (status == 0)
        status = pthread_cond_init(cond, &attributes);
    (void)pthread_condattr_destroy(&attributes); /* It was made above. */
    return status;
}

enum err writer_start(struct ledger *ledger, const struct writer_pace *pace,
                      void (*wake)(void *self), void *self, struct writer **out)
{
    struct writer *writer = heap_new_zeroed(1, sizeof *writer);

    if (writer == NULL)
        return ERR_NOMEM;
    writer->ledger = ledger;
    writer->wake = wake;
    writer->self = self;
    writer->pace = *pace;
    writer->is_behind = follow_is_behind(ledger);
    if (pthread_mutex_init(&writer->mutex, NULL) != 0)
        goto free_writer;
    if (writer_init_cond(&writer->filled) != 0)
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

void writer_change_ledger(struct writer *writer, struct ledger *ledger)
{
    writer->ledger = ledger;
}

struct ledger *writer_ledger(const struct writer *writer)
{
    return writer->ledger;
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
