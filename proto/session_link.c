/* An invitation's session: the inviter learns who came and gives a link secret; the acceptor stores
 * it and tells in turn. */
#include "proto/session_state.h"

#include <string.h>

#define LINK_IDENTITY_RULE                                                                         \
    "LINK-1: Root and chain come once, and end with the key that the handshake proved."

enum err session_read_identity(struct session *session, struct span identity)
{
    enum err err = device_read_identity(identity, &session->chain, &session->next_root);

    if (err == ERR_OK && memcmp(device_of(&session->chain)->static_key,
                                session->options.remote_static, KEY_SIZE) != 0)
        err = ERR_FORGED;
    if (err == ERR_OK)
        session->remote_device = device_of(&session->chain)->device;
    return err;
}

/* Reads the kept identity and learns from it who the other member is. */
static bool session_meet(struct session *session)
{
    enum err err = session_read_identity(session, buf_span(&session->remote_identity));

    if (err == ERR_NOMEM)
        session_fail(session, err);
    else if (err != ERR_OK)
        session_violation(session, LINK_IDENTITY_RULE);
    session->options.peer = session->chain.member;
    return err == ERR_OK;
}

/* PROTOCOL LINK-4: "A bye follows. Whoever meets its own root at the other end refuses with self."
 */
static void session_refuse(struct session *session, enum refusal refusal)
{
    message_put_refused(refusal, &session->out);
    message_put_bye(BYE_DONE, &session->out);
    session_end(session, SESSION_END_REFUSED, "the invitation makes no link");
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
    if (!session_meet(session))
        return;
    message_put_identity(session->options.identity, &session->out);
    if (session_is_own(session)) {
        session_refuse(session, REFUSAL_SELF);
        return;
    }
    session->phase = PHASE_CLAIMING;
    session_ask_node(session, true, NULL);
}

/* The acceptor learns who invited it. */
/* PROTOCOL LINK-1: "Root and chain come once, and end with the key that the handshake proved. The
 * acceptor's come in message 3, the inviter's as its first message." */
static void session_on_inviter(struct session *session, struct span identity)
{
    struct session_effect *effect;

    if (session->phase != PHASE_AWAIT_IDENTITY) {
        session_violation(session, LINK_IDENTITY_RULE);
        return;
    }
    buf_clear(&session->remote_identity);
    buf_append(&session->remote_identity, identity);
    if (session->remote_identity.is_failed) {
        session_fail(session, ERR_NOMEM);
        return;
    }
    if (!session_meet(session))
        return;
    if (session_is_own(session)) {
        effect = session_effect(session, SESSION_REFUSED);
        if (effect != NULL)
            effect->refusal = REFUSAL_SELF;
        message_put_bye(BYE_DONE, &session->out);
        session_end(session, SESSION_END_REFUSED, "the invitation is one's own");
        return;
    }
    session->phase = PHASE_AWAIT_LINK;
}

/* PROTOCOL LINK-3: "One link message comes from each side, the inviter's first and with the link
 * secret, the acceptor's without. The acceptor stores the link before it answers." */
static void session_on_link(struct session *session, const struct link_message *link)
{
    bool is_acceptor = session->options.role == SESSION_ACCEPTOR;

    if (session->phase != PHASE_AWAIT_LINK || link->has_secret != is_acceptor) {
        session_violation(session, "LINK-3: One link message comes from each side, the inviter's "
                                   "first and with the link secret, the acceptor's without.");
        return;
    }
    session->phase = is_acceptor ? PHASE_MAKING : PHASE_COMPLETING;
    session_ask_node(session, false, link);
}

/* PROTOCOL LINK-4: "A refusal comes in place of the inviter's link message and has one of five
 * reasons." */
static void session_on_refused(struct session *session, enum refusal refusal)
{
    struct session_effect *effect;

    if (session->options.role != SESSION_ACCEPTOR || session->phase != PHASE_AWAIT_LINK ||
        refusal < REFUSAL_SPENT || refusal > REFUSAL_BLOCKED) {
        session_violation(session, "LINK-4: A refusal comes in place of the inviter's link message "
                                   "and has one of five reasons.");
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
        session_on_inviter(session, message->identity);
    else if (message->type == MESSAGE_LINK)
        session_on_link(session, &message->link);
    else
        session_on_refused(session, message->refusal);
}

/* PROTOCOL LINK-4: "An acceptor that cannot make the link says bye 1." */
/* PROTOCOL LINK-5: "After its link message the acceptor says hello at once. The inviter says hello
 * when it has stored what the acceptor told; what comes meanwhile waits, in order." */
void session_link_answered(struct session *session, const struct session_event *event)
{
    enum session_phase phase = session->phase;

    if (phase != PHASE_CLAIMING && phase != PHASE_MAKING && phase != PHASE_COMPLETING)
        return;
    if (event->link.is_forged) {
        session_violation(session, "LINK-7: The spaces that a link message or a hello tells are "
                                   "two, and each is new to its reader or known as that space of "
                                   "its sender.");
        return;
    }
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
