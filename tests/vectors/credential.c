/* Canonical JSON, Data Integrity proofs and the endorsement credential against what others
 * published. */
#include "tests/vectors/vectors.h"

#include "crypto/base58.h"
#include "crypto/secret.h"
#include "node/credential.h"
#include "node/jcs.h"

static void credential_expect_bytes(const struct buf *bytes, const char *name)
{
    struct buf expected = {0};

    vectors_read(name, &expected);
    assert_int_equal(bytes->size, expected.size);
    assert_memory_equal(bytes->data, expected.data, expected.size);
    buf_release(&expected);
}

static void jcs_writes_what_rfc_8785_says(void **state)
{
    static const char *const names[] = {"arrays", "french", "structures", "weird"};

    (void)state;
    for (size_t at = 0; at < sizeof names / sizeof names[0]; at++) {
        struct buf text = {0}, out = {0}, again = {0};
        char path[64];
        json_t *value, *canonical;

        snprintf(path, sizeof path, "jcs/input/%s.json", names[at]);
        value = vectors_json(path);
        assert_int_equal(jcs_write(value, &out), ERR_OK);
        snprintf(path, sizeof path, "jcs/output/%s.json", names[at]);
        credential_expect_bytes(&out, path);
        canonical = credential_parse(buf_span(&out));
        assert_non_null(canonical);
        assert_int_equal(jcs_write(canonical, &again), ERR_OK);
        assert_int_equal(again.size, out.size);
        assert_memory_equal(again.data, out.data, out.size);
        json_decref(value);
        json_decref(canonical);
        buf_release(&text);
        buf_release(&out);
        buf_release(&again);
    }
}

/* RFC 8785, appendix B, and the borders between its forms. */
static void jcs_writes_numbers_as_ecmascript_does(void **state)
{
    static const struct {
        const char *text, *canonical;
    } rows[] = {
        {"0", "0"},
        {"-0", "0"},
        {"-0.0", "0"},
        {"5e-324", "5e-324"},
        {"-5e-324", "-5e-324"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"9007199254740992", "9007199254740992"},
        {"-9007199254740992", "-9007199254740992"},
        {"295147905179352830000", "295147905179352830000"},
        {"9.999999999999997e22", "9.999999999999997e+22"},
        {"1e23", "1e+23"},
        {"1.0000000000000001e23", "1.0000000000000001e+23"},
        {"999999999999999700000.0", "999999999999999700000"},
        {"999999999999999900000.0", "999999999999999900000"},
        {"1e21", "1e+21"},
        {"9.999999999999997e-7", "9.999999999999997e-7"},
        {"0.000001", "0.000001"},
        {"333333333.3333332", "333333333.3333332"},
        {"333333333.33333325", "333333333.33333325"},
        {"-0.0000033333333333333333", "-0.0000033333333333333333"},
        {"1424953923781206.2", "1424953923781206.2"},
        {"4.50", "4.5"},
        {"2e-3", "0.002"},
        {"1e1", "10"},
    };

    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        bool is_huge = strlen(rows[at].text) > 19 && strpbrk(rows[at].text, ".e") == NULL;
        struct buf out = {0};
        json_t *value = json_loads(rows[at].text,
                                   JSON_DECODE_ANY | (is_huge ? JSON_DECODE_INT_AS_REAL : 0), NULL);

        assert_non_null(value);
        assert_int_equal(jcs_write(value, &out), ERR_OK);
        buf_byte(&out, 0);
        assert_string_equal((const char *)out.data, rows[at].canonical);
        json_decref(value);
        buf_release(&out);
    }
}

/* W3C vc-di-eddsa, the eddsa-jcs-2022 vector: every step. */
static void credential_signs_as_w3c_published(void **state)
{
    json_t *document = vectors_json("vc/vc-di-eddsa/unsigned.json");
    json_t *options = vectors_json("vc/vc-di-eddsa/proofConfigJCS.json");
    json_t *pair = vectors_json("vc/vc-di-eddsa/keyPair.json");
    json_t *whole = vectors_json("vc/vc-di-eddsa/signedJCS.json");
    const char *secret = json_string_value(json_object_get(pair, "privateKeyMultibase"));
    json_t *proof = json_object_get(whole, "proof");
    uint8_t bytes[34], signature[SIGNATURE_SIZE];
    struct buf out = {0}, text = {0};
    char written[BASE58_TEXT_SIZE];
    struct signing_key key;

    (void)state;
    assert_int_equal(jcs_write(document, &out), ERR_OK);
    credential_expect_bytes(&out, "vc/vc-di-eddsa/canonDocJCS.txt");
    buf_clear(&out);
    assert_int_equal(jcs_write(options, &out), ERR_OK);
    credential_expect_bytes(&out, "vc/vc-di-eddsa/proofCanonJCS.txt");
    buf_clear(&out);
    assert_int_equal(credential_jcs_message(document, options, &out), ERR_OK);
    assert_int_equal(out.size, 64);
    (void)vectors_read("vc/vc-di-eddsa/combinedHashJCS.txt", &text);
    assert_int_equal(text.size, 128);
    assert_int_equal(hex_read(buf_span(&text), signature, 64), ERR_OK);
    assert_memory_equal(out.data, signature, 64);
    assert_int_equal(base58_read(span_str(secret + 1), bytes, sizeof bytes), ERR_OK);
    identity_signing_key(bytes + 2, &key);
    identity_sign_raw(&key, buf_span(&out), signature);
    base58_write(span_of(signature, sizeof signature), written);
    assert_string_equal(written, json_string_value(json_object_get(proof, "proofValue")) + 1);
    buf_clear(&out);
    assert_int_equal(credential_jcs_message(whole, proof, &out), ERR_OK);
    assert_int_equal(identity_verify_raw(&key.public_key, buf_span(&out), signature), ERR_OK);
    json_decref(document);
    json_decref(options);
    json_decref(pair);
    json_decref(whole);
    buf_release(&out);
    buf_release(&text);
}

