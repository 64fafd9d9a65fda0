/* Entries, signatures and shapes: B43 to B71. */
#include <string.h>

#include "proto/card.h"
#include "storage/ledger_state.h"
#include "storage/replica.h"
#include "storage/view_peer.h"
#include "tests/sim/siege.h"

/* A live session in which mal's pair log has the number 0. */
static bool siege_record_open(struct siege *siege, struct chain *out_tip)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct buf framed = {0};

    *out_tip = hostile_tip(&siege->hostile, &log);
    if (!siege_open(siege))
        return false;
    message_put_log(0, &log, &framed);
    hostile_say(&siege->hostile, &framed);
    return true;
}

static const struct entry siege_entry = {.payload = {(const uint8_t *)"\x93\x02\x01", 3}};

/* A batch whose signature somebody else chooses. */
static void siege_say_signed(struct siege *siege, const struct chain *start, uint8_t signature[64])
{
    struct batch_writer writer = {0};
    struct entry hashed = siege_entry;
    struct buf framed = {0};

    entry_hash_payload(&hashed);
    batch_add(&writer, &hashed);
    message_put_batch(0, start, &writer, signature, &framed);
    batch_release(&writer);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] == 0, "nothing was stored");
}

/* What mal's device would sign for one more entry. */
static void siege_head(struct siege *siege, const struct chain *start, struct head *out)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct entry hashed = siege_entry;
    struct chain end = *start;

    entry_hash_payload(&hashed);
    (void)chain_extend(&end, &hashed.header);
    world_must(head_sign(ledger_signing_key(siege->mal->ledger), &log, &end, out));
}

static void siege_bad_signature(struct siege *siege)
{
    struct chain tip;
    struct head head;

    if (!siege_record_open(siege, &tip))
        return;
    siege_head(siege, &tip, &head);
    head.signature[20] ^= 1;
    siege_say_signed(siege, &tip, head.signature);
}

static void siege_wrong_author(struct siege *siege)
{
    struct chain tip;
    struct buf framed = {0};

    if (!siege_record_open(siege, &tip))
        return;
    siege_put_batch(siege, &tip, &siege_entry, ledger_signing_key(siege->ben->ledger), &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
}

/* The same bytes signed for another purpose. */
static void siege_wrong_purpose(struct siege *siege)
{
    struct log_id log = hostile_pair_log(&siege->hostile);
    struct entry hashed = siege_entry;
    uint8_t signature[SIGNATURE_SIZE];
    struct buf covered = {0};
    struct chain tip, end;

    if (!siege_record_open(siege, &tip))
        return;
    end = tip;
    entry_hash_payload(&hashed);
    (void)chain_extend(&end, &hashed.header);
    buf_append(&covered, span_of(log.space.bytes, ID_SIZE));
    buf_append(&covered, span_of(log.device.bytes, 32));
    buf_u64(&covered, end.size);
    buf_append(&covered, span_of(end.hash.bytes, HASH_SIZE));
    world_must(identity_sign(ledger_signing_key(siege->mal->ledger), "kith cert",
                             buf_span(&covered), signature));
    buf_release(&covered);
    siege_say_signed(siege, &tip, signature);
}

/* S + L instead of S: the same signature to a careless verifier. */
static void siege_malleated(struct siege *siege)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct chain tip;
    struct head head;
    unsigned carry = 0;

    if (!siege_record_open(siege, &tip))
        return;
    siege_head(siege, &tip, &head);
    for (size_t at = 0; at < 32; at++) {
        carry += (unsigned)head.signature[32 + at] + order[at];
        head.signature[32 + at] = (uint8_t)carry;
        carry >>= 8;
    }
    siege_say_signed(siege, &tip, head.signature);
}

/* Two entries of one number: the first counts, the other is not stored. */
static void siege_fork_of_its_own(struct siege *siege)
{
    static const struct entry other = {.payload = {(const uint8_t *)"\x93\x02\x02", 3}};
    struct chain tip, start;
    struct buf framed = {0};

    if (!siege_record_open(siege, &tip))
        return;
    start = tip;
    siege_put_batch(siege, &start, &siege_entry, NULL, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] == 1, "the first is stored");
    start = tip;
    siege_put_batch(siege, &start, &other, NULL, &framed);
    hostile_say(&siege->hostile, &framed);
    siege_put_batch(siege, &start, &other, NULL, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] == 1, "the other is not");
}

static void siege_thousand_branches(struct siege *siege)
{
    struct chain tip;

    if (!siege_record_open(siege, &tip))
        return;
    for (unsigned at = 0; at < 300 && siege->hostile.is_connected; at++) {
        uint8_t payload[3] = {0x93, (uint8_t)(at >> 7), (uint8_t)(at & 0x7f)};
        const struct entry entry = {.payload = span_of(payload, sizeof payload)};
        struct chain start = tip;
        struct buf framed = {0};

        siege_put_batch(siege, &start, &entry, NULL, &framed);
        hostile_say(&siege->hostile, &framed);
        hostile_wait(&siege->hostile, 20);
    }
}

