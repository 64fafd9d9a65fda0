/* The node in the foreground. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "node/clock.h"
#include "node/cmd.h"
#include "node/door.h"
#include "node/loop.h"
#include "node/show.h"

enum { CMD_RUN_PATIENCE_MS = 30000, CMD_RUN_TRY_MS = 50 };

struct cmd_run_ready {
    const struct config *config;
    char name[201];
};

static void cmd_run_on_ready(void *self, const struct address *listening, size_t count)
{
    const struct cmd_run_ready *ready = self;
    char text[ADDRESS_TEXT_SIZE];
    json_t *list = json_array();

    for (size_t at = 0; at < count; at++) {
        address_write(&listening[at], text);
        (void)json_array_append_new(list, json_string(text)); /* A lost row shows as absent. */
    }
    if (ready->config->is_json) {
        json_t *line =
            json_pack("{s:b, s:O, s:i}", "ready", 1, "listen", list, "pid", (int)getpid());

        (void)json_dumpf(line, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(line);
    } else {
        const char *first = json_string_value(json_array_get(list, 0));
        struct buf name = {0};

        show_clean(span_str(ready->name), &name);
        (void)printf("kith: %.*s %s%s\n", (int)name.size, (const char *)name.data,
                     first != NULL ? "listens on " : "calls out only", first != NULL ? first : "");
        buf_release(&name);
    }
    (void)fflush(stdout); /* Nobody may be reading. */
    json_decref(list);
}

/* On a terminal it tells what happens, too. A terminal that stands still is not waited for: the log
 * has everything. */
static void cmd_run_on_event(void *self, json_t *row)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

    (void)self;
    if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0)
        show_event(row);
}

/* Options. */

struct cmd_run_flag {
    const char *name, *hint;
    size_t max;
};

static bool cmd_run_addresses(json_t *params, const struct cmd_run_flag *flag, struct address *out,
                              size_t *out_count, struct op_failure *failure)
{
    size_t at;
    json_t *list = json_object_get(params, flag->name), *item;

    if (json_array_size(list) > flag->max) {
        door_fail(failure, OP_USAGE, "leave some of them out", "--%s takes %zu addresses at most",
                  flag->name, flag->max);
        return false;
    }
    json_array_foreach(list, at, item)
    {
        if (address_read(span_str(json_string_value(item)), &out[*out_count]) != ERR_OK) {
            door_fail(failure, OP_USAGE, flag->hint, "\"%.60s\" is not an address to use here",
                      json_string_value(item));
            return false;
        }
        (*out_count)++;
    }
    return true;
}

/* The lock. */

static bool cmd_run_lock(struct home *home, struct op_failure *failure)
{
    uint64_t until = clock_running_ms() + CMD_RUN_PATIENCE_MS;
    enum home_holder who = HOME_NOBODY;
    long pid = 0;

    for (;;) {
        enum err err = home_lock(home, HOME_NODE, &who, &pid);

        if (err == ERR_OK)
            return true;
        if (err == ERR_BUSY && who == HOME_NODE) {
            door_fail(failure, OP_FAILED, "kith status, or kith stop",
                      "a node (pid %ld) is running in %.300s already", pid, home->places.home);
            return false;
        }
        if (err != ERR_BUSY) {
            door_fail_home(failure, home, err);
            return false;
        }
        if (clock_running_ms() >= until) {
            door_fail(failure, OP_FAILED, "wait for it, or end it",
                      "a command (pid %ld) is at work in %.300s", pid, home->places.home);
            return false;
        }
        clock_sleep_ms(CMD_RUN_TRY_MS);
    }
}

/* Until the node that was asked to end has ended: whoever holds the lock is still writing. */
int cmd_stop(const struct config *config, const struct cmd *cmd, json_t *params)
{
    uint64_t until = clock_running_ms() + CMD_RUN_PATIENCE_MS;
    struct door_call call = {.method = cmd->method, .params = params};
    struct home home;
    enum home_holder who = HOME_NOBODY;
    long pid = 0;
    enum err err = ERR_BUSY;
    int code;

    if (!door_call(config, &call))
        return cmd_fail(config, &call.failure);
    if (home_init(config, &home) == ERR_OK) {
        while (clock_running_ms() < until) {
            err = home_lock(&home, HOME_COMMAND, &who, &pid);
            if (err != ERR_BUSY || who != HOME_NODE)
                break;
            clock_sleep_ms(CMD_RUN_TRY_MS);
        }
        if (err == ERR_OK)
            home_unlock(&home);
    }
    if (err == ERR_BUSY && who == HOME_NODE) {
        door_fail(&call.failure, OP_FAILED, "kith status in a while",
                  "the node (pid %ld) was asked to end and has not ended yet", pid);
        code = cmd_fail(config, &call.failure);
    } else {
        code = cmd_print(config, cmd->method, call.result, params);
    }
    json_decref(call.result);
    return code;
}

/* Running. */

