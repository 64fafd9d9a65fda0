/*
 * The frame of a conversation: events in, messages cut out of bytes, effects collected. What
 * messages mean stands in session_link.c (making a link), session_marks.c (who holds what),
 * session_sync.c (what we give) and session_take.c (what we take).
 */
#include "proto/session_state.h"

#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"

/* Effects. */

struct session_effect *session_effect(struct session *session, enum session_effect_type type)
{
    struct session_effect *effect;

    if (session->effects_count == session->effects_capacity) {
        size_t capacity = session->effects_capacity == 0 ? 8 : session->effects_capacity * 2;
        struct session_effect *grown = heap_resize(session->effects, capacity * sizeof *grown);

        if (grown == NULL) {
            session->is_failed = true;
            return NULL;
        }
        session->effects = grown;
        session->effects_capacity = capacity;
    }
    effect = &session->effects[session->effects_count++];
    memset(effect, 0, sizeof *effect);
    effect->type = type;
    return effect;
}

void session_end(struct session *session, enum session_end_reason reason, const char *rule)
{
    struct session_effect *effect;

    if (session->phase == PHASE_OVER)
        return;
    session->phase = PHASE_OVER;
    effect = session_effect(session, SESSION_END);
    if (effect == NULL)
        return;
    effect->end.reason = reason;
    effect->end.rule = rule;
}

void session_violation(struct session *session, const char *rule)
{
    if (session->phase != PHASE_OVER)
        message_put_bye(BYE_BROKEN_RULE, &session->out);
    session_end(session, SESSION_END_VIOLATION, rule);
}

void session_fail(struct session *session, enum err err)
{
    if (session->phase != PHASE_OVER)
        message_put_bye(BYE_DONE, &session->out);
    session_end(session, SESSION_END_STORE, err_sentence(err));
}

void session_check(struct session *session, enum err err)
{
    if (err == ERR_LIMIT)
        session_violation(session, "SYNC-4: Two members share at most LOGS_PER_PEER_MAX logs a "
                                   "side.");
    else if (err != ERR_OK)
        session_fail(session, err);
}

bool session_is_own(const struct session *session)
{
    return public_key_is_equal(&session->options.peer, &session->options.member);
}

/* Life. */

static bool session_keep(struct buf *keep, struct span *bytes)
{
    buf_append(keep, *bytes);
    *bytes = buf_span(keep);
    return !keep->is_failed;
}

enum err session_new(const struct session_options *options, struct session **out)
{
    struct session *session = heap_new_zeroed(1, sizeof *session);

    if (session == NULL)
        return ERR_NOMEM;
    session->options = *options;
    session->in.bytes.is_secret = session->out.is_secret = options->role != SESSION_PEER;
    session->credit = session->credit_given = session->credit_all = CREDIT_START;
    if (!session_keep(&session->identity, &session->options.identity) ||
        !session_keep(&session->remote_identity, &session->options.remote_identity) ||
        !session_keep(&session->addresses, &session->options.addresses)) {
        session_free(session);
        return ERR_NOMEM;
    }
    *out = session;
    return ERR_OK;
}

void session_free(struct session *session)
{
    if (session == NULL)
        return;
    buf_release(&session->identity);
    buf_release(&session->remote_identity);
    buf_release(&session->addresses);
    buf_release(&session->out);
    frame_release(&session->in);
    wire_release(&session->doc);
    session_rest(session);
    heap_free(session->logs);
    heap_free(session->aliases);
    heap_free(session->given);
    places_release(&session->logs_places);
    places_release(&session->aliases_places);
    heap_free(session->pending);
    session_fork_release(session);
    session_want_release(session);
    heap_free(session);
}

/* Messages. */

static void session_on_bye(struct session *session, enum bye_reason reason)
{
    switch (reason) {
    case BYE_VERSION:
        session_end(session, SESSION_END_VERSION, "the other side speaks another version");
        return;
    case BYE_FORK:
        session_end(session, SESSION_END_FORK, "the other side sees two branches of one log");
        return;
    case BYE_BROKEN_RULE:
        session_end(session, SESSION_END_DONE, "the other side says we broke a rule");
        return;
    case BYE_REPLACED:
        session_end(session, SESSION_END_REPLACED, NULL);
        return;
    case BYE_DONE:
    case BYE_REMOVED:
        break;
    }
    session_end(session, SESSION_END_DONE, NULL);
}

/* While the node looks into a link, what follows waits in the reader. */
static bool session_is_waiting(const struct session *session)
{
    return session->phase == PHASE_CLAIMING || session->phase == PHASE_COMPLETING ||
           session->phase == PHASE_MAKING || session->phase == PHASE_OVER ||
           session->phase == PHASE_NEW;
}