static void siege_wrong_previous(struct siege *siege)
{
    struct chain tip;
    struct buf framed = {0};

    if (!siege_record_open(siege, &tip))
        return;
    tip.hash.bytes[3] ^= 1;
    siege_put_batch(siege, &tip, &siege_entry, NULL, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] == 0, "nothing was stored");
}

/* An own edit of any kind in mal's card space, rightly sealed, signed and given. */
static void siege_say_edit(struct siege *siege, struct edit_space *edit)
{
    struct log_id log = hostile_card_log(&siege->hostile);
    struct chain tip = hostile_tip(&siege->hostile, &log);
    struct ledger_txn *txn;

    siege->is_stored = true;
    if (!siege_open(siege))
        return;
    world_must(ledger_begin(siege->mal->ledger, world_wall_ms(siege->mal), &txn));
    world_must(ledger_append(txn, &log.space, edit, 0));
    world_must(ledger_commit(txn, NULL));
    siege_give(siege, siege->mal, &log, &tip);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] == 1, "it is stored");
}

static void siege_edit_at(struct siege *siege, uint64_t time_ms, uint64_t counter, uint8_t kind,
                          const char *text)
{
    struct edit_space edit;

    siege_text_edit(kind, CARD_NAME, time_ms, counter, text, &edit);
    siege_say_edit(siege, &edit);
    edit_release(&edit);
}

static void siege_year_3000(struct siege *siege)
{
    siege_edit_at(siege, UINT64_C(32503680000000), 1, KIND_CARD, "mal of the future");
}

static void siege_year_0(struct siege *siege)
{
    siege_edit_at(siege, 0, 1, KIND_CARD, "mal of the past");
}

static void siege_greatest_counter(struct siege *siege)
{
    siege_edit_at(siege, UINT64_C(1700000000000), COUNTER_MAX, KIND_CARD, "mal to the end");
}

static void siege_unknown_kind(struct siege *siege)
{
    siege_edit_at(siege, UINT64_C(1700000000000), 1, 250, "what is this?");
}

static void siege_wild_name(struct siege *siege)
{
    siege_edit_at(siege, UINT64_C(1700000000000), 9, KIND_CARD,
                  "\xe2\x80\xae\x1b[31mben\xe2\x80\x8b\xcc\x81\xcc\x81\xcc\x81\xcc\x81\x07");
}

/* The first bytes of a message, then what the case says. */
static void siege_say_shapes(struct siege *siege, const struct span *shapes, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        siege->ana->rule[0] = '\0';
        if (!siege_open(siege))
            return;
        hostile_say_raw(&siege->hostile, shapes[at]);
        hostile_wait(&siege->hostile, 1000);
        if (siege->hostile.bye != BYE_BROKEN_RULE || strncmp(siege->ana->rule, "SYNC-17", 7) != 0)
            judge_fail(&siege->judge, "shape %zu: expected bye 3 by SYNC-17", at);
        hostile_hang_up(&siege->hostile);
        hostile_wait(&siege->hostile, 25 * 3600 * 1000); /* The third in a day is punished. */
    }
}

#define SIEGE_SHAPE(text)                                                                          \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static void siege_shapes(struct siege *siege)
{
    static const struct span shapes[] = {
        SIEGE_SHAPE("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01"), /* B57: nine deep */
        SIEGE_SHAPE("\xdd\xff\xff\xff\xff\x01"),                 /* B58: a huge array */
        SIEGE_SHAPE("\xc6\xff\xff\xff\xff"),                     /* B58: a huge binary */
        SIEGE_SHAPE("\x92\x07\xcd\x00\x05"),                     /* B59: five, not shortest */
        SIEGE_SHAPE("\x92\x07\xcb\x3f\xf0\0\0\0\0\0\0"),         /* B59: a float */
        SIEGE_SHAPE("\x92\x07\xd4\x01\x02"),                     /* B59: an ext */
        SIEGE_SHAPE("\x92\x07\x05\x05"),                         /* B59: something left over */
        SIEGE_SHAPE("\x92\x07\xff"),                             /* B59: a negative number */
        SIEGE_SHAPE("\x81\x07\x05"),                             /* B59: a map */
        SIEGE_SHAPE("\x91\x63"),                                 /* B60: an unknown number */
    };

    siege_say_shapes(siege, shapes, sizeof shapes / sizeof shapes[0]);
    siege->ana->violations = 0;
}

