/* The Noise machine against the vectors of cacophony and snow: every pattern they have, with SHA256
 * and SHA512. Their BLAKE2 suites are not kith's and are counted as such. */
#include "tests/vectors/vectors.h"

#include "crypto/noise.h"
#include "crypto/secret.h"

struct noise_side {
    struct noise noise;
    struct exchange_key own_static;
    uint8_t remote_static[32], psks[4 * 32], ephemeral[32];
    bool has_static, has_remote;
    size_t psks_count;
    struct entropy entropy;
};

static void noise_fixed(void *self, uint8_t *out, size_t size)
{
    struct noise_side *side = self;

    assert_int_equal(size, 32);
    memcpy(out, side->ephemeral, 32);
}

static bool noise_optional(const json_t *test, const char *prefix, const char *name,
                           uint8_t out[32])
{
    char key[64];
    const char *text;

    snprintf(key, sizeof key, "%s_%s", prefix, name);
    text = json_string_value(json_object_get(test, key));
    if (text == NULL)
        return false;
    assert_int_equal(hex_read(span_str(text), out, 32), ERR_OK);
    return true;
}

static void noise_begin(const json_t *test, const char *prefix, bool is_initiator,
                        struct noise_side *side)
{
    struct noise_keys keys = {0};
    struct buf prologue = {0};
    char key[64];
    uint8_t seed[32];
    json_t *psk;
    size_t index;

    memset(side, 0, sizeof *side);
    side->entropy = (struct entropy){.fill = noise_fixed, .self = side};
    (void)noise_optional(test, prefix, "ephemeral", side->ephemeral);
    side->has_static = noise_optional(test, prefix, "static", seed);
    if (side->has_static)
        identity_exchange_key(seed, &side->own_static);
    side->has_remote = noise_optional(test, prefix, "remote_static", side->remote_static);
    snprintf(key, sizeof key, "%s_psks", prefix);
    json_array_foreach(json_object_get(test, key), index, psk)
    {
        assert_int_equal(hex_read(span_str(json_string_value(psk)), side->psks + index * 32, 32),
                         ERR_OK);
        side->psks_count++;
    }
    keys.own_static = side->has_static ? &side->own_static : NULL;
    keys.remote_static = side->has_remote ? side->remote_static : NULL;
    keys.psks = side->psks;
    keys.psks_count = side->psks_count;
    snprintf(key, sizeof key, "%s_prologue", prefix);
    vectors_field(test, key, &prologue);
    assert_int_equal(noise_init(&side->noise,
                                json_string_value(json_object_get(test, "protocol_name")),
                                is_initiator, buf_span(&prologue), &keys),
                     ERR_OK);
    buf_release(&prologue);
}

static void noise_check_transport(const struct noise_side *sender, bool by_initiator,
                                  uint64_t nonce, struct span payload, struct span expected)
{
    uint8_t initiator[32], responder[32], sealed[512], opened[512];
    const uint8_t *key = by_initiator ? initiator : responder;

    noise_split(&sender->noise, initiator, responder);
    assert_int_equal(expected.size, payload.size + NOISE_TAG_SIZE);
    noise_seal(key, nonce, span_of(NULL, 0), payload, sealed);
    assert_memory_equal(sealed, expected.data, expected.size);
    assert_int_equal(noise_open(key, nonce, span_of(NULL, 0), expected, opened), ERR_OK);
    assert_memory_equal(opened, payload.data, payload.size);
}

static void noise_run(const json_t *test)
{
    struct noise_side *sides = calloc(2, sizeof *sides);
    struct buf payload = {0}, expected = {0}, written = {0}, read = {0};
    uint64_t nonces[2] = {0, 0};
    bool is_one_way;
    json_t *message;
    size_t index;

    noise_begin(test, "init", true, &sides[0]);
    noise_begin(test, "resp", false, &sides[1]);
    is_one_way =
        strstr(json_string_value(json_object_get(test, "protocol_name")), "Noise_N_") != NULL ||
        strstr(json_string_value(json_object_get(test, "protocol_name")), "Noise_K_") != NULL ||
        strstr(json_string_value(json_object_get(test, "protocol_name")), "Noise_X_") != NULL ||
        strstr(json_string_value(json_object_get(test, "protocol_name")), "Noise_Npsk") != NULL ||
        strstr(json_string_value(json_object_get(test, "protocol_name")), "Noise_Kpsk") != NULL ||
        strstr(json_string_value(json_object_get(test, "protocol_name")), "Noise_Xpsk") != NULL;
    json_array_foreach(json_object_get(test, "messages"), index, message)
    {
        size_t from = is_one_way ? 0 : index % 2;

        vectors_field(message, "payload", &payload);
        vectors_field(message, "ciphertext", &expected);
        if (noise_is_done(&sides[from].noise)) {
            noise_check_transport(&sides[from], from == 0, nonces[from]++, buf_span(&payload),
                                  buf_span(&expected));
            continue;
        }
        buf_clear(&written);
        buf_clear(&read);
        assert_int_equal(
            noise_write(&sides[from].noise, &sides[from].entropy, buf_span(&payload), &written),
            ERR_OK);
        assert_int_equal(written.size, expected.size);
        assert_memory_equal(written.data, expected.data, expected.size);
        assert_int_equal(noise_read(&sides[1 - from].noise, buf_span(&written), &read), ERR_OK);
        assert_int_equal(read.size, payload.size);
        assert_memory_equal(read.data, payload.data, payload.size);
    }
    assert_true(noise_is_done(&sides[0].noise) && noise_is_done(&sides[1].noise));
    assert_memory_equal(sides[0].noise.hash, sides[1].noise.hash,
                        digest_sha_size(sides[0].noise.sha));
    if (json_object_get(test, "handshake_hash") != NULL) {
        vectors_field(test, "handshake_hash", &expected);
        assert_memory_equal(sides[0].noise.hash, expected.data, expected.size);
    }
    buf_release(&payload);
    buf_release(&expected);
    buf_release(&written);
    buf_release(&read);
    free(sides);
}

static size_t noise_run_file(const char *name, size_t *out_others)
{
    json_t *root = vectors_json(name), *test;
    size_t index, ran = 0;

    *out_others = 0;
    json_array_foreach(json_object_get(root, "vectors"), index, test)
    {
        const char *protocol = json_string_value(json_object_get(test, "protocol_name"));

        if (strstr(protocol, "BLAKE2") != NULL) {
            (*out_others)++;
            continue;
        }
        noise_run(test);
        ran++;
    }
    json_decref(root);
    return ran;
}

static void noise_agrees_with_all_118_vectors_of_cacophony(void **state)
{
    size_t others;

    (void)state;
    assert_int_equal(noise_run_file("noise/cacophony-25519-ChaChaPoly.json.gz", &others), 118);
    assert_int_equal(others, 118);
}

static void noise_agrees_with_all_102_vectors_of_snow(void **state)
{
    size_t others;

    (void)state;
    assert_int_equal(noise_run_file("noise/snow-25519-ChaChaPoly.json.gz", &others), 102);
    assert_int_equal(others, 102);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_agrees_with_all_118_vectors_of_cacophony),
        cmocka_unit_test(noise_agrees_with_all_102_vectors_of_snow),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
