/*
 * A machine and the process on it: its engine is fed as node/loop.c feeds it. Read world_engine
 * first. The disk (kv_mem) and the key file outlive the process, its memory does not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/react.h"
#include "node/succession.h"
#include "storage/join.h"
#include "tests/sim/net.h"

struct world_home {
    struct kv_mem *mem;
    struct device_secrets *secrets;
};

/* Clocks and randomness. */

uint64_t world_wall_ms(const struct world_node *node)
{
    int64_t wall = (int64_t)(node->world->now_ms + UINT64_C(1700000000000)) + node->wall_offset_ms;

    return wall > 0 ? (uint64_t)wall : 0;
}

uint64_t world_running_ms(const struct world_node *node)
{
    return node->world->now_ms + node->running_offset_ms;
}

static void world_node_fill(void *self, uint8_t *out, size_t size)
{
    struct world_node *node = self;

    while (size > 0) {
        const struct span parts[2] = {span_of(node->entropy_key, 32),
                                      span_of(&node->drawn, sizeof node->drawn)};
        size_t part = size < HASH_SIZE ? size : HASH_SIZE;
        struct hash hash;

        digest("test stream", parts, 2, &hash);
        memcpy(out, hash.bytes, part);
        node->drawn++;
        out += part;
        size -= part;
    }
}

/* Fresh randomness, as the kernel's is after every start. */
static void world_node_stir(struct world_node *node)
{
    for (size_t at = 0; at < sizeof node->entropy_key; at += 8)
        be64_put(node->entropy_key + at, world_draw(node->world, UINT64_MAX));
    node->drawn = 0;
}

/* The engine. */

static void world_node_timer(struct world *world, struct world_node *node, void *data);

/* As loop_arm: for whatever comes next, a second at most. */
static void world_node_arm(struct world_node *node)
{
    uint64_t now = world_running_ms(node), wake = engine_wake_at_ms(node->engine);
    uint64_t wait = wake <= now ? 1 : wake - now;

    if (wait > WORLD_TICK_MS)
        wait = WORLD_TICK_MS;
    if (node->deliveries != NULL && wait > WORLD_DELIVERY_WAIT_MS)
        wait = WORLD_DELIVERY_WAIT_MS;
    if (node->timer_at_ms > now && node->timer_at_ms <= now + wait)
        return; /* It comes soon enough. */
    node->timer_at_ms = now + wait;
    world_after(node->world, wait, node, world_node_timer, NULL);
}

static void world_node_timer(struct world *world, struct world_node *node, void *data)
{
    struct engine_event event = {.type = ENGINE_WOKEN};

    (void)data;
    if (world_running_ms(node) != node->timer_at_ms)
        return; /* An earlier one took its place. */
    if (world->now_ms < node->asleep_until_ms) {
        node->timer_at_ms += node->asleep_until_ms - world->now_ms;
        world_after(world, node->asleep_until_ms - world->now_ms, node, world_node_timer, NULL);
        return;
    }
    if (node->deliveries != NULL && world_running_ms(node) >= node->deliveries_at_ms)
        world_job_deliveries(node);
    net_look(node);
    if (!node->is_stopping && node->is_up)
        world_engine(node, &event);
    if (node->is_up)
        world_node_arm(node);
}

static void world_node_journal(struct world_node *node, const struct engine_effect *effect)
{
    world_note(node->world, node, "journal: %s %s: %s", effect->journal.kind, effect->journal.who,
               effect->journal.text);
    if (strcmp(effect->journal.kind, "violation") != 0 &&
        strcmp(effect->journal.kind, "broken") != 0)
        return;
    node->violations++;
    (void)snprintf(node->rule, sizeof node->rule, "%.*s", (int)sizeof node->rule - 1,
                   effect->journal.text);
}

static void world_node_effect(struct world_node *node, const struct engine_effect *effect)
{
    switch (effect->type) {
    case ENGINE_SEND:
        world_trace_bytes(node->world, effect->bytes);
        net_send(node, effect->conn, effect->bytes);
        break;
    case ENGINE_CLOSE:
        net_close(node, effect->conn);
        break;
    case ENGINE_DIAL:
        net_dial(node, effect->conn, &effect->address);
        break;
    case ENGINE_DELIVERED:
        if (node->deliveries == NULL)
            node->deliveries_at_ms = world_running_ms(node) + WORLD_DELIVERY_WAIT_MS;
        errand_collect(&node->deliveries, effect);
        break;
    case ENGINE_JOURNAL:
        world_node_journal(node, effect);
        world_job_errand(node, effect);
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
        world_job_errand(node, effect);
        break;
    case ENGINE_PRESENCE:
        break;
    }
}

