/* Postings against a plain table of what should be there: rows are cut, emptied and joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/ledger_state.h"
#include "storage/posting.h"
#include "tests/sim/member.h"

enum { TOKENS = 90, NUMBERS = 1500, CHANGES = 900 };

struct posting_model {
    struct member me;
    uint64_t seed;
    bool held[TOKENS][NUMBERS];
};

static uint32_t posting_draw(struct posting_model *model, uint32_t below)
{
    model->seed = model->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(model->seed >> 33) % below;
}

/* Tokens that begin alike, of one byte to the greatest size; in the last third, of one length, with
 * zero bytes in them. */
static struct span posting_token(uint32_t index, uint8_t out[static POSTING_TOKEN_MAX])
{
    if (index >= 60) {
        memset(out, 0, 7);
        out[0] = 1;
        out[1 + index % 6] = (uint8_t)index;
        return span_of(out, 7);
    }
    memset(out, 'a' + (int)(index % 3), POSTING_TOKEN_MAX);
    out[index / 3] = (uint8_t)('n' + index % 5);
    return span_of(out, 1 + index / 3);
}

static void posting_change_some(struct posting_model *model, unsigned round)
{
    struct ledger_txn *txn = member_begin(&model->me);
    struct posting_batch batch = {0};
    uint8_t bytes[POSTING_TOKEN_MAX];

    for (unsigned at = 0; at < CHANGES; at++) {
        /* Few tokens have most of the numbers, as in life. */
        uint32_t token = posting_draw(model, posting_draw(model, 3) == 0 ? TOKENS : 4);
        uint32_t number = posting_draw(model, NUMBERS);
        bool is_there = round < 12 ? posting_draw(model, 5) != 0 : posting_draw(model, 40) == 0;

        model->held[token][number] = is_there;
        assert_int_equal(posting_note(&batch, posting_token(token, bytes), number, is_there),
                         ERR_OK);
    }
    assert_int_equal(posting_flush(txn, TABLE_TOKEN, &batch), ERR_OK);
    assert_int_equal(batch.count, 0);
    posting_release(&batch);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

struct posting_seen {
    uint8_t token[POSTING_TOKEN_MAX];
    size_t token_size;
    uint32_t last;
    uint64_t count;
    struct span prefix;
};

static enum err posting_on_seen(void *self, struct span token, const uint32_t *numbers,
                                size_t count)
{
    struct posting_seen *seen = self;
    bool is_same = span_is_equal(token, span_of(seen->token, seen->token_size));

    assert_true(count > 0);
    assert_true(token.size >= seen->prefix.size);
    assert_memory_equal(token.data, seen->prefix.data, seen->prefix.size);
    if (seen->token_size > 0 && !is_same)
        assert_true(span_order(span_of(seen->token, seen->token_size), token) < 0);
    for (size_t at = 0; at < count; at++) {
        assert_true((!is_same && at == 0) || numbers[at] > seen->last);
        seen->last = numbers[at];
    }
    memcpy(seen->token, token.data, token.size);
    seen->token_size = token.size;
    seen->count += count;
    return ERR_OK;
}

static uint64_t posting_count(const struct posting_model *model, struct span prefix)
{
    uint64_t count = 0;

    for (uint32_t token = 0; token < TOKENS; token++) {
        uint8_t bytes[POSTING_TOKEN_MAX];
        struct span whole = posting_token(token, bytes);

        if (whole.size < prefix.size ||
            (prefix.size > 0 && memcmp(whole.data, prefix.data, prefix.size) != 0))
            continue;
        for (uint32_t number = 0; number < NUMBERS; number++)
            count += model->held[token][number];
    }
    return count;
}

static void posting_compare(struct posting_model *model)
{
    struct snapshot snapshot = member_snapshot(&model->me);
    uint64_t count;

    assert_int_equal(posting_check(&snapshot, TABLE_TOKEN, &count), ERR_OK);
    assert_int_equal(count, posting_count(model, span_of(NULL, 0)));
    for (uint32_t token = 0; token < TOKENS; token++) {
        uint8_t bytes[POSTING_TOKEN_MAX];
        struct span whole = posting_token(token, bytes);

        for (size_t size = 1; size <= whole.size; size++) {
            struct posting_seen seen = {.prefix = span_of(whole.data, size)};

            assert_int_equal(
                posting_each(&snapshot, TABLE_TOKEN, seen.prefix, posting_on_seen, &seen), ERR_OK);
            assert_int_equal(seen.count, posting_count(model, seen.prefix));
        }
        for (uint32_t number = token % 7; number < NUMBERS; number += 7)
            assert_int_equal(posting_find(&snapshot, TABLE_TOKEN, whole, number),
                             model->held[token][number] ? ERR_OK : ERR_NOT_FOUND);
    }
    ledger_snapshot_end(&snapshot);
}

/* First most of them come, then almost all go, until nothing is left. */
static void posting_holds_what_was_noted(void **state)
{
    static struct posting_model model = {.seed = 42};
    struct posting_batch batch = {0};
    struct ledger_txn *txn;
    struct kv_txn *kv;
    uint64_t rows;

    (void)state;
    member_new(&model.me, 1, false);
    for (unsigned round = 0; round < 24; round++) {
        posting_change_some(&model, round);
        if (round % 6 == 5)
            posting_compare(&model);
    }
    txn = member_begin(&model.me);
    for (uint32_t token = 0; token < TOKENS; token++)
        for (uint32_t number = 0; number < NUMBERS; number++) {
            uint8_t bytes[POSTING_TOKEN_MAX];

            model.held[token][number] = false;
            assert_int_equal(posting_note(&batch, posting_token(token, bytes), number, false),
                             ERR_OK);
        }
    assert_int_equal(posting_flush(txn, TABLE_TOKEN, &batch), ERR_OK);
    posting_release(&batch);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    posting_compare(&model);
    assert_int_equal(kv_begin(model.me.kv, KV_READ, &kv), ERR_OK);
    assert_int_equal(kv_count(kv, TABLE_TOKEN, &rows), ERR_OK);
    kv_abort(kv);
    assert_int_equal(rows, 0);
    member_free(&model.me);
}

static enum err posting_ignore(void *self, struct span token, const uint32_t *numbers, size_t count)
{
    uint32_t *sum = self;

    assert_true(token.size > 0 && token.size <= POSTING_TOKEN_MAX);
    for (size_t at = 0; at < count; at++)
        *sum += numbers[at];
    return ERR_OK;
}

/* Whatever stands in a row: an answer. Cut short it is damaged. */
static void posting_survives_any_changed_byte(void **state)
{
    static const uint8_t row[] = {0,   3,    'a',  'n',  'a',  2,    1,    0,    2,
                                  1,   'd',  0x80, 1,    7,    0,    0,    4,    'b',
                                  'e', 0xc3, 0xa4, 0xff, 0xff, 0xff, 0xff, 0x0f, 0};
    struct member me;
    size_t tried = 0, damaged = 0;

    (void)state;
    member_new(&me, 1, false);
    for (size_t size = 1; size <= sizeof row; size++)
        for (unsigned bit = 0; bit <= 8; bit++) {
            uint8_t bytes[sizeof row];
            struct ledger_txn *txn = member_begin(&me);
            struct snapshot snapshot = ledger_txn_snapshot(txn);
            struct key key;
            uint32_t sum = 0;
            enum err err;

            memcpy(bytes, row, sizeof row);
            if (bit < 8)
                bytes[size - 1] ^= (uint8_t)(1u << bit);
            key_of_bytes(span_of("\0\0\0\0", 5), &key);
            assert_int_equal(kv_put(txn->kv, TABLE_TOKEN, key_span(&key),
                                    span_of(bytes, bit < 8 ? sizeof row : size)),
                             ERR_OK);
            err = posting_each(&snapshot, TABLE_TOKEN, span_of(NULL, 0), posting_ignore, &sum);
            assert_true(err == ERR_OK || err == ERR_CORRUPT);
            if (bit == 8 && size == sizeof row)
                assert_int_equal(err, ERR_OK);
            damaged += err == ERR_CORRUPT;
            tried++;
            ledger_abort(txn);
        }
    assert_int_equal(tried, sizeof row * 9);
    assert_true(damaged > 40);
    member_free(&me);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posting_holds_what_was_noted),
        cmocka_unit_test(posting_survives_any_changed_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
