/* Session messages: arrays that begin with their number. */
#include "proto/message.h"

#include <string.h>

#include "proto/frame.h"
#include "proto/limits.h"

enum { MESSAGE_RETURNED_ELEMENTS = 10 };

static void message_read_hello(struct wire *wire, struct hello *out)
{
    out->version = (uint32_t)wire_uint(wire, UINT32_MAX);
    wire_bytes(wire, out->mine, DIGEST_SIZE);
    wire_bytes(wire, out->yours, DIGEST_SIZE);
    out->addresses = wire_bin(wire, 0, ADDRESSES_MAX * (ADDRESS_SIZE_MAX + 1));
}

static void message_read_link(struct wire *wire, struct link_message *out)
{
    struct span secret = wire_bin(wire, 0, KEY_SIZE);

    *out = (struct link_message){.has_secret = secret.size == KEY_SIZE};
    if (secret.size != 0 && secret.size != KEY_SIZE)
        wire_fail(wire);
    for (size_t at = 0; at < secret.size; at++)
        out->secret[at] = secret.data[at];
    wire_bytes(wire, out->knock, KEY_SIZE);
    wire_bytes(wire, out->pair_space.bytes, ID_SIZE);
    wire_bytes(wire, out->card_space.bytes, ID_SIZE);
    out->name = wire_str(wire, NAME_SIZE_MAX);
    out->addresses = wire_bin(wire, 0, ADDRESSES_MAX * (ADDRESS_SIZE_MAX + 1));
}

static void message_read_place(struct wire *wire, struct log_id *out)
{
    wire_bytes(wire, out->space.bytes, ID_SIZE);
    wire_bytes(wire, out->device.bytes, 32);
}

static void message_read_log(struct wire *wire, struct message *out)
{
    out->log.alias = (uint32_t)wire_uint(wire, UINT32_MAX);
    message_read_place(wire, &out->log.log);
}

/* PROTOCOL BEGIN-2: "The first batch names as its start [size, hash, unsealed entries before it,
 * the id that the last of them names or empty]." */
static void message_read_start(struct wire *wire, struct message *out)
{
    struct wire start = wire_array(wire, 2, 4);
    struct log_beginning *read = &out->batch.start;
    struct span epoch;

    out->batch.is_first = start.left == 4;
    if (start.left == 3)
        wire_fail(&start);
    read->size = wire_uint(&start, LOG_SIZE_MAX);
    wire_bytes(&start, read->hash.bytes, HASH_SIZE);
    if (!out->batch.is_first)
        return;
    read->epochs_count = (uint32_t)wire_uint(&start, UINT32_MAX);
    epoch = wire_bin(&start, 0, HASH_SIZE);
    if (read->size == 0 || read->epochs_count > read->size ||
        (epoch.size != 0 && epoch.size != HASH_SIZE))
        wire_fail(&start);
    for (size_t at = 0; at < epoch.size; at++)
        read->epoch.bytes[at] = epoch.data[at];
}

static void message_read_batch(struct wire *wire, struct message *out)
{
    out->batch.alias = (uint32_t)wire_uint(wire, UINT32_MAX);
    out->batch.has_start = !wire_is_nil(wire);
    out->batch.is_first = false;
    out->batch.start = (struct log_beginning){0};
    if (out->batch.has_start)
        message_read_start(wire, out);
    out->batch.rest = *wire;
    if (wire->left != 2)
        wire_fail(wire);
    wire->left = 0; /* The rest is batch_verify's. */
}

static void message_read_totals(struct wire *wire, struct message *out)
{
    out->totals.entries = wire_uint(wire, UINT64_MAX);
    out->totals.bytes = wire_uint(wire, UINT64_MAX);
}

static void message_read_trace(struct wire *wire, struct message *out)
{
    message_read_place(wire, &out->trace.log);
    out->trace.list = wire_array(wire, 0, TRACE_TAGS_MAX);
    out->trace.is_last = wire_bool(wire);
}

static void message_read_payload(struct wire *wire, struct message *out)
{
    out->payload.seq = wire_uint(wire, LOG_SIZE_MAX);
    out->payload.bytes = wire_bin(wire, 0, ENTRY_PAYLOAD_SIZE_MAX);
}

