/*
 * Peers that are slow on purpose, and time that passes: N4, N5, C6, P10, R15, R22, R23 of the
 * catalogue. Each is let go when the rules say so, and no earlier where they bear with it; what it
 * keeps waiting has a bound; and whoever sleeps in between loses nothing.
 */
#include <string.h>

#include "proto/limits.h"
#include "proto/share.h"
#include "storage/view_peer.h"
#include "tests/sim/net.h"
#include "tests/sim/siege.h"

enum {
    SLOW_OBJECTS = 256, /* of some 8 KB each: 2 MiB */
    SLOW_SILENCE_MS = 185 * 1000,
    SLOW_UNREAD_MS = 63 * 1000,
    SLOW_REKEY_MS = 15 * 60 * 1000
};

/* Two MiB that ana writes for mal alone. */
static enum err siege_slow_write(void *what, struct ledger_txn *txn)
{
    static uint8_t body[SHARE_SIZE_MAX];
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct siege *siege = what;
    struct edit_space edit = {0};
    struct peer link;
    enum err err = view_peer(&snapshot, &siege->mal->secrets->member, &link);

    for (size_t at = 0; at < SLOW_OBJECTS && err == ERR_OK; at++) {
        struct id id;

        id_draw_random(&siege->mal->entropy, &id);
        edit_begin(&edit, KIND_SHARE, &id, ledger_txn_now_ms(txn));
        edit_set(&edit, SHARE_BODY, 1,
                 (struct value){.type = VALUE_BYTES, .bytes = span_of(body, sizeof body)});
        err = ledger_append(txn, &link.pair_out, &edit, 0);
    }
    edit_release(&edit);
    return err;
}

static void siege_slow_on_written(struct world_node *node, void *self, enum err err,
                                  const struct op_call *call)
{
    (void)node;
    (void)self;
    (void)call;
    world_must(err);
}

static void siege_slow_much(struct siege *siege)
{
    siege->is_stored = true; /* What ana writes is hers. */
    world_write(siege->ana, siege_slow_write, siege, siege_slow_on_written, NULL);
}

static void siege_slow_credit(struct siege *siege)
{
    struct buf framed = {0};

    message_put_credit(CREDIT_MAX - CREDIT_START, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 500);
}

static void siege_slow_ping(struct siege *siege, size_t count)
{
    struct buf framed = {0};

    for (size_t at = 0; at < count; at++)
        message_put_ping(&framed);
    hostile_say(&siege->hostile, &framed);
}

/* As ana would tell her owner. */
static bool siege_slow_is_online(struct siege *siege, const struct world_node *peer)
{
    struct op_presence presence[2];
    size_t count = engine_presence(siege->ana->engine, presence, 2);
    bool is_online = false;

    for (size_t at = 0; at < count; at++)
        is_online |= presence[at].is_online &&
                     public_key_is_equal(&presence[at].member, &peer->secrets->member);
    return is_online;
}

/* Reads nothing at all, and says nothing: to ana it is gone. */
static void siege_never_reads(struct siege *siege)
{
    if (!siege_open(siege))
        return;
    net_read_slowly(siege->mal, siege->hostile.conn, UINT64_MAX);
    siege_slow_much(siege);
    hostile_wait(&siege->hostile, SLOW_UNREAD_MS);
    siege_expect(siege, siege_slow_is_online(siege, siege->mal),
                 "whoever may be away is waited for");
    hostile_wait(&siege->hostile, SLOW_SILENCE_MS - SLOW_UNREAD_MS + 11000);
    siege_expect(siege, !siege_slow_is_online(siege, siege->mal), "ana has let go");
}

/* The same, but it has asked for much: more than a MiB lies there for a minute. */
static void siege_asks_and_never_reads(struct siege *siege, uint64_t byte_ms)
{
    if (!siege_open(siege))
        return;
    siege_slow_credit(siege);
    net_read_slowly(siege->mal, siege->hostile.conn, byte_ms);
    siege_slow_much(siege);
    for (int at = 0; at < 5; at++) {
        hostile_wait(&siege->hostile, 10000);
        siege_slow_ping(siege, 1); /* It is not away. */
    }
    siege_expect(siege, siege_slow_is_online(siege, siege->mal), "ana is patient for a minute");
    hostile_wait(&siege->hostile, SLOW_UNREAD_MS - 50000 + 11000);
    siege_expect(siege, !siege_slow_is_online(siege, siege->mal), "ana has let go");
}

