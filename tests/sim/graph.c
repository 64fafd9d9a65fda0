/* See graph.h. */
#include "tests/sim/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/sim/world.h"

static void graph_add(struct graph_links *links, uint16_t to)
{
    if (links->count == links->capacity) {
        links->capacity = links->capacity > 0 ? 2 * links->capacity : 8;
        links->to = realloc(links->to, links->capacity * sizeof *links->to);
        KITH_ASSERT(links->to != NULL);
    }
    links->to[links->count++] = to;
}

static bool graph_has(const struct graph_links *links, uint16_t to)
{
    for (size_t at = 0; at < links->count; at++)
        if (links->to[at] == to)
            return true;
    return false;
}

/* Who certified whom. */
static bool graph_read(const char *default_folder, struct graph_links *out)
{
    const char *folder = getenv("KITH_TEST_DATA");
    char path[1024], line[128];
    gzFile file;

    (void)snprintf(path, sizeof path, "%s/graphs/advogato.out.txt.gz",
                   folder != NULL ? folder : default_folder);
    file = gzopen(path, "rb");
    if (file == NULL)
        return false;
    while (gzgets(file, line, sizeof line) != NULL) {
        char *end;
        unsigned long from = strtoul(line, &end, 10), to = strtoul(end, &end, 10);

        if (from != to && from > 0 && to > 0 && from < GRAPH_NODES && to < GRAPH_NODES &&
            !graph_has(&out[from], (uint16_t)to))
            graph_add(&out[from], (uint16_t)to);
    }
    (void)gzclose(file);
    return true;
}

static void graph_keep_mutual(const struct graph_links *edges, struct graph_links *out)
{
    for (uint16_t from = 0; from < GRAPH_NODES; from++)
        for (size_t at = 0; at < edges[from].count; at++)
            if (graph_has(&edges[edges[from].to[at]], from))
                graph_add(&out[from], edges[from].to[at]);
}

/* number: UINT16_MAX for those who are not among them. */
static size_t graph_choose(const struct graph_links *all, size_t count, uint16_t *chosen,
                           uint16_t *number)
{
    uint16_t most = 0;
    size_t found = 1;

    for (uint16_t at = 1; at < GRAPH_NODES; at++)
        if (all[at].count > all[most].count)
            most = at;
    memset(number, 0xff, GRAPH_NODES * sizeof *number);
    chosen[0] = most;
    number[most] = 0;
    for (size_t at = 0; at < found; at++)
        for (size_t link = 0; link < all[chosen[at]].count && found < count; link++) {
            uint16_t to = all[chosen[at]].to[link];

            if (number[to] == UINT16_MAX) {
                number[to] = (uint16_t)found;
                chosen[found++] = to;
            }
        }
    return found;
}

static void graph_number(const struct graph_links *all, size_t count, struct graph *out)
{
    uint16_t *chosen = world_memory(GRAPH_NODES * sizeof *chosen);
    uint16_t *number = world_memory(GRAPH_NODES * sizeof *number);

    out->count = graph_choose(all, count, chosen, number);
    out->members = world_memory(out->count * sizeof *out->members);
    for (size_t at = 0; at < out->count; at++) {
        const struct graph_links *links = &all[chosen[at]];

        for (size_t link = 0; link < links->count; link++)
            if (number[links->to[link]] != UINT16_MAX)
                graph_add(&out->members[at], number[links->to[link]]);
        out->links += out->members[at].count;
    }
    out->links /= 2;
    free(chosen);
    free(number);
}

bool graph_load(const char *default_folder, size_t count, struct graph *out)
{
    struct graph_links *edges = world_memory(GRAPH_NODES * sizeof *edges);
    struct graph_links *mutual = world_memory(GRAPH_NODES * sizeof *mutual);
    bool is_there = graph_read(default_folder, edges);

    *out = (struct graph){0};
    if (is_there) {
        graph_keep_mutual(edges, mutual);
        graph_number(mutual, count, out);
    }
    for (size_t at = 0; at < GRAPH_NODES; at++) {
        free(edges[at].to);
        free(mutual[at].to);
    }
    free(edges);
    free(mutual);
    return is_there;
}

void graph_free(struct graph *graph)
{
    for (size_t at = 0; at < graph->count; at++)
        free(graph->members[at].to);
    free(graph->members);
    *graph = (struct graph){0};
}