void world_engine(struct world_node *node, struct engine_event *event)
{
    if (!node->is_up)
        return;
    if (node->on_event != NULL) {
        node->on_event(node->on_event_self, event);
        return;
    }
    KITH_ASSERT(node->waiting_count < sizeof node->waiting / sizeof node->waiting[0]);
    node->waiting[node->waiting_count++] = *event;
    if (node->is_stepping)
        return;
    node->is_stepping = true;
    while (node->waiting_count > 0) {
        struct engine_event next = node->waiting[0];
        const struct engine_effect *effects = NULL;
        size_t count = 0;
        enum err err;

        node->waiting_count--;
        memmove(&node->waiting[0], &node->waiting[1], node->waiting_count * sizeof next);
        next.now_ms = world_running_ms(node);
        next.wall_ms = world_wall_ms(node);
        err = engine_step(node->engine, &next, &effects, &count);
        if (err != ERR_OK)
            world_note(node->world, node, "a step failed: %s", err_sentence(err));
        for (size_t at = 0; at < count; at++)
            world_node_effect(node, &effects[at]);
    }
    node->is_stepping = false;
    world_node_arm(node);
}

bool world_is_in_step(struct world_node *node, const struct public_key *member)
{
    size_t count = node->engine != NULL ? engine_presence(node->engine, NULL, 0) : 0;
    struct op_presence *presence = world_memory((count + 1) * sizeof *presence);
    bool is_in_step = false;

    if (count > 0)
        count = engine_presence(node->engine, presence, count);
    for (size_t at = 0; at < count; at++)
        if (public_key_is_equal(&presence[at].member, member))
            is_in_step |= presence[at].is_in_step;
    free(presence);
    return is_in_step;
}

/* Life of a process. */

void world_start(struct world_node *node)
{
    struct engine_options options = {
        .addresses = &node->address, .addresses_count = 1, .is_loopback_only = false};
    struct engine_event begin = {.type = ENGINE_PEERS_CHANGED};
    enum err err;

    if (node->is_up || node->is_gone)
        return;
    if (!node->is_twin)
        world_node_stir(node);
    node->is_twin = false;
    kv_mem_watch(node->mem, world_commit_step, node);
    err = kv_mem_open(node->mem, &node->kv);
    if (err == ERR_OK)
        err = ledger_open(node->kv, node->secrets, &node->entropy, &node->ledger);
    if (err == ERR_OK)
        err = succession_finish(node->ledger, node->secrets, world_job_store_keys, node);
    options.ledger = node->ledger;
    if (err == ERR_OK)
        err = engine_new(&options, &node->engine);
    node->life++;
    if (err != ERR_OK) {
        world_note(node->world, node, "does not start: %s", err_sentence(err));
        if (node->ledger != NULL)
            ledger_close(node->ledger);
        kv_close(node->kv);
        node->ledger = NULL;
        node->kv = NULL;
        return;
    }
    node->is_up = true;
    node->is_stopping = false;
    world_note(node->world, node, "starts");
    world_job_follow(node);
    if (!world_is_cut(node))
        world_engine(node, &begin);
}

void world_start_as(struct world_node *node,
                    void (*on_event)(void *self, const struct engine_event *event), void *self)
{
    KITH_ASSERT(!node->is_up);
    world_node_stir(node);
    world_must(kv_mem_open(node->mem, &node->kv));
    world_must(ledger_open(node->kv, node->secrets, &node->entropy, &node->ledger));
    node->on_event = on_event;
    node->on_event_self = self;
    node->is_up = true;
    node->life++;
    world_note(node->world, node, "is played by somebody else");
}

/* What a process takes with it. */
static void world_node_forget(struct world_node *node, bool is_clean)
{
    net_drop(node, is_clean);
    world_job_drop(node);
    errand_free(node->deliveries);
    engine_free(node->engine);
    if (node->successor != NULL)
        ledger_close(node->successor);
    ledger_close(node->ledger);
    node->successor = NULL;
    node->is_succeeding = false;
    node->deliveries = NULL;
    node->engine = NULL;
    node->on_event = NULL;
    node->ledger = NULL;
    node->waiting_count = 0;
    node->is_up = node->is_writing = node->is_telling = node->is_stepping = node->is_stopping =
        false;
    node->doom = WORLD_SAFE;
    node->timer_at_ms = 0;
    node->life++;
}