/* Ascending, so that each is asked for once. */
static void message_read_want(struct wire *wire, struct message *out)
{
    struct wire list;
    uint64_t last = 0;

    message_read_place(wire, &out->want.log);
    list = wire_array(wire, 1, WANTS_PER_MESSAGE_MAX);
    for (out->want.count = 0; list.left > 0 && wire_err(list.doc) == ERR_OK; out->want.count++) {
        uint64_t seq = wire_uint(&list, LOG_SIZE_MAX);

        if (seq <= last)
            wire_fail(&list);
        out->want.seqs[out->want.count] = last = seq;
    }
}

static void message_read_body(struct wire *wire, struct message *out)
{
    switch (out->type) {
    case MESSAGE_HELLO:
        message_read_hello(wire, &out->hello);
        break;
    case MESSAGE_MARKS:
        out->marks.list = wire_array(wire, 0, MARKS_PER_MESSAGE_MAX);
        out->marks.count = out->marks.list.left;
        out->marks.is_last = wire_bool(wire);
        break;
    case MESSAGE_TOTALS:
        message_read_totals(wire, out);
        break;
    case MESSAGE_LOG:
        message_read_log(wire, out);
        break;
    case MESSAGE_BATCH:
        message_read_batch(wire, out);
        break;
    case MESSAGE_ACK:
        out->acks.list = wire_array(wire, 1, ACKS_PER_MESSAGE_MAX);
        out->acks.count = out->acks.list.left;
        break;
    case MESSAGE_CREDIT:
        out->credit = wire_uint(wire, CREDIT_MAX);
        break;
    case MESSAGE_BYE:
        out->bye = (enum bye_reason)wire_uint(wire, UINT8_MAX);
        break;
    case MESSAGE_PING:
    case MESSAGE_PONG:
        break;
    case MESSAGE_IDENTITY:
        out->identity = wire_bin(wire, 1, IDENTITY_SIZE_MAX);
        break;
    case MESSAGE_LINK:
        message_read_link(wire, &out->link);
        break;
    case MESSAGE_REFUSED:
        out->refusal = (enum refusal)wire_uint(wire, UINT8_MAX);
        break;
    case MESSAGE_TRACE_ASK:
    case MESSAGE_FETCH:
        message_read_place(wire, &out->trace_ask.log);
        out->trace_ask.size = wire_uint(wire, LOG_SIZE_MAX);
        break;
    case MESSAGE_TRACE:
        message_read_trace(wire, out);
        break;
    case MESSAGE_RETURNED:
        out->returned = *wire;
        if (wire->left != MESSAGE_RETURNED_ELEMENTS)
            wire_fail(wire);
        wire->left = 0; /* The rest is returned_read's. */
        break;
    case MESSAGE_STORED:
        out->stored = (uint32_t)wire_uint(wire, UINT32_MAX);
        break;
    case MESSAGE_WANT:
        message_read_want(wire, out);
        break;
    case MESSAGE_PAYLOAD:
        message_read_payload(wire, out);
        break;
    case MESSAGE_FACTS:
        out->facts = wire_array(wire, 1, FACTS_PER_MESSAGE_MAX);
        break;
    }
}

/* PROTOCOL SYNC-17: "A message has the shape its number says." */
enum err message_read(struct wire_doc *doc, struct span bytes, struct message *out)
{
    struct wire wire;
    uint64_t type;
    enum err err = wire_open(doc, bytes, &wire);

    if (err != ERR_OK)
        return err;
    type = wire_uint(&wire, MESSAGE_LAST);
    if (type == 0)
        wire_fail(&wire);
    if (wire_err(doc) != ERR_OK)
        return ERR_MALFORMED;
    out->type = (enum message_type)type;
    message_read_body(&wire, out);
    wire_end(&wire);
    return wire_err(doc);
}

enum err message_next_mark(struct message *message, struct mark *out)
{
    struct wire row;

    if (message->marks.list.left == 0)
        return ERR_NOT_FOUND;
    row = wire_array(&message->marks.list, 4, 4);
    wire_bytes(&row, out->log.space.bytes, ID_SIZE);
    wire_bytes(&row, out->log.device.bytes, 32);
    out->size = wire_uint(&row, LOG_SIZE_MAX);
    wire_bytes(&row, out->tag, TAG_SIZE);
    return wire_err(row.doc);
}

