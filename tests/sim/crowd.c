/* See crowd.h. */
#include "tests/sim/crowd.h"

#include <string.h>

#include "crypto/secret.h"
#include "proto/device.h"
#include "proto/link.h"
#include "proto/message.h"
#include "storage/space.h"
#include "storage/view_peer.h"

enum { CROWD_LINKS_A_COMMIT = 20, CROWD_CREDIT_PORTION = 128 << 10 };

/* Links. */

static void crowd_draw(struct guest *guest)
{
    struct entropy os = entropy_os();
    uint8_t seeds[4][KEY_SIZE];

    memset(guest, 0, sizeof *guest);
    entropy_fill(&os, seeds[0], sizeof seeds);
    entropy_fill(&os, guest->secret, sizeof guest->secret);
    identity_signing_key(seeds[0], &guest->root);
    identity_signing_key(seeds[1], &guest->device);
    identity_exchange_key(seeds[2], &guest->statics);
    identity_exchange_key(seeds[3], &guest->receiving);
}

static enum err crowd_learn(struct ledger_txn *txn, const struct guest *guest, uint64_t now_ms)
{
    struct certificate certificate = {.member = guest->root.public_key,
                                      .device = guest->device.public_key,
                                      .certifier = guest->root.public_key,
                                      .time_ms = now_ms,
                                      .name = span_str("guest")};
    struct buf statement = {0}, identity = {0};
    struct device_chain chain;
    struct hash next_root = {{0}};
    struct span statements[1];
    enum err err;

    memcpy(certificate.static_key, guest->statics.public_key, KEY_SIZE);
    memcpy(certificate.receiving_key, guest->receiving.public_key, KEY_SIZE);
    err = certificate_issue(&certificate, &guest->root, &statement);
    if (err == ERR_OK) {
        statements[0] = buf_span(&statement);
        device_put_identity(&guest->root.public_key, &next_root, statements, 1, &identity);
        err = device_read_identity(buf_span(&identity), &chain, &next_root);
    }
    if (err == ERR_OK)
        err = view_device_learn(txn, &chain);
    buf_release(&statement);
    buf_release(&identity);
    return err;
}

static struct value crowd_bytes(const void *bytes, size_t size)
{
    return (struct value){.type = VALUE_BYTES, .bytes = span_of(bytes, size)};
}

static struct value crowd_number(uint64_t number)
{
    return (struct value){.type = VALUE_NUMBER, .number = number};
}

static enum err crowd_add_space(struct ledger_txn *txn, const struct guest *guest,
                                enum space_kind kind, struct id *out)
{
    struct entropy os = entropy_os();
    struct space_row space = {.kind = kind, .writer = guest->root.public_key};

    id_draw_random(&os, &space.id);
    *out = space.id;
    return ledger_add_space(txn, &space);
}

static enum err crowd_link_one(struct ledger_txn *txn, const struct id *self,
                               const struct guest *guest, uint64_t now_ms)
{
    const struct public_key *member = &guest->root.public_key;
    struct id pair_out, pair_in, card_in, object;
    struct edit_space edit = {0};
    enum err err = crowd_learn(txn, guest, now_ms);

    if (err == ERR_OK)
        err = space_create(txn, SPACE_PAIR, member, &pair_out);
    if (err == ERR_OK)
        err = crowd_add_space(txn, guest, SPACE_PAIR, &pair_in);
    if (err == ERR_OK)
        err = crowd_add_space(txn, guest, SPACE_CARD, &card_in);
    if (err != ERR_OK)
        return err;
    id_about("kith link", member, &object);
    edit_begin(&edit, KIND_LINK, &object, now_ms);
    edit_set(&edit, LINK_MEMBER, 1, crowd_bytes(member->bytes, 32));
    edit_set(&edit, LINK_STATE, 1, crowd_number(LINK_LINKED));
    edit_set(&edit, LINK_LEVEL, 1, crowd_number(LINK_INVITED));
    edit_set(&edit, LINK_SECRET, 1, crowd_bytes(guest->secret, KEY_SIZE));
    edit_set(&edit, LINK_KNOCK, 1, crowd_bytes(guest->secret, KEY_SIZE));
    edit_set(&edit, LINK_PAIR_OUT, 1, crowd_bytes(pair_out.bytes, ID_SIZE));
    edit_set(&edit, LINK_PAIR_IN, 1, crowd_bytes(pair_in.bytes, ID_SIZE));
    edit_set(&edit, LINK_CARD_IN, 1, crowd_bytes(card_in.bytes, ID_SIZE));
    edit_set(&edit, LINK_CONFIRMED, 1, crowd_number(1));
    edit_set(&edit, LINK_NAME, 1,
             (struct value){.type = VALUE_TEXT, .bytes = span_str("somebody of the crowd")});
    err = ledger_append(txn, self, &edit, 0);
    edit_release(&edit);
    return err;
}

