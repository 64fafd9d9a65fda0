/*
 * F3, F4 and the memory of F10 while it runs: first sync of an own second device. The giver, the
 * taker and the taker's writer have a thread each, so on two cores both ends share what a node
 * would have to itself; CPU seconds of each stand beside the rates.
 * usage: bench_bulk [f3|f4] [EDITS [CONTACTS]]
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
           "the wire; anonymous memory of both ends %.1f MiB\n",
           times->giver_cpu_s * 1e6 / entries, times->taker_cpu_s * 1e6 / entries,
           (times->all_cpu_s - times->giver_cpu_s - times->taker_cpu_s) * 1e6 / entries,
           (double)times->batch_bytes / entries, (double)times->wire_bytes / entries,
           (double)times->anonymous_kib / 1024);
}

static void bulk_run(const char *what, size_t edits, size_t contacts, size_t runs,
                     bool is_log_first)
{
    struct rig_device giver, takers[BULK_RUNS];
    double durable[BULK_RUNS], readable[BULK_RUNS], bare[BULK_RUNS], begun;
    struct rig_times times;

    rig_device_open(&giver, NULL);
    for (size_t run = 0; run < runs; run++)
        rig_device_open(&takers[run], &giver);
    rig_meet(&giver, takers, runs);
    begun = bench_now();
    rig_fill(&giver, edits, contacts);
    printf("%s filled with %.0f own edits a second\n", what, (double)edits / (bench_now() - begun));
    for (size_t run = 0; run < runs; run++) {
        bare[run] = rig_bare(&giver, 100000);
        rig_sync(&giver, &takers[run], is_log_first, &times);
        bulk_print(what, &times, bare[run]);
        durable[run] = (double)times.entries / times.durable_s;
        readable[run] = (double)times.entries / times.readable_s;
        rig_device_close(&takers[run]);
    }
    rig_device_close(&giver);
    printf("%s median: durable %.0f /s, readable %.0f /s, bare pipeline on one thread %.0f /s\n",
           what, bench_median(durable, runs), bench_median(readable, runs),
           bench_median(bare, runs));
}

int main(int argc, char **argv)
{
    bool is_f3 = argc < 2 || strcmp(argv[1], "f3") == 0;
    bool is_f4 = argc < 2 || strcmp(argv[1], "f4") == 0;
    size_t edits = argc > 2 ? (size_t)atol(argv[2]) : 0;
    size_t contacts = argc > 3 ? (size_t)atol(argv[3]) : 0;

    if (secret_start() != ERR_OK)
        return 1;
    if (is_f3)
        bulk_run("F3", edits > 0 ? edits : 100000, contacts > 0 ? contacts : 10000, BULK_RUNS,
                 true);
    if (is_f4)
        bulk_run("F4", edits > 0 ? edits : 1000000, contacts > 0 ? contacts : 100000, 1, true);
    return 0;
}
