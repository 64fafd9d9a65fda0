/* See rig.h. Reading order: devices, one end of the wire, the two threads, the bare pipeline. */
#include "tests/bench/rig.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <lmdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "crypto/channel.h"
#include "node/react.h"
#include "node/writer.h"
#include "proto/session.h"
#include "storage/join.h"
#include "storage/ledger_state.h"
#include "storage/replica.h"
#include "storage/view_peer.h"

enum {
    RIG_READ_SIZE = 64 << 10,
    RIG_FILL_STEP = 5000,
    RIG_BARE_COMMIT = 8000,
    RIG_BARE_FIRST = 1024
};

/* Devices. */

/* Certified on the first, whose own epoch is renewed for it at once. */
static void rig_join(struct rig_device *device, const struct rig_device *first)
{
    struct welcome welcome;
    struct welcome_ask ask;
    struct ledger_txn *txn;

    join_draw(&device->entropy, 1, &device->secrets);
    bench_check(join_ask_of(&device->secrets, span_str("bench"), &ask), "ask");
    bench_check(ledger_begin(first->ledger, 1700000000000, &txn), "begin");
    bench_check(join_admit(txn, &ask, &welcome), "admit");
    bench_check(react_all(txn), "react");
    bench_check(ledger_commit(txn, NULL), "commit");
    bench_check(join_create(device->kv, &device->secrets, &device->entropy, &welcome, 1), "join");
}

void rig_device_open(struct rig_device *device, const struct rig_device *first)
{
    memset(device, 0, sizeof *device);
    device->entropy = entropy_os();
    device->path = bench_folder();
    device->kv = bench_kv(device->path);
    if (first != NULL) {
        rig_join(device, first);
    } else {
        bench_secrets(&device->secrets);
        bench_check(
            ledger_create(device->kv, &device->secrets, &device->entropy, span_str("bench"), 1),
            "create");
    }
    bench_check(ledger_open(device->kv, &device->secrets, &device->entropy, &device->ledger),
                "open");
}

void rig_device_close(struct rig_device *device)
{
    ledger_close(device->ledger);
    kv_close(device->kv);
    bench_remove(device->path);
}

/* Some 200 bytes of words from a vocabulary of 4,096, other ones each time. */
static void rig_words(uint64_t seed, char out[static 256])
{
    static const char *const syllables[] = {"ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo",
                                            "be", "da", "fi", "go", "hu", "je", "pa", "wy"};
    size_t size = 0;

    while (size < 192) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size += (size_t)snprintf(out + size, 256 - size, "%s%s%s ", syllables[seed >> 60],
                                 syllables[seed >> 56 & 15], syllables[seed >> 52 & 15]);
    }
}

void rig_fill(struct rig_device *giver, size_t edits, size_t contacts, bool is_wordy)
{
    const struct id *space = ledger_self_space(giver->ledger);
    struct edit_space edit = {0};
    struct id object = {{0}};
    struct ledger_txn *txn;
    char words[256];

    for (size_t at = 0; at < edits; at += RIG_FILL_STEP) {
        bench_check(ledger_begin(giver->ledger, 1700000000000, &txn), "begin");
        for (size_t index = at; index < at + RIG_FILL_STEP && index < edits; index++) {
            /* Contacts in an order of their own each time round, as people are edited. */
            size_t contact = index * 7919 % contacts;

            /* Creation time, then what stands for random bytes. */
            be64_put(object.bytes, (UINT64_C(1700000000000) + contact / 50) << 16);
            be64_put(object.bytes + 6, contact * UINT64_C(0x9e3779b97f4a7c15));
            bench_edit(&edit, &object, 1 + index / contacts);
            if (is_wordy) {
                rig_words(index, words);
                edit_begin(&edit, 10, &object, 1700000000000 + index);
                edit_set(&edit, 5, 1 + index / contacts,
                         (struct value){.type = VALUE_TEXT, .bytes = span_str(words)});
            }
            bench_check(ledger_append(txn, space, &edit, 0), "append");
        }
        bench_check(ledger_commit(txn, NULL), "commit");
    }
    edit_release(&edit);
}

/* One end of the wire. */

struct rig_end {
    struct rig_device *device;
    struct session *session;
    struct channel *channel;
    int fd, wake[2];
    struct buf in, content, out;
    size_t out_at;
    uint64_t wire_bytes;
    struct writer *writer;
    struct writer_pace pace;
    bool is_over;
};

struct rig_job {
    struct writer_job base;
    uint64_t ticket;
    struct verified_batch *batch;
};

static void rig_event(struct rig_end *end, struct session_event *event);

static enum err rig_ingest_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct rig_job *job = (struct rig_job *)(void *)base;

    return ledger_ingest(txn, job->batch);
}