/* PROTOCOL SYNC-1: "An identity comes first and once; it fits the key that the handshake proved
 * and the member who is expected." */
static void session_on_identity(struct session *session, struct span identity)
{
    enum err err = ERR_FORGED;

    if (session->phase == PHASE_HELLO && !session->is_identified)
        err = session_read_identity(session, identity);
    session->is_identified = true;
    if (err == ERR_NOMEM)
        session_fail(session, err);
    else if (err != ERR_OK || !public_key_is_equal(&session->chain.member, &session->options.peer))
        session_violation(session, "SYNC-1: An identity comes first and once; it fits the key that "
                                   "the handshake proved and the member who is expected.");
    session->chain.count = 0; /* It borrowed from the message. */
}

static void session_message(struct session *session, struct message *message)
{
    switch (message->type) {
    case MESSAGE_PING:
        message_put_pong(&session->out);
        return;
    case MESSAGE_PONG:
        session->pings = 0;
        return;
    case MESSAGE_BYE:
        session_on_bye(session, message->bye);
        return;
    case MESSAGE_LINK:
    case MESSAGE_REFUSED:
        session_link_message(session, message);
        return;
    case MESSAGE_IDENTITY:
        if (session->options.role == SESSION_PEER)
            session_on_identity(session, message->identity);
        else
            session_link_message(session, message);
        return;
    case MESSAGE_HELLO:
    case MESSAGE_MARKS:
    case MESSAGE_TOTALS:
    case MESSAGE_LOG:
    case MESSAGE_BATCH:
    case MESSAGE_ACK:
    case MESSAGE_CREDIT:
    case MESSAGE_TRACE_ASK:
    case MESSAGE_TRACE:
    case MESSAGE_FETCH:
    case MESSAGE_RETURNED:
    case MESSAGE_STORED:
    case MESSAGE_FACTS:
    case MESSAGE_WANT:
    case MESSAGE_PAYLOAD:
        session_sync_message(session, message);
        return;
    }
}

static void session_read_messages(struct session *session)
{
    while (!session_is_waiting(session) && !session_is_resting(session)) {
        struct message message;
        struct span bytes;
        enum err err = frame_next(&session->in, &bytes);

        if (err == ERR_NOT_FOUND)
            return;
        if (err == ERR_OK)
            err = message_read(&session->doc, bytes, &message);
        if (err == ERR_NOMEM) {
            session_fail(session, err);
        } else if (err != ERR_OK) {
            session_violation(session, "SYNC-17: A message has the shape its number says.");
        } else {
            session->progress.messages_bytes_received += bytes.size + 4;
            session_message(session, &message);
        }
        if (session->options.role != SESSION_PEER)
            secret_wipe(&message, sizeof message);
    }
}

/* PROTOCOL LINK-6: "Whoever waits for an answer sends at most 1 MiB." */
static void session_on_bytes(struct session *session, struct span bytes)
{
    enum err err;

    session->heard_at_ms = session->now_ms;
    session->pings = 0;
    if (!session->is_confirmed) {
        session->is_confirmed = true;
        (void)session_effect(session, SESSION_CONFIRMED); /* A failure is remembered. */
    }
    err = frame_feed(&session->in, bytes);
    if (err == ERR_LIMIT)
        session_violation(session, "SYNC-17: A message has 1 to MESSAGE_SIZE_MAX bytes.");
    else if (err != ERR_OK)
        session_fail(session, err);
    session_read_messages(session);
    /* Outside of waiting only the beginning of one message can be left over. */
    if (session_is_waiting(session) &&
        session->in.bytes.size - session->in.taken > SESSION_WAITING_MAX)
        session_violation(session, "LINK-6: Whoever waits for an answer sends at most 1 MiB.");
}

static void session_on_start(struct session *session)
{
    session->heard_at_ms = session->now_ms;
    if (session->options.role == SESSION_PEER) {
        if (session->options.must_identify)
            message_put_identity(session->options.identity, &session->out);
        session_sync_start(session);
    } else {
        session_link_start(session);
    }
}

/* Whoever slept asks first and waits then: the other side may have slept, too. */
static uint64_t session_ping_at_ms(const struct session *session)
{
    return (session->pings == 0 ? session->heard_at_ms : session->pinged_at_ms) + SESSION_PING_MS;
}

/* PROTOCOL SYNC-15: "After 60 s of silence a ping is sent, and another after 60 s more; 60 s later
 * the other side counts as gone." */
