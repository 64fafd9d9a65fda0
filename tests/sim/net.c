/*
 * A connection is two ends and two pipes. What is sent lies in a pipe until an event carries a
 * piece of it to the other end; each connection draws its own misfortune when it is made. Memory
 * stays until no event of the connection is outstanding.
 */
#include "tests/sim/net.h"

#include <stdlib.h>
#include <string.h>

enum {
    NET_DRIP_BYTES = 1200,
    NET_PIECE_MAX = 64 << 10,
    NET_QUEUE_MAX = 1 << 20, /* as node/loop_limits.c */
    NET_QUEUE_MS = 60000,
    NET_UNREAD_MAX = 4 << 20,
    NET_LINGER_MS = 10000
};

struct net_end {
    struct world_node *node; /* NULL: nobody has answered yet */
    uint64_t life;           /* of the process */
    conn_id id;
    bool is_open;    /* the process has a connection */
    bool is_closing; /* closes when what it sent has left; hears nothing more */
};

struct net_pipe {
    struct net_conn *conn;
    struct buf bytes;
    size_t first; /* of them, those that were carried lie in front */
    uint64_t carried, cut_at;
    uint64_t held_until_ms;
    uint64_t byte_ms;  /* whoever reads it takes a byte in so long; UINT64_MAX: none; 0: as usual */
    uint64_t since_ms; /* more than NET_QUEUE_MAX lie in it, or it is closing; 0: not */
    bool is_flowing;   /* an event is outstanding */
};

struct net_conn {
    struct world *world;
    struct net_end ends[2];   /* 0 dialled, 1 was dialled */
    struct net_pipe pipes[2]; /* what this end sends */
    struct net_conn *next[2]; /* in each end's node */
    uint64_t latency_ms, piece_max, stall_at, stall_ms;
    bool is_severed;   /* nothing is carried any more, and not everybody knows */
    bool is_half_open; /* when it is cut, only one side is told */
    unsigned events;
    struct net_conn *all, **place; /* in its world */
};

/* Connections of a node. */

static size_t net_waiting(const struct net_pipe *pipe)
{
    return pipe->bytes.size - pipe->first;
}

static void net_empty(struct net_pipe *pipe)
{
    buf_clear(&pipe->bytes);
    pipe->first = 0;
}

static int net_side(const struct net_conn *conn, const struct world_node *node)
{
    return conn->ends[0].node == node ? 0 : 1;
}

static struct net_conn **net_next(struct net_conn *conn, const struct world_node *node)
{
    return &conn->next[net_side(conn, node)];
}

static struct net_conn *net_find(struct world_node *node, conn_id id, int *out_side)
{
    for (struct net_conn *conn = node->conns; conn != NULL; conn = *net_next(conn, node)) {
        *out_side = net_side(conn, node);
        if (conn->ends[*out_side].id == id && conn->ends[*out_side].is_open)
            return conn;
    }
    return NULL;
}

size_t net_count(const struct world_node *node)
{
    size_t count = 0;

    for (struct net_conn *conn = node->conns; conn != NULL; conn = *net_next(conn, node))
        count++;
    return count;
}

static void net_free(struct net_conn *conn)
{
    *conn->place = conn->all;
    if (conn->all != NULL)
        conn->all->place = conn->place;
    buf_release(&conn->pipes[0].bytes);
    buf_release(&conn->pipes[1].bytes);
    free(conn);
}

static void net_free_if_over(struct net_conn *conn)
{
    if (conn->events == 0 && !conn->ends[0].is_open && !conn->ends[1].is_open)
        net_free(conn);
}

void net_end(struct world *world)
{
    while (world->net != NULL)
        net_free(world->net);
}

/* The end is gone for its process. */
static void net_leave(struct net_conn *conn, int side)
{
    struct world_node *node = conn->ends[side].node;
    struct net_conn **at;

    if (!conn->ends[side].is_open)
        return;
    conn->ends[side].is_open = false;
    for (at = &node->conns; *at != conn; at = net_next(*at, node))
        continue;
    *at = conn->next[side];
}

