/* X25519 (RFC 7748) against the RFC's own vectors and wycheproof. */
#include "tests/vectors/vectors.h"

#include "crypto/identity.h"
#include "crypto/secret.h"

static void identity_agrees_with_rfc_7748(void **state)
{
    struct buf text = {0}, scalar = {0}, point = {0}, expected = {0};
    const char *at;
    size_t count = 0;

    (void)state;
    vectors_read("crypto/asymmetric-X25519-rfc7748.txt", &text);
    at = (const char *)text.data;
    while (vectors_line(&at, "INPUT_SCALAR", &scalar)) {
        uint8_t shared[KEY_SIZE];

        assert_true(vectors_line(&at, "INPUT_U", &point));
        assert_true(vectors_line(&at, "OUTPUT_U", &expected));
        assert_int_equal(identity_agree(scalar.data, point.data, shared), ERR_OK);
        assert_memory_equal(shared, expected.data, KEY_SIZE);
        count++;
    }
    assert_int_equal(count, 3);
    buf_release(&text);
    buf_release(&scalar);
    buf_release(&point);
    buf_release(&expected);
}

/* RFC 7748 section 5.2: a thousand rounds of the last vector. */
static void identity_agrees_a_thousand_times(void **state)
{
    static const char last[] = "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51";
    uint8_t scalar[KEY_SIZE] = {9}, point[KEY_SIZE] = {9}, shared[KEY_SIZE];
    uint8_t expected[KEY_SIZE];

    (void)state;
    for (size_t round = 0; round < 1000; round++) {
        assert_int_equal(identity_agree(scalar, point, shared), ERR_OK);
        memcpy(point, scalar, KEY_SIZE);
        memcpy(scalar, shared, KEY_SIZE);
    }
    assert_int_equal(hex_read(span_str(last), expected, KEY_SIZE), ERR_OK);
    assert_memory_equal(scalar, expected, KEY_SIZE);
}

/* "Acceptable" are keys on the twist, non-canonical and low-order ones. The first two work as the
 * RFC says; a low-order key gives zero, and that alone is refused. */
static void identity_agrees_with_wycheproof(void **state)
{
    json_t *root = vectors_json("crypto/wycheproof-x25519.json");
    struct buf secret = {0}, point = {0}, expected = {0};
    static const uint8_t zeros[KEY_SIZE];
    size_t groups, tests, fits = 0, refused = 0;
    json_t *group, *test;

    (void)state;
    json_array_foreach(json_object_get(root, "testGroups"), groups, group)
    {
        json_array_foreach(json_object_get(group, "tests"), tests, test)
        {
            uint8_t shared[KEY_SIZE];
            bool is_zero;

            assert_int_equal(vectors_field(test, "private", &secret).size, KEY_SIZE);
            assert_int_equal(vectors_field(test, "public", &point).size, KEY_SIZE);
            assert_int_equal(vectors_field(test, "shared", &expected).size, KEY_SIZE);
            is_zero = memcmp(expected.data, zeros, KEY_SIZE) == 0;
            assert_true(!is_zero || vectors_result_is(test, "acceptable"));
            assert_int_equal(identity_agree(secret.data, point.data, shared),
                             is_zero ? ERR_FORGED : ERR_OK);
            if (!is_zero)
                assert_memory_equal(shared, expected.data, KEY_SIZE);
            fits += is_zero ? 0 : 1;
            refused += is_zero ? 1 : 0;
        }
    }
    print_message("%zu agree, %zu low-order keys refused\n", fits, refused);
    assert_int_equal(fits, 326);
    assert_int_equal(refused, 20);
    json_decref(root);
    buf_release(&secret);
    buf_release(&point);
    buf_release(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_agrees_with_rfc_7748),
        cmocka_unit_test(identity_agrees_a_thousand_times),
        cmocka_unit_test(identity_agrees_with_wycheproof),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
