/*
 * What we give. A hello with digests; then, from where the other side stands, batches within its
 * credit and our window; then every commit as it comes.
 */
#include "proto/session_state.h"

#include <string.h>

#include "crypto/heap.h"

/* Hello. */

/* PROTOCOL SYNC-1: "Each side begins with its identity, where the other does not know its device,
 * and a hello." */
void session_sync_start(struct session *session)
{
    struct hello hello = {.version = PROTOCOL_VERSION, .addresses = session->options.addresses};

    session->phase = PHASE_HELLO;
    session_look(session, true);
    if (session->phase == PHASE_OVER)
        return;
    /* What is committed before the other hello comes must not count as known there. */
    for (size_t at = 0; at < session->logs_count; at++)
        session->logs[at].sent = session->logs[at].tip;
    memcpy(hello.mine, session->mine, DIGEST_SIZE);
    memcpy(hello.yours, session->yours, DIGEST_SIZE);
    message_put_hello(&hello, &session->out);
}

static void session_all_known(struct session *session)
{
    for (size_t at = 0; at < session->logs_count; at++) {
        struct session_log *log = &session->logs[at];

        log->acked = log->announced = log->offered = log->sent.size;
        log->must_start = true;
        session_deliver(session, log, log->sent.size);
    }
}

/* PROTOCOL SYNC-3: "Where my digest of mine is theirs of yours, and theirs of mine is my digest of
 * yours, nothing more is said; else both say marks." */
static void session_on_hello(struct session *session, const struct hello *hello)
{
    struct session_effect *effect;

    if (hello->version != PROTOCOL_VERSION) {
        message_put_bye(BYE_VERSION, &session->out);
        session_end(session, SESSION_END_VERSION, "the other side speaks another version");
        return;
    }
    effect = session_effect(session, SESSION_ADDRESSES);
    if (effect != NULL)
        effect->addresses = hello->addresses;
    session->has_returns = !session->options.is_remote_out;
    session_proof_begin(session);
    if (session->options.is_remote_retired)
        session_facts_tell(session, session_remote_device(session));
    if (session->options.is_called_by_old_name) {
        session_facts_tell(session, &session->options.own_device);
        session_facts_tell(session, &session->options.called_device);
    }
    session_facts_tell_outs(session);
    if (memcmp(hello->mine, session->yours, DIGEST_SIZE) == 0 &&
        memcmp(hello->yours, session->mine, DIGEST_SIZE) == 0) {
        session_all_known(session);
        session_proof_end(session);
        session->phase = PHASE_LIVE;
        session->must_want = true;
        return;
    }
    session->phase = PHASE_MARKS;
    session_send_marks(session);
    (void)session_take_fits(session, 1, 1); /* Full from before: said behind the marks. */
}

/* Acknowledgements and credit. */

static struct session_log *session_given(struct session *session, uint32_t alias)
{
    return alias < session->next_alias ? &session->logs[session->given[alias]] : NULL;
}

/* PROTOCOL SYNC-12: "Acknowledged is what was sent, and no more." */
static void session_on_acks(struct session *session, struct message *message)
{
    struct ack ack;
    enum err err;

    while ((err = message_next_ack(message, &ack)) == ERR_OK) {
        struct session_log *log = session_given(session, ack.alias);

        if (log == NULL || ack.size > log->offered) {
            session_violation(session, "SYNC-12: Acknowledged is what was sent, and no more.");
            return;
        }
        if (ack.size > log->acked)
            log->acked = ack.size;
        if (ack.size > log->announced)
            log->announced = ack.size;
        session_deliver(session, log, ack.size);
    }
    if (err != ERR_NOT_FOUND)
        session_violation(session, "SYNC-17: A message has the shape its number says.");
}

/* PROTOCOL SYNC-20: "Credit of 0 says that no more of what the hearer's member writes is taken; the
 * hearer gives nothing of it until it hears marks." */
