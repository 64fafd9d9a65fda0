/*
 * What the driver bears: descriptors, sockets that others do not empty, bytes that wait for the
 * writer, and the room on the disk. Looked at once a second.
 */
#include "node/loop_state.h"

#include <sys/resource.h>
#include <sys/statvfs.h>

#include "node/clock.h"

enum {
    LOOP_DESCRIPTORS = 4096,        /* wished for: 1,024 sessions, 256 strangers, clients, files */
    LOOP_DESCRIPTORS_RESERVED = 64, /* for the store, files, clients of the socket, one to spare */
    LOOP_QUEUE_MAX = 1 << 20,       /* bytes a peer has not taken, */
    LOOP_QUEUE_MS = 60000,          /* for so long: then it is too slow */
    LOOP_UNREAD_MAX = 4 << 20,      /* whoever asks on and reads nothing: more than is ever given */
    LOOP_LINGER_MS = 10000,         /* a closed connection may still send what was said, */
    LOOP_LINGER_MAX = 64 << 10,     /* so much of it: the rest would be sent again anyway */
    LOOP_INGEST_MAX = 64 << 20,     /* bytes of batches in the writer's hands: reading rests */
    LOOP_DISK_TICK_MS = 10000
};

#define LOOP_DISK_MIN_BYTES (UINT64_C(256) << 20)    /* rule L10: or a part of the disk, */
#define LOOP_DISK_PART 20                            /* a twentieth, */
#define LOOP_DISK_PART_MAX_BYTES (UINT64_C(4) << 30) /* of which nobody misses more than this */

/* Descriptors. */

void loop_limits_start(struct loop *loop)
{
    struct rlimit limit;
    rlim_t wanted = LOOP_DESCRIPTORS;

    loop->conns_max = LOOP_DESCRIPTORS - LOOP_DESCRIPTORS_RESERVED;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* What came of it is looked at next. */
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    loop->conns_max = limit.rlim_cur > 2 * LOOP_DESCRIPTORS_RESERVED
                          ? (size_t)limit.rlim_cur - LOOP_DESCRIPTORS_RESERVED
                          : LOOP_DESCRIPTORS_RESERVED;
    log_line(loop->options->log, LOG_WARNING,
             "this system allows %lu open files: at most %lu connections at once",
             (unsigned long)limit.rlim_cur, (unsigned long)loop->conns_max);
}

/* Sockets. */

/* PROTOCOL LIMIT-6: "A peer that for 60 s has left more than 1 MiB of what was said to it unread is
 * let go, and called again later." */
static void loop_limits_conn(struct loop_conn *conn, uint64_t now_ms)
{
    struct engine_event stalled = {.type = ENGINE_STALLED, .conn = conn->id};

    if (conn->is_closing) {
        if (conn->since_ms == 0)
            conn->since_ms = now_ms;
        else if (now_ms >= conn->since_ms + LOOP_LINGER_MS)
            loop_drop(conn);
        return;
    }
    if (uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp) <= LOOP_QUEUE_MAX) {
        conn->since_ms = 0;
        return;
    }
    if (conn->since_ms == 0)
        conn->since_ms = now_ms;
    if (now_ms < conn->since_ms + LOOP_QUEUE_MS)
        return;
    conn->since_ms = now_ms; /* From here the end of its patience counts. */
    loop_engine(conn->loop, &stalled);
}

/* The disk. */

/* PROTOCOL LIMIT-6: "While the disk has less than 256 MiB or a twentieth of itself free (never more
 * than 4 GiB are asked for), what others give is not taken" */
static void loop_limits_disk(struct loop *loop)
{
    struct ledger *ledger = loop->ledger;
    struct statvfs disk;
    uint64_t free_bytes, least_bytes;
    bool is_low;

    if (statvfs(loop->options->home->places.home, &disk) != 0)
        return;
    free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    least_bytes = (uint64_t)disk.f_blocks * disk.f_frsize / LOOP_DISK_PART;
    if (least_bytes > LOOP_DISK_PART_MAX_BYTES)
        least_bytes = LOOP_DISK_PART_MAX_BYTES;
    if (least_bytes < LOOP_DISK_MIN_BYTES)
        least_bytes = LOOP_DISK_MIN_BYTES;
    is_low = free_bytes < least_bytes;
    if (is_low && !ledger_is_disk_low(ledger))
        log_line(loop->options->log, LOG_WARNING,
                 "the disk is nearly full: %llu MiB are left. What others share is not taken "
                 "before there are %llu",
                 (unsigned long long)(free_bytes >> 20), (unsigned long long)(least_bytes >> 20));
    ledger_set_disk_low(ledger, is_low);
}

void loop_limits_tick(struct loop *loop)
{
    uint64_t now_ms = clock_running_ms();

    if (now_ms < loop->limits_at_ms)
        return;
    loop->limits_at_ms = now_ms + 1000;
    for (size_t at = 0; at < LOOP_CONN_BUCKETS; at++)
        for (struct loop_conn *conn = loop->conns[at], *next; conn != NULL; conn = next) {
            next = conn->next;
            if (!conn->is_gone)
                loop_limits_conn(conn, now_ms);
        }
    if (now_ms < loop->disk_at_ms)
        return;
    loop->disk_at_ms = now_ms + LOOP_DISK_TICK_MS;
    loop_limits_disk(loop);
}

/* PROTOCOL LIMIT-6: "From whoever has left more than 4 MiB unread nothing is read meanwhile." */
bool loop_limits_is_unread(const struct loop_conn *conn)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp) > LOOP_UNREAD_MAX;
}

bool loop_limits_is_too_much(const struct loop_conn *conn)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp) > LOOP_LINGER_MAX;
}

/* What waits for the writer. */

/* PROTOCOL LIMIT-6: "While 64 MiB of batches wait to be stored, nobody is read from." */
bool loop_limits_may_read(const struct loop *loop)
{
    return loop->ingest_bytes < LOOP_INGEST_MAX;
}

void loop_limits_resume(struct loop *loop)
{
    if (!loop->is_holding || loop->ingest_bytes > LOOP_INGEST_MAX / 2)
        return;
    loop->is_holding = false;
    for (size_t at = 0; at < LOOP_CONN_BUCKETS; at++)
        for (struct loop_conn *conn = loop->conns[at]; conn != NULL; conn = conn->next)
            if (conn->is_held && !conn->is_gone)
                loop_read(conn);
}

void loop_limits_rested(struct loop *loop)
{
    bool is_anyone_resting = false;

    if (!loop->is_anyone_resting)
        return;
    for (size_t at = 0; at < LOOP_CONN_BUCKETS; at++)
        for (struct loop_conn *conn = loop->conns[at], *next; conn != NULL; conn = next) {
            next = conn->next;
            if (!conn->is_resting || conn->is_gone)
                continue;
            conn->is_resting = engine_is_resting(loop->engine, conn->id);
            is_anyone_resting |= conn->is_resting;
            if (!conn->is_resting)
                loop_read(conn);
        }
    loop->is_anyone_resting = is_anyone_resting;
}
