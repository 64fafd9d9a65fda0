/*
 * The Byzantine catalogue against one node, a case a number: see siege.h. The heap counts, so that
 * a hostile peer that makes memory grow is found.
 *
 *   sim_siege                all cases
 *   sim_siege B27 --trace    those whose name begins so, told step by step
 *   sim_siege --list         where each number is tried
 *   sim_siege --world        those of nodes that call ana; the list is whole
 *   sim_siege --apart        those of members without a world
 */
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"
#include "tests/sim/siege.h"

enum { SIM_SIEGE_BYTES_MAX = 24 << 20 /* the three nodes, the net and mal's own included */ };

static struct {
    size_t live, peak;
} sim_siege_heap;

/* The size stands in front of each piece. */
enum { SIM_SIEGE_FRONT = alignof(max_align_t) };

static void *sim_siege_resize(void *memory, size_t size)
{
    char *front = memory != NULL ? (char *)memory - SIM_SIEGE_FRONT : NULL;
    size_t before = 0;

    if (front != NULL)
        memcpy(&before, front, sizeof before);
    front = realloc(front, SIM_SIEGE_FRONT + size);
    if (front == NULL)
        return NULL;
    memcpy(front, &size, sizeof size);
    sim_siege_heap.live += size - before;
    if (sim_siege_heap.peak < sim_siege_heap.live)
        sim_siege_heap.peak = sim_siege_heap.live;
    return front + SIM_SIEGE_FRONT;
}

void *heap_new(size_t size)
{
    return sim_siege_resize(NULL, size);
}

void *heap_new_zeroed(size_t count, size_t size)
{
    void *memory = size == 0 || count <= SIZE_MAX / 2 / size ? heap_new(count * size) : NULL;

    return memory != NULL ? memset(memory, 0, count * size) : NULL;
}

void *heap_resize(void *memory, size_t size)
{
    return sim_siege_resize(memory, size);
}

void heap_free(void *memory)
{
    char *front = memory != NULL ? (char *)memory - SIM_SIEGE_FRONT : NULL;
    size_t size = 0;

    if (front != NULL)
        memcpy(&size, front, sizeof size);
    sim_siege_heap.live -= size;
    free(front);
}

size_t heap_size(void *memory)
{
    size_t size;

    memcpy(&size, (char *)memory - SIM_SIEGE_FRONT, sizeof size);
    return size;
}

static int sim_siege_one(const struct siege_case *one, bool is_talkative)
{
    size_t bytes_max = one->bytes_max > 0 ? one->bytes_max : SIM_SIEGE_BYTES_MAX;
    char failure[400];

    sim_siege_heap.live = sim_siege_heap.peak = 0;
    siege_run(one, is_talkative, failure);
    if (failure[0] == '\0' && sim_siege_heap.peak > bytes_max)
        (void)snprintf(failure, sizeof failure, "%zu bytes of memory", sim_siege_heap.peak);
    if (failure[0] == '\0') {
        (void)printf("ok %s\n", one->name);
        return 0;
    }
    (void)printf("not ok %s: %s\n", one->name, failure);
    return 1;
}

static bool sim_siege_is_wanted(const struct siege_case *one, const char *wanted)
{
    if (strcmp(wanted, "--world") == 0)
        return !one->is_apart;
    if (strcmp(wanted, "--apart") == 0)
        return one->is_apart;
    return strncmp(one->name, wanted, strlen(wanted)) == 0;
}

int main(int argc, char **argv)
{
    static const struct siege_case *const tables[] = {
        siege_door_cases,   siege_sync_cases,       siege_record_cases,     siege_epoch_cases,
        siege_device_cases, siege_introducer_cases, siege_introducee_cases, siege_vouch_cases,
        siege_spoken_cases, siege_ask_cases,        siege_slow_cases,       siege_peek_cases};
    const size_t count = sizeof tables / sizeof tables[0];
    const char *wanted = argc > 1 ? argv[1] : "";
    int failures = 0;

    if (strcmp(wanted, "--list") == 0)
        return siege_list_is_whole(tables, count, true) ? 0 : 1;
    if (wanted[0] == '\0' || strcmp(wanted, "--world") == 0)
        failures += !siege_list_is_whole(tables, count, false);
    for (size_t table = 0; table < count; table++)
        for (const struct siege_case *one = tables[table]; one->name != NULL; one++)
            if (sim_siege_is_wanted(one, wanted))
                failures += sim_siege_one(one, argc > 2);
    return failures > 0;
}
