/* Read siege_run first: the world before, the case, and what must be so after any of them. */
#include "tests/sim/siege.h"

#include <stdlib.h>
#include <string.h>

#include "storage/replica.h"
#include "storage/view_peer.h"

enum { SIEGE_ROWS_MAX = 64 << 10, SIEGE_WAIT_MS = 20000 };

void siege_expect(struct siege *siege, bool is_so, const char *what)
{
    if (!is_so)
        judge_fail(&siege->judge, "expected: %s", what);
}

void siege_expect_silence(struct siege *siege)
{
    siege_expect(siege, siege->hostile.bytes_back == 0, "not one byte back");
    siege_expect(siege, !siege->hostile.is_connected, "the connection is closed");
}

void siege_expect_no_session(struct siege *siege)
{
    siege_expect(siege, siege->hostile.said[MESSAGE_HELLO] == 0, "no hello");
    siege_expect(siege, siege->hostile.bytes_back <= HANDSHAKE_SECOND_SIZE, "message 2 at most");
    siege_expect(siege, !siege->hostile.is_connected, "the connection is closed");
}

bool siege_open(struct siege *siege)
{
    bool is_open = hostile_open(&siege->hostile);

    siege_expect(siege, is_open, "a live session");
    return is_open;
}

void siege_put_entry(struct siege *siege, const struct log_id *log, uint32_t number,
                     struct chain *start, const struct entry *entry, const struct signing_key *key,
                     struct buf *out)
{
    struct batch_writer writer = {0};
    struct entry hashed = *entry;
    struct chain end = *start;
    struct head head;

    entry_hash_payload(&hashed);
    (void)chain_extend(&end, &hashed.header); /* No case fills a block. */
    world_must(
        head_sign(key != NULL ? key : ledger_signing_key(siege->mal->ledger), log, &end, &head));
    batch_add(&writer, &hashed);
    message_put_batch(number, start, &writer, head.signature, out);
    batch_release(&writer);
    *start = end;
}

void siege_put_batch(struct siege *siege, struct chain *start, const struct entry *entry,
                     const struct signing_key *key, struct buf *out)
{
    struct log_id log = hostile_pair_log(&siege->hostile);

    siege_put_entry(siege, &log, 0, start, entry, key, out);
}

void siege_give(struct siege *siege, struct world_node *from, const struct log_id *log,
                const struct chain *tip)
{
    struct chain start = *tip, end;
    struct snapshot snapshot;
    struct replica replica;
    struct buf framed = {0};

    world_must(ledger_snapshot(from->ledger, &snapshot));
    replica_of(&snapshot, &replica);
    message_put_log(0, log, &framed);
    for (;;) {
        uint8_t signature[SIGNATURE_SIZE];
        struct batch_writer writer = {0};

        if (replica.read(replica.self, log, &start, &writer, &end, signature) != ERR_OK ||
            end.size == start.size) {
            batch_release(&writer);
            break;
        }
        message_put_batch(0, &start, &writer, signature, &framed);
        batch_release(&writer);
        start = end;
    }
    ledger_snapshot_end(&snapshot);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 5000);
}

static bool siege_answers(struct siege *siege, const char *method, json_t *params, const char *text)
{
    json_t *answer = world_read(siege->ana, method, params);
    char *all = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
    bool is_so = all != NULL && strstr(all, text) != NULL;

    free(all);
    json_decref(answer);
    return is_so;
}

bool siege_is_shown(struct siege *siege, const char *text)
{
    return siege_answers(siege, "peer.show", json_pack("{s:s}", "who", "mal"), text);
}

bool siege_is_told(struct siege *siege, const char *text)
{
    return siege_answers(siege, "log", json_object(), text);
}

bool siege_is_asked(struct siege *siege, const char *text)
{
    return siege_answers(siege, "ask.list", json_pack("{s:b}", "all", true), text);
}

void siege_text_edit(uint8_t kind, uint8_t field, uint64_t time_ms, uint64_t counter,
                     const char *text, struct edit_space *out)
{
    static const struct id only = {{0}};

    *out = (struct edit_space){0};
    edit_begin(out, kind, &only, time_ms);
    edit_set(out, field, counter, (struct value){.type = VALUE_TEXT, .bytes = span_str(text)});
}

void siege_calm(struct siege *siege)
{
    struct world_node *node = siege->hostile.node;

    hostile_end(&siege->hostile);
    world_start(node);
}

void siege_turn(struct siege *siege, struct world_node *into)
{
    if (into->is_up)
        world_stop(into);
    world_run_until(&siege->world, siege->world.now_ms + SIEGE_WAIT_MS);
    hostile_begin(&siege->hostile, into, siege->ana);
    hostile_wait(&siege->hostile, SIEGE_WAIT_MS);
}

/* The world before. */

static void siege_on_invited(struct world_node *node, void *self, enum err err,
                             const struct op_call *call)
{
    world_must(err);
    world_op(self, "peer.accept", json_pack("{s:O}", "uri", json_object_get(call->result, "uri")),
             NULL, NULL);
    (void)node;
}

