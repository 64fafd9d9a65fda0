/*
 * The driver. Read loop_run first, then loop_engine: everything that happens becomes an engine
 * event, everything the engine wants is carried out by loop_effect. One thread; the writer is the
 * other.
 */
#include "node/loop_state.h"

#include <string.h>

#include "crypto/heap.h"
#include "node/clock.h"
#include "node/interfaces.h"
#include "storage/view_peer.h"

enum {
    LOOP_BACKLOG = 512,
    LOOP_TICK_MS = 1000, /* the longest sleep: waiting clients and deliveries are looked at */
    LOOP_ACCEPT_PAUSE_MS = 100, /* R10: out of descriptors, accepting rests so long */
    LOOP_DELIVERY_TICK_MS = 100,
    LOOP_STOP_MS = 3000 /* how long a clean end may wait for what is under way */
};

/* Addresses. */

static bool loop_is_any(const struct address *address)
{
    static const uint8_t any[16] = {0};
    static const uint8_t any_ipv4[16] = {[10] = 0xff, [11] = 0xff};

    return memcmp(address->host, any, 16) == 0 || memcmp(address->host, any_ipv4, 16) == 0;
}

static void loop_announce_one(struct loop *loop, const struct address *address)
{
    for (size_t at = 0; at < loop->announced_count; at++)
        if (address_is_equal(&loop->announced[at], address))
            return;
    if (loop->announced_count < ADDRESSES_MAX)
        loop->announced[loop->announced_count++] = *address;
}

/* What peers are told: --announce first, then what is listened on, any-addresses replaced by this
 * machine's own. */
static void loop_find_announced(struct loop *loop)
{
    for (size_t at = 0; at < loop->options->announce_count; at++)
        loop_announce_one(loop, &loop->options->announce[at]);
    for (size_t at = 0; at < loop->listeners_count; at++) {
        if (!loop_is_any(&loop->listening[at])) {
            loop_announce_one(loop, &loop->listening[at]);
            continue;
        }
        for (size_t which = 0; which < loop->interfaces_count; which++) {
            struct address address = loop->interfaces[which];

            address.port = loop->listening[at].port;
            if (!address_is_loopback(&address) || loop->announced_count == 0)
                loop_announce_one(loop, &address);
        }
    }
}

/* The engine. */

static void loop_effect(struct loop *loop, const struct engine_effect *effect)
{
    switch (effect->type) {
    case ENGINE_SEND:
        loop_send(loop, effect->conn, effect->bytes);
        break;
    case ENGINE_CLOSE:
        loop_close_conn(loop, effect->conn);
        break;
    case ENGINE_DIAL:
        loop_dial(loop, effect->conn, &effect->address);
        break;
    case ENGINE_DELIVERED:
        loop_job_delivered(loop, effect);
        break;
    case ENGINE_INGEST:
    case ENGINE_LINK:
    case ENGINE_RETURNED:
    case ENGINE_FACTS:
    case ENGINE_REBASE:
    case ENGINE_MEET:
    case ENGINE_REACHED:
    case ENGINE_CONFIRMED:
    case ENGINE_MET:
    case ENGINE_FILL:
    case ENGINE_JOINED:
    case ENGINE_REFUSED:
    case ENGINE_JOURNAL:
        loop_job_errand(loop, effect);
        break;
    case ENGINE_PRESENCE:
        loop_rpc_poll(loop);
        break;
    }
}

/*
 * An effect may fail at once and so cause the next event, while the engine's effects are still
 * being carried out. Such events wait in a queue until the outer call has finished.
 */
