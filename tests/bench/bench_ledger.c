/* F7: local edits a second, one commit each and grouped, beside bare LMDB commits of the same run.
 * F5 is counted in bench_sync. usage: bench_ledger [COMMITS] */
#include "tests/bench/bench.h"

static double bench_bare(struct kv *kv, size_t commits)
{
    uint8_t value[330] = {7}, key[8];
    double begun = bench_now();

    for (size_t at = 0; at < commits; at++) {
        struct kv_txn *txn;

        be64_put(key, at + 1);
        bench_check(kv_begin(kv, KV_WRITE, &txn), "begin");
        bench_check(kv_put(txn, TABLE_JOURNAL, span_of(key, 8), span_of(value, sizeof value)),
                    "put");
        bench_check(kv_commit(txn), "commit");
    }
    return (double)commits / (bench_now() - begun);
}

/* Edits a second over objects contacts, group edits a commit; with or without the views. */
static double bench_edits(struct ledger *ledger, size_t edits, size_t group, size_t objects,
                          bool in_card)
{
    struct edit_space edit = {0};
    struct space_row card;
    struct snapshot snapshot;
    struct id space = *ledger_self_space(ledger), object = {{0}};
    double begun;

    bench_check(ledger_snapshot(ledger, &snapshot), "snapshot");
    bench_check(ledger_own_space(&snapshot, SPACE_CARD, &card), "card");
    ledger_snapshot_end(&snapshot);
    if (in_card)
        space = card.id;
    begun = bench_now();
    for (size_t at = 0; at < edits; at += group) {
        struct ledger_txn *txn;

        bench_check(ledger_begin(ledger, 1700000000000 + at, &txn), "begin");
        for (size_t one = at; one < at + group; one++) {
            be32_put(object.bytes + 10, (uint32_t)(one % objects));
            /* A contact has no place in a card space: the ledger alone does its work, the views
             * pass over it. */
            bench_edit(&edit, &object, one / objects + 1);
            bench_check(ledger_append(txn, &space, &edit, 0), "append");
        }
        bench_check(ledger_commit(txn, NULL), "commit");
    }
    edit_release(&edit);
    return (double)edits / (bench_now() - begun);
}

int main(int argc, char **argv)
{
    size_t commits = argc > 1 ? (size_t)atol(argv[1]) : 2000, rounds = 3;
    double bare[3], alone[3], views[3], grouped[3];
    struct device_secrets secrets;

    if (secret_start() != ERR_OK)
        return 1;
    bench_secrets(&secrets);
    for (size_t round = 0; round < rounds; round++) {
        char *path = bench_folder();
        struct kv *kv = bench_kv(path);
        struct ledger *ledger = bench_ledger(kv, &secrets);

        bare[round] = bench_bare(kv, commits);
        alone[round] = bench_edits(ledger, commits, 1, 1000, true);
        views[round] = bench_edits(ledger, commits, 1, 1000, false);
        grouped[round] = bench_edits(ledger, 256 * 200, 256, 1000, false);
        ledger_close(ledger);
        kv_close(kv);
        bench_remove(path);
    }
    printf("F7 bare LMDB commits            %8.0f /s\n", bench_median(bare, rounds));
    printf("F7 edits, ledger alone          %8.0f /s  %3.0f %% of bare (reach 80 %%)\n",
           bench_median(alone, rounds), 100 * alone[rounds / 2] / bare[rounds / 2]);
    printf("F7 edits, with object views     %8.0f /s  %3.0f %% of bare (reach 50 %%)\n",
           bench_median(views, rounds), 100 * views[rounds / 2] / bare[rounds / 2]);
    printf("F7 grouped by 256, with views   %8.0f /s  (reach 20,000)\n",
           bench_median(grouped, rounds));
    return 0;
}
