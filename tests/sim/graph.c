/* See graph.h. */
#include "tests/sim/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/sim/world.h"

enum { GRAPH_CIRCLE = 25, GRAPH_NEAR = 3, GRAPH_TIES_PART = 2 };

static void graph_add(struct graph_person *person, uint16_t to)
{
    if (person->count == person->capacity) {
        person->capacity = person->capacity > 0 ? 2 * person->capacity : 8;
        person->links = realloc(person->links, person->capacity * sizeof *person->links);
        KITH_ASSERT(person->links != NULL);
    }
    person->links[person->count++] = to;
}

static bool graph_has(const struct graph_person *person, size_t to)
{
    for (size_t at = 0; at < person->count; at++)
        if (person->links[at] == to)
            return true;
    return false;
}

bool graph_has_link(const struct graph *graph, size_t one, size_t other)
{
    return graph_has(&graph->people[one], other);
}

static void graph_release(struct graph_person *people)
{
    for (size_t at = 0; at < GRAPH_PEOPLE_MAX; at++)
        free(people[at].links);
    free(people);
}

void graph_end(struct graph *graph)
{
    graph_release(graph->people);
}

/* Advogato. */

static bool graph_read_file(const char *data, struct graph_person *certified)
{
    char path[1024], line[128];
    gzFile file;

    (void)snprintf(path, sizeof path, "%s/graphs/advogato.out.txt.gz", data);
    file = gzopen(path, "rb");
    if (file == NULL)
        return false;
    while (gzgets(file, line, sizeof line) != NULL) {
        char *end;
        unsigned long from = strtoul(line, &end, 10), to = strtoul(end, &end, 10);

        if (from != to && from > 0 && to > 0 && from < GRAPH_PEOPLE_MAX && to < GRAPH_PEOPLE_MAX &&
            !graph_has(&certified[from], to))
            graph_add(&certified[from], (uint16_t)to);
    }
    (void)gzclose(file);
    return true;
}

/* Numbers are given in the order in which people are found; UINT16_MAX: not among them. */
static size_t graph_choose(const struct graph_person *all, size_t count, uint16_t *chosen,
                           uint16_t *number)
{
    uint16_t most = 0;
    size_t found = 1;

    for (uint16_t at = 1; at < GRAPH_PEOPLE_MAX; at++)
        if (all[at].count > all[most].count)
            most = at;
    memset(number, 0xff, GRAPH_PEOPLE_MAX * sizeof *number);
    chosen[0] = most;
    number[most] = 0;
    for (size_t at = 0; at < found; at++)
        for (size_t link = 0; link < all[chosen[at]].count && found < count; link++) {
            uint16_t to = all[chosen[at]].links[link];

            if (number[to] == UINT16_MAX) {
                number[to] = (uint16_t)found;
                chosen[found++] = to;
            }
        }
    return found;
}

static void graph_take(struct graph *graph, const struct graph_person *all, size_t count)
{
    uint16_t *chosen = world_memory(GRAPH_PEOPLE_MAX * sizeof *chosen);
    uint16_t *number = world_memory(GRAPH_PEOPLE_MAX * sizeof *number);

    graph->count = graph_choose(all, count, chosen, number);
    for (size_t at = 0; at < graph->count; at++)
        for (size_t link = 0; link < all[chosen[at]].count; link++) {
            uint16_t to = number[all[chosen[at]].links[link]];

            if (to == UINT16_MAX)
                continue;
            graph_add(&graph->people[at], to);
            graph->links += at < to;
        }
    free(chosen);
    free(number);
}

bool graph_read(struct graph *graph, const char *data, size_t count)
{
    struct graph_person *certified = world_memory(GRAPH_PEOPLE_MAX * sizeof *certified);
    struct graph_person *mutual = world_memory(GRAPH_PEOPLE_MAX * sizeof *mutual);
    bool is_there = graph_read_file(data, certified);

    *graph = (struct graph){.people = world_memory(GRAPH_PEOPLE_MAX * sizeof *graph->people),
                            .source = "Advogato, certified both ways"};
    for (uint16_t from = 0; from < GRAPH_PEOPLE_MAX; from++)
        for (size_t at = 0; at < certified[from].count; at++)
            if (graph_has(&certified[certified[from].links[at]], from))
                graph_add(&mutual[from], certified[from].links[at]);
    if (is_there)
        graph_take(graph, mutual, count);
    else
        graph_end(graph);
    graph_release(certified);
    graph_release(mutual);
    return is_there;
}

/* Drawn. */

static void graph_link(struct graph *graph, size_t one, size_t other)
{
    if (one == other || graph_has(&graph->people[one], other))
        return;
    graph_add(&graph->people[one], (uint16_t)other);
    graph_add(&graph->people[other], (uint16_t)one);
    graph->links++;
}

void graph_draw(struct graph *graph, size_t count, uint64_t seed)
{
    struct world chance = {.chance = seed};

    *graph = (struct graph){.people = world_memory(GRAPH_PEOPLE_MAX * sizeof *graph->people),
                            .count = count,
                            .source = "drawn"};
    for (size_t at = 0; at < count; at++) {
        size_t first = at - at % GRAPH_CIRCLE;
        size_t size = count - first < GRAPH_CIRCLE ? count - first : GRAPH_CIRCLE;

        graph_link(graph, at, (at + 1) % count); /* Nobody is cut off. */
        for (size_t near = 1; near < GRAPH_NEAR; near++)
            graph_link(graph, at, first + world_draw(&chance, size));
        if (world_once_in(&chance, GRAPH_TIES_PART))
            graph_link(graph, at, world_draw(&chance, count));
    }
}
