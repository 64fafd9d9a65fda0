/*
 * One step: an event is handed to the file it concerns, what sessions and handshakes want to send
 * is sealed and collected, and connections that are over are freed. Read engine_greet.c for
 * handshakes, engine_talk.c for sessions, engine_call.c for whom to call.
 */
#include "node/engine_state.h"

#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"

enum { ENGINE_LONGEST_SLEEP_MS = 60000, ENGINE_RELOAD_MS = 1000 };

/* Effects. */

/* What a link is made with stays nowhere. */
static void engine_forget(struct engine *engine)
{
    for (size_t at = 0; at < engine->effects_count; at++)
        if (engine->effects[at].type == ENGINE_LINK)
            secret_wipe(&engine->effects[at], sizeof engine->effects[at]);
}

struct engine_effect *engine_effect(struct engine *engine, enum engine_effect_type type,
                                    conn_id conn)
{
    struct engine_effect *effect;

    if (engine->effects_count == engine->effects_capacity) {
        size_t capacity = engine->effects_capacity == 0 ? 16 : engine->effects_capacity * 2;
        struct engine_effect *grown = heap_new(capacity * sizeof *grown);

        if (grown == NULL) {
            engine->is_failed = true;
            return NULL;
        }
        if (engine->effects_count > 0)
            memcpy(grown, engine->effects, engine->effects_count * sizeof *grown);
        engine_forget(engine);
        heap_free(engine->effects);
        engine->effects = grown;
        engine->effects_capacity = capacity;
    }
    effect = &engine->effects[engine->effects_count++];
    memset(effect, 0, sizeof *effect);
    effect->type = type;
    effect->conn = conn;
    return effect;
}

void engine_journal(struct engine *engine, const char *kind, const char *who, const char *text)
{
    struct engine_effect *effect = engine_effect(engine, ENGINE_JOURNAL, 0);

    if (effect == NULL)
        return;
    effect->journal.kind = kind;
    (void)snprintf(effect->journal.who, sizeof effect->journal.who, "%s",
                   who); /* Cut when too long. */
    (void)snprintf(effect->journal.text, sizeof effect->journal.text, "%s", text);
}

void engine_journal_version(struct engine *engine, uint64_t *quiet_until_ms, const char *who,
                            const char *text)
{
    if (engine->now_ms < *quiet_until_ms)
        return;
    *quiet_until_ms = engine->now_ms + ENGINE_VERSION_MS;
    engine_journal(engine, "version", who, text);
}

void engine_wake_by(struct engine *engine, uint64_t at_ms)
{
    if (at_ms < engine->wake_at_ms)
        engine->wake_at_ms = at_ms;
}

bool engine_look(struct engine *engine)
{
    if (!engine->has_snapshot && ledger_snapshot(engine->ledger, &engine->snapshot) == ERR_OK) {
        engine->has_snapshot = true;
        replica_of(&engine->snapshot, &engine->replica);
    }
    return engine->has_snapshot;
}

static void engine_on_bytes(struct engine *engine, struct engine_conn *conn, struct span bytes)
{
    buf_append(&conn->in, bytes);
    engine_touch(engine, conn);
    if (conn->in.is_failed || conn->in.size > ENGINE_IN_MAX) {
        engine_close(engine, conn);
        return;
    }
    if (conn->state != CONN_SESSION)
        engine_greet_bytes(engine, conn);
    if (conn->state == CONN_SESSION && conn->in.size > 0)
        engine_talk_bytes(engine, conn);
}

static void engine_on_gone(struct engine *engine, struct engine_conn *conn, bool was_dialling)
{
    if (was_dialling && conn->target != NULL)
        engine_call_failed(engine, conn->target);
    conn->is_closed_by_net = true;
    engine_close(engine, conn);
}

/* What touches many connections. */

/* Can this space be shared with this member? Says no only when it is sure: the session looks it up
 * again. Of a thousand sessions most have nothing to do with most commits. */
static bool engine_concerns(const struct engine *engine, const struct engine_conn *conn,
                            const struct space_row *space)
{
    if (engine_sibling_is(engine, &conn->member))
        return true;
    if (!space->is_mine)
        return public_key_is_equal(&conn->member, &space->writer);
    return space->kind != SPACE_SELF &&
           (space->kind != SPACE_PAIR || public_key_is_equal(&conn->member, &space->reader));
}

