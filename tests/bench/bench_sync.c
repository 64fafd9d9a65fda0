/*
 * F1, F2, F3, F5: two nodes in one process, each with its own LMDB store, joined through their
 * engines: real handshakes, channels, sessions and commits; only the sockets are left out. The two
 * writers run on this one thread, so what is printed for F3 is one core's work for both ends.
 * usage: bench_sync [ENTRIES]
 */
#include "tests/bench/bench.h"

#include "node/engine.h"
#include "node/link.h"
#include "proto/card.h"
#include "storage/view_peer.h"

struct bench_node {
    struct device_secrets secrets;
    struct kv *kv;
    struct ledger *ledger;
    struct engine *engine;
    char *path;
    struct bench_node *other;
    conn_id conn; /* of the one connection there is */
    size_t batches, entries;
    uint64_t wire_bytes;
    double committing; /* seconds spent in commits of ingested batches */
};

struct bench_event {
    struct bench_node *node;
    struct engine_event event;
    struct buf bytes;
    struct link_answer answer;
    struct ledger_news news;
    struct bench_event *next;
};

struct bench_queue {
    struct bench_event *first, *last;
    uint64_t now_ms;
};

static struct bench_event *bench_post(struct bench_queue *queue, struct bench_node *node,
                                      enum engine_event_type type)
{
    struct bench_event *event = calloc(1, sizeof *event);

    event->node = node;
    event->event.type = type;
    event->event.conn = node->conn;
    if (queue->last != NULL)
        queue->last->next = event;
    else
        queue->first = event;
    queue->last = event;
    return event;
}

static void bench_commit(struct bench_queue *queue, struct bench_node *node, struct ledger_txn *txn)
{
    struct bench_event *event;
    struct ledger_news news;

    bench_check(ledger_commit(txn, &news), "commit");
    if (news.spaces_count == 0)
        return;
    event = bench_post(queue, node, ENGINE_NEWS);
    event->news = news;
    event->event.news = &event->news;
}

static void bench_ingest(struct bench_queue *queue, struct bench_node *node,
                         const struct engine_effect *effect)
{
    struct bench_event *event;
    struct ledger_txn *txn;
    double begun = bench_now();
    enum err err;

    node->batches++;
    node->entries += verified_batch_count(effect->ingest.batch);
    bench_check(ledger_begin(node->ledger, 1700000000000, &txn), "begin");
    err = ledger_ingest(txn, effect->ingest.batch);
    if (err == ERR_OK)
        bench_commit(queue, node, txn);
    else
        ledger_abort(txn);
    verified_batch_free(effect->ingest.batch);
    node->committing += bench_now() - begun;
    event = bench_post(queue, node, ENGINE_COMMITTED);
    event->event.committed.ticket = effect->ingest.ticket;
    event->event.committed.err = err;
}

static void bench_link(struct bench_queue *queue, struct bench_node *node,
                       const struct engine_effect *effect)
{
    struct bench_event *event, *changed;
    struct link_answer answer;
    struct ledger_txn *txn;

    bench_check(ledger_begin(node->ledger, 1700000000000, &txn), "begin");
    if (effect->link.step == ENGINE_LINK_CLAIM)
        bench_check(link_claim(txn, &effect->link.request, &answer), "claim");
    else if (effect->link.step == ENGINE_LINK_MAKE)
        bench_check(link_make(txn, &effect->link.request, &answer), "make");
    else
        bench_check(link_complete(txn, &effect->link.request, &answer), "complete");
    bench_commit(queue, node, txn);
    changed = bench_post(queue, node, ENGINE_PEERS_CHANGED);
    changed->event.conn = 0;
    event = bench_post(queue, node, ENGINE_LINK_ANSWERED);
    event->answer = answer;
    event->answer.message.name = span_str(event->answer.name);
    event->answer.message.addresses =
        span_of(event->answer.addresses, answer.message.addresses.size);
    event->event.link.ticket = effect->link.ticket;
    event->event.link.answer = &event->answer;
}

static void bench_confirm(struct bench_queue *queue, struct bench_node *node,
                          const struct public_key *member)
{
    struct bench_event *changed;
    struct ledger_txn *txn;

    bench_check(ledger_begin(node->ledger, 1700000000000, &txn), "begin");
    bench_check(link_confirmed(txn, member, NULL), "confirm");
    bench_commit(queue, node, txn);
    changed = bench_post(queue, node, ENGINE_PEERS_CHANGED);
    changed->event.conn = 0;
}

/* Bytes arrive in pieces of the size in which the loop reads them. */
static void bench_carry(struct bench_queue *queue, struct bench_node *to, struct span bytes)
{
    enum { PIECE = 64 << 10 };

    for (size_t at = 0; at < bytes.size; at += PIECE) {
        size_t size = bytes.size - at < PIECE ? bytes.size - at : PIECE;
        struct bench_event *event = bench_post(queue, to, ENGINE_BYTES);

        buf_append(&event->bytes, span_of(bytes.data + at, size));
        event->event.bytes = buf_span(&event->bytes);
    }
}

