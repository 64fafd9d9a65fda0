/* Epochs and keys: B51, B52, B54, B69, B71. All in mal's card space, which ana reads. */
#include <stdio.h>
#include <string.h>

#include "proto/card.h"
#include "storage/ledger_state.h"
#include "storage/replica.h"
#include "storage/view_peer.h"
#include "tests/sim/siege.h"

enum { SIEGE_DANGLING = 20000, SIEGE_TIES = 40 };

/* A log of mal's beyond what his own store knows of it. */
struct siege_log {
    struct siege *siege;
    uint32_t number;
    struct log_id log;
    struct chain tip;
    struct hash current; /* the epoch his store writes under */
    uint8_t key[KEY_SIZE];
    uint32_t indices; /* epochs of this log so far */
};

/* In an open session. */
static void siege_log_begin(struct siege *siege, const struct log_id *id, uint32_t number,
                            struct siege_log *out)
{
    struct snapshot snapshot;
    struct space_row space;
    struct log_row log;
    struct buf framed = {0};

    *out = (struct siege_log){.siege = siege, .number = number, .log = *id};
    siege->is_stored = true;
    world_must(ledger_snapshot(siege->mal->ledger, &snapshot));
    world_must(ledger_space(&snapshot, &out->log.space, &space));
    world_must(ledger_log(&snapshot, &out->log, &log));
    out->tip = log.tip;
    out->indices = log.epochs_count;
    out->current = space.current;
    world_must(epoch_table_key(&snapshot, &out->current, out->key));
    ledger_snapshot_end(&snapshot);
    message_put_log(number, id, &framed);
    hostile_say(&siege->hostile, &framed);
}

static bool siege_card_open(struct siege *siege, struct siege_log *out)
{
    struct log_id log = hostile_card_log(&siege->hostile);

    if (!siege_open(siege))
        return false;
    siege_log_begin(siege, &log, 0, out);
    return true;
}

static void siege_log_say(struct siege_log *log, const struct entry *entry)
{
    struct buf framed = {0};

    siege_put_entry(log->siege, &log->log, log->number, &log->tip, entry, NULL, &framed);
    hostile_say(&log->siege->hostile, &framed);
}

/* One that is not sealed: it takes an index, whatever it is. */
static void siege_log_say_open(struct siege_log *log, struct span payload)
{
    const struct entry entry = {.payload = payload};

    log->indices++;
    siege_log_say(log, &entry);
}

/* An edit, sealed under this key as of this index; released. */
static void siege_log_say_edit(struct siege_log *log, uint32_t index, const uint8_t *epoch_key,
                               struct edit_space *edit)
{
    struct entry entry = {.header = {.epoch_index = index}};
    struct buf plain = {0}, sealed = {0};
    uint8_t key[KEY_SIZE];

    world_must(edit_write(edit, &plain));
    entry_key(epoch_key, &log->log, key);
    entry_seal(key, &entry.header, log->tip.size + 1, buf_span(&plain), &sealed);
    world_must(buf_err(&sealed));
    entry.payload = buf_span(&sealed);
    siege_log_say(log, &entry);
    hostile_wait(&log->siege->hostile, 2000);
    edit_release(edit);
    buf_release(&plain);
    buf_release(&sealed);
}

/* An organisation on the card. */
static void siege_card_say_org(struct siege_log *card, uint32_t index, const uint8_t *epoch_key,
                               const char *text)
{
    struct edit_space edit;

    siege_text_edit(KIND_CARD, CARD_ORG, UINT64_C(1700000000000), 1000, text, &edit);
    siege_log_say_edit(card, index, epoch_key, &edit);
}

struct siege_epoch_shape {
    struct span parents, previous;
    uint64_t depth;
    uint64_t wraps; /* as many are announced; none follows */
};