static void engine_on_news_of(struct engine *engine, const struct id *id)
{
    struct session_event event = {.type = SESSION_NEWS, .news = *id};
    struct space_row space;
    bool is_known = engine_look(engine) && ledger_space(&engine->snapshot, id, &space) == ERR_OK;

    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next)
        if (conn->state == CONN_SESSION && !session_is_linking(conn->session) &&
            (!is_known || engine_concerns(engine, conn, &space) ||
             session_is_ignoring(conn->session)))
            engine_talk_event(engine, conn, &event);
}

/* Every session with this member (NULL: with anybody) looks at all it shares. */
static void engine_ask(struct engine *engine, const struct public_key *member)
{
    struct session_event event = {.type = SESSION_SYNC_ASKED};

    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next)
        if (conn->state == CONN_SESSION && !session_is_linking(conn->session) &&
            (member == NULL || public_key_is_equal(&conn->member, member)))
            engine_talk_event(engine, conn, &event);
}

static void engine_on_news(struct engine *engine, const struct ledger_news *news)
{
    for (size_t at = 0; at < news->spaces_count; at++)
        engine_on_news_of(engine, &news->spaces[at]);
    if (news->is_cut)
        engine_ask(engine, NULL); /* More spaces than can be named have changed. */
}

/* Ends sessions with members there is no link with any more, and with devices that are shut out. */
static enum err engine_drop_unlinked(struct engine *engine)
{
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL && engine_look(engine) ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK)
        engine_heal_part(engine);
    for (struct engine_conn *conn = engine->conns; conn != NULL && err == ERR_OK;
         conn = conn->next) {
        struct session_event event = {.type = SESSION_STOP, .stop = BYE_DONE};

        if (conn->state != CONN_SESSION || conn->role != SESSION_PEER)
            continue;
        if (engine_sibling_is(engine, &conn->member))
            continue;
        err = view_peer(&engine->snapshot, &conn->member, peer);
        if (err == ERR_NOT_FOUND || (err == ERR_OK && peer->state != LINK_LINKED))
            engine_talk_event(engine, conn, &event);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    secret_free(peer);
    return err;
}

/* Where this node can be reached is stored, for what is told in writing (introductions). */
void engine_note_own(struct engine *engine)
{
    struct engine_effect *effect = engine_effect(engine, ENGINE_REACHED, 0);

    if (effect == NULL)
        return;
    effect->reached.device = *ledger_device(engine->ledger);
    effect->reached.addresses = buf_span(&engine->addresses);
    engine->has_noted = true;
}

/* What could not be read now is read in a while: a node that knows nobody is deaf. */
static void engine_on_peers_changed(struct engine *engine)
{
    if (!engine->has_noted)
        engine_note_own(engine);
    enum err err = engine_call_reload(engine);

    if (err == ERR_OK)
        err = engine_drop_unlinked(engine);
    engine->must_reload = err != ERR_OK;
    engine->is_failed |= engine->must_reload;
    if (engine->must_reload)
        engine_wake_by(engine, engine->now_ms + ENGINE_RELOAD_MS);
    engine_call_due(engine);
}

static void engine_on_stop(struct engine *engine)
{
    engine->is_stopping = true;
    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next) {
        struct session_event event = {.type = SESSION_STOP, .stop = BYE_DONE};

        if (conn->state == CONN_SESSION)
            engine_talk_event(engine, conn, &event);
        else
            engine_close(engine, conn);
    }
}

/* Keys change after a while; after half a day everything is proved anew, by a new handshake. */
static void engine_check_session(struct engine *engine, struct engine_conn *conn)
{
    struct session_event woken = {.type = SESSION_WOKEN};
    struct session_event stop = {.type = SESSION_STOP, .stop = BYE_DONE};
    uint64_t over_at_ms = conn->confirmed_at_ms + ENGINE_HANDSHAKE_MS +
                          (conn->is_outbound ? 0 : ENGINE_HANDSHAKE_GRACE_MS);

    if (session_is_linking(conn->session)) {
        over_at_ms = conn->confirmed_at_ms + ENGINE_LINK_MS;
        engine_wake_by(engine, over_at_ms);
    }
    if (engine->now_ms >= over_at_ms) {
        engine_talk_event(engine, conn, &stop);
        return;
    }
    if (conn->doubted_at_ms != 0 && engine_look(engine))
        engine_heal_part_from(engine, conn);
    if (conn->state != CONN_SESSION)
        return;
    if (engine->now_ms >= conn->rekeyed_at_ms + ENGINE_REKEY_MS) {
        channel_rekey(conn->channel);
        conn->rekeyed_at_ms = engine->now_ms;
    }
    if (engine->now_ms >= session_wake_at_ms(conn->session))
        engine_talk_event(engine, conn, &woken);
    if (conn->state == CONN_SESSION)
        engine_wake_by(engine, session_wake_at_ms(conn->session));
}

