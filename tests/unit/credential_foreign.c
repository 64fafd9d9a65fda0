/* Endorsement credentials that other programs made: another order of keys and contexts, members
 * kith never writes, one proof instead of two, suites and names it does not know. */
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

static const uint64_t foreign_now_ms = UINT64_C(1800000000000); /* January 2027 */

struct foreign {
    struct signing_key key;
    char issuer[DID_SIZE];
    json_t *document; /* without a proof */
};

static void foreign_begin(struct foreign *foreign)
{
    uint8_t seed[SEED_SIZE];

    memset(seed, 7, sizeof seed);
    identity_signing_key(seed, &foreign->key);
    identity_did(&foreign->key.public_key, foreign->issuer);
    foreign->document = json_pack(
        "{s:{s:s, s:s, s:s}, s:s, s:[s, s], s:s, s:[s, s, s], s:s, s:s, s:{s:s}}",
        "credentialSubject", "id", "did:web:baker.example", "endorsementComment",
        "Bakes the best bread in town.", "type", "EndorsementSubject", "issuer", foreign->issuer,
        "type", "EndorsementCredential", "VerifiableCredential", "id",
        "https://other.example/credentials/7", "@context", "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "https://other.example/context", "name", "An endorsement", "validFrom",
        "2026-01-01T01:00:00+01:00", "evidence", "type", "Evidence");
    assert_non_null(foreign->document);
}

/* One proof, signed with this suite's hashes or, for suites unknown here, with nothing. */
static json_t *foreign_proof(const struct foreign *foreign, const char *suite)
{
    char method[2 * DID_SIZE], value[1 + BASE58_TEXT_SIZE] = "z";
    uint8_t signature[SIGNATURE_SIZE] = {1};
    struct buf message = {0};
    json_t *proof;

    (void)snprintf(method, sizeof method, "%s#%s", foreign->issuer,
                   foreign->issuer + strlen("did:key:"));
    proof = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "proofPurpose", "assertionMethod", "type",
                      "DataIntegrityProof", "cryptosuite", suite, "verificationMethod", method,
                      "id", "urn:uuid:7", "created", "2026-01-01T00:00:00Z");
    assert_non_null(proof);
    if (strcmp(suite, "eddsa-jcs-2022") == 0) {
        assert_int_equal(credential_jcs_message(foreign->document, proof, &message), ERR_OK);
        identity_sign_raw(&foreign->key, buf_span(&message), signature);
    }
    base58_write(span_of(signature, sizeof signature), value + 1);
    (void)json_object_set_new(proof, "proofValue", json_string(value));
    buf_release(&message);
    return proof;
}

/* Takes the proof; the document is judged and loses it again. */
static void foreign_expect(struct foreign *foreign, json_t *proof, bool is_valid, const char *why)
{
    struct credential_verdict verdict;

    (void)json_object_set_new(foreign->document, "proof", proof);
    credential_verify(foreign->document, foreign_now_ms, &verdict);
    if (verdict.is_valid != is_valid || strstr(verdict.why, why) == NULL)
        print_message("said: %s, wanted: %s\n", verdict.why, why);
    assert_int_equal(verdict.is_valid, is_valid);
    assert_non_null(strstr(verdict.why, why));
    (void)json_object_del(foreign->document, "proof");
}

static void a_credential_of_another_program_is_judged_by_its_signature(void **state)
{
    struct foreign foreign;
    json_t *proof;

    (void)state;
    foreign_begin(&foreign);
    foreign_expect(&foreign, foreign_proof(&foreign, "eddsa-jcs-2022"), true, "signed by");
    proof = foreign_proof(&foreign, "eddsa-jcs-2022");
    (void)json_object_set_new(proof, "created", json_string("2026-01-02T00:00:00Z"));
    foreign_expect(&foreign, proof, false, "does not fit");
    proof = foreign_proof(&foreign, "eddsa-jcs-2022");
    (void)json_object_set_new(json_object_get(foreign.document, "evidence"), "type",
                              json_string("Other"));
    foreign_expect(&foreign, proof, false, "does not fit");
    (void)json_object_set_new(foreign.document, "validUntil", json_string("2026-12-31T00:00:00Z"));
    foreign_expect(&foreign, foreign_proof(&foreign, "eddsa-jcs-2022"), false, "has expired");
    (void)json_object_set_new(foreign.document, "validUntil", json_string("2027-12-31T00:00:00Z"));
    foreign_expect(&foreign, foreign_proof(&foreign, "eddsa-jcs-2022"), true, "signed by");
    (void)json_object_set_new(foreign.document, "credentialStatus",
                              json_pack("{s:s}", "type", "BitstringStatusListEntry"));
    foreign_expect(&foreign, foreign_proof(&foreign, "eddsa-jcs-2022"), false, "may have been");
    json_decref(foreign.document);
}

static void what_cannot_be_checked_is_said_and_not_believed(void **state)
{
    static const char *const suites[] = {"ecdsa-rdfc-2019", "ecdsa-jcs-2019", "bbs-2023",
                                         "ecdsa-sd-2023", ""};
    struct foreign foreign;
    json_t *proof;

    (void)state;
    foreign_begin(&foreign);
    for (size_t at = 0; at < sizeof suites / sizeof suites[0]; at++)
        foreign_expect(&foreign, foreign_proof(&foreign, suites[at]), false,
                       "of a kind that kith cannot check");
    proof = foreign_proof(&foreign, "eddsa-jcs-2022");
    (void)json_object_set_new(proof, "type", json_string("Ed25519Signature2020"));
    foreign_expect(&foreign, proof, false, "of a kind that kith cannot check");
    foreign_expect(&foreign, foreign_proof(&foreign, "eddsa-rdfc-2022"), false, "its form is one");
    foreign_expect(&foreign, json_string("eyJhbGciOiJFZERTQSJ9"), false,
                   "of a kind that kith cannot check");
    (void)json_object_set_new(foreign.document, "issuer", json_string("did:web:other.example"));
    foreign_expect(&foreign, foreign_proof(&foreign, "eddsa-jcs-2022"), false,
                   "a did:key is wanted");
    /* The same member under keys of other curves. */
    (void)json_object_set_new(
        foreign.document, "issuer",
        json_string("did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"));
    foreign_expect(&foreign, foreign_proof(&foreign, "eddsa-jcs-2022"), false,
                   "a did:key is wanted");
    (void)json_object_set_new(foreign.document, "@context",
                              json_pack("[s]", "https://www.w3.org/2018/credentials/v1"));
    foreign_expect(&foreign, foreign_proof(&foreign, "eddsa-jcs-2022"), false, "version 2");
    json_decref(foreign.document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_credential_of_another_program_is_judged_by_its_signature),
        cmocka_unit_test(what_cannot_be_checked_is_said_and_not_believed),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