static void session_on_full(struct session *session)
{
    struct session_effect *effect;

    if (session->is_held)
        return;
    session->is_held = true;
    effect = session_effect(session, SESSION_FULL);
    if (effect != NULL)
        effect->is_theirs = true;
}

static void session_on_credit(struct session *session, uint64_t bytes)
{
    if (bytes == 0) {
        session_on_full(session);
        return;
    }
    if (session->credit + bytes > CREDIT_MAX)
        session_violation(session, "SYNC-9: Credit never exceeds CREDIT_MAX.");
    else
        session->credit += bytes;
}

/* Sums of what a stranger says stay sums. */
static void session_on_totals(struct session *session, uint64_t entries, uint64_t bytes)
{
    struct session_progress *progress = &session->progress;

    progress->entries_expected += entries < SESSION_TOTAL_MAX ? entries : SESSION_TOTAL_MAX;
    progress->bytes_expected += bytes < SESSION_TOTAL_MAX ? bytes : SESSION_TOTAL_MAX;
}

/* PROTOCOL SYNC-16: "Hello comes first and once; where digests differ, the last of the marks comes
 * before anything is given." */
static bool session_is_in_place(const struct session *session, enum message_type type)
{
    if (session->phase == PHASE_HELLO)
        return type == MESSAGE_HELLO;
    if (session->phase == PHASE_MARKS)
        return type == MESSAGE_MARKS || type == MESSAGE_FACTS || type == MESSAGE_TRACE_ASK ||
               type == MESSAGE_TRACE;
    return session->phase == PHASE_LIVE && type != MESSAGE_HELLO;
}

void session_sync_message(struct session *session, struct message *message)
{
    if (!session_is_in_place(session, message->type)) {
        session_violation(session, "SYNC-16: Hello comes first and once; where digests differ, the "
                                   "last of the marks comes before anything is given.");
        return;
    }
    switch (message->type) {
    case MESSAGE_HELLO:
        session_on_hello(session, &message->hello);
        break;
    case MESSAGE_MARKS:
        session_take_marks(session, message);
        break;
    case MESSAGE_TOTALS:
        session_on_totals(session, message->totals.entries, message->totals.bytes);
        session_take_announced(session, message->totals.bytes);
        break;
    case MESSAGE_LOG:
        session_take_log(session, message);
        break;
    case MESSAGE_BATCH:
        session_take_batch(session, message);
        break;
    case MESSAGE_ACK:
        session_on_acks(session, message);
        break;
    case MESSAGE_CREDIT:
        session_on_credit(session, message->credit);
        break;
    case MESSAGE_TRACE_ASK:
    case MESSAGE_TRACE:
    case MESSAGE_FETCH:
    case MESSAGE_RETURNED:
    case MESSAGE_STORED:
    case MESSAGE_FACTS:
        session_fork_message(session, message);
        break;
    case MESSAGE_WANT:
    case MESSAGE_PAYLOAD:
        session_want_message(session, message);
        break;
    case MESSAGE_BYE:
    case MESSAGE_PING:
    case MESSAGE_PONG:
    case MESSAGE_IDENTITY:
    case MESSAGE_LINK:
    case MESSAGE_REFUSED:
        break; /* Handled before they come here. */
    }
}

/* Giving. */

/* PROTOCOL SYNC-13: "What is committed goes at once to whoever shares its space." The pump gives
 * it. */
void session_sync_news(struct session *session, const struct id *space)
{
    if (session->phase < PHASE_HELLO)
        return;
    session->has_returns = !session->options.is_remote_out;
    session->place = (struct replica_place){0};
    session_proof_news(session);
    session_facts_tell_outs(session);
    session_look_at(session, space);
    if (session->phase != PHASE_OVER)
        session_take_again(session);
    session_fork_again(session);
}