static void rig_ingest(struct rig_end *end, const struct session_effect *effect)
{
    struct rig_job *job = calloc(1, sizeof *job);

    job->base.run = rig_ingest_run;
    job->base.weight = verified_batch_size(effect->ingest.batch);
    job->ticket = effect->ingest.ticket;
    job->batch = effect->ingest.batch;
    writer_push(end->writer, &job->base);
}

static void rig_effect(struct rig_end *end, const struct session_effect *effect)
{
    if (effect->type == SESSION_SEND)
        bench_check(channel_seal(end->channel, effect->bytes, false, &end->out), "seal");
    if (effect->type == SESSION_INGEST)
        rig_ingest(end, effect);
    if (effect->type == SESSION_END) {
        if (effect->end.rule != NULL)
            fprintf(stderr, "session ended: %s\n", effect->end.rule);
        end->is_over = true;
    }
}

static void rig_event(struct rig_end *end, struct session_event *event)
{
    const struct session_effect *effects;
    struct snapshot snapshot;
    struct replica replica;
    size_t count;

    bench_check(ledger_snapshot(end->device->ledger, &snapshot), "snapshot");
    replica_of(&snapshot, &replica);
    event->now_ms = (uint64_t)(bench_now() * 1000);
    bench_check(session_step(end->session, event, &replica, &effects, &count), "step");
    for (size_t at = 0; at < count; at++)
        rig_effect(end, &effects[at]);
    session_rest(end->session);
    ledger_snapshot_end(&snapshot);
}

/* Sends what the socket takes; when all has left, the session hears of it. */
static void rig_write(struct rig_end *end)
{
    struct session_event drained = {.type = SESSION_DRAINED};

    while (end->out_at < end->out.size) {
        ssize_t size = send(end->fd, end->out.data + end->out_at, end->out.size - end->out_at,
                            MSG_NOSIGNAL | MSG_DONTWAIT);

        if (size <= 0)
            return;
        end->out_at += (size_t)size;
        end->wire_bytes += (uint64_t)size;
        if (end->out_at < end->out.size)
            continue;
        buf_clear(&end->out);
        end->out_at = 0;
        rig_event(end, &drained);
    }
}

static void rig_read(struct rig_end *end)
{
    struct session_event event = {.type = SESSION_BYTES};
    uint8_t *room;
    ssize_t size;

    room = malloc(RIG_READ_SIZE);
    size = recv(end->fd, room, RIG_READ_SIZE, MSG_DONTWAIT);
    if (size > 0) {
        buf_append(&end->in, span_of(room, (size_t)size));
        buf_clear(&end->content);
        bench_check(channel_open(end->channel, &end->in, &end->content), "open");
        event.bytes = buf_span(&end->content);
        if (event.bytes.size > 0)
            rig_event(end, &event);
    } else if (size == 0) {
        end->is_over = true;
    }
    free(room);
}

static void rig_take_done(struct rig_end *end)
{
    struct writer_job *next;
    uint8_t ignored[64];

    (void)!read(end->wake[0], ignored, sizeof ignored);
    for (struct writer_job *done = writer_done(end->writer); done != NULL; done = next) {
        struct rig_job *job = (struct rig_job *)(void *)done;
        struct session_event committed = {.type = SESSION_COMMITTED,
                                          .committed = {.ticket = job->ticket, .err = done->err}};

        next = done->next;
        bench_check(done->err, "commit");
        verified_batch_free(job->batch);
        free(job);
        rig_event(end, &committed);
    }
}

static void rig_wake(void *self)
{
    struct rig_end *end = self;

    (void)!write(end->wake[1], "", 1);
}

/* One round of the wire: waits, at most 50 ms, for bytes, room or commits. */
static void rig_turn(struct rig_end *end)
{
    struct pollfd polled[2] = {{.fd = end->fd, .events = POLLIN},
                               {.fd = end->wake[0], .events = POLLIN}};

    polled[0].events |= end->out_at < end->out.size ? POLLOUT : 0;
    (void)poll(polled, 2, 50);
    if ((polled[1].revents & POLLIN) != 0)
        rig_take_done(end);
    if ((polled[0].revents & (POLLIN | POLLHUP)) != 0)
        rig_read(end);
    rig_write(end);
}

static void rig_end_open(struct rig_end *end, struct rig_device *device, int fd, bool is_first,
                         struct writer_pace pace)
{
    struct session_options options = {
        .role = SESSION_PEER, .member = device->secrets.member, .peer = device->secrets.member};
    struct session_event started = {.type = SESSION_STARTED};
    uint8_t keys[2][KEY_SIZE] = {{1}, {2}};

