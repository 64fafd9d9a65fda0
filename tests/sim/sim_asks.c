/*
 * How far asks go, and what they cost on the wire: members of Advogato's graph, or of one that is
 * drawn, each a node with its engine, its disk and its clock; see spread.h. What came of it is
 * printed: reach, and bytes for each member, handshakes, padding, repeats and broken sessions
 * counted.
 *
 *   sim_asks [--members N] [--asks N] [--every N] [--seed N] [--drawn] [--calm] [--twice] [--trace]
 *
 * One in `every` receivers passes an ask to at most ten people. --drawn: without test data.
 * --twice: the same seed must give the same world.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/spread.h"

struct sim_asks {
    struct spread_options options;
    size_t members;
    bool is_drawn, is_twice;
};

static void sim_print_reach(const struct sim_asks *sim, const struct spread *spread)
{
    const struct spread_figures *figures = &spread->figures;
    double asks = (double)sim->options.asks;
    size_t all = figures->reached[1] + figures->reached[2] + figures->reached[3];

    (void)printf("%zu members, %zu links (%s); asks came near %zu members and %zu links\n",
                 spread->graph->count, spread->graph->links, spread->graph->source, figures->made,
                 figures->links);
    (void)printf("one in %zu passes, %zu asks: reached at hop 1 %.1f, hop 2 %.1f, hop 3 %.1f, in "
                 "all %.1f an ask; %zu passes by hand\n",
                 sim->options.every, sim->options.asks, (double)figures->reached[1] / asks,
                 (double)figures->reached[2] / asks, (double)figures->reached[3] / asks,
                 (double)all / asks, figures->passes);
    (void)printf("answers: %zu from hop 1, %zu from hop 2, %zu from hop 3, each read by who asked "
                 "and thanked for; carried through %zu hands, readable in none of %zu other "
                 "stores\n",
                 figures->answered[1], figures->answered[2], figures->answered[3],
                 figures->carriers, figures->made);
    (void)printf("beyond the limit: 0; links more than allowed: %zu made, %zu refused; %zu asks "
                 "closed in the middle\n",
                 figures->fouled, figures->refused, figures->closed);
}

static void sim_print_bytes(const struct sim_asks *sim, const struct spread *spread)
{
    const struct spread_figures *figures = &spread->figures;
    double asks = (double)sim->options.asks;
    size_t all = figures->reached[1] + figures->reached[2] + figures->reached[3];

    (void)printf("links: %.0f bytes on the wire each, entries %.0f of them\n",
                 (double)figures->link_bytes / (double)figures->links,
                 (double)figures->link_taken / (double)figures->links);
    (void)printf("asks, %" PRIu64 " days of them: bytes on the wire, both ways, answers, thanks "
                 "and %" PRIu64 " sessions counted: %.0f an ask, %.0f for each who has it, %.1f "
                 "an ask for each of %zu members; most of one member %" PRIu64 "\n",
                 figures->days, figures->sessions, (double)figures->bytes / asks,
                 (double)figures->bytes / (double)all,
                 (double)figures->bytes / asks / (double)spread->graph->count, spread->graph->count,
                 figures->most);
    (void)printf("entries of them: %.0f bytes an ask, %.0f for each who has it\n",
                 (double)figures->taken / asks, (double)figures->taken / (double)all);
    for (size_t at = 0; at < WORLD_FAULTS; at++)
        if (spread->world.census[at] > 0)
            (void)printf("%8" PRIu64 " %s\n", spread->world.census[at], world_fault_text[at]);
}

/* False: it did not end as it must. */
static bool sim_run(const struct sim_asks *sim, const struct graph *graph, const char *program)
{
    struct spread spread;
    uint64_t trace;
    bool is_well;

    spread_run(&spread, graph, &sim->options);
    trace = spread.world.trace;
    is_well = spread.failure[0] == '\0';
    if (is_well) {
        sim_print_reach(sim, &spread);
        sim_print_bytes(sim, &spread);
    } else {
        (void)printf("not ok sim_asks: %s\n  replay: %s --members %zu --asks %zu --every %zu "
                     "--seed %" PRIu64 "%s --trace\n",
                     spread.failure, program, sim->members, sim->options.asks, sim->options.every,
                     sim->options.seed, sim->is_drawn ? " --drawn" : "");
    }
    spread_end(&spread);
    if (!is_well || !sim->is_twice)
        return is_well;
    spread_run(&spread, graph, &sim->options);
    is_well = spread.world.trace == trace;
    if (!is_well)
        (void)puts("not ok sim_asks: the same seed gave another world");
    spread_end(&spread);
    return is_well;
}

static void sim_arguments(int argc, char **argv, struct sim_asks *sim)
{
    for (int at = 1; at < argc; at++) {
        unsigned long value = at + 1 < argc ? strtoul(argv[at + 1], NULL, 0) : 0;

        sim->is_drawn |= strcmp(argv[at], "--drawn") == 0;
        sim->is_twice |= strcmp(argv[at], "--twice") == 0;
        sim->options.is_calm |= strcmp(argv[at], "--calm") == 0;
        sim->options.is_talkative |= strcmp(argv[at], "--trace") == 0;
        if (strcmp(argv[at], "--members") == 0)
            sim->members = value;
        else if (strcmp(argv[at], "--asks") == 0)
            sim->options.asks = value;
        else if (strcmp(argv[at], "--every") == 0)
            sim->options.every = value;
        else if (strcmp(argv[at], "--seed") == 0)
            sim->options.seed = value;
    }
}

int main(int argc, char **argv)
{
    struct sim_asks sim = {.options = {.seed = 1, .asks = 3, .every = 10}, .members = 2000};
    const char *data = getenv("KITH_TEST_DATA");
    struct graph graph;
    bool is_well;

    sim_arguments(argc, argv, &sim);
    if (sim.members < 2 || sim.members >= GRAPH_PEOPLE_MAX || sim.options.asks == 0 ||
        sim.options.asks > sim.members / 2 || sim.options.every == 0) {
        (void)fprintf(stderr, "%s: members 2 to %d, fewer asks than half of them\n", argv[0],
                      GRAPH_PEOPLE_MAX - 1);
        return 2;
    }
    if (sim.is_drawn) {
        graph_draw(&graph, sim.members, sim.options.seed);
    } else if (!graph_read(&graph, data != NULL ? data : KITH_TEST_DATA_DEFAULT, sim.members)) {
        (void)puts("skip sim_asks: no graphs in the test data");
        return 0;
    }
    is_well = sim_run(&sim, &graph, argv[0]);
    graph_end(&graph);
    if (is_well)
        (void)puts("ok sim_asks");
    return is_well ? 0 : 1;
}
