/*
 * The writer of a node and the ops it is asked for: node/writer.c and node/loop_jobs.c without a
 * thread. Between a commit and its answers the world goes on, so a power cut may come between them.
 */
#include <stdlib.h>
#include <string.h>

#include "node/succession.h"
#include "storage/follow.h"
#include "storage/returns.h"
#include "storage/running.h"
#include "tests/sim/world.h"

/* An errand of the engine, or an op. */
struct world_job {
    struct writer_job base;
    struct world_node *node;
    struct errand *errand;
    struct succession *succession; /* as node/loop_heal.c */
    bool is_duty;
    enum err (*write)(void *what, struct ledger_txn *txn);
    void *what;
    const struct op *op;
    struct op_call call;
    struct op_world surroundings;
    world_done_fn done;
    void *self;
};

static struct world_job *world_job_of(struct writer_job *base)
{
    return (struct world_job *)(void *)base;
}

static void world_job_free(struct world_job *job)
{
    errand_free(job->errand);
    free(job->succession);
    json_decref(job->call.params);
    json_decref(job->call.result);
    free(job);
}

/* What jobs do. */

enum err world_job_store_keys(void *self, const struct device_secrets *secrets)
{
    struct world_node *node = self;

    world_key_step(node);
    *node->secrets = *secrets;
    world_key_step(node);
    return ERR_OK;
}

/* What is written with: as the writer of node/loop_heal.c, at once the successor's. */
static struct ledger *world_job_ledger(const struct world_node *node)
{
    return node->successor != NULL ? node->successor : node->ledger;
}

static enum err world_job_succeed(struct world_job *job)
{
    enum err err;

    job->succession->ledger = job->node->ledger;
    job->succession->wall_ms = world_wall_ms(job->node);
    job->succession->store_keys = world_job_store_keys;
    job->succession->self = job->node;
    err = succession_run(job->succession);
    job->node->successor = job->succession->successor;
    return err;
}

/* A batch may come by two connections at once, or again after a power cut before its answer. */
static enum err world_job_bring(struct world_job *job, struct ledger_txn *txn)
{
    struct world *world = job->node->world;
    enum err err = errand_run(job->errand, txn);

    if (err != ERR_OK || !world->has_repeats || errand_weight(job->errand) == 0 ||
        !world_once_in(world, 4))
        return err;
    world_count(world, job->node, WORLD_TWICE);
    return errand_run(job->errand, txn);
}

static enum err world_job_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct world_job *job = world_job_of(base);
    json_t *params = job->call.params;

    if (job->errand != NULL)
        return world_job_bring(job, txn);
    if (job->succession != NULL)
        return world_job_succeed(job);
    if (job->is_duty)
        return returns_do_duty(txn);
    if (job->write != NULL)
        return job->write(job->what, txn);
    json_decref(job->call.result);
    job->call = (struct op_call){.params = params, .world = &job->surroundings};
    return op_step(job->op->run, &job->call, job->node->ledger, txn, world_wall_ms(job->node));
}

/* As loop_op_done. */
static void world_job_op_effects(struct world_node *node, const struct op_effects *effects)
{
    struct engine_event changed = {.type = ENGINE_PEERS_CHANGED};
    struct engine_event dial = {.type = ENGINE_DIAL_NOW};

    if (effects->peers_changed)
        world_engine(node, &changed);
    dial.dial.is_all = effects->must_dial_all;
    if (effects->must_dial_all)
        world_engine(node, &dial);
    for (size_t at = 0; at < effects->dial_count; at++) {
        dial.dial.is_all = false;
        dial.dial.member = effects->dial[at];
        world_engine(node, &dial);
    }
}

static void world_job_push(struct world_node *node, struct world_job *job);

