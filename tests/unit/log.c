/* Entries, chains, heads and batches: what a receiver refuses, each bound at its edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "proto/limits.h"
#include "proto/log.h"

static const uint8_t log_epoch_key[KEY_SIZE] = {9};

struct log_writer {
    struct signing_key key;
    struct log_id id;
    struct chain chain;
    struct batch_writer batch;
    struct buf bytes;
};

static void log_writer_new(struct log_writer *writer)
{
    static const uint8_t seed[SEED_SIZE] = {7};

    assert_int_equal(secret_start(), ERR_OK);
    *writer = (struct log_writer){.id.space = {{3}}};
    identity_signing_key(seed, &writer->key);
    writer->id.device = writer->key.public_key;
    chain_begin(&writer->id, &writer->chain);
}

static bool log_add(struct log_writer *writer, uint32_t epoch, struct span payload)
{
    struct entry entry = {.header.epoch_index = epoch, .payload = payload};

    entry_hash_payload(&entry);
    batch_add(&writer->batch, &entry);
    return chain_extend(&writer->chain, &entry.header);
}

/* Closes the batch with a head and has it read from the log's beginning. */
static enum err log_verify(struct log_writer *writer, bool is_signed)
{
    struct verified_batch *batch = NULL;
    struct wire_doc doc = {0};
    struct chain tip, end;
    struct head head;
    struct wire wire;
    enum err err;

    assert_int_equal(head_sign(&writer->key, &writer->id, &writer->chain, &head), ERR_OK);
    if (!is_signed)
        head.signature[5] ^= 1;
    buf_clear(&writer->bytes);
    wire_put_array(&writer->bytes, 2);
    batch_put(&writer->batch, head.signature, &writer->bytes);
    assert_int_equal(buf_err(&writer->bytes), ERR_OK);
    chain_begin(&writer->id, &tip);
    err = wire_open(&doc, buf_span(&writer->bytes), &wire);
    if (err == ERR_OK)
        err = batch_verify(&wire, &writer->id, &tip, &end, &batch);
    if (err == ERR_OK) {
        assert_int_equal(verified_batch_count(batch), writer->batch.count);
        assert_memory_equal(end.hash.bytes, writer->chain.hash.bytes, HASH_SIZE);
        assert_int_equal(verified_batch_end(batch)->size, writer->chain.size);
        assert_int_equal(verified_batch_start(batch)->size, 0);
        assert_true(log_id_is_equal(verified_batch_log(batch), &writer->id));
    }
    verified_batch_free(batch);
    wire_release(&doc);
    return err;
}

static void log_writer_free(struct log_writer *writer)
{
    batch_release(&writer->batch);
    buf_release(&writer->bytes);
}

static void a_batch_is_taken_with_its_head_and_with_no_other(void **state)
{
    struct log_writer writer;

    (void)state;
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        log_writer_new(&writer);
        (void)log_add(&writer, 0, span_str("one"));
        (void)log_add(&writer, 1, span_str("two"));
        assert_int_equal(log_verify(&writer, is_signed != 0), is_signed ? ERR_OK : ERR_FORGED);
        log_writer_free(&writer);
    }
}

/* PROTOCOL BATCH-2: "computes every payload hash and the chain": any byte that is changed is seen.
 */
static void no_bit_of_a_batch_can_be_changed(void **state)
{
    struct verified_batch *batch;
    struct log_writer writer;
    struct chain tip, end;
    struct wire_doc doc;
    struct wire wire;
    enum err err;

    (void)state;
    log_writer_new(&writer);
    (void)log_add(&writer, 0, span_str("one"));
    (void)log_add(&writer, 1, span_str("two"));
    assert_int_equal(log_verify(&writer, true), ERR_OK);
    for (size_t at = 0; at < writer.bytes.size * 8; at++) {
        batch = NULL;
        doc = (struct wire_doc){0};
        writer.bytes.data[at / 8] ^= (uint8_t)(1U << at % 8);
        chain_begin(&writer.id, &tip);
        err = wire_open(&doc, buf_span(&writer.bytes), &wire);
        if (err == ERR_OK)
            err = batch_verify(&wire, &writer.id, &tip, &end, &batch);
        assert_true(err == ERR_MALFORMED || err == ERR_FORGED);
        wire_release(&doc);
        writer.bytes.data[at / 8] ^= (uint8_t)(1U << at % 8);
    }
    log_writer_free(&writer);
}