enum err message_next_ack(struct message *message, struct ack *out)
{
    struct wire row;

    if (message->acks.list.left == 0)
        return ERR_NOT_FOUND;
    row = wire_array(&message->acks.list, 2, 2);
    out->alias = (uint32_t)wire_uint(&row, UINT32_MAX);
    out->size = wire_uint(&row, LOG_SIZE_MAX);
    return wire_err(row.doc);
}

enum err message_next_tag(struct message *message, struct trace_tag *out)
{
    struct wire row;

    if (message->trace.list.left == 0)
        return ERR_NOT_FOUND;
    row = wire_array(&message->trace.list, 2, 2);
    out->size = wire_uint(&row, LOG_SIZE_MAX);
    wire_bytes(&row, out->tag, TAG_SIZE);
    return wire_err(row.doc);
}

enum err message_next_fact(struct message *message, struct span *out)
{
    if (message->facts.left == 0)
        return ERR_NOT_FOUND;
    *out = wire_bin(&message->facts, 1, FACT_SIZE_MAX);
    return wire_err(message->facts.doc);
}

/* Writing. */

static size_t message_begin(enum message_type type, size_t elements, struct buf *out)
{
    size_t begun_at = frame_begin(out);

    wire_put_array(out, 1 + elements);
    wire_put_uint(out, type);
    return begun_at;
}

void message_put_hello(const struct hello *hello, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_HELLO, 4, out);

    wire_put_uint(out, hello->version);
    wire_put_bin(out, span_of(hello->mine, DIGEST_SIZE));
    wire_put_bin(out, span_of(hello->yours, DIGEST_SIZE));
    wire_put_bin(out, hello->addresses);
    frame_end(out, begun_at);
}

void message_put_marks(const struct mark *marks, size_t count, bool is_last, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_MARKS, 2, out);

    wire_put_array(out, count);
    for (size_t at = 0; at < count; at++) {
        wire_put_array(out, 4);
        wire_put_bin(out, span_of(marks[at].log.space.bytes, ID_SIZE));
        wire_put_bin(out, span_of(marks[at].log.device.bytes, 32));
        wire_put_uint(out, marks[at].size);
        wire_put_bin(out, span_of(marks[at].tag, TAG_SIZE));
    }
    wire_put_bool(out, is_last);
    frame_end(out, begun_at);
}

void message_put_totals(uint64_t entries, uint64_t bytes, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_TOTALS, 2, out);

    wire_put_uint(out, entries);
    wire_put_uint(out, bytes);
    frame_end(out, begun_at);
}

void message_put_log(uint32_t alias, const struct log_id *log, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_LOG, 3, out);

    wire_put_uint(out, alias);
    wire_put_bin(out, span_of(log->space.bytes, ID_SIZE));
    wire_put_bin(out, span_of(log->device.bytes, 32));
    frame_end(out, begun_at);
}

void message_put_batch(uint32_t alias, const struct chain *start, struct batch_writer *entries,
                       const uint8_t signature[static SIGNATURE_SIZE], struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_BATCH, 4, out);

    wire_put_uint(out, alias);
    if (start == NULL) {
        wire_put_nil(out);
    } else {
        wire_put_array(out, 2);
        wire_put_uint(out, start->size);
        wire_put_bin(out, span_of(start->hash.bytes, HASH_SIZE));
    }
    batch_put(entries, signature, out);
    frame_end(out, begun_at);
}

void message_put_first_batch(uint32_t alias, const struct log_beginning *beginning,
                             struct batch_writer *entries,
                             const uint8_t signature[static SIGNATURE_SIZE], struct buf *out)
{
    static const struct hash none;
    size_t begun_at = message_begin(MESSAGE_BATCH, 4, out);
    bool has_epoch = memcmp(&beginning->epoch, &none, sizeof none) != 0;

    wire_put_uint(out, alias);
    wire_put_array(out, 4);
    wire_put_uint(out, beginning->size);
    wire_put_bin(out, span_of(beginning->hash.bytes, HASH_SIZE));
    wire_put_uint(out, beginning->epochs_count);
    wire_put_bin(out, span_of(beginning->epoch.bytes, has_epoch ? HASH_SIZE : 0));
    batch_put(entries, signature, out);
    frame_end(out, begun_at);
}

