/* Handshake and transport: B1 to B26. */
#include <string.h>

#include "proto/card.h"
#include "storage/view_peer.h"
#include "tests/sim/net.h"
#include "tests/sim/siege.h"

enum { SIEGE_KNOCK_COVERS = 1 + HANDSHAKE_SELECTOR_SIZE + 32, SIEGE_EPHEMERAL_AT = 25 };

static void siege_fill(struct siege *siege, uint8_t *out, size_t size)
{
    entropy_fill(&siege->mal->entropy, out, size);
}

/* Connects, sends this, waits. */
static void siege_try(struct siege *siege, struct span bytes)
{
    hostile_connect(&siege->hostile);
    hostile_send(&siege->hostile, bytes);
    hostile_wait(&siege->hostile, 1000);
}

/* A first message that fits, for a case to change; the knock is made anew. */
static void siege_first(struct siege *siege, struct buf *out)
{
    buf_clear(out);
    hostile_write_first(&siege->hostile, out);
}

static void siege_knock(struct siege *siege, struct buf *first)
{
    const struct span covered = span_of(first->data + HANDSHAKE_KNOCK_SIZE, SIEGE_KNOCK_COVERS);

    digest_keyed(siege->hostile.knock, "kith knock", &covered, 1, first->data,
                 HANDSHAKE_KNOCK_SIZE);
}

static void siege_no_knock(struct siege *siege)
{
    uint8_t noise[HANDSHAKE_FIRST_SIZE];

    siege_fill(siege, noise, sizeof noise);
    siege_try(siege, span_of(noise, sizeof noise));
    siege_expect_silence(siege);
}

static void siege_wrong_knock(struct siege *siege)
{
    siege->hostile.knock[7] ^= 1;
    (void)hostile_greet(&siege->hostile);
    siege_expect_silence(siege);
}

static void siege_random_behind_the_knock(struct siege *siege)
{
    struct buf first = {0};

    siege_first(siege, &first);
    siege_fill(siege, first.data + SIEGE_EPHEMERAL_AT, HANDSHAKE_FIRST_SIZE - SIEGE_EPHEMERAL_AT);
    siege_knock(siege, &first);
    siege_try(siege, buf_span(&first));
    siege_expect_silence(siege);
    buf_release(&first);
}

/* The points of small order of Curve25519, as far as their encodings differ. */
static void siege_low_order_ephemerals(struct siege *siege)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    struct buf first = {0};

    for (size_t at = 0; at < sizeof points / sizeof points[0]; at++) {
        siege_first(siege, &first);
        world_must(hex_read(span_str(points[at]), first.data + SIEGE_EPHEMERAL_AT, 32));
        siege_knock(siege, &first);
        siege_try(siege, buf_span(&first));
        siege_expect_silence(siege);
    }
    buf_release(&first);
}

static void siege_low_order_static(struct siege *siege)
{
    struct exchange_key key = *ledger_static_key(siege->mal->ledger);

    memset(key.public_key, 0, sizeof key.public_key);
    siege->hostile.own_static = &key;
    (void)hostile_greet(&siege->hostile);
    siege_expect_no_session(siege);
    siege->hostile.own_static = NULL;
}

static void siege_replayed_first(struct siege *siege)
{
    siege_expect(siege, hostile_greet(&siege->hostile), "a session");
    hostile_hang_up(&siege->hostile);
    siege_try(siege, buf_span(&siege->hostile.first));
    siege_expect_silence(siege);
}

/* What was seen is forgotten with the process; a recorded message 1 still leads nowhere. */
static void siege_replayed_after_restart(struct siege *siege)
{
    siege_expect(siege, hostile_greet(&siege->hostile), "a session");
    hostile_hang_up(&siege->hostile);
    world_crash(siege->ana);
    world_start(siege->ana);
    siege_try(siege, buf_span(&siege->hostile.first));
    hostile_send(&siege->hostile, buf_span(&siege->hostile.third));
    hostile_wait(&siege->hostile, 15000);
    siege_expect_no_session(siege);
}

