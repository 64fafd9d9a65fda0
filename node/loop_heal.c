/*
 * Succession in the running node: a job of the writer thread takes it over whole, keys and commit;
 * then the engine goes on with the successor's ledger. And the duty to repeat what was cut, a chunk
 * a commit.
 */
#include "node/loop_state.h"

#include <string.h>

#include "crypto/heap.h"
#include "node/clock.h"
#include "node/succession.h"
#include "storage/returns.h"

struct loop_heal_job {
    struct loop_job job;
    struct succession succession;
};

static enum err loop_heal_store_keys(void *self, const struct device_secrets *secrets)
{
    const struct loop *loop = self;

    return home_write_key(loop->options->home, secrets, loop->options->passphrase, true);
}

static enum err loop_heal_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct loop_heal_job *job = (struct loop_heal_job *)(void *)base;
    struct loop *loop = job->job.loop;
    enum err err;

    (void)txn;
    job->succession.ledger = writer_ledger(loop->writer);
    job->succession.wall_ms = clock_wall_ms();
    err = succession_run(&job->succession);
    if (job->succession.successor != NULL)
        writer_change_ledger(loop->writer, job->succession.successor);
    return err;
}

static void loop_heal_done(struct loop *loop, struct loop_job *base)
{
    struct loop_heal_job *job = (struct loop_heal_job *)(void *)base;
    struct ledger *successor = job->succession.successor;
    struct engine_event event = {.type = ENGINE_SUCCEEDED, .successor = successor};
    enum err err = base->base.err;

    loop->is_succeeding = false;
    heap_free(job);
    if (successor == NULL) {
        if (err != ERR_NOT_FOUND)
            log_line(loop->options->log, LOG_WARNING, "no successor could take over yet: %s",
                     err_sentence(err));
        return;
    }
    log_line(loop->options->log, LOG_WARNING, "this device goes on under a new key");
    if (loop->ledger_old != NULL)
        ledger_close(loop->ledger_old);
    loop->ledger_old = loop->ledger != loop->options->ledger ? loop->ledger : NULL;
    loop->ledger = successor;
    loop->is_journal_changed = true;
    loop_engine(loop, &event);
    loop_heal_duty(loop);
    loop_rpc_poll(loop);
}

void loop_heal(struct loop *loop, const uint8_t handshake_hash[static HASH_SIZE])
{
    struct loop_heal_job *job;

    if (loop->is_succeeding || loop->is_stopping)
        return;
    job = heap_new_zeroed(1, sizeof *job);
    if (job == NULL)
        return; /* The next session brings it again. */
    loop->is_succeeding = true;
    job->job.base.run = loop_heal_run;
    job->job.base.is_reading = true; /* It makes its own transaction, on another ledger. */
    job->job.done = loop_heal_done;
    job->succession.store_keys = loop_heal_store_keys;
    job->succession.self = loop;
    memcpy(job->succession.handshake_hash, handshake_hash, HASH_SIZE);
    loop_job_push(loop, &job->job);
}

/* The duty. */

static enum err loop_heal_duty_run(struct writer_job *base, struct ledger_txn *txn)
{
    (void)base;
    return returns_do_duty(txn);
}

static void loop_heal_duty_done(struct loop *loop, struct loop_job *job)
{
    (void)loop;
    heap_free(job);
}

void loop_heal_duty(struct loop *loop)
{
    struct snapshot snapshot;
    struct loop_job *job;
    bool is_due;

    if (loop->is_stopping || ledger_snapshot(loop->ledger, &snapshot) != ERR_OK)
        return;
    is_due = returns_are_due(&snapshot);
    ledger_snapshot_end(&snapshot);
    job = is_due ? heap_new_zeroed(1, sizeof *job) : NULL;
    if (job == NULL)
        return;
    job->base.run = loop_heal_duty_run;
    job->done = loop_heal_duty_done;
    loop_job_push(loop, job);
}