static void siege_reads_nothing(struct siege *siege)
{
    siege_asks_and_never_reads(siege, UINT64_MAX);
}

static void siege_reads_a_byte_a_second(struct siege *siege)
{
    siege_asks_and_never_reads(siege, 1000);
}

/* A hundred MiB of answers, if ana listened. */
static void siege_pings_and_never_reads(struct siege *siege)
{
    if (!siege_open(siege))
        return;
    net_read_slowly(siege->mal, siege->hostile.conn, UINT64_MAX);
    for (int at = 0; at < 24; at++)
        siege_slow_ping(siege, 40000);
    hostile_wait(&siege->hostile, SLOW_UNREAD_MS + 11000);
    siege_expect(siege, !siege_slow_is_online(siege, siege->mal), "ana has let go");
}

/* Nothing that it says is ever whole. */
static void siege_slow_drip(struct siege *siege, struct span bytes, uint64_t within_ms)
{
    uint64_t end_ms = siege->world.now_ms + within_ms;

    for (size_t at = 0; at < bytes.size && siege->hostile.is_connected; at++) {
        hostile_send(&siege->hostile, span_of(bytes.data + at, 1));
        hostile_wait(&siege->hostile, 1000);
    }
    siege_expect(siege, !siege->hostile.is_connected && siege->world.now_ms <= end_ms,
                 "ana has let go");
}

static void siege_frame_byte_by_byte(struct siege *siege)
{
    struct buf framed = {0}, sealed = {0};

    if (!siege_open(siege))
        return;
    message_put_ping(&framed);
    world_must(channel_seal(siege->hostile.channel, buf_span(&framed), false, &sealed));
    siege_slow_drip(siege, buf_span(&sealed), SLOW_SILENCE_MS);
    buf_release(&framed);
    buf_release(&sealed);
}

static void siege_third_byte_by_byte(struct siege *siege)
{
    siege->hostile.holds_third = true;
    (void)hostile_greet(&siege->hostile);
    siege_slow_drip(siege, buf_span(&siege->hostile.third), 11000);
    siege->hostile.holds_third = false;
    siege_expect_no_session(siege);
}

static void siege_stops_before_third(struct siege *siege)
{
    siege->hostile.holds_third = true;
    (void)hostile_greet(&siege->hostile);
    hostile_wait(&siege->hostile, 10500);
    siege->hostile.holds_third = false;
    siege_expect_no_session(siege);
}

/* A batch whose second half comes a frame at a time, each just in time: it is slow and no more. */
static void siege_batch_frame_by_frame(struct siege *siege)
{
    static uint8_t payload[60 << 10];
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    struct entry entry = {.payload = span_of(payload, sizeof payload)};
    struct buf framed = {0};

    siege->is_stored = true;
    if (!siege_open(siege))
        return;
    message_put_log(0, &log, &framed);
    siege_put_batch(siege, &tip, &entry, NULL, &framed);
    for (size_t at = 0; at < framed.size; at += 4000) {
        struct buf part = {0};

        buf_append(&part,
                   span_of(framed.data + at, framed.size - at < 4000 ? framed.size - at : 4000));
        hostile_say(&siege->hostile, &part);
        hostile_wait(&siege->hostile, 55000);
    }
    siege_expect(siege, siege->hostile.is_connected, "slowness is no violation");
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] > 0, "it was stored in the end");
    buf_release(&framed);
}

/* R15. Under each key an hour of silence; then a long message: its first frame turns the key, those
 * behind it are under the new one. */
static void siege_slow_rekey(struct siege *siege, bool has_much)
{
    uint8_t key[KEY_SIZE];

    if (!siege_open(siege))
        return;
    siege_slow_credit(siege);
    for (int quarter = 0; quarter < 3; quarter++) {
        memcpy(key, siege->hostile.channel->receive.key, KEY_SIZE);
        for (int minute = 0; minute < 15; minute++) {
            siege_slow_ping(siege, 1);
            hostile_wait(&siege->hostile, 60 * 1000 - 1000);
        }
        siege_expect(siege, memcmp(key, siege->hostile.channel->receive.key, KEY_SIZE) == 0,
                     "one key for a quarter of an hour");
        hostile_wait(&siege->hostile, 17000); /* The engine looks; nothing is said yet. */
        if (has_much && quarter == 1)
            siege_slow_much(siege);
        channel_rekey(siege->hostile.channel); /* As mal has to. */
        siege_slow_ping(siege, 1);
        hostile_wait(&siege->hostile, 2000);
        siege_expect(siege, memcmp(key, siege->hostile.channel->receive.key, KEY_SIZE) != 0,
                     "another key behind it");
        siege_expect(siege, siege->hostile.is_connected && siege->hostile.bye == 0, "it goes on");
    }
    siege_expect(siege, siege->hostile.said[MESSAGE_PONG] >= 48, "every ping was answered");
    siege_expect(siege, !has_much || siege->hostile.bytes_back > SLOW_OBJECTS * SHARE_SIZE_MAX,
                 "all of it came");
}

