/* What must not grow with peers and epochs more than they do: finding out that there is no own
 * network space, and asking whether an admission is due a restatement. Times for each size, so
 * that one sees: a median, and the least of fifteen. usage: bench_spaces */
#include "proto/limits.h"
#include "storage/ledger_state.h"
#include "storage/restate.h"
#include "tests/bench/bench.h"
#include "tests/sim/crowd.h"

enum { SPACES_ROUNDS = 200, SPACES_ASKS = 15 };

static void spaces_of_peers(size_t peers)
{
    char *path = bench_folder();
    struct guest *guests = calloc(peers, sizeof *guests);
    struct device_secrets secrets;
    struct snapshot snapshot;
    struct space_row row;
    struct ledger *ledger;
    struct kv *kv = bench_kv(path);
    double times[SPACES_ROUNDS];

    bench_secrets(&secrets);
    ledger = bench_ledger(kv, &secrets);
    bench_check(crowd_link(ledger, guests, peers, 1700000000000), "link");
    bench_check(ledger_snapshot(ledger, &snapshot), "snapshot");
    for (size_t at = 0; at < SPACES_ROUNDS; at++) {
        double begun = bench_now();

        if (ledger_own_space(&snapshot, SPACE_NETWORK, &row) != ERR_NOT_FOUND)
            exit(1);
        times[at] = bench_now() - begun;
    }
    ledger_snapshot_end(&snapshot);
    printf("no network space, %5zu peers: %8.2f us\n", peers,
           bench_median(times, SPACES_ROUNDS) * 1e6);
    ledger_close(ledger);
    kv_close(kv);
    bench_remove(path);
    free(guests);
}

/* A line of epochs, each over the one before it, as so many rotations leave it. Their keys are not
 * in self: nobody asks here. */
static void spaces_of_epochs(size_t epochs)
{
    char *path = bench_folder();
    struct device_secrets secrets;
    struct snapshot snapshot;
    struct space_row card;
    struct ledger_txn *txn;
    struct ledger *ledger;
    struct kv *kv = bench_kv(path);
    struct hash parent;
    uint8_t key[KEY_SIZE];
    double least = 0;
    bool is_due;

    bench_secrets(&secrets);
    ledger = bench_ledger(kv, &secrets);
    bench_check(ledger_begin(ledger, 1700000000000, &txn), "begin");
    snapshot = ledger_txn_snapshot(txn);
    bench_check(ledger_own_space(&snapshot, SPACE_CARD, &card), "card");
    for (size_t at = 0; at < epochs; at++) {
        struct epoch_plan plan = {.space = card.id,
                                  .opener = *ledger_device(ledger),
                                  .parents = &parent,
                                  .parents_count = 1,
                                  .parent_keys = key,
                                  .depth = (uint32_t)at + 2};

        parent = card.current;
        bench_check(epoch_table_key(&snapshot, &parent, key), "key");
        bench_check(ledger_append_epoch(txn, &card.id, &plan, &card.current, key), "epoch");
    }
    bench_check(ledger_put_space(txn, &card), "current");
    bench_check(ledger_commit(txn, NULL), "commit");
    bench_check(ledger_begin(ledger, 1700000000000, &txn), "begin");
    snapshot = ledger_txn_snapshot(txn);
    bench_check(ledger_own_space(&snapshot, SPACE_CARD, &card), "card");
    for (size_t at = 0; at < SPACES_ASKS; at++) {
        double begun = bench_now(), took;

        bench_check(restate_is_due(txn, &card, &is_due), "due");
        took = bench_now() - begun;
        least = at == 0 || took < least ? took : least;
    }
    printf("is a restatement due, %5zu epochs: %8.2f ms\n", epochs, least * 1e3);
    ledger_abort(txn);
    ledger_close(ledger);
    kv_close(kv);
    bench_remove(path);
}

int main(void)
{
    if (secret_start() != ERR_OK)
        return 1;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t peers = 100; peers <= 1600; peers *= 4)
        spaces_of_peers(peers);
    for (size_t epochs = 1000; epochs <= 8000; epochs *= 2)
        spaces_of_epochs(epochs);
    return 0;
}
