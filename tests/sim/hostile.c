/* The keys and the link are real; nothing else is promised. */
#include "tests/sim/hostile.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/frame.h"
#include "storage/replica.h"
#include "storage/view_peer.h"
#include "tests/sim/net.h"

enum { HOSTILE_WAIT_MS = 1000 };

/* What the victim says. */

static void hostile_hear(struct hostile *hostile, struct span bytes)
{
    struct frame_reader reader = {0};
    struct wire_doc doc = {0};
    struct message message;
    struct span one;

    buf_append(&hostile->heard, bytes);
    world_must(frame_feed(&reader, buf_span(&hostile->heard)));
    while (frame_next(&reader, &one) == ERR_OK) {
        world_must(message_read(&doc, one, &message));
        hostile->said[message.type % HOSTILE_MESSAGES]++;
        if (message.type == MESSAGE_BYE)
            hostile->bye = message.bye;
    }
    buf_drop(&hostile->heard, reader.taken);
    wire_release(&doc);
    frame_release(&reader);
}

static void hostile_on_second(struct hostile *hostile)
{
    struct handshake_result *result = secret_new(sizeof *result);
    struct span second = span_of(hostile->in.data, HANDSHAKE_SECOND_SIZE);

    KITH_ASSERT(result != NULL);
    buf_clear(&hostile->third);
    if (handshake_finish(hostile->handshake, second, hostile->identity, &hostile->node->entropy,
                         &hostile->third, result) == ERR_OK) {
        buf_drop(&hostile->in, HANDSHAKE_SECOND_SIZE);
        memcpy(hostile->hash, result->hash.bytes, HASH_SIZE);
        channel_init(hostile->channel, result->send_key, result->receive_key);
        hostile->is_ready = true;
        if (!hostile->holds_third)
            hostile_send(hostile, buf_span(&hostile->third));
    }
    secret_free(result);
}

static void hostile_on_bytes(struct hostile *hostile, struct span bytes)
{
    struct buf content = {0};

    hostile->bytes_back += bytes.size;
    buf_append(&hostile->raw, bytes);
    if (hostile->is_deaf)
        return;
    buf_append(&hostile->in, bytes);
    if (!hostile->is_ready && hostile->handshake != NULL &&
        hostile->in.size >= HANDSHAKE_SECOND_SIZE)
        hostile_on_second(hostile);
    if (!hostile->is_ready)
        return;
    if (channel_open(hostile->channel, &hostile->in, &content) == ERR_OK)
        hostile_hear(hostile, buf_span(&content));
    buf_release(&content);
}

static void hostile_on_event(void *self, const struct engine_event *event)
{
    struct hostile *hostile = self;

    if (event->type == ENGINE_ACCEPTED)
        hostile->called_conn = event->conn;
    if (event->type == ENGINE_BYTES && event->conn == hostile->called_conn)
        buf_append(&hostile->called, event->bytes);
    if (event->conn != hostile->conn)
        return;
    if (event->type == ENGINE_DIALLED)
        hostile->is_connected = true;
    if (event->type == ENGINE_BYTES)
        hostile_on_bytes(hostile, event->bytes);
    if (event->type == ENGINE_CLOSED || event->type == ENGINE_DIAL_FAILED) {
        hostile->is_connected = false;
        hostile->conns_closed++;
    }
}

/* Life. */

void hostile_begin(struct hostile *hostile, struct world_node *node, struct world_node *victim)
{
    struct peer *link = secret_new(sizeof *link);
    struct snapshot snapshot;

    *hostile = (struct hostile){.node = node, .victim = victim, .last_conn = UINT64_C(1) << 32};
    world_start_as(node, hostile_on_event, hostile);
    world_must(ledger_snapshot(node->ledger, &snapshot));
    KITH_ASSERT(link != NULL);
    world_must(view_peer(&snapshot, &victim->secrets->member, link));
    memcpy(hostile->psk, link->secret, KEY_SIZE);
    memcpy(hostile->knock, link->knock, KEY_SIZE);
    ledger_snapshot_end(&snapshot);
    secret_free(link);
    memcpy(hostile->static_key, ledger_static_key(victim->ledger)->public_key, KEY_SIZE);
    hostile->handshake = secret_new(sizeof *hostile->handshake);
    hostile->channel = secret_new(sizeof *hostile->channel);
    KITH_ASSERT(hostile->handshake != NULL && hostile->channel != NULL);
}

void hostile_end(struct hostile *hostile)
{
    world_crash(hostile->node);
    secret_free(hostile->handshake);
    secret_free(hostile->channel);
    buf_release(&hostile->first);
    buf_release(&hostile->third);
    buf_release(&hostile->called);
    buf_release(&hostile->raw);
    buf_release(&hostile->in);
    buf_release(&hostile->heard);
}

void hostile_wait(struct hostile *hostile, uint64_t ms)
{
    world_run_until(hostile->node->world, hostile->node->world->now_ms + ms);
}

/* Connections. */

