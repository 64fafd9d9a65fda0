/*
 * Handshakes. To strangers every refusal looks alike: the connection closes and not one byte was
 * sent. The knock says which secret counts: an invitation's its own, the member's the secrets of
 * the link the revealed key belongs to.
 */
#include <string.h>

#include "crypto/secret.h"
#include "node/engine_state.h"
#include "storage/standing.h"

/* The one who is called. */

/* PROTOCOL KNOCK-5: "A knock that fits under another version byte is told to the owner and
 * answered by silence." */
static bool engine_greet_fits(struct engine *engine, struct span first,
                              const uint8_t knock[static KEY_SIZE], const char *who)
{
    enum err err = handshake_check_knock(first, knock);

    if (err == ERR_VERSION)
        engine_journal_version(engine, &engine->version_quiet_until_ms, "", who);
    return err == ERR_OK;
}

static const struct engine_invitation *engine_greet_invitation(struct engine *engine,
                                                               struct span first)
{
    struct span selector = handshake_selector(first);

    for (size_t at = 0; at < engine->invitations_count; at++) {
        const struct engine_invitation *invitation = &engine->invitations[at];

        if (memcmp(invitation->keys.selector, selector.data, HANDSHAKE_SELECTOR_SIZE) == 0 &&
            engine_greet_fits(engine, first, invitation->keys.knock,
                              "somebody you invited called with another version of kith"))
            return invitation;
    }
    return NULL;
}

/* PROTOCOL KNOCK-4: "The newest eight knock keys are answered." */
static bool engine_greet_knock(struct engine *engine, struct span first)
{
    static const char *who = "somebody you know called with another version of kith";
    const uint8_t *mutual;

    for (size_t at = 0; at < engine->knocks_count; at++)
        if (engine_greet_fits(engine, first, engine->knocks + at * KEY_SIZE, who))
            return true;
    for (size_t at = 0; (mutual = engine_mutual_knock(engine, at)) != NULL; at++)
        if (engine_greet_fits(engine, first, mutual, who))
            return true;
    return false;
}

static void engine_greet_first(struct engine *engine, struct engine_conn *conn)
{
    struct span first = span_of(conn->in.data, HANDSHAKE_FIRST_SIZE);
    const struct engine_invitation *invitation = engine_greet_invitation(engine, first);
    enum err err;

    /* Before the first multiplication: seen already, or too much of it for now? */
    if ((invitation == NULL && !engine_greet_knock(engine, first)) ||
        !strangers_may_answer(engine->strangers, &conn->address, handshake_ephemeral(first).data,
                              engine->now_ms)) {
        engine_refuse(engine, conn);
        return;
    }
    conn->role = invitation != NULL ? SESSION_INVITER : SESSION_PEER;
    if (invitation != NULL) {
        conn->invitation = invitation->id;
        memcpy(conn->psk, invitation->keys.psk, KEY_SIZE);
    }
    conn->handshake = secret_new(sizeof *conn->handshake);
    err = conn->handshake != NULL ? engine_heal_answer(engine, conn, first) : ERR_NOMEM;
    if (err != ERR_OK) {
        buf_clear(&conn->out);
        engine_refuse(engine, conn);
        return;
    }
    buf_drop(&conn->in, HANDSHAKE_FIRST_SIZE);
    conn->state = CONN_AWAIT_THIRD;
    engine_wake_by(engine, conn->begun_at_ms + ENGINE_CONFIRM_MS);
}

/* The two newest secrets of the link the revealed key belongs to. */
/* PROTOCOL HANDSHAKE-4: "The psk is the invitation's under an invitation's knock, else the link
 * secret of the member whose device has the static key that message 3 reveals: the newest, then
 * the one before it. No link, no match: the connection closes without a word." */
struct engine_greet_try {
    struct engine *engine;
    struct engine_conn *conn;
    struct span third;
    struct buf *content;
    struct handshake_result *result;
    struct peer *peer; /* secret */
    bool is_refused;   /* whoever it is, there is a reason why it gets no answer */
};

static enum err engine_greet_try_peer(struct engine_greet_try *try, const struct device_row *device)
{
    struct engine *engine = try->engine;
    struct handshake *handshake = try->conn->handshake;
    struct peer *peer = try->peer;
    enum err err = view_peer(&engine->snapshot, &device->member, peer);

