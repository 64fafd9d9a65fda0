/* Credentials from anywhere: what is believed, what is refused and why, and that hostile JSON costs
 * no more than its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base58.h"
#include "crypto/secret.h"
#include "node/credential.h"
#include "proto/limits.h"

static const uint64_t now_ms = UINT64_C(1800000000000); /* January 2027 */

static void credential_keys(struct signing_key *out_issuer, struct signing_key *out_subject)
{
    uint8_t seed[SEED_SIZE];

    memset(seed, 1, sizeof seed);
    identity_signing_key(seed, out_issuer);
    memset(seed, 2, sizeof seed);
    identity_signing_key(seed, out_subject);
}

static void credential_record(struct endorsement *out, struct signing_key *out_issuer)
{
    struct signing_key subject;

    credential_keys(out_issuer, &subject);
    *out = (struct endorsement){.issuer = out_issuer->public_key,
                                .subject = subject.public_key,
                                .relation = RELATION_CLIENT,
                                .about = {span_str("stairs")},
                                .about_count = 1,
                                .words = span_str("Built our stairs, on time and true."),
                                .issued_s = now_ms / 1000 - 86400,
                                .expires_s = now_ms / 1000 + 86400,
                                .ceiling = AUDIENCE_PUBLIC,
                                .name = span_str("Ana")};
    out->id.bytes[6] = 0x70;
    out->id.bytes[8] = 0x80;
    assert_int_equal(credential_prove(out, out_issuer), ERR_OK);
}

static json_t *credential_good(void)
{
    struct endorsement record;
    struct signing_key issuer;

    credential_record(&record, &issuer);
    return credential_export(&record);
}

/* Takes the document over. */
static void credential_expect(json_t *document, uint64_t at_ms, bool is_valid, const char *why)
{
    struct credential_verdict verdict;

    assert_non_null(document);
    credential_verify(document, at_ms, &verdict);
    if (verdict.is_valid != is_valid || strstr(verdict.why, why) == NULL)
        print_message("said: %s, wanted: %s\n", verdict.why, why);
    assert_int_equal(verdict.is_valid, is_valid);
    assert_non_null(strstr(verdict.why, why));
    json_decref(document);
}

static json_t *credential_with(const char *key, json_t *value)
{
    json_t *document = credential_good();

    assert_int_equal(json_object_set_new(document, key, value), 0);
    return document;
}

static void credential_holds_from_its_day_to_its_end(void **state)
{
    struct endorsement record;
    struct signing_key issuer;

    (void)state;
    credential_record(&record, &issuer);
    credential_expect(credential_good(), now_ms, true, "signed by");
    credential_expect(credential_good(), record.expires_s * 1000 - 1000, true, "signed by");
    credential_expect(credential_good(), record.expires_s * 1000, false, "expired");
    credential_expect(credential_good(), (record.issued_s - 86400) * 1000, true, "signed by");
    credential_expect(credential_good(), (record.issued_s - 86401) * 1000, false, "not valid yet");
}

static void credential_says_why_it_is_refused(void **state)
{
    json_t *many = json_array(), *one;

    (void)state;
    credential_expect(credential_with("validUntil", json_string("soon")), now_ms, false, "no date");
    credential_expect(credential_with("validUntil", json_integer(5)), now_ms, false, "no date");
    credential_expect(credential_with("proof", json_array()), now_ms, false, "not signed");
    credential_expect(credential_with("type", json_string("VerifiableCredential")), now_ms, false,
                      "no endorsement");
    credential_expect(credential_with("credentialSubject", json_array()), now_ms, false,
                      "no endorsement");
    credential_expect(credential_with("@context", json_string("x")), now_ms, false, "version 2");
    credential_expect(credential_with("issuer", json_integer(1)), now_ms, false, "who endorses");
    credential_expect(credential_with("issuer", json_string("did:web:example.org")), now_ms, false,
                      "not signed with the key");
    credential_expect(credential_with("more", json_true()), now_ms, false, "does not fit");
    for (int at = 0; at <= CREDENTIAL_PROOFS_MAX; at++)
        (void)json_array_append_new(many, json_object());
    credential_expect(credential_with("proof", many), now_ms, false, "more proofs");
    one = json_pack("{s:s, s:s}", "type", "DataIntegrityProof", "cryptosuite", "other-2030");
    credential_expect(credential_with("proof", one), now_ms, false, "kind that kith cannot check");
    credential_expect(json_array(), now_ms, false, "no endorsement");
    credential_expect(json_true(), now_ms, false, "no endorsement");
}