static void net_later(struct net_conn *conn, uint64_t wait_ms, world_fn run, void *data)
{
    conn->events++;
    world_after(conn->world, wait_ms, NULL, run, data);
}

/* True while the process that had this end still runs and has it. */
static bool net_is_heard(const struct net_conn *conn, int side)
{
    const struct net_end *end = &conn->ends[side];

    return end->is_open && end->node->is_up && end->node->life == end->life;
}

/* What a process hears. */

static void net_tell_closed(struct net_conn *conn, int side)
{
    struct engine_event event = {.type = ENGINE_CLOSED, .conn = conn->ends[side].id};
    bool is_news = net_is_heard(conn, side) && !conn->ends[side].is_closing;

    net_leave(conn, side);
    if (is_news)
        world_engine(conn->ends[side].node, &event);
}

static void net_on_closed(struct world *world, struct world_node *nobody, void *data)
{
    struct net_pipe *pipe = data;
    struct net_conn *conn = pipe->conn;
    int side = pipe == &conn->pipes[0] ? 0 : 1;
    uint64_t asleep_until_ms = conn->ends[side].node->asleep_until_ms;

    (void)nobody;
    if (asleep_until_ms > world->now_ms)
        net_later(conn, asleep_until_ms - world->now_ms, net_on_closed, pipe);
    else
        net_tell_closed(conn, side);
    conn->events--;
    net_free_if_over(conn);
}

/* Tells one end, a while from now, that the connection is over. */
static void net_close_end(struct net_conn *conn, int side)
{
    if (conn->ends[side].is_open)
        net_later(conn, conn->latency_ms, net_on_closed, &conn->pipes[side]);
}

/* Nothing is carried from here on; half open: only one side ever hears of it. */
static void net_cut(struct net_conn *conn)
{
    int told = (int)world_draw(conn->world, 2);

    if (conn->is_severed)
        return;
    conn->is_severed = true;
    world_count(conn->world, conn->ends[0].node, conn->is_half_open ? WORLD_HALF_OPEN : WORLD_CUT);
    net_close_end(conn, told);
    if (!conn->is_half_open)
        net_close_end(conn, 1 - told);
}

/* Carrying. */

static bool net_is_apart(const struct world *world, const struct world_node *left,
                         const struct world_node *right)
{
    return world->now_ms < world->islands_until_ms &&
           ((world->islands >> (left->number % 64)) & 1) !=
               ((world->islands >> (right->number % 64)) & 1);
}

static void net_on_flow(struct world *world, struct world_node *nobody, void *data);

static void net_flow_later(struct net_pipe *pipe, uint64_t wait_ms)
{
    if (pipe->is_flowing)
        return;
    pipe->is_flowing = true;
    net_later(pipe->conn, wait_ms, net_on_flow, pipe);
}

static uint64_t net_piece(struct net_pipe *pipe)
{
    struct net_conn *conn = pipe->conn;
    uint64_t size = net_waiting(pipe);

    if (pipe->byte_ms > 0 && size > 0)
        size = 1;
    else if (conn->piece_max == 1 && size > 0 && pipe->carried < NET_DRIP_BYTES)
        size = 1;
    else if (conn->piece_max > 1 && size > conn->piece_max)
        size = 1 + world_draw(conn->world, conn->piece_max);
    if (size > NET_PIECE_MAX)
        size = NET_PIECE_MAX;
    if (pipe->cut_at > 0 && size > pipe->cut_at - pipe->carried)
        size = pipe->cut_at - pipe->carried;
    return size;
}

