/* The UNIX socket: clients of the owner's own uid ask for ops, one at a time each. A request
 * becomes a job of the writer thread; the reply goes out after its commit. An op that waits for
 * something (a link, being in step) is asked again by poll jobs whenever something changed, until
 * it is settled or its time is up. */
#include "node/loop_state.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/base64.h"
#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/clock.h"
#include "node/cmd.h"
#include "node/rpc.h"
#include "proto/limits.h"

enum {
    LOOP_CLIENTS_MAX = 64,
    LOOP_CLIENT_BACKLOG = 16,
    LOOP_POLL_MS = 250,
    LOOP_EARLY_MS = 300, /* dials asked for have had time to get somewhere */
    LOOP_CLIENT_READ = 64 << 10,
    LOOP_CLIENT_UNREAD_MAX = 32 << 20 /* a follower that does not read is let go */
};

struct loop_op_job {
    struct loop_job job;
    struct loop_client *client; /* NULL once the client is gone */
    const struct op *op;
    struct rpc_request request;
    struct op_call call;
    struct op_world world;
    struct op_presence *presence;
    struct buf file;
    bool is_poll;
    bool is_queued;
    uint64_t begun_ms, deadline_ms;
    atomic_ullong progress_done, progress_total;
    uint64_t progress_told;
};

struct loop_client {
    uv_pipe_t pipe;
    struct loop *loop;
    struct buf in;
    struct buf file;         /* uploaded so far */
    struct loop_op_job *job; /* under way; the next line waits */
    bool is_following;
    bool has_news;       /* the journal has changed since it was last looked at for this one */
    json_int_t followed; /* number of the last journal row told */
    bool is_gone;
    bool is_ending; /* closes when its replies are out */
    size_t writing;
    struct loop_client *next;
    uint8_t read_bytes[LOOP_CLIENT_READ];
};

struct loop_client_write {
    uv_write_t request;
    struct loop_client *client;
    struct buf bytes;
};

static void loop_client_next(struct loop_client *client);
static void loop_op_free(struct loop_op_job *job);

/* Writing to a client. */

static void loop_client_on_gone(uv_handle_t *handle)
{
    struct loop_client *client = handle->data;
    struct loop_client **at = &client->loop->clients;

    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    buf_release(&client->in);
    buf_release(&client->file);
    heap_free(client);
}

static void loop_client_drop(struct loop_client *client)
{
    if (client->is_gone)
        return;
    client->is_gone = true;
    if (client->job != NULL && client->job->is_queued)
        client->job->client = NULL; /* What was asked is still done. */
    else if (client->job != NULL)
        loop_op_free(client->job); /* It only waited, and nobody waits for it any more. */
    client->job = NULL;
    uv_close((uv_handle_t *)&client->pipe, loop_client_on_gone);
}

static void loop_client_on_written(uv_write_t *request, int status)
{
    struct loop_client_write *write = request->data;
    struct loop_client *client = write->client;

    client->writing--;
    buf_release(&write->bytes);
    heap_free(write);
    if (status < 0 || (client->is_ending && client->writing == 0))
        loop_client_drop(client);
}

/* Takes the bytes over. */
static void loop_client_send(struct loop_client *client, struct buf *bytes)
{
    struct loop_client_write *write = heap_new_zeroed(1, sizeof *write);
    uv_buf_t view;

    if (write == NULL || bytes->is_failed || client->is_gone ||
        uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) > LOOP_CLIENT_UNREAD_MAX) {
        heap_free(write);
        buf_release(bytes);
        loop_client_drop(client);
        return;
    }
    write->client = client;
    write->request.data = write;
    write->bytes = *bytes;
    *bytes = (struct buf){0};
    view = uv_buf_init((char *)write->bytes.data, (unsigned)write->bytes.size);
    client->writing++;
    if (uv_write(&write->request, (uv_stream_t *)&client->pipe, &view, 1, loop_client_on_written) !=
        0)
        loop_client_on_written(&write->request, -1);
}

