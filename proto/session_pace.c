/*
 * What a peer's questions cost. A mark, a tag, or an ask for tags is a few bytes, and to judge it a
 * block of a log may have to be hashed: so what is looked up is counted, and who has asked for too
 * much waits. Its next message stays in the reader; nothing is dropped, and no rule is broken.
 */
#include "proto/session_state.h"

static uint64_t session_work_max(const struct session *session)
{
    return SESSION_WORK_MAX / session->sharers;
}

/* Reading goes on a little below the bound: not every message is worth a wake. */
static uint64_t session_work_rested(const struct session *session)
{
    return session_work_max(session) - session_work_max(session) / 16;
}

void session_pace_begin(struct session *session, unsigned sharers)
{
    uint64_t since = session->now_ms - session->work_at_ms;
    uint64_t spent = session->work_spent;

    session->sharers = sharers > 0 ? sharers : 1;
    since = since < MS_PER_DAY ? since : MS_PER_DAY;
    since = since * SESSION_WORK_PER_MS / session->sharers;
    if (since > 0 || spent == 0) /* Else it adds up. */
        session->work_at_ms = session->now_ms;
    session->work_spent = since < spent ? spent - since : 0;
    session->is_resting = session->is_resting && session->work_spent > session_work_rested(session);
}

/* PROTOCOL SYNC-22: "What a peer's marks, traces, fetches and repeated batches make a node look up
 * is counted, over all sessions with that peer. Where it has become too much nothing is read for a
 * while; nothing is dropped. Between own devices nothing is counted." */
void session_pace_count(struct session *session, size_t units)
{
    if (session_is_own(session))
        return;
    session->work_spent += units;
    session->is_resting = session->is_resting || session->work_spent >= session_work_max(session);
}

uint64_t session_rested_at_ms(const struct session *session)
{
    uint64_t over = session->work_spent - session_work_rested(session);

    return session->work_at_ms + over * session->sharers / SESSION_WORK_PER_MS + 1;
}

bool session_is_resting(const struct session *session)
{
    return session->is_resting;
}

bool session_has_worked(const struct session *session)
{
    return session->work_spent > 0;
}