static void net_deliver(struct net_pipe *pipe, int to, uint64_t size)
{
    struct net_conn *conn = pipe->conn;
    struct engine_event event = {.type = ENGINE_BYTES, .conn = conn->ends[to].id};
    uint8_t *piece;

    if (size == 0)
        return;
    piece = world_memory(size);
    memcpy(piece, pipe->bytes.data + pipe->first, size);
    pipe->first += size;
    if (pipe->first >= NET_PIECE_MAX || net_waiting(pipe) == 0) {
        buf_drop(&pipe->bytes, pipe->first);
        pipe->first = 0;
    }
    pipe->carried += size;
    event.bytes = span_of(piece, size);
    if (net_is_heard(conn, to) && !conn->ends[to].is_closing) {
        conn->ends[to].node->received_bytes += size;
        world_engine(conn->ends[to].node, &event);
    }
    free(piece);
}

/* All that was sent has left: the sender may send more, or its close goes through. */
static void net_drained(struct net_conn *conn, int from)
{
    struct engine_event event = {.type = ENGINE_DRAINED, .conn = conn->ends[from].id};

    if (conn->ends[from].is_closing) {
        net_leave(conn, from);
        if (!conn->is_severed)
            net_close_end(conn, 1 - from);
    } else if (net_is_heard(conn, from)) {
        world_engine(conn->ends[from].node, &event);
    }
}

/* Whether this pipe stands still now; it is looked at again later then. */
static bool net_is_held(struct net_pipe *pipe)
{
    struct net_conn *conn = pipe->conn;
    struct world *world = conn->world;

    if (conn->stall_ms > 0 && pipe->carried >= conn->stall_at) {
        world_count(world, conn->ends[0].node, WORLD_STALL);
        pipe->held_until_ms = world->now_ms + conn->stall_ms;
        conn->stall_ms = 0;
    }
    if (pipe->byte_ms == UINT64_MAX)
        return true; /* Until it is read again, or given up. */
    if (net_waiting(&conn->pipes[pipe == conn->pipes ? 1 : 0]) > NET_UNREAD_MAX) {
        net_flow_later(pipe, 10); /* Whoever reads nothing is not read from. */
        return true;
    }
    for (int side = 0; side < 2; side++)
        if (conn->ends[side].node->asleep_until_ms > world->now_ms) {
            net_flow_later(pipe, conn->ends[side].node->asleep_until_ms - world->now_ms);
            return true;
        }
    if (world->now_ms < pipe->held_until_ms) {
        net_flow_later(pipe, pipe->held_until_ms - world->now_ms);
        return true;
    }
    if (!net_is_apart(world, conn->ends[0].node, conn->ends[1].node))
        return false;
    net_flow_later(pipe, world->islands_until_ms - world->now_ms);
    return true;
}

static void net_flow(struct net_pipe *pipe)
{
    struct net_conn *conn = pipe->conn;
    int from = pipe == &conn->pipes[0] ? 0 : 1;

    if (conn->is_severed) {
        net_empty(pipe); /* The kernel takes it and nobody ever gets it. */
        net_drained(conn, from);
        return;
    }
    if (conn->ends[1].node == NULL) { /* Nobody has answered. */
        if (conn->ends[0].is_closing)
            net_leave(conn, 0);
        return;
    }
    if (net_is_held(pipe))
        return;
    net_deliver(pipe, 1 - from, net_piece(pipe));
    if (pipe->cut_at > 0 && pipe->carried >= pipe->cut_at)
        net_cut(conn);
    else if (net_waiting(pipe) > 0 && pipe->byte_ms > 0)
        net_flow_later(pipe, pipe->byte_ms);
    else if (net_waiting(pipe) > 0)
        net_flow_later(pipe, conn->piece_max == 1 ? 0 : world_draw(conn->world, 3));
    else
        net_drained(conn, from);
}

static void net_on_flow(struct world *world, struct world_node *nobody, void *data)
{
    struct net_pipe *pipe = data;
    struct net_conn *conn = pipe->conn;

    (void)world;
    (void)nobody;
    pipe->is_flowing = false;
    if (conn->ends[0].is_open || conn->ends[1].is_open)
        net_flow(pipe);
    conn->events--;
    net_free_if_over(conn);
}

