/*
 * What one peer more, one fewer, or one edit costs a node that has many: each in a transaction of
 * its own, durable, with all that follows from it (grants, epochs, knocks, restatements). Last, a
 * life of comings and goings.
 * usage: bench_peers [PEERS [COMINGS]]
 */
#include "node/link_join.h"
#include "node/ops.h"
#include "node/react.h"
#include "proto/card.h"
#include "tests/bench/bench.h"
#include "tests/sim/crowd.h"

enum { PEERS_TRIES = 15, PEERS_CHURN = 300 };

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

/* A reading op, as a command without a node asks it. */
static double peers_ask(struct ledger *ledger, const char *method)
{
    struct op_world world = {0};
    struct op_call call = {.params = json_object(), .world = &world};
    double begun = bench_now();

    bench_check(op_step(ops_find(method)->run, &call, ledger, NULL, peers_now_ms()), method);
    begun = (bench_now() - begun) * 1000;
    json_decref(call.result);
    json_decref(call.params);
    return begun;
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
    printf("%6zu peers: status %.2f ms, peer list %.2f ms\n", count, peers_ask(ledger, "status"),
           peers_ask(ledger, "peer.list"));
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

/* A life of comings and goings: each leaves an epoch and a former peer behind. */
static void peers_churn(struct ledger *ledger, struct guest *guests, size_t count)
{
    double whole = bench_now(), begun = whole;

    for (size_t at = 0; at < count; at++) {
        begun = bench_now();
        peers_link(ledger, guests, 1);
        peers_remove(ledger, guests);
    }
    printf("%6zu came and went, one after the other: %.2f ms each, the last %.2f ms\n", count,
           (bench_now() - whole) * 1000 / (double)count, (bench_now() - begun) * 1000);
}

static void peers_store(void (*run)(struct ledger *ledger, struct guest *guests, size_t most),
                        struct guest *guests, size_t most)
{
    struct device_secrets secrets;
    struct ledger *ledger;
    char *path = bench_folder();
    struct kv *kv;

    bench_secrets(&secrets);
    kv = bench_kv(path);
    ledger = bench_ledger(kv, &secrets);
    run(ledger, guests, most);
    ledger_close(ledger);
    kv_close(kv);
    bench_remove(path);
}

static void peers_rows(struct ledger *ledger, struct guest *guests, size_t most)
{
    size_t made = 0;

    for (size_t count = most / 100 > 0 ? most / 100 : 1; count <= most; count *= 10) {
        peers_link(ledger, &guests[made], count - made);
        made = count;
        peers_row(ledger, guests, count);
    }
}

int main(int argc, char **argv)
{
    size_t most = argc > 1 ? (size_t)atol(argv[1]) : 1000;
    size_t comings = argc > 2 ? (size_t)atol(argv[2]) : PEERS_CHURN;
    struct guest *guests = calloc(most + PEERS_TRIES, sizeof *guests);

    if (secret_start() != ERR_OK || guests == NULL)
        return 1;
    peers_store(peers_rows, guests, most);
    peers_store(peers_churn, guests, comings);
    free(guests);
    return 0;
}
