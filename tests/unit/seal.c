/* Sealing and wrapping, with libsodium as the other side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>

#include "crypto/seal.h"
#include "crypto/secret.h"
#include "tests/unit/heap_failing.h"

static void seal_counting_fill(void *self, uint8_t *out, size_t size)
{
    uint8_t *next = self;

    for (size_t at = 0; at < size; at++)
        out[at] = (*next)++;
}

static void seal_key(uint8_t out[static KEY_SIZE])
{
    for (size_t at = 0; at < KEY_SIZE; at++)
        out[at] = (uint8_t)at;
}

static void seal_open_gives_back_what_was_sealed(void **state)
{
    static const size_t sizes[] = {0, 1, 16, 63, 64, 65, 300, 262144};
    static uint8_t bytes[262144];
    uint8_t key[KEY_SIZE];

    (void)state;
    seal_key(key);
    for (size_t at = 0; at < sizeof sizes / sizeof sizes[0]; at++) {
        struct span plain = span_of(bytes, sizes[at]);
        struct buf sealed = {0}, opened = {0};

        buf_append(&opened, span_str("before"));
        seal(key, span_str("context"), plain, &sealed);
        assert_int_equal(buf_err(&sealed), ERR_OK);
        assert_int_equal(sealed.size, plain.size + SEAL_OVERHEAD);
        assert_int_equal(seal_open(key, span_str("context"), buf_span(&sealed), &opened), ERR_OK);
        buf_drop(&opened, 6);
        assert_true(span_is_equal(buf_span(&opened), plain));
        buf_release(&sealed);
        buf_release(&opened);
    }
}

/* The nonce was computed with Python hashlib from the rule in PROTOCOL "Sealing". */
static void seal_is_xchacha20_poly1305_under_the_synthetic_nonce(void **state)
{
    uint8_t key[KEY_SIZE], nonce[SEAL_NONCE_SIZE], plain[5];
    struct buf sealed = {0};

    (void)state;
    seal_key(key);
    seal(key, span_str("context"), span_str("plain"), &sealed);
    assert_int_equal(
        hex_read(span_str("0e741505e55d1debb2a150962d18773a6060fbc416209e3c"), nonce, sizeof nonce),
        ERR_OK);
    assert_memory_equal(sealed.data, nonce, sizeof nonce);
    assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(
                         plain, NULL, NULL, sealed.data + 24, sealed.size - 24,
                         (const uint8_t *)"context", 7, nonce, key),
                     0);
    assert_memory_equal(plain, "plain", 5);
    buf_release(&sealed);
}

/* Moving a byte between context and plaintext must not keep the nonce. */
static void seal_gives_one_nonce_to_one_content_only(void **state)
{
    static const struct {
        const char *context, *plain;
    } cases[] = {{"ab", "c"}, {"a", "bc"}, {"", "abc"}, {"abc", ""}, {"ab", "d"}, {"", ""}};
    struct buf sealed[6] = {{0}}, again = {0};
    uint8_t key[KEY_SIZE];

    (void)state;
    seal_key(key);
    for (size_t at = 0; at < 6; at++) {
        seal(key, span_str(cases[at].context), span_str(cases[at].plain), &sealed[at]);
        for (size_t other = 0; other < at; other++)
            assert_memory_not_equal(sealed[at].data, sealed[other].data, SEAL_NONCE_SIZE);
    }
    seal(key, span_str("ab"), span_str("c"), &again);
    assert_true(span_is_equal(buf_span(&again), buf_span(&sealed[0])));
    key[0] ^= 1;
    buf_clear(&again);
    seal(key, span_str("ab"), span_str("c"), &again);
    assert_memory_not_equal(again.data, sealed[0].data, SEAL_NONCE_SIZE);
    for (size_t at = 0; at < 6; at++)
        buf_release(&sealed[at]);
    buf_release(&again);
}

static void seal_open_refuses_each_changed_bit_and_leaves_out_alone(void **state)
{
    struct buf sealed = {0}, out = {0};
    uint8_t key[KEY_SIZE];
    size_t count = 0;

    (void)state;
    seal_key(key);
    seal(key, span_str("context"), span_str("plain"), &sealed);
    buf_append(&out, span_str("before"));
    for (size_t bit = 0; bit < sealed.size * 8; bit++, count++) {
        sealed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(seal_open(key, span_str("context"), buf_span(&sealed), &out), ERR_FORGED);
        sealed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t size = 0; size < sealed.size; size++, count++)
        assert_int_equal(seal_open(key, span_str("context"), span_of(sealed.data, size), &out),
                         ERR_FORGED);
    assert_int_equal(count, 45 * 9);
    assert_int_equal(seal_open(key, span_str("contexT"), buf_span(&sealed), &out), ERR_FORGED);
    key[31] ^= 1;
    assert_int_equal(seal_open(key, span_str("context"), buf_span(&sealed), &out), ERR_FORGED);
    assert_true(span_is_equal(buf_span(&out), span_str("before")));
    buf_release(&sealed);
    buf_release(&out);
}