static void siege_first_for_another(struct siege *siege)
{
    memcpy(siege->hostile.static_key, ledger_static_key(siege->ben->ledger)->public_key, KEY_SIZE);
    (void)hostile_greet(&siege->hostile);
    siege_expect_silence(siege);
}

/* ana calls mal; her own words come back to her. */
static void siege_reflected_first(struct siege *siege)
{
    world_op(siege->ana, "sync", json_object(), NULL, NULL);
    hostile_wait(&siege->hostile, 2000);
    siege_expect(siege, siege->hostile.called.size >= HANDSHAKE_FIRST_SIZE, "a call by ana");
    if (siege->hostile.called.size < HANDSHAKE_FIRST_SIZE)
        return;
    siege_try(siege, span_of(siege->hostile.called.data, HANDSHAKE_FIRST_SIZE));
    siege_expect_silence(siege);
}

static void siege_reflected_frames(struct siege *siege)
{
    struct hello hello = {.version = PROTOCOL_VERSION};
    struct buf back = {0};

    siege_expect(siege, hostile_greet(&siege->hostile), "a session");
    hostile_hello(&siege->hostile, &hello);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.raw.size > HANDSHAKE_SECOND_SIZE, "frames of ana's");
    buf_append(&back, span_of(siege->hostile.raw.data + HANDSHAKE_SECOND_SIZE,
                              siege->hostile.raw.size - HANDSHAKE_SECOND_SIZE));
    hostile_send(&siege->hostile, buf_span(&back));
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, !siege->hostile.is_connected, "the connection is closed");
    buf_release(&back);
}

static void siege_wrong_psk(struct siege *siege)
{
    siege->hostile.psk[0] ^= 1;
    (void)hostile_greet(&siege->hostile);
    siege_expect_no_session(siege);
}

/* The secret of ana's link with ben, with mal's key. */
static void siege_psk_of_another(struct siege *siege)
{
    struct snapshot snapshot;
    struct peer link;

    world_must(ledger_snapshot(siege->ben->ledger, &snapshot));
    world_must(view_peer(&snapshot, &siege->ana->secrets->member, &link));
    ledger_snapshot_end(&snapshot);
    memcpy(siege->hostile.psk, link.secret, KEY_SIZE);
    (void)hostile_greet(&siege->hostile);
    siege_expect_no_session(siege);
}

static void siege_unknown_static(struct siege *siege)
{
    static const uint8_t seed[SEED_SIZE] = {5};
    struct exchange_key key;

    identity_exchange_key(seed, &key);
    siege->hostile.own_static = &key;
    (void)hostile_greet(&siege->hostile);
    siege_expect_no_session(siege);
    siege->hostile.own_static = NULL;
}

static void siege_stops_after_first(struct siege *siege)
{
    struct buf first = {0};

    siege_first(siege, &first);
    siege->hostile.is_deaf = true;
    siege_try(siege, buf_span(&first));
    hostile_wait(&siege->hostile, 15000);
    siege_expect_no_session(siege);
    siege->hostile.is_deaf = false;
    buf_release(&first);
}

static void siege_frame_before_the_end(struct siege *siege)
{
    uint8_t noise[300];

    siege->hostile.holds_third = true;
    (void)hostile_greet(&siege->hostile);
    siege_fill(siege, noise, sizeof noise);
    hostile_send(&siege->hostile, span_of(noise, sizeof noise));
    hostile_wait(&siege->hostile, 1000);
    siege_expect_no_session(siege);
    siege->hostile.holds_third = false;
}