void siege_befriend(struct siege *siege, struct world_node *one, struct world_node *other)
{
    judge_met(&siege->judge, one->person, other->person);
    judge_met(&siege->judge, other->person, one->person);
    world_op(one, "peer.invite", json_pack("{s:s}", "name", other->name), siege_on_invited, other);
    world_run_until(&siege->world, siege->world.now_ms + SIEGE_WAIT_MS);
    KITH_ASSERT(judge_is_settled(one, other));
}

static void siege_link(struct siege *siege, struct world_node *peer)
{
    siege_befriend(siege, siege->ana, peer);
}

struct world_node *siege_friend(struct siege *siege, const char *name)
{
    struct world_node *node = world_init(&siege->world, name);

    world_start(node);
    siege_link(siege, node);
    return node;
}

static void siege_edit(struct siege *siege, struct world_node *node)
{
    char text[JUDGE_CANARY_SIZE];
    size_t canary = judge_canary(&siege->judge, node, JUDGE_CARD, text);

    for (size_t at = 0; at < canary; at++)
        if (siege->judge.canaries[at].person == node->person)
            siege->judge.canaries[at].is_acknowledged = false; /* Its place is taken. */
    siege->judge.canaries[canary].is_acknowledged = true;
    world_op(node, "me.edit", json_pack("{s:[s], s:s}", "url", text, "org", text), NULL, NULL);
    world_run_until(&siege->world, siege->world.now_ms + SIEGE_WAIT_MS);
}

static uint64_t siege_rows(const struct world_node *node)
{
    struct kv_usage usage = {0};

    world_must(kv_usage(node->kv, &usage));
    return usage.live_bytes;
}

static void siege_begin(struct siege *siege, bool is_talkative)
{
    world_begin(&siege->world, 0x51e9e);
    siege->world.is_talkative = is_talkative;
    judge_begin(&siege->judge, &siege->world);
    siege->ana = world_init(&siege->world, "ana");
    siege->ben = world_init(&siege->world, "ben");
    siege->mal = world_init(&siege->world, "mal");
    world_start(siege->ana);
    world_start(siege->ben);
    world_start(siege->mal);
    siege_link(siege, siege->ben);
    siege_link(siege, siege->mal);
    siege_edit(siege, siege->mal);
    siege_edit(siege, siege->ana);
    world_stop(siege->mal);
    world_run_until(&siege->world, siege->world.now_ms + SIEGE_WAIT_MS);
    siege->device = *ledger_device(siege->ana->ledger);
    siege->rows_bytes = siege_rows(siege->ana);
    hostile_begin(&siege->hostile, siege->mal, siege->ana);
}

/* After. */

struct siege_devices {
    size_t count;
};

static enum err siege_on_device(void *self, const struct device_row *device)
{
    (void)device;
    ((struct siege_devices *)self)->count++;
    return ERR_OK;
}

static void siege_check_device(struct siege *siege)
{
    struct siege_devices devices = {0};
    struct snapshot snapshot;

    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    world_must(
        view_device_each(&snapshot, &siege->ana->secrets->member, siege_on_device, &devices));
    ledger_snapshot_end(&snapshot);
    siege_expect(siege, devices.count == 1, "one device of ana");
    siege_expect(siege, public_key_is_equal(ledger_device(siege->ana->ledger), &siege->device),
                 "ana's device is not retired");
}

/* ben was served all the time, and is now. */
static void siege_check_ben(struct siege *siege)
{
    siege_edit(siege, siege->ana);
    siege_edit(siege, siege->ben);
    siege_expect(siege, judge_is_settled(siege->ana, siege->ben), "ana and ben in step");
    siege_expect(siege, siege->ben->violations == 0, "ben is told of no violation");
}

static void siege_check_rule(struct siege *siege, const char *rule)
{
    struct world_node *ana = siege->ana;

    if (rule == NULL && ana->violations > 0)
        judge_fail(&siege->judge, "expected no violation, ana was told: %s", ana->rule);
    else if (rule != NULL && strncmp(ana->rule, rule, strlen(rule)) != 0)
        judge_fail(&siege->judge, "expected the violation %s, ana was told: %s", rule,
                   ana->violations > 0 ? ana->rule : "nothing");
    ana->violations = 0;
}

static void siege_check(struct siege *siege, const struct siege_case *one)
{
    hostile_wait(&siege->hostile, 1000);
    siege_check_rule(siege, one->rule);
    siege_expect(siege,
                 siege->is_stored || siege_rows(siege->ana) < siege->rows_bytes + SIEGE_ROWS_MAX,
                 "ana's store has not grown");
    siege_check_device(siege);
    siege_check_ben(siege);
    hostile_end(&siege->hostile);
    judge_all(&siege->judge);
}

/* A case that stands apart has no world, only somewhere to say what went wrong. */
void siege_run(const struct siege_case *one, bool is_talkative, char out_failure[static 400])
{
    struct siege *siege = world_memory(sizeof *siege);

    if (one->is_apart) {
        world_begin(&siege->world, 1);
        judge_begin(&siege->judge, &siege->world);
    } else {
        siege_begin(siege, is_talkative);
    }
    one->run(siege);
    if (!one->is_apart)
        siege_check(siege, one);
    memcpy(out_failure, siege->judge.failure, sizeof siege->judge.failure);
    world_end(&siege->world);
    judge_end(&siege->judge);
    free(siege);
}