static void loop_client_fail(struct loop_client *client, json_t *id, enum rpc_code code,
                             const char *message, const char *hint)
{
    struct op_failure failure = {.code = code == RPC_FAILED ? OP_FAILED : OP_USAGE};
    struct buf line = {0};

    (void)snprintf(failure.message, sizeof failure.message, "%s", message); /* Cut when too long. */
    (void)snprintf(failure.hint, sizeof failure.hint, "%s", hint);
    rpc_write_failure(id, code, &failure, &line);
    loop_client_send(client, &line);
}

/* The last word to a client that does not speak the protocol, or finds no room. */
static void loop_client_dismiss(struct loop_client *client, enum rpc_code code, const char *message)
{
    client->is_ending = true;
    loop_client_fail(client, NULL, code, message,
                     code == RPC_FAILED ? "end one of them, as kith log --follow"
                                        : "one JSON-RPC 2.0 object a line, at most 1 MiB");
}

/* Ops as jobs. */

static void loop_op_reset(struct loop_op_job *job)
{
    json_decref(job->call.result);
    job->call.result = NULL;
    job->call.effects = (struct op_effects){0};
    job->call.failure = (struct op_failure){0};
}

static void loop_op_progress(void *self, uint64_t done, uint64_t total)
{
    struct loop_op_job *job = self;

    atomic_store(&job->progress_done, done);
    atomic_store(&job->progress_total, total);
    (void)uv_async_send(&job->job.loop->written);
}

static enum err loop_op_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct loop_op_job *job = (struct loop_op_job *)(void *)base;

    loop_op_reset(job);
    return op_step(job->is_poll ? job->op->poll : job->op->run, &job->call,
                   writer_ledger(job->job.loop->writer), txn, clock_wall_ms());
}

static void loop_op_free(struct loop_op_job *job)
{
    json_decref(job->call.result);
    json_decref(job->call.first);
    rpc_request_release(&job->request);
    heap_free(job->presence);
    buf_release(&job->file);
    heap_free(job);
}

static void loop_op_push(struct loop *loop, struct loop_op_job *job, bool is_reading)
{
    heap_free(job->presence);
    loop_world(loop, &job->world, &job->presence);
    job->call.world = &job->world;
    job->call.is_early = job->is_poll && clock_running_ms() < job->begun_ms + LOOP_EARLY_MS;
    job->job.base.is_reading = is_reading;
    job->is_queued = true;
    loop_job_push(loop, &job->job);
}

static void loop_tell_progress(struct loop_op_job *job)
{
    uint64_t done = atomic_load(&job->progress_done), total = atomic_load(&job->progress_total);
    json_t *params;
    struct buf line = {0};

    if (done == job->progress_told || job->client == NULL)
        return;
    job->progress_told = done;
    params = json_pack("{s:I, s:I}", "done", (json_int_t)done, "total", (json_int_t)total);
    rpc_write_notification("progress", params, &line);
    json_decref(params);
    loop_client_send(job->client, &line);
}

static void loop_op_reply(struct loop_op_job *job, enum err err)
{
    struct loop_client *client = job->client;
    struct buf line = {0};

    if (client == NULL)
        return;
    client->job = NULL;
    if (err != ERR_OK) {
        rpc_write_failure(job->request.id, RPC_FAILED, &job->call.failure, &line);
    } else {
        if (job->call.result == NULL)
            job->call.result = json_object();
        rpc_write_result(job->request.id, job->call.result, &line);
    }
    loop_client_send(client, &line);
}

/* What an op "log" has told a client need not be told again. */
static void loop_followed(struct loop_client *client, const struct loop_op_job *job)
{
    json_t *last = json_object_get(job->call.result, "last");

    if (json_is_integer(last))
        client->followed = json_integer_value(last);
}