void world_crash(struct world_node *node)
{
    if (!node->is_up)
        return;
    world_note(node->world, node, "power cut");
    world_node_forget(node, false);
    (void)kv_mem_crash(node->mem, 0); /* Synced commits stay. */
    node->kv = NULL;
}

void world_doom(struct world_node *node)
{
    node->doom = world_once_in(node->world, 2) ? WORLD_BEFORE_COMMIT : WORLD_AFTER_COMMIT;
    node->doom_commits = 1 + world_draw(node->world, 6);
}

/* The writer is done, or has had its time. */
static void world_node_stopped(struct world *world, struct world_node *node, void *data)
{
    (void)data;
    if (!world_job_is_idle(node) && world->now_ms < node->stop_at_ms) {
        world_after(world, 10, node, world_node_stopped, NULL);
        return;
    }
    world_note(world, node, "has ended");
    world_node_forget(node, true);
    kv_close(node->kv);
    node->kv = NULL;
}

void world_stop(struct world_node *node)
{
    struct engine_event stop = {.type = ENGINE_STOP};

    if (!node->is_up || node->is_stopping)
        return;
    world_note(node->world, node, "is asked to end");
    node->is_stopping = true;
    node->stop_at_ms = node->world->now_ms + WORLD_STOP_MS;
    if (node->deliveries != NULL)
        world_job_deliveries(node);
    world_engine(node, &stop);
    world_after(node->world, 10, node, world_node_stopped, NULL);
}

/* Machines. */

static struct world_node *world_node_add(struct world *world, const char *name)
{
    struct world_node *node = world_memory(sizeof *node);

    if (world->nodes_count == world->nodes_capacity) {
        world->nodes_capacity = world->nodes_capacity == 0 ? 16 : world->nodes_capacity * 2;
        world->nodes = realloc(world->nodes, world->nodes_capacity * sizeof(struct world_node *));
        KITH_ASSERT(world->nodes != NULL);
    }
    node->world = world;
    node->number = world->nodes_count;
    node->entropy = (struct entropy){.fill = world_node_fill, .self = node};
    node->running_offset_ms = world_draw(world, UINT64_C(100000000));
    node->commit_ms_max = 10;
    node->secrets = secret_new(sizeof *node->secrets);
    KITH_ASSERT(node->secrets != NULL && node->number < (1 << 16));
    (void)snprintf(node->name, sizeof node->name, "%s", name);
    node->address.host[10] = node->address.host[11] = 0xff;
    node->address.host[12] = 10;
    be16_put(node->address.host + 13, (uint16_t)node->number);
    node->address.host[15] = 1;
    node->address.port = PORT_DEFAULT;
    world_node_stir(node);
    world->nodes[world->nodes_count++] = node;
    return node;
}

struct world_node *world_init(struct world *world, const char *name)
{
    struct kv_mem_options options = {.tables_count = TABLES_COUNT, .history_max = 64};
    struct world_node *node = world_node_add(world, name);
    uint8_t seed[SEED_SIZE];

    node->person = node->number;
    entropy_fill(&node->entropy, seed, SEED_SIZE);
    world_must(keyfile_draw(seed, &node->entropy, world_wall_ms(node), node->secrets));
    world_must(kv_mem_new(&options, &node->mem));
    world_must(kv_mem_open(node->mem, &node->kv));
    world_must(ledger_create(node->kv, node->secrets, &node->entropy, span_str("first device"),
                             world_wall_ms(node)));
    kv_close(node->kv);
    node->kv = NULL;
    world_op(node, "me.edit", json_pack("{s:s}", "name", name), NULL, NULL);
    return node;
}

struct world_joining {
    struct welcome_ask ask;
    struct welcome *welcome;
    const struct world_node *host;
    struct ledger_news news;
};

static enum err world_node_admit(struct world_joining *joining, struct ledger *ledger)
{
    struct ledger_txn *txn;
    enum err err = ledger_begin(ledger, world_wall_ms(joining->host), &txn);

    if (err != ERR_OK)
        return err;
    err = join_admit(txn, &joining->ask, joining->welcome);
    if (err == ERR_OK)
        err = react_all(txn);
    if (err == ERR_OK)
        return ledger_commit(txn, &joining->news);
    ledger_abort(txn);
    return err;
}

/* As a command would do it at the host, which lies still meanwhile. */
static enum err world_node_welcome(struct world_node *host, struct world_joining *joining)
{
    enum err err;

