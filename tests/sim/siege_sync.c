/* Marks, batches, acknowledgements, credit: B27 to B42. */
#include <string.h>

#include "proto/wire.h"
#include "storage/replica.h"
#include "storage/view_peer.h"
#include "tests/sim/net.h"
#include "tests/sim/siege.h"

enum { SIEGE_KIND = 250, SIEGE_PIECES = 30, SIEGE_PIECE_SIZE = 200 << 10 };

/* The log ana writes for mal, and where it stands at mal's. */
static struct log_id siege_anas_log(struct siege *siege)
{
    struct log_id log = {.device = siege->device};
    struct snapshot snapshot;
    struct peer link;

    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    world_must(view_peer(&snapshot, &siege->mal->secrets->member, &link));
    ledger_snapshot_end(&snapshot);
    log.space = link.pair_out;
    return log;
}

static void siege_say_mark(struct siege *siege, const struct mark *mark)
{
    struct buf framed = {0};

    message_put_marks(mark, 1, true, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
}

/* A size that no log can have; as bytes, for the writer of messages would not. */
static void siege_mark_beyond_all(struct siege *siege)
{
    struct mark mark = {.log = siege_anas_log(siege), .size = UINT64_C(1) << 63};

    if (siege_open(siege))
        siege_say_mark(siege, &mark);
}

/* A bare claim about ana's own logs: longer, or another branch. It proves nothing. */
static void siege_bogus_marks(struct siege *siege)
{
    struct mark mark = {.log = siege_anas_log(siege), .size = 1};

    memset(mark.tag, 0x5a, sizeof mark.tag);
    for (int at = 0; at < 5; at++) {
        mark.size = at % 2 == 0 ? 1 : UINT64_C(1) << (10 + at);
        (void)hostile_open(&siege->hostile);
        siege_say_mark(siege, &mark);
        hostile_hang_up(&siege->hostile);
    }
}

/* A thousand, in other marks each time: budgets, not patience. */
static void siege_flood_of_bogus_marks(struct siege *siege)
{
    struct mark mark = {.log = siege_anas_log(siege), .size = 1};

    (void)hostile_open(&siege->hostile);
    for (unsigned at = 0; at < 1000; at++) {
        struct buf framed = {0};

        be32_put(mark.tag, at);
        message_put_marks(&mark, 1, true, &framed);
        hostile_say(&siege->hostile, &framed);
    }
    hostile_wait(&siege->hostile, 10000);
}

/* What ana knows to be there is asked for again from the start. */
static void siege_lower_marks(struct siege *siege)
{
    struct log_id log = siege_anas_log(siege);
    struct snapshot snapshot;
    struct replica replica;
    struct chain chain;
    struct mark mark;

    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    replica_of(&snapshot, &replica);
    world_must(replica.chain_at(replica.self, &log, 1, &chain));
    ledger_snapshot_end(&snapshot);
    chain_mark(&chain, &log, &mark);
    if (siege_open(siege))
        siege_say_mark(siege, &mark);
    siege_expect(siege, siege->hostile.said[MESSAGE_BATCH] > 0, "ana gives what is asked for");
}

static void siege_promises(struct siege *siege)
{
    struct buf framed = {0};

    if (!siege_open(siege))
        return;
    message_put_totals(UINT64_C(1) << 40, UINT64_C(1) << 45, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 30000);
}

static void siege_promises_too_much(struct siege *siege)
{
    struct buf framed = {0};

    if (!siege_open(siege))
        return;
    message_put_totals(UINT64_MAX, UINT64_MAX, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
}

/* Entries for a number that names no log. */
static void siege_unnamed_batch(struct siege *siege)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    struct entry entry = {.payload = span_str("x")};
    struct buf framed = {0};

    if (!siege_open(siege))
        return;
    siege_put_batch(siege, &tip, &entry, NULL, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
}

static bool siege_open_log(struct siege *siege, const struct log_id *log)
{
    struct buf framed = {0};

    if (!siege_open(siege))
        return false;
    message_put_log(0, log, &framed);
    hostile_say(&siege->hostile, &framed);
    return true;
}

/* The newest entry, two hundred times. */
static void siege_duplicates(struct siege *siege)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    struct entry entry = {.payload = span_str("\x93\x02\x01")};

    if (!siege_open_log(siege, &log))
        return;
    for (int at = 0; at < 200; at++) {
        struct chain start = tip;
        struct buf framed = {0};

        siege_put_batch(siege, &start, &entry, NULL, &framed);
        hostile_say(&siege->hostile, &framed);
    }
    hostile_wait(&siege->hostile, 5000);
    siege_expect(siege, siege->hostile.is_connected, "duplicates are passed over");
}

static void siege_marks_forever(struct siege *siege)
{
    if (!siege_open(siege))
        return;
    for (int at = 0; at < 300; at++) {
        struct buf framed = {0};

        message_put_marks(NULL, 0, true, &framed);
        hostile_say(&siege->hostile, &framed);
    }
    hostile_wait(&siege->hostile, 10000);
    siege_expect(siege, siege->hostile.bytes_back < (4 << 20), "what is given has a bound");
}

/* What ana has for mal, of a kind nobody knows: 6 MiB. */
static enum err siege_write_much(void *what, struct ledger_txn *txn)
{
    static uint8_t bytes[SIEGE_PIECE_SIZE];
    const struct id *space = what;
    enum err err = ERR_OK;

    for (uint8_t at = 0; at < SIEGE_PIECES && err == ERR_OK; at++) {
        struct value value = {.type = VALUE_BYTES, .bytes = span_of(bytes, sizeof bytes)};
        struct edit_space edit = {0};
        struct id id = {{at}};

        edit_begin(&edit, SIEGE_KIND, &id, ledger_txn_now_ms(txn));
        edit_set(&edit, 1, 1, value);
        err = ledger_append(txn, space, &edit, 0);
        edit_release(&edit);
    }
    return err;
}

static void siege_on_written(struct world_node *node, void *self, enum err err,
                             const struct op_call *call)
{
    (void)node;
    (void)self;
    (void)call;
    world_must(err);
}

/* Everything, again and again, and a byte a second of it is read: ana keeps no more than a
 * mebibyte and a batch for him. That the real loop then lets go is LIMIT-6. */
static void siege_reads_by_the_byte(struct siege *siege)
{
    struct log_id log = siege_anas_log(siege);
    uint64_t most = 0;

    siege->is_stored = true;
    world_write(siege->ana, siege_write_much, &log.space, siege_on_written, NULL);
    hostile_wait(&siege->hostile, 5000);
    if (!siege_open(siege))
        return;
    net_sip(siege->mal, siege->hostile.conn);
    for (int at = 0; at < 60; at++) {
        struct buf framed = {0};

        message_put_marks(NULL, 0, true, &framed);
        hostile_say(&siege->hostile, &framed);
        message_put_credit(BATCH_SIZE_MAX, &framed);
        if (at < 8)
            hostile_say(&siege->hostile, &framed);
        buf_release(&framed);
        hostile_wait(&siege->hostile, 1000);
        if (most < net_unread(siege->mal, siege->hostile.conn))
            most = net_unread(siege->mal, siege->hostile.conn);
    }
    siege_expect(siege, most > (256 << 10), "ana gives");
    siege_expect(siege, most < 3 * BATCH_SIZE_MAX, "and keeps a bounded part of it");
}

/* Three entries, the last first. */
static void siege_reverse(struct siege *siege)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    struct entry entry = {.payload = span_str("\x93\x02\x01")};
    struct buf framed[3] = {{0}};

    if (!siege_open_log(siege, &log))
        return;
    for (int at = 0; at < 3; at++)
        siege_put_batch(siege, &tip, &entry, NULL, &framed[at]);
    hostile_say(&siege->hostile, &framed[2]);
    hostile_say(&siege->hostile, &framed[1]);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] == 0, "nothing was stored");
    siege_expect(siege, siege->hostile.said[MESSAGE_MARKS] > 1, "ana says where she stands");
    buf_release(&framed[0]);
}

