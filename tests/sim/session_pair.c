/* Everything is drawn from constant seeds, so that every run says the same. */
#include "tests/sim/session_pair.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "proto/frame.h"
#include "proto/limits.h"

enum { SESSION_PAIR_PIECE = 60000 };

static const char *const session_pair_space_names[] = {"ana-pair", "ben-pair", "ana-card",
                                                       "ben-card"};
static const char *const session_pair_reasons[] = {"done",   "violation", "fork",    "store",
                                                   "silent", "refused",   "version", "replaced"};
static const char *const session_pair_refusals[] = {"?",       "spent", "expired",
                                                    "revoked", "self",  "blocked"};

/* Writing down. */

__attribute__((format(printf, 2, 3))) static void session_pair_say(struct session_pair *pair,
                                                                   const char *format, ...)
{
    char line[400];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    KITH_ASSERT(size >= 0 && (size_t)size < sizeof line);
    buf_append(&pair->text, span_of(line, (size_t)size));
}

static const char *session_pair_name(const struct session_pair *pair, const struct id *space)
{
    for (size_t at = 0; at < SESSION_PAIR_SPACES; at++)
        if (id_is_equal(&pair->spaces[at], space))
            return session_pair_space_names[at];
    return "unknown";
}

static void session_pair_say_marks(struct session_pair *pair, struct message *message)
{
    struct mark mark;

    session_pair_say(pair, "marks");
    while (message_next_mark(message, &mark) == ERR_OK)
        session_pair_say(pair, " %s:%llu", session_pair_name(pair, &mark.log.space),
                         (unsigned long long)mark.size);
    session_pair_say(pair, message->marks.is_last ? "\n" : " ...\n");
}

static void session_pair_say_batch(struct session_pair *pair, struct message *message)
{
    struct wire rest = message->batch.rest;
    size_t count = wire_array(&rest, 1, BLOCK_ENTRIES_MAX).left;

    session_pair_say(pair, "batch %u", (unsigned)message->batch.alias);
    if (message->batch.has_start)
        session_pair_say(pair, " from %llu", (unsigned long long)message->batch.start.size);
    session_pair_say(pair, " +%zu\n", count);
}

static void session_pair_say_acks(struct session_pair *pair, struct message *message)
{
    struct ack ack;

    session_pair_say(pair, "ack");
    while (message_next_ack(message, &ack) == ERR_OK)
        session_pair_say(pair, " %u:%llu", (unsigned)ack.alias, (unsigned long long)ack.size);
    session_pair_say(pair, "\n");
}

static void session_pair_say_trace(struct session_pair *pair, struct message *message)
{
    struct trace_tag tag;

    session_pair_say(pair, "trace %s", session_pair_name(pair, &message->trace.log.space));
    while (message_next_tag(message, &tag) == ERR_OK)
        session_pair_say(pair, " %llu", (unsigned long long)tag.size);
    session_pair_say(pair, message->trace.is_last ? "\n" : " ...\n");
}

static void session_pair_say_log(struct session_pair *pair, const struct message *message)
{
    session_pair_say(pair, "log %u is %s\n", (unsigned)message->log.alias,
                     session_pair_name(pair, &message->log.log.space));
}

static void session_pair_say_want(struct session_pair *pair, const struct message *message)
{
    if (message->type == MESSAGE_WANT)
        session_pair_say(pair, "want %s:%llu and %zu more\n",
                         session_pair_name(pair, &message->want.log.space),
                         (unsigned long long)message->want.seqs[0], message->want.count - 1);
    else
        session_pair_say(pair, "payload %llu%s\n", (unsigned long long)message->payload.seq,
                         message->payload.bytes.size > 0 ? "" : " is not here");
}