static void siege_rekeys_by_time(struct siege *siege)
{
    siege_slow_rekey(siege, false);
}

static void siege_rekeys_in_a_batch(struct siege *siege)
{
    siege_slow_rekey(siege, true);
}

/* Sleep. What mal does is of no matter here. */

static void siege_slow_sleep(struct siege *siege, struct world_node *node, uint64_t ms)
{
    node->asleep_until_ms = siege->world.now_ms + ms;
}

static void siege_slow_settled(struct siege *siege, uint64_t within_ms, const char *what)
{
    uint64_t end_ms = siege->world.now_ms + within_ms;

    while (siege->world.now_ms < end_ms && !judge_is_settled(siege->ana, siege->ben))
        hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, judge_is_settled(siege->ana, siege->ben), what);
}

/* ben sleeps a night in the middle of it, over several changes of keys; ana writes meanwhile. */
static void siege_one_sleeps(struct siege *siege)
{
    siege_slow_sleep(siege, siege->ben, 8 * 3600 * 1000);
    hostile_wait(&siege->hostile, 1000);
    world_op(siege->ana, "me.edit", json_pack("{s:s}", "title", "while ben slept"), NULL, NULL);
    hostile_wait(&siege->hostile, SLOW_SILENCE_MS + 11000);
    siege_expect(siege, !siege_slow_is_online(siege, siege->ben),
                 "a sleeping peer is let go in three minutes");
    hostile_wait(&siege->hostile, 8 * 3600 * 1000 - SLOW_SILENCE_MS - 12000);
    siege_slow_settled(siege, 120 * 1000, "in step two minutes after waking");
}

/* Both sleep: neither has heard anything, and the conversation goes on where it was. */
static void siege_both_sleep(struct siege *siege)
{
    uint64_t before = siege->ana->next_accepted + siege->ben->next_accepted;

    siege_slow_settled(siege, 1000, "in step before");
    for (int night = 0; night < 4; night++) {
        siege_slow_sleep(siege, siege->ana, 20 * 60 * 1000);
        siege_slow_sleep(siege, siege->ben, 20 * 60 * 1000 + 300);
        hostile_wait(&siege->hostile, 20 * 60 * 1000 + 5000);
        siege_expect(siege, siege->ana->next_accepted + siege->ben->next_accepted == before,
                     "the same connection");
        siege_expect(siege, judge_is_settled(siege->ana, siege->ben), "in step at once");
        world_op(siege->ana, "me.edit", json_pack("{s:s}", "title", night % 2 == 0 ? "a" : "b"),
                 NULL, NULL);
        hostile_wait(&siege->hostile, 3000);
        siege_expect(siege, judge_is_settled(siege->ana, siege->ben), "what was written came");
    }
}

const struct siege_case siege_slow_cases[] = {
    {"N5 reads nothing", siege_never_reads, NULL, 0, false},
    {"N5 grants credit and reads nothing", siege_reads_nothing, NULL, 0, false},
    {"N4 reads a byte a second", siege_reads_a_byte_a_second, NULL, 0, false},
    {"N5 asks without end and reads nothing", siege_pings_and_never_reads, NULL, 0, false},
    {"N4 message 3 a byte a second", siege_third_byte_by_byte, NULL, 0, false},
    {"N5 nothing after message 2", siege_stops_before_third, NULL, 0, false},
    {"N4 a frame a byte a second", siege_frame_byte_by_byte, NULL, 0, false},
    {"N4 a batch in an hour", siege_batch_frame_by_frame, NULL, 0, false},
    {"R15 another key every quarter of an hour", siege_rekeys_by_time, NULL, 0, false},
    {"R15 another key in the middle of a batch", siege_rekeys_in_a_batch, NULL, 0, false},
    {"P10 one sleeps", siege_one_sleeps, NULL, 0, false},
    {"P10 both sleep", siege_both_sleep, NULL, 0, false},
    {0},
};
