/*
 * Socket and lock are tried in turn: a node that is starting holds the lock before its socket
 * answers, a command holds it for as long as its work takes. After half a minute the command gives
 * up and says who is in the way.
 */
#include "node/door.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/clock.h"
#include "node/door_state.h"
#include "node/rpc.h"

enum {
    DOOR_PATIENCE_MS = 30000,
    DOOR_TRY_MS = 50,
    DOOR_CHUNK = 512 << 10,
    DOOR_READ = 64 << 10,
    DOOR_LINE_MAX = 256 << 20 /* a whole address book comes back on one line */
};

void door_fail(struct op_failure *failure, enum op_code code, const char *hint, const char *format,
               ...)
{
    va_list arguments;

    failure->code = code;
    va_start(arguments, format);
    (void)vsnprintf(failure->message, sizeof failure->message, format,
                    arguments); /* Cut when too long. */
    va_end(arguments);
    (void)snprintf(failure->hint, sizeof failure->hint, "%s", hint);
}

void door_fail_home(struct op_failure *failure, const struct home *home, enum err err)
{
    const char *why = home_why_unwritable(home);

    door_fail(failure, OP_FAILED, "look at its permissions and its disk; kith doctor says more",
              "nothing can be written in %.300s: %s", home->places.home,
              why != NULL ? why : err_sentence(err));
}

/* Through the socket. */

/* Where the socket lies in a folder for everybody, somebody else might wait there. */
static bool door_is_own(int descriptor)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 &&
           credentials.uid == geteuid();
}

/* At worst it takes longer. */
static void door_hurry(int descriptor, unsigned patience_ms)
{
    struct timeval patience = {.tv_sec = patience_ms / 1000,
                               .tv_usec = (suseconds_t)(patience_ms % 1000) * 1000};

    if (patience_ms == 0)
        return;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static int door_connect(const struct home *home, unsigned patience_ms)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return -1;
    door_hurry(descriptor, patience_ms);
    memcpy(name.sun_path, home->places.socket, strlen(home->places.socket) + 1);
    if (connect(descriptor, (const struct sockaddr *)&name, sizeof name) != 0 ||
        !door_is_own(descriptor)) {
        (void)close(descriptor);
        return -1;
    }
    return descriptor;
}

bool door_write(int descriptor, struct span bytes)
{
    while (bytes.size > 0) {
        ssize_t count = send(descriptor, bytes.data, bytes.size, MSG_NOSIGNAL);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        bytes = span_of(bytes.data + count, bytes.size - (size_t)count);
    }
    return true;
}

/* Reads one line into in, after what earlier lines left there; out_size is its length without the
 * newline. */
static bool door_read_line(int descriptor, struct buf *in, size_t *out_size)
{
    size_t looked = 0;

    for (;;) {
        uint8_t *end =
            in->size > looked ? memchr(in->data + looked, '\n', in->size - looked) : NULL;
        uint8_t *at;
        ssize_t count;

        if (end != NULL) {
            *out_size = (size_t)(end - in->data);
            return true;
        }
        looked = in->size;
        in->is_secret = rpc_is_secret(in->size);
        at = in->size < DOOR_LINE_MAX ? buf_grow(in, DOOR_READ) : NULL;
        if (at == NULL)
            return false;
        count = read(descriptor, at, DOOR_READ);
        in->size -= DOOR_READ;
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        in->size += (size_t)count;
    }
}

/* What has happened so far, before what is to come: who asks in time and who asks a moment later
 * hear the same. */
static bool door_tell_events(struct door_call *call)
{
    json_t *events = json_object_get(call->result, "events"), *row;
    bool is_heard = true;
    size_t at;

    json_array_foreach(events, at, row) is_heard = is_heard && call->event(call->self, row);
    return is_heard;
}

/* What came behind the answer stays in in. */
static bool door_await_next(int descriptor, struct buf *in, struct door_call *call)
{
    bool is_over = false, is_done = false;
    size_t size;

    while (!is_over && door_read_line(descriptor, in, &size)) {
        struct rpc_reply reply = {0};

        is_over = rpc_read_reply(span_of(in->data, size), &reply) != ERR_OK;
        buf_drop(in, size + 1);
        if (is_over)
            break;
        if (reply.is_notification && strcmp(reply.method, "progress") == 0 &&
            call->progress != NULL) {
            call->progress(call->self,
                           (uint64_t)json_integer_value(json_object_get(reply.params, "done")),
                           (uint64_t)json_integer_value(json_object_get(reply.params, "total")));
        } else if (reply.is_notification && call->event != NULL) {
            is_over = !call->event(call->self, reply.params);
        } else if (!reply.is_notification) {
            is_done = reply.result != NULL;
            call->result = json_incref(reply.result);
            call->failure = reply.failure;
            is_over = !is_done || call->event == NULL || !door_tell_events(call);
        }
        rpc_reply_release(&reply);
    }
    return is_done;
}