/* The proof that is known must fit, though another would. */
static void credential_wants_every_known_proof(void **state)
{
    json_t *document = credential_good(), *proofs = json_object_get(document, "proof");
    char value[1 + BASE58_TEXT_SIZE] = "z";
    uint8_t signature[SIGNATURE_SIZE];

    (void)state;
    memset(signature, 9, sizeof signature);
    base58_write(span_of(signature, sizeof signature), value + 1);
    (void)json_object_set_new(json_array_get(proofs, 1), "proofValue", json_string(value));
    credential_expect(document, now_ms, false, "does not fit");
    document = credential_good();
    proofs = json_object_get(document, "proof");
    (void)json_object_set_new(json_array_get(proofs, 0), "proofValue", json_string("u64"));
    credential_expect(document, now_ms, false, "damaged");
    document = credential_good();
    proofs = json_object_get(document, "proof");
    (void)json_array_append_new(proofs, json_pack("{s:s}", "type", "SomethingNew"));
    credential_expect(document, now_ms, true, "signed by");
    document = credential_good();
    (void)json_object_set_new(document, "proof",
                              json_incref(json_array_get(json_object_get(document, "proof"), 1)));
    credential_expect(document, now_ms, true, "signed by");
}

static json_t *credential_presented(const struct signing_key *holder)
{
    const struct credential_demand demand = {"7f3a", "jobs.example"};
    json_t *list = json_array(), *whole;

    (void)json_array_append_new(list, credential_good());
    whole = credential_present(list, holder, &demand, now_ms);
    json_decref(list);
    return whole;
}

static void credential_is_presented_by_its_subject_only(void **state)
{
    struct signing_key issuer, subject;
    json_t *whole;

    (void)state;
    credential_keys(&issuer, &subject);
    credential_expect(credential_presented(&subject), now_ms, true, "signed by");
    credential_expect(credential_presented(&issuer), now_ms, false, "somebody else");
    whole = credential_presented(&subject);
    (void)json_object_set_new(json_object_get(whole, "proof"), "domain", json_string("other"));
    credential_expect(whole, now_ms, false, "does not fit");
    whole = credential_presented(&subject);
    (void)json_object_set_new(whole, "verifiableCredential", json_array());
    credential_expect(whole, now_ms, false, "nothing");
    whole = credential_presented(&subject);
    (void)json_object_del(whole, "holder");
    credential_expect(whole, now_ms, false, "who presents");
}

/* EXPORT-7: a presentation made for somebody else, or once before, looks good to whoever is not
 * told for whom and on what challenge it was made. */
static void credential_tells_for_whom_it_is_presented(void **state)
{
    struct signing_key issuer, subject;
    struct credential_verdict verdict;
    json_t *whole;

    (void)state;
    credential_keys(&issuer, &subject);
    whole = credential_presented(&subject);
    credential_verify(whole, now_ms, &verdict);
    assert_true(verdict.is_valid);
    assert_string_equal(verdict.demand.challenge, "7f3a");
    assert_string_equal(verdict.demand.domain, "jobs.example");
    /* A proof of a kind that is not checked here says nothing, wherever it stands. */
    (void)json_object_set_new(whole, "proof",
                              json_pack("[{s:s, s:s}, O]", "type", "New", "challenge", "other",
                                        json_object_get(whole, "proof")));
    credential_verify(whole, now_ms, &verdict);
    assert_true(verdict.is_valid);
    assert_string_equal(verdict.demand.challenge, "7f3a");
    (void)json_object_set_new(json_array_get(json_object_get(whole, "proof"), 1), "challenge",
                              json_string("forged"));
    credential_verify(whole, now_ms, &verdict);
    assert_false(verdict.is_valid);
    assert_null(verdict.demand.challenge);
    assert_null(verdict.demand.domain);
    json_decref(whole);
}