void loop_engine(struct loop *loop, struct engine_event *event)
{
    struct loop_pending *pending = heap_new_zeroed(1, sizeof *pending);

    if (pending == NULL) {
        log_line(loop->options->log, LOG_ERROR, "out of memory");
        loop_stop(loop);
        return;
    }
    pending->event = *event;
    if (event->type == ENGINE_BYTES && loop->is_stepping)
        buf_append(&pending->bytes, event->bytes);
    if (loop->pending_last != NULL)
        loop->pending_last->next = pending;
    else
        loop->pending_first = pending;
    loop->pending_last = pending;
    if (loop->is_stepping)
        return;
    loop->is_stepping = true;
    while (loop->pending_first != NULL) {
        const struct engine_effect *effects = NULL;
        size_t count = 0;
        enum err err;

        pending = loop->pending_first;
        if (pending->bytes.size > 0)
            pending->event.bytes = buf_span(&pending->bytes);
        pending->event.now_ms = clock_running_ms();
        pending->event.wall_ms = clock_wall_ms();
        err = engine_step(loop->engine, &pending->event, &effects, &count);
        if (err != ERR_OK)
            log_line(loop->options->log, LOG_WARNING, "a step failed: %s", err_sentence(err));
        for (size_t at = 0; at < count; at++)
            loop_effect(loop, &effects[at]);
        loop->pending_first = pending->next;
        if (loop->pending_first == NULL)
            loop->pending_last = NULL;
        buf_release(&pending->bytes);
        heap_free(pending);
    }
    loop->is_stepping = false;
    loop_arm(loop);
}

void loop_news(struct loop *loop, const struct ledger_news *news)
{
    struct engine_event event = {.type = ENGINE_NEWS, .news = news};

    loop_engine(loop, &event);
}

void loop_op_done(struct loop *loop, const struct op_effects *effects)
{
    struct engine_event changed = {.type = ENGINE_PEERS_CHANGED};
    struct engine_event dial = {.type = ENGINE_DIAL_NOW};

    if (effects->peers_changed)
        loop_engine(loop, &changed);
    dial.dial.is_all = effects->must_dial_all;
    if (effects->must_dial_all)
        loop_engine(loop, &dial);
    for (size_t at = 0; at < effects->dial_count; at++) {
        dial.dial.is_all = false;
        dial.dial.member = effects->dial[at];
        loop_engine(loop, &dial);
    }
    if (effects->must_stop)
        loop_stop(loop);
}

void loop_world(struct loop *loop, struct op_world *out, struct op_presence **out_presence)
{
    size_t count = engine_presence(loop->engine, NULL, 0);
    struct op_presence *presence = heap_new_zeroed(count + 1, sizeof *presence);

    *out = (struct op_world){.home = loop->options->home->places.home,
                             .is_node = true,
                             .pid = (long)uv_os_getpid(),
                             .is_passphrase_protected = loop->options->is_passphrase_protected,
                             .listening = loop->listening,
                             .listening_count = loop->listeners_count,
                             .announced = loop->options->announce,
                             .announced_count = loop->options->announce_count,
                             .interfaces = loop->interfaces,
                             .interfaces_count = loop->interfaces_count,
                             .vouches = &loop->vouches,
                             .look = home_look};
    if (presence != NULL) {
        out->presence = presence;
        out->presence_count = engine_presence(loop->engine, presence, count);
        if (out->presence_count > count)
            out->presence_count = count;
    }
    *out_presence = presence;
}

/* Time. */

static void loop_on_timer(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    struct engine_event event = {.type = ENGINE_WOKEN};

    loop->timer_at_ms = 0;
    if (loop->is_accept_paused)
        loop_accept_again(loop);
    loop_limits_tick(loop);
    loop_job_flush(loop, false);
    loop_job_tick(loop);
    if (!loop->is_stopping)
        loop_engine(loop, &event);
    loop_limits_rested(loop);
    loop_rpc_poll(loop);
    loop_arm(loop);
    if (loop->is_stopping && (loop->jobs_count == 0 || clock_running_ms() >= loop->stop_at_ms))
        uv_stop(&loop->uv);
}

void loop_arm(struct loop *loop)
{
    uint64_t now = clock_running_ms();
    uint64_t wake = engine_wake_at_ms(loop->engine);
    uint64_t wait = wake <= now ? 0 : wake - now;

    if (wait > LOOP_TICK_MS)
        wait = LOOP_TICK_MS;
    if (loop->is_accept_paused && wait > LOOP_ACCEPT_PAUSE_MS)
        wait = LOOP_ACCEPT_PAUSE_MS;
    if (loop->poll_at_ms > now && wait > loop->poll_at_ms - now)
        wait = loop->poll_at_ms - now;
    if (loop->deliveries != NULL && wait > LOOP_DELIVERY_TICK_MS)
        wait = LOOP_DELIVERY_TICK_MS;
    if (loop->is_stopping)
        wait = 10;
    /* It is only brought forward: else whoever asks often enough would put off for ever what is
     * done when it comes. */
    if (loop->timer_at_ms != 0 && loop->timer_at_ms < now + wait)
        wait = loop->timer_at_ms > now ? loop->timer_at_ms - now : 0;
    loop->timer_at_ms = now + wait;
    (void)uv_timer_start(&loop->timer, loop_on_timer, wait,
                         0); /* A valid timer cannot fail to start. */
}