void net_send(struct world_node *node, conn_id id, struct span bytes)
{
    int side;
    struct net_conn *conn = net_find(node, id, &side);

    if (conn == NULL || conn->ends[side].is_closing)
        return;
    node->sent_bytes += bytes.size;
    buf_append(&conn->pipes[side].bytes, bytes);
    if (conn->pipes[side].bytes.is_failed) { /* As loop_send without memory. */
        conn->is_severed = true;
        net_close_end(conn, 1 - side);
        net_tell_closed(conn, side);
        return;
    }
    net_flow_later(&conn->pipes[side], conn->latency_ms);
}

void net_close(struct world_node *node, conn_id id)
{
    int side;
    struct net_conn *conn = net_find(node, id, &side);

    if (conn == NULL)
        return;
    conn->ends[side].is_closing = true;
    if (net_waiting(&conn->pipes[side]) == 0)
        net_flow_later(&conn->pipes[side], 0);
}

/* Slow readers. */

void net_read_slowly(struct world_node *node, conn_id id, uint64_t byte_ms)
{
    int side;
    struct net_conn *conn = net_find(node, id, &side);

    if (conn == NULL)
        return;
    conn->pipes[1 - side].byte_ms = byte_ms;
    if (byte_ms != UINT64_MAX)
        net_flow_later(&conn->pipes[1 - side], 0);
}

uint64_t net_unread(struct world_node *node, conn_id id)
{
    int side;
    struct net_conn *conn = net_find(node, id, &side);

    return conn != NULL ? net_waiting(&conn->pipes[1 - side]) : 0;
}

static void net_look_at(struct net_conn *conn, int side)
{
    struct world_node *node = conn->ends[side].node;
    struct net_pipe *pipe = &conn->pipes[side];
    struct engine_event stalled = {.type = ENGINE_STALLED, .conn = conn->ends[side].id};
    bool is_waiting = conn->ends[side].is_closing || net_waiting(pipe) > NET_QUEUE_MAX;
    uint64_t patience = conn->ends[side].is_closing ? NET_LINGER_MS : NET_QUEUE_MS;

    if (!is_waiting || pipe->since_ms == 0) {
        pipe->since_ms = is_waiting ? node->world->now_ms : 0;
        return;
    }
    if (node->world->now_ms < pipe->since_ms + patience)
        return;
    pipe->since_ms = node->world->now_ms;
    if (!conn->ends[side].is_closing) {
        world_engine(node, &stalled);
        return;
    }
    net_empty(pipe);
    net_drained(conn, side);
}

void net_look(struct world_node *node)
{
    struct net_conn *conn = node->conns, *next;

    for (; conn != NULL; conn = next) {
        next = *net_next(conn, node);
        net_look_at(conn, net_side(conn, node));
    }
}

/* Making a connection. */

static void net_join(struct net_conn *conn, int side, struct world_node *node, conn_id id)
{
    conn->ends[side] =
        (struct net_end){.node = node, .life = node->life, .id = id, .is_open = true};
    conn->next[side] = node->conns;
    node->conns = conn;
}

/* How this connection will fare. */
static void net_curse(struct net_conn *conn)
{
    struct world *world = conn->world;

    conn->latency_ms = 1 + world_draw(world, 40);
    conn->piece_max = 1 + world_draw(world, 3000);
    if (!world->has_faults)
        return;
    for (int side = 0; side < 2; side++)
        if (world_once_in(world, 5))
            conn->pipes[side].cut_at = 1 + world_draw(world, UINT64_C(1) << world_draw(world, 15));
    conn->is_half_open = world_once_in(world, 4);
    if (world_once_in(world, 16)) {
        conn->latency_ms = 1000 + world_draw(world, 20000);
        world_count(world, conn->ends[0].node, WORLD_SLOW);
    }
    if (world_once_in(world, 12)) {
        conn->stall_at = world_draw(world, 3000);
        conn->stall_ms = 1000 + world_draw(world, 100000);
    }
    if (world_once_in(world, 24)) {
        conn->piece_max = 1;
        world_count(world, conn->ends[0].node, WORLD_DRIP);
    } else if (world_once_in(world, 8)) {
        conn->piece_max = NET_PIECE_MAX;
        world_count(world, conn->ends[0].node, WORLD_COALESCE);
    }
}