/* Bounds on size and depth, keys that come twice, numbers that are none, text that is none. */
static void credential_parses_within_its_bounds(void **state)
{
    static const char *const bad[] = {
        "",           "{",       "{\"a\":1,\"a\":2}", "[1e999]",    "[12345678901234567890123]",
        "{\"a\":01}", "[1] [2]", "\"\\ud800\"",       "[\"\xff\"]", "{\"\\u0000\":1}"};
    struct buf text = {0};
    json_t *document;

    (void)state;
    for (size_t at = 0; at < sizeof bad / sizeof bad[0]; at++)
        assert_null(credential_parse(span_str(bad[at])));
    for (int depth = CREDENTIAL_DEPTH_MAX; depth <= CREDENTIAL_DEPTH_MAX + 1; depth++) {
        buf_clear(&text);
        for (int at = 0; at < depth; at++)
            buf_byte(&text, '[');
        for (int at = 0; at < depth; at++)
            buf_byte(&text, ']');
        document = credential_parse(buf_span(&text));
        assert_int_equal(document != NULL, depth <= CREDENTIAL_DEPTH_MAX);
        json_decref(document);
    }
    for (size_t size = CREDENTIAL_SIZE_MAX; size <= CREDENTIAL_SIZE_MAX + 1; size++) {
        buf_clear(&text);
        buf_append(&text, span_str("[]"));
        while (text.size < size)
            buf_byte(&text, ' ');
        document = credential_parse(buf_span(&text));
        assert_int_equal(document != NULL, size <= CREDENTIAL_SIZE_MAX);
        json_decref(document);
    }
    buf_release(&text);
}

static void credential_reads_times_with_their_zone(void **state)
{
    static const struct {
        const char *text;
        uint64_t seconds; /* 0: refused */
    } rows[] = {
        {"2026-11-01T00:00:00Z", 1793491200},
        {"2026-11-01T02:00:00+02:00", 1793491200},
        {"2026-10-31T19:30:00-04:30", 1793491200},
        {"2026-11-01T00:00:00.123Z", 1793491200},
        {"2026-11-01T00:00:00", 0},
        {"2026-13-01T00:00:00Z", 0},
        {"2026-11-01", 0},
        {"1960-01-01T00:00:00Z", 0},
        {"2026-11-01T00:00:00+2:00", 0},
        {"", 0},
    };

    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        uint64_t seconds = 0;

        assert_int_equal(credential_time(rows[at].text, &seconds),
                         rows[at].seconds != 0 ? ERR_OK : ERR_INVALID);
        assert_int_equal(seconds, rows[at].seconds);
    }
    assert_int_equal(credential_time(NULL, &(uint64_t){0}), ERR_INVALID);
}

static void base58_reads_what_it_writes_and_nothing_else(void **state)
{
    static const uint8_t zeros[4] = {0}, mixed[4] = {0, 0, 1, 2};
    uint8_t out[4];
    char text[BASE58_TEXT_SIZE];

    (void)state;
    base58_write(span_of(zeros, 4), text);
    assert_string_equal(text, "1111");
    base58_write(span_of(mixed, 4), text);
    assert_string_equal(text, "115T");
    assert_int_equal(base58_read(span_str("115T"), out, 4), ERR_OK);
    assert_memory_equal(out, mixed, 4);
    assert_int_equal(base58_read(span_str("15T"), out, 4), ERR_INVALID);
    assert_int_equal(base58_read(span_str("1115T"), out, 4), ERR_INVALID);
    assert_int_equal(base58_read(span_str("110T"), out, 4), ERR_INVALID);
    assert_int_equal(base58_read(span_str("zzzzzzzz"), out, 4), ERR_INVALID);
    base58_write(span_of(NULL, 0), text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credential_holds_from_its_day_to_its_end),
        cmocka_unit_test(credential_says_why_it_is_refused),
        cmocka_unit_test(credential_wants_every_known_proof),
        cmocka_unit_test(credential_is_presented_by_its_subject_only),
        cmocka_unit_test(credential_tells_for_whom_it_is_presented),
        cmocka_unit_test(credential_parses_within_its_bounds),
        cmocka_unit_test(credential_reads_times_with_their_zone),
        cmocka_unit_test(base58_reads_what_it_writes_and_nothing_else),
    };

    if (secret_start() != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
