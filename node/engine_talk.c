/* Sessions: their effects become the engine's, their bytes are sealed. Which of two sessions with
 * one device stays. */
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/engine_state.h"

/* Which of two sessions stays. */

/* PROTOCOL HANDSHAKE-8: "Of two sessions between the same devices confirmed within 10 s the one
 * dialled by the lesser device id stays; later the newer one. One whose called device was named by
 * an old name (HANDSHAKE-10) gives way to one by its own name, whenever each was confirmed, once it
 * has told the facts." */
static bool engine_talk_keeps(const struct engine *engine, const struct engine_conn *new_one,
                              const struct engine_conn *old_one)
{
    const struct public_key *own = ledger_device(engine->ledger);
    bool is_own_lower = span_order(span_of(own->bytes, 32), span_of(new_one->device.bytes, 32)) < 0;

    if (new_one->is_called_by_old_name != old_one->is_called_by_old_name)
        return old_one->is_called_by_old_name;
    if (engine->now_ms > old_one->confirmed_at_ms + ENGINE_REPLACE_MS ||
        new_one->is_outbound == old_one->is_outbound)
        return true;
    return new_one->is_outbound == is_own_lower;
}

static void engine_talk_settle(struct engine *engine, struct engine_conn *conn)
{
    struct session_event stop = {.type = SESSION_STOP, .stop = BYE_REPLACED};

    for (struct engine_conn *other = engine->conns; other != NULL; other = other->next) {
        if (other == conn || other->state != CONN_SESSION || !other->is_confirmed ||
            !public_key_is_equal(&other->device, &conn->device) ||
            !public_key_is_equal(&other->member, &conn->member) ||
            session_is_linking(other->session))
            continue;
        if (!engine_talk_keeps(engine, conn, other)) {
            conn->is_spare = true; /* Its own effects are still under way. */
            return;
        }
        engine_talk_event(engine, other, &stop);
    }
}

/* Effects of sessions. */

static void engine_talk_reached(struct engine *engine, const struct engine_conn *conn,
                                struct span addresses)
{
    struct engine_effect *effect = engine_effect(engine, ENGINE_REACHED, conn->id);

    if (effect == NULL)
        return;
    effect->reached.device = conn->device;
    effect->reached.addresses = addresses;
    effect->reached.seen_at_ms = engine->wall_ms;
    effect->reached.has_place = !conn->is_outbound;
    strangers_place(&conn->address, effect->reached.place);
}

/* secret: of the link, which this session spoke under; NULL: the session made the link. */
static void engine_talk_tell_confirmed(struct engine *engine, const struct engine_conn *conn,
                                       const uint8_t *secret)
{
    struct engine_effect *effect = engine_effect(engine, ENGINE_CONFIRMED, conn->id);

    if (effect == NULL)
        return;
    effect->confirmed.member = conn->member;
    effect->confirmed.has_secret = secret != NULL;
    if (secret != NULL)
        link_secret_hash(secret, &effect->confirmed.secret);
}

void engine_talk_tell_met(struct engine *engine, const struct engine_conn *conn)
{
    struct engine_effect *effect = engine_effect(engine, ENGINE_MET, conn->id);

    if (effect != NULL)
        effect->member = conn->member;
}

/* The first frame decrypted: the other side holds its keys. */
/* PROTOCOL HANDSHAKE-6: "No effect is felt (nobody is online, no address is learnt) before the
 * first frame of the other side opens." */
static void engine_talk_confirmed(struct engine *engine, struct engine_conn *conn)
{
    struct peer *peer;

    conn->is_confirmed = true;
    conn->confirmed_at_ms = conn->rekeyed_at_ms = engine->now_ms;
    if (!conn->is_outbound)
        strangers_know(engine->strangers, &conn->address, 0, engine->now_ms);
    if (conn->target != NULL) {
        if (!conn->target->is_old_name)
            conn->target->failures = 0;
        conn->target->was_reached = true;
        conn->target->is_unheard = conn->target->told_unheard = false;
    }
    engine_wake_by(engine, session_wake_at_ms(conn->session));
    if (conn->role != SESSION_PEER)
        return;
    peer = secret_new(sizeof *peer);
    /* The link may speak under another secret by now than when this call began. */
    if (peer != NULL && view_peer(&engine->snapshot, &conn->member, peer) == ERR_OK &&
        !peer->is_confirmed && peer->has_secret &&
        secret_is_equal(conn->psk, peer->secret, KEY_SIZE))
        engine_talk_tell_confirmed(engine, conn, conn->psk);
    secret_wipe(conn->psk, sizeof conn->psk);
    secret_free(peer);
    if (conn->known != NULL && conn->known->is_awaited)
        engine_talk_tell_met(engine, conn);
    (void)engine_effect(engine, ENGINE_PRESENCE, conn->id); /* A failure is remembered. */
}