/* The same frame twice; and one left out. */
static void siege_replayed_frame(struct siege *siege)
{
    struct buf framed = {0}, sealed = {0};

    siege_expect(siege, hostile_greet(&siege->hostile), "a session");
    message_put_ping(&framed);
    world_must(channel_seal(siege->hostile.channel, buf_span(&framed), false, &sealed));
    hostile_send(&siege->hostile, buf_span(&sealed));
    hostile_send(&siege->hostile, buf_span(&sealed));
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, !siege->hostile.is_connected, "the connection is closed");
    buf_release(&framed);
    buf_release(&sealed);
}

static void siege_skipped_frame(struct siege *siege)
{
    struct hello hello = {.version = PROTOCOL_VERSION};
    struct buf framed = {0}, sealed = {0};

    siege_expect(siege, hostile_greet(&siege->hostile), "a session");
    hostile_hello(&siege->hostile, &hello);
    message_put_ping(&framed);
    world_must(channel_seal(siege->hostile.channel, buf_span(&framed), false, &sealed));
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, !siege->hostile.is_connected, "the connection is closed");
    buf_release(&sealed);
}

static void siege_frame_sizes(struct siege *siege)
{
    static const uint16_t sizes[] = {0, 1, 15, 16, 271, 273, 65535};

    for (size_t at = 0; at < sizeof sizes / sizeof sizes[0]; at++) {
        struct buf bytes = {0};

        siege_expect(siege, hostile_greet(&siege->hostile), "a session");
        buf_u16(&bytes, sizes[at]);
        hostile_send(&siege->hostile, buf_span(&bytes));
        hostile_wait(&siege->hostile, 1000);
        siege_expect(siege, !siege->hostile.is_connected, "the connection is closed");
        buf_release(&bytes);
    }
}

/* A frame that never comes keeps nothing but its session, and that until pings go unanswered. */
static void siege_frame_announced_only(struct siege *siege)
{
    struct hello hello = {.version = PROTOCOL_VERSION};
    struct buf bytes = {0};

    siege_expect(siege, hostile_greet(&siege->hostile), "a session");
    hostile_hello(&siege->hostile, &hello);
    hostile_wait(&siege->hostile, 1000);
    buf_u16(&bytes, 16384 + 16);
    hostile_send(&siege->hostile, buf_span(&bytes));
    hostile_wait(&siege->hostile, 240000);
    siege_expect(siege, !siege->hostile.is_connected, "the connection is closed");
    buf_release(&bytes);
}

static void siege_end_without_close(struct siege *siege)
{
    for (int at = 0; at < 5; at++) {
        siege_expect(siege, siege_open(siege), "a session again");
        hostile_hang_up(&siege->hostile);
    }
}

static void siege_drip(struct siege *siege)
{
    struct buf first = {0};

    siege_first(siege, &first);
    hostile_connect(&siege->hostile);
    for (size_t at = 0; at < first.size && siege->hostile.is_connected; at++) {
        hostile_send(&siege->hostile, span_of(first.data + at, 1));
        hostile_wait(&siege->hostile, 1000);
    }
    siege_expect_silence(siege);
    buf_release(&first);
}

/* A hundred connections of one place; ben comes anew all the same. */
static void siege_crowd(struct siege *siege)
{
    for (size_t at = 0; at < 100; at++)
        hostile_connect(&siege->hostile);
    siege_expect(siege, net_count(siege->ana) <= 1 + 8, "eight strangers of one place at most");
    world_crash(siege->ben);
    world_start(siege->ben);
    hostile_wait(&siege->hostile, 4000);
    siege_expect(siege, judge_is_settled(siege->ana, siege->ben), "ben came through");
}

static void siege_rekeys_always(struct siege *siege)
{
    if (!siege_open(siege))
        return;
    for (int at = 0; at < 200; at++) {
        struct buf framed = {0};

        channel_rekey(siege->hostile.channel);
        message_put_ping(&framed);
        hostile_say(&siege->hostile, &framed);
    }
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.said[MESSAGE_PONG] == 200, "an answer to each");
}