static void siege_epoch_put(const struct siege_epoch_shape *shape, struct buf *out)
{
    static const uint8_t zeros[HASH_SIZE] = {0};

    buf_clear(out);
    wire_put_array(out, 7);
    wire_put_uint(out, 1);
    wire_put_bin(out, shape->parents);
    wire_put_uint(out, shape->depth);
    wire_put_bin(out, span_of(zeros, HASH_SIZE));
    wire_put_bin(out, span_of(zeros, HASH_SIZE));
    wire_put_bin(out, shape->previous);
    wire_put_array(out, shape->wraps);
}

/* A hash names nothing that comes after it, so that no circle closes; what tries to look like one
 * is passed over, and the index it takes is the only trace of it. */
static void siege_own_parents(struct siege *siege)
{
    static uint8_t ids[(EPOCH_PARENTS_MAX + 1) * HASH_SIZE], wrong[EPOCH_PREVIOUS_SIZE + 1];
    const struct siege_epoch_shape shapes[] = {
        {.parents = span_of(ids, HASH_SIZE), .depth = 1},     /* older than its parent */
        {.parents = span_of(ids, HASH_SIZE), .depth = 0},     /* no depth at all */
        {.parents = span_of(ids, 2 * HASH_SIZE), .depth = 2}, /* one parent twice */
        {.parents = span_of(ids, sizeof ids), .depth = 2},    /* one too many */
        {.parents = span_of(ids, HASH_SIZE - 1), .depth = 2}, /* half a parent */
        {.parents = span_of(ids, HASH_SIZE), .depth = EPOCH_DEPTH_MAX + 1},
        {.parents = span_of(ids, HASH_SIZE), .previous = span_of(wrong, sizeof wrong), .depth = 2},
        {.depth = 1, .wraps = EPOCH_WRAPS_MAX + 1},
        {.depth = 2}, /* deep without a parent */
    };
    struct siege_log card;
    struct epoch first;
    struct buf payload = {0};

    if (!siege_card_open(siege, &card))
        return;
    for (size_t at = 0; at < sizeof shapes / sizeof shapes[0]; at++) {
        siege_epoch_put(&shapes[at], &payload);
        siege_log_say_open(&card, buf_span(&payload));
    }
    /* The nearest to a circle: one that names an id at random, one that names the first, and the
     * first again, under the number of the second. */
    siege_epoch_put(&shapes[0], &payload);
    siege_epoch_put(&(struct siege_epoch_shape){.parents = span_of(ids, HASH_SIZE), .depth = 2},
                    &payload);
    siege_log_say_open(&card, buf_span(&payload));
    world_must(epoch_read(&card.log, buf_span(&payload), &first));
    siege_epoch_put(
        &(struct siege_epoch_shape){.parents = span_of(first.id.bytes, HASH_SIZE), .depth = 3},
        &payload);
    siege_log_say_open(&card, buf_span(&payload));
    siege_card_say_org(&card, 1, card.key, "mal after the circle");
    siege_expect(siege, siege_is_shown(siege, "mal after the circle"), "what follows is read");
    buf_release(&payload);
}

/* Epochs whose parents nobody has: each costs its row, and nothing is followed. */
static void siege_dangling_parents(struct siege *siege)
{
    struct log_id log = hostile_card_log(&siege->hostile);
    struct buf payload = {0}, framed = {0};
    uint8_t parent[HASH_SIZE] = {0};
    struct siege_log card;

    if (!siege_card_open(siege, &card))
        return;
    for (uint32_t at = 0; at < SIEGE_DANGLING && siege->hostile.is_connected;) {
        struct batch_writer writer = {0};
        struct chain start = card.tip;
        struct head head;
        bool is_closed = false;

        for (; at < SIEGE_DANGLING && !is_closed; at++) {
            struct entry entry = {0};

            be32_put(parent, at + 1);
            siege_epoch_put(
                &(struct siege_epoch_shape){.parents = span_of(parent, HASH_SIZE), .depth = 2},
                &payload);
            entry.payload = buf_span(&payload);
            entry_hash_payload(&entry);
            is_closed = chain_extend(&card.tip, &entry.header);
            batch_add(&writer, &entry);
        }
        world_must(head_sign(ledger_signing_key(siege->mal->ledger), &log, &card.tip, &head));
        message_put_batch(0, &start, &writer, head.signature, &framed);
        batch_release(&writer);
        hostile_say(&siege->hostile, &framed);
        hostile_wait(&siege->hostile, 100);
    }
    hostile_wait(&siege->hostile, 2000);
    siege_card_say_org(&card, 1, card.key, "mal and his parents");
    siege_expect(siege, siege_is_shown(siege, "mal and his parents"), "what follows is read");
    buf_release(&payload);
}

