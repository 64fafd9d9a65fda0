/* HMAC and HKDF against RFC 4231, RFC 5869 and wycheproof. */
#include "tests/vectors/vectors.h"

#include "crypto/digest.h"
#include "crypto/secret.h"

static void digest_hmac_agrees_with_rfc_4231(void **state)
{
    struct buf text = {0}, key = {0}, message = {0}, expected = {0};
    const char *at;
    size_t count = 0;

    (void)state;
    vectors_read("crypto/HMAC-rfc-4231-sha512.txt", &text);
    at = (const char *)text.data;
    while (vectors_line(&at, "Key", &key)) {
        uint8_t mac[64];

        assert_true(vectors_line(&at, "Msg", &message));
        assert_true(vectors_line(&at, "MD", &expected));
        digest_hmac(DIGEST_SHA512, buf_span(&key), buf_span(&message), mac);
        assert_int_equal(expected.size, sizeof mac);
        assert_memory_equal(mac, expected.data, sizeof mac);
        count++;
    }
    assert_int_equal(count, 6);
    buf_release(&text);
    buf_release(&key);
    buf_release(&message);
    buf_release(&expected);
}

static void digest_hkdf_agrees_with_rfc_5869(void **state)
{
    struct buf text = {0}, key = {0}, salt = {0}, info = {0}, extracted = {0}, expected = {0};
    const char *at;
    size_t count = 0;

    (void)state;
    vectors_read("crypto/KDF-rfc-5869-HKDF-SHA256.txt", &text);
    at = (const char *)text.data;
    while (vectors_line(&at, "IKM", &key)) {
        uint8_t out[128], mac[32];
        size_t size;

        assert_true(vectors_line(&at, "salt", &salt));
        assert_true(vectors_line(&at, "info", &info));
        size = vectors_number(&at, "L ");
        assert_true(vectors_line(&at, "PRK", &extracted));
        assert_true(vectors_line(&at, "OKM", &expected));
        assert_int_equal(expected.size, size);
        digest_hmac(DIGEST_SHA256, buf_span(&salt), buf_span(&key), mac);
        assert_memory_equal(mac, extracted.data, sizeof mac);
        assert_int_equal(
            digest_hkdf(DIGEST_SHA256, buf_span(&key), buf_span(&salt), buf_span(&info), out, size),
            ERR_OK);
        assert_memory_equal(out, expected.data, size);
        count++;
    }
    assert_int_equal(count, 3);
    buf_release(&text);
    buf_release(&key);
    buf_release(&salt);
    buf_release(&info);
    buf_release(&extracted);
    buf_release(&expected);
}

static void digest_hkdf_agrees_with_wycheproof(void **state)
{
    json_t *root = vectors_json("crypto/wycheproof-hkdf_sha512.json.gz");
    struct buf key = {0}, salt = {0}, info = {0}, expected = {0};
    size_t groups, tests, count = 0, refused = 0;
    json_t *group, *test;

    (void)state;
    json_array_foreach(json_object_get(root, "testGroups"), groups, group)
    {
        json_array_foreach(json_object_get(group, "tests"), tests, test)
        {
            size_t size = (size_t)json_integer_value(json_object_get(test, "size"));
            bool is_valid = vectors_result_is(test, "valid");
            uint8_t *out = malloc(size);

            assert_non_null(out);
            (void)vectors_field(test, "ikm", &key);
            (void)vectors_field(test, "salt", &salt);
            (void)vectors_field(test, "info", &info);
            (void)vectors_field(test, "okm", &expected);
            assert_int_equal(digest_hkdf(DIGEST_SHA512, buf_span(&key), buf_span(&salt),
                                         buf_span(&info), out, size),
                             is_valid ? ERR_OK : ERR_LIMIT);
            if (is_valid)
                assert_true(span_is_equal(span_of(out, size), buf_span(&expected)));
            free(out);
            count++;
            refused += is_valid ? 0 : 1;
        }
    }
    print_message("%zu cases, %zu refused for their size\n", count, refused);
    assert_int_equal(count, 83);
    assert_int_equal(refused, 3);
    json_decref(root);
    buf_release(&key);
    buf_release(&salt);
    buf_release(&info);
    buf_release(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_hmac_agrees_with_rfc_4231),
        cmocka_unit_test(digest_hkdf_agrees_with_rfc_5869),
        cmocka_unit_test(digest_hkdf_agrees_with_wycheproof),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