    if (host->ledger != NULL)
        return world_node_admit(joining, host->ledger);
    err = kv_mem_open(host->mem, &host->kv);
    if (err == ERR_OK)
        err = ledger_open(host->kv, host->secrets, &host->entropy, &host->ledger);
    if (err == ERR_OK)
        err = world_node_admit(joining, host->ledger);
    if (host->ledger != NULL)
        ledger_close(host->ledger);
    kv_close(host->kv);
    host->ledger = NULL;
    host->kv = NULL;
    return err;
}

struct world_node *world_join(struct world_node *host)
{
    struct kv_mem_options options = {.tables_count = TABLES_COUNT, .history_max = 64};
    struct world_joining joining = {.welcome = secret_new(sizeof *joining.welcome), .host = host};
    struct device_secrets *secrets = secret_new(sizeof *secrets);
    struct world_node *node = NULL;
    struct buf addresses = {0};

    KITH_ASSERT(joining.welcome != NULL && secrets != NULL);
    join_draw(&host->entropy, world_wall_ms(host), secrets);
    world_must(join_ask_of(secrets, span_str("further device"), &joining.ask));
    if (!host->is_succeeding && world_node_welcome(host, &joining) == ERR_OK) {
        node = world_node_add(host->world, host->name);
        node->person = host->person;
        (void)snprintf(node->name, sizeof node->name, "%.12s+%zu", host->name, node->number % 10);
        address_put_list(&host->address, 1, &addresses);
        memcpy(joining.welcome->addresses, addresses.data, addresses.size);
        joining.welcome->addresses_size = addresses.size;
        *node->secrets = *secrets;
        world_must(kv_mem_new(&options, &node->mem));
        world_must(kv_mem_open(node->mem, &node->kv));
        world_must(join_create(node->kv, node->secrets, &node->entropy, joining.welcome,
                               world_wall_ms(node)));
        kv_close(node->kv);
        node->kv = NULL;
    }
    secret_free(joining.welcome);
    secret_free(secrets);
    buf_release(&addresses);
    if (node != NULL && host->is_up) {
        world_engine(host, &(struct engine_event){.type = ENGINE_NEWS, .news = &joining.news});
        world_engine(host, &(struct engine_event){.type = ENGINE_PEERS_CHANGED});
    }
    return node;
}

struct world_node *world_clone(struct world_node *node, bool is_twin)
{
    struct world_home *home = world_snapshot(node);
    struct world_node *clone = world_node_add(node->world, node->name);

    clone->person = node->person;
    clone->wall_offset_ms = node->wall_offset_ms;
    (void)snprintf(clone->name, sizeof clone->name, "%.13s'%zu", node->name, clone->number % 10);
    clone->mem = home->mem;
    *clone->secrets = *home->secrets;
    home->mem = NULL;
    world_home_free(home);
    if (is_twin) {
        memcpy(clone->entropy_key, node->entropy_key, sizeof clone->entropy_key);
        clone->drawn = node->drawn;
        clone->is_twin = true;
    }
    world_count(node->world, node, WORLD_CLONE);
    return clone;
}

struct world_home *world_snapshot(struct world_node *node)
{
    struct world_home *home = world_memory(sizeof *home);

    world_must(kv_mem_clone(node->mem, &home->mem));
    home->secrets = secret_new(sizeof *home->secrets);
    KITH_ASSERT(home->secrets != NULL);
    *home->secrets = *node->secrets;
    return home;
}

static void world_put_back(struct world_node *node, const struct world_home *home)
{
    world_crash(node);
    kv_mem_restore(node->mem, home->mem);
    *node->secrets = *home->secrets;
}

void world_restore(struct world_node *node, const struct world_home *home)
{
    world_put_back(node, home);
    world_count(node->world, node, WORLD_RESTORE);
}

static void world_node_step(struct world_node *node)
{
    struct world *world = node->world;

    if (node->cut == NULL && world->has_power_cut != NULL &&
        world->has_power_cut(world->has_power_cut_self, node))
        node->cut = world_snapshot(node);
}

void world_key_step(struct world_node *node)
{
    if (node->doom_keys > 0 && --node->doom_keys == 0)
        node->cut = world_snapshot(node);
    world_node_step(node);
}

void world_commit_step(void *self, bool is_durable)
{
    (void)is_durable;
    world_node_step(self);
}

bool world_is_cut(struct world_node *node)
{
    struct world_home *home = node->cut;

    if (home == NULL)
        return false;
    node->cut = NULL;
    world_put_back(node, home);
    world_home_free(home);
    return true;
}

void world_home_free(struct world_home *home)
{
    if (home == NULL)
        return;
    kv_mem_free(home->mem);
    secret_free(home->secrets);
    free(home);
}
