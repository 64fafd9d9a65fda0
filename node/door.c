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
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "crypto/base64.h"
#include "crypto/secret.h"
#include "node/clock.h"
#include "node/interfaces.h"
#include "node/rpc.h"
#include "node/writer.h"
#include "storage/follow.h"

enum {
    DOOR_PATIENCE_MS = 30000,
    DOOR_TRY_MS = 50,
    DOOR_CHUNK = 512 << 10,
    DOOR_READ = 64 << 10,
    DOOR_INTERFACES_MAX = 16,
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

/* Keys and store. */

/* Asks on the terminal, without echo. */
static bool door_ask_passphrase(char *out, size_t size, size_t *out_size)
{
    struct termios before, silent;
    size_t length = 0;
    char letter;

    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)fputs("Passphrase: ", stderr);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent); /* At worst the letters show. */
    while (length + 1 < size && read(STDIN_FILENO, &letter, 1) == 1 && letter != '\n')
        out[length++] = letter;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)fputs("\n", stderr);
    out[length] = '\0';
    *out_size = length;
    return length > 0;
}

static bool door_passphrase(const struct config *config, const struct home *home, char *out,
                            size_t size, size_t *out_size, struct op_failure *failure)
{
    const char *why;
    enum err err;

    *out_size = 0;
    if (!home_is_protected(home))
        return true;
    if (config->passphrase_file != NULL) {
        err = home_read_passphrase(config->passphrase_file, out, size, out_size);
        if (err == ERR_OK)
            return true;
        why = home_why_unreadable(config->passphrase_file);
        door_fail(failure, OP_FAILED, "--passphrase-file FILE",
                  "the passphrase file %.300s could not be read: %s", config->passphrase_file,
                  why != NULL ? why : err_sentence(err));
        return false;
    }
    if (config_may_prompt(config) && door_ask_passphrase(out, size, out_size))
        return true;
    door_fail(failure, OP_LOCKED, "--passphrase-file FILE, or type it on a terminal",
              "a passphrase protects the keys");
    return false;
}

static void door_fail_key(struct op_failure *failure, enum err err, const struct home *home)
{
    switch (err) {
    case ERR_NOT_FOUND:
        door_fail(failure, OP_NOT_FOUND, "kith init --name NAME", "there is no identity in %.300s",
                  home->places.home);
        break;
    case ERR_LOCKED:
        door_fail(failure, OP_LOCKED, "try again", "that passphrase is wrong");
        break;
    case ERR_STATE:
        door_fail(failure, OP_FAILED, "chmod 600 on it, and think about who may have read it",
                  "other users may read the key file %.300s/key", home->places.home);
        break;
    case ERR_INVALID:
        door_fail(failure, OP_FAILED, "run kith as the user whose home it is",
                  "the key file %.300s/key belongs to another user", home->places.home);
        break;
    case ERR_NOMEM:
        door_fail(failure, OP_FAILED, "end other programs, or use a machine with more memory",
                  "opening the key file takes more memory than there is");
        break;
    case ERR_VERSION:
        door_fail(failure, OP_FAILED, "install that version",
                  "the key file was written by a newer kith");
        break;
    case ERR_CORRUPT:
    case ERR_LIMIT:
        door_fail(failure, OP_FAILED,
                  "restore it from a backup, or begin again with the recovery words",
                  "the key file %.300s/key is damaged", home->places.home);
        break;
    default:
        door_fail(failure, OP_FAILED, "kith doctor", "the key file could not be read: %s",
                  err_sentence(err));
    }
}

static void door_fail_store(struct op_failure *failure, enum err err, const struct home *home)
{
    switch (err) {
    case ERR_VERSION:
        door_fail(failure, OP_FAILED, "install that version; nothing was changed",
                  "the store was written by a newer kith");
        break;
    case ERR_CORRUPT:
        door_fail(failure, OP_FAILED, "restore it from a backup; nothing was changed",
                  "the store in %.300s/store is damaged", home->places.home);
        break;
    case ERR_NOT_FOUND:
        door_fail(failure, OP_FAILED, "restore it from a backup",
                  "the store in %.300s/store is missing", home->places.home);
        break;
    case ERR_FULL:
        door_fail(failure, OP_FAILED, "free some room on the disk", "the disk is full");
        break;
    case ERR_STATE:
        door_fail(failure, OP_FAILED, "--home a folder on a local disk",
                  "%.300s lies on a network file system", home->places.home);
        break;
    default:
        door_fail(failure, OP_FAILED, "kith doctor", "the store could not be opened: %s",
                  err_sentence(err));
    }
}