static void bench_effect(struct bench_queue *queue, struct bench_node *node,
                         const struct engine_effect *effect)
{
    switch (effect->type) {
    case ENGINE_SEND:
        node->wire_bytes += effect->bytes.size;
        bench_carry(queue, node->other, effect->bytes);
        (void)bench_post(queue, node, ENGINE_DRAINED);
        break;
    case ENGINE_DIAL:
        if (node->conn != 0)
            break;
        node->conn = effect->conn;
        node->other->conn = effect->conn + 1;
        (void)bench_post(queue, node->other, ENGINE_ACCEPTED);
        (void)bench_post(queue, node, ENGINE_DIALLED);
        break;
    case ENGINE_INGEST:
        bench_ingest(queue, node, effect);
        break;
    case ENGINE_LINK:
        bench_link(queue, node, effect);
        break;
    case ENGINE_CONFIRMED:
        bench_confirm(queue, node, &effect->member);
        break;
    case ENGINE_RETURNED:
        returned_free(effect->returned.returned); /* Nobody is a copy here. */
        break;
    case ENGINE_FACTS:
    case ENGINE_REBASE:
    case ENGINE_MEET:
    case ENGINE_MET:
    case ENGINE_CLOSE:
    case ENGINE_REACHED:
    case ENGINE_DELIVERED:
    case ENGINE_FILL:
    case ENGINE_JOINED:
    case ENGINE_REFUSED:
    case ENGINE_JOURNAL:
    case ENGINE_PRESENCE:
        break;
    }
}

static void bench_run(struct bench_queue *queue)
{
    while (queue->first != NULL) {
        struct bench_event *event = queue->first;
        const struct engine_effect *effects;
        size_t count;

        queue->first = event->next;
        if (queue->first == NULL)
            queue->last = NULL;
        event->event.now_ms = queue->now_ms;
        event->event.wall_ms = 1700000000000;
        bench_check(engine_step(event->node->engine, &event->event, &effects, &count), "step");
        for (size_t at = 0; at < count; at++)
            bench_effect(queue, event->node, &effects[at]);
        buf_release(&event->bytes);
        free(event);
    }
}

static void bench_engine(struct bench_node *node)
{
    struct address address = {.host = {[10] = 0xff, 0xff, 127, 0, 0, 1}, .port = 5484};
    struct engine_options options = {.ledger = node->ledger,
                                     .addresses = &address,
                                     .addresses_count = 1,
                                     .is_loopback_only = true};

    bench_check(engine_new(&options, &node->engine), "engine");
}

static void bench_open(struct bench_node *node, struct bench_node *other)
{
    bench_secrets(&node->secrets);
    node->path = bench_folder();
    node->kv = bench_kv(node->path);
    node->ledger = bench_ledger(node->kv, &node->secrets);
    node->other = other;
    bench_engine(node);
}

static json_t *bench_op(struct bench_queue *queue, struct bench_node *node, const char *method,
                        json_t *params)
{
    struct address listening = {.host = {[10] = 0xff, 0xff, 127, 0, 0, 1}, .port = 5484};
    struct op_world world = {.listening = &listening, .listening_count = 1};
    struct op_call call = {.params = params, .world = &world, .now_ms = 1700000000000};
    struct ledger_txn *txn;

    bench_check(ledger_begin(node->ledger, call.now_ms, &txn), "begin");
    call.txn = txn;
    call.snapshot = ledger_txn_snapshot(txn);
    bench_check(ops_find(method)->run(&call), method);
    bench_commit(queue, node, txn);
    (void)bench_post(queue, node, ENGINE_PEERS_CHANGED);
    json_decref(params);
    return call.result;
}

/* Ends the connection and makes another one: both engines anew, as after a restart. */
static void bench_reconnect(struct bench_queue *queue, struct bench_node *nodes)
{
    queue->now_ms += 100000;
    for (size_t at = 0; at < 2; at++) {
        engine_free(nodes[at].engine);
        bench_engine(&nodes[at]);
        nodes[at].conn = 0;
        nodes[at].batches = nodes[at].entries = 0;
        nodes[at].wire_bytes = 0;
        nodes[at].committing = 0;
    }
    (void)bench_post(queue, &nodes[1], ENGINE_PEERS_CHANGED);
    (void)bench_post(queue, &nodes[0], ENGINE_PEERS_CHANGED);
    bench_run(queue);
}

static struct op_presence bench_presence(const struct bench_node *node)
{
    struct op_presence presence = {0};

    (void)engine_presence(node->engine, &presence, 1);
    return presence;
}

static void bench_append(struct bench_queue *queue, struct bench_node *node, const struct id *space,
                         size_t from, size_t count)
{
    struct edit_space edit = {0};
    struct id object = {{0}};
    struct ledger_txn *txn;

    bench_check(ledger_begin(node->ledger, 1700000000000, &txn), "begin");
    for (size_t at = from; at < from + count; at++) {
        be32_put(object.bytes + 10, (uint32_t)at);
        bench_edit(&edit, &object, 1);
        bench_check(ledger_append(txn, space, &edit, 0), "append");
    }
    bench_commit(queue, node, txn);
    edit_release(&edit);
}