    if (err == ERR_OK &&
        (peer->state != LINK_LINKED || !peer->has_secret || !peer->has_pair_in ||
         engine_call_is_banned(engine, &device->device, &device->member) ||
         engine_heal_standing(engine, &device->device, &device->member) >= STANDING_STOLEN)) {
        try->is_refused = true;
        return ERR_FORGED;
    }
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_FORGED : err;
    err = handshake_try_psk(handshake, try->third, peer->secret, try->content, try->result);
    if (err == ERR_OK)
        memcpy(try->conn->psk, peer->secret, KEY_SIZE);
    if (err == ERR_FORGED && peer->has_secret_old)
        err = handshake_try_psk(handshake, try->third, peer->secret_old, try->content, try->result);
    return err;
}

/* More than one device may be called so: the secret says who it is. */
static enum err engine_greet_on_device(void *self, const struct device_row *device)
{
    struct engine_greet_try *try = self;
    struct engine_conn *conn = try->conn;
    enum err err;

    try->is_refused |= engine_sibling_is(try->engine, &device->member);
    if (engine_sibling_is(try->engine, &device->member))
        err = engine_sibling_try(try->engine, conn, try->third, device, try->content, try->result);
    else
        err = engine_greet_try_peer(try, device);
    if (err != ERR_OK)
        return err == ERR_FORGED || err == ERR_MALFORMED ? ERR_OK : err;
    conn->member = device->member;
    conn->device = device->device;
    return ERR_CANCELLED;
}

static enum err engine_greet_try_link(struct engine *engine, struct engine_conn *conn,
                                      struct span third, const uint8_t static_key[static KEY_SIZE],
                                      struct buf *content, struct handshake_result *result)
{
    struct engine_greet_try try = {.engine = engine,
                                   .conn = conn,
                                   .third = third,
                                   .content = content,
                                   .result = result,
                                   .peer = secret_new(sizeof *try.peer)};
    enum err err = try.peer != NULL ? view_device_each_static(&engine->snapshot, static_key,
                                                              engine_greet_on_device, &try)
                                    : ERR_NOMEM;

    secret_free(try.peer);
    if (err == ERR_CANCELLED)
        return ERR_OK;
    if (err == ERR_OK) /* None of these: somebody whose device is not known yet? */
        err = try.is_refused ? ERR_FORGED : ERR_NOT_FOUND;
    return err;
}

static void engine_greet_third(struct engine *engine, struct engine_conn *conn, size_t size)
{
    struct span third = span_of(conn->in.data, size);
    struct handshake_result *result = secret_new(sizeof *result);
    uint8_t static_key[KEY_SIZE];
    struct buf content = {0};
    enum err err = result != NULL && engine_look(engine) ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK)
        err = handshake_reveal(conn->handshake, third, static_key);
    if (err == ERR_OK && conn->role == SESSION_INVITER)
        err = handshake_try_psk(conn->handshake, third, conn->psk, &content, result);
    else if (err == ERR_OK)
        err = engine_greet_try_link(engine, conn, third, static_key, &content, result);
    if (err == ERR_NOT_FOUND)
        err = engine_heal_search(engine, conn, third, static_key, &content, result);
    if (err == ERR_OK) {
        buf_drop(&conn->in, size);
        engine_talk_start(engine, conn, result, buf_span(&content));
    } else {
        engine_refuse(engine, conn);
    }
    buf_release(&content);
    secret_free(result);
}

/* The one who dials. */

static enum err engine_greet_dial_keys(struct engine *engine, struct engine_conn *conn,
                                       struct handshake_dial *dial,
                                       struct handshake_invitation *invited, struct peer *peer,
                                       uint8_t room[static 2 * KEY_SIZE])
{
    struct engine_target *target = conn->target;
    enum err err;

    dial->own_static = ledger_static_key(engine->ledger);
    dial->remote_static = target->static_key;
    if (target->is_acceptance) {
        struct invitation invitation;

        err = engine_call_acceptance(engine, &target->acceptance, &invitation);
        if (err != ERR_OK)
            return err;
        handshake_invitation(invitation.secret, INVITATION_SECRET_SIZE, invited);
        dial->knock = invited->knock;
        dial->selector = invited->selector;
        dial->psk = invited->psk;
        secret_wipe(&invitation, sizeof invitation);
        return ERR_OK;
    }
    if (engine_sibling_is(engine, &target->member))
        return engine_sibling_dial_keys(engine, target, room, dial);
    err = view_peer(&engine->snapshot, &target->member, peer);
    if (err == ERR_OK &&
        (peer->state != LINK_LINKED || !peer->has_secret || !peer->has_pair_in || !peer->has_knock))
        err = ERR_STATE;
    /* PROTOCOL KNOCK-4: "After each failure in turn it is the one of the link message: a member
     * whose machine went back may not know what it told last." */
    dial->knock = target->failures % 2 == 0 ? peer->knock : peer->knock_first;
    dial->psk = peer->secret;
    memcpy(conn->psk, peer->secret, KEY_SIZE);
    return err;
}