/* The same counter, time and device: the hash decides, and does so again when the views are made
 * anew. */
static void siege_all_ties(struct siege *siege)
{
    struct siege_log card;
    char text[32], winner[32] = "";
    uint8_t best[HASH_SIZE] = {0};

    if (!siege_card_open(siege, &card))
        return;
    for (int at = 0; at < SIEGE_TIES; at++) {
        struct snapshot snapshot;
        struct entry_row row;
        struct log_row log;

        (void)snprintf(text, sizeof text, "tie number %02d", at);
        siege_card_say_org(&card, 1, card.key, text);
        world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
        world_must(ledger_log(&snapshot, &card.log, &log));
        world_must(ledger_entry_at(&snapshot, log.number, card.tip.size, &row));
        if (memcmp(row.entry.header.payload_hash.bytes, best, HASH_SIZE) > 0) {
            memcpy(best, row.entry.header.payload_hash.bytes, HASH_SIZE);
            memcpy(winner, text, sizeof winner);
        }
        ledger_snapshot_end(&snapshot);
    }
    siege_expect(siege, siege_is_shown(siege, winner), "the greatest hash counts");
    world_op(siege->ana, "doctor.rebuild", json_object(), NULL, NULL);
    hostile_wait(&siege->hostile, 5000);
    siege_expect(siege, siege_is_shown(siege, winner), "and again");
}

/* What mal tells ana to be the key of this epoch. */
static void siege_grant(struct siege_log *pair, const struct id *card, const struct hash *epoch,
                        const uint8_t *key, uint64_t counter)
{
    const struct {
        uint8_t field;
        struct value value;
    } said[] = {
        {GRANT_SPACE, {VALUE_BYTES, .bytes = span_of(card->bytes, ID_SIZE)}},
        {GRANT_SPACE_KIND, {VALUE_NUMBER, .number = SPACE_CARD}},
        {GRANT_EPOCH, {VALUE_BYTES, .bytes = span_of(epoch->bytes, HASH_SIZE)}},
        {GRANT_KEY, {VALUE_BYTES, .bytes = span_of(key, KEY_SIZE)}},
    };
    struct edit_space edit = {0};
    struct id id;

    memcpy(id.bytes, epoch->bytes, ID_SIZE);
    edit_begin(&edit, KIND_GRANT, &id, world_wall_ms(pair->siege->mal));
    for (size_t at = 0; at < sizeof said / sizeof said[0]; at++)
        edit_set(&edit, said[at].field, counter, said[at].value);
    siege_log_say_edit(pair, pair->indices, pair->key, &edit);
}

static bool siege_has_key(struct siege *siege, const struct hash *epoch, const uint8_t *key)
{
    struct snapshot snapshot;
    uint8_t held[KEY_SIZE];
    bool has;

    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    has = epoch_table_key(&snapshot, epoch, held) == ERR_OK && memcmp(held, key, KEY_SIZE) == 0;
    ledger_snapshot_end(&snapshot);
    return has;
}

/* One record, two readers, two keys: what mal grants ana opens nothing that the epoch is not
 * committed to, whichever comes first; the true key does. */