static void siege_other_version(struct siege *siege)
{
    struct buf first = {0};

    siege_first(siege, &first);
    first.data[HANDSHAKE_KNOCK_SIZE] = HANDSHAKE_VERSION + 1;
    siege_knock(siege, &first);
    siege_try(siege, buf_span(&first));
    siege_expect_silence(siege);
    buf_release(&first);
}

static void siege_other_prologue(struct siege *siege)
{
    static const uint8_t zeros[HANDSHAKE_FIRST_SIZE - SIEGE_EPHEMERAL_AT - 32 - 16];
    struct noise_keys keys = {.own_static = ledger_static_key(siege->mal->ledger),
                              .remote_static = siege->hostile.static_key,
                              .psks = siege->hostile.psk,
                              .psks_count = 1};
    struct buf first = {0};

    siege_first(siege, &first);
    first.size = SIEGE_EPHEMERAL_AT;
    world_must(noise_init(&siege->hostile.handshake->noise, "Noise_XKpsk3_25519_ChaChaPoly_SHA256",
                          true, span_str("kitt\1"), &keys));
    world_must(noise_write(&siege->hostile.handshake->noise, &siege->mal->entropy,
                           span_of(zeros, sizeof zeros), &first));
    siege_knock(siege, &first);
    siege_try(siege, buf_span(&first));
    siege_expect_silence(siege);
    buf_release(&first);
}

static void siege_hello_of_another_version(struct siege *siege)
{
    struct hello hello = {.version = PROTOCOL_VERSION + 1};

    siege_expect(siege, hostile_greet(&siege->hostile), "a session");
    hostile_hello(&siege->hostile, &hello);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.bye == BYE_VERSION, "bye 4");
}

const struct siege_case siege_door_cases[] = {
    {.name = "B1 no knock", .run = siege_no_knock},
    {.name = "B2 wrong knock", .run = siege_wrong_knock},
    {.name = "B3 random bytes behind a good knock", .run = siege_random_behind_the_knock},
    {.name = "B4 ephemeral keys of small order", .run = siege_low_order_ephemerals},
    {.name = "B5 static key of small order", .run = siege_low_order_static},
    {.name = "B6 message 1 again", .run = siege_replayed_first},
    {.name = "B7 message 1 and 3 again after a restart", .run = siege_replayed_after_restart},
    {.name = "B8 message 1 for another node", .run = siege_first_for_another},
    {.name = "B9 ana's own message 1", .run = siege_reflected_first},
    {.name = "B10 ana's own frames",
     .run = siege_reflected_frames,
     .rule = "a frame that cannot be opened"},
    {.name = "B11 wrong psk", .run = siege_wrong_psk},
    {.name = "B12 psk of another link", .run = siege_psk_of_another},
    {.name = "B13 unknown static key", .run = siege_unknown_static},
    {.name = "B16 B17 nothing after message 1, nothing read", .run = siege_stops_after_first},
    {.name = "B18 a frame before the end of the handshake", .run = siege_frame_before_the_end},
    {.name = "B19 a frame twice",
     .run = siege_replayed_frame,
     .rule = "a frame that cannot be opened"},
    {.name = "B19 a frame left out",
     .run = siege_skipped_frame,
     .rule = "a frame that cannot be opened"},
    {.name = "B20 frames of sizes that cannot be", .run = siege_frame_sizes},
    {.name = "B20 B42 a frame announced and not sent", .run = siege_frame_announced_only},
    {.name = "B21 ends without a close", .run = siege_end_without_close},
    {.name = "B22 a byte a second", .run = siege_drip},
    {.name = "B23 a hundred connections", .run = siege_crowd},
    {.name = "B24 a new key for every message", .run = siege_rekeys_always},
    {.name = "B25 another version at the knock", .run = siege_other_version},
    {.name = "B25 another version in the hello", .run = siege_hello_of_another_version},
    {.name = "B26 another prologue", .run = siege_other_prologue},
    {.name = NULL},
};