enum err crowd_link(struct ledger *ledger, struct guest *guests, size_t count, uint64_t now_ms)
{
    enum err err = ERR_OK;

    for (size_t at = 0; at < count && err == ERR_OK; at += CROWD_LINKS_A_COMMIT) {
        struct ledger_txn *txn;

        err = ledger_begin(ledger, now_ms, &txn);
        if (err != ERR_OK)
            return err;
        for (size_t index = at; index < count && index < at + CROWD_LINKS_A_COMMIT && err == ERR_OK;
             index++) {
            crowd_draw(&guests[index]);
            err = crowd_link_one(txn, ledger_self_space(ledger), &guests[index], now_ms);
        }
        if (err == ERR_OK)
            err = ledger_commit(txn, NULL);
        else
            ledger_abort(txn);
    }
    return err;
}

enum err crowd_devices(struct ledger *ledger, struct guest *guests, size_t count, uint64_t now_ms)
{
    struct ledger_txn *txn;
    enum err err = ledger_begin(ledger, now_ms, &txn);

    if (err != ERR_OK)
        return err;
    for (size_t at = 1; at < count && err == ERR_OK; at++) {
        crowd_draw(&guests[at]);
        guests[at].root = guests[0].root;
        memcpy(guests[at].secret, guests[0].secret, KEY_SIZE);
        err = crowd_learn(txn, &guests[at], now_ms);
    }
    if (err == ERR_OK)
        return ledger_commit(txn, NULL);
    ledger_abort(txn);
    return err;
}

enum err crowd_host(struct ledger *ledger, struct crowd_host *out)
{
    uint8_t knocks[8 * KEY_SIZE];
    struct snapshot snapshot;
    size_t count;
    enum err err = ledger_snapshot(ledger, &snapshot);

    if (err != ERR_OK)
        return err;
    err = view_knocks(&snapshot, knocks, &count);
    ledger_snapshot_end(&snapshot);
    memcpy(out->static_key, ledger_static_key(ledger)->public_key, KEY_SIZE);
    memcpy(out->knock, knocks, KEY_SIZE);
    return err == ERR_OK && count == 0 ? ERR_NOT_FOUND : err;
}

/* Talking. */

void guest_hang_up(struct guest *guest)
{
    secret_free(guest->handshake);
    secret_free(guest->channel);
    guest->handshake = NULL;
    guest->channel = NULL;
    frame_release(&guest->messages);
    guest->messages = (struct frame_reader){0};
    buf_release(&guest->in);
    buf_release(&guest->out);
    guest->logs_count = guest->batches = guest->entries = guest->owed = 0;
    guest->is_over = false;
}

void guest_dial(struct guest *guest, const struct crowd_host *host)
{
    struct entropy os = entropy_os();
    struct handshake_dial dial = {.own_static = &guest->statics,
                                  .remote_static = host->static_key,
                                  .knock = host->knock,
                                  .selector = guest->selector,
                                  .psk = guest->secret};

    guest_hang_up(guest);
    guest->handshake = secret_new(sizeof *guest->handshake);
    guest->is_over = guest->handshake == NULL ||
                     handshake_dial(guest->handshake, &dial, &os, &guest->out) != ERR_OK;
}