static void loop_on_written_jobs(uv_async_t *async)
{
    struct loop *loop = async->data;

    loop_jobs_done(loop);
    loop_arm(loop);
}

static void loop_wake(void *self)
{
    struct loop *loop = self;

    (void)uv_async_send(&loop->written); /* Only fails after the handle was closed. */
}

static void loop_on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    loop_stop(signal->data);
}

void loop_stop(struct loop *loop)
{
    struct engine_event event = {.type = ENGINE_STOP};

    if (loop->is_stopping)
        return;
    loop->is_stopping = true;
    loop->stop_at_ms = clock_running_ms() + LOOP_STOP_MS;
    loop_job_flush(loop, true);
    loop_engine(loop, &event);
    loop_arm(loop);
}

/* Start and end. */

/* A port drawn for :0 is tried first next time, so that invitations and peers' memories stay true.
 */
static uint16_t loop_port_before(struct loop *loop, const struct address *wanted)
{
    struct address before[ADDRESSES_MAX];
    size_t count = 0;

    if (wanted->port != 0)
        return wanted->port;
    if (home_read_listening(loop->options->home, before, &count) != ERR_OK)
        return 0;
    for (size_t at = 0; at < count; at++)
        if (memcmp(before[at].host, wanted->host, 16) == 0)
            return before[at].port;
    return 0;
}

static int loop_bind(struct loop *loop, uv_tcp_t *listener, const struct address *address)
{
    struct sockaddr_storage name;
    int status = uv_tcp_init(&loop->uv, listener);

    if (status != 0)
        return status;
    listener->data = loop;
    loop_to_sockaddr(address, &name);
    status = uv_tcp_bind(listener, (const struct sockaddr *)&name, 0);
    if (status == 0)
        status = uv_listen((uv_stream_t *)listener, LOOP_BACKLOG, loop_on_connection);
    if (status != 0) {
        uv_close((uv_handle_t *)listener, NULL);
        (void)uv_run(&loop->uv,
                     UV_RUN_NOWAIT); /* Lets the handle finish closing before it is used again. */
    }
    return status;
}

static enum err loop_listen_one(struct loop *loop, const struct address *wanted,
                                struct address *out_address)
{
    uv_tcp_t *listener = &loop->listeners[loop->listeners_count];
    struct address address = *wanted;
    struct sockaddr_storage name;
    int name_size = sizeof name, status;

    address.port = loop_port_before(loop, wanted);
    status = loop_bind(loop, listener, &address);
    if (status != 0 && wanted->port == 0 && address.port != 0) {
        address.port = 0;
        status = loop_bind(loop, listener, &address);
    }
    if (status != 0) {
        *out_address = address;
        return status == UV_EADDRINUSE      ? ERR_BUSY
               : status == UV_EADDRNOTAVAIL ? ERR_NOT_FOUND
                                            : ERR_IO;
    }
    loop->listening[loop->listeners_count] = address;
    if (uv_tcp_getsockname(listener, (struct sockaddr *)&name, &name_size) == 0)
        loop_from_sockaddr((const struct sockaddr *)&name, &loop->listening[loop->listeners_count]);
    loop->listeners_count++;
    return ERR_OK;
}

static enum err loop_listen(struct loop *loop, struct address *out_address)
{
    enum err err = ERR_OK;

    for (size_t at = 0; at < loop->options->listen_count && at < LOOP_LISTEN_MAX && err == ERR_OK;
         at++)
        err = loop_listen_one(loop, &loop->options->listen[at], out_address);
    if (err == ERR_OK && loop->listeners_count > 0)
        err = home_write_listening(loop->options->home, loop->listening, loop->listeners_count);
    return err;
}