static void world_job_heal(struct world_node *node, const uint8_t handshake_hash[static HASH_SIZE])
{
    struct world_job *job;

    if (node->is_succeeding || node->is_stopping)
        return;
    node->is_succeeding = true;
    job = world_memory(sizeof *job);
    job->succession = world_memory(sizeof *job->succession);
    job->base.is_reading = true;
    memcpy(job->succession->handshake_hash, handshake_hash, HASH_SIZE);
    world_job_push(node, job);
}

/* The successor's ledger takes the place of the one before. */
static void world_job_succeeded(struct world_node *node, struct ledger *successor)
{
    struct engine_event event = {.type = ENGINE_SUCCEEDED, .successor = successor};
    struct ledger *before = node->ledger;

    node->is_succeeding = false;
    node->successor = NULL;
    if (successor == NULL)
        return;
    world_note(node->world, node, "goes on under a new key");
    node->ledger = successor;
    world_engine(node, &event);
    ledger_close(before);
}

static void world_job_duty(struct world_node *node)
{
    struct snapshot snapshot;
    struct world_job *job;
    bool is_due;

    if (ledger_snapshot(node->ledger, &snapshot) != ERR_OK)
        return;
    is_due = returns_are_due(&snapshot);
    ledger_snapshot_end(&snapshot);
    if (!is_due)
        return;
    job = world_memory(sizeof *job);
    job->is_duty = true;
    world_job_push(node, job);
}

static void world_job_finish(struct world_job *job)
{
    uint8_t handshake_hash[HASH_SIZE];
    struct engine_event events[ERRAND_EVENTS_MAX];
    enum err err = job->base.err;
    size_t count;

    if (job->errand != NULL) {
        if (err == ERR_OK)
            job->node->taken_bytes += errand_weight(job->errand);
        count = errand_events(job->errand, err, events);
        for (size_t at = 0; at < count; at++)
            world_engine(job->node, &events[at]);
        if (err == ERR_OK && errand_brings_proof(job->errand, handshake_hash))
            world_job_heal(job->node, handshake_hash);
    } else if (job->succession != NULL) {
        world_job_succeeded(job->node, job->succession->successor);
    } else if (job->write != NULL) {
        job->done(job->node, job->self, err, &job->call);
    } else if (!job->is_duty) {
        err = op_settle(&job->call, err);
        world_note(job->node->world, job->node, "%s: %s%s%s", job->op->method,
                   err == ERR_OK ? "done" : err_sentence(err), err == ERR_OK ? "" : ", ",
                   err == ERR_OK ? "" : job->call.failure.message);
        if (job->done != NULL)
            job->done(job->node, job->self, err, &job->call);
        if (err == ERR_OK)
            world_job_op_effects(job->node, &job->call.effects);
    }
    world_job_free(job);
}

/* The writer. */

static void world_job_write(struct world *world, struct world_node *node, void *data);
static void world_job_tell(struct world *world, struct world_node *node, void *data);

/* The process is gone: nobody answers. */
static void world_job_lose_all(struct writer_job *first)
{
    for (struct writer_job *base = first, *next; base != NULL; base = next) {
        struct world_job *job = world_job_of(base);

        next = base->next;
        if (job->done != NULL)
            job->done(job->node, job->self, ERR_STATE, NULL);
        world_job_free(job);
    }
}

static void world_job_wake(struct world_node *node)
{
    uint64_t wait = 1 + world_draw(node->world, node->commit_ms_max);

    if (node->is_writing)
        return;
    node->is_writing = true;
    if (wait > 1000)
        world_count(node->world, node, WORLD_SLOW_DISK);
    world_after(node->world, wait, node, world_job_write, NULL);
}

/* True when this commit is the process's last. */
static bool world_job_is_doomed(struct world_node *node)
{
    if (node->doom == WORLD_SAFE)
        return false;
    if (node->doom_commits > 0)
        node->doom_commits--;
    return node->doom_commits == 0;
}