static void session_pair_say_message(struct session_pair *pair, struct message *message)
{
    switch (message->type) {
    case MESSAGE_HELLO:
        session_pair_say(pair, "hello\n");
        break;
    case MESSAGE_MARKS:
        session_pair_say_marks(pair, message);
        break;
    case MESSAGE_TOTALS:
        session_pair_say(pair, "totals %llu\n", (unsigned long long)message->totals.entries);
        break;
    case MESSAGE_LOG:
        session_pair_say_log(pair, message);
        break;
    case MESSAGE_BATCH:
        session_pair_say_batch(pair, message);
        break;
    case MESSAGE_ACK:
        session_pair_say_acks(pair, message);
        break;
    case MESSAGE_CREDIT:
        session_pair_say(pair, message->credit == 0 ? "full\n" : "credit\n");
        break;
    case MESSAGE_BYE:
        session_pair_say(pair, "bye %d\n", (int)message->bye);
        break;
    case MESSAGE_PING:
        session_pair_say(pair, "ping\n");
        break;
    case MESSAGE_PONG:
        session_pair_say(pair, "pong\n");
        break;
    case MESSAGE_IDENTITY:
        session_pair_say(pair, "identity\n");
        break;
    case MESSAGE_LINK:
        session_pair_say(pair, "link%s\n", message->link.has_secret ? " with secret" : "");
        break;
    case MESSAGE_REFUSED:
        session_pair_say(pair, "refused %s\n", session_pair_refusals[message->refusal]);
        break;
    case MESSAGE_WANT:
    case MESSAGE_PAYLOAD:
        session_pair_say_want(pair, message);
        break;
    case MESSAGE_TRACE_ASK:
        session_pair_say(pair, "trace? %s to %llu\n",
                         session_pair_name(pair, &message->trace_ask.log.space),
                         (unsigned long long)message->trace_ask.size);
        break;
    case MESSAGE_TRACE:
        session_pair_say_trace(pair, message);
        break;
    case MESSAGE_FETCH:
        session_pair_say(pair, "fetch %s from %llu\n",
                         session_pair_name(pair, &message->trace_ask.log.space),
                         (unsigned long long)message->trace_ask.size);
        break;
    case MESSAGE_RETURNED:
        session_pair_say(pair, "returned\n");
        break;
    case MESSAGE_STORED:
        session_pair_say(pair, "stored %u\n", (unsigned)message->stored);
        break;
    case MESSAGE_FACTS:
        session_pair_say(pair, "facts %zu\n", message->facts.left);
        break;
    }
}

static void session_pair_say_bytes(struct session_pair *pair, const struct session_side *side,
                                   struct span bytes)
{
    struct frame_reader reader = {0};
    struct wire_doc doc = {0};
    struct span one;

    KITH_ASSERT(frame_feed(&reader, bytes) == ERR_OK);
    while (frame_next(&reader, &one) == ERR_OK) {
        struct message message;

        KITH_ASSERT(message_read(&doc, one, &message) == ERR_OK);
        session_pair_say(pair, "%s> ", side->name);
        session_pair_say_message(pair, &message);
    }
    wire_release(&doc);
    frame_release(&reader);
}

/* Effects. */

static void session_pair_on_end(struct session_pair *pair, struct session_side *side,
                                const struct session_effect *effect)
{
    size_t size = 0;

    side->is_ended = true;
    side->reason = effect->end.reason;
    side->rule = effect->end.rule != NULL ? effect->end.rule : "";
    while (side->rule[size] != '\0' && side->rule[size] != ':')
        size++;
    session_pair_say(pair, "%s: end, %s", side->name, session_pair_reasons[effect->end.reason]);
    if (side->rule[size] == ':')
        session_pair_say(pair, " %.*s", (int)size, side->rule);
    session_pair_say(pair, "\n");
}

