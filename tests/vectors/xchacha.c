/* What seal_open opens is XChaCha20-Poly1305 of the published vectors: nonce, ciphertext, tag. */
#include "tests/vectors/vectors.h"

#include "crypto/seal.h"
#include "crypto/secret.h"

static void seal_open_agrees_with_wycheproof(void **state)
{
    json_t *root = vectors_json("crypto/wycheproof-xchacha20_poly1305.json");
    struct buf key = {0}, field = {0}, context = {0}, expected = {0}, sealed = {0}, plain = {0};
    size_t groups, tests, count = 0, valid = 0, sized = 0;
    json_t *group, *test;

    (void)state;
    json_array_foreach(json_object_get(root, "testGroups"), groups, group)
    {
        json_array_foreach(json_object_get(group, "tests"), tests, test)
        {
            bool is_valid = vectors_result_is(test, "valid");

            count++;
            assert_int_equal(vectors_field(test, "key", &key).size, KEY_SIZE);
            buf_clear(&sealed);
            buf_append(&sealed, vectors_field(test, "iv", &field));
            if (field.size != SEAL_NONCE_SIZE) { /* Our layout has no room for such a nonce. */
                assert_false(is_valid);
                continue;
            }
            sized++;
            buf_append(&sealed, vectors_field(test, "ct", &field));
            buf_append(&sealed, vectors_field(test, "tag", &field));
            (void)vectors_field(test, "aad", &context);
            buf_clear(&plain);
            assert_int_equal(seal_open(key.data, buf_span(&context), buf_span(&sealed), &plain),
                             is_valid ? ERR_OK : ERR_FORGED);
            (void)vectors_field(test, "msg", &expected);
            if (is_valid)
                assert_true(span_is_equal(buf_span(&plain), buf_span(&expected)));
            valid += is_valid ? 1 : 0;
        }
    }
    print_message("%zu cases, %zu with our nonce size, %zu of them valid\n", count, sized, valid);
    assert_int_equal(count, 210);
    assert_int_equal(sized, 204);
    assert_int_equal(valid, 164);
    json_decref(root);
    buf_release(&key);
    buf_release(&field);
    buf_release(&context);
    buf_release(&expected);
    buf_release(&sealed);
    buf_release(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal_open_agrees_with_wycheproof),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