static void world_job_write(struct world *world, struct world_node *node, void *data)
{
    uint64_t before = kv_mem_commits_count(node->mem);
    enum world_doom doom = node->doom;
    struct writer_job *group = group_take(&node->jobs);
    bool is_doomed = group != NULL && !group->is_reading && world_job_is_doomed(node);

    (void)data;
    node->is_writing = false;
    if (group == NULL)
        return;
    if (is_doomed && doom == WORLD_BEFORE_COMMIT) {
        world_count(world, node, WORLD_CRASH_BEFORE);
        world_job_lose_all(group);
        world_crash(node);
        return;
    }
    group_run(world_job_ledger(node), group, world_wall_ms(node));
    world_note(world, node, "commit %llu -> %llu", (unsigned long long)before,
               (unsigned long long)kv_mem_commits_count(node->mem));
    if (node->cut != NULL) {
        world_job_lose_all(group);
        (void)world_is_cut(node);
        return;
    }
    if (is_doomed) {
        world_count(world, node, WORLD_CRASH_AFTER);
        world_job_lose_all(group);
        world_crash(node);
        return;
    }
    for (struct writer_job *job = group, *next; job != NULL; job = next) {
        next = job->next;
        group_add(&node->done, job);
    }
    if (!node->is_telling)
        world_after(world, world_draw(world, 3), node, world_job_tell, NULL);
    node->is_telling = true;
    world_job_follow(node);
    if (world_is_cut(node))
        return;
    if (node->jobs.first != NULL)
        world_job_wake(node);
}

/* As loop_jobs_done. */
static void world_job_tell(struct world *world, struct world_node *node, void *data)
{
    struct group_queue done = node->done;
    uint64_t life = node->life;

    (void)world;
    (void)data;
    node->done = (struct group_queue){0};
    node->is_telling = false;
    for (struct writer_job *job = done.first, *next; job != NULL; job = next) {
        struct engine_event news = {.type = ENGINE_NEWS, .news = &job->news};

        next = job->next;
        if (group_tells_news(job)) {
            world_engine(node, &news);
            world_job_duty(node);
        }
        world_job_finish(world_job_of(job));
        KITH_ASSERT(node->life == life); /* Answers do not end processes. */
    }
}

void world_job_follow(struct world_node *node)
{
    struct ledger *ledger = world_job_ledger(node);
    bool is_more = follow_is_behind(ledger);
    enum err err = ERR_OK;

    while (is_more && err == ERR_OK)
        err = follow_stage(ledger, WORLD_STAGE_ENTRIES, &is_more);
    if (err != ERR_OK)
        world_note(node->world, node, "lists stay behind: %s", err_sentence(err));
}

static void world_job_push(struct world_node *node, struct world_job *job)
{
    job->base.run = world_job_run;
    job->node = node;
    group_add(&node->jobs, &job->base);
    world_job_wake(node);
}

void world_job_errand(struct world_node *node, const struct engine_effect *effect)
{
    struct engine_event event;
    struct errand *errand;
    struct world_job *job;

    if (errand_new(effect, &errand) != ERR_OK) {
        if (errand_failed(effect, &event))
            world_engine(node, &event);
        return;
    }
    job = world_memory(sizeof *job);
    job->errand = errand;
    job->base.weight = errand_weight(errand);
    world_job_push(node, job);
}

void world_job_deliveries(struct world_node *node)
{
    struct world_job *job = world_memory(sizeof *job);

    job->errand = node->deliveries;
    node->deliveries = NULL;
    world_job_push(node, job);
}

bool world_job_is_idle(const struct world_node *node)
{
    return node->jobs.first == NULL && node->done.first == NULL && !node->is_writing;
}

void world_job_drop(struct world_node *node)
{
    world_job_lose_all(node->jobs.first);
    world_job_lose_all(node->done.first);
    node->jobs = node->done = (struct group_queue){0};
}

/* Ops. */