static enum err door_read_keys(const struct config *config, const struct home *home,
                               struct device_secrets *out, struct op_failure *failure)
{
    char *passphrase = secret_new(PASSPHRASE_SIZE_MAX + 1);
    size_t size = 0;
    enum err err = passphrase != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK && !home_has_identity(home))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK &&
        !door_passphrase(config, home, passphrase, PASSPHRASE_SIZE_MAX + 1, &size, failure)) {
        secret_free(passphrase);
        return ERR_LOCKED;
    }
    if (err == ERR_OK)
        err = home_read_key(home, span_of(passphrase, size), out);
    secret_free(passphrase);
    if (err != ERR_OK)
        door_fail_key(failure, err, home);
    return err;
}

bool door_open_store(const struct config *config, const struct home *home, bool is_read_only,
                     struct door_store *out, struct op_failure *failure)
{
    struct entropy entropy = entropy_os();
    enum err err;

    *out = (struct door_store){.secrets = secret_new(sizeof *out->secrets)};
    if (out->secrets == NULL) {
        door_fail(failure, OP_FAILED, "raise ulimit -l", "no memory could be locked for the keys");
        return false;
    }
    err = door_read_keys(config, home, out->secrets, failure);
    if (err != ERR_OK) {
        door_close_store(out);
        return false;
    }
    err = home_open_store(home, is_read_only, &out->kv);
    if (err == ERR_OK)
        err = ledger_open(out->kv, out->secrets, &entropy, &out->ledger);
    if (err == ERR_OK)
        return true;
    door_fail_store(failure, err, home);
    door_close_store(out);
    return false;
}

void door_close_store(struct door_store *store)
{
    if (store->ledger != NULL)
        ledger_close(store->ledger);
    kv_close(store->kv);
    secret_free(store->secrets);
    *store = (struct door_store){0};
}

/* In this process. */

struct door_job {
    struct writer_job base;
    const struct op *op;
    struct op_call call;
    struct ledger *ledger;
};

static enum err door_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct door_job *job = (struct door_job *)(void *)base;

    return op_step(job->op->run, &job->call, job->ledger, txn, clock_wall_ms());
}

/* Before the process ends the lists are what was acknowledged. */
static enum err door_follow(struct ledger *ledger)
{
    bool is_more = follow_is_behind(ledger);
    enum err err = ERR_OK;

    while (err == ERR_OK && is_more)
        err = follow_stage(ledger, 100000, &is_more);
    return err;
}

static bool door_run_here(const struct config *config, struct home *home, const struct op *op,
                          struct door_call *call)
{
    struct address listening[ADDRESSES_MAX], interfaces[DOOR_INTERFACES_MAX];
    struct op_world world = {
        .home = home->places.home, .listening = listening, .interfaces = interfaces};
    struct door_job job = {.op = op};
    struct door_store store;

    if (!door_open_store(config, home, op->mode == OP_READ, &store, &call->failure))
        return false;
    world.is_passphrase_protected = home_is_protected(home);
    world.interfaces_count = interfaces_find(interfaces, DOOR_INTERFACES_MAX);
    if (home_read_listening(home, listening, &world.listening_count) != ERR_OK)
        world.listening_count = 0;
    job.base.run = door_run;
    job.base.is_reading = op->mode == OP_READ;
    job.ledger = store.ledger;
    job.call.params = call->params;
    job.call.file = call->file;
    job.call.world = &world;
    job.call.progress = call->progress;
    job.call.progress_self = call->self;
    writer_run_alone(store.ledger, &job.base);
    job.base.err = op_settle(&job.call, job.base.err);
    if (job.base.err == ERR_OK && op->mode == OP_WRITE)
        job.base.err = op_settle(&job.call, door_follow(store.ledger));
    door_close_store(&store);
    if (job.base.err != ERR_OK) {
        call->failure = job.call.failure;
        json_decref(job.call.result);
        return false;
    }
    call->result = job.call.result;
    return true;
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

static int door_connect(const struct home *home)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return -1;
    memcpy(name.sun_path, home->places.socket, strlen(home->places.socket) + 1);
    if (connect(descriptor, (const struct sockaddr *)&name, sizeof name) != 0 ||
        !door_is_own(descriptor)) {
        (void)close(descriptor);
        return -1;
    }
    return descriptor;
}

