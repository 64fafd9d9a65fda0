/*
 * Payloads that are missing: their entries came as headers, from somebody who had dropped them, or
 * were dropped here. One list is asked for at a time, and each place on it is answered once.
 */
#include "proto/session_state.h"

#include <string.h>

#include "crypto/heap.h"

enum { SESSION_ASKED, SESSION_OWED, SESSION_WANTS }; /* by me, of me */

static bool session_want_room(struct session *session)
{
    if (session->want == NULL)
        session->want = heap_new_zeroed(SESSION_WANTS, sizeof *session->want);
    if (session->want == NULL)
        session_fail(session, ERR_NOMEM);
    return session->want != NULL;
}

static bool session_want_is_open(const struct session *session, int which)
{
    return session->want != NULL && session->want[which].next < session->want[which].count;
}

/* Asking. */

/* PROTOCOL ABSENT-2: "What is missing and may not be is asked for in every session once, in lists
 * of at most WANTS_PER_MESSAGE_MAX of one log, the next list when the last was answered" */
static void session_want_ask(struct session *session)
{
    const struct replica *replica = session->replica;

    if (session_want_is_open(session, SESSION_ASKED) || !session->must_want)
        return;
    for (size_t at = 0; at < session->logs_count && session->phase == PHASE_LIVE; at++) {
        struct session_log *log = &session->logs[at];
        struct session_want want = {.log = (uint32_t)at};
        enum err err = ERR_OK;

        if (log->is_forked)
            continue; /* They have other entries at its places. */
        if (log->tip.size > log->wanted)
            err = replica->wanted(replica->self, &log->id, log->wanted, want.seqs, &want.count);
        if (err != ERR_OK) {
            session_fail(session, err);
            return;
        }
        log->wanted = want.count > 0 ? want.seqs[want.count - 1] : log->tip.size;
        if (want.count == 0)
            continue;
        if (session_want_room(session)) {
            session->want[SESSION_ASKED] = want;
            message_put_want(&log->id, want.seqs, want.count, &session->out);
        }
        return;
    }
    session->must_want = false;
}

/* Answering. */

/* PROTOCOL ABSENT-3: "V: A list is asked for when the last one was answered." */
static void session_want_asked(struct session *session, const struct message *message)
{
    struct session_want *want;
    uint32_t index = 0;

    if (session_want_is_open(session, SESSION_OWED)) {
        session_violation(session, "ABSENT-3: A list is asked for when the last one was answered.");
        return;
    }
    if (!session_want_room(session))
        return;
    want = &session->want[SESSION_OWED];
    want->count = message->want.count;
    want->next = 0;
    memcpy(want->seqs, message->want.seqs, want->count * sizeof want->seqs[0]);
    /* A log that is not shared is answered like one that has nothing. */
    want->log = session_find_shared(session, &message->want.log, &index) ? index : UINT32_MAX;
}

static void session_want_answer(struct session *session)
{
    const struct replica *replica = session->replica;
    struct session_want *want = &session->want[SESSION_OWED];
    size_t before = session->out.size, size;
    struct buf payload = {0};
    uint64_t seq = want->seqs[want->next++];
    const struct session_log *log =
        want->log != UINT32_MAX ? &session->logs[want->log] : (struct session_log *)NULL;
    enum err err =
        log != NULL && seq <= log->tip.size && !log->is_forked
            ? replica->payload(replica->self, &session->logs[want->log].id, seq, &payload)
            : ERR_NOT_FOUND;

    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        message_put_payload(seq, err == ERR_OK ? buf_span(&payload) : span_of(NULL, 0),
                            &session->out);
        size = session->out.size - before;
        session->credit -= size < session->credit ? size : session->credit;
    } else {
        session_fail(session, err);
    }
    buf_release(&payload);
}

void session_want_pump(struct session *session)
{
    while (session->phase == PHASE_LIVE && session_want_is_open(session, SESSION_OWED) &&
           session->credit >= BATCH_SIZE_MAX && session_has_window(session) && !session->is_doubted)
        session_want_answer(session);
    if (session->phase == PHASE_LIVE)
        session_want_ask(session);
}

/* Taking. */

static void session_want_fill(struct session *session, const struct session_want *want,
                              const struct message *message)
{
    struct session_pending pending = {.is_fill = true,
                                      .ticket = session->next_ticket++,
                                      .log = want->log,
                                      .bytes = session->in.taken_last};
    struct session_effect *effect =
        session_add_pending(session, &pending) ? session_effect(session, SESSION_FILL) : NULL;

    if (effect == NULL) {
        session_fail(session, ERR_NOMEM);
        return;
    }
    effect->fill.ticket = pending.ticket;
    effect->fill.log = session->logs[want->log].id;
    effect->fill.seq = message->payload.seq;
    effect->fill.offset = session->fills.size;
    effect->fill.payload.size = message->payload.bytes.size;
    buf_append(&session->fills, message->payload.bytes);
}

/* The bytes may have moved with each message. */
void session_want_collect(struct session *session)
{
    if (buf_err(&session->fills) != ERR_OK)
        session_fail(session, ERR_NOMEM);
    for (size_t at = 0; at < session->effects_count; at++)
        if (session->effects[at].type == SESSION_FILL)
            session->effects[at].fill.payload.data =
                session->fills.is_failed ? NULL
                                         : session->fills.data + session->effects[at].fill.offset;
}

/* PROTOCOL ABSENT-3: "V: A payload answers the next place of a list; it is empty where it is not
 * there." It takes credit as a batch does. */
static void session_want_take(struct session *session, const struct message *message)
{
    struct session_want *want;

    if (!session_want_is_open(session, SESSION_ASKED) ||
        session->want[SESSION_ASKED].seqs[session->want[SESSION_ASKED].next] !=
            message->payload.seq) {
        session_violation(session, "ABSENT-3: A payload answers the next place of a list.");
        return;
    }
    if (!session_take_credit(session, BATCH_SIZE_MAX))
        return;
    want = &session->want[SESSION_ASKED];
    want->next++;
    if (message->payload.bytes.size > 0)
        session_want_fill(session, want, message);
    else
        session_return_credit(session, session->in.taken_last);
}

void session_want_message(struct session *session, const struct message *message)
{
    if (message->type == MESSAGE_WANT)
        session_want_asked(session, message);
    else
        session_want_take(session, message);
}

/* Its place may have been filled by another session, or cut, meanwhile. */
void session_want_committed(struct session *session, enum err err)
{
    if (err == ERR_FORGED)
        session_violation(session, "ABSENT-3: A payload is the one its entry names.");
    else if (err != ERR_OK && err != ERR_NOT_FOUND)
        session_fail(session, err);
}

bool session_want_is_settled(const struct session *session)
{
    return !session->must_want && !session_want_is_open(session, SESSION_ASKED);
}

void session_want_release(struct session *session)
{
    heap_free(session->want);
    buf_release(&session->fills);
}