static struct world_job *world_job_op(struct world_node *node, const char *method, json_t *params)
{
    struct world_job *job = world_memory(sizeof *job);

    job->op = ops_find(method);
    KITH_ASSERT(job->op != NULL && params != NULL);
    job->node = node;
    job->base.run = world_job_run;
    job->base.is_reading = job->op->mode == OP_READ;
    job->call.params = params;
    job->surroundings = (struct op_world){
        .home = "", .is_node = node->is_up, .listening = &node->address, .listening_count = 1};
    return job;
}

void world_look(struct world_node *node, void (*look)(struct world_node *node, void *self),
                void *self)
{
    bool was_open = node->ledger != NULL;

    if (!was_open) {
        world_must(kv_mem_open(node->mem, &node->kv));
        world_must(ledger_open(node->kv, node->secrets, &node->entropy, &node->ledger));
    }
    look(node, self);
    if (was_open)
        return;
    ledger_close(node->ledger);
    kv_close(node->kv);
    node->ledger = NULL;
    node->kv = NULL;
}

/* As a command does without a node: in its own process, under the store's lock. */
static void world_job_alone(struct world_job *job)
{
    struct world_node *node = job->node;

    job->base.err = kv_mem_open(node->mem, &node->kv);
    if (job->base.err == ERR_OK)
        job->base.err = ledger_open(node->kv, node->secrets, &node->entropy, &node->ledger);
    if (job->base.err == ERR_OK) {
        group_run(node->ledger, &job->base, world_wall_ms(node));
        world_job_follow(node);
    }
    world_job_finish(job);
    if (node->ledger != NULL)
        ledger_close(node->ledger);
    kv_close(node->kv);
    node->ledger = NULL;
    node->kv = NULL;
}

void world_op(struct world_node *node, const char *method, json_t *params, world_done_fn done,
              void *self)
{
    struct world_job *job = world_job_op(node, method, params);

    job->done = done;
    job->self = self;
    world_note(node->world, node, "asked: %s", method);
    if (node->is_up)
        world_job_push(node, job);
    else
        world_job_alone(job);
}

void world_write(struct world_node *node, enum err (*write)(void *what, struct ledger_txn *txn),
                 void *what, world_done_fn done, void *self)
{
    struct world_job *job = world_memory(sizeof *job);

    KITH_ASSERT(node->is_up);
    job->write = write;
    job->what = what;
    job->done = done;
    job->self = self;
    world_job_push(node, job);
}

static void world_job_keep(struct world_node *node, void *self, enum err err,
                           const struct op_call *call)
{
    (void)node;
    if (err == ERR_OK)
        *(json_t **)self = json_incref(call->result);
}

json_t *world_read(struct world_node *node, const char *method, json_t *params)
{
    struct world_job *job = world_job_op(node, method, params);
    json_t *result = NULL;

    KITH_ASSERT(job->base.is_reading);
    job->done = world_job_keep;
    job->self = &result;
    if (!node->is_up) {
        world_job_alone(job);
        return result;
    }
    group_run(node->ledger, &job->base, world_wall_ms(node));
    world_job_finish(job);
    return result;
}

/* Time. */

static enum err world_write_time(void *what, struct ledger_txn *txn)
{
    enum err err = running_advance(txn, 1);

    return err == ERR_OK ? running_advance(txn, 1 + *(const uint64_t *)what) : err;
}

static void world_on_time(struct world_node *node, void *self, enum err err,
                          const struct op_call *call)
{
    (void)node;
    (void)self;
    (void)err;
    (void)call;
}

void world_live(struct world *world, uint64_t span_ms)
{
    for (size_t at = 0; at < world->nodes_count; at++) {
        world->nodes[at]->wall_offset_ms += (int64_t)span_ms;
        if (world->nodes[at]->is_up)
            world_write(world->nodes[at], world_write_time, &span_ms, world_on_time, NULL);
    }
    world_run_until(world, world->now_ms + 1000);
}