static void session_pair_on_effect(struct session_pair *pair, struct session_side *side,
                                   const struct session_effect *effect)
{
    struct session_side *other = &pair->sides[side == &pair->sides[ANA] ? BEN : ANA];

    switch (effect->type) {
    case SESSION_SEND:
        session_pair_say_bytes(pair, side, effect->bytes);
        buf_append(&other->inbox, effect->bytes);
        side->bytes_sent += effect->bytes.size;
        side->sends++;
        break;
    case SESSION_INGEST:
        KITH_ASSERT(side->commits_count < SESSION_SIDE_COMMITS_MAX);
        side->commits[side->commits_count++] =
            (struct session_commit){.ticket = effect->ingest.ticket, .batch = effect->ingest.batch};
        side->ingests++;
        break;
    case SESSION_RETURNED:
        KITH_ASSERT(side->commits_count < SESSION_SIDE_COMMITS_MAX);
        side->commits[side->commits_count++] = (struct session_commit){
            .ticket = effect->returned.ticket, .returned = effect->returned.returned};
        break;
    case SESSION_FILL:
        KITH_ASSERT(side->commits_count < SESSION_SIDE_COMMITS_MAX);
        side->commits[side->commits_count++] = (struct session_commit){
            .ticket = effect->fill.ticket, .log = effect->fill.log, .seq = effect->fill.seq};
        break;
    case SESSION_FACTS:
        session_pair_say(pair, "%s: facts\n", side->name);
        break;
    case SESSION_REBASE:
        session_pair_say(pair, "%s: rebase %s to %llu\n", side->name,
                         session_pair_name(pair, &effect->delivered.log.space),
                         (unsigned long long)effect->delivered.size);
        break;
    case SESSION_LINK:
        side->is_asked = true;
        side->has_answer = effect->link.is_claim || side == &pair->sides[BEN];
        session_pair_say(pair, "%s: link? %s\n", side->name,
                         effect->link.is_claim ? "claim" : "message");
        break;
    case SESSION_CONFIRMED:
        session_pair_say(pair, "%s: confirmed\n", side->name);
        break;
    case SESSION_ADDRESSES:
        break;
    case SESSION_DELIVERED:
        session_pair_say(pair, "%s: delivered %s:%llu\n", side->name,
                         session_pair_name(pair, &effect->delivered.log.space),
                         (unsigned long long)effect->delivered.size);
        break;
    case SESSION_IN_STEP:
        side->is_in_step = effect->is_in_step;
        session_pair_say(pair, "%s: %s\n", side->name,
                         effect->is_in_step ? "in step" : "out of step");
        break;
    case SESSION_FULL:
        session_pair_say(pair, "%s: %s\n", side->name,
                         effect->is_theirs ? "gives no more" : "takes no more");
        break;
    case SESSION_REFUSED:
        session_pair_say(pair, "%s: refused %s\n", side->name,
                         session_pair_refusals[effect->refusal]);
        break;
    case SESSION_END:
        session_pair_on_end(pair, side, effect);
        break;
    }
}

void session_pair_event(struct session_pair *pair, int index, struct session_event *event)
{
    struct session_side *side = &pair->sides[index];
    struct replica replica = replica_mem_replica(&side->replica);
    const struct session_effect *effects;
    size_t count;

    event->now_ms = pair->now_ms;
    KITH_ASSERT(session_step(side->session, event, &replica, &effects, &count) == ERR_OK);
    for (size_t at = 0; at < count; at++)
        session_pair_on_effect(pair, side, &effects[at]);
    session_rest(side->session);
}

/* Making. */

static struct signing_key *session_pair_key(uint8_t seed_byte)
{
    struct signing_key *key = secret_new(sizeof *key);
    uint8_t seed[SEED_SIZE];

    KITH_ASSERT(key != NULL);
    memset(seed, seed_byte, sizeof seed);
    identity_signing_key(seed, key);
    return key;
}

static void session_pair_make_side(struct session_side *side, const char *name, uint8_t seed)
{
    struct certificate certificate = {.time_ms = 1700000000000, .name = span_str("desk")};
    struct hash next_root = {{seed}};
    struct buf statement = {0};
    struct span span;

    side->name = name;
    side->root = session_pair_key(seed);
    side->device = session_pair_key((uint8_t)(seed + 1));
    memset(side->static_key, seed + 2, sizeof side->static_key);
    certificate.member = certificate.certifier = side->root->public_key;
    certificate.device = side->device->public_key;
    memcpy(certificate.static_key, side->static_key, 32);
    memset(certificate.receiving_key, seed + 3, 32);
    KITH_ASSERT(certificate_issue(&certificate, side->root, &statement) == ERR_OK);
    span = buf_span(&statement);
    device_put_identity(&side->root->public_key, &next_root, &span, 1, &side->identity);
    buf_release(&statement);
    replica_mem_init(&side->replica, &side->root->public_key);
    side->replica.device = side->device->public_key;
}

struct session_pair *session_pair_new(void)
{
    struct session_pair *pair = heap_new_zeroed(1, sizeof *pair);