void hostile_connect(struct hostile *hostile)
{
    hostile->is_connected = hostile->is_ready = false;
    buf_clear(&hostile->in);
    buf_clear(&hostile->heard);
    buf_clear(&hostile->raw);
    memset(hostile->said, 0, sizeof hostile->said);
    hostile->bye = 0;
    hostile->bytes_back = 0;
    hostile->last_conn += 2;
    hostile->conn = hostile->last_conn + 1;
    net_dial(hostile->node, hostile->conn, &hostile->victim->address);
    hostile_wait(hostile, 100);
}

void hostile_hang_up(struct hostile *hostile)
{
    net_close(hostile->node, hostile->conn);
    hostile->is_connected = hostile->is_ready = false;
    hostile_wait(hostile, 100);
}

void hostile_send(struct hostile *hostile, struct span bytes)
{
    net_send(hostile->node, hostile->conn, bytes);
}

void hostile_write_first(struct hostile *hostile, struct buf *out)
{
    const struct handshake_dial dial = {
        .own_static = hostile->own_static != NULL ? hostile->own_static
                                                  : ledger_static_key(hostile->node->ledger),
        .remote_static = hostile->static_key,
        .knock = hostile->knock,
        .psk = hostile->psk};

    world_must(handshake_dial(hostile->handshake, &dial, &hostile->node->entropy, out));
}

bool hostile_greet(struct hostile *hostile)
{
    hostile_connect(hostile);
    buf_clear(&hostile->first);
    hostile_write_first(hostile, &hostile->first);
    hostile_send(hostile, buf_span(&hostile->first));
    hostile_wait(hostile, HOSTILE_WAIT_MS);
    return hostile->is_ready && hostile->is_connected;
}

bool hostile_open(struct hostile *hostile)
{
    struct hello hello = {.version = PROTOCOL_VERSION};

    if (!hostile_greet(hostile))
        return false;
    hostile_hello(hostile, &hello);
    hostile_marks(hostile);
    hostile_wait(hostile, HOSTILE_WAIT_MS);
    return hostile->is_connected && hostile->bye == 0;
}

/* Saying. */

void hostile_say(struct hostile *hostile, struct buf *framed)
{
    struct buf sealed = {0};

    world_must(buf_err(framed));
    if (hostile->is_ready)
        world_must(channel_seal(hostile->channel, buf_span(framed), false, &sealed));
    hostile_send(hostile, buf_span(&sealed));
    buf_release(&sealed);
    buf_release(framed);
}

void hostile_say_raw(struct hostile *hostile, struct span message)
{
    struct buf framed = {0};

    buf_u32(&framed, (uint32_t)message.size);
    buf_append(&framed, message);
    hostile_say(hostile, &framed);
}

void hostile_hello(struct hostile *hostile, const struct hello *hello)
{
    struct buf framed = {0};

    message_put_hello(hello, &framed);
    hostile_say(hostile, &framed);
}

struct hostile_list {
    struct mark marks[64];
    size_t count;
};

static enum err hostile_on_log(void *self, const struct replica_log *log)
{
    struct hostile_list *list = self;

    KITH_ASSERT(list->count < sizeof list->marks / sizeof list->marks[0]);
    chain_mark(&log->tip, &log->log, &list->marks[list->count++]);
    return ERR_OK;
}

void hostile_marks(struct hostile *hostile)
{
    struct hostile_list list = {.count = 0};
    struct snapshot snapshot;
    struct replica replica;
    struct buf framed = {0};

    world_must(ledger_snapshot(hostile->node->ledger, &snapshot));
    replica_of(&snapshot, &replica);
    world_must(
        replica.logs(replica.self, &hostile->victim->secrets->member, hostile_on_log, &list));
    ledger_snapshot_end(&snapshot);
    message_put_marks(list.marks, list.count, true, &framed);
    hostile_say(hostile, &framed);
}

struct log_id hostile_pair_log(struct hostile *hostile)
{
    struct log_id log = {.device = *ledger_device(hostile->node->ledger)};
    struct peer *link = secret_new(sizeof *link);
    struct snapshot snapshot;

    KITH_ASSERT(link != NULL);
    world_must(ledger_snapshot(hostile->node->ledger, &snapshot));
    world_must(view_peer(&snapshot, &hostile->victim->secrets->member, link));
    log.space = link->pair_out;
    ledger_snapshot_end(&snapshot);
    secret_free(link);
    return log;
}

struct log_id hostile_card_log(struct hostile *hostile)
{
    struct log_id log = {.device = *ledger_device(hostile->node->ledger)};
    struct snapshot snapshot;
    struct space_row card;

    world_must(ledger_snapshot(hostile->node->ledger, &snapshot));
    world_must(ledger_own_space(&snapshot, SPACE_CARD, &card));
    ledger_snapshot_end(&snapshot);
    log.space = card.id;
    return log;
}

struct chain hostile_tip(struct hostile *hostile, const struct log_id *log)
{
    struct snapshot snapshot;
    struct replica replica;
    struct replica_log now;

    world_must(ledger_snapshot(hostile->node->ledger, &snapshot));
    replica_of(&snapshot, &replica);
    world_must(replica.tip(replica.self, log, &now));
    ledger_snapshot_end(&snapshot);
    return now.tip;
}