static void loop_op_done_job(struct loop *loop, struct loop_job *base)
{
    struct loop_op_job *job = (struct loop_op_job *)(void *)base;
    struct op_effects effects = job->call.effects;
    enum err err = op_settle(&job->call, base->base.err);
    uint64_t now_ms = clock_running_ms();
    struct loop_client *client;

    loop_tell_progress(job); /* Still queued: a client that goes with it leaves the job. */
    client = job->client;
    job->is_queued = false;
    if (err == ERR_OK && effects.goes_on && !loop->is_stopping) {
        json_decref(job->call.first);
        job->call.first = json_incref(job->call.result);
        loop_op_push(loop, job, false);
        return;
    }
    if (err == ERR_OK && effects.goes_on)
        err = op_fail(&job->call, OP_FAILED, "kith run, then type it again for the rest",
                      "the node is ending: only a part of it is done");
    if (err == ERR_OK && effects.is_waiting && job->op->poll != NULL && client != NULL &&
        !loop->is_stopping) {
        if (!job->is_poll) {
            job->is_poll = true;
            job->begun_ms = now_ms;
            job->deadline_ms = now_ms + effects.wait_ms;
            json_decref(job->call.first);
            job->call.first = json_incref(job->call.result);
            loop_op_done(loop, &effects);
        }
        if (now_ms < job->deadline_ms) {
            loop->poll_at_ms = now_ms + LOOP_POLL_MS;
            loop_arm(loop);
            return; /* Kept by its client; loop_rpc_poll asks again. */
        }
    }
    loop_op_reply(job, err);
    if (client != NULL && client->is_following && strcmp(job->op->method, "log") == 0)
        loop_followed(client, job);
    if (err == ERR_OK && !job->is_poll)
        loop_op_done(loop, &effects);
    loop_op_free(job);
    if (client != NULL)
        loop_client_next(client);
    loop_rpc_poll(loop);
}

static void loop_client_op(struct loop_client *client, struct rpc_request *request)
{
    const struct op *op = ops_find(request->method);
    struct op_failure failure = {0};
    struct loop_op_job *job;

    if (op == NULL) {
        loop_client_fail(client, request->id, RPC_NO_SUCH_METHOD,
                         "this node does not know that command",
                         "kith version on both sides; restart the node after an upgrade");
        rpc_request_release(request);
        return;
    }
    if (!cmd_params_check(request->method, request->params, &failure)) {
        loop_client_fail(client, request->id, RPC_WRONG_PARAMS, failure.message, failure.hint);
        rpc_request_release(request);
        return;
    }
    job = heap_new_zeroed(1, sizeof *job);
    if (job == NULL) {
        rpc_request_release(request);
        loop_client_drop(client);
        return;
    }
    job->job.base.run = loop_op_run;
    job->job.done = loop_op_done_job;
    job->job.loop = client->loop;
    job->op = op;
    job->request = *request;
    job->client = client;
    job->file = client->file;
    client->file = (struct buf){0};
    job->call.params = request->params;
    job->call.file = buf_span(&job->file);
    job->call.progress = loop_op_progress;
    job->call.progress_self = job;
    client->job = job;
    /* What was delivered is told as delivered. */
    loop_job_flush(client->loop, op->mode == OP_READ);
    loop_op_push(client->loop, job, op->mode == OP_READ);
}

/* What the socket itself answers. */

static void loop_client_take(struct loop_client *client, json_t *id, struct span data)
{
    json_t *nothing = json_object();
    struct buf line = {0};
    enum err err =
        client->file.size < IMPORT_FILE_SIZE_MAX ? base64_read(data, &client->file) : ERR_INVALID;

    if (err != ERR_OK) {
        client->is_ending = true; /* Nothing that follows takes a part for the whole. */
        loop_client_fail(client, id, RPC_FAILED, "the file is too large or damaged on the way",
                         "cut it into parts of at most 256 MiB");
    } else {
        rpc_write_result(id, nothing, &line);
        loop_client_send(client, &line);
    }
    json_decref(nothing);
}

