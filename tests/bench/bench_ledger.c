/* F7: local edits a second, one commit each and grouped, beside bare LMDB commits of the same run.
 * The three take turns, a few commits at a time, and the shares are medians over the turns: a disk
 * that others use slows all three alike. F5 is counted in bench_sync. usage: bench_ledger [TURNS]
 */
#include "tests/bench/bench.h"

enum { BENCH_TURN = 50, BENCH_TURNS_MAX = 1000, BENCH_OBJECTS = 1000 };

static double bench_bare(struct kv *kv, size_t first, size_t commits)
{
    uint8_t value[330] = {7}, key[8];
    double begun = bench_now();

    for (size_t at = 0; at < commits; at++) {
        struct kv_txn *txn;

        be64_put(key, first + at + 1);
        bench_check(kv_begin(kv, KV_WRITE, &txn), "begin");
        bench_check(kv_put(txn, TABLE_JOURNAL, span_of(key, 8), span_of(value, sizeof value)),
                    "put");
        bench_check(kv_commit(txn), "commit");
    }
    return (double)commits / (bench_now() - begun);
}

/* Edits a second over a thousand contacts, group edits a commit; with or without the views. */
static double bench_edits(struct ledger *ledger, size_t first, size_t edits, size_t group,
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
        for (size_t one = first + at; one < first + at + group; one++) {
            be32_put(object.bytes + 10, (uint32_t)(one % BENCH_OBJECTS));
            /* A contact has no place in a card space: the ledger alone does its work, the views
             * pass over it. */
            bench_edit(&edit, &object, one / BENCH_OBJECTS + 1);
            bench_check(ledger_append(txn, &space, &edit, 0), "append");
        }
        bench_check(ledger_commit(txn, NULL), "commit");
    }
    edit_release(&edit);
    return (double)edits / (bench_now() - begun);
}

int main(int argc, char **argv)
{
    size_t turns = argc > 1 ? (size_t)atol(argv[1]) : 40;
    static double bare[BENCH_TURNS_MAX], alone[BENCH_TURNS_MAX], views[BENCH_TURNS_MAX];
    static double alone_share[BENCH_TURNS_MAX], views_share[BENCH_TURNS_MAX];
    struct device_secrets secrets;
    struct ledger *ledger;
    struct kv *kv;
    double grouped[3];
    char *path;

    if (secret_start() != ERR_OK || turns == 0 || turns > BENCH_TURNS_MAX)
        return 1;
    bench_secrets(&secrets);
    path = bench_folder();
    kv = bench_kv(path);
    ledger = bench_ledger(kv, &secrets);
    for (size_t turn = 0; turn < turns; turn++) {
        size_t first = turn * BENCH_TURN;

        bare[turn] = bench_bare(kv, first, BENCH_TURN);
        alone[turn] = bench_edits(ledger, first, BENCH_TURN, 1, true);
        views[turn] = bench_edits(ledger, first, BENCH_TURN, 1, false);
        alone_share[turn] = 100 * alone[turn] / bare[turn];
        views_share[turn] = 100 * views[turn] / bare[turn];
    }
    for (size_t round = 0; round < 3; round++)
        grouped[round] =
            bench_edits(ledger, turns * BENCH_TURN + round * 256 * 100, 256 * 100, 256, false);
    ledger_close(ledger);
    kv_close(kv);
    bench_remove(path);
    printf("F7 bare LMDB commits            %8.0f /s\n", bench_median(bare, turns));
    printf("F7 edits, ledger alone          %8.0f /s  %3.0f %% of bare (reach 80 %%)\n",
           bench_median(alone, turns), bench_median(alone_share, turns));
    printf("F7 edits, with object views     %8.0f /s  %3.0f %% of bare (reach 50 %%)\n",
           bench_median(views, turns), bench_median(views_share, turns));
    printf("F7 grouped by 256, with views   %8.0f /s  (reach 20,000)\n", bench_median(grouped, 3));
    return 0;
}
