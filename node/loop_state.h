/* What the files of the driver share. Only they include this, and uv.h. */
#ifndef KITH_NODE_LOOP_STATE_H
#define KITH_NODE_LOOP_STATE_H

#include <uv.h>

#include "node/engine.h"
#include "node/errand.h"
#include "node/loop.h"
#include "node/ops.h"
#include "node/vouch.h"
#include "node/writer.h"

enum {
    LOOP_CONN_BUCKETS = 2048,
    LOOP_READ_SIZE = 64 << 10,
    LOOP_INTERFACES_MAX = 16,
    LOOP_PRESENCE_MAX = 2048
};

/* One TCP connection. */
struct loop_conn {
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct loop *loop;
    conn_id id;
    struct address address;
    size_t writing;    /* writes not finished */
    bool is_closing;   /* closes once writing is 0 */
    bool is_gone;      /* uv_close was called */
    bool is_held;      /* not read from: the writer has enough to do */
    bool is_unread;    /* not read from: it reads nothing itself */
    bool is_resting;   /* not read from: it made us look up too much */
    uint64_t since_ms; /* closing, or with more to write than it should have; 0: neither */
    struct loop_conn *next;
};

/* An event that waits for the step under way. */
struct loop_pending {
    struct engine_event event;
    struct buf bytes; /* copy of what the event borrows */
    struct loop_pending *next;
};

/* One client of the UNIX socket: see loop_rpc.c. */
struct loop_client;

struct loop {
    uv_loop_t uv;
    const struct loop_options *options;
    struct ledger *ledger;     /* options->ledger, or its successor's */
    struct ledger *ledger_old; /* the one before, where it is ours to close */
    bool is_succeeding;        /* a succession is in the writer's hands */
    struct engine *engine;
    struct writer *writer;
    struct vouch_cache vouches; /* of the writer's thread */
    uv_tcp_t listeners[LOOP_LISTEN_MAX];
    struct address listening[LOOP_LISTEN_MAX];
    size_t listeners_count;
    uv_pipe_t door;
    bool has_door;
    uv_timer_t timer; /* the engine's wake-up, once a second at most for polls of waiting clients */
    uint64_t timer_at_ms; /* when it comes; 0: it has come and is not set again */
    uv_async_t written;   /* the writer has done jobs */
    uv_signal_t interrupt, terminate;
    uint8_t read_bytes[LOOP_READ_SIZE];
    bool is_anyone_resting;
    struct loop_conn *conns[LOOP_CONN_BUCKETS];
    conn_id next_accepted;
    struct loop_client *clients;
    struct address interfaces[LOOP_INTERFACES_MAX];
    size_t interfaces_count;
    struct address announced[ADDRESSES_MAX]; /* what peers are told */
    size_t announced_count;
    struct loop_pending *pending_first, *pending_last;
    bool is_stepping;
    bool is_journal_changed;           /* followers of the log are told */
    json_int_t told;                   /* number of the last row that the terminal was told */
    bool is_accept_paused;             /* out of descriptors: tried again by the timer */
    bool has_waiting[LOOP_LISTEN_MAX]; /* a listener has a connection that was not accepted */
    size_t conns_count, conns_max;
    uint64_t limits_at_ms, disk_at_ms;
    size_t ingest_bytes; /* in the writer's hands */
    bool is_holding;     /* somebody is not read from */
    bool is_stopping;
    enum err failed; /* why the node ended itself */
    uint64_t stop_at_ms;
    uint64_t poll_at_ms;       /* a waiting client is asked about again */
    struct errand *deliveries; /* acknowledged, not stored yet: collected for a while */
    uint64_t deliveries_at_ms;
    size_t jobs_count;      /* in the writer's hands */
    bool is_ticking;        /* a tick is among them */
    uint64_t tick_at_ms;    /* not before: the last one failed */
    uint64_t running_at_ms; /* when running time is to be written again */
};

/* loop.c */
void loop_engine(struct loop *loop, struct engine_event *event);
void loop_arm(struct loop *loop); /* sets the timer for whatever comes next */
void loop_stop(struct loop *loop);
void loop_world(struct loop *loop, struct op_world *out, struct op_presence **out_presence);
void loop_op_done(struct loop *loop, const struct op_effects *effects);
void loop_news(struct loop *loop, const struct ledger_news *news);

/* loop_owner.c */
void loop_owner_begin(struct loop *loop);
void loop_owner_tell(struct loop *loop);

/* loop_conn.c */
void loop_to_sockaddr(const struct address *address, struct sockaddr_storage *out);
void loop_from_sockaddr(const struct sockaddr *from, struct address *out);
void loop_send(struct loop *loop, conn_id id, struct span bytes);
void loop_close_conn(struct loop *loop, conn_id id); /* after what was sent has left */
void loop_dial(struct loop *loop, conn_id id, const struct address *address);
void loop_on_connection(uv_stream_t *listener, int status);
void loop_accept_again(struct loop *loop); /* what waited because descriptors had run out */
void loop_drop(struct loop_conn *conn);    /* at once */
void loop_read(struct loop_conn *conn);    /* begins reading, or goes on */
void loop_on_gone(uv_handle_t *handle);    /* frees a connection whose handle has closed */

/* loop_limits.c */
void loop_limits_start(struct loop *loop);
void loop_limits_tick(struct loop *loop);
bool loop_limits_may_read(const struct loop *loop);
/* Has it left so much unread that nothing more is heard from it? */
bool loop_limits_is_unread(const struct loop_conn *conn);
/* Reads on from whoever has rested. */
void loop_limits_rested(struct loop *loop);
/* Has it left so much unread that its end does not wait for it? */
bool loop_limits_is_too_much(const struct loop_conn *conn);
void loop_limits_resume(struct loop *loop); /* when the writer has done something */

/* loop_heal.c */
/* A session brought what may prove that this device must go. */
void loop_heal(struct loop *loop, const uint8_t handshake_hash[static HASH_SIZE]);
/* Goes on repeating what was cut from own logs, while there is some. */
void loop_heal_duty(struct loop *loop);

/* loop_rpc.c */
MUST_USE enum err loop_rpc_open(struct loop *loop);
void loop_rpc_poll(
    struct loop *loop); /* something changed, or time passed: waiting clients may be answered */
void loop_rpc_close(struct loop *loop);

/* loop_jobs.c: engine effects that the writer thread carries out. */
void loop_job_errand(struct loop *loop, const struct engine_effect *effect);
void loop_job_delivered(struct loop *loop, const struct engine_effect *effect);
void loop_job_flush(struct loop *loop, bool is_forced); /* deliveries collected so far */
/* A transaction of its own for what is due by the wall clock (node/react.h). */
void loop_job_tick(struct loop *loop);
void loop_jobs_done(struct loop *loop);
/* Pushes a job whose completion calls done on the loop's thread. */
struct loop_job {
    struct writer_job base;
    struct loop *loop;
    void (*done)(struct loop *loop, struct loop_job *job);
};
void loop_job_push(struct loop *loop, struct loop_job *job);

#endif