static void cmd_run_name(struct ledger *ledger, char out[static 201])
{
    struct op_world world = {0};
    struct op_call call = {.world = &world};

    (void)snprintf(out, 201, "the node");
    if (ledger_snapshot(ledger, &call.snapshot) != ERR_OK)
        return;
    if (ops_find("me.show")->run(&call) == ERR_OK &&
        json_string_value(json_object_get(call.result, "name")) != NULL)
        (void)snprintf(out, 201, "%s", json_string_value(json_object_get(call.result, "name")));
    ledger_snapshot_end(&call.snapshot);
    json_decref(call.result);
}

static void cmd_run_fail(struct op_failure *failure, enum err err, const struct address *address,
                         const struct home *home)
{
    char text[ADDRESS_TEXT_SIZE];

    address_write(address, text);
    if (err == ERR_BUSY)
        door_fail(failure, OP_FAILED, "kith run --listen [::]:0 takes any free port",
                  "%s is in use by another program", text);
    else if (err == ERR_NOT_FOUND)
        door_fail(failure, OP_FAILED, "kith run --listen [::]:5484",
                  "%s is no address of this machine", text);
    else if (err == ERR_STATE)
        door_fail(failure, OP_FAILED, "chmod 700 on it, or a home with a shorter path",
                  "the folder of the socket is not yours alone: %.300s", home->places.runtime);
    else if (err == ERR_FULL)
        door_fail(failure, OP_FAILED, "free some room on the disk", "the disk is full");
    else if (err == ERR_IO)
        door_fail(failure, OP_FAILED, "kith doctor",
                  "the store or a socket failed, and nothing more is done with them");
    else
        door_fail(failure, OP_FAILED, "kith doctor", "the node could not start: %s",
                  err_sentence(err));
}

/* Async-signal-safe: one write, then what would have happened anyway. */
static void cmd_run_on_crash(int number)
{
    static const char text[] =
        "kith: the node ended itself: the store's bytes are not what was written, or kith has an "
        "error\n      try: kith doctor\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);

    (void)written; /* There is nobody else to tell. */
    (void)raise(number);
}

/* LMDB trusts its file: a page that was changed behind its back can end the process. That cannot be
 * survived, but it can be told. A sanitizer's own report goes first. */
static void cmd_run_tell_crashes(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT};
    struct sigaction before, action = {.sa_flags = (int)SA_RESETHAND | SA_NODEFER};

    action.sa_handler = cmd_run_on_crash;
    for (size_t at = 0; at < sizeof numbers / sizeof numbers[0]; at++)
        if (sigaction(numbers[at], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(numbers[at], &action, NULL); /* Then it is not told. */
}

static int cmd_run_serve(const struct config *config, struct home *home,
                         struct loop_options *options)
{
    struct cmd_run_ready ready = {.config = config};
    struct op_failure failure = {0};
    struct address address = {0};
    struct door_store store;
    struct log log;
    enum err err;

    if (!cmd_run_lock(home, &failure))
        return cmd_fail(config, &failure);
    cmd_run_tell_crashes();
    if (!door_open_store(config, home, false, &store, &failure))
        return cmd_fail(config, &failure);
    log_init(&log);
    cmd_run_name(store.ledger, ready.name);
    options->home = home;
    options->ledger = store.ledger;
    options->passphrase = span_of(store.passphrase, store.passphrase_size);
    options->log = &log;
    options->is_passphrase_protected = home_is_protected(home);
    options->on_ready = cmd_run_on_ready;
    if (!config->is_json && isatty(STDOUT_FILENO))
        options->on_event = cmd_run_on_event;
    options->self = &ready;
    err = loop_run(options, &address);
    door_close_store(&store);
    if (err == ERR_OK)
        return OP_DONE;
    cmd_run_fail(&failure, err, &address, home);
    return cmd_fail(config, &failure);
}

int cmd_run(const struct config *config, const struct cmd *cmd, json_t *params)
{
    static const struct address any = {.port = 5484};
    static const struct cmd_run_flag flags[] = {
        {"listen", "--listen 127.0.0.1:5484, or [::]:0 for any port", LOOP_LISTEN_MAX},
        {"announce", "--announce 203.0.113.7:5484, as peers reach you", ADDRESSES_MAX}};
    struct address listen[LOOP_LISTEN_MAX], announce[ADDRESSES_MAX];
    struct loop_options options = {.listen = listen, .announce = announce};
    struct op_failure failure = {0};
    struct home home = {.lock = -1};
    int code;

    (void)cmd;
    if (!cmd_run_addresses(params, &flags[0], listen, &options.listen_count, &failure) ||
        !cmd_run_addresses(params, &flags[1], announce, &options.announce_count, &failure))
        return cmd_fail(config, &failure);
    if (options.listen_count == 0 && !json_is_true(json_object_get(params, "no-listen")))
        listen[options.listen_count++] = any;
    if (home_init(config, &home) != ERR_OK) {
        door_fail(&failure, OP_USAGE, "--home DIR", "no home can be made out");
        return cmd_fail(config, &failure);
    }
    if (!home_has_identity(&home)) {
        door_fail(&failure, OP_NOT_FOUND, "kith init --name NAME", "there is no identity in %.300s",
                  home.places.home);
        return cmd_fail(config, &failure);
    }
    code = cmd_run_serve(config, &home, &options);
    home_unlock(&home);
    return code;
}
