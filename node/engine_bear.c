/*
 * What conversations may hold of this machine's memory: messages that are not whole yet, batches in
 * the writer's hands, what was said and has not left. Each step counts what it touched.
 */
#include "node/engine_state.h"

enum {
    ENGINE_BEAR_QUIET_MS = 3600 * 1000, /* that somebody was let go is told once in it */
    ENGINE_BEAR_SMALL = 64 << 10        /* whoever holds no more is not looked at */
};

static bool engine_bear_same(const struct engine_conn *left, const struct engine_conn *right)
{
    return public_key_is_equal(&left->member, &right->member);
}

/* Before somebody is known to be a member each is counted alone. */
static size_t engine_bear_member(const struct engine *engine, const struct engine_conn *of)
{
    size_t sum = 0;

    if (of->state != CONN_SESSION)
        return of->held;
    for (const struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next)
        if (conn->state == CONN_SESSION && conn->held > ENGINE_BEAR_SMALL &&
            engine_bear_same(conn, of))
            sum += conn->held;
    return sum;
}

static struct engine_conn *engine_bear_largest(struct engine *engine, const struct engine_conn *of)
{
    struct engine_conn *largest = NULL;

    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next)
        if (conn->state == CONN_SESSION && engine_bear_same(conn, of) &&
            (largest == NULL || conn->held > largest->held))
            largest = conn;
    return largest;
}

static void engine_bear_let_go(struct engine *engine, struct engine_conn *conn)
{
    struct engine_target *target = engine_call_target(engine, &conn->device);

    if (target != NULL && engine->now_ms >= target->held_quiet_until_ms) {
        target->held_quiet_until_ms = engine->now_ms + ENGINE_BEAR_QUIET_MS;
        engine_journal(engine, "slow", target->name,
                       "made this machine keep too much in memory; the conversation was ended "
                       "and will be tried again");
    }
    buf_release(&conn->out);
    engine_close(engine, conn);
}

static void engine_bear_one(struct engine *engine, struct engine_conn *conn)
{
    size_t max = engine->held > ENGINE_HELD_TIGHT ? ENGINE_HELD_PER_MEMBER_TIGHT
                                                  : ENGINE_HELD_PER_MEMBER_MAX;
    struct engine_conn *largest;

    if (conn->state != CONN_SESSION || conn->held <= ENGINE_BEAR_SMALL ||
        engine_sibling_is(engine, &conn->member) || engine_bear_member(engine, conn) <= max)
        return;
    largest = engine_bear_largest(engine, conn);
    if (largest == NULL)
        return;
    engine_bear_let_go(engine, largest);
    engine_bear_count(engine, largest);
}

/* Of the member who holds most, own devices apart, the session that does. */
static struct engine_conn *engine_bear_worst(struct engine *engine)
{
    struct engine_conn *worst = NULL;
    size_t most = 0;

    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next) {
        size_t sum;

        if (conn->state != CONN_SESSION || conn->held <= ENGINE_BEAR_SMALL ||
            (worst != NULL && engine_bear_same(worst, conn)) ||
            engine_sibling_is(engine, &conn->member))
            continue;
        sum = engine_bear_member(engine, conn);
        if (sum <= most)
            continue;
        most = sum;
        worst = conn;
    }
    return worst != NULL ? engine_bear_largest(engine, worst) : NULL;
}

/* What is let go counts no more from here, though its memory is given back a step later. */
void engine_bear_count(struct engine *engine, struct engine_conn *conn)
{
    size_t held = 0;

    if (conn->state != CONN_CLOSED)
        held = sizeof *conn + conn->unsent + conn->in.size + conn->out.size;
    if (conn->state == CONN_SESSION)
        held += session_held(conn->session);
    engine->held = engine->held - conn->held + held;
    conn->held = held;
}

/* Nothing of theirs has to leave, so that nothing would bring them back. */
static void engine_bear_resume(struct engine *engine)
{
    struct session_event drained = {.type = SESSION_DRAINED};

    engine->is_full = false;
    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next)
        if (conn->state == CONN_SESSION && conn->unsent == 0 && conn->out.size == 0)
            engine_talk_event(engine, conn, &drained);
}

/* PROTOCOL LIMIT-10: "The sessions with all devices of one other member hold at most 32 MiB of
 * memory, all sessions 192 MiB. Beyond that the one that holds most, of the member who holds most,
 * is let go, and called again later." */
void engine_bear(struct engine *engine)
{
    for (struct engine_conn *conn = engine->touched; conn != NULL; conn = conn->next_touched)
        engine_bear_count(engine, conn);
    for (struct engine_conn *conn = engine->touched; conn != NULL; conn = conn->next_touched)
        engine_bear_one(engine, conn);
    while (engine->held > ENGINE_HELD_MAX) {
        struct engine_conn *worst = engine_bear_worst(engine);

        if (worst == NULL)
            break;
        engine_bear_let_go(engine, worst);
        engine_bear_count(engine, worst);
    }
    if (engine->is_full && engine->held < ENGINE_HELD_TIGHT)
        engine_bear_resume(engine);
}

/* PROTOCOL LIMIT-10: "While all hold more than 64 MiB each is given one batch at a time, and no
 * member's may hold more than 8 MiB; while they hold more than 128 MiB nobody is given any." */
enum session_thrift engine_bear_thrift(struct engine *engine)
{
    engine->is_full |= engine->held > ENGINE_HELD_FULL;
    if (engine->held > ENGINE_HELD_FULL)
        return SESSION_NO_BATCH;
    return engine->held > ENGINE_HELD_TIGHT ? SESSION_ONE_BATCH : SESSION_PLENTY;
}

size_t engine_held(const struct engine *engine)
{
    return engine->held;
}