static void siege_wrong_digests(struct siege *siege)
{
    struct hello hello = {.version = PROTOCOL_VERSION};

    for (int at = 0; at < 20; at++) {
        entropy_fill(&siege->mal->entropy, hello.mine, DIGEST_SIZE);
        entropy_fill(&siege->mal->entropy, hello.yours, DIGEST_SIZE);
        siege_expect(siege, hostile_greet(&siege->hostile), "a session");
        hostile_hello(&siege->hostile, &hello);
        hostile_marks(&siege->hostile);
        hostile_wait(&siege->hostile, 500);
        siege_expect(siege, siege->hostile.bytes_back < (64 << 10), "a bounded answer");
        hostile_hang_up(&siege->hostile);
    }
}

/* A hundred thousand logs nobody has heard of. */
static void siege_million_logs(struct siege *siege)
{
    static struct mark marks[MARKS_PER_MESSAGE_MAX];

    if (!siege_open(siege))
        return;
    for (int at = 0; at < 100 && siege->hostile.is_connected; at++) {
        struct buf framed = {0};

        for (size_t mark = 0; mark < MARKS_PER_MESSAGE_MAX; mark++) {
            entropy_fill(&siege->mal->entropy, marks[mark].log.space.bytes, ID_SIZE);
            marks[mark].size = 1;
        }
        message_put_marks(marks, MARKS_PER_MESSAGE_MAX, false, &framed);
        hostile_say(&siege->hostile, &framed);
        hostile_wait(&siege->hostile, 200);
    }
    siege_expect(siege, !siege->hostile.is_connected, "the connection is closed");
}

