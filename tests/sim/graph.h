/*
 * Who knows whom: the people and the links that programs of the deterministic world are played on.
 * Advogato's members certified one another; a link is where both did. Where that file is not there,
 * a graph of the same kind is drawn.
 */
#ifndef KITH_TESTS_SIM_GRAPH_H
#define KITH_TESTS_SIM_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRAPH_PEOPLE_MAX = 8192 };

struct graph_person {
    uint16_t *links; /* numbers of people */
    size_t count, capacity;
};

struct graph {
    struct graph_person *people;
    size_t count, links;
    const char *source;
};

/* The first so many of a walk in width from the one with the most links. False: the file is not in
 * this folder of test data. */
bool graph_read(struct graph *graph, const char *data, size_t count);
/* Circles of a few dozen, in each everybody knows some, and ties between them; the same from the
 * same seed. */
void graph_draw(struct graph *graph, size_t count, uint64_t seed);
bool graph_has_link(const struct graph *graph, size_t one, size_t other);
void graph_end(struct graph *graph);

#endif