static bool door_write(int descriptor, struct span bytes)
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

/* Waits for the answer, telling progress on the way. With an event function it then goes on for as
 * long as rows come. */
static bool door_await(int descriptor, struct door_call *call)
{
    struct buf in = {0};
    bool is_over = false, is_done = false;
    size_t size;

    while (!is_over && door_read_line(descriptor, &in, &size)) {
        struct rpc_reply reply = {0};

        is_over = rpc_read_reply(span_of(in.data, size), &reply) != ERR_OK;
        buf_drop(&in, size + 1);
        if (is_over)
            break;
        if (reply.is_notification && strcmp(reply.method, "progress") == 0 &&
            call->progress != NULL) {
            call->progress(call->self,
                           (uint64_t)json_integer_value(json_object_get(reply.params, "done")),
                           (uint64_t)json_integer_value(json_object_get(reply.params, "total")));
        } else if (reply.is_notification && call->event != NULL) {
            call->event(call->self, reply.params);
        } else if (!reply.is_notification) {
            is_done = reply.result != NULL;
            call->result = json_incref(reply.result);
            call->failure = reply.failure;
            is_over = !is_done || call->event == NULL;
        }
        rpc_reply_release(&reply);
    }
    buf_release(&in);
    if (!is_done && call->failure.code == OP_DONE)
        door_fail(&call->failure, OP_FAILED, "type it again; kith status shows what was done",
                  "the node ended meanwhile");
    return is_done;
}

static bool door_upload(int descriptor, struct door_call *call)
{
    for (size_t at = 0; at < call->file.size; at += DOOR_CHUNK) {
        size_t size = call->file.size - at < DOOR_CHUNK ? call->file.size - at : DOOR_CHUNK;
        struct door_call chunk = {.method = "upload"};
        struct buf text = {0}, line = {0};
        bool is_sent;

        base64_write(span_of(call->file.data + at, size), &text);
        chunk.params = json_pack("{s:s%}", "data", (const char *)text.data, text.size);
        rpc_write_request(1, "upload", chunk.params, &line);
        is_sent = !line.is_failed && door_write(descriptor, buf_span(&line)) &&
                  door_await(descriptor, &chunk);
        json_decref(chunk.params);
        json_decref(chunk.result);
        buf_release(&text);
        buf_release(&line);
        if (!is_sent) {
            call->failure = chunk.failure;
            return false;
        }
    }
    return true;
}

static bool door_run_there(int descriptor, struct door_call *call)
{
    struct buf line = {0};
    bool is_done = door_upload(descriptor, call);

    if (is_done) {
        rpc_write_request(2, call->method, call->params, &line);
        is_done =
            !line.is_failed && line.size <= RPC_LINE_MAX && door_write(descriptor, buf_span(&line));
        if (!is_done)
            door_fail(&call->failure, OP_FAILED, "make it smaller",
                      "that is too much for one command");
    }
    buf_release(&line);
    return is_done && door_await(descriptor, call);
}

/* Which way. */

static bool door_give_up(struct door_call *call, enum home_holder who, long pid)
{
    door_fail(&call->failure, OP_FAILED, "wait for it, or end it",
              "%s (pid %ld) has been using this home for half a minute",
              who == HOME_NODE ? "a node that does not answer" : "another command", pid);
    return false;
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
    for (;;) {
        int descriptor = door_connect(&home);
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
            return door_run_here(config, &home, op, call);
        err = home_lock(&home, HOME_COMMAND, &who, &pid);
        if (err == ERR_OK) {
            is_done = door_run_here(config, &home, op, call);
            home_unlock(&home);
            return is_done;
        }
        if (err != ERR_BUSY) {
            door_fail(&call->failure, OP_FAILED, "look at its permissions",
                      "%.300s could not be locked: %s", home.places.home, err_sentence(err));
            return false;
        }
        if (clock_running_ms() >= until)
            return door_give_up(call, who, pid);
        clock_sleep_ms(DOOR_TRY_MS);
    }
}
