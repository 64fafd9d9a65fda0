/* Keys from seeds, labelled signatures, agreement, and the canonical did:key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/identity.h"
#include "crypto/secret.h"
#include "tests/unit/heap_failing.h"

static void identity_seed(uint8_t out[static SEED_SIZE])
{
    for (size_t at = 0; at < SEED_SIZE; at++)
        out[at] = (uint8_t)at;
}

/* Computed with Python hashlib from the rules in PROTOCOL "Keys". */
static void identity_derives_roots_and_recovery_from_the_seed(void **state)
{
    static const struct {
        uint32_t index;
        const char *hex;
    } cases[] = {
        {0, "e64344dbfabb7a021240cf55d4a108a093054768e6c1f7ee99f2ba0e2aae0125"},
        {1, "15f4862e91969f46be89c006d2f30abb11c9753ea2dc7d945740f1b67862a1d1"},
        {0x01020304, "682a8e2864c1ddb21f02fbe293343ec11eb67622b5439b464669291080f03cf1"},
    };
    uint8_t seed[SEED_SIZE], out[SEED_SIZE];
    char text[2 * SEED_SIZE + 1];

    (void)state;
    identity_seed(seed);
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        identity_root_seed(seed, cases[at].index, out);
        hex_write(span_of(out, SEED_SIZE), text);
        assert_string_equal(text, cases[at].hex);
    }
    identity_recovery_seed(seed, out);
    hex_write(span_of(out, SEED_SIZE), text);
    assert_string_equal(text, "5b8a7204d3b42d5d30f2388be5b1bc4780564173276a793bbeeee6b9319a5b4a");
}

static void identity_sign_covers_the_padded_label_then_the_message(void **state)
{
    static const uint8_t labelled[] = "kith test\0\0\0\0\0\0\0message";
    uint8_t seed[SEED_SIZE], signature[SIGNATURE_SIZE], raw[SIGNATURE_SIZE];
    struct signing_key key;

    (void)state;
    identity_seed(seed);
    identity_signing_key(seed, &key);
    assert_int_equal(identity_sign(&key, "kith test", span_str("message"), signature), ERR_OK);
    identity_sign_raw(&key, span_of(labelled, sizeof labelled - 1), raw);
    assert_memory_equal(signature, raw, SIGNATURE_SIZE);
}