/* The other side's hello: a link made in this session stands on both sides now. */
static void engine_talk_hello(struct engine *engine, struct engine_conn *conn,
                              struct span addresses)
{
    if (conn->role == SESSION_ACCEPTOR)
        engine_talk_tell_confirmed(engine, conn, NULL);
    conn->role = SESSION_PEER;
    if (engine_has_many(engine, conn)) { /* Each under an invitation, as a device of its own. */
        engine_close(engine, conn);
        return;
    }
    engine_talk_reached(engine, conn, addresses);
    engine_heal_look(engine);
    (void)engine_effect(engine, ENGINE_PRESENCE, conn->id); /* A failure is remembered. */
    engine_talk_settle(engine, conn);
}

/* An effect the session waits for the answer of. Without memory for it the session is over: it
 * would wait for ever. */
static struct engine_effect *engine_talk_asked(struct engine *engine, struct engine_conn *conn,
                                               enum engine_effect_type type,
                                               uint64_t session_ticket, uint64_t *out_ticket)
{
    struct engine_effect *effect = NULL;
    struct ticket unused;

    *out_ticket = tickets_draw(&engine->tickets, conn->id, session_ticket);
    if (*out_ticket != 0)
        effect = engine_effect(engine, type, conn->id);
    if (effect != NULL)
        return effect;
    (void)tickets_take(&engine->tickets, *out_ticket, &unused); /* It may not be there. */
    engine->is_failed = true;
    engine_close(engine, conn);
    return NULL;
}

static void engine_talk_link(struct engine *engine, struct engine_conn *conn,
                             const struct session_effect *from)
{
    struct engine_effect *effect;
    uint64_t ticket;

    conn->member = from->link.chain.member;
    conn->device = device_of(&from->link.chain)->device;
    effect = engine_talk_asked(engine, conn, ENGINE_LINK, 0, &ticket);
    if (effect == NULL)
        return;
    effect->link.ticket = ticket;
    effect->link.step = from->link.is_claim              ? ENGINE_LINK_CLAIM
                        : conn->role == SESSION_ACCEPTOR ? ENGINE_LINK_MAKE
                                                         : ENGINE_LINK_COMPLETE;
    effect->link.request = (struct link_request){.invitation = conn->invitation,
                                                 .chain = from->link.chain,
                                                 .next_root = from->link.next_root,
                                                 .identity = from->link.identity,
                                                 .message = from->link.message,
                                                 .my_addresses = buf_span(&engine->addresses)};
}

static void engine_talk_ingest(struct engine *engine, struct engine_conn *conn,
                               const struct session_effect *from)
{
    uint64_t ticket;
    struct engine_effect *effect =
        engine_talk_asked(engine, conn, ENGINE_INGEST, from->ingest.ticket, &ticket);

    if (effect == NULL) {
        verified_batch_free(from->ingest.batch);
        return;
    }
    effect->ingest.ticket = ticket;
    effect->ingest.batch = from->ingest.batch;
    effect->ingest.is_shared = engine_sibling_is(engine, &conn->member);
}

static void engine_talk_fill(struct engine *engine, struct engine_conn *conn,
                             const struct session_effect *from)
{
    uint64_t ticket;
    struct engine_effect *effect =
        engine_talk_asked(engine, conn, ENGINE_FILL, from->fill.ticket, &ticket);

    if (effect == NULL)
        return;
    effect->fill.ticket = ticket;
    effect->fill.log = from->fill.log;
    effect->fill.seq = from->fill.seq;
    effect->fill.payload = from->fill.payload;
}

static const char *engine_talk_name(struct engine *engine, const struct engine_conn *conn)
{
    const struct engine_target *target = engine_call_target(engine, &conn->device);

    return target != NULL ? target->name : "";
}

/* Its next call waits as if nobody had answered: an upgrade takes its time. */
static void engine_talk_version(struct engine *engine, struct engine_conn *conn, const char *rule)
{
    struct engine_target *target = engine_call_target(engine, &conn->device);

    conn->is_of_another_version = true;
    engine_journal_version(
        engine, target != NULL ? &target->version_quiet_until_ms : &engine->version_quiet_until_ms,
        engine_talk_name(engine, conn), rule);
}

static void engine_talk_end(struct engine *engine, struct engine_conn *conn,
                            enum session_end_reason reason, const char *rule)
{
    const char *name = engine_talk_name(engine, conn);