static void engine_check_conn(struct engine *engine, struct engine_conn *conn)
{
    uint64_t due =
        conn->begun_at_ms + (conn->state == CONN_AWAIT_FIRST ? ENGINE_FIRST_MS : ENGINE_CONFIRM_MS);

    if (conn->state == CONN_SESSION && conn->is_confirmed) {
        engine_check_session(engine, conn);
        return;
    }
    if (engine->now_ms < due) {
        engine_wake_by(engine, due);
        return;
    }
    if (conn->is_outbound && conn->target != NULL)
        engine_call_failed(engine, conn->target);
    engine_refuse(engine, conn);
}

static void engine_on_woken(struct engine *engine)
{
    engine->wake_at_ms = engine->now_ms + ENGINE_LONGEST_SLEEP_MS;
    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next)
        if (conn->state != CONN_CLOSED)
            engine_check_conn(engine, conn);
    if (engine->must_reload || engine->now_ms >= engine->knocks_look_ms)
        engine_on_peers_changed(engine);
    else
        engine_call_due(engine);
    engine_sibling_tend(engine);
}

/* A reaction may have made a link, or an own device elsewhere. Whoever was shut out hears nothing
 * of the same commit. */
static void engine_on_commit(struct engine *engine, const struct ledger_news *news)
{
    if (news->has_links)
        engine_heal_part(engine);
    engine_on_news(engine, news);
    engine_heal_look(engine);
    if (news->has_links)
        engine_on_peers_changed(engine);
}

static void engine_on_event(struct engine *engine, const struct engine_event *event)
{
    struct engine_conn *conn = event->conn != 0 ? engine_find(engine, event->conn) : NULL;
    struct session_event drained = {.type = SESSION_DRAINED};

    switch (event->type) {
    case ENGINE_ACCEPTED:
        engine_admit(engine, event);
        break;
    case ENGINE_DIALLED:
        if (conn != NULL)
            engine_greet_dialled(engine, conn);
        break;
    case ENGINE_DIAL_FAILED:
    case ENGINE_CLOSED:
        if (conn != NULL)
            engine_on_gone(engine, conn, conn->is_outbound && !conn->is_confirmed);
        else
            engine_let_go(engine, event->conn);
        break;
    case ENGINE_BYTES:
        if (conn != NULL)
            engine_on_bytes(engine, conn, event->bytes);
        break;
    case ENGINE_DRAINED:
        if (conn != NULL)
            conn->unsent = 0;
        if (conn != NULL && conn->state == CONN_SESSION)
            engine_talk_event(engine, conn, &drained);
        break;
    case ENGINE_STALLED:
        if (conn != NULL)
            engine_talk_stalled(engine, conn);
        break;
    case ENGINE_COMMITTED:
    case ENGINE_LINK_ANSWERED:
        engine_talk_answered(engine, event);
        break;
    case ENGINE_NEWS:
        engine_on_commit(engine, event->news);
        break;
    case ENGINE_PEERS_CHANGED:
        engine_on_peers_changed(engine);
        break;
    case ENGINE_SUCCEEDED:
        engine_heal_succeeded(engine, event->successor);
        break;
    case ENGINE_DIAL_NOW:
        engine_ask(engine, event->dial.is_all ? NULL : &event->dial.member);
        engine_call_now(engine, event->dial.is_all ? NULL : &event->dial.member);
        break;
    case ENGINE_WOKEN:
        engine_on_woken(engine);
        break;
    case ENGINE_STOP:
        engine_on_stop(engine);
        break;
    }
}

/* The step. */