    memset(end, 0, sizeof *end);
    end->device = device;
    end->fd = fd;
    end->pace = pace;
    end->channel = secret_new(sizeof *end->channel);
    channel_init(end->channel, keys[is_first ? 0 : 1], keys[is_first ? 1 : 0]);
    bench_check(session_new(&options, &end->session), "session");
    if (pipe(end->wake) != 0)
        exit(1);
    (void)fcntl(end->wake[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(end->wake[1], F_SETFL, O_NONBLOCK);
    bench_check(writer_start(device->ledger, &end->pace, rig_wake, end, &end->writer), "writer");
    rig_event(end, &started);
}

static void rig_end_close(struct rig_end *end)
{
    writer_stop(end->writer);
    rig_take_done(end);
    writer_free(end->writer);
    session_free(end->session);
    secret_free(end->channel);
    buf_release(&end->in);
    buf_release(&end->content);
    buf_release(&end->out);
    close(end->fd);
    close(end->wake[0]);
    close(end->wake[1]);
}

/* Two threads. */

static void rig_sockets(int out[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    out[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        connect(out[0], (struct sockaddr *)&address, size) != 0)
        exit(1);
    out[1] = accept(listener, NULL, NULL);
    (void)setsockopt(out[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(out[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    close(listener);
}

static double rig_thread_cpu(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double rig_process_cpu(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct rig_memory rig_memory(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    struct rig_memory memory = {0};
    long resident_kib = 0;
    char line[256];

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "Rss:", 4) == 0)
            resident_kib = strtol(line + 4, NULL, 10);
        if (strncmp(line, "Anonymous:", 10) == 0)
            memory.anonymous_kib = strtol(line + 10, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    memory.mapped_kib = resident_kib - memory.anonymous_kib;
    return memory;
}

/* The greatest of each, which need not have been at one time. */
static void rig_note_memory(struct rig_memory *most)
{
    struct rig_memory now = rig_memory();

    if (now.anonymous_kib > most->anonymous_kib)
        most->anonymous_kib = now.anonymous_kib;
    if (now.mapped_kib > most->mapped_kib)
        most->mapped_kib = now.mapped_kib;
}

struct rig_giver {
    struct rig_device *device;
    int fd;
    atomic_bool is_stopping;
    double cpu_s;
    uint64_t batch_bytes, wire_bytes;
};

static void *rig_give(void *self)
{
    struct rig_giver *giver = self;
    struct session_progress progress;
    struct rig_end end;
    double begun = rig_thread_cpu();

    rig_end_open(&end, giver->device, giver->fd, true, WRITER_PACE_DEFAULT);
    while (!atomic_load(&giver->is_stopping) && !end.is_over)
        rig_turn(&end);
    session_progress(end.session, &progress);
    giver->batch_bytes = progress.bytes_sent;
    giver->wire_bytes = end.wire_bytes;
    rig_end_close(&end);
    giver->cpu_s = rig_thread_cpu() - begun;
    return NULL;
}

static bool rig_is_readable(struct rig_device *device)
{
    return !follow_is_behind(device->ledger);
}

void rig_sync(struct rig_device *giver, struct rig_device *taker, bool is_log_first,
              struct rig_times *out)
{
    struct writer_pace log_first = {.quiet_ms = 50, .longest_ms = 3600 * 1000};
    struct writer_pace pace = is_log_first ? log_first : WRITER_PACE_DEFAULT;
    struct rig_giver other = {.device = giver};
    struct session_progress progress;
    struct rig_end end;
    pthread_t thread;
    int sockets[2];
    double begun = bench_now(), cpu = rig_process_cpu(), own = rig_thread_cpu(), looked = begun;

    *out = (struct rig_times){0};
    rig_sockets(sockets);
    other.fd = sockets[0];
    pthread_create(&thread, NULL, rig_give, &other);
    rig_end_open(&end, taker, sockets[1], false, pace);
    while (!end.is_over && out->readable_s == 0) {
        rig_turn(&end);
        if (out->durable_s == 0 && session_is_in_step(end.session))
            out->durable_s = bench_now() - begun;
        if (out->durable_s > 0 && rig_is_readable(taker))
            out->readable_s = bench_now() - begun;
        if (bench_now() < looked + 0.1)
            continue;
        looked = bench_now();
        rig_note_memory(&out->memory);
    }
    session_progress(end.session, &progress);
    out->entries = progress.entries_received;
    atomic_store(&other.is_stopping, true);
    rig_end_close(&end);
    pthread_join(thread, NULL);
    out->giver_cpu_s = other.cpu_s;
    out->taker_cpu_s = rig_thread_cpu() - own;
    out->all_cpu_s = rig_process_cpu() - cpu;
    out->batch_bytes = other.batch_bytes;
    out->wire_bytes = other.wire_bytes;
}

/* The bare pipeline. */

struct rig_bare_store {
    char *path;
    MDB_env *env;
    MDB_dbi table;
    MDB_txn *txn;
};

static void rig_bare_open(struct rig_bare_store *store)
{
    store->path = bench_folder();
    if (mdb_env_create(&store->env) != 0 || mdb_env_set_mapsize(store->env, 4ul << 30) != 0 ||
        mdb_env_open(store->env, store->path, 0, 0600) != 0 ||
        mdb_txn_begin(store->env, NULL, 0, &store->txn) != 0 ||
        mdb_dbi_open(store->txn, NULL, 0, &store->table) != 0)
        exit(1);
}

static void rig_bare_commit(struct rig_bare_store *store, bool is_last)
{
    if (mdb_txn_commit(store->txn) != 0 ||
        (!is_last && mdb_txn_begin(store->env, NULL, 0, &store->txn) != 0))
        exit(1);
}

static void rig_bare_put(struct rig_bare_store *store, size_t at, struct span payload)
{
    uint8_t key[8];
    MDB_val name = {.mv_size = sizeof key, .mv_data = key};
    MDB_val value = {.mv_size = payload.size};

    memcpy(&value.mv_data, &payload.data, sizeof value.mv_data);
    be64_put(key, at);
    if (mdb_put(store->txn, store->table, &name, &value, MDB_APPEND) != 0)
        exit(1);
}

/* The key that the newest entries of the log are sealed with. */
/* Of early entries: after a million a log goes on under another key. */
static void rig_entry_key(const struct snapshot *snapshot, const struct log_row *log,
                          const struct log_id *id, uint8_t out[static KEY_SIZE])
{
    uint8_t key[KEY_SIZE];
    struct entry_row row;
    struct hash epoch;

    bench_check(ledger_entry_at(snapshot, log->number, RIG_BARE_FIRST, &row), "entry");
    bench_check(epoch_table_of_log(snapshot, log->number, row.entry.header.epoch_index, &epoch),
                "epoch");
    bench_check(epoch_table_key(snapshot, &epoch, key), "key");
    entry_key(key, id, out);
}

double rig_bare(struct rig_device *giver, size_t entries)
{
    struct log_id id = {.space = *ledger_self_space(giver->ledger),
                        .device = *ledger_device(giver->ledger)};
    struct rig_bare_store store;
    struct snapshot snapshot;
    struct log_row log;
    struct chain chain;
    struct head head;
    struct buf plain = {0};
    uint8_t key[KEY_SIZE];
    double begun;

    bench_check(ledger_snapshot(giver->ledger, &snapshot), "snapshot");
    bench_check(ledger_log(&snapshot, &id, &log), "log");
    rig_entry_key(&snapshot, &log, &id, key);
    rig_bare_open(&store);
    chain_begin(&id, &chain);
    bench_check(head_sign(ledger_signing_key(giver->ledger), &id, &chain, &head), "sign");
    begun = bench_now();
    for (size_t at = 0; at < entries; at++) {
        struct entry_row row;

        bench_check(ledger_entry_at(&snapshot, log.number, RIG_BARE_FIRST + at % 1024, &row),
                    "entry");
        buf_clear(&plain);
        bench_check(entry_open(key, &row.entry, row.seq, &plain), "open");
        entry_hash_payload(&row.entry);
        if (chain_extend(&chain, &row.entry.header))
            bench_check(head_verify(&id, &head), "verify");
        rig_bare_put(&store, at, row.entry.payload);
        if (at % RIG_BARE_COMMIT == RIG_BARE_COMMIT - 1)
            rig_bare_commit(&store, false);
    }
    rig_bare_commit(&store, true);
    begun = bench_now() - begun;
    ledger_snapshot_end(&snapshot);
    mdb_env_close(store.env);
    bench_remove(store.path);
    buf_release(&plain);
    return (double)entries / begun;
}

/* The bare store. */

void rig_print_tables(const char *path, double things)
{
    MDB_env *env;
    MDB_txn *txn;

    if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, KV_TABLES_MAX) != 0 ||
        mdb_env_open(env, path, MDB_RDONLY, 0600) != 0 ||
        mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
        exit(1);
    for (unsigned table = 0; table < TABLES_COUNT; table++) {
        MDB_stat stat;
        MDB_dbi dbi;
        double pages;

        if (mdb_dbi_open(txn, table_names[table], 0, &dbi) != 0 || mdb_stat(txn, dbi, &stat) != 0)
            exit(1);
        pages = (double)(stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages);
        if (pages * stat.ms_psize / things >= 5)
            printf("    %-12s %6.0f bytes each, %4.2f rows each\n", table_names[table],
                   pages * stat.ms_psize / things, (double)stat.ms_entries / things);
    }
    mdb_txn_abort(txn);
    mdb_env_close(env);
}