    KITH_ASSERT(pair != NULL && secret_start() == ERR_OK);
    session_pair_make_side(&pair->sides[ANA], "ana", 10);
    session_pair_make_side(&pair->sides[BEN], "ben", 20);
    for (size_t at = 0; at < SESSION_PAIR_SPACES; at++)
        memset(pair->spaces[at].bytes, (int)(0xa0 + at), ID_SIZE);
    for (size_t side = 0; side < 2; side++) {
        struct replica_mem *replica = &pair->sides[side].replica;

        for (size_t at = 0; at < SESSION_PAIR_SPACES; at++)
            replica_mem_add_space(replica, &pair->spaces[at],
                                  &pair->sides[at % 2].root->public_key);
        for (size_t at = 0; at < 2; at++)
            replica_mem_add_device(replica, &pair->sides[at].device->public_key,
                                   &pair->sides[at].root->public_key);
    }
    return pair;
}

struct session_pair *session_pair_live(void)
{
    struct session_pair *pair = session_pair_new();

    session_pair_connect(pair, SESSION_PEER, SESSION_PEER);
    session_pair_run(pair);
    (void)session_pair_text(pair);
    return pair;
}

static void session_pair_free_commit(const struct session_commit *commit)
{
    verified_batch_free(commit->batch);
    returned_free(commit->returned);
}

static void session_pair_clear_side(struct session_side *side)
{
    for (size_t at = 0; at < side->commits_count; at++)
        session_pair_free_commit(&side->commits[at]);
    side->commits_count = 0;
    session_free(side->session);
    side->session = NULL;
    buf_clear(&side->inbox);
    buf_clear(&side->heard);
    side->is_ended = side->is_in_step = side->is_asked = false;
    side->ingests = side->bytes_sent = side->sends = 0;
}

void session_pair_free(struct session_pair *pair)
{
    for (size_t at = 0; at < 2; at++) {
        struct session_side *side = &pair->sides[at];

        session_pair_clear_side(side);
        replica_mem_release(&side->replica);
        buf_release(&side->inbox);
        buf_release(&side->heard);
        buf_release(&side->identity);
        secret_free(side->root);
        secret_free(side->device);
    }
    buf_release(&pair->text);
    heap_free(pair);
}

struct session_options session_pair_options(struct session_pair *pair, int index,
                                            enum session_role role)
{
    const struct session_side *side = &pair->sides[index], *other = &pair->sides[1 - index];
    struct session_options options = {.role = role, .member = side->root->public_key};

    memcpy(options.remote_static, other->static_key, KEY_SIZE);
    memset(options.handshake_hash, 7, HASH_SIZE);
    if (role == SESSION_PEER)
        options.peer = other->root->public_key;
    if (role == SESSION_INVITER)
        options.remote_identity = buf_span(&other->identity);
    options.identity = buf_span(&side->identity);
    return options;
}

void session_pair_connect(struct session_pair *pair, enum session_role ana, enum session_role ben)
{
    enum session_role roles[2] = {ana, ben};
    struct session_event start = {.type = SESSION_STARTED};

    for (int at = 0; at < 2; at++) {
        struct session_options options = session_pair_options(pair, at, roles[at]);

        session_pair_clear_side(&pair->sides[at]);
        KITH_ASSERT(session_new(&options, &pair->sides[at].session) == ERR_OK);
    }
    for (int at = 0; at < 2; at++)
        session_pair_event(pair, at, &start);
}

/* Driving. */

struct log_id session_pair_log(const struct session_pair *pair, int side,
                               enum session_pair_space space)
{
    return (struct log_id){.space = pair->spaces[space],
                           .device = pair->sides[side].device->public_key};
}

void session_pair_news(struct session_pair *pair, int side, enum session_pair_space space)
{
    struct session_event event = {.type = SESSION_NEWS, .news = pair->spaces[space]};

    if (pair->sides[side].session != NULL)
        session_pair_event(pair, side, &event);
}

void session_pair_write(struct session_pair *pair, int side, enum session_pair_space space,
                        size_t count, size_t size, uint8_t fill)
{
    struct session_side *writer = &pair->sides[side];

    KITH_ASSERT(replica_mem_append(&writer->replica, &pair->spaces[space], writer->device, count,
                                   size, fill) == ERR_OK);
    session_pair_news(pair, side, space);
}

static void session_pair_commit_fill(struct session_pair *pair, int index,
                                     const struct session_commit *commit)
{
    struct session_side *side = &pair->sides[index];
    struct session_event event = {.type = SESSION_COMMITTED};

    event.committed.ticket = commit->ticket;
    event.committed.err = side->commit_err;
    session_pair_say(pair, "%s: fill %s:%llu\n", side->name,
                     session_pair_name(pair, &commit->log.space), (unsigned long long)commit->seq);
    session_pair_event(pair, index, &event);
}

