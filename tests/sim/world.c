/*
 * The queue of events, chance, and the trace. What nodes do stands in world_node.c, what they store
 * in world_job.c, what happens between them in net.c.
 */
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/secret.h"
#include "tests/sim/net.h"

const char *const world_fault_text[WORLD_FAULTS] = {
#define X(word, text) text,
    WORLD_FAULT_LIST(X)
#undef X
};

void world_must(enum err err)
{
    if (err != ERR_OK)
        (void)fprintf(stderr, "world: %s\n", err_sentence(err)); /* The assertion says where. */
    KITH_ASSERT(err == ERR_OK);
}

void *world_memory(size_t size)
{
    void *memory = calloc(1, size);

    KITH_ASSERT(memory != NULL);
    return memory;
}

/* Chance: splitmix64, which is enough to choose and has one word of state. */

static uint64_t world_next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

uint64_t world_draw(struct world *world, uint64_t bound)
{
    return bound == 0 ? 0 : world_next(&world->chance) % bound;
}

bool world_once_in(struct world *world, uint64_t times)
{
    return world_draw(world, times) == 0;
}

/* The trace: FNV-1a over everything in order; it need not resist anybody. */

static void world_trace(struct world *world, uint64_t value)
{
    for (size_t at = 0; at < sizeof value; at++)
        world->trace = (world->trace ^ ((value >> (8 * at)) & 0xff)) * UINT64_C(0x100000001b3);
}

void world_trace_bytes(struct world *world, struct span bytes)
{
    uint64_t hash = world->trace;

    for (size_t at = 0; at < bytes.size; at++)
        hash = (hash ^ bytes.data[at]) * UINT64_C(0x100000001b3);
    world->trace = hash;
    world_trace(world, bytes.size);
}

void world_note(struct world *world, const struct world_node *node, const char *format, ...)
{
    char text[600];
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    KITH_ASSERT(size >= 0);
    world_trace(world, world->now_ms);
    world_trace(world, node != NULL ? node->number : UINT64_MAX);
    world_trace_bytes(world, span_str(text));
    if (world->is_talkative)
        (void)printf("%9.3f %-6s %s\n", (double)(world->now_ms - WORLD_BEGIN_MS) / 1000,
                     node != NULL ? node->name : "", text);
}

void world_count(struct world *world, const struct world_node *node, enum world_fault fault)
{
    world->census[fault]++;
    world_note(world, node, "fault: %s", world_fault_text[fault]);
}

/* Events: a heap by time, then by the order in which they were made. */

static bool world_is_before(const struct world_event *left, const struct world_event *right)
{
    return left->at_ms != right->at_ms ? left->at_ms < right->at_ms : left->order < right->order;
}

static void world_swap(struct world_event *left, struct world_event *right)
{
    struct world_event kept = *left;

    *left = *right;
    *right = kept;
}

void world_after(struct world *world, uint64_t wait_ms, struct world_node *node, world_fn run,
                 void *data)
{
    size_t at = world->events_count;

    if (world->events_count == world->events_capacity) {
        world->events_capacity = world->events_capacity == 0 ? 256 : world->events_capacity * 2;
        world->events = realloc(world->events, world->events_capacity * sizeof *world->events);
        KITH_ASSERT(world->events != NULL);
    }
    world->events[world->events_count++] =
        (struct world_event){.at_ms = world->now_ms + wait_ms,
                             .order = world->order++,
                             .life = node != NULL ? node->life : 0,
                             .run = run,
                             .node = node,
                             .data = data};
    while (at > 0 && world_is_before(&world->events[at], &world->events[(at - 1) / 2])) {
        world_swap(&world->events[at], &world->events[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static struct world_event world_pop(struct world *world)
{
    struct world_event first = world->events[0];
    size_t at = 0;

    world->events[0] = world->events[--world->events_count];
    for (;;) {
        size_t least = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < world->events_count &&
                world_is_before(&world->events[child], &world->events[least]))
                least = child;
        if (least == at)
            return first;
        world_swap(&world->events[at], &world->events[least]);
        at = least;
    }
}

void world_run_until(struct world *world, uint64_t at_ms)
{
    while (world->events_count > 0 && world->events[0].at_ms <= at_ms) {
        struct world_event event = world_pop(world);

        world->now_ms = event.at_ms;
        if (event.node != NULL && event.node->life != event.life)
            continue;
        world->steps++;
        event.run(world, event.node, event.data);
    }
    world->now_ms = at_ms;
}

/* Life. */

void world_begin(struct world *world, uint64_t seed)
{
    world_must(secret_start());
    *world = (struct world){.seed = seed,
                            .chance = seed,
                            .now_ms = WORLD_BEGIN_MS,
                            .trace = UINT64_C(0xcbf29ce484222325)};
}

void world_end(struct world *world)
{
    for (size_t at = 0; at < world->nodes_count; at++)
        world_crash(world->nodes[at]);
    net_end(world);
    for (size_t at = 0; at < world->nodes_count; at++) {
        kv_mem_free(world->nodes[at]->mem);
        secret_free(world->nodes[at]->secrets);
        free(world->nodes[at]);
    }
    free(world->events);
    free(world->nodes);
}