enum err engine_step(struct engine *engine, const struct engine_event *event,
                     const struct engine_effect **out_effects, size_t *out_count)
{
    engine_sweep(engine);
    engine_forget(engine);
    engine->effects_count = 0;
    engine->is_failed = false;
    engine->now_ms = event->now_ms;
    engine->wall_ms = event->wall_ms;
    engine_on_event(engine, event);
    engine_bear(engine);
    if (engine->has_snapshot) {
        ledger_snapshot_end(&engine->snapshot);
        engine->has_snapshot = false;
    }
    engine_collect(engine);
    *out_effects = engine->effects;
    *out_count = engine->effects_count;
    return engine->is_failed ? ERR_NOMEM : ERR_OK;
}

uint64_t engine_wake_at_ms(const struct engine *engine)
{
    return engine->wake_at_ms;
}

size_t engine_sessions_count(const struct engine *engine)
{
    return engine->sessions_count;
}

/* Who is there. */

/* What is written meanwhile was not announced: it makes nothing look done. */
uint64_t engine_crossed(const struct session_progress *progress)
{
    uint64_t received = progress->entries_received, sent = progress->entries_sent;

    if (received > progress->entries_expected)
        received = progress->entries_expected;
    if (sent > progress->entries_promised)
        sent = progress->entries_promised;
    return received + sent;
}

static void engine_add_session(const struct engine_conn *conn, struct op_presence *out)
{
    struct session_progress progress;

    session_progress(conn->session, &progress);
    if (conn->is_confirmed && !session_is_linking(conn->session)) {
        out->is_online = true;
        out->is_in_step |= session_is_in_step(conn->session);
        out->is_full |= session_is_full(conn->session, false);
        out->is_held |= session_is_full(conn->session, true);
    }
    out->sent += progress.entries_sent;
    out->received += progress.entries_received;
    out->bytes_sent += progress.bytes_sent;
    out->bytes_received += progress.bytes_received;
    out->due += progress.entries_expected + progress.entries_promised;
    out->done += engine_crossed(&progress);
}

size_t engine_presence(const struct engine *engine, struct op_presence *out, size_t size)
{
    size_t count = 0;

    for (struct engine_target *target = engine->targets; target != NULL; target = target->next) {
        if (target->is_acceptance || target->is_old_name)
            continue;
        target->row = count;
        if (count < size)
            out[count] = (struct op_presence){.member = target->member,
                                              .sent = target->sent,
                                              .received = target->received,
                                              .bytes_sent = target->bytes_sent,
                                              .bytes_received = target->bytes_received,
                                              .is_reaching = engine_call_is_due(engine, target),
                                              .due = target->crossed,
                                              .done = target->crossed};
        count++;
    }
    for (const struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next) {
        if (conn->state == CONN_SESSION && conn->known != NULL && conn->known->row < size)
            engine_add_session(conn, &out[conn->known->row]);
        if (conn->state != CONN_CLOSED && !conn->is_confirmed && conn->target != NULL &&
            !conn->target->is_acceptance && !conn->target->is_old_name && conn->target->row < size)
            out[conn->target->row].is_reaching = true;
    }
    return count;
}

/* Life. */

enum err engine_new(const struct engine_options *options, struct engine **out)
{
    struct engine *engine = heap_new_zeroed(1, sizeof *engine);

    if (engine == NULL)
        return ERR_NOMEM;
    engine->ledger = options->ledger;
    engine->is_loopback_only = options->is_loopback_only;
    engine->next_dialled = 1;
    engine->content.is_secret = true;
    address_put_list(options->addresses, options->addresses_count, &engine->addresses);
    engine->knocks = secret_new((size_t)ENGINE_KNOCKS_MAX * KEY_SIZE);
    if (engine->knocks == NULL || engine->addresses.is_failed ||
        strangers_new(ledger_entropy(engine->ledger), &engine->strangers) != ERR_OK) {
        engine_free(engine);
        return ERR_NOMEM;
    }
    *out = engine;
    return ERR_OK;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    engine_free_conns(engine);
    for (struct engine_target *target = engine->targets, *next; target != NULL; target = next) {
        next = target->next;
        heap_free(target);
    }
    secret_free(engine->invitations);
    secret_free(engine->knocks);
    secret_free(engine->mutuals);
    strangers_free(engine->strangers);
    buf_release(&engine->addresses);
    buf_release(&engine->content);
    tickets_release(&engine->tickets);
    engine_forget(engine);
    heap_free(engine->effects);
    heap_free(engine);
}
