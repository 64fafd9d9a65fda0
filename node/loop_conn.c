/*
 * TCP connections and addresses on libuv. A connection is found by its number; what fails or ends
 * becomes an engine event, once.
 */
#include "node/loop_state.h"

#include <string.h>

#include "crypto/heap.h"

struct loop_write {
    uv_write_t request;
    struct loop_conn *conn;
    uint8_t bytes[];
};

void loop_to_sockaddr(const struct address *address, struct sockaddr_storage *out)
{
    if (address_is_ipv4(address)) {
        struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)out;

        memset(out, 0, sizeof *out);
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(address->port);
        memcpy(&ipv4->sin_addr, address->host + 12, 4);
    } else {
        struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)(void *)out;

        memset(out, 0, sizeof *out);
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons(address->port);
        memcpy(&ipv6->sin6_addr, address->host, 16);
    }
}

void loop_from_sockaddr(const struct sockaddr *from, struct address *out)
{
    memset(out, 0, sizeof *out);
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)(const void *)from;

        out->host[10] = out->host[11] = 0xff;
        memcpy(out->host + 12, &ipv4->sin_addr, 4);
        out->port = ntohs(ipv4->sin_port);
    } else if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)(const void *)from;

        memcpy(out->host, &ipv6->sin6_addr, 16);
        out->port = ntohs(ipv6->sin6_port);
    }
}

/* Connections. */

static struct loop_conn **loop_bucket(struct loop *loop, conn_id id)
{
    return &loop->conns[(id >> 1) % LOOP_CONN_BUCKETS];
}

static struct loop_conn *loop_find(struct loop *loop, conn_id id)
{
    for (struct loop_conn *conn = *loop_bucket(loop, id); conn != NULL; conn = conn->next)
        if (conn->id == id)
            return conn;
    return NULL;
}

static struct loop_conn *loop_add(struct loop *loop, conn_id id)
{
    struct loop_conn *conn = heap_new_zeroed(1, sizeof *conn);

    if (conn == NULL)
        return NULL;
    if (uv_tcp_init(&loop->uv, &conn->tcp) != 0) {
        heap_free(conn);
        return NULL;
    }
    conn->tcp.data = conn;
    conn->loop = loop;
    conn->id = id;
    conn->next = *loop_bucket(loop, id);
    *loop_bucket(loop, id) = conn;
    loop->conns_count++;
    return conn;
}

void loop_on_gone(uv_handle_t *handle)
{
    struct loop_conn *conn = handle->data;
    struct loop_conn **at = loop_bucket(conn->loop, conn->id);

    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    conn->loop->conns_count--;
    heap_free(conn);
}

void loop_drop(struct loop_conn *conn)
{
    if (conn->is_gone)
        return;
    conn->is_gone = true;
    uv_close((uv_handle_t *)&conn->tcp, loop_on_gone);
}

/* The other side or the network ended it. */
static void loop_lost(struct loop_conn *conn)
{
    struct engine_event event = {.type = ENGINE_CLOSED, .conn = conn->id};
    bool is_news = !conn->is_closing && !conn->is_gone;

    loop_drop(conn);
    if (is_news)
        loop_engine(conn->loop, &event);
}

static void loop_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct loop_conn *conn = handle->data;

    (void)suggested;
    *out = uv_buf_init((char *)conn->loop->read_bytes, LOOP_READ_SIZE);
}

static void loop_on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes)
{
    struct loop_conn *conn = stream->data;
    struct engine_event event = {.type = ENGINE_BYTES, .conn = conn->id};

    if (size < 0) {
        loop_lost(conn);
        return;
    }
    if (size == 0 || conn->is_closing)
        return;
    event.bytes = span_of(bytes->base, (size_t)size);
    loop_engine(conn->loop, &event);
    if (conn->is_gone)
        return;
    if (!loop_limits_may_read(conn->loop))
        conn->is_held = conn->loop->is_holding = true;
    if (loop_limits_is_unread(conn))
        conn->is_unread = true;
    if (engine_is_resting(conn->loop->engine, conn->id))
        conn->is_resting = conn->loop->is_anyone_resting = true;
    if (conn->is_held || conn->is_unread || conn->is_resting)
        (void)uv_read_stop(stream); /* Always succeeds. */
}

void loop_read(struct loop_conn *conn)
{
    conn->is_held = conn->is_held && !loop_limits_may_read(conn->loop);
    if (conn->is_held || conn->is_unread || conn->is_resting)
        return;
    if (uv_read_start((uv_stream_t *)&conn->tcp, loop_on_alloc, loop_on_read) != 0)
        loop_lost(conn);
}