/* Names the log by a number, once. False without memory. */
static bool session_name_log(struct session *session, struct session_log *log)
{
    if (log->has_alias)
        return true;
    if ((session->next_alias & (session->next_alias - 1)) == 0) {
        size_t capacity = session->next_alias == 0 ? 1 : (size_t)session->next_alias * 2;
        uint32_t *grown = heap_resize(session->given, capacity * sizeof *grown);

        if (grown == NULL) {
            session_fail(session, ERR_NOMEM);
            return false;
        }
        session->given = grown;
    }
    session_facts_tell_of(session, log);
    session->given[session->next_alias] = (uint32_t)(log - session->logs);
    log->alias = session->next_alias++;
    log->has_alias = true;
    log->must_start = true;
    message_put_log(log->alias, &log->id, &session->out);
    return true;
}

static void session_send_batch(struct session *session, struct session_log *log)
{
    uint8_t signature[SIGNATURE_SIZE];
    struct batch_writer writer = {0};
    struct log_beginning beginning;
    size_t before, size;
    struct chain end;
    enum err err;

    if (!session_beginning(session, log, &beginning))
        return;
    if (beginning.size > 0)
        log->sent = (struct chain){.size = beginning.size, .hash = beginning.hash};
    err = session->replica->read(session->replica->self, &log->id, &log->sent, &writer, &end,
                                 signature);

    if (err != ERR_OK) {
        batch_release(&writer);
        session_fail(session, err);
        return;
    }
    if (!session_name_log(session, log)) {
        batch_release(&writer);
        return;
    }
    before = session->out.size;
    if (beginning.size > 0)
        message_put_first_batch(log->alias, &beginning, &writer, signature, &session->out);
    else
        message_put_batch(log->alias, log->must_start ? &log->sent : NULL, &writer, signature,
                          &session->out);
    size = session->out.size - before;
    session->progress.entries_sent += writer.count;
    session->progress.bytes_sent += size;
    session->credit -= size < session->credit ? size : session->credit;
    log->must_start = false;
    log->sent = end;
    if (log->offered < end.size)
        log->offered = end.size;
    batch_release(&writer);
}

/* Who is full still gets back what its own member wrote. */
static bool session_may_send(const struct session *session, const struct session_log *log)
{
    bool is_held = session->is_held && (log->is_mine || session_is_own(session));

    return session->phase == PHASE_LIVE && !is_held && session->credit >= BATCH_SIZE_MAX &&
           session_has_window(session) && session_proof_may_give(session, log);
}

/* A device of the log's own member, that holds less of it than where mine starts, has what I hold
 * as returned. */
static bool session_is_given(const struct session *session, const struct session_log *log)
{
    return log->is_below && !log->is_fetching && !log->is_mine && !session_is_own(session);
}

/* PROTOCOL SYNC-14: "In step: all I hold is acknowledged, all they announced is committed, nothing
 * is under way or ignored." */
static bool session_all_in_step(const struct session *session)
{
    if (session->phase != PHASE_LIVE || session->pending_count > 0 || session->needs_marks ||
        !session_fork_is_settled(session) || !session_want_is_settled(session))
        return false;
    for (size_t at = 0; at < session->logs_count; at++) {
        const struct session_log *log = &session->logs[at];

        if ((log->tip.size > log->acked && !session_is_given(session, log)) ||
            log->announced > log->tip.size)
            return false;
    }
    for (size_t at = 0; at < session->aliases_count; at++)
        if (session->aliases[at].is_ignored)
            return false;
    return true;
}

void session_sync_pump(struct session *session)
{
    bool is_in_step;

    session_proof_check(session);
    session_fork_pump(session);
    for (size_t at = 0; at < session->logs_count; at++)
        while (session->logs[at].sent.size < session->logs[at].tip.size &&
               session_may_send(session, &session->logs[at]))
            session_send_batch(session, &session->logs[at]);
    session_want_pump(session);
    is_in_step = session_all_in_step(session);
    if (is_in_step != session->is_in_step) {
        struct session_effect *effect = session_effect(session, SESSION_IN_STEP);

        session->is_in_step = is_in_step;
        if (effect != NULL)
            effect->is_in_step = is_in_step;
    }
}