static void bench_f2(struct bench_queue *queue, struct bench_node *nodes, const struct id *space)
{
    enum { EDITS = 300 };
    double times[EDITS], commits[EDITS], fastest;
    uint64_t before = 0;

    bench_append(queue, &nodes[0], space, 1000000, 1);
    bench_run(queue);
    before = bench_presence(&nodes[0]).bytes_sent;
    for (size_t at = 0; at < EDITS; at++) {
        double begun = bench_now(), own;

        nodes[1].committing = 0;
        bench_append(queue, &nodes[0], space, 1000001 + at, 1);
        own = bench_now() - begun;
        bench_run(queue);
        times[at] = bench_now() - begun;
        commits[at] = own + nodes[1].committing;
    }
    for (size_t at = 0; at < EDITS; at++)
        times[at] = (times[at] - commits[at]) * 1000;
    fastest = bench_median(times, EDITS);
    printf("F2 one edit of 250 bytes: batch of %.0f bytes (reach payload + 150), both ends "
           "durable, %.3f ms besides the two "
           "commits of %.3f ms (reach 0.5)\n",
           (double)(bench_presence(&nodes[0]).bytes_sent - before) / EDITS, fastest,
           bench_median(commits, EDITS) * 1000);
}

int main(int argc, char **argv)
{
    size_t entries = argc > 1 ? (size_t)atol(argv[1]) : 90000; /* below what a peer may store */
    struct bench_queue queue = {.now_ms = 1000000};
    struct bench_node *nodes = calloc(2, sizeof *nodes);
    json_t *invitation;
    struct space_row card;
    struct snapshot snapshot;
    struct op_presence presence;
    double begun;

    if (secret_start() != ERR_OK)
        return 1;
    bench_open(&nodes[0], &nodes[1]);
    bench_open(&nodes[1], &nodes[0]);
    json_decref(bench_op(&queue, &nodes[0], "me.edit", json_pack("{s:s}", "name", "Ana")));
    json_decref(bench_op(&queue, &nodes[1], "me.edit", json_pack("{s:s}", "name", "Bruno")));
    invitation = bench_op(&queue, &nodes[0], "peer.invite", json_object());
    bench_run(&queue);
    json_decref(
        bench_op(&queue, &nodes[1], "peer.accept",
                 json_pack("{s:s}", "uri", json_string_value(json_object_get(invitation, "uri")))));
    json_decref(invitation);
    bench_run(&queue);

    bench_reconnect(&queue, nodes);
    presence = bench_presence(&nodes[0]);
    printf("F1 reconnect, nothing changed: in step %s, %llu and %llu batches; on the wire %llu and "
           "%llu bytes with the "
           "handshake and padding\n",
           presence.is_in_step ? "yes" : "NO", (unsigned long long)nodes[0].batches,
           (unsigned long long)nodes[1].batches, (unsigned long long)nodes[0].wire_bytes,
           (unsigned long long)nodes[1].wire_bytes);
    printf("F1 hello of %d bytes before framing and padding (reach 80)\n", 4 + 2 + 17 + 17 + 2 + 7);

    bench_check(ledger_snapshot(nodes[0].ledger, &snapshot), "snapshot");
    bench_check(ledger_own_space(&snapshot, SPACE_CARD, &card), "card");
    ledger_snapshot_end(&snapshot);
    bench_f2(&queue, nodes, &card.id);

    for (size_t at = 0; at < 2; at++) {
        engine_free(nodes[at].engine);
        bench_engine(&nodes[at]);
        nodes[at].conn = 0;
    }
    for (size_t at = 0; at < entries; at += 5000)
        bench_append(&queue, &nodes[0], &card.id, at, 5000);
    bench_run(&queue);
    nodes[1].batches = nodes[1].entries = 0;
    begun = bench_now();
    bench_reconnect(&queue, nodes);
    begun = bench_now() - begun;
    presence = bench_presence(&nodes[0]);
    printf("F3 first sync of %zu edits: %.0f /s, both ends on one core, %.1f bytes an entry; in "
           "step %s\n",
           nodes[1].entries, (double)nodes[1].entries / begun,
           (double)presence.bytes_sent / (double)nodes[1].entries,
           presence.is_in_step ? "yes" : "NO");
    printf("F5 signatures verified: %zu for %zu entries (reach entries/256 + one a log = %zu)\n",
           nodes[1].batches, nodes[1].entries, nodes[1].entries / 256 + 4);
    for (size_t at = 0; at < 2; at++) {
        engine_free(nodes[at].engine);
        ledger_close(nodes[at].ledger);
        kv_close(nodes[at].kv);
        bench_remove(nodes[at].path);
    }
    free(nodes);
    return 0;
}