    switch (reason) {
    case SESSION_END_VIOLATION:
        engine_journal(engine, "violation", name, rule);
        engine_call_violated(engine, &conn->device, &conn->member);
        break;
    case SESSION_END_FORK:
        engine_journal(engine, "fork", name, rule);
        break;
    case SESSION_END_VERSION:
        engine_talk_version(engine, conn, rule);
        break;
    case SESSION_END_STORE:
        engine_journal(engine, "store", name, rule);
        break;
    case SESSION_END_REPLACED:
        conn->was_replaced = true;
        break;
    case SESSION_END_DONE:
    case SESSION_END_SILENT:
    case SESSION_END_REFUSED:
        break;
    }
    if (channel_seal(conn->channel, span_of(NULL, 0), true, &conn->out) != ERR_OK)
        buf_clear(&conn->out); /* At the end of its counter: the other side sees a cut. */
    engine_close(engine, conn);
}

/* Told once in a run of the node, however often the two meet. */
static void engine_talk_full(struct engine *engine, struct engine_conn *conn, bool is_theirs)
{
    struct engine_target *target = conn->known;
    bool *was_told = target == NULL ? NULL : is_theirs ? &target->told_held : &target->told_full;

    if (was_told != NULL && *was_told)
        return;
    if (was_told != NULL)
        *was_told = true;
    engine_journal(engine, "full", engine_talk_name(engine, conn),
                   is_theirs ? "takes no more of what you share until there is room there"
                             : "shares more than is kept here: no more is taken until there is "
                               "room");
}

static void engine_talk_effect(struct engine *engine, struct engine_conn *conn,
                               const struct session_effect *from)
{
    struct engine_effect *effect;

    switch (from->type) {
    case SESSION_SEND:
        if (channel_seal(conn->channel, from->bytes, false, &conn->out) != ERR_OK)
            engine_close(engine, conn);
        break;
    case SESSION_INGEST:
        engine_talk_ingest(engine, conn, from);
        break;
    case SESSION_RETURNED:
        engine_heal_returned(engine, conn, from);
        break;
    case SESSION_FILL:
        engine_talk_fill(engine, conn, from);
        break;
    case SESSION_FACTS:
        engine_heal_facts(engine, conn, from->facts);
        break;
    case SESSION_REBASE:
        engine_heal_rebase(engine, conn, from);
        break;
    case SESSION_LINK:
        engine_talk_link(engine, conn, from);
        break;
    case SESSION_CONFIRMED:
        engine_talk_confirmed(engine, conn);
        break;
    case SESSION_ADDRESSES:
        engine_talk_hello(engine, conn, from->addresses);
        break;
    case SESSION_DELIVERED:
        effect = engine_effect(engine, ENGINE_DELIVERED, conn->id);
        if (effect != NULL) {
            effect->delivered.peer = conn->member;
            effect->delivered.log = from->delivered.log;
            effect->delivered.size = from->delivered.size;
        }
        break;
    case SESSION_IN_STEP:
        (void)engine_effect(engine, ENGINE_PRESENCE, conn->id); /* A failure is remembered. */
        break;
    case SESSION_FULL:
        engine_talk_full(engine, conn, from->is_theirs);
        break;
    case SESSION_REFUSED:
        effect = engine_effect(engine, ENGINE_REFUSED, conn->id);
        if (effect != NULL) {
            effect->refused.acceptance = conn->invitation;
            effect->refused.refusal = from->refusal;
        }
        break;
    case SESSION_END:
        engine_talk_end(engine, conn, from->end.reason, from->end.rule);
        break;
    }
}

void engine_talk_event(struct engine *engine, struct engine_conn *conn, struct session_event *event)
{
    const struct session_effect *effects;
    struct session *session = conn->session;
    size_t count;
    enum err err;

    if (!engine_look(engine)) {
        engine_close(engine, conn);
        return;
    }
    engine_touch(engine, conn);
    event->now_ms = engine->now_ms;
    event->thrift = engine_bear_thrift(engine);
    if (session_has_worked(session))
        event->sharers = 1 + engine_others_with(engine, conn);
    err = session_step(session, event, &engine->replica, &effects, &count);
    for (size_t at = 0; at < count; at++)
        if (conn->state == CONN_SESSION)
            engine_talk_effect(engine, conn, &effects[at]);
        else if (effects[at].type == SESSION_INGEST)
            verified_batch_free(effects[at].ingest.batch);
        else if (effects[at].type == SESSION_RETURNED)
            returned_free(effects[at].returned.returned);
    if (err != ERR_OK && conn->state == CONN_SESSION)
        engine_close(engine, conn);
    session_sent(session);
    if (session_is_resting(session))
        engine_wake_by(engine, session_wake_at_ms(session));
    engine_bear_count(engine, conn);
    if (conn->is_spare && conn->state == CONN_SESSION) {
        struct session_event stop = {.type = SESSION_STOP, .stop = BYE_REPLACED};

        conn->is_spare = false;
        engine_talk_event(engine, conn, &stop);
    }
}

/* From the handshake to the first event. */