static void loop_on_written(uv_write_t *request, int status)
{
    struct loop_write *write = (struct loop_write *)request->data;
    struct loop_conn *conn = write->conn;
    struct engine_event event = {.type = ENGINE_DRAINED, .conn = conn->id};

    heap_free(write);
    conn->writing--;
    if (conn->is_gone)
        return;
    if (status < 0) {
        loop_lost(conn);
        return;
    }
    if (conn->is_unread && !loop_limits_is_unread(conn)) {
        conn->is_unread = false;
        loop_read(conn);
    }
    if (conn->writing > 0 || conn->is_gone)
        return;
    if (conn->is_closing)
        loop_drop(conn);
    else
        loop_engine(conn->loop, &event);
}

/* Small writes mostly leave at once; what does not is kept until the socket takes it. */
void loop_send(struct loop *loop, conn_id id, struct span bytes)
{
    struct loop_conn *conn = loop_find(loop, id);
    struct loop_write *write;
    uv_buf_t view;

    if (conn == NULL || conn->is_gone || conn->is_closing)
        return;
    write = heap_new(sizeof *write + bytes.size);
    if (write == NULL) {
        loop_lost(conn);
        return;
    }
    write->conn = conn;
    write->request.data = write;
    memcpy(write->bytes, bytes.data, bytes.size);
    view = uv_buf_init((char *)write->bytes, (unsigned)bytes.size);
    if (uv_write(&write->request, (uv_stream_t *)&conn->tcp, &view, 1, loop_on_written) != 0) {
        heap_free(write);
        loop_lost(conn);
        return;
    }
    conn->writing++;
}

void loop_close_conn(struct loop *loop, conn_id id)
{
    struct loop_conn *conn = loop_find(loop, id);

    if (conn == NULL || conn->is_gone)
        return;
    conn->is_closing = true;
    if (conn->writing == 0 || loop_limits_is_too_much(conn))
        loop_drop(conn);
}

static void loop_begin_conn(struct loop_conn *conn, enum engine_event_type type)
{
    struct engine_event event = {.type = type, .conn = conn->id, .address = conn->address};

    (void)uv_tcp_nodelay(&conn->tcp, 1); /* Only speed depends on it. */
    loop_read(conn);
    if (!conn->is_gone)
        loop_engine(conn->loop, &event);
}

static void loop_on_connected(uv_connect_t *request, int status)
{
    struct loop_conn *conn = request->data;
    struct engine_event event = {.type = ENGINE_DIAL_FAILED, .conn = conn->id};

    if (conn->is_gone)
        return;
    if (status < 0) {
        loop_drop(conn);
        loop_engine(conn->loop, &event);
        return;
    }
    loop_begin_conn(conn, ENGINE_DIALLED);
}

void loop_dial(struct loop *loop, conn_id id, const struct address *address)
{
    struct engine_event failed = {.type = ENGINE_DIAL_FAILED, .conn = id};
    struct loop_conn *conn = loop_add(loop, id);
    struct sockaddr_storage to;

    if (conn == NULL) {
        loop_engine(loop, &failed);
        return;
    }
    conn->address = *address;
    conn->connect.data = conn;
    loop_to_sockaddr(address, &to);
    if (uv_tcp_connect(&conn->connect, &conn->tcp, (const struct sockaddr *)&to,
                       loop_on_connected) != 0) {
        loop_drop(conn);
        loop_engine(loop, &failed);
    }
}

static void loop_accept(struct loop *loop, uv_stream_t *listener)
{
    struct sockaddr_storage from;
    int from_size = sizeof from;
    struct loop_conn *conn;

    loop->next_accepted += 2;
    conn = loop_add(loop, loop->next_accepted);
    if (conn == NULL)
        return;
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0 ||
        uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&from, &from_size) != 0) {
        loop_drop(conn);
        return;
    }
    loop_from_sockaddr((const struct sockaddr *)&from, &conn->address);
    loop_begin_conn(conn, ENGINE_ACCEPTED);
}

/* Where all descriptors are in use, the connection stays where it is, and libuv looks for no other
 * before it was taken. */
void loop_on_connection(uv_stream_t *listener, int status)
{
    struct loop *loop = listener->data;

    if (status < 0 || loop->is_stopping)
        return;
    if (loop->conns_count < loop->conns_max) {
        loop_accept(loop, listener);
        return;
    }
    loop->is_accept_paused = true;
    loop->has_waiting[(uv_tcp_t *)listener - loop->listeners] = true;
    loop_arm(loop);
}

void loop_accept_again(struct loop *loop)
{
    loop->is_accept_paused = false;
    for (size_t at = 0; at < loop->listeners_count; at++) {
        if (!loop->has_waiting[at])
            continue;
        if (loop->conns_count >= loop->conns_max) {
            loop->is_accept_paused = true;
            continue;
        }
        loop->has_waiting[at] = false;
        loop_accept(loop, (uv_stream_t *)&loop->listeners[at]);
    }
}