static void seal_commitment_is_what_the_protocol_says(void **state)
{
    uint8_t key[KEY_SIZE];
    struct hash hash;
    char text[2 * HASH_SIZE + 1];

    (void)state;
    seal_key(key);
    seal_commitment(key, &hash);
    hex_write(span_of(hash.bytes, HASH_SIZE), text);
    assert_string_equal(text, "37d38c01b5494fed7ba17fa2b2028ea062ead8398b101f5f72236e49cbc19fb0");
}

static void seal_wrap_is_opened_by_libsodium_and_the_other_way_round(void **state)
{
    static const size_t sizes[] = {0, 1, 32, 300};
    static uint8_t bytes[300], opened[300];
    uint8_t public_key[KEY_SIZE], secret_key[KEY_SIZE], next = 0;
    struct entropy entropy = {.fill = seal_counting_fill, .self = &next};

    (void)state;
    assert_int_equal(crypto_box_curve25519xchacha20poly1305_keypair(public_key, secret_key), 0);
    for (size_t at = 0; at < sizeof sizes / sizeof sizes[0]; at++) {
        struct buf wrapped = {0}, out = {0};

        assert_int_equal(seal_wrap(public_key, &entropy, span_of(bytes, sizes[at]), &wrapped),
                         ERR_OK);
        assert_int_equal(wrapped.size, sizes[at] + SEAL_WRAP_OVERHEAD);
        assert_int_equal(crypto_box_curve25519xchacha20poly1305_seal_open(
                             opened, wrapped.data, wrapped.size, public_key, secret_key),
                         0);
        assert_memory_equal(opened, bytes, sizes[at]);
        buf_clear(&wrapped);
        assert_int_equal(
            crypto_box_curve25519xchacha20poly1305_seal(
                buf_grow(&wrapped, sizes[at] + SEAL_WRAP_OVERHEAD), bytes, sizes[at], public_key),
            0);
        assert_int_equal(seal_unwrap(public_key, secret_key, buf_span(&wrapped), &out), ERR_OK);
        assert_true(span_is_equal(buf_span(&out), span_of(bytes, sizes[at])));
        buf_release(&wrapped);
        buf_release(&out);
    }
}

static void seal_wrap_repeats_exactly_under_the_same_entropy(void **state)
{
    uint8_t secret[KEY_SIZE], recipient[KEY_SIZE], next = 7;
    struct entropy entropy = {.fill = seal_counting_fill, .self = &next};
    struct buf left = {0}, right = {0};

    (void)state;
    seal_key(secret);
    assert_int_equal(crypto_scalarmult_base(recipient, secret), 0);
    assert_int_equal(seal_wrap(recipient, &entropy, span_str("x"), &left), ERR_OK);
    assert_int_equal(next, 7 + 32);
    next = 7;
    assert_int_equal(seal_wrap(recipient, &entropy, span_str("x"), &right), ERR_OK);
    assert_true(span_is_equal(buf_span(&left), buf_span(&right)));
    buf_release(&left);
    buf_release(&right);
}

