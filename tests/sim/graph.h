/*
 * A network of real people: those of Advogato who certified one another, as far as the test data is
 * there. What a test does not expect to fail stops the program.
 */
#ifndef KITH_TESTS_SIM_GRAPH_H
#define KITH_TESTS_SIM_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRAPH_NODES = 8192 }; /* of the whole file */

/* Whom one member knows, by number. */
struct graph_links {
    uint16_t *to;
    size_t count, capacity;
};

struct graph {
    struct graph_links *members;
    size_t count, links;
};

/* The first `count` members of a walk in width from the one with the most links, numbered in that
 * order. False: there is no such file here. */
bool graph_load(const char *default_folder, size_t count, struct graph *out);
void graph_free(struct graph *graph);

#endif
