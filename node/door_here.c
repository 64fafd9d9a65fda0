/*
 * An op without a node. LMDB trusts its file: a page that was changed behind its back can end the
 * process that reads it. So the op runs in a child, which answers over a pair of sockets as a node
 * would over its own, and a child that died without an answer is told in words (rule L21). No
 * secret is in memory before the fork: locks on pages are not inherited.
 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/clock.h"
#include "node/door_state.h"
#include "node/interfaces.h"
#include "node/interrupt.h"
#include "node/rpc.h"
#include "node/writer.h"
#include "node/writer_round.h"
#include "storage/follow.h"
#include "storage/round.h"

enum { DOOR_INTERFACES_MAX = 16 };

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
static enum err door_round(struct ledger *ledger)
{
    struct writer_round *round = NULL;
    bool is_over = false;
    enum err err = writer_round_start(ledger, &round);

    while (err == ERR_OK && !is_over)
        err = writer_round_step(round, &is_over);
    writer_round_free(round);
    return err;
}

static enum err door_follow(struct ledger *ledger)
{
    bool is_more = follow_is_behind(ledger);
    enum err err = ERR_OK;

    while (err == ERR_OK && is_more) {
        if (round_is_due(ledger)) {
            err = door_round(ledger);
            is_more = follow_is_behind(ledger);
        } else {
            err = follow_stage(ledger, 100000, &is_more);
        }
    }
    return err;
}

/* A command before this one may have been ended between its commit and the lists. The doctor takes
 * things as they are: lists that cannot follow are what it makes anew. */
static enum err door_begin(const struct home *home, const struct op *op, struct door_store *store)
{
    if (strncmp(op->method, "doctor", strlen("doctor")) == 0 || strcmp(op->method, "complete") == 0)
        return ERR_OK;
    return op->mode == OP_WRITE ? door_follow(store->ledger) : door_catch_up(home, store);
}

/* An op that goes on is told what it answered before. */
static void door_next(struct door_job *job)
{
    if (!job->call.effects.goes_on)
        return;
    json_decref(job->call.first);
    job->call.first = job->call.result;
    job->call.result = NULL;
    job->call.effects = (struct op_effects){0};
}

static bool door_run_here(const struct config *config, struct home *home, const struct op *op,
                          struct door_call *call)
{
    struct address listening[ADDRESSES_MAX], interfaces[DOOR_INTERFACES_MAX];
    struct op_world world = {.home = home->places.home,
                             .listening = listening,
                             .interfaces = interfaces,
                             .look = home_look};
    struct door_job job = {.op = op};
    struct door_store store;

    if (!door_open_store(config, home, op->mode == OP_READ, &store, &call->failure))
        return false;
    door_keep_typed(config, &store);
    if (door_begin(home, op, &store) != ERR_OK) {
        door_fail(&call->failure, OP_FAILED, "kith doctor",
                  "the lists could not be brought up to date");
        door_close_store(&store);
        return false;
    }
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
    do {
        door_next(&job);
        writer_run_alone(store.ledger, &job.base);
        job.base.err = op_settle(&job.call, job.base.err);
        if (job.base.err == ERR_OK && op->mode == OP_WRITE)
            job.base.err = op_settle(&job.call, door_follow(store.ledger));
    } while (job.base.err == ERR_OK && job.call.effects.goes_on);
    json_decref(job.call.first);
    door_close_store(&store);
    if (job.base.err != ERR_OK) {
        call->failure = job.call.failure;
        json_decref(job.call.result);
        return false;
    }
    call->result = job.call.result;
    return true;
}

/* The child: tells what the op said, as a node would. */

static void door_tell(int descriptor, struct buf *line)
{
    if (!line->is_failed)
        (void)door_write(descriptor,
                         buf_span(line)); /* The parent is gone: nobody is left to tell. */
    buf_release(line);
}

static void door_tell_progress(void *self, uint64_t done, uint64_t total)
{
    json_t *params = json_pack("{s:I, s:I}", "done", (json_int_t)done, "total", (json_int_t)total);
    struct buf line = {0};

    rpc_write_notification("progress", params, &line);
    json_decref(params);
    door_tell(*(const int *)self, &line);
}

_Noreturn static void door_child(const struct config *config, struct home *home,
                                 const struct op *op, const struct door_call *from, int descriptor)
{
    struct door_call call = {.method = from->method,
                             .params = from->params,
                             .file = from->file,
                             .progress = door_tell_progress,
                             .self = &descriptor};
    json_t *id = json_integer(1);
    struct buf line = {0};

    if (door_run_here(config, home, op, &call))
        rpc_write_result(id, call.result, &line);
    else
        rpc_write_failure(id, RPC_FAILED, &call.failure, &line);
    door_tell(descriptor, &line);
    _exit(0); /* What the parent has buffered is not written twice. */
}

/* What ended the child says whether the store is to blame. */
static void door_fail_end(struct op_failure *failure, const struct home *home, int number)
{
    if (number == SIGXFSZ)
        door_fail(failure, OP_FAILED, "ulimit -f unlimited, then type it again",
                  "no file may grow so large here: nothing was written");
    else if (number == SIGKILL || number == SIGTERM)
        door_fail(failure, OP_FAILED, "type it again; kith status shows what was done",
                  "the command was ended from outside (signal %d), or memory ran out", number);
    else
        door_fail(failure, OP_FAILED, "kith doctor; if it says the same, restore a backup",
                  "the store in %.300s/store cannot be read: its bytes are not what was written "
                  "(signal %d)",
                  home->places.home, number);
}

bool door_run_apart(const struct config *config, struct home *home, const struct op *op,
                    struct door_call *call)
{
    pid_t parent = getpid(), child = -1;
    bool is_done;
    int pair[2], status = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 || (child = fork()) < 0) {
        door_fail(&call->failure, OP_FAILED, "end other programs, then type it again",
                  "the system has no room for another process");
        return false;
    }
    if (child == 0) {
        /* An interrupted command is over at once, lock and all. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        (void)close(pair[0]);
        door_child(config, home, op, call, pair[1]);
    }
    (void)close(pair[1]);
    is_done = door_await(pair[0], call);
    (void)close(pair[0]);
    while (waitpid(child, &status, 0) < 0)
        continue; /* Interrupted: the child is still there. */
    interrupt_pass_on(status);
    if (!is_done && call->failure.code == OP_DONE)
        door_fail_end(&call->failure, home, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return is_done;
}