void message_put_acks(const struct ack *acks, size_t count, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_ACK, 1, out);

    wire_put_array(out, count);
    for (size_t at = 0; at < count; at++) {
        wire_put_array(out, 2);
        wire_put_uint(out, acks[at].alias);
        wire_put_uint(out, acks[at].size);
    }
    frame_end(out, begun_at);
}

void message_put_credit(uint64_t bytes, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_CREDIT, 1, out);

    wire_put_uint(out, bytes);
    frame_end(out, begun_at);
}

void message_put_bye(enum bye_reason reason, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_BYE, 1, out);

    wire_put_uint(out, reason);
    frame_end(out, begun_at);
}

void message_put_ping(struct buf *out)
{
    frame_end(out, message_begin(MESSAGE_PING, 0, out));
}

void message_put_pong(struct buf *out)
{
    frame_end(out, message_begin(MESSAGE_PONG, 0, out));
}

void message_put_identity(struct span identity, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_IDENTITY, 1, out);

    wire_put_bin(out, identity);
    frame_end(out, begun_at);
}

void message_put_link(const struct link_message *link, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_LINK, 6, out);

    wire_put_bin(out, span_of(link->secret, link->has_secret ? KEY_SIZE : 0));
    wire_put_bin(out, span_of(link->knock, KEY_SIZE));
    wire_put_bin(out, span_of(link->pair_space.bytes, ID_SIZE));
    wire_put_bin(out, span_of(link->card_space.bytes, ID_SIZE));
    wire_put_str(out, link->name);
    wire_put_bin(out, link->addresses);
    frame_end(out, begun_at);
}

void message_put_refused(enum refusal refusal, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_REFUSED, 1, out);

    wire_put_uint(out, refusal);
    frame_end(out, begun_at);
}

static void message_put_log_id(const struct log_id *log, struct buf *out)
{
    wire_put_bin(out, span_of(log->space.bytes, ID_SIZE));
    wire_put_bin(out, span_of(log->device.bytes, 32));
}

void message_put_place(enum message_type type, const struct log_id *log, uint64_t size,
                       struct buf *out)
{
    size_t begun_at = message_begin(type, 3, out);

    message_put_log_id(log, out);
    wire_put_uint(out, size);
    frame_end(out, begun_at);
}

void message_put_trace(const struct log_id *log, const struct trace_tag *tags, size_t count,
                       bool is_last, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_TRACE, 4, out);

    message_put_log_id(log, out);
    wire_put_array(out, count);
    for (size_t at = 0; at < count; at++) {
        wire_put_array(out, 2);
        wire_put_uint(out, tags[at].size);
        wire_put_bin(out, span_of(tags[at].tag, TAG_SIZE));
    }
    wire_put_bool(out, is_last);
    frame_end(out, begun_at);
}

void message_put_returned(const struct returned_row *row, uint32_t number, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_RETURNED, MESSAGE_RETURNED_ELEMENTS, out);

    returned_put(row, number, out);
    frame_end(out, begun_at);
}

void message_put_stored(uint32_t number, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_STORED, 1, out);

    wire_put_uint(out, number);
    frame_end(out, begun_at);
}

void message_put_facts(const struct span *statements, size_t count, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_FACTS, 1, out);

    wire_put_array(out, count);
    for (size_t at = 0; at < count; at++)
        wire_put_bin(out, statements[at]);
    frame_end(out, begun_at);
}

void message_put_want(const struct log_id *log, const uint64_t *seqs, size_t count, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_WANT, 3, out);

    message_put_log_id(log, out);
    wire_put_array(out, count);
    for (size_t at = 0; at < count; at++)
        wire_put_uint(out, seqs[at]);
    frame_end(out, begun_at);
}

void message_put_payload(uint64_t seq, struct span bytes, struct buf *out)
{
    size_t begun_at = message_begin(MESSAGE_PAYLOAD, 2, out);

    wire_put_uint(out, seq);
    wire_put_bin(out, bytes);
    frame_end(out, begun_at);
}
