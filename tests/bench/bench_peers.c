/*
 * What one peer more, one fewer, or one edit costs a node that has many: each in a transaction of
 * its own, durable, with all that follows from it (grants, epochs, knocks, restatements).
 * usage: bench_peers [PEERS]
 */
#include "node/link_join.h"
#include "node/react.h"
#include "proto/card.h"
#include "tests/bench/bench.h"
#include "tests/sim/crowd.h"

enum { PEERS_TRIES = 15 };

static uint64_t peers_now_ms(void)
{
    static uint64_t now_ms = UINT64_C(1700000000000);

    return now_ms += 1000;
}

static void peers_link(struct ledger *ledger, struct guest *guests, size_t count)
{
    bench_check(crowd_link(ledger, guests, count, peers_now_ms()), "link");
}

/* As a commit of the writer's group: what reacts, reacts before it. */
static void peers_commit(struct ledger_txn *txn, enum err err, const char *what)
{
    bench_check(err, what);
    bench_check(react_all(txn), what);
    bench_check(ledger_commit(txn, NULL), what);
}

static void peers_edit(struct ledger *ledger, size_t number)
{
    static const struct id card = {{0}};
    struct snapshot snapshot;
    struct space_row space;
    struct ledger_txn *txn;
    struct edit_space edit = {0};
    char title[40];

    snprintf(title, sizeof title, "Title %zu", number);
    bench_check(ledger_begin(ledger, peers_now_ms(), &txn), "begin");
    snapshot = ledger_txn_snapshot(txn);
    bench_check(ledger_own_space(&snapshot, SPACE_CARD, &space), "card");
    edit_begin(&edit, KIND_CARD, &card, 1);
    edit_set(&edit, CARD_TITLE, number + 1,
             (struct value){.type = VALUE_TEXT, .bytes = span_str(title)});
    peers_commit(txn, ledger_append(txn, &space.id, &edit, 0), "edit");
    edit_release(&edit);
}

static void peers_remove(struct ledger *ledger, const struct guest *guest)
{
    struct ledger_txn *txn;

    bench_check(ledger_begin(ledger, peers_now_ms(), &txn), "begin");
    peers_commit(txn, link_join_cut(txn, &guest->root.public_key, LINK_REMOVED), "remove");
}

static void peers_row(struct ledger *ledger, struct guest *guests, size_t count)
{
    double more[PEERS_TRIES], edits[PEERS_TRIES], fewer[PEERS_TRIES];

    for (size_t at = 0; at < PEERS_TRIES; at++) {
        double begun = bench_now();

        peers_link(ledger, &guests[count + at], 1);
        more[at] = (bench_now() - begun) * 1000;
        begun = bench_now();
        peers_edit(ledger, count * 100 + at);
        edits[at] = (bench_now() - begun) * 1000;
    }
    for (size_t at = 0; at < PEERS_TRIES; at++) {
        double begun = bench_now();

        peers_remove(ledger, &guests[count + at]);
        fewer[at] = (bench_now() - begun) * 1000;
    }
    printf("%6zu peers: one more %.2f ms, an edit of the card %.2f ms, one fewer %.2f ms (the "
           "first %.2f, the last %.2f)\n",
           count, bench_median(more, PEERS_TRIES), bench_median(edits, PEERS_TRIES),
           bench_median(fewer, PEERS_TRIES), fewer[0], fewer[PEERS_TRIES - 1]);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    size_t most = argc > 1 ? (size_t)atol(argv[1]) : 1000, made = 0;
    struct guest *guests = calloc(most + 3 * PEERS_TRIES, sizeof *guests);
    struct device_secrets secrets;
    struct ledger *ledger;
    char *path = bench_folder();
    struct kv *kv;

    if (secret_start() != ERR_OK || guests == NULL)
        return 1;
    bench_secrets(&secrets);
    kv = bench_kv(path);
    ledger = bench_ledger(kv, &secrets);
    for (size_t count = most / 100 > 0 ? most / 100 : 1; count <= most; count *= 10) {
        peers_link(ledger, &guests[made], count - made);
        made = count;
        peers_row(ledger, guests, count);
    }
    ledger_close(ledger);
    kv_close(kv);
    bench_remove(path);
    free(guests);
    return 0;
}