static void identity_verify_refuses_another_label_message_key_or_signature(void **state)
{
    uint8_t seed[SEED_SIZE], signature[SIGNATURE_SIZE];
    struct signing_key key, other;

    (void)state;
    identity_seed(seed);
    identity_signing_key(seed, &key);
    seed[0] ^= 1;
    identity_signing_key(seed, &other);
    assert_int_equal(identity_sign(&key, "kith test", span_str("message"), signature), ERR_OK);
    assert_int_equal(identity_verify(&key.public_key, "kith test", span_str("message"), signature),
                     ERR_OK);
    assert_int_equal(identity_verify(&key.public_key, "kith tesT", span_str("message"), signature),
                     ERR_FORGED);
    assert_int_equal(identity_verify(&key.public_key, "kith test", span_str("messagE"), signature),
                     ERR_FORGED);
    assert_int_equal(
        identity_verify(&other.public_key, "kith test", span_str("message"), signature),
        ERR_FORGED);
    for (size_t bit = 0; bit < 8 * SIGNATURE_SIZE; bit++) {
        signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(
            identity_verify(&key.public_key, "kith test", span_str("message"), signature),
            ERR_FORGED);
        signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

/* Around the piece that fits the stack (4,080) and around the bound. */
static void identity_signs_up_to_its_bound(void **state)
{
    static const struct {
        size_t size;
        enum err err;
    } cases[] = {
        {0, ERR_OK},
        {4079, ERR_OK},
        {4080, ERR_OK},
        {4081, ERR_OK},
        {IDENTITY_MESSAGE_SIZE_MAX - 1, ERR_OK},
        {IDENTITY_MESSAGE_SIZE_MAX, ERR_OK},
        {IDENTITY_MESSAGE_SIZE_MAX + 1, ERR_LIMIT},
    };
    static uint8_t bytes[IDENTITY_MESSAGE_SIZE_MAX + 1];
    uint8_t seed[SEED_SIZE];
    struct signing_key key;

    (void)state;
    identity_seed(seed);
    identity_signing_key(seed, &key);
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct span message = span_of(cases[at].size > 0 ? bytes : NULL, cases[at].size);
        uint8_t signature[SIGNATURE_SIZE] = {0};

        assert_int_equal(identity_sign(&key, "0123456789abcdef", message, signature),
                         cases[at].err);
        assert_int_equal(identity_verify(&key.public_key, "0123456789abcdef", message, signature),
                         cases[at].err);
    }
}

static void identity_says_when_there_is_no_memory_for_a_large_message(void **state)
{
    static uint8_t bytes[5000];
    uint8_t seed[SEED_SIZE], signature[SIGNATURE_SIZE];
    struct signing_key key;

    (void)state;
    identity_seed(seed);
    identity_signing_key(seed, &key);
    heap_failing_after(0);
    assert_int_equal(identity_sign(&key, "kith test", span_of(bytes, 5000), signature), ERR_NOMEM);
    assert_int_equal(identity_verify(&key.public_key, "kith test", span_of(bytes, 5000), signature),
                     ERR_NOMEM);
    assert_int_equal(identity_sign(&key, "kith test", span_of(bytes, 300), signature), ERR_OK);
    heap_failing_after(SIZE_MAX);
}

static void identity_agree_gives_both_sides_the_same_key(void **state)
{
    uint8_t seed[SEED_SIZE], left[KEY_SIZE], right[KEY_SIZE] = {0};
    struct exchange_key ana, ben;

    (void)state;
    identity_seed(seed);
    identity_exchange_key(seed, &ana);
    assert_memory_equal(ana.secret, seed, SEED_SIZE);
    seed[5] ^= 1;
    identity_exchange_key(seed, &ben);
    assert_int_equal(identity_agree(ana.secret, ben.public_key, left), ERR_OK);
    assert_int_equal(identity_agree(ben.secret, ana.public_key, right), ERR_OK);
    assert_memory_equal(left, right, KEY_SIZE);
}

static void identity_agree_refuses_low_order_keys_and_leaves_out_alone(void **state)
{
    static const uint8_t zero[32], one[32] = {1};
    uint8_t seed[SEED_SIZE], out[KEY_SIZE], before[KEY_SIZE];

    (void)state;
    identity_seed(seed);
    memset(out, 0x5a, sizeof out);
    memset(before, 0x5a, sizeof before);
    assert_int_equal(identity_agree(seed, zero, out), ERR_FORGED);
    assert_int_equal(identity_agree(seed, one, out), ERR_FORGED);
    assert_memory_equal(out, before, KEY_SIZE);
}

static void identity_read_did_reads_every_key_back(void **state)
{
    struct public_key key, read;
    char text[DID_SIZE];

    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        memset(key.bytes, (int)value, sizeof key.bytes);
        identity_did(&key, text);
        assert_int_equal(strlen(text), DID_SIZE - 1);
        assert_memory_equal(text, "did:key:z6Mk", 12);
        assert_int_equal(identity_read_did(span_str(text), &read), ERR_OK);
        assert_true(public_key_is_equal(&read, &key));
    }
}

static void identity_read_did_refuses_what_is_not_canonical(void **state)
{
    static const char *const cases[] = {
        "",
        "did:key:z",
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooW",   /* short */
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWpp", /* long */
        "DID:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        "did:key:Z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        "did:web:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        "did:key:z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW", /* X25519 */
        "did:key:z16MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooW", /* leading zero */
        "did:key:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", /* 34 bytes overflow */
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDoo0p", /* no base58 digit */
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooOp",
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooIp",
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDoolp",
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDoo p",
    };
    char zero[] = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
    struct public_key out;

    (void)state;
    memset(out.bytes, 0x5a, sizeof out.bytes);
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++)
        assert_int_equal(identity_read_did(span_str(cases[at]), &out), ERR_INVALID);
    zero[20] = '\0';
    assert_int_equal(identity_read_did(span_of(zero, DID_SIZE - 1), &out), ERR_INVALID);
    assert_int_equal(out.bytes[0], 0x5a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_derives_roots_and_recovery_from_the_seed),
        cmocka_unit_test(identity_sign_covers_the_padded_label_then_the_message),
        cmocka_unit_test(identity_verify_refuses_another_label_message_key_or_signature),
        cmocka_unit_test(identity_signs_up_to_its_bound),
        cmocka_unit_test(identity_says_when_there_is_no_memory_for_a_large_message),
        cmocka_unit_test(identity_agree_gives_both_sides_the_same_key),
        cmocka_unit_test(identity_agree_refuses_low_order_keys_and_leaves_out_alone),
        cmocka_unit_test(identity_read_did_reads_every_key_back),
        cmocka_unit_test(identity_read_did_refuses_what_is_not_canonical),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