static void seal_wrap_and_unwrap_refuse_low_order_keys(void **state)
{
    static const char *const keys[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    struct buf wrapped = {0}, out = {0};
    uint8_t key[KEY_SIZE], secret[KEY_SIZE], next = 0;
    struct entropy entropy = {.fill = seal_counting_fill, .self = &next};

    (void)state;
    seal_key(secret);
    buf_append(&out, span_str("before"));
    for (size_t at = 0; at < sizeof keys / sizeof keys[0]; at++) {
        assert_int_equal(hex_read(span_str(keys[at]), key, KEY_SIZE), ERR_OK);
        assert_int_equal(seal_wrap(key, &entropy, span_str("x"), &out), ERR_FORGED);
        buf_clear(&wrapped);
        buf_append(&wrapped, span_of(key, KEY_SIZE));
        memset(buf_grow(&wrapped, 20), 0, 20);
        assert_int_equal(seal_unwrap(key, secret, buf_span(&wrapped), &out), ERR_FORGED);
    }
    assert_true(span_is_equal(buf_span(&out), span_str("before")));
    buf_release(&wrapped);
    buf_release(&out);
}

static void seal_unwrap_refuses_each_changed_bit(void **state)
{
    uint8_t secret[KEY_SIZE], recipient[KEY_SIZE], next = 0;
    struct entropy entropy = {.fill = seal_counting_fill, .self = &next};
    struct buf wrapped = {0}, out = {0};

    (void)state;
    seal_key(secret);
    assert_int_equal(crypto_scalarmult_base(recipient, secret), 0);
    assert_int_equal(seal_wrap(recipient, &entropy, span_str("x"), &wrapped), ERR_OK);
    for (size_t at = 0; at < wrapped.size; at++) {
        wrapped.data[at] ^= 1;
        assert_int_equal(seal_unwrap(recipient, secret, buf_span(&wrapped), &out), ERR_FORGED);
        wrapped.data[at] ^= 1;
        assert_int_equal(seal_unwrap(recipient, secret, span_of(wrapped.data, at), &out),
                         ERR_FORGED);
    }
    assert_int_equal(wrapped.size, 49);
    assert_int_equal(out.size, 0);
    buf_release(&wrapped);
    buf_release(&out);
}

static void seal_says_when_there_is_no_memory(void **state)
{
    uint8_t key[KEY_SIZE], public_key[KEY_SIZE], next = 0;
    struct entropy entropy = {.fill = seal_counting_fill, .self = &next};
    struct buf sealed = {0}, wrapped = {0}, out = {0};

    (void)state;
    seal_key(key);
    assert_int_equal(crypto_scalarmult_base(public_key, key), 0);
    seal(key, span_str(""), span_str("x"), &sealed);
    assert_int_equal(seal_wrap(public_key, &entropy, span_str("x"), &wrapped), ERR_OK);
    heap_failing_after(0);
    seal(key, span_str(""), span_str("x"), &out);
    assert_int_equal(buf_err(&out), ERR_NOMEM);
    buf_release(&out);
    assert_int_equal(seal_open(key, span_str(""), buf_span(&sealed), &out), ERR_NOMEM);
    buf_release(&out);
    assert_int_equal(seal_wrap(public_key, &entropy, span_str("x"), &out), ERR_NOMEM);
    buf_release(&out);
    assert_int_equal(seal_unwrap(public_key, key, buf_span(&wrapped), &out), ERR_NOMEM);
    heap_failing_after(SIZE_MAX);
    assert_int_equal(out.size, 0);
    buf_release(&out);
    buf_release(&sealed);
    buf_release(&wrapped);
}

/* A peek shows the first bytes that opening would show, and nothing checks them. */
static void a_peek_shows_how_the_plaintext_begins(void **state)
{
    uint8_t key[KEY_SIZE] = {3}, plain[200], first[SEAL_PEEK_MAX];

    (void)state;
    for (size_t at = 0; at < sizeof plain; at++)
        plain[at] = (uint8_t)(at * 7);
    for (size_t size = 0; size <= sizeof plain; size += 20) {
        struct buf sealed = {0};
        size_t shown = size < SEAL_PEEK_MAX ? size : SEAL_PEEK_MAX;

        seal(key, span_str("context"), span_of(plain, size), &sealed);
        assert_int_equal(seal_peek(key, buf_span(&sealed), first), shown);
        assert_memory_equal(first, plain, shown);
        sealed.data[sealed.size - 1] ^= 1;
        assert_int_equal(seal_peek(key, buf_span(&sealed), first), shown);
        assert_memory_equal(first, plain, shown);
        assert_int_equal(seal_peek(key, span_of(sealed.data, SEAL_OVERHEAD), first), 0);
        buf_release(&sealed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal_open_gives_back_what_was_sealed),
        cmocka_unit_test(seal_is_xchacha20_poly1305_under_the_synthetic_nonce),
        cmocka_unit_test(seal_gives_one_nonce_to_one_content_only),
        cmocka_unit_test(seal_open_refuses_each_changed_bit_and_leaves_out_alone),
        cmocka_unit_test(seal_commitment_is_what_the_protocol_says),
        cmocka_unit_test(seal_wrap_is_opened_by_libsodium_and_the_other_way_round),
        cmocka_unit_test(seal_wrap_repeats_exactly_under_the_same_entropy),
        cmocka_unit_test(seal_wrap_and_unwrap_refuse_low_order_keys),
        cmocka_unit_test(seal_unwrap_refuses_each_changed_bit),
        cmocka_unit_test(seal_says_when_there_is_no_memory),
        cmocka_unit_test(a_peek_shows_how_the_plaintext_begins),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
