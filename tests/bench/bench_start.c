/* F9: opening a store of many entries, as a node does before it serves. usage: bench_start
 * [ENTRIES] */
#include "tests/bench/bench.h"

int main(int argc, char **argv)
{
    size_t entries = argc > 1 ? (size_t)atol(argv[1]) : 1000000, rounds = 9;
    double opened[9], begun, built;
    struct entropy entropy = entropy_os();
    struct device_secrets secrets;
    struct edit_space edit = {0};
    struct ledger *ledger;
    struct id object = {{0}};
    struct kv *kv;
    char *path;
    bool is_more = true;

    if (secret_start() != ERR_OK)
        return 1;
    bench_secrets(&secrets);
    path = bench_folder();
    kv = bench_kv(path);
    ledger = bench_ledger(kv, &secrets);
    begun = bench_now();
    for (size_t at = 0; at < entries; at += 8000) {
        struct ledger_txn *txn;

        bench_check(ledger_begin(ledger, 1700000000000, &txn), "begin");
        for (size_t one = at; one < at + 8000 && one < entries; one++) {
            be32_put(object.bytes + 10, (uint32_t)(one % 100000));
            bench_edit(&edit, &object, one / 100000 + 1);
            bench_check(ledger_append(txn, ledger_self_space(ledger), &edit, 0), "append");
        }
        bench_check(ledger_commit(txn, NULL), "commit");
    }
    built = bench_now();
    printf("built: %zu edits of 100,000 contacts, %.0f /s into the log\n", entries,
           (double)entries / (built - begun));
    begun = bench_now();
    while (is_more)
        bench_check(follow_stage(ledger, 20000, &is_more), "follow");
    printf("followed: %.0f /s into the views\n", (double)entries / (bench_now() - begun));
    ledger_close(ledger);
    kv_close(kv);
    for (size_t round = 0; round < rounds; round++) {
        begun = bench_now();
        kv = bench_kv(path);
        bench_check(ledger_open(kv, &secrets, &entropy, &ledger), "open");
        opened[round] = (bench_now() - begun) * 1000;
        ledger_close(ledger);
        kv_close(kv);
    }
    printf("F9 open a store of %zu entries  %.1f ms (reach 50 ms)\n", entries,
           bench_median(opened, rounds));
    edit_release(&edit);
    bench_remove(path);
    return 0;
}