static struct world_node *net_listener(struct world *world, const struct address *address)
{
    for (size_t at = 0; at < world->nodes_count; at++)
        if (address_is_equal(&world->nodes[at]->address, address))
            return world->nodes[at];
    return NULL;
}

static void net_refuse(struct net_conn *conn)
{
    struct engine_event event = {.type = ENGINE_DIAL_FAILED, .conn = conn->ends[0].id};

    if (net_is_heard(conn, 0)) {
        net_leave(conn, 0);
        world_engine(conn->ends[0].node, &event);
    }
}

static bool net_is_crossed(struct world_node *left, struct world_node *right)
{
    size_t count = 0;

    for (struct net_conn *conn = left->conns; conn != NULL; conn = *net_next(conn, left))
        count += conn->ends[1 - net_side(conn, left)].node == right && !conn->is_severed;
    return count > 1;
}

static void net_accept(struct net_conn *conn, struct world_node *to)
{
    struct engine_event accepted = {.type = ENGINE_ACCEPTED,
                                    .address = conn->ends[0].node->address};
    struct engine_event dialled = {.type = ENGINE_DIALLED, .conn = conn->ends[0].id};

    to->next_accepted += 2;
    to->accepted++;
    net_join(conn, 1, to, to->next_accepted);
    if (net_is_crossed(conn->ends[0].node, to))
        world_count(conn->world, to, WORLD_CROSSED);
    accepted.conn = to->next_accepted;
    dialled.address = to->address;
    world_engine(to, &accepted);
    if (net_is_heard(conn, 0))
        world_engine(conn->ends[0].node, &dialled);
}

static void net_on_dialled(struct world *world, struct world_node *nobody, void *data)
{
    struct net_conn *conn = data;
    struct world_node *from = conn->ends[0].node;
    struct world_node *to = conn->ends[1].node;

    (void)nobody;
    conn->ends[1].node = NULL;
    if (!net_is_heard(conn, 0) || conn->ends[0].is_closing) {
        net_leave(conn, 0);
    } else if (to == NULL || !to->is_up || to->is_stopping ||
               (world->has_faults && world_once_in(world, 16))) {
        if (world->has_faults)
            world_count(world, from, WORLD_REFUSED);
        net_refuse(conn);
    } else if (net_is_apart(world, from, to) || to->asleep_until_ms > world->now_ms ||
               (world->has_faults && world_once_in(world, 32))) {
        world_count(world, from, WORLD_HANG);
    } else {
        net_accept(conn, to);
    }
    conn->events--;
    net_free_if_over(conn);
}

void net_dial(struct world_node *node, conn_id id, const struct address *address)
{
    struct net_conn *conn = world_memory(sizeof *conn);

    conn->world = node->world;
    conn->all = node->world->net;
    conn->place = &node->world->net;
    if (conn->all != NULL)
        conn->all->place = &conn->all;
    node->world->net = conn;
    conn->pipes[0].conn = conn->pipes[1].conn = conn;
    net_join(conn, 0, node, id);
    net_curse(conn);
    /* Who listens there is known when the dial arrives. */
    conn->ends[1].node = net_listener(node->world, address);
    net_later(conn, conn->latency_ms, net_on_dialled, conn);
}

/* A process ends. */

void net_drop(struct world_node *node, bool is_clean)
{
    bool is_silent = !is_clean && world_once_in(node->world, 3);

    while (node->conns != NULL) {
        struct net_conn *conn = node->conns;
        int side = net_side(conn, node);

        net_leave(conn, side);
        if (conn->ends[1 - side].is_open && is_silent && !conn->is_severed) {
            world_count(node->world, node, WORLD_HALF_OPEN);
        } else {
            net_close_end(conn, 1 - side);
        }
        conn->is_severed = true;
        net_free_if_over(conn);
    }
}