void guest_say(struct guest *guest, struct span framed)
{
    if (guest->channel == NULL ||
        channel_seal(guest->channel, framed, false, &guest->out) != ERR_OK)
        guest->is_over = true;
}

static void guest_finish(struct guest *guest)
{
    struct handshake_result *result = secret_new(sizeof *result);
    struct hello hello = {.version = PROTOCOL_VERSION};
    struct entropy os = entropy_os();
    struct buf said = {0};

    guest->channel = secret_new(sizeof *guest->channel);
    if (guest->channel == NULL || result == NULL ||
        handshake_finish(guest->handshake, span_of(guest->in.data, HANDSHAKE_SECOND_SIZE),
                         guest->identity, &os, &guest->out, result) != ERR_OK) {
        guest->is_over = true;
        secret_free(result);
        return;
    }
    channel_init(guest->channel, result->send_key, result->receive_key);
    secret_free(result);
    secret_free(guest->handshake);
    guest->handshake = NULL;
    buf_drop(&guest->in, HANDSHAKE_SECOND_SIZE);
    message_put_hello(&hello, &said);
    guest_say(guest, buf_span(&said));
    buf_release(&said);
}

static void guest_on_batch(struct guest *guest, struct message *message, struct buf *out)
{
    uint32_t alias = message->batch.alias;
    struct wire rest = message->batch.rest;
    struct ack ack = {.alias = alias};

    if (alias >= guest->logs_count) {
        guest->is_over = true;
        return;
    }
    if (message->batch.has_start)
        guest->sizes[alias] = message->batch.start.size;
    guest->sizes[alias] += wire_array(&rest, 1, BLOCK_ENTRIES_MAX).left;
    guest->batches++;
    guest->entries = 0;
    for (size_t at = 0; at < guest->logs_count; at++)
        guest->entries += (size_t)guest->sizes[at];
    ack.size = guest->sizes[alias];
    if (!guest->is_deaf)
        message_put_acks(&ack, 1, out);
    guest->owed += guest->messages.taken_last;
    if (guest->owed >= CROWD_CREDIT_PORTION) {
        message_put_credit((uint32_t)guest->owed, out);
        guest->owed = 0;
    }
}

static void guest_on_message(struct guest *guest, struct message *message, struct buf *out)
{
    switch (message->type) {
    case MESSAGE_HELLO:
        message_put_marks(NULL, 0, true, out);
        break;
    case MESSAGE_LOG:
        if (message->log.alias != guest->logs_count || guest->logs_count == CROWD_LOGS_MAX) {
            guest->is_over = true;
            break;
        }
        guest->sizes[guest->logs_count] = 0;
        guest->logs[guest->logs_count++] = message->log.log;
        break;
    case MESSAGE_BATCH:
        guest_on_batch(guest, message, out);
        break;
    case MESSAGE_PING:
        message_put_pong(out);
        break;
    case MESSAGE_BYE:
        guest->is_over = true;
        break;
    default:
        break;
    }
}

static void guest_read(struct guest *guest)
{
    struct buf content = {0}, said = {0};
    struct wire_doc doc = {0};
    struct span bytes;
    enum err err = channel_open(guest->channel, &guest->in, &content);

    if (err == ERR_OK && content.size > 0)
        err = frame_feed(&guest->messages, buf_span(&content));
    while (err == ERR_OK && (err = frame_next(&guest->messages, &bytes)) == ERR_OK) {
        struct message message;

        err = message_read(&doc, bytes, &message);
        if (err == ERR_OK)
            guest_on_message(guest, &message, &said);
    }
    guest->is_over |= err != ERR_NOT_FOUND && err != ERR_OK;
    guest->is_over |= channel_is_closed(guest->channel);
    if (said.size > 0)
        guest_say(guest, buf_span(&said));
    wire_release(&doc);
    buf_release(&content);
    buf_release(&said);
}

void guest_bytes(struct guest *guest, struct span bytes)
{
    buf_append(&guest->in, bytes);
    if (guest->handshake != NULL && guest->in.size >= HANDSHAKE_SECOND_SIZE)
        guest_finish(guest);
    if (guest->channel != NULL && !guest->is_over)
        guest_read(guest);
}