static void siege_two_keys(struct siege *siege)
{
    static const uint8_t other[KEY_SIZE] = {0x42};
    const struct log_id pair_log = hostile_pair_log(&siege->hostile);
    struct siege_log card, pair;

    if (!siege_card_open(siege, &card))
        return;
    siege_log_begin(siege, &pair_log, 1, &pair);
    for (uint32_t is_early = 0; is_early < 2; is_early++) {
        const char *text = is_early ? "granted before" : "granted after";
        struct epoch_plan plan = {.space = card.log.space,
                                  .opener = card.log.device,
                                  .parents = &card.current,
                                  .parents_count = 1,
                                  .depth = 2 + is_early};
        struct buf payload = {0};
        uint8_t key[KEY_SIZE];
        struct hash id;

        world_must(epoch_create(&plan, &siege->mal->entropy, key, &id, &payload));
        if (is_early)
            siege_grant(&pair, &plan.space, &id, other, 1);
        siege_log_say_open(&card, buf_span(&payload));
        hostile_wait(&siege->hostile, 1000);
        if (!is_early)
            siege_grant(&pair, &plan.space, &id, other, 1);
        siege_card_say_org(&card, card.indices, key, text);
        siege_expect(siege, !siege_has_key(siege, &id, other), "a key that fits is held alone");
        siege_expect(siege, !siege_is_shown(siege, text), "nothing is read");
        siege_grant(&pair, &plan.space, &id, key, 2);
        siege_expect(siege, siege_has_key(siege, &id, key), "the true key is held");
        siege_expect(siege, siege_is_shown(siege, text), "and opens what waited");
        buf_release(&payload);
    }
}

/* Ana has removed dan, and opened a new epoch. mal says that he holds what was before it, and
 * hands her a log in which it is not: she goes on under the new one. */
static uint32_t siege_newest_index(struct siege *siege, struct log_id *out_log, uint64_t *out_size)
{
    struct snapshot snapshot;
    struct space_row card;
    struct entry_row row;
    struct log_row log;

    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    world_must(ledger_own_space(&snapshot, SPACE_CARD, &card));
    *out_log = (struct log_id){.space = card.id, .device = siege->device};
    world_must(ledger_log(&snapshot, out_log, &log));
    *out_size = log.tip.size;
    world_must(ledger_entry_at(&snapshot, log.number, log.tip.size, &row));
    ledger_snapshot_end(&snapshot);
    return row.entry.header.epoch_index;
}

static void siege_strips_the_newest(struct siege *siege)
{
    struct world_node *dan = siege_friend(siege, "dan");
    struct buf framed = {0};
    struct snapshot snapshot;
    struct replica replica;
    struct log_id log;
    struct chain chain;
    struct mark mark;
    uint64_t size, later;
    uint32_t before, after;

    siege->is_stored = true;
    before = siege_newest_index(siege, &log, &size);
    world_op(siege->ana, "peer.remove", json_pack("{s:s}", "who", "dan"), NULL, NULL);
    judge_parted(&siege->judge, siege->ana->person, dan->person);
    judge_parted(&siege->judge, dan->person, siege->ana->person);
    hostile_wait(&siege->hostile, 3000);
    world_stop(dan);
    world_must(ledger_snapshot(siege->ana->ledger, &snapshot));
    replica_of(&snapshot, &replica);
    world_must(replica.chain_at(replica.self, &log, size, &chain));
    ledger_snapshot_end(&snapshot);
    chain_mark(&chain, &log, &mark);
    if (!siege_open(siege))
        return;
    message_put_marks(&mark, 1, true, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 2000);
    siege_expect(siege, siege->hostile.said[MESSAGE_BATCH] > 0, "ana gives the new epoch again");
    world_op(siege->ana, "me.edit", json_pack("{s:s}", "org", "after dan"), NULL, NULL);
    hostile_wait(&siege->hostile, 2000);
    after = siege_newest_index(siege, &log, &later);
    siege_expect(siege, later > size && after > before, "what she writes is under the new one");
}

const struct siege_case siege_epoch_cases[] = {
    {.name = "B51 epochs that are their own parents", .run = siege_own_parents},
    {.name = "B52 epochs whose parents are nowhere", .run = siege_dangling_parents},
    {.name = "B54 all ties at once", .run = siege_all_ties},
    {.name = "B69 two keys for one record", .run = siege_two_keys},
    {.name = "B71 strips the newest epoch", .run = siege_strips_the_newest},
    {.name = NULL},
};
