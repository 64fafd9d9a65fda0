/*
 * What the engine wants stored, as jobs of the writer thread: errands (node/errand.c). Their
 * completion comes back on the loop's thread through loop_jobs_done.
 */
#include "node/loop_state.h"

#include "crypto/heap.h"
#include "node/clock.h"
#include "node/react.h"
#include "storage/running.h"

enum {
    LOOP_DELIVERY_WAIT_MS = 100,
    LOOP_TICK_AGAIN_MS = 60000,
    LOOP_RUNNING_MS = 600000 /* so much running time a crash may cost */
};

struct loop_errand_job {
    struct loop_job job;
    struct errand *errand;
};

void loop_job_push(struct loop *loop, struct loop_job *job)
{
    job->loop = loop;
    loop->jobs_count++;
    writer_push(loop->writer, &job->base);
}

void loop_jobs_done(struct loop *loop)
{
    struct writer_job *next;

    for (struct writer_job *done = writer_done(loop->writer); done != NULL; done = next) {
        struct loop_job *job = (struct loop_job *)(void *)done;

        next = done->next;
        loop->jobs_count--;
        if (!done->is_reading && done->err == ERR_OK)
            loop->is_journal_changed = true;
        if (group_tells_news(done)) {
            loop_news(loop, &done->news);
            loop_heal_duty(loop);
        }
        job->done(loop, job);
    }
}

static enum err loop_errand_run(struct writer_job *base, struct ledger_txn *txn)
{
    return errand_run(((struct loop_errand_job *)(void *)base)->errand, txn);
}

static void loop_errand_done(struct loop *loop, struct loop_job *base)
{
    struct loop_errand_job *job = (struct loop_errand_job *)(void *)base;
    struct engine_event events[ERRAND_EVENTS_MAX];
    uint8_t handshake_hash[HASH_SIZE];
    enum err err = base->base.err;
    size_t count = errand_events(job->errand, err, events);

    if (err != ERR_OK && count == 0)
        log_line(loop->options->log, LOG_WARNING, "a note could not be stored: %s",
                 err_sentence(err));
    for (size_t at = 0; at < count; at++)
        loop_engine(loop, &events[at]);
    if (err == ERR_OK && errand_brings_proof(job->errand, handshake_hash))
        loop_heal(loop, handshake_hash);
    errand_free(job->errand);
    heap_free(job);
    loop_rpc_poll(loop);
}

/* Takes the errand over, also when it fails. */
static enum err loop_errand_push(struct loop *loop, struct errand *errand)
{
    struct loop_errand_job *job = heap_new_zeroed(1, sizeof *job);

    if (job == NULL) {
        errand_free(errand);
        return ERR_NOMEM;
    }
    job->job.base.run = loop_errand_run;
    job->job.base.weight = errand_weight(errand);
    job->job.done = loop_errand_done;
    job->errand = errand;
    loop_job_push(loop, &job->job);
    return ERR_OK;
}

void loop_job_errand(struct loop *loop, const struct engine_effect *effect)
{
    struct errand *errand;
    struct engine_event event;
    enum err err = errand_new(effect, &errand);

    if (err == ERR_OK)
        err = loop_errand_push(loop, errand);
    if (err != ERR_OK && errand_failed(effect, &event))
        loop_engine(loop, &event);
}

void loop_job_delivered(struct loop *loop, const struct engine_effect *effect)
{
    if (loop->deliveries == NULL)
        loop->deliveries_at_ms = clock_running_ms() + LOOP_DELIVERY_WAIT_MS;
    errand_collect(&loop->deliveries, effect);
}

void loop_job_flush(struct loop *loop, bool is_forced)
{
    struct errand *errand = loop->deliveries;

    if (errand == NULL || (!is_forced && clock_running_ms() < loop->deliveries_at_ms))
        return;
    loop->deliveries = NULL;
    /* Lost for want of memory: the peers' marks tell again at the next meeting. */
    if (loop_errand_push(loop, errand) != ERR_OK)
        log_line(loop->options->log, LOG_WARNING, "out of memory");
}

/* Ticks: the work itself is what the group does before every commit. Running time is written on the
 * way. */

static enum err loop_tick_run(struct writer_job *base, struct ledger_txn *txn)
{
    (void)base;
    return running_advance(txn, clock_running_ms());
}

static void loop_tick_done(struct loop *loop, struct loop_job *job)
{
    loop->is_ticking = false;
    if (job->base.err != ERR_OK) {
        loop->tick_at_ms = clock_running_ms() + LOOP_TICK_AGAIN_MS;
        log_line(loop->options->log, LOG_WARNING, "what is due could not be done: %s",
                 err_sentence(job->base.err));
    }
    heap_free(job);
    loop_rpc_poll(loop);
}

void loop_job_tick(struct loop *loop)
{
    struct loop_job *job;

    if (loop->is_ticking || loop->is_stopping || clock_running_ms() < loop->tick_at_ms ||
        (clock_running_ms() < loop->running_at_ms && !react_is_due(loop->ledger, clock_wall_ms())))
        return;
    loop->running_at_ms = clock_running_ms() + LOOP_RUNNING_MS;
    job = heap_new_zeroed(1, sizeof *job);
    if (job == NULL)
        return;
    job->base.run = loop_tick_run;
    job->done = loop_tick_done;
    loop->is_ticking = true;
    loop_job_push(loop, job);
}
