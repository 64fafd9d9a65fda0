/* Threads among many letters: one shown, one found by its id, all listed, those of one ask of many,
 * and what of them waits for the owner. usage: bench_letters [LETTERS] [LETTERS A THREAD] */
#include "node/amend.h"
#include "node/describe_lead.h"
#include "node/ops.h"
#include "proto/reply.h"
#include "tests/bench/bench.h"

static const uint64_t letters_now_ms = 1700000000000;

enum { LETTERS_ROUNDS = 40, LETTERS_A_COMMIT = 500, LETTERS_ASKS = 50 };

static struct hash letters_hash(uint64_t number)
{
    const struct span part = span_of(&number, sizeof number);
    struct hash hash;

    digest("kith bench", &part, 1, &hash);
    return hash;
}

/* Letter number at of threads of `each`: the first is whoever answered, then both take turns. */
static void letters_add(struct ledger_txn *txn, size_t at, size_t each)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct hash first = letters_hash(at - at % each), letter = letters_hash(at);
    struct reply reply = {.ask = letters_hash(UINT64_MAX - at / each % LETTERS_ASKS),
                          .kind = at % each == 0 ? REPLY_LEAD : REPLY_MESSAGE,
                          .at_ms = letters_now_ms + at,
                          .has_first = at % each != 0,
                          .first = first,
                          .text = span_str("I know a joiner in the next street who has time.")};
    struct buf content = {0};
    struct amend amend;
    struct id object;

    if (at % each == 0)
        reply.name = span_str("Dora");
    bench_check(reply_write(&reply, &content), "write a letter");
    reply_object_id(&letter, &object);
    amend_begin(&amend, txn, ledger_self_space(snapshot.ledger), KIND_LEAD, &object);
    amend_bytes(&amend, LEAD_ASK, span_of(reply.ask.bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_THREAD, span_of(first.bytes, HASH_SIZE));
    amend_bytes(&amend, LEAD_LETTER, span_of(letter.bytes, HASH_SIZE));
    amend_number(&amend, at % each % 2 == 0 ? LEAD_IS_ASKED : LEAD_IS_MINE, 1);
    amend_bytes(&amend, LEAD_CONTENT, buf_span(&content));
    amend_number(&amend, LEAD_AT, letters_now_ms + at);
    bench_check(amend_end(&amend, NULL), "keep a letter");
    buf_release(&content);
}

static void letters_fill(struct ledger *ledger, size_t letters, size_t each)
{
    bool is_more = true;

    for (size_t from = 0; from < letters; from += LETTERS_A_COMMIT) {
        struct ledger_txn *txn;

        bench_check(ledger_begin(ledger, letters_now_ms + from, &txn), "begin");
        for (size_t at = from; at < letters && at < from + LETTERS_A_COMMIT; at++)
            letters_add(txn, at, each);
        bench_check(ledger_commit(txn, NULL), "commit");
    }
    while (is_more)
        bench_check(follow_stage(ledger, 100000, &is_more), "follow");
}

static void letters_tell(double times[static LETTERS_ROUNDS], const char *what)
{
    qsort(times, LETTERS_ROUNDS, sizeof times[0], bench_order);
    printf("%-44s median %8.2f ms  worst %8.2f ms\n", what, times[LETTERS_ROUNDS / 2],
           times[LETTERS_ROUNDS - 1]);
}

/* What `kith ask show` of an own ask tells besides the ask. */
static void letters_time_of_ask(struct ledger *ledger)
{
    struct hash hash = letters_hash(UINT64_MAX);
    struct op_call call = {.now_ms = letters_now_ms};
    double times[LETTERS_ROUNDS];
    size_t threads = 0;
    struct id ask;

    memcpy(ask.bytes, hash.bytes, ID_SIZE);
    for (size_t at = 0; at < LETTERS_ROUNDS; at++) {
        double begun = bench_now();
        json_t *leads;

        bench_check(ledger_snapshot(ledger, &call.snapshot), "snapshot");
        leads = describe_leads(&call, &ask);
        ledger_snapshot_end(&call.snapshot);
        times[at] = (bench_now() - begun) * 1e3;
        threads = json_array_size(leads);
        json_decref(leads);
    }
    printf("%zu threads about one of %d asks\n", threads, LETTERS_ASKS);
    letters_tell(times, "those of one ask listed");
}

static void letters_time(struct ledger *ledger, const char *method, const char *id,
                         const char *what)
{
    static const struct op_world world = {.home = ""};
    double times[LETTERS_ROUNDS];

    for (size_t at = 0; at < LETTERS_ROUNDS; at++) {
        struct op_call call = {.world = &world, .params = json_object()};
        double begun = bench_now();

        if (id != NULL)
            (void)json_object_set_new(call.params, "id", json_string(id));
        bench_check(op_step(ops_find(method)->run, &call, ledger, NULL, letters_now_ms), method);
        times[at] = (bench_now() - begun) * 1e3;
        json_decref(call.params);
        json_decref(call.result);
    }
    letters_tell(times, what);
}

int main(int argc, char **argv)
{
    size_t letters = argc > 1 ? (size_t)atol(argv[1]) : 5000;
    size_t each = argc > 2 ? (size_t)atol(argv[2]) : 5;
    struct device_secrets secrets;
    char *path = bench_folder(), id[ID_TEXT_SIZE];
    struct kv *kv = bench_kv(path);
    struct ledger *ledger;
    struct hash first = letters_hash(0);
    struct id object;

    if (secret_start() != ERR_OK || letters == 0 || each == 0)
        return 1;
    bench_secrets(&secrets);
    ledger = bench_ledger(kv, &secrets);
    letters_fill(ledger, letters, each);
    reply_object_id(&first, &object);
    hex_write(span_of(object.bytes, ID_SIZE), id);
    printf("%zu letters in threads of %zu\n", letters, each);
    letters_time(ledger, "lead.show", id, "one thread shown, by its id");
    letters_time(ledger, "lead.list", NULL, "all threads listed");
    letters_time_of_ask(ledger);
    letters_time(ledger, "status", NULL, "what waits, with the rest of kith status");
    ledger_close(ledger);
    kv_close(kv);
    bench_remove(path);
    return 0;
}