static void session_on_woken(struct session *session)
{
    session_read_messages(session);
    if (session->now_ms < session_ping_at_ms(session))
        return;
    if (session->pings == SESSION_PINGS_MAX) {
        session_end(session, SESSION_END_SILENT, "SYNC-15: Two pings had no answer.");
        return;
    }
    session->pings++;
    session->pinged_at_ms = session->now_ms;
    message_put_ping(&session->out);
}

static void session_event(struct session *session, const struct session_event *event)
{
    switch (event->type) {
    case SESSION_STARTED:
        session_on_start(session);
        session_read_messages(session);
        break;
    case SESSION_BYTES:
        session_on_bytes(session, event->bytes);
        break;
    case SESSION_COMMITTED:
        session_take_committed(session, event->committed.ticket, event->committed.err);
        break;
    case SESSION_LINK_ANSWERED:
        session_link_answered(session, event);
        session_read_messages(session);
        break;
    case SESSION_NEWS:
        session_sync_news(session, &event->news);
        session_take_look_room(session);
        break;
    case SESSION_DRAINED:
        session->window = 0;
        break;
    case SESSION_WOKEN:
        session_on_woken(session);
        session_take_look_room(session);
        break;
    case SESSION_RETIRED:
        session_facts_retire(session, event->is_out);
        break;
    case SESSION_DOUBTED:
        session->is_doubted = event->is_doubted;
        break;
    case SESSION_SYNC_ASKED:
        if (session->phase == PHASE_LIVE)
            session_look(session, false);
        if (session->phase == PHASE_LIVE)
            session_take_again(session);
        session->room = (struct replica_room){0}; /* Its owner may want less kept now. */
        session_take_look_room(session);
        break;
    case SESSION_STOP:
        message_put_bye(event->stop, &session->out);
        session_end(session, SESSION_END_DONE, NULL);
        break;
    }
}

/* SEND stands before END, whatever came first. */
static void session_collect_bytes(struct session *session)
{
    struct session_effect *effect;
    size_t last = session->effects_count;

    if (session->out.is_failed) { /* Half a message would look like a broken rule. */
        session->is_failed = true;
        buf_clear(&session->out);
    }
    if (session->out.size == 0)
        return;
    session->progress.messages_bytes_sent += session->out.size;
    session->window += session->out.size;
    effect = session_effect(session, SESSION_SEND);
    if (effect == NULL)
        return;
    if (last > 0 && session->effects[last - 1].type == SESSION_END) {
        *effect = session->effects[last - 1];
        effect = &session->effects[last - 1];
        effect->type = SESSION_SEND;
    }
    effect->bytes = buf_span(&session->out);
}

enum err session_step(struct session *session, const struct session_event *event,
                      const struct replica *replica, const struct session_effect **out_effects,
                      size_t *out_count)
{
    session->effects_count = 0;
    buf_clear(&session->out);
    buf_clear(&session->facts);
    buf_clear(&session->fills);
    session->replica = replica;
    session->now_ms = event->now_ms;
    session_pace_begin(session, event->sharers);
    session->thrift = event->thrift;
    if (session->phase != PHASE_OVER)
        session_event(session, event);
    session_take_settle(session);
    if (session->phase == PHASE_LIVE)
        session_sync_pump(session);
    session_facts_collect(session);
    session_want_collect(session);
    session->replica = NULL;
    session_collect_bytes(session);
    *out_effects = session->effects;
    *out_count = session->effects_count;
    return session->is_failed ? ERR_NOMEM : ERR_OK;
}

uint64_t session_wake_at_ms(const struct session *session)
{
    if (session->phase == PHASE_NEW || session->phase == PHASE_OVER)
        return UINT64_MAX;
    return session_is_resting(session)
               ? session_rested_at_ms(session)
               : session_proof_wake_at_ms(session, session_ping_at_ms(session));
}

bool session_is_in_step(const struct session *session)
{
    return session->is_in_step;
}

bool session_is_linking(const struct session *session)
{
    return session->options.role != SESSION_PEER && session->phase < PHASE_HELLO;
}

bool session_is_full(const struct session *session, bool is_theirs)
{
    return is_theirs ? session->is_held : session->is_full;
}

bool session_is_ignoring(const struct session *session)
{
    for (size_t at = 0; at < session->aliases_count; at++)
        if (session->aliases[at].is_ignored)
            return true;
    return false;
}

const struct public_key *session_peer(const struct session *session)
{
    return &session->options.peer;
}

void session_progress(const struct session *session, struct session_progress *out)
{
    *out = session->progress;
}
