/*
 * F3b: first sync of endorsements: batches checked, stored, every root signature verified, rows
 * made, what was received kept; beside one core's rate of verifying the same statements. Both
 * ledgers are in this process; first everything on one thread, then with the writer's helper on
 * another. Then: what a list of pending ones and a status cost
 * when somebody wrote far too many. usage: bench_endorsements [COUNT]
 */
#include "node/amend.h"
#include "node/credential.h"
#include "node/react.h"
#include "node/writer_round.h"
#include "proto/statement.h"
#include "storage/replica.h"
#include "storage/view_endorsement.h"
#include "tests/bench/bench.h"
#include "tests/sim/member.h"

enum { BENCH_GROUP = 200, BENCH_BULK = 8000 };

static struct id bench_pair(struct member *from, const struct member *to)
{
    struct snapshot snapshot = member_snapshot(from);
    struct peer peer;

    bench_check(view_peer(&snapshot, &to->secrets.member, &peer), "peer");
    ledger_snapshot_end(&snapshot);
    return peer.pair_out;
}

/* Ana's words about Bruno, so many times, as entries of the pair space. */
static void bench_write(struct member *ana, struct member *bruno, size_t count,
                        struct buf *statements)
{
    struct id pair = bench_pair(ana, bruno);
    struct ledger_txn *txn = NULL;
    struct signing_key root;

    identity_signing_key(ana->secrets.root_seed, &root);
    for (size_t at = 0; at < count; at++) {
        struct endorsement endorsement = {
            .issuer = root.public_key,
            .subject = bruno->secrets.member,
            .relation = RELATION_CLIENT,
            .about = {span_str("stairs")},
            .about_count = 1,
            .words = span_str("Built our stairs, on time and true, and cleaned up afterwards."),
            .issued_s = ana->now_ms / 1000 + at,
            .expires_s = ana->now_ms / 1000 + at + 86400 * 700,
            .ceiling = AUDIENCE_PEERS,
            .name = span_str("Ana")};
        size_t begun_at = statements->size;
        struct amend amend;
        struct span statement;
        struct id object;

        if (txn == NULL)
            txn = member_begin(ana);
        endorsement_draw_id(&ana->entropy, ana->now_ms, &endorsement.id);
        bench_check(endorsement_issue(&endorsement, &root, statements), "issue");
        statement = span_of(statements->data + begun_at, statements->size - begun_at);
        statement_id(statement, &object);
        amend_begin(&amend, txn, &pair, KIND_ENDORSEMENT, &object);
        amend_bytes(&amend, ENDORSEMENT_STATEMENT, statement);
        bench_check(amend_end(&amend, NULL), "append");
        if ((at + 1) % BENCH_GROUP == 0 || at + 1 == count) {
            bench_check(ledger_commit(txn, NULL), "commit");
            txn = NULL;
        }
    }
}

/* Signatures a second of the statements themselves, one after the other. */
static double bench_verify(const struct buf *statements, size_t count)
{
    size_t size = statements->size / count;
    double begun = bench_now();

    for (size_t at = 0; at < count; at++) {
        struct endorsement read;

        bench_check(endorsement_read(span_of(statements->data + at * size, size), &read), "read");
    }
    return (double)count / (bench_now() - begun);
}

static void bench_react(struct member *member)
{
    struct ledger_txn *txn = member_begin(member);

    bench_check(react_all(txn), "react");
    bench_check(ledger_commit(txn, NULL), "commit");
}

/* As the writer takes bulk: up to BENCH_BULK entries a commit, views later. */
static uint64_t bench_pull(struct member *to, struct member *from)
{
    struct log_id log = {.space = bench_pair(from, to), .device = *ledger_device(from->ledger)};
    struct verified_batch *batch;
    uint64_t carried = 0, pending = 0;
    struct ledger_txn *txn = member_begin(to);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct replica_log now = {.is_mine = false};
    struct replica replica;
    struct chain tip;

    replica_of(&snapshot, &replica);
    bench_check(replica.tip(replica.self, &log, &now), "tip");
    tip = now.tip;
    while (member_fetch(from, &log, &tip, &batch) == ERR_OK) {
        bench_check(ledger_ingest(txn, batch), "ingest");
        pending += verified_batch_count(batch);
        carried += verified_batch_count(batch);
        tip = *verified_batch_end(batch);
        verified_batch_free(batch);
        if (pending < BENCH_BULK)
            continue;
        bench_check(ledger_commit(txn, NULL), "commit");
        txn = member_begin(to);
        pending = 0;
    }
    bench_check(ledger_commit(txn, NULL), "commit");
    return carried;
}

static void bench_catch_up(struct ledger *ledger, bool is_alone)
{
    struct writer_round *round;

    for (bool is_more = is_alone; is_more;)
        bench_check(follow_stage(ledger, 20000, &is_more), "follow");
    if (is_alone)
        return;
    bench_check(writer_round_start(ledger, &round), "round");
    for (bool is_over = false; !is_over;)
        bench_check(writer_round_step(round, &is_over), "step");
    writer_round_free(round);
}

/* Ana's words arrive at somebody new. Returns how many entries that were. */
static uint64_t bench_arrive(struct member *ana, struct member *reader, size_t count, bool is_alone)
{
    struct buf statements = {0};
    double begun, synced, verified;
    uint64_t entries;

    member_link(ana, reader);
    bench_write(ana, reader, count, &statements);
    verified = bench_verify(&statements, count);
    begun = bench_now();
    entries = bench_pull(reader, ana);
    bench_catch_up(reader->ledger, is_alone);
    synced = (double)count / (bench_now() - begun);
    printf("F3b %zu endorsements of %zu bytes, %s: %.0f a second, %.2f of %.0f verified a second\n",
           count, statements.size / count, is_alone ? "one thread" : "two threads", synced,
           synced / verified, verified);
    buf_release(&statements);
    return entries;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? (size_t)atol(argv[1]) : 10000;
    struct endorsement_counts counts;
    struct member ana, bruno, chie;
    struct snapshot snapshot;
    uint64_t entries;
    double begun;

    if (secret_start() != ERR_OK || count == 0)
        return 1;
    member_new(&ana, 1, true);
    member_new(&bruno, 2, true);
    member_new(&chie, 3, true);
    entries = bench_arrive(&ana, &bruno, count, true);
    (void)bench_arrive(&ana, &chie, count, false);
    begun = bench_now();
    for (size_t at = 0; at * 512 < count + 512; at++)
        bench_react(&bruno);
    printf("    answering all of them: %.0f a second\n", (double)count / (bench_now() - begun));
    snapshot = member_snapshot(&bruno);
    begun = bench_now();
    bench_check(view_endorsement_count(&snapshot, bruno.now_ms, &counts), "count");
    printf("    %llu entries; a status: %.1f ms, %llu pending\n", (unsigned long long)entries,
           1000 * (bench_now() - begun), (unsigned long long)counts.pending);
    ledger_snapshot_end(&snapshot);
    member_free(&ana);
    member_free(&bruno);
    member_free(&chie);
    return 0;
}
