/* A device that was certified by one that was stolen later: who hears of the theft first refuses
 * it, as long as the log is not there that says it was certified in time. So that log comes first.
 */
#include "proto/session_state.h"

enum { SESSION_PROOF_MS = 60000 }; /* nothing of it was stored for so long: it is not waited for */

/* Was this one stolen (NULL: any) of those that lead to my own device? */
static bool session_proof_is_led_by(struct session *session, const struct public_key *device)
{
    bool is_led = false;
    enum err err = session->replica->is_led_by(session->replica->self, device, &is_led);

    if (err != ERR_OK)
        session_fail(session, err);
    return err == ERR_OK && is_led;
}

void session_proof_begin(struct session *session)
{
    session->is_proving = session_proof_is_led_by(session, NULL);
    session->is_led = session->is_proving;
    session->proved_at_ms = session->now_ms;
}

void session_proof_look(struct session *session)
{
    for (size_t at = 0; at < session->logs_count && session->is_proving; at++) {
        struct session_log *log = &session->logs[at];

        log->is_proof = log->has_keys || session_proof_is_led_by(session, &log->id.device);
    }
}

/* This device heard of it while the session lasts. */
void session_proof_news(struct session *session)
{
    if (session->is_led || session->phase != PHASE_LIVE)
        return;
    session_proof_begin(session);
    session_proof_look(session);
}

bool session_proof_withholds(struct session *session, const struct public_key *device)
{
    bool is_withheld = session->is_proving && session_proof_is_led_by(session, device);

    session->has_withheld |= is_withheld;
    return is_withheld || session->is_doubted;
}

bool session_proof_may_give(const struct session *session, const struct session_log *log)
{
    return !session->is_doubted && (!session->is_proving || (log != NULL && log->is_proof));
}

/* The writer of a log that went back asks for what it lost of it, and may find keys there. */
static bool session_proof_is_lacking(const struct session *session, const struct session_log *log)
{
    if (!log->is_proof || log->is_below)
        return false;
    if (log->is_forked)
        return public_key_is_equal(&log->id.device, session_remote_device(session));
    return log->is_fetching || log->tip.size > log->acked;
}

void session_proof_end(struct session *session)
{
    if (!session->is_proving)
        return;
    session->is_proving = false;
    session_facts_tell_outs(session);
    for (size_t at = 0; at < session->logs_count && session->has_withheld; at++)
        if (session_proof_is_led_by(session, &session->logs[at].id.device))
            session_facts_tell(session, &session->logs[at].id.device);
    session->has_withheld = false;
}

/* PROTOCOL STOLEN-15: "until that is acknowledged, or nothing of it was for a minute" */
void session_proof_check(struct session *session)
{
    bool is_lacking = false;
    uint64_t proved = 0;

    if (!session->is_proving)
        return;
    for (size_t at = 0; at < session->logs_count; at++) {
        is_lacking |= session_proof_is_lacking(session, &session->logs[at]);
        proved += session->logs[at].is_proof ? session->logs[at].acked : 0;
    }
    if (proved != session->proved)
        session->proved_at_ms = session->now_ms;
    session->proved = proved;
    if (!is_lacking || session->now_ms >= session->proved_at_ms + SESSION_PROOF_MS)
        session_proof_end(session);
}

uint64_t session_proof_wake_at_ms(const struct session *session, uint64_t then_ms)
{
    uint64_t at_ms = session->proved_at_ms + SESSION_PROOF_MS;

    return session->is_proving && session->phase == PHASE_LIVE && at_ms < then_ms ? at_ms : then_ms;
}
