/*
 * What it takes to heal in a large store: the log of an own device loses its newest block, and all
 * that its space holds is merged again, in one commit. Medians; the first row is for a store in
 * which each contact was written once. usage: bench_again [CONTACTS]
 */
#include "storage/keep.h"
#include "tests/bench/rig.h"

enum { AGAIN_CUTS = 5 };

static void again_run(size_t contacts, size_t edits_each)
{
    struct rig_device giver, taker;
    double took[AGAIN_CUTS], median;
    struct rig_memory before, after;
    struct rig_times times;
    struct log_id log;
    uint64_t size = contacts * edits_each;

    rig_device_open(&giver, NULL);
    rig_device_open(&taker, &giver);
    rig_fill(&giver, size, contacts, true);
    rig_sync(&giver, &taker, true, &times);
    log = (struct log_id){.space = *ledger_self_space(giver.ledger),
                          .device = *ledger_device(giver.ledger)};
    before = rig_memory();
    for (size_t round = 0; round < AGAIN_CUTS; round++) {
        double begun = bench_now();
        struct ledger_txn *txn;

        size -= BLOCK_ENTRIES_MAX;
        bench_check(ledger_begin(taker.ledger, 1800000000000 + round, &txn), "begin");
        bench_check(keep_rebase(txn, &log, size), "cut");
        bench_check(follow_inline(txn), "follow");
        bench_check(ledger_commit(txn, NULL), "commit");
        took[round] = bench_now() - begun;
    }
    after = rig_memory();
    median = bench_median(took, AGAIN_CUTS);
    printf("%7zu contacts, %2zu edits each: a block is cut in %7.1f ms, %.0f entries a second; "
           "anonymous memory %.1f MiB before, %.1f after\n",
           contacts, edits_each, median * 1000, (double)size / median,
           (double)before.anonymous_kib / 1024, (double)after.anonymous_kib / 1024);
    rig_device_close(&giver);
    rig_device_close(&taker);
}

int main(int argc, char **argv)
{
    size_t contacts = argc > 1 ? (size_t)atol(argv[1]) : 100000;

    if (secret_start() != ERR_OK)
        return 1;
    again_run(contacts, 1);
    again_run(contacts, 10);
    return 0;
}
