/*
 * What the engine wants stored, as jobs of the writer thread. Each job carries copies of all it
 * needs; its completion comes back on the loop's thread through loop_jobs_done.
 */
#include "node/loop_state.h"

#include <string.h>

#include "crypto/heap.h"
#include "node/clock.h"
#include "storage/journal.h"
#include "storage/view_peer.h"

enum { LOOP_DELIVERY_WAIT_MS = 100 };

/* Acknowledged sizes, collected: one row a log of a peer. */
struct loop_delivery {
    struct public_key peer;
    struct log_id log;
    uint64_t size;
    struct loop_delivery *next;
};

struct loop_ingest_job {
    struct loop_job job;
    uint64_t ticket;
    struct verified_batch *batch;
};

struct loop_link_job {
    struct loop_job job;
    uint64_t ticket;
    conn_id conn;
    enum engine_link_step step;
    struct link_request request;
    struct buf identity, name, addresses, my_addresses; /* what the request's spans point to */
    struct link_answer answer;
};

struct loop_store_job {
    struct loop_job job;
    struct engine_effect effect;
    struct buf bytes; /* of REACHED */
};

struct loop_delivered_job {
    struct loop_job job;
    struct loop_delivery *deliveries;
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
        if (!done->is_reading && done->err == ERR_OK && done->news.spaces_count > 0 &&
            (next == NULL || memcmp(&next->news, &done->news, sizeof done->news) != 0))
            loop_news(loop, &done->news);
        job->done(loop, job);
    }
}

/* Batches. */

static enum err loop_ingest_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct loop_ingest_job *job = (struct loop_ingest_job *)(void *)base;

    return ledger_ingest(txn, job->batch);
}

static void loop_ingest_done(struct loop *loop, struct loop_job *base)
{
    struct loop_ingest_job *job = (struct loop_ingest_job *)(void *)base;
    struct engine_event event = {.type = ENGINE_COMMITTED,
                                 .committed = {.ticket = job->ticket, .err = base->base.err}};

    verified_batch_free(job->batch);
    heap_free(job);
    loop_engine(loop, &event);
}

void loop_job_ingest(struct loop *loop, uint64_t ticket, struct verified_batch *batch)
{
    struct loop_ingest_job *job = heap_new_zeroed(1, sizeof *job);
    struct engine_event event = {.type = ENGINE_COMMITTED,
                                 .committed = {.ticket = ticket, .err = ERR_NOMEM}};

    if (job == NULL) {
        verified_batch_free(batch);
        loop_engine(loop, &event);
        return;
    }
    job->job.base.run = loop_ingest_run;
    job->job.base.weight = verified_batch_size(batch);
    job->job.done = loop_ingest_done;
    job->ticket = ticket;
    job->batch = batch;
    loop_job_push(loop, &job->job);
}

/* Links. */

static enum err loop_link_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct loop_link_job *job = (struct loop_link_job *)(void *)base;

    switch (job->step) {
    case ENGINE_LINK_CLAIM:
        return link_claim(txn, &job->request, &job->answer);
    case ENGINE_LINK_MAKE:
        return link_make(txn, &job->request, &job->answer);
    case ENGINE_LINK_COMPLETE:
        return link_complete(txn, &job->request, &job->answer);
    }
    return ERR_INVALID;
}

static void loop_link_free(struct loop_link_job *job)
{
    buf_release(&job->identity);
    buf_release(&job->name);
    buf_release(&job->addresses);
    buf_release(&job->my_addresses);
    heap_free(job);
}

static void loop_link_done(struct loop *loop, struct loop_job *base)
{
    struct loop_link_job *job = (struct loop_link_job *)(void *)base;
    struct engine_event event = {
        .type = ENGINE_LINK_ANSWERED,
        .conn = job->conn,
        .link = {.ticket = job->ticket, .err = base->base.err, .answer = &job->answer}};

    if (base->base.err == ERR_OK) {
        struct engine_event changed = {.type = ENGINE_PEERS_CHANGED};

        loop_engine(loop, &changed);
    }
    loop_engine(loop, &event);
    loop_link_free(job);
    loop_rpc_poll(loop);
}

static struct span loop_keep(struct buf *keep, struct span bytes)
{
    buf_append(keep, bytes);
    return buf_span(keep);
}

void loop_job_link(struct loop *loop, const struct engine_effect *effect)
{
    struct loop_link_job *job = heap_new_zeroed(1, sizeof *job);
    struct engine_event event = {.type = ENGINE_LINK_ANSWERED,
                                 .conn = effect->conn,
                                 .link = {.ticket = effect->link.ticket, .err = ERR_NOMEM}};
    struct hash next_root;

    if (job == NULL)
        goto failed;
    job->job.base.run = loop_link_run;
    job->job.done = loop_link_done;
    job->ticket = effect->link.ticket;
    job->conn = effect->conn;
    job->step = effect->link.step;
    job->request = effect->link.request;
    job->request.identity = loop_keep(&job->identity, effect->link.request.identity);
    job->request.message.name = loop_keep(&job->name, effect->link.request.message.name);
    job->request.message.addresses =
        loop_keep(&job->addresses, effect->link.request.message.addresses);
    job->request.my_addresses = loop_keep(&job->my_addresses, effect->link.request.my_addresses);
    if (buf_err(&job->identity) != ERR_OK || buf_err(&job->name) != ERR_OK ||
        buf_err(&job->addresses) != ERR_OK || buf_err(&job->my_addresses) != ERR_OK)
        goto failed;
    /* The chain's spans point into the engine's memory: read it again from our own copy. */
    if (device_read_identity(job->request.identity, &job->request.chain, &next_root) != ERR_OK)
        goto failed;
    loop_job_push(loop, &job->job);
    return;

failed:
    if (job != NULL)
        loop_link_free(job);
    loop_engine(loop, &event);
}