void engine_talk_start(struct engine *engine, struct engine_conn *conn,
                       const struct handshake_result *result, struct span remote_identity)
{
    struct session_options options = {.role = conn->role,
                                      .handshake_hash = {0},
                                      .member = *ledger_member(engine->ledger),
                                      .peer = conn->member,
                                      .remote_identity = remote_identity,
                                      .addresses = buf_span(&engine->addresses)};
    struct session_event start = {.type = SESSION_STARTED};
    struct buf identity = {0};
    enum err err = ERR_OK;

    secret_free(conn->handshake);
    conn->handshake = NULL;
    conn->channel = secret_new(sizeof *conn->channel);
    memcpy(options.remote_static, result->remote_static, KEY_SIZE);
    memcpy(options.handshake_hash, result->hash.bytes, HASH_SIZE);
    memcpy(conn->handshake_hash, result->hash.bytes, HASH_SIZE);
    if (conn->role == SESSION_PEER) {
        options.remote_device = conn->device;
        enum standing standing = engine_heal_standing(engine, &conn->device, &conn->member);

        options.is_remote_retired = standing != STANDING_GOOD;
        conn->is_out = options.is_remote_out = standing_is_out(standing);
    }
    if (conn->is_called_by_old_name)
        err = engine_heal_old_name(engine, conn, &options, &identity);
    else if (conn->role == SESSION_INVITER)
        err = view_identity(&engine->snapshot, &identity);
    options.identity = buf_span(&identity);
    if (err == ERR_OK)
        err = conn->channel != NULL ? session_new(&options, &conn->session) : ERR_NOMEM;
    buf_release(&identity);
    if (err != ERR_OK) {
        engine_close(engine, conn);
        return;
    }
    channel_init(conn->channel, result->send_key, result->receive_key);
    if (!engine_begin_session(engine, conn)) {
        engine_close(engine, conn);
        return;
    }
    engine_wake_by(engine, conn->begun_at_ms + ENGINE_CONFIRM_MS);
    engine_talk_event(engine, conn, &start);
}

void engine_talk_bytes(struct engine *engine, struct engine_conn *conn)
{
    struct session_event event = {.type = SESSION_BYTES};
    enum err err;

    buf_clear(&engine->content);
    err = channel_open(conn->channel, &conn->in, &engine->content);
    if (engine->content.size > 0) {
        event.bytes = buf_span(&engine->content);
        engine_talk_event(engine, conn, &event);
    }
    if (conn->state != CONN_SESSION)
        return;
    if (err != ERR_OK) {
        /* The network may have done that: it is told, and not counted against anybody. */
        if (err == ERR_NOMEM)
            engine->is_failed = true;
        else if (conn->is_confirmed)
            engine_journal(engine, "broken", engine_talk_name(engine, conn),
                           "a frame that cannot be opened");
        else if (conn->is_outbound && conn->target != NULL)
            engine_call_failed(engine, conn->target);
        engine_close(engine, conn);
    } else if (channel_is_closed(conn->channel)) {
        conn->is_clean = true;
        engine_close(engine, conn);
    }
}

bool engine_is_resting(struct engine *engine, conn_id id)
{
    const struct engine_conn *conn = engine_find(engine, id);

    return conn != NULL && conn->state == CONN_SESSION && session_is_resting(conn->session);
}

void engine_talk_stalled(struct engine *engine, struct engine_conn *conn)
{
    engine_journal(engine, "slow", engine_talk_name(engine, conn),
                   "took nothing for a minute; the conversation was ended and will be tried again");
    engine_close(engine, conn);
}

/* Answers of the writer thread. */

void engine_talk_answered(struct engine *engine, const struct engine_event *event)
{
    struct ticket ticket;
    struct engine_conn *conn;
    struct session_event answer = {0};
    bool is_link = event->type == ENGINE_LINK_ANSWERED;

    if (!tickets_take(&engine->tickets, is_link ? event->link.ticket : event->committed.ticket,
                      &ticket))
        return;
    conn = engine_find(engine, ticket.conn);
    if (conn == NULL || conn->state != CONN_SESSION)
        return;
    if (!is_link) {
        answer.type = SESSION_COMMITTED;
        answer.committed.ticket = ticket.session_ticket;
        answer.committed.err = event->committed.err;
    } else if (event->link.err != ERR_OK && event->link.err != ERR_FORGED) {
        engine_journal(engine, "store", "", "a link could not be stored; it will be tried again");
        engine_close(engine, conn);
        return;
    } else {
        answer.type = SESSION_LINK_ANSWERED;
        answer.link.is_forged = event->link.err == ERR_FORGED;
        answer.link.is_refused = event->link.answer->is_refused;
        answer.link.refusal = event->link.answer->refusal;
        answer.link.has_message = event->link.answer->has_message;
        answer.link.message = event->link.answer->message;
    }
    engine_talk_event(engine, conn, &answer);
    secret_wipe(&answer, sizeof answer);
}