static bool loop_is_loopback_only(const struct loop *loop)
{
    for (size_t at = 0; at < loop->listeners_count; at++)
        if (!address_is_loopback(&loop->listening[at]))
            return false;
    return loop->listeners_count > 0;
}

static enum err loop_start_engine(struct loop *loop)
{
    struct engine_options options = {.ledger = loop->ledger,
                                     .addresses = loop->announced,
                                     .addresses_count = loop->announced_count,
                                     .is_loopback_only = loop_is_loopback_only(loop)};

    return engine_new(&options, &loop->engine);
}

static void loop_close_all(uv_handle_t *handle, void *self)
{
    struct loop *loop = self;
    bool is_conn = handle->type == UV_TCP && handle->data != loop;

    if (!uv_is_closing(handle))
        uv_close(handle, is_conn ? loop_on_gone : NULL);
}

static void loop_end(struct loop *loop)
{
    loop_rpc_close(loop);
    if (loop->writer != NULL)
        writer_stop(loop->writer);
    loop->is_stepping = true; /* From here events only wait: nothing new begins. */
    if (loop->writer != NULL)
        loop_jobs_done(loop);
    uv_walk(&loop->uv, loop_close_all, loop);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
        continue;
    while (loop->pending_first != NULL) {
        struct loop_pending *pending = loop->pending_first;

        loop->pending_first = pending->next;
        buf_release(&pending->bytes);
        heap_free(pending);
    }
    errand_free(loop->deliveries);
    engine_free(loop->engine);
    writer_free(loop->writer);
    vouch_cache_release(&loop->vouches);
    if (loop->ledger_old != NULL)
        ledger_close(loop->ledger_old);
    if (loop->ledger != loop->options->ledger)
        ledger_close(loop->ledger);
    (void)uv_loop_close(&loop->uv); /* Every handle is closed by now. */
}

static void loop_init_handles(struct loop *loop)
{
    (void)uv_timer_init(&loop->uv, &loop->timer); /* These only set fields up. */
    (void)uv_signal_init(&loop->uv, &loop->interrupt);
    (void)uv_signal_init(&loop->uv, &loop->terminate);
    loop->timer.data = loop->interrupt.data = loop->terminate.data = loop;
    (void)uv_signal_start(&loop->interrupt, loop_on_signal, SIGINT);
    (void)uv_signal_start(&loop->terminate, loop_on_signal, SIGTERM);
}

static enum err loop_start(struct loop *loop, struct address *out_address)
{
    enum err err;

    if (uv_async_init(&loop->uv, &loop->written, loop_on_written_jobs) != 0)
        return ERR_IO;
    loop->written.data = loop;
    loop_init_handles(loop);
    loop->interfaces_count = interfaces_find(loop->interfaces, LOOP_INTERFACES_MAX);
    err = loop_listen(loop, out_address);
    if (err != ERR_OK)
        return err;
    loop_find_announced(loop);
    err = loop_start_engine(loop);
    if (err == ERR_OK)
        err = writer_start(loop->ledger, &WRITER_PACE_DEFAULT, loop_wake, loop, &loop->writer);
    if (err == ERR_OK)
        err = loop_rpc_open(loop);
    return err;
}

enum err loop_run(const struct loop_options *options, struct address *out_address)
{
    struct loop *loop = heap_new_zeroed(1, sizeof *loop);
    struct engine_event begin = {.type = ENGINE_PEERS_CHANGED};
    enum err err;

    if (loop == NULL)
        return ERR_NOMEM;
    loop->options = options;
    loop->ledger = options->ledger;
    loop_limits_start(loop);
    if (uv_loop_init(&loop->uv) != 0) {
        heap_free(loop);
        return ERR_IO;
    }
    err = loop_start(loop, out_address);
    if (err == ERR_OK) {
        options->on_ready(options->self, loop->listening, loop->listeners_count);
        loop_owner_begin(loop);
        loop_engine(loop, &begin);
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT); /* Returns once loop_stop has had its way. */
    }
    loop_end(loop);
    err = err == ERR_OK ? loop->failed : err;
    heap_free(loop);
    return err;
}

const char *loop_library(void)
{
    return uv_version_string();
}