/* PROTOCOL BATCH-1: "A batch has 1 to BLOCK_ENTRIES_MAX entries." */
static void a_batch_has_one_to_256_entries(void **state)
{
    struct log_writer writer;

    (void)state;
    for (size_t count = 0; count <= BLOCK_ENTRIES_MAX + 1; count += count == 1 ? 254 : 1) {
        log_writer_new(&writer);
        for (size_t at = 0; at < count; at++)
            (void)log_add(&writer, 0, span_str("x"));
        assert_int_equal(log_verify(&writer, true),
                         count >= 1 && count <= BLOCK_ENTRIES_MAX ? ERR_OK : ERR_MALFORMED);
        log_writer_free(&writer);
    }
}

/* PROTOCOL LOG-3: "A block ends at the entry that brings it to 256 entries or to 256 KiB of
 * payload." */
static void a_block_ends_at_its_bound_and_a_batch_with_it(void **state)
{
    static const uint8_t filling[BLOCK_PAYLOAD_SIZE] = {1};
    struct log_writer writer;

    (void)state;
    for (int over = -1; over <= 0; over++) {
        log_writer_new(&writer);
        for (size_t at = 0; at < BLOCK_ENTRIES_MAX - 1; at++)
            assert_false(log_add(&writer, 0, span_str("x")));
        assert_int_equal(writer.chain.block_entries, BLOCK_ENTRIES_MAX - 1);
        assert_true(log_add(&writer, 0, span_str("x")));
        assert_int_equal(writer.chain.block_entries, 0);
        log_writer_free(&writer);

        log_writer_new(&writer);
        assert_false(log_add(&writer, 0, span_of(filling, BLOCK_PAYLOAD_SIZE / 2)));
        assert_int_equal(
            log_add(&writer, 0, span_of(filling, (size_t)(BLOCK_PAYLOAD_SIZE / 2 + over))),
            over == 0);
        assert_int_equal(log_verify(&writer, true), ERR_OK);
        (void)log_add(&writer, 0, span_str("one more"));
        /* PROTOCOL BATCH-3: "A batch that crosses it is refused." */
        assert_int_equal(log_verify(&writer, true), over == 0 ? ERR_MALFORMED : ERR_OK);
        log_writer_free(&writer);
    }
}

static void an_entry_is_never_empty_and_at_most_256_kib(void **state)
{
    static const uint8_t filling[ENTRY_PAYLOAD_SIZE_MAX + 1] = {1};
    struct log_writer writer;

    (void)state;
    for (size_t size = ENTRY_PAYLOAD_SIZE_MAX; size <= sizeof filling; size++) {
        log_writer_new(&writer);
        (void)log_add(&writer, 0, span_of(filling, size));
        assert_int_equal(log_verify(&writer, true),
                         size == ENTRY_PAYLOAD_SIZE_MAX ? ERR_OK : ERR_MALFORMED);
        log_writer_free(&writer);
    }
}

/* PROTOCOL ABSENT-1: "Unsealed entries keep their payload always." */
static void an_absent_payload_is_a_header_of_a_sealed_entry(void **state)
{
    struct log_writer writer;

    (void)state;
    for (uint32_t epoch = 0; epoch < 2; epoch++)
        for (uint32_t size = 0; size < 2; size++) {
            struct entry entry = {.header = {.epoch_index = epoch, .payload_size = size}};

            log_writer_new(&writer);
            batch_add(&writer.batch, &entry);
            (void)chain_extend(&writer.chain, &entry.header);
            assert_int_equal(log_verify(&writer, true),
                             epoch == 1 && size == 1 ? ERR_OK : ERR_MALFORMED);
            log_writer_free(&writer);
        }
}

