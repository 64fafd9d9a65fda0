/* What we take: batches are verified here, committed by the writer, and only then acknowledged. */
#include "proto/session_state.h"

#include <string.h>

#include "crypto/heap.h"

bool session_find_log(struct session *session, const struct log_id *id, bool is_mine, uint32_t *out)
{
    bool is_own = public_key_is_equal(&session->options.peer, &session->options.member);
    size_t max = is_own ? SESSION_LOGS_MAX : 2 * (size_t)LOGS_PER_PEER_MAX;
    struct session_log *log;

    for (size_t at = 0; at < session->logs_count; at++)
        if (log_id_is_equal(&session->logs[at].id, id)) {
            session->logs[at].is_mine |= is_mine;
            *out = (uint32_t)at;
            return true;
        }
    if (session->logs_count == max)
        return false;
    if ((session->logs_count & (session->logs_count - 1)) == 0) {
        size_t capacity = session->logs_count == 0 ? 1 : session->logs_count * 2;
        struct session_log *grown = heap_resize(session->logs, capacity * sizeof *grown);

        if (grown == NULL) {
            session->is_failed = true;
            return false;
        }
        session->logs = grown;
    }
    log = &session->logs[session->logs_count];
    memset(log, 0, sizeof *log);
    log->id = *id;
    log->is_mine = is_mine;
    chain_begin(id, &log->sent);
    log->tip = log->sent;
    *out = (uint32_t)session->logs_count++;
    return true;
}

/* ---- names for logs */

static bool session_add_alias(struct session *session, struct session_alias alias)
{
    if ((session->aliases_count & (session->aliases_count - 1)) == 0) {
        size_t capacity = session->aliases_count == 0 ? 1 : session->aliases_count * 2;
        struct session_alias *grown = heap_resize(session->aliases, capacity * sizeof *grown);

        if (grown == NULL)
            return false;
        session->aliases = grown;
    }
    session->aliases[session->aliases_count++] = alias;
    return true;
}

/* Finds the log an alias is for, or leaves it ignored while nothing of it is wanted. */
static void session_settle_alias(struct session *session, struct session_alias *alias)
{
    struct session_log *log;
    enum err err =
        session->replica->accepts(session->replica->self, &session->options.peer, &alias->id);

    alias->is_ignored = err == ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return;
    if (err == ERR_OK && !session_find_log(session, &alias->id, false, &alias->log)) {
        session_violation(session, "more logs than one may have");
        return;
    }
    log = &session->logs[alias->log];
    if (err == ERR_OK && !log->has_taken) {
        err = session->replica->tip(session->replica->self, &log->id, &log->taken);
        log->has_taken = err == ERR_OK;
    }
    if (err != ERR_OK)
        session_fail(session, err);
}

/* PROTOCOL SYNC-7: "Aliases are given from 0 upwards, each once." */
void session_take_log(struct session *session, const struct message *message)
{
    struct session_alias alias = {.id = message->log.log};

    if (message->log.alias != session->aliases_count ||
        session->aliases_count >= SESSION_LOGS_MAX) {
        session_violation(session, "an alias out of order");
        return;
    }
    session_settle_alias(session, &alias);
    if (session->phase != PHASE_OVER && !session_add_alias(session, alias))
        session_fail(session, ERR_NOMEM);
}

/* ---- batches */

static void session_return_credit(struct session *session, uint64_t bytes)
{
    session->credit_owed += bytes;
    if (session->credit_owed < SESSION_CREDIT_STEP)
        return;
    message_put_credit(session->credit_owed, &session->out);
    session->credit_given += session->credit_owed;
    session->credit_owed = 0;
}

static bool session_add_pending(struct session *session, const struct session_pending *pending)
{
    if ((session->pending_count & (session->pending_count - 1)) == 0) {
        size_t capacity = session->pending_count == 0 ? 1 : session->pending_count * 2;
        struct session_pending *grown = heap_resize(session->pending, capacity * sizeof *grown);

        if (grown == NULL)
            return false;
        session->pending = grown;
    }
    session->pending[session->pending_count++] = *pending;
    return true;
}

/* Where the batch says it begins must be where we are. */
static bool session_attaches(const struct message *message, const struct chain *taken)
{
    if (!message->batch.has_start)
        return true;
    return message->batch.start_size == taken->size &&
           memcmp(message->batch.start_hash.bytes, taken->hash.bytes, HASH_SIZE) == 0;
}