/* B56: one byte more than a message may have; its size alone says so. */
static void siege_too_long(struct siege *siege)
{
    struct buf framed = {0};

    if (!siege_open(siege))
        return;
    buf_u32(&framed, MESSAGE_SIZE_MAX + 1);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.bye == BYE_BROKEN_RULE, "bye 3");
}

/* What was sealed for the card space, as it lies there, in the pair log. */
static void siege_reposted(struct siege *siege)
{
    struct log_id card = hostile_card_log(&siege->hostile);
    struct chain card_tip = hostile_tip(&siege->hostile, &card), tip;
    struct entry_row row;
    struct snapshot snapshot;
    struct log_row log;
    struct buf framed = {0};

    siege->is_stored = true;
    if (!siege_record_open(siege, &tip))
        return;
    world_must(ledger_snapshot(siege->mal->ledger, &snapshot));
    world_must(ledger_log(&snapshot, &card, &log));
    world_must(ledger_entry_at(&snapshot, log.number, card_tip.size, &row));
    row.entry.header.epoch_index = 1;
    siege_put_batch(siege, &tip, &row.entry, NULL, &framed);
    ledger_snapshot_end(&snapshot);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
}

static void siege_unknown_epoch(struct siege *siege)
{
    struct entry sealed = {.header = {.epoch_index = 60000}, .payload = span_str("not openable")};
    struct chain tip;
    struct buf framed = {0}, use = {0};
    struct entry entry = {0};
    struct hash id;

    siege->is_stored = true;
    if (!siege_record_open(siege, &tip))
        return;
    memset(id.bytes, 0x77, HASH_SIZE);
    epoch_put_use(&id, &use);
    entry.payload = buf_span(&use);
    siege_put_batch(siege, &tip, &entry, NULL, &framed);
    siege_put_batch(siege, &tip, &sealed, NULL, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
    buf_release(&use);
}

/* ana has removed mal: the old secret opens nothing any more. */
static void siege_after_removal(struct siege *siege)
{
    world_op(siege->ana, "peer.remove", json_pack("{s:s}", "who", "mal"), NULL, NULL);
    hostile_wait(&siege->hostile, 1000);
    judge_parted(&siege->judge, siege->ana->person, siege->mal->person);
    for (int at = 0; at < 5; at++) {
        (void)hostile_greet(&siege->hostile);
        siege_expect_no_session(siege);
    }
    siege->is_stored = true;
}

/* ana removes mal in the middle of a session. */
static void siege_removed_while_talking(struct siege *siege)
{
    struct chain tip;
    struct buf framed = {0};

    if (!siege_record_open(siege, &tip))
        return;
    world_op(siege->ana, "peer.remove", json_pack("{s:s}", "who", "mal"), NULL, NULL);
    judge_parted(&siege->judge, siege->ana->person, siege->mal->person);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.bye != 0, "a bye");
    siege_put_batch(siege, &tip, &siege_entry, NULL, &framed);
    hostile_say(&siege->hostile, &framed);
    hostile_wait(&siege->hostile, 1000);
    siege_expect(siege, siege->hostile.said[MESSAGE_ACK] == 0, "nothing more is stored");
    siege->is_stored = true;
}

const struct siege_case siege_record_cases[] = {
    {.name = "B43 a bad signature", .run = siege_bad_signature, .rule = "SYNC-18"},
    {.name = "B44 B65 a good signature by another", .run = siege_wrong_author, .rule = "SYNC-18"},
    {.name = "B45 a signature for another purpose", .run = siege_wrong_purpose, .rule = "SYNC-18"},
    {.name = "B46 a signature with S + L", .run = siege_malleated, .rule = "SYNC-18"},
    {.name = "B47 B48 two entries of one number", .run = siege_fork_of_its_own},
    {.name = "B49 three hundred branches", .run = siege_thousand_branches},
    {.name = "B50 another entry before it", .run = siege_wrong_previous},
    {.name = "B53 the year 3000", .run = siege_year_3000},
    {.name = "B53 the year 0", .run = siege_year_0},
    {.name = "B55 the greatest counter", .run = siege_greatest_counter},
    {.name = "B56 a byte too long", .run = siege_too_long, .rule = "SYNC-17"},
    {.name = "B57 B58 B59 B60 shapes that cannot be", .run = siege_shapes},
    {.name = "B60 an unknown kind", .run = siege_unknown_kind},
    {.name = "B61 a name that would turn a terminal round", .run = siege_wild_name},
    {.name = "B67 sealed for another space", .run = siege_reposted},
    {.name = "B68 an epoch nobody has heard of", .run = siege_unknown_epoch},
    {.name = "B70 calls after its removal", .run = siege_after_removal},
    {.name = "B70 writes after its removal", .run = siege_removed_while_talking},
    {.name = NULL},
};
