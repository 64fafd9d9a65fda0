/* An invitation's session: the inviter learns who came and gives a link secret; the acceptor stores
 * it and tells in turn. */
#include "proto/session_state.h"

#include <string.h>

bool session_read_identity(struct session *session, struct span identity)
{
    enum err err = device_read_identity(identity, &session->chain, &session->next_root);

    if (err != ERR_OK)
        return false;
    return memcmp(device_of(&session->chain)->static_key, session->options.remote_static,
                  KEY_SIZE) == 0;
}

static void session_ask_node(struct session *session, bool is_claim,
                             const struct link_message *message)
{
    struct session_effect *effect = session_effect(session, SESSION_LINK);

    if (effect == NULL)
        return;
    effect->link.is_claim = is_claim;
    effect->link.identity = buf_span(&session->remote_identity);
    effect->link.chain = session->chain;
    effect->link.next_root = session->next_root;
    if (message != NULL)
        effect->link.message = *message;
}

/* PROTOCOL LINK-2: "The inviter answers message 3 with its root and chain, and then with the link
 * message or a refusal." */
void session_link_start(struct session *session)
{
    if (session->options.role == SESSION_ACCEPTOR) {
        session->phase = PHASE_AWAIT_IDENTITY;
        return;
    }
    if (!session_read_identity(session, session->options.remote_identity)) {
        session_violation(session, "an identity that does not fit the handshake");
        return;
    }
    session->options.peer = session->chain.member;
    message_put_identity(session->options.identity, &session->out);
    session->phase = PHASE_CLAIMING;
    session_ask_node(session, true, NULL);
}

static void session_refuse(struct session *session, enum refusal refusal)
{
    message_put_refused(refusal, &session->out);
    message_put_bye(BYE_DONE, &session->out);
    session_end(session, SESSION_END_REFUSED, "the invitation makes no link");
}

static void session_on_identity(struct session *session, struct span identity)
{
    struct session_effect *effect;

    buf_clear(&session->remote_identity);
    buf_append(&session->remote_identity, identity);
    if (session->remote_identity.is_failed ||
        !session_read_identity(session, buf_span(&session->remote_identity))) {
        session_violation(session, "an identity that does not fit the handshake");
        return;
    }
    session->options.peer = session->chain.member;
    if (public_key_is_equal(&session->chain.member, &session->options.member)) {
        effect = session_effect(session, SESSION_REFUSED);
        if (effect != NULL)
            effect->refusal = REFUSAL_SELF;
        session_end(session, SESSION_END_REFUSED, "the invitation is one's own");
        return;
    }
    session->phase = PHASE_AWAIT_LINK;
}

static void session_on_link(struct session *session, const struct link_message *link)
{
    bool is_acceptor = session->options.role == SESSION_ACCEPTOR;

    if (session->phase != PHASE_AWAIT_LINK || link->has_secret != is_acceptor) {
        session_violation(session, "a link message out of place");
        return;
    }
    session->phase = is_acceptor ? PHASE_MAKING : PHASE_COMPLETING;
    session_ask_node(session, false, link);
}

static void session_on_refused(struct session *session, enum refusal refusal)
{
    struct session_effect *effect;

    if (session->options.role != SESSION_ACCEPTOR || session->phase != PHASE_AWAIT_LINK) {
        session_violation(session, "a refusal out of place");
        return;
    }
    effect = session_effect(session, SESSION_REFUSED);
    if (effect != NULL)
        effect->refusal = refusal;
    session_end(session, SESSION_END_REFUSED, "the inviter refused");
}

void session_link_message(struct session *session, struct message *message)
{
    if (message->type == MESSAGE_IDENTITY)
        session_on_identity(session, message->identity);
    else if (message->type == MESSAGE_LINK)
        session_on_link(session, &message->link);
    else
        session_on_refused(session, message->refusal);
}

void session_link_answered(struct session *session, const struct session_event *event)
{
    enum session_phase phase = session->phase;

    if (phase != PHASE_CLAIMING && phase != PHASE_MAKING && phase != PHASE_COMPLETING)
        return;
    if (event->link.is_refused) {
        if (phase == PHASE_MAKING) {
            struct session_effect *effect = session_effect(session, SESSION_REFUSED);

            if (effect != NULL)
                effect->refusal = event->link.refusal;
            message_put_bye(BYE_DONE, &session->out);
            session_end(session, SESSION_END_REFUSED, "the link was not made");
        } else {
            session_refuse(session, event->link.refusal);
        }
        return;
    }
    if (event->link.has_message)
        message_put_link(&event->link.message, &session->out);
    if (phase == PHASE_CLAIMING)
        session->phase = PHASE_AWAIT_LINK;
    else
        session_sync_start(session);
}
