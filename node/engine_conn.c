/* Connections: found by number, admitted at the door, closed, and what a step has to do with them.
 */
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/engine_state.h"

/* Numbers go up in twos, so their low bit says nothing. */
static struct engine_conn **engine_bucket(struct engine *engine, conn_id id)
{
    return &engine->buckets[(id >> 1 ^ id << 9) % ENGINE_CONN_BUCKETS];
}

/* Also one that is refused and not closed yet. */
static struct engine_conn *engine_find_any(struct engine *engine, conn_id id)
{
    struct engine_conn *conn = *engine_bucket(engine, id);

    while (conn != NULL && conn->id != id)
        conn = conn->next_in_bucket;
    return conn;
}

struct engine_conn *engine_find(struct engine *engine, conn_id id)
{
    struct engine_conn *conn = engine_find_any(engine, id);

    return conn != NULL && conn->state != CONN_CLOSED ? conn : NULL;
}

struct engine_conn *engine_add_conn(struct engine *engine, conn_id id, enum conn_state state)
{
    struct engine_conn *conn = heap_new_zeroed(1, sizeof *conn);
    struct engine_conn **bucket = engine_bucket(engine, id);

    if (conn == NULL)
        return NULL;
    conn->id = id;
    conn->state = state;
    conn->begun_at_ms = engine->now_ms;
    conn->next = engine->conns;
    if (engine->conns != NULL)
        engine->conns->previous = conn;
    engine->conns = conn;
    conn->next_in_bucket = *bucket;
    *bucket = conn;
    return conn;
}

void engine_touch(struct engine *engine, struct engine_conn *conn)
{
    if (conn->is_touched)
        return;
    conn->is_touched = true;
    conn->next_touched = engine->touched;
    engine->touched = conn;
}

void engine_close(struct engine *engine, struct engine_conn *conn)
{
    if (conn->state == CONN_CLOSED)
        return;
    engine_touch(engine, conn);
    if (conn->state == CONN_SESSION)
        engine->sessions_count--;
    conn->must_close = true;
    conn->state = CONN_CLOSED;
    engine_call_ended(engine, conn);
}

/* PROTOCOL HANDSHAKE-11: "Whoever called and is refused before the first frame is closed a time
 * drawn from 0 to 500 ms later, whatever the reason; nothing more is read." Its slot at the door
 * stays taken until then. */
void engine_refuse(struct engine *engine, struct engine_conn *conn)
{
    bool is_waiting = !conn->is_outbound && conn->state != CONN_SESSION &&
                      conn->state != CONN_CLOSED && !engine->is_stopping;
    uint8_t chance[4];

    if (!is_waiting) {
        engine_close(engine, conn);
        return;
    }
    entropy_fill(ledger_entropy(engine->ledger), chance, sizeof chance);
    engine_touch(engine, conn);
    buf_clear(&conn->in);
    conn->close_at_ms = engine->now_ms + be32(chance) % (ENGINE_REFUSE_MS + 1);
    conn->must_close = true;
    conn->state = CONN_CLOSED;
}

void engine_let_go(struct engine *engine, conn_id id)
{
    struct engine_conn *conn = engine_find_any(engine, id);

    if (conn == NULL)
        return;
    engine_touch(engine, conn);
    conn->is_closed_by_net = true;
}

static void engine_free_conn(struct engine *engine, struct engine_conn *conn)
{
    struct engine_conn **at = engine_bucket(engine, conn->id);

    while (*at != conn)
        at = &(*at)->next_in_bucket;
    *at = conn->next_in_bucket;
    engine->held -= conn->held;
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        engine->conns = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    secret_free(conn->handshake);
    secret_free(conn->channel);
    session_free(conn->session);
    secret_wipe(conn->psk, sizeof conn->psk);
    buf_release(&conn->identity);
    buf_release(&conn->in);
    buf_release(&conn->out);
    heap_free(conn);
}

void engine_free_conns(struct engine *engine)
{
    while (engine->conns != NULL)
        engine_free_conn(engine, engine->conns);
    engine->touched = NULL;
}

/* The door. */

/* PROTOCOL HANDSHAKE-7: "Message 1 is due 5 s after the connection, the first frame 10 s after it."
 */
void engine_admit(struct engine *engine, const struct engine_event *event)
{
    struct engine_conn *conn = NULL, *dropped;
    conn_id dropped_id = 0;

    if (!engine->is_stopping && strangers_enter(engine->strangers, event->conn, &event->address,
                                                engine->now_ms, &dropped_id))
        conn = engine_add_conn(engine, event->conn, CONN_AWAIT_FIRST);
    dropped = dropped_id != 0 ? engine_find_any(engine, dropped_id) : NULL;
    if (dropped != NULL) {
        dropped->close_at_ms = 0;
        engine_touch(engine, dropped);
        engine_close(engine, dropped);
    }
    if (conn == NULL) {
        strangers_leave(engine->strangers, event->conn);
        (void)engine_effect(engine, ENGINE_CLOSE, event->conn); /* A failure is remembered. */
        return;
    }
    conn->address = event->address;
    engine_wake_by(engine, engine->now_ms + ENGINE_FIRST_MS);
}