static void siege_acks_what_it_never_got(struct siege *siege)
{
    struct ack ack = {.alias = 3, .size = 1000};
    struct buf framed = {0};

    if (!siege_open(siege))
        return;
    message_put_acks(&ack, 1, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
}

/* A log of ben's, and one in a space that is none: nothing of either is kept. */
static void siege_foreign_logs(struct siege *siege)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct chain chain;
    struct entry entry = {.payload = span_str("\x93\x02\x01")};
    struct buf framed = {0};

    if (!siege_open(siege))
        return;
    log.device = *ledger_device(siege->ben->ledger);
    message_put_log(0, &log, &framed);
    chain_begin(&log, &chain);
    siege_put_batch(siege, &chain, &entry, ledger_signing_key(siege->ben->ledger), &framed);
    hostile_say(&siege->hostile, &framed);
    memset(log.space.bytes, 7, ID_SIZE);
    message_put_log(1, &log, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] == 0, "nothing was stored");
}

/* One batch after another as fast as they can be made; each is rightly mal's own. */
static void siege_single_entries(struct siege *siege)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    struct entry entry = {.payload = span_str("\x93\x02\x01")};

    siege->is_stored = true;
    if (!siege_open_log(siege, &log))
        return;
    for (int at = 0; at < 200; at++) {
        struct buf framed = {0};

        siege_put_batch(siege, &tip, &entry, NULL, &framed);
        hostile_say(&siege->hostile, &framed);
    }
    hostile_wait(&siege->hostile, 5000);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] > 0, "they are stored");
}

/* More in batches than ana gave credit for: she commits slowly. */
static void siege_beyond_credit(struct siege *siege)
{
    static uint8_t payload[200 << 10];
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    struct entry entry = {.payload = span_of(payload, sizeof payload)};

    siege->is_stored = true;
    siege->ana->commit_ms_max = 60000;
    if (!siege_open_log(siege, &log))
        return;
    for (int at = 0; at < 12; at++) {
        struct buf framed = {0};

        siege_put_batch(siege, &tip, &entry, NULL, &framed);
        hostile_say(&siege->hostile, &framed);
    }
    siege->ana->commit_ms_max = 10;
    hostile_wait(&siege->hostile, 90000);
}

static void siege_endless_credit(struct siege *siege)
{
    if (!siege_open(siege))
        return;
    for (int at = 0; at < 3; at++) {
        struct buf framed = {0};

        message_put_credit(CREDIT_MAX, &framed);
        hostile_say(&siege->hostile, &framed);
    }
    hostile_wait(&siege->hostile, 1000);
}

/* The same numbers and logs named again. */
static void siege_names_twice(struct siege *siege)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct buf framed = {0};

    if (!siege_open_log(siege, &log))
        return;
    message_put_log(0, &log, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
}

static void siege_stalls_in_a_batch(struct siege *siege)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    struct entry entry = {.payload = span_str("\x93\x02\x01")};
    struct buf framed = {0};

    if (!siege_open_log(siege, &log))
        return;
    siege_put_batch(siege, &tip, &entry, NULL, &framed);
    framed.size -= 10;
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 300000);
    siege_expect(siege, !siege->hostile.is_connected, "ana has let go");
}

const struct siege_case siege_sync_cases[] = {
    {.name = "B27 a mark beyond all sizes", .run = siege_mark_beyond_all, .rule = "SYNC-17"},
    {.name = "B27 B36 bare marks of branches that are not there", .run = siege_bogus_marks},
    {.name = "B36 a thousand bare marks", .run = siege_flood_of_bogus_marks},
    {.name = "B28 marks lower than what was acknowledged", .run = siege_lower_marks},
    {.name = "B29 promises that are not kept", .run = siege_promises},
    {.name = "B29 promises beyond all sums", .run = siege_promises_too_much},
    {.name = "B30 entries of a log without a name", .run = siege_unnamed_batch, .rule = "SYNC-7"},
    {.name = "B31 one entry two hundred times", .run = siege_duplicates},
    {.name = "B32 everything again, three hundred times", .run = siege_marks_forever},
    {.name = "B33 everything, read by the byte", .run = siege_reads_by_the_byte},
    {.name = "B34 B35 the last entry first, and gaps", .run = siege_reverse},
    {.name = "B36 digests that fit nothing", .run = siege_wrong_digests},
    {.name = "B37 a hundred thousand logs", .run = siege_million_logs, .rule = "SYNC-4"},
    {.name = "B38 acknowledges what it never got",
     .run = siege_acks_what_it_never_got,
     .rule = "SYNC-12"},
    {.name = "B39 B40 logs of others, spaces of nobody", .run = siege_foreign_logs},
    {.name = "B41 one entry a batch", .run = siege_single_entries},
    {.name = "B41 batches beyond the credit given", .run = siege_beyond_credit, .rule = "SYNC-9"},
    {.name = "B41 more credit than there is", .run = siege_endless_credit, .rule = "SYNC-9"},
    {.name = "B40 one number for two logs", .run = siege_names_twice, .rule = "SYNC-7"},
    {.name = "B42 half a batch, then nothing", .run = siege_stalls_in_a_batch},
    {.name = NULL},
};
