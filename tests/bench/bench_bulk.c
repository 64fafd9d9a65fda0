/*
 * F3, F4, and the memory of F10 while F4 runs: first sync of an own second device. The giver, the
 * taker, the taker's writer and the writer's helper have a thread each, so on two cores both ends
 * share what a node would have to itself; CPU seconds stand beside the rates. The first run pays
 * for memory the machine has not touched before; the median does not.
 * usage: bench_bulk [f3|f4|search] [EDITS [CONTACTS]]
 */
#include "tests/bench/rig.h"

enum { BULK_RUNS = 3 };

static void bulk_print(const char *what, const struct rig_times *times, double bare)
{
    double entries = (double)times->entries;

    printf("%s %zu entries: durable %.0f /s (%.2f of the bare pipeline), readable %.0f /s (%.2f)\n",
           what, times->entries, entries / times->durable_s, entries / times->durable_s / bare,
           entries / times->readable_s, entries / times->readable_s / bare);
    printf("   cpu us an entry: giver %.2f, taker %.2f, writer %.2f; %.1f bytes an entry, %.1f on "
           "the wire; anonymous memory of both ends %.1f MiB, pages of mapped files %.1f MiB\n",
           times->giver_cpu_s * 1e6 / entries, times->taker_cpu_s * 1e6 / entries,
           (times->all_cpu_s - times->giver_cpu_s - times->taker_cpu_s) * 1e6 / entries,
           (double)times->batch_bytes / entries, (double)times->wire_bytes / entries,
           (double)times->memory.anonymous_kib / 1024, (double)times->memory.mapped_kib / 1024);
}

struct bulk {
    const char *what;
    size_t edits, contacts, runs;
    bool is_wordy;
};

static void bulk_run(struct bulk bulk)
{
    struct rig_device giver, takers[BULK_RUNS];
    double durable[BULK_RUNS], readable[BULK_RUNS], bare[BULK_RUNS], begun;
    struct rig_times times;

    rig_device_open(&giver, NULL);
    for (size_t run = 0; run < bulk.runs; run++)
        rig_device_open(&takers[run], &giver);
    begun = bench_now();
    rig_fill(&giver, bulk.edits, bulk.contacts, bulk.is_wordy);
    printf("%s filled with %.0f own edits a second\n", bulk.what,
           (double)bulk.edits / (bench_now() - begun));
    for (size_t run = 0; run < bulk.runs; run++) {
        bare[run] = rig_bare(&giver, 100000);
        rig_sync(&giver, &takers[run], true, &times);
        bulk_print(bulk.what, &times, bare[run]);
        durable[run] = (double)times.entries / times.durable_s;
        readable[run] = (double)times.entries / times.readable_s;
        rig_device_close(&takers[run]);
    }
    rig_device_close(&giver);
    printf("%s median: durable %.0f /s, readable %.0f /s, bare pipeline on one thread %.0f /s\n",
           bulk.what, bench_median(durable, bulk.runs), bench_median(readable, bulk.runs),
           bench_median(bare, bulk.runs));
}

int main(int argc, char **argv)
{
    struct bulk all[] = {
        {.what = "F3", .edits = 100000, .contacts = 10000, .runs = BULK_RUNS},
        {.what = "F4", .edits = 1000000, .contacts = 100000, .runs = BULK_RUNS},
        {.what = "F4 search", .edits = 1000000, .contacts = 100000, .runs = 1, .is_wordy = true}};
    const char *const names[] = {"f3", "f4", "search"};

    if (secret_start() != ERR_OK)
        return 1;
    for (size_t at = 0; at < sizeof all / sizeof all[0]; at++) {
        if (argc > 1 && strcmp(argv[1], names[at]) != 0)
            continue;
        if (argc > 2)
            all[at].edits = (size_t)atol(argv[2]);
        if (argc > 3)
            all[at].contacts = (size_t)atol(argv[3]);
        bulk_run(all[at]);
    }
    return 0;
}