/* Small facts. */

static enum err loop_store_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct loop_store_job *job = (struct loop_store_job *)(void *)base;
    const struct engine_effect *effect = &job->effect;
    struct journal_row row = {.at_ms = ledger_txn_now_ms(txn)};

    switch (effect->type) {
    case ENGINE_REACHED:
        return view_peer_reached(txn, &effect->reached.device, buf_span(&job->bytes),
                                 effect->reached.seen_at_ms);
    case ENGINE_CONFIRMED:
        return link_confirmed(txn, &effect->member);
    case ENGINE_REFUSED:
        return link_refused(txn, &effect->refused.acceptance, effect->refused.refusal);
    case ENGINE_JOURNAL:
        row.kind = span_str(effect->journal.kind);
        row.who = span_str(effect->journal.who);
        row.text = span_str(effect->journal.text);
        return journal_add(txn, &row);
    case ENGINE_SEND:
    case ENGINE_CLOSE:
    case ENGINE_DIAL:
    case ENGINE_INGEST:
    case ENGINE_LINK:
    case ENGINE_DELIVERED:
    case ENGINE_PRESENCE:
        break;
    }
    return ERR_INVALID;
}

static void loop_store_done(struct loop *loop, struct loop_job *base)
{
    struct loop_store_job *job = (struct loop_store_job *)(void *)base;
    enum engine_effect_type type = job->effect.type;
    enum err err = base->base.err;

    buf_release(&job->bytes);
    heap_free(job);
    if (err != ERR_OK) {
        log_line(loop->options->log, LOG_WARNING, "a note could not be stored: %s",
                 err_sentence(err));
        return;
    }
    if (type == ENGINE_CONFIRMED || type == ENGINE_REFUSED) {
        struct engine_event event = {.type = ENGINE_PEERS_CHANGED};

        loop_engine(loop, &event);
    }
    loop_rpc_poll(loop);
}

void loop_job_store(struct loop *loop, const struct engine_effect *effect)
{
    struct loop_store_job *job = heap_new_zeroed(1, sizeof *job);

    if (job == NULL)
        return; /* A courtesy lost for want of memory; nothing acknowledged depends on it. */
    job->job.base.run = loop_store_run;
    job->job.done = loop_store_done;
    job->effect = *effect;
    if (effect->type == ENGINE_REACHED)
        buf_append(&job->bytes, effect->reached.addresses);
    loop_job_push(loop, &job->job);
}

/* Deliveries. */

static enum err loop_delivered_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct loop_delivered_job *job = (struct loop_delivered_job *)(void *)base;

    for (const struct loop_delivery *at = job->deliveries; at != NULL; at = at->next) {
        enum err err = view_delivered(txn, &at->peer, &at->log, at->size);

        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

static void loop_delivered_done(struct loop *loop, struct loop_job *base)
{
    struct loop_delivered_job *job = (struct loop_delivered_job *)(void *)base;
    struct loop_delivery *next;

    for (struct loop_delivery *at = job->deliveries; at != NULL; at = next) {
        next = at->next;
        heap_free(at);
    }
    heap_free(job);
    loop_rpc_poll(loop);
}

void loop_job_delivered(struct loop *loop, const struct engine_effect *effect)
{
    struct loop_delivery *at;

    for (at = loop->deliveries; at != NULL; at = at->next)
        if (public_key_is_equal(&at->peer, &effect->delivered.peer) &&
            log_id_is_equal(&at->log, &effect->delivered.log)) {
            at->size = effect->delivered.size;
            return;
        }
    at = heap_new_zeroed(1, sizeof *at);
    if (at == NULL)
        return; /* The peer's marks tell again at the next meeting. */
    at->peer = effect->delivered.peer;
    at->log = effect->delivered.log;
    at->size = effect->delivered.size;
    at->next = loop->deliveries;
    if (loop->deliveries == NULL)
        loop->deliveries_at_ms = clock_running_ms() + LOOP_DELIVERY_WAIT_MS;
    loop->deliveries = at;
}

void loop_job_flush(struct loop *loop, bool is_forced)
{
    struct loop_delivered_job *job;

    if (loop->deliveries == NULL || (!is_forced && clock_running_ms() < loop->deliveries_at_ms))
        return;
    job = heap_new_zeroed(1, sizeof *job);
    if (job == NULL)
        return;
    job->job.base.run = loop_delivered_run;
    job->job.done = loop_delivered_done;
    job->deliveries = loop->deliveries;
    loop->deliveries = NULL;
    loop_job_push(loop, &job->job);
}