bool door_await(int descriptor, struct door_call *call)
{
    struct buf in = {.is_secret = true};
    bool is_done = door_await_next(descriptor, &in, call);

    buf_release(&in);
    return is_done;
}

static bool door_hear_upload(int descriptor, struct buf *in, struct door_call *call)
{
    struct door_call chunk = {.method = "upload"};
    bool is_taken = door_await_next(descriptor, in, &chunk);

    json_decref(chunk.result);
    if (!is_taken)
        call->failure = chunk.failure;
    return is_taken;
}

/* One piece is on its way while the node takes the one before it. Two answers may come at once.
 * Whoever hangs up in the middle may have said why. */
static bool door_upload(int descriptor, struct door_call *call)
{
    struct buf line = {0}, in = {0};
    bool is_well = true, is_sent = true;

    for (size_t at = 0; at < call->file.size && is_well && is_sent; at += DOOR_CHUNK) {
        size_t size = call->file.size - at < DOOR_CHUNK ? call->file.size - at : DOOR_CHUNK;

        buf_clear(&line);
        rpc_write_upload(1, span_of(call->file.data + at, size), &line);
        is_sent = !line.is_failed && door_write(descriptor, buf_span(&line));
        is_well = at == 0 || door_hear_upload(descriptor, &in, call);
    }
    is_well = is_well && (call->file.size == 0 || door_hear_upload(descriptor, &in, call));
    buf_release(&line);
    buf_release(&in);
    return is_well && is_sent;
}

static bool door_ask(int descriptor, struct door_call *call)
{
    struct buf line = {0};
    bool is_fit;

    rpc_write_request(2, call->method, call->params, &line);
    is_fit = !line.is_failed && line.size <= RPC_LINE_MAX;
    if (is_fit)
        (void)door_write(descriptor, buf_span(&line)); /* What it says shows whether it heard. */
    else
        door_fail(&call->failure, OP_FAILED, "make it smaller", "that is too much for one command");
    buf_release(&line);
    return is_fit && door_await(descriptor, call);
}

static bool door_run_there(int descriptor, struct door_call *call)
{
    if (door_upload(descriptor, call) && door_ask(descriptor, call))
        return true;
    if (call->failure.code == OP_DONE)
        door_fail(&call->failure, OP_FAILED, "type it again; kith status shows what was done",
                  "the node ended meanwhile");
    return false;
}

/* Which way. */

static bool door_give_up(struct door_call *call, enum home_holder who, long pid)
{
    door_fail(&call->failure, OP_FAILED, "wait for it, or end it",
              "%s (pid %ld) has been using this home for half a minute",
              who == HOME_NODE ? "a node that does not answer" : "another command", pid);
    return false;
}

bool door_would_ask(const struct config *config)
{
    struct home home;
    int descriptor;

    if (config->passphrase_file != NULL || home_init(config, &home) != ERR_OK ||
        !home_is_protected(&home))
        return false;
    descriptor = door_connect(&home, 0);
    if (descriptor >= 0)
        (void)close(descriptor);
    return descriptor < 0;
}

bool door_call(const struct config *config, struct door_call *call)
{
    const struct op *op = ops_find(call->method);
    uint64_t until = clock_running_ms() + DOOR_PATIENCE_MS;
    enum home_holder who = HOME_NOBODY;
    struct home home;
    long pid = 0;
    bool is_done;

    KITH_ASSERT(op != NULL);
    if (home_init(config, &home) != ERR_OK) {
        door_fail(&call->failure, OP_USAGE, "--home DIR", "no home can be made out");
        return false;
    }
    if (call->is_apart && home_has_identity(&home) &&
        (config->passphrase_file != NULL || !home_is_protected(&home)))
        return door_run_apart(config, &home, op, call);
    for (;;) {
        int descriptor = door_connect(&home, call->patience_ms);
        enum err err;

        if (descriptor >= 0) {
            is_done = door_run_there(descriptor, call);
            (void)close(descriptor);
            return is_done;
        }
        if (!home_has_identity(&home)) {
            door_fail_key(&call->failure, ERR_NOT_FOUND, &home);
            return false;
        }
        if (op->needs_node || call->event != NULL) {
            door_fail(&call->failure, OP_NEEDS_NODE, "kith run", "no node is running here");
            return false;
        }
        if (op->mode == OP_READ)
            return door_run_apart(config, &home, op, call);
        err = home_lock(&home, HOME_COMMAND, &who, &pid);
        if (err == ERR_OK) {
            is_done = door_run_apart(config, &home, op, call);
            home_unlock(&home);
            return is_done;
        }
        if (err != ERR_BUSY) {
            door_fail_home(&call->failure, &home, err);
            return false;
        }
        if (clock_running_ms() >= until)
            return door_give_up(call, who, pid);
        clock_sleep_ms(DOOR_TRY_MS);
    }
}
