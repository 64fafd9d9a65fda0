/* Certificates, retire and keep statements that two sides tell each other, and about whom they were
 * told already. */
#include "proto/session_state.h"

#include "crypto/heap.h"

/* What the other side tells. */

/* PROTOCOL FACT-2: "In one session a peer tells at most 4,096 facts." */
void session_facts_take(struct session *session, struct message *message)
{
    struct span statement;
    enum err err;

    session->facts_count += message->facts.left;
    if (!session_is_own(session) && session->facts_count > SESSION_FACTS_MAX) {
        session_violation(session, "FACT-2: In one session a peer tells at most 4,096 facts.");
        return;
    }
    while ((err = message_next_fact(message, &statement)) == ERR_OK) {
        buf_u16(&session->facts, (uint16_t)statement.size);
        buf_append(&session->facts, statement);
    }
    if (err != ERR_NOT_FOUND) {
        session_violation(session, "SYNC-17: A message has the shape its number says.");
        return;
    }
}

/* All facts of one step in one effect: their bytes may have moved with each message. */
void session_facts_collect(struct session *session)
{
    struct session_effect *effect;

    if (buf_err(&session->facts) != ERR_OK)
        session_fail(session, ERR_NOMEM);
    if (session->facts.size == 0)
        return;
    effect = session_effect(session, SESSION_FACTS);
    if (effect == NULL)
        return;
    if (session->effects_count > 1 && effect[-1].type == SESSION_END) {
        *effect = effect[-1]; /* The end stays the last. */
        effect--;
        effect->type = SESSION_FACTS;
    }
    effect->facts = buf_span(&session->facts);
}

/* What we tell. */

struct session_facts {
    struct session *session;
    struct span statements[FACTS_PER_MESSAGE_MAX];
    size_t count;
};

static void session_facts_flush(struct session_facts *facts)
{
    if (facts->count > 0)
        message_put_facts(facts->statements, facts->count, &facts->session->out);
    facts->count = 0;
}

static enum err session_facts_add(void *self, struct span statement)
{
    struct session_facts *facts = self;

    if (facts->count == FACTS_PER_MESSAGE_MAX)
        session_facts_flush(facts);
    facts->statements[facts->count++] = statement;
    return ERR_OK;
}

static bool session_facts_note_told(struct session *session, const struct public_key *device)
{
    if ((session->told_count & (session->told_count - 1)) == 0) {
        size_t capacity = session->told_count == 0 ? 1 : session->told_count * 2;
        struct public_key *grown = heap_resize(session->told, capacity * sizeof *grown);

        if (grown == NULL)
            return false;
        session->told = grown;
    }
    session->told[session->told_count++] = *device;
    return true;
}

/* PROTOCOL FACT-1: "Before anything is given or returned that another device than the giver's own
 * wrote, where the two hold such a log differently, and first of all to a device that is retired,
 * the facts about that device are told: its certificates from the root down, its retire statements,
 * and its keeps in the shared spaces, the self space last." */
void session_facts_tell(struct session *session, const struct public_key *device)
{
    struct session_facts facts = {.session = session};
    enum err err;

    for (size_t at = 0; at < session->told_count; at++)
        if (public_key_is_equal(&session->told[at], device))
            return;
    if (session_proof_withholds(session, device))
        return;
    if (session->told_count == (session_is_own(session) ? SESSION_LOGS_MAX : SESSION_TOLD_MAX))
        return;
    if (!session_facts_note_told(session, device)) {
        session_fail(session, ERR_NOMEM);
        return;
    }
    err = session->replica->facts(session->replica->self, &session->options.peer, device,
                                  session_facts_add, &facts);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        session_fail(session, err);
    else
        session_facts_flush(&facts);
}

void session_facts_forget(struct session *session, const struct public_key *device)
{
    size_t kept = 0;

    for (size_t at = 0; at < session->told_count; at++)
        if (!public_key_is_equal(&session->told[at], device))
            session->told[kept++] = session->told[at];
    session->told_count = kept;
}

struct session_outs {
    struct session *session;
    size_t count;
    bool is_telling;
};

static enum err session_facts_on_out(void *self, const struct public_key *device)
{
    struct session_outs *outs = self;

    if (session_proof_withholds(outs->session, device))
        return ERR_OK;
    outs->count++;
    if (!outs->is_telling)
        return ERR_OK;
    session_facts_forget(outs->session, device); /* What was told of it may not have said so. */
    session_facts_tell(outs->session, device);
    return ERR_OK;
}

/* PROTOCOL FACT-1: "Devices of one member tell each other the facts about every device of theirs
 * that was shut out, before they give anything: what is sealed without it would be sealed for it
 * again by whoever had not heard." */
void session_facts_tell_outs(struct session *session)
{
    struct session_outs outs = {.session = session};
    const struct replica *replica = session->replica;
    enum err err = ERR_OK;

    if (!session_is_own(session))
        return;
    err = replica->shut_out(replica->self, session_facts_on_out, &outs);
    if (err == ERR_OK && outs.count > session->outs_told) {
        session->outs_told = outs.count;
        outs.is_telling = true;
        err = replica->shut_out(replica->self, session_facts_on_out, &outs);
    }
    if (err != ERR_OK)
        session_fail(session, err);
}

/* PROTOCOL FACT-1: "One that is retired as forked, or given up, while a session with it lasts is
 * told at once." What was told of it before did not say so. */
void session_facts_retire(struct session *session, bool is_out)
{
    const struct public_key *device = session_remote_device(session);

    if (session->options.is_remote_retired && (!is_out || session->options.is_remote_out))
        return;
    session->options.is_remote_retired = true;
    session->options.is_remote_out |= is_out;
    session->has_returns &= !is_out;
    if (session->phase != PHASE_MARKS && session->phase != PHASE_LIVE)
        return; /* Told behind the hello. */
    session_facts_forget(session, device);
    session_facts_tell(session, device);
}

/* The device that speaks has said who it is. */
void session_facts_tell_of(struct session *session, const struct session_log *log)
{
    struct replica_standing standing = {0};
    enum err err = session->replica->standing(session->replica->self, &log->id, &standing);

    if (err != ERR_OK && err != ERR_NOT_FOUND)
        session_fail(session, err);
    else if (err == ERR_OK && !standing.is_this)
        session_facts_tell(session, &log->id.device);
}