/* False: it was not written as our own commands do. */
static bool loop_client_upload(struct loop_client *client, struct span text)
{
    struct span data;
    uint64_t number;
    json_t *id;

    if (!rpc_is_upload(text, &number, &data))
        return false;
    id = json_integer((json_int_t)number);
    loop_client_take(client, id, data);
    json_decref(id);
    return true;
}

static void loop_client_line(struct loop_client *client, struct span text)
{
    struct rpc_request request;
    json_t *data;
    enum err err;

    if (loop_client_upload(client, text))
        return;
    err = rpc_read_request(text, &request);
    if (err != ERR_OK) {
        loop_client_dismiss(client, err == ERR_INVALID ? RPC_NOT_A_REQUEST : RPC_NOT_JSON,
                            err == ERR_INVALID ? "that line is not one request with an id"
                                               : "that line is not JSON");
        return;
    }
    if (strcmp(request.method, "upload") == 0) {
        data = json_object_get(request.params, "data");
        loop_client_take(client, request.id,
                         json_is_string(data)
                             ? span_of(json_string_value(data), json_string_length(data))
                             : span_str("."));
        rpc_request_release(&request);
        return;
    }
    if (strcmp(request.method, "log") == 0 &&
        json_is_true(json_object_get(request.params, "follow")))
        client->is_following = true;
    loop_client_op(client, &request);
}

/* Takes the lines that are there, as long as no op is under way. */
static void loop_client_next(struct loop_client *client)
{
    while (!client->is_gone && !client->is_ending && client->job == NULL && client->in.size > 0) {
        uint8_t *end = memchr(client->in.data, '\n', client->in.size);
        struct buf line = {.is_secret = true};
        size_t size;

        if (end == NULL) {
            if (client->in.size > RPC_LINE_MAX)
                loop_client_dismiss(client, RPC_NOT_JSON, "that line is too long");
            return;
        }
        size = (size_t)(end - client->in.data);
        buf_append(&line, span_of(client->in.data, size));
        buf_drop(&client->in, size + 1);
        if (buf_err(&line) != ERR_OK)
            loop_client_drop(client);
        else if (size > RPC_LINE_MAX)
            loop_client_dismiss(client, RPC_NOT_JSON, "that line is too long");
        else
            loop_client_line(client, buf_span(&line));
        buf_release(&line);
    }
}

/* Followers of the log: a poll of the op "log" after the last row told. */

static void loop_follow_done(struct loop *loop, struct loop_job *base)
{
    struct loop_op_job *job = (struct loop_op_job *)(void *)base;
    struct loop_client *client = job->client;
    json_t *rows = json_object_get(job->call.result, "events");
    size_t at;
    json_t *row;

    if (client != NULL) {
        client->job = NULL;
        json_array_foreach(rows, at, row)
        {
            struct buf line = {0};

            rpc_write_notification("log", row, &line);
            loop_client_send(client, &line);
        }
        loop_followed(client, job);
    }
    loop_op_free(job);
    if (client != NULL)
        loop_client_next(client);
    loop_rpc_poll(loop); /* It may have changed meanwhile. */
}

static void loop_follow(struct loop_client *client)
{
    struct loop_op_job *job = heap_new_zeroed(1, sizeof *job);

    if (job == NULL)
        return;
    client->has_news = false;
    job->op = ops_find("log");
    job->request.whole = json_pack("{s:I}", "after", client->followed);
    job->request.params = job->request.whole;
    job->call.params = job->request.params;
    job->client = client;
    job->job.base.run = loop_op_run;
    job->job.done = loop_follow_done;
    job->job.loop = client->loop;
    client->job = job;
    loop_op_push(client->loop, job, true);
}

void loop_rpc_poll(struct loop *loop)
{
    loop_owner_tell(loop);
    for (struct loop_client *client = loop->clients, *next; client != NULL; client = next) {
        next = client->next;
        if (client->is_gone)
            continue;
        client->has_news |= loop->is_journal_changed;
        if (client->job != NULL)
            loop_tell_progress(client->job);
        if (client->job != NULL && !client->job->is_queued)
            loop_op_push(loop, client->job, true);
        else if (client->job == NULL && client->is_following && client->has_news)
            loop_follow(client);
    }
    loop->is_journal_changed = false;
}