static void session_ingest(struct session *session, struct session_log *log,
                           const struct session_pending *pending, struct verified_batch *batch)
{
    struct session_effect *effect;

    if (!session_add_pending(session, pending)) {
        verified_batch_free(batch);
        session_fail(session, ERR_NOMEM);
        return;
    }
    effect = session_effect(session, SESSION_INGEST);
    if (effect == NULL) {
        verified_batch_free(batch);
        return;
    }
    effect->ingest.ticket = pending->ticket;
    effect->ingest.batch = batch;
    log->taken = *verified_batch_end(batch);
    session->progress.entries_received += verified_batch_count(batch);
}

/* After what was under way is settled: say again where I stand, so that what did not attach comes
 * again. */
static void session_marks_when_idle(struct session *session)
{
    if (!session->needs_marks || session->pending_count > 0 || session->phase != PHASE_LIVE)
        return;
    session->needs_marks = false;
    for (size_t at = 0; at < session->aliases_count; at++) {
        struct session_alias *alias = &session->aliases[at];

        if (!alias->is_ignored)
            session->logs[alias->log].taken = session->logs[alias->log].tip;
    }
    session_send_marks(session);
}

void session_take_batch(struct session *session, struct message *message)
{
    size_t bytes = session->in.taken_last;
    struct session_pending pending = {
        .ticket = session->next_ticket, .alias = message->batch.alias, .bytes = bytes};
    struct session_alias *alias;
    struct verified_batch *batch;
    struct session_log *log;
    struct chain end;
    enum err err;

    if (message->batch.alias >= session->aliases_count || bytes > session->credit_given ||
        session->pending_count >= SESSION_PENDING_MAX) {
        session_violation(session, "a batch without alias or credit");
        return;
    }
    session->credit_given -= bytes;
    session->progress.bytes_received += bytes;
    alias = &session->aliases[message->batch.alias];
    if (alias->is_ignored)
        session_settle_alias(session, alias);
    if (session->phase == PHASE_OVER)
        return;
    pending.log = alias->log;
    log = alias->is_ignored ? NULL : &session->logs[alias->log];
    if (log == NULL || !session_attaches(message, &log->taken)) {
        session->has_ignored |= log == NULL;
        session->needs_marks |= log != NULL;
        session_return_credit(session, bytes);
        session_marks_when_idle(session);
        return;
    }
    err = batch_verify(&message->batch.rest, &log->id, &log->taken, &end, &batch);
    if (err == ERR_NOMEM) {
        session_fail(session, err);
    } else if (err != ERR_OK) {
        session_violation(session, "a batch whose hashes or signature do not fit");
    } else {
        pending.end_size = end.size;
        session->next_ticket++;
        session_ingest(session, log, &pending, batch);
    }
}

void session_sync_committed(struct session *session, uint64_t ticket, enum err err)
{
    struct session_pending done = {0};
    size_t at = 0;

    while (at < session->pending_count && session->pending[at].ticket != ticket)
        at++;
    if (at == session->pending_count)
        return;
    done = session->pending[at];
    memmove(&session->pending[at], &session->pending[at + 1],
            (session->pending_count - at - 1) * sizeof *session->pending);
    session->pending_count--;
    if (err == ERR_DETACHED || err == ERR_NOT_FOUND) {
        session->needs_marks = true;
    } else if (err == ERR_FORGED) {
        session_violation(session, "entries by a device that is not certified");
        return;
    } else if (err != ERR_OK) {
        session_fail(session, err);
        return;
    } else {
        struct ack ack = {.alias = done.alias, .size = done.end_size};

        message_put_acks(&ack, 1, &session->out);
        err = session->replica->tip(session->replica->self, &session->logs[done.log].id,
                                    &session->logs[done.log].tip);
        if (err != ERR_OK) {
            session_fail(session, err);
            return;
        }
        session->logs[done.log].sent = session->logs[done.log].tip;
        session->logs[done.log].acked = session->logs[done.log].tip.size;
        session->needs_marks |=
            session->has_ignored; /* What came may say that the ignored is wanted. */
        session->has_ignored = false;
        if (session->logs[done.log].announced < done.end_size)
            session->logs[done.log].announced = done.end_size;
    }
    session_return_credit(session, done.bytes);
    session_marks_when_idle(session);
}