/* Of one device, the oldest session that has not shown yet that its keys are in use. */
/* PROTOCOL LIMIT-3: "two with one device: of those the oldest that was not confirmed gives way." */
static bool engine_make_room(struct engine *engine, const struct engine_conn *newcomer)
{
    struct engine_conn *oldest = NULL;
    size_t count = 0;

    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next) {
        if (conn->state != CONN_SESSION || conn == newcomer ||
            !public_key_is_equal(&conn->device, &newcomer->device) ||
            !public_key_is_equal(&conn->member, &newcomer->member))
            continue;
        count++;
        if (!conn->is_confirmed && (oldest == NULL || conn->begun_at_ms <= oldest->begun_at_ms))
            oldest = conn;
    }
    if (count < ENGINE_SESSIONS_PER_DEVICE_MAX)
        return true;
    if (oldest != NULL)
        engine_close(engine, oldest);
    return oldest != NULL;
}

/* PROTOCOL LIMIT-8: "With all devices of one other member a node has at most 64 sessions: nobody
 * keeps the others out." */
unsigned engine_others_with(const struct engine *engine, const struct engine_conn *newcomer)
{
    unsigned count = 0;

    for (const struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next)
        count += conn->state == CONN_SESSION && conn != newcomer &&
                 public_key_is_equal(&conn->member, &newcomer->member);
    return count;
}

bool engine_has_many(const struct engine *engine, const struct engine_conn *newcomer)
{
    return engine_others_with(engine, newcomer) >= ENGINE_SESSIONS_PER_MEMBER_MAX &&
           !public_key_is_equal(&newcomer->member, ledger_member(engine->ledger));
}

/* PROTOCOL LIMIT-9: "Under one invitation a node has at most four sessions in which no link has
 * been made yet, the oldest gives way, and each is over after two minutes." */
static void engine_make_room_for_guest(struct engine *engine, const struct engine_conn *newcomer)
{
    struct engine_conn *oldest = NULL;
    size_t count = 0;

    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next) {
        if (conn->state != CONN_SESSION || conn == newcomer || conn->role != SESSION_INVITER ||
            !id_is_equal(&conn->invitation, &newcomer->invitation))
            continue;
        count++;
        if (oldest == NULL || conn->begun_at_ms <= oldest->begun_at_ms)
            oldest = conn;
    }
    if (count >= ENGINE_SESSIONS_PER_INVITATION_MAX)
        engine_close(engine, oldest);
}

/* PROTOCOL LIMIT-3: "A node has at most 1,024 sessions," */
bool engine_begin_session(struct engine *engine, struct engine_conn *conn)
{
    if (conn->role == SESSION_INVITER)
        engine_make_room_for_guest(engine, conn);
    if (engine->sessions_count >= ENGINE_SESSIONS_MAX ||
        (conn->role == SESSION_PEER &&
         (engine_has_many(engine, conn) || !engine_make_room(engine, conn))))
        return false;
    strangers_leave(engine->strangers, conn->id);
    conn->state = CONN_SESSION;
    conn->known = conn->role == SESSION_PEER ? engine_call_target(engine, &conn->device) : NULL;
    conn->begun_at_ms = engine->now_ms;
    engine->sessions_count++;
    engine_touch(engine, conn);
    return true;
}

/* The end of a step, and the beginning of the next. */

/* Without memory for an effect it waits for the next step: bytes that were left out would break the
 * channel. */
static void engine_collect_conn(struct engine *engine, struct engine_conn *conn)
{
    struct engine_effect *effect;

    if (conn->is_closed_by_net || engine->is_stopping)
        conn->close_at_ms = 0;
    if (conn->is_closed_by_net) {
        buf_clear(&conn->out);
        conn->must_close = false;
    }
    if (conn->must_close && engine->now_ms < conn->close_at_ms) {
        engine_wake_by(engine, conn->close_at_ms);
        return;
    }
    if (conn->state == CONN_CLOSED)
        strangers_leave(engine->strangers, conn->id);
    if (conn->out.size > 0) {
        effect = engine_effect(engine, ENGINE_SEND, conn->id);
        conn->is_sent = effect != NULL;
        if (effect != NULL)
            effect->bytes = buf_span(&conn->out);
        conn->unsent += conn->is_sent ? conn->out.size : 0;
    }
    if (conn->must_close && (conn->out.size == 0 || conn->is_sent))
        conn->must_close = engine_effect(engine, ENGINE_CLOSE, conn->id) == NULL;
    if (conn->must_close || (conn->out.size > 0 && !conn->is_sent))
        engine_wake_by(engine, engine->now_ms);
}

void engine_collect(struct engine *engine)
{
    for (struct engine_conn *conn = engine->touched; conn != NULL; conn = conn->next_touched)
        engine_collect_conn(engine, conn);
}

/* A thousand idle connections keep no buffers. */
void engine_sweep(struct engine *engine)
{
    struct engine_conn *conn = engine->touched;

    engine->touched = NULL;
    while (conn != NULL) {
        struct engine_conn *next = conn->next_touched;

        conn->is_touched = false;
        conn->next_touched = NULL;
        if (conn->is_sent || conn->out.size == 0)
            buf_release(&conn->out);
        conn->is_sent = false;
        buf_rest(&conn->in);
        if (conn->session != NULL)
            session_rest(conn->session);
        if (conn->out.size > 0 || conn->must_close)
            engine_touch(engine, conn);
        else if (conn->state == CONN_CLOSED)
            engine_free_conn(engine, conn);
        conn = next;
    }
}