/* Clients. */

static void loop_client_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct loop_client *client = handle->data;

    (void)suggested;
    *out = uv_buf_init((char *)client->read_bytes, sizeof client->read_bytes);
}

static void loop_client_on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes)
{
    struct loop_client *client = stream->data;

    if (size < 0) {
        loop_client_drop(client);
        return;
    }
    if (client->is_ending)
        return; /* What it still says is not looked at. */
    client->in.is_secret = rpc_is_secret(client->in.size + (size_t)size);
    buf_append(&client->in, span_of(bytes->base, (size_t)size));
    secret_wipe(bytes->base, (size_t)size);
    if (buf_err(&client->in) != ERR_OK || client->in.size > 2 * RPC_LINE_MAX + LOOP_CLIENT_READ) {
        loop_client_drop(client);
        return;
    }
    loop_client_next(client);
}

/* The second lock, beside the socket's mode: the kernel's word on the other end's uid. */
static bool loop_client_is_owner(struct loop_client *client)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    uv_os_fd_t descriptor;

    if (uv_fileno((uv_handle_t *)&client->pipe, &descriptor) != 0 ||
        getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return false;
    return credentials.uid == geteuid();
}

static void loop_on_client(uv_stream_t *door, int status)
{
    struct loop *loop = door->data;
    struct loop_client *client;
    size_t count = 0;

    if (status < 0)
        return;
    for (client = loop->clients; client != NULL; client = client->next)
        count++;
    client = heap_new_zeroed(1, sizeof *client);
    if (client == NULL || uv_pipe_init(&loop->uv, &client->pipe, 0) != 0) {
        heap_free(client);
        return;
    }
    client->pipe.data = client;
    client->loop = loop;
    client->next = loop->clients;
    loop->clients = client;
    if (uv_accept(door, (uv_stream_t *)&client->pipe) != 0 || !loop_client_is_owner(client))
        loop_client_drop(client);
    else if (count >= LOOP_CLIENTS_MAX)
        loop_client_dismiss(client, RPC_FAILED, "too many programs ask this node at once");
    else if (uv_read_start((uv_stream_t *)&client->pipe, loop_client_on_alloc,
                           loop_client_on_read) != 0)
        loop_client_drop(client);
}

enum err loop_rpc_open(struct loop *loop)
{
    const struct config_places *places = &loop->options->home->places;
    const char *path = places->socket;
    enum err err = ERR_OK;

    if (strncmp(path, places->runtime, strlen(places->runtime)) == 0)
        err = home_create_runtime(loop->options->home);
    if (err != ERR_OK)
        return err;
    (void)unlink(path); /* Left by a node that was killed; the lock says that none runs now. */
    if (uv_pipe_init(&loop->uv, &loop->door, 0) != 0)
        return ERR_IO;
    loop->door.data = loop;
    loop->has_door = true;
    if (uv_pipe_bind(&loop->door, path) != 0 || chmod(path, 0600) != 0 ||
        uv_listen((uv_stream_t *)&loop->door, LOOP_CLIENT_BACKLOG, loop_on_client) != 0)
        return ERR_IO;
    return ERR_OK;
}

void loop_rpc_close(struct loop *loop)
{
    for (struct loop_client *client = loop->clients, *next; client != NULL; client = next) {
        next = client->next;
        if (client->job != NULL && !client->job->is_queued) {
            loop_op_free(client->job);
            client->job = NULL;
        }
        loop_client_drop(client);
    }
    if (loop->has_door) {
        if (!uv_is_closing((uv_handle_t *)&loop->door))
            uv_close((uv_handle_t *)&loop->door, NULL);
        (void)unlink(loop->options->home->places.socket); /* It may be gone already. */
    }
}