static void a_chain_says_every_part_of_every_header(void **state)
{
    struct entry_header header = {.epoch_index = 1, .expires_at_s = 2, .payload_size = 3};
    struct log_writer writer;
    struct chain first, other;

    (void)state;
    log_writer_new(&writer);
    chain_begin(&writer.id, &first);
    (void)chain_extend(&first, &header);
    for (int what = 0; what < 5; what++) {
        struct entry_header changed = header;
        struct log_id id = writer.id;

        changed.epoch_index += what == 0;
        changed.expires_at_s += what == 1;
        changed.payload_size += what == 2;
        changed.payload_hash.bytes[0] = what == 3;
        id.space.bytes[15] ^= what == 4;
        chain_begin(&id, &other);
        (void)chain_extend(&other, &changed);
        assert_memory_not_equal(first.hash.bytes, other.hash.bytes, HASH_SIZE);
    }
    log_writer_free(&writer);
}

static void a_head_is_of_one_place_in_one_log(void **state)
{
    struct log_writer writer;
    struct head head, other;
    struct log_id id;

    (void)state;
    log_writer_new(&writer);
    (void)log_add(&writer, 0, span_str("one"));
    assert_int_equal(head_sign(&writer.key, &writer.id, &writer.chain, &head), ERR_OK);
    assert_int_equal(head_verify(&writer.id, &head), ERR_OK);
    other = head;
    other.size++;
    assert_int_equal(head_verify(&writer.id, &other), ERR_FORGED);
    other = head;
    other.hash.bytes[31] ^= 1;
    assert_int_equal(head_verify(&writer.id, &other), ERR_FORGED);
    id = writer.id;
    id.space.bytes[0] ^= 1;
    assert_int_equal(head_verify(&id, &head), ERR_FORGED);
    log_writer_free(&writer);
}

/* PROTOCOL ENTRY-3: seal and open; another place, epoch, expiry or log opens nothing. */
static void a_sealed_payload_opens_in_its_place_alone(void **state)
{
    uint8_t key[KEY_SIZE], other_key[KEY_SIZE];
    struct entry entry = {.header = {.epoch_index = 1, .expires_at_s = 5}};
    struct buf sealed = {0}, plain = {0};
    struct log_writer writer;
    struct log_id id;

    (void)state;
    log_writer_new(&writer);
    entry_key(log_epoch_key, &writer.id, key);
    id = writer.id;
    id.device.bytes[0] ^= 1;
    entry_key(log_epoch_key, &id, other_key);
    assert_memory_not_equal(key, other_key, KEY_SIZE);
    entry_seal(key, &entry.header, 7, span_str("hello"), &sealed);
    entry.payload = buf_span(&sealed);
    assert_int_equal(entry_open(key, &entry, 7, &plain), ERR_OK);
    assert_true(span_is_equal(buf_span(&plain), span_str("hello")));
    assert_int_equal(entry_open(key, &entry, 8, &plain), ERR_FORGED);
    assert_int_equal(entry_open(other_key, &entry, 7, &plain), ERR_FORGED);
    entry.header.epoch_index = 2;
    assert_int_equal(entry_open(key, &entry, 7, &plain), ERR_FORGED);
    entry.header.epoch_index = 1;
    entry.header.expires_at_s = 6;
    assert_int_equal(entry_open(key, &entry, 7, &plain), ERR_FORGED);
    entry.header.expires_at_s = 5;
    entry.payload.size--;
    assert_int_equal(entry_open(key, &entry, 7, &plain), ERR_FORGED);
    buf_release(&sealed);
    buf_release(&plain);
    log_writer_free(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_taken_with_its_head_and_with_no_other),
        cmocka_unit_test(no_bit_of_a_batch_can_be_changed),
        cmocka_unit_test(a_batch_has_one_to_256_entries),
        cmocka_unit_test(a_block_ends_at_its_bound_and_a_batch_with_it),
        cmocka_unit_test(an_entry_is_never_empty_and_at_most_256_kib),
        cmocka_unit_test(an_absent_payload_is_a_header_of_a_sealed_entry),
        cmocka_unit_test(a_chain_says_every_part_of_every_header),
        cmocka_unit_test(a_head_is_of_one_place_in_one_log),
        cmocka_unit_test(a_sealed_payload_opens_in_its_place_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