void engine_greet_dialled(struct engine *engine, struct engine_conn *conn)
{
    struct handshake_invitation *invited = secret_new(sizeof *invited);
    struct peer *peer = secret_new(sizeof *peer);
    uint8_t *room = secret_new((size_t)2 * KEY_SIZE);
    struct handshake_dial dial = {0};
    enum err err = invited != NULL && peer != NULL && room != NULL && conn->target != NULL &&
                           engine_look(engine)
                       ? ERR_OK
                       : ERR_NOMEM;

    engine_touch(engine, conn);
    conn->handshake = secret_new(sizeof *conn->handshake);
    if (conn->handshake == NULL)
        err = ERR_NOMEM;
    if (err == ERR_OK)
        err = engine_greet_dial_keys(engine, conn, &dial, invited, peer, room);
    if (err == ERR_OK)
        err = handshake_dial(conn->handshake, &dial, ledger_entropy(engine->ledger), &conn->out);
    secret_free(invited);
    secret_free(peer);
    secret_free(room);
    if (err != ERR_OK) {
        buf_clear(&conn->out);
        if (conn->target != NULL)
            engine_call_failed(engine, conn->target);
        engine_refuse(engine, conn);
        return;
    }
    conn->state = CONN_AWAIT_SECOND;
    conn->begun_at_ms = engine->now_ms;
    engine_wake_by(engine, conn->begun_at_ms + ENGINE_CONFIRM_MS);
}

static void engine_greet_second(struct engine *engine, struct engine_conn *conn)
{
    struct span second = span_of(conn->in.data, HANDSHAKE_SECOND_SIZE);
    struct handshake_result *result = secret_new(sizeof *result);
    struct buf identity = {0};
    enum err err = result != NULL && engine_look(engine) ? ERR_OK : ERR_NOMEM;

    /* PROTOCOL OWN-3: "A dialler sends its identity (CERT-4) in message 3 to devices of its own
     * member always." */
    /* PROTOCOL HANDSHAKE-9: "A dialler sends its identity until the member it calls has
     * acknowledged something of its log in the card space, and after a call that was not answered
     * once it had said who calls: that machine may have gone back to before it knew." */
    if (err == ERR_OK &&
        (conn->role == SESSION_ACCEPTOR || engine_sibling_is(engine, &conn->member) ||
         (conn->target != NULL && conn->target->is_unheard) ||
         !engine_heal_is_known(engine, &conn->member)))
        err = view_identity(&engine->snapshot, &identity);
    if (err == ERR_OK)
        err = handshake_finish(conn->handshake, second, buf_span(&identity),
                               ledger_entropy(engine->ledger), &conn->out, result);
    buf_release(&identity);
    if (err == ERR_OK) {
        if (conn->target != NULL)
            engine_call_unheard(engine, conn->target);
        buf_drop(&conn->in, HANDSHAKE_SECOND_SIZE);
        engine_talk_start(engine, conn, result, span_of(NULL, 0));
    } else {
        if (conn->target != NULL)
            engine_call_failed(engine, conn->target);
        engine_refuse(engine, conn);
    }
    secret_free(result);
}

void engine_greet_bytes(struct engine *engine, struct engine_conn *conn)
{
    if (conn->state == CONN_AWAIT_FIRST && conn->in.size >= HANDSHAKE_FIRST_SIZE)
        engine_greet_first(engine, conn);
    if (conn->state == CONN_AWAIT_SECOND && conn->in.size >= HANDSHAKE_SECOND_SIZE)
        engine_greet_second(engine, conn);
    if (conn->state == CONN_AWAIT_THIRD && conn->in.size >= 2) {
        size_t size = handshake_third_size(buf_span(&conn->in));

        if (size == 0)
            engine_refuse(engine, conn);
        else if (conn->in.size >= size)
            engine_greet_third(engine, conn, size);
    }
}