void session_pair_commit(struct session_pair *pair, int index)
{
    struct session_side *side = &pair->sides[index];
    struct session_commit commit = side->commits[0];
    struct session_event event = {.type = SESSION_COMMITTED};
    const struct verified_batch *batch =
        commit.returned != NULL ? commit.returned->batch : commit.batch;
    struct id space;

    side->commits_count--;
    memmove(&side->commits[0], &side->commits[1], side->commits_count * sizeof commit);
    if (batch == NULL) {
        session_pair_commit_fill(pair, index, &commit);
        return;
    }
    space = verified_batch_log(batch)->space;
    event.committed.ticket = commit.ticket;
    event.committed.err = side->commit_err != ERR_OK ? side->commit_err
                          : commit.returned != NULL
                              ? ERR_OK
                              : replica_mem_ingest(&side->replica, commit.batch);
    session_pair_say(pair, "%s: %s %s:%llu%s\n", side->name,
                     commit.returned != NULL ? "keep" : "commit", session_pair_name(pair, &space),
                     (unsigned long long)verified_batch_end(batch)->size,
                     event.committed.err == ERR_OK ? "" : " fails");
    session_pair_free_commit(&commit);
    session_pair_event(pair, index, &event);
}

void session_pair_answer(struct session_pair *pair, int index)
{
    struct session_side *side = &pair->sides[index];
    struct session_event event = {.type = SESSION_LINK_ANSWERED};

    side->is_asked = false;
    event.link.is_forged = side->finds_forged;
    event.link.is_refused = side->is_refusing;
    event.link.refusal = side->refusal;
    event.link.has_message = !side->is_refusing && side->has_answer;
    event.link.message.has_secret = index == ANA; /* ana invites in every scenario */
    event.link.message.name = span_str(side->name);
    session_pair_event(pair, index, &event);
}

bool session_pair_carry(struct session_pair *pair, int index, size_t max)
{
    struct session_side *side = &pair->sides[index];
    struct session_event event = {.type = SESSION_BYTES}, drained = {.type = SESSION_DRAINED};
    size_t size = side->inbox.size < max ? side->inbox.size : max;
    struct buf piece = {0};

    if (size == 0 || side->is_deaf)
        return false;
    buf_append(&piece, span_of(side->inbox.data, size));
    buf_drop(&side->inbox, size);
    event.bytes = buf_span(&piece);
    buf_append(&side->heard, event.bytes);
    session_pair_event(pair, index, &event);
    if (side->inbox.size == 0 && pair->sides[1 - index].session != NULL)
        session_pair_event(pair, 1 - index, &drained);
    buf_release(&piece);
    return true;
}

void session_pair_run(struct session_pair *pair)
{
    for (bool is_moving = true; is_moving;) {
        is_moving = false;
        for (int at = 0; at < 2; at++) {
            struct session_side *side = &pair->sides[at];

            is_moving |= session_pair_carry(pair, at, SESSION_PAIR_PIECE);
            if (side->commits_count > 0 && !side->holds_commits) {
                session_pair_commit(pair, at);
                is_moving = true;
            }
            if (side->is_asked && !side->holds_answer) {
                session_pair_answer(pair, at);
                is_moving = true;
            }
        }
    }
}

void session_pair_inject(struct session_pair *pair, int side, struct buf *bytes)
{
    struct session_event event = {.type = SESSION_BYTES, .bytes = buf_span(bytes)};

    KITH_ASSERT(buf_err(bytes) == ERR_OK);
    session_pair_event(pair, side, &event);
    buf_release(bytes);
}

const char *session_pair_text(struct session_pair *pair)
{
    buf_byte(&pair->text, 0);
    KITH_ASSERT(buf_err(&pair->text) == ERR_OK);
    pair->text.size = 0; /* What stands there stays until the next line. */
    return (const char *)pair->text.data;
}

bool session_pair_said(struct session_pair *pair, const char *expected)
{
    const char *text = session_pair_text(pair);
    bool is_same = span_is_equal(span_str(text), span_str(expected));

    if (!is_same)
        (void)fprintf(stderr, "what was said:\n%s", text);
    return is_same;
}