/* The endorsement of the worked example: keys from 32 bytes of 1 and of 2. */
static void credential_example(struct endorsement *out, struct signing_key *out_alice)
{
    static const uint8_t id[16] = {0x0b, 0x6a, 0x3c, 0x1e, 0x7b, 0x4f, 0x7c, 0x1a,
                                   0x9d, 0x2e, 0x5f, 0x60, 0x71, 0x82, 0x93, 0xa4};
    uint8_t seed[SEED_SIZE];
    struct signing_key bob;

    memset(seed, 1, sizeof seed);
    identity_signing_key(seed, out_alice);
    memset(seed, 2, sizeof seed);
    identity_signing_key(seed, &bob);
    *out = (struct endorsement){.issuer = out_alice->public_key,
                                .subject = bob.public_key,
                                .relation = RELATION_WORKED_WITH,
                                .about = {span_str("rebranding")},
                                .about_count = 1,
                                .words = span_str("Led our rebrand from first sketch to launch."),
                                .issued_s = 1793491200,  /* 2026-11-01 */
                                .expires_s = 1856649600, /* 2028-11-01 */
                                .ceiling = AUDIENCE_PUBLIC,
                                .name = span_str("Alice Example")};
    memcpy(out->id.bytes, id, sizeof id);
}

static void credential_expect_hash(struct span bytes, const char *hex)
{
    uint8_t hash[32];
    char text[65];

    digest_sha_hash(DIGEST_SHA256, bytes, span_of(NULL, 0), hash);
    hex_write(span_of(hash, sizeof hash), text);
    assert_string_equal(text, hex);
}

static void credential_expect_proof(json_t *document, size_t index, const char *proof_hash,
                                    const char *document_hash, const char *value)
{
    json_t *proof = json_array_get(json_object_get(document, "proof"), index);
    struct buf message = {0};
    char text[129];

    if (index == 0)
        assert_int_equal(credential_jcs_message(document, proof, &message), ERR_OK);
    else
        assert_int_equal(credential_rdfc_message(document, proof, &message), ERR_OK);
    hex_write(buf_span(&message), text);
    assert_memory_equal(text, proof_hash, 64);
    assert_memory_equal(text + 64, document_hash, 64);
    assert_string_equal(json_string_value(json_object_get(proof, "proofValue")), value);
    buf_release(&message);
}

static void credential_matches_the_worked_example(void **state)
{
    struct credential_verdict verdict;
    struct endorsement endorsement;
    struct signing_key alice;
    struct buf text = {0};
    json_t *document, *bare;

    (void)state;
    credential_example(&endorsement, &alice);
    assert_int_equal(endorsement_check(&endorsement), ENDORSEMENT_FINE);
    assert_int_equal(credential_prove(&endorsement, &alice), ERR_OK);
    assert_int_equal(credential_check(&endorsement), ERR_OK);
    document = credential_export(&endorsement);
    assert_non_null(document);
    credential_expect_proof(
        document, 0, "061368466bdedfcac0d4e362283eaf1317737d9ec80f70541b81b8f20f5ec2fa",
        "a9037f9d0b5d2b9913b1c01eba2c16ab7fd8666e31bc1d149f7ffb20f62b56e7",
        "zZKPT4R3Gzgg8ficAJ7jcEnd9m7FD5ngZAoervgqgbUHwxqTgVDdCEephMcsJUzd854afagByXq2fP7YsLDzAKQJ");
    credential_expect_proof(
        document, 1, "39e4b17a2d31b6f3d7c5a3c035a275f17b7be294efa1ccc86bd58812350c4ec7",
        "d19a8d74a2ac1889a99aa4c5f84055e94d41ff3867b86327df8e7e1fedac7813",
        "z5t71WgPRSEaD3knNhNVrsMCrdVEJ2VyHE4txWwG1RsAtkL4b93PrRch62zuDxGdTds1kjV8wgBa9yPdow2t4NNi"
        "j");
    bare = json_copy(document);
    json_object_del(bare, "proof");
    assert_int_equal(jcs_write(bare, &text), ERR_OK);
    assert_int_equal(text.size, 595);
    credential_expect_hash(buf_span(&text),
                           "a9037f9d0b5d2b9913b1c01eba2c16ab7fd8666e31bc1d149f7ffb20f62b56e7");
    credential_verify(document, UINT64_C(1800000000000), &verdict);
    assert_true(verdict.is_valid);
    json_decref(bare);
    json_decref(document);
    buf_release(&text);
}

static int credential_start(void **state)
{
    (void)state;
    return secret_start() == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jcs_writes_what_rfc_8785_says),
        cmocka_unit_test(jcs_writes_numbers_as_ecmascript_does),
        cmocka_unit_test(credential_signs_as_w3c_published),
        cmocka_unit_test(credential_matches_the_worked_example),
    };

    return cmocka_run_group_tests(tests, credential_start, NULL);
}
