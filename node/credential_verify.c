/*
 * Judging a credential from anywhere. The order is cheap first: shape, names, times, and only then
 * signatures, of which one document may cost CREDENTIAL_PROOFS_MAX. What cannot be checked here (a
 * status list on the web, a key that is no did:key) is said and not believed.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/base58.h"
#include "node/credential.h"

enum { CREDENTIAL_DAY_S = 86400, CREDENTIAL_DATE_SIZE = 19 };

/* What a proof is for. */
struct credential_purpose {
    const char *purpose; /* "assertionMethod" or "authentication" */
    const char *signer;  /* the did:key that must have signed */
};

/* Times. */

static bool credential_digits(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, text++)
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
            return false;
    return true;
}

static int credential_number(const char *text, int count)
{
    int number = 0;

    while (count-- > 0)
        number = number * 10 + (*text++ - '0');
    return number;
}

/* "Z" or an offset, after a fraction that does not matter here. */
static enum err credential_zone(const char *text, int *out_minutes)
{
    int sign = *text == '-' ? -1 : 1;

    *out_minutes = 0;
    if (strcmp(text, "Z") == 0)
        return ERR_OK;
    if ((*text != '+' && *text != '-') || strlen(text) != 6 ||
        !credential_digits(text + 1, "00:00"))
        return ERR_INVALID;
    *out_minutes = sign * (credential_number(text + 1, 2) * 60 + credential_number(text + 4, 2));
    return ERR_OK;
}

enum err credential_time(const char *text, uint64_t *out_s)
{
    struct tm parts = {0};
    int minutes;
    time_t seconds;

    if (text == NULL || strlen(text) > 64 || !credential_digits(text, "0000-00-00T00:00:00"))
        return ERR_INVALID;
    parts.tm_year = credential_number(text, 4) - 1900;
    parts.tm_mon = credential_number(text + 5, 2) - 1;
    parts.tm_mday = credential_number(text + 8, 2);
    parts.tm_hour = credential_number(text + 11, 2);
    parts.tm_min = credential_number(text + 14, 2);
    parts.tm_sec = credential_number(text + 17, 2);
    if (parts.tm_mon < 0 || parts.tm_mon > 11 || parts.tm_mday < 1 || parts.tm_mday > 31 ||
        parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60)
        return ERR_INVALID;
    text += CREDENTIAL_DATE_SIZE;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    if (credential_zone(text, &minutes) != ERR_OK)
        return ERR_INVALID;
    seconds = timegm(&parts) - (time_t)minutes * 60;
    if (seconds < 0)
        return ERR_INVALID;
    *out_s = (uint64_t)seconds;
    return ERR_OK;
}

/* NULL, or why the time is wrong. A day of difference between two clocks is forgiven. */
/* PROTOCOL EXPORT-5: "forgives a day of difference between clocks for the beginning of validity,
 * not for its end." */
static const char *credential_judge_times(json_t *document, uint64_t now_ms)
{
    json_t *from = json_object_get(document, "validFrom");
    json_t *until = json_object_get(document, "validUntil");
    uint64_t at_s;

    if (from != NULL && credential_time(json_string_value(from), &at_s) != ERR_OK)
        return "its date is no date";
    if (from != NULL && at_s > now_ms / 1000 + CREDENTIAL_DAY_S)
        return "it is not valid yet";
    if (until != NULL && credential_time(json_string_value(until), &at_s) != ERR_OK)
        return "its date is no date";
    return until != NULL && at_s <= now_ms / 1000 ? "it has expired" : NULL;
}

/* Proofs. */

/* The key of "did:key:z...#z..."; both halves must name the same. */
static enum err credential_method_key(const char *method, const char *signer,
                                      struct public_key *out)
{
    size_t did_size = DID_SIZE - 1, prefix_size = strlen("did:key:");

    if (method == NULL || signer == NULL || strlen(signer) != did_size ||
        strlen(method) != 2 * did_size - prefix_size + 1 || method[did_size] != '#' ||
        strcmp(method + did_size + 1, signer + prefix_size) != 0 ||
        strncmp(method, signer, did_size) != 0)
        return ERR_INVALID;
    return identity_read_did(span_of(method, did_size), out);
}

/* vc-di-eddsa 3.3.2: the document's contexts must begin with those of the proof. */
static bool credential_contexts_agree(json_t *document, json_t *proof)
{
    json_t *own = json_object_get(proof, "@context");
    json_t *whole = json_object_get(document, "@context");

    if (own == NULL)
        return true;
    if (!json_is_array(own) || !json_is_array(whole))
        return json_equal(own, whole) != 0;
    for (size_t at = 0; at < json_array_size(own); at++)
        if (at >= json_array_size(whole) ||
            json_equal(json_array_get(own, at), json_array_get(whole, at)) == 0)
            return false;
    return true;
}

static bool credential_read_value(json_t *proof, uint8_t out[static SIGNATURE_SIZE])
{
    const char *value = json_string_value(json_object_get(proof, "proofValue"));

    return value != NULL && value[0] == 'z' &&
           base58_read(span_str(value + 1), out, SIGNATURE_SIZE) == ERR_OK;
}

static const char *credential_judge_message(json_t *proof, const struct credential_purpose *wanted,
                                            struct span message)
{
    const char *method = json_string_value(json_object_get(proof, "verificationMethod"));
    uint8_t signature[SIGNATURE_SIZE];
    struct public_key key;

    if (credential_method_key(method, wanted->signer, &key) != ERR_OK)
        return "it is not signed with the key of whom it names (a did:key is wanted)";
    if (!credential_read_value(proof, signature))
        return "its signature is damaged";
    return identity_verify_raw(&key, message, signature) == ERR_OK
               ? NULL
               : "its signature does not fit: it was altered, or not signed by whom it names";
}

static bool credential_is_known(json_t *proof)
{
    return credential_says(proof, "type", "DataIntegrityProof") &&
           (credential_says(proof, "cryptosuite", "eddsa-jcs-2022") ||
            credential_says(proof, "cryptosuite", "eddsa-rdfc-2022"));
}

/* NULL when the proof fits. out_is_known tells whether it is of a suite that is checked here. */
static const char *credential_judge_proof(json_t *document, json_t *proof,
                                          const struct credential_purpose *wanted, uint64_t now_ms,
                                          bool *out_is_known)
{
    bool is_jcs = credential_says(proof, "cryptosuite", "eddsa-jcs-2022");
    json_t *expires = json_object_get(proof, "expires");
    struct buf message = {0};
    const char *why;
    uint64_t at_s;
    enum err err;

    *out_is_known = credential_is_known(proof);
    if (!*out_is_known)
        return NULL;
    if (!credential_says(proof, "proofPurpose", wanted->purpose))
        return "its proof is for another purpose";
    if (!credential_contexts_agree(document, proof))
        return "its contexts are not those that were signed";
    if (expires != NULL &&
        (credential_time(json_string_value(expires), &at_s) != ERR_OK || at_s <= now_ms / 1000))
        return "its proof has expired";
    err = is_jcs ? credential_jcs_message(document, proof, &message)
                 : credential_rdfc_message(document, proof, &message);
    if (err == ERR_OK)
        why = credential_judge_message(proof, wanted, buf_span(&message));
    else
        why = err == ERR_INVALID ? "its form is one that kith cannot check" : "out of memory";
    buf_release(&message);
    return why;
}

/* PROTOCOL EXPORT-5: "A verifier checks every proof of the two suites, wants one at least, of the
 * did:key the document names," */
static const char *credential_judge_proofs(json_t *document,
                                           const struct credential_purpose *wanted, uint64_t now_ms)
{
    json_t *proofs = json_object_get(document, "proof");
    size_t count = json_is_array(proofs) ? json_array_size(proofs) : proofs != NULL ? 1 : 0;
    size_t known = 0;

    if (count == 0)
        return "it is not signed";
    if (count > CREDENTIAL_PROOFS_MAX)
        return "it carries more proofs than kith looks at";
    for (size_t at = 0; at < count; at++) {
        json_t *proof = json_is_array(proofs) ? json_array_get(proofs, at) : proofs;
        bool is_known = false;
        const char *why = credential_judge_proof(document, proof, wanted, now_ms, &is_known);

        if (why != NULL)
            return why;
        known += is_known;
    }
    return known > 0 ? NULL : "its signature is of a kind that kith cannot check";
}

/* Documents. */

static bool credential_has_type(json_t *document, const char *type)
{
    json_t *types = json_object_get(document, "type"), *one;
    size_t at;

    if (credential_says(document, "type", type))
        return true;
    json_array_foreach(types, at, one) if (json_is_string(one) &&
                                           strcmp(json_string_value(one), type) == 0) return true;
    return false;
}

/* "issuer": "did:..." or {"id": "did:..."}. */
static const char *credential_name_of(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    return json_is_string(value) ? json_string_value(value)
                                 : json_string_value(json_object_get(value, "id"));
}

/* PROTOCOL EXPORT-5: "It refuses a status it cannot look up." */
static const char *credential_judge(json_t *document, uint64_t now_ms)
{
    json_t *subject = json_object_get(document, "credentialSubject");
    struct credential_purpose wanted = {"assertionMethod", credential_name_of(document, "issuer")};
    const char *why;

    if (!credential_has_type(document, "VerifiableCredential") ||
        !credential_has_type(document, "EndorsementCredential") ||
        !json_is_string(json_object_get(subject, "endorsementComment")))
        return "it is no endorsement credential";
    if (!json_is_string(json_array_get(json_object_get(document, "@context"), 0)) ||
        strcmp(json_string_value(json_array_get(json_object_get(document, "@context"), 0)),
               "https://www.w3.org/ns/credentials/v2") != 0)
        return "it is no credential of version 2";
    if (wanted.signer == NULL)
        return "it does not say who endorses";
    why = credential_judge_times(document, now_ms);
    if (why == NULL)
        why = credential_judge_proofs(document, &wanted, now_ms);
    if (why == NULL && json_object_get(document, "credentialStatus") != NULL)
        why = "it may have been revoked: its status stands on the web, where kith does not look";
    return why;
}

static void credential_name(json_t *credential, struct credential_verdict *out)
{
    out->credential = credential;
    out->issuer = credential_name_of(credential, "issuer");
    out->subject = credential_name_of(credential, "credentialSubject");
}

/* PROTOCOL EXPORT-7: "Who verifies a presentation tells the challenge and the domain of the first
 * proof that was checked" */
static void credential_read_demand(json_t *document, struct credential_verdict *out)
{
    json_t *proofs = json_object_get(document, "proof"), *proof = proofs;
    size_t at = 0;

    if (json_is_array(proofs))
        do
            proof = json_array_get(proofs, at++);
        while (proof != NULL && !credential_is_known(proof));
    out->demand.challenge = json_string_value(json_object_get(proof, "challenge"));
    out->demand.domain = json_string_value(json_object_get(proof, "domain"));
}

/* A presentation is as good as what it presents, and must be of the presenter. */
static const char *credential_judge_presentation(json_t *document, uint64_t now_ms,
                                                 struct credential_verdict *out)
{
    json_t *list = json_object_get(document, "verifiableCredential");
    struct credential_purpose wanted = {"authentication", credential_name_of(document, "holder")};
    size_t count = json_is_array(list) ? json_array_size(list) : list != NULL ? 1 : 0;
    const char *why = NULL;

    if (count == 0 || count > CREDENTIALS_MAX)
        return "it presents nothing that kith can check";
    credential_name(json_is_array(list) ? json_array_get(list, 0) : list, out);
    if (wanted.signer == NULL)
        return "it does not say who presents it";
    why = credential_judge_proofs(document, &wanted, now_ms);
    for (size_t at = 0; at < count && why == NULL; at++) {
        json_t *credential = json_is_array(list) ? json_array_get(list, at) : list;
        const char *subject = credential_name_of(credential, "credentialSubject");

        why = credential_judge(credential, now_ms);
        if (why == NULL && (subject == NULL || strcmp(subject, wanted.signer) != 0))
            why = "somebody else presents it than the person endorsed";
    }
    if (why == NULL)
        credential_read_demand(document, out);
    return why;
}

void credential_verify(json_t *document, uint64_t now_ms, struct credential_verdict *out)
{
    *out = (struct credential_verdict){0};
    if (document == NULL) {
        out->why = "it is no JSON document";
    } else if (credential_has_type(document, "VerifiablePresentation")) {
        out->why = credential_judge_presentation(document, now_ms, out);
    } else {
        credential_name(document, out);
        out->why = credential_judge(document, now_ms);
    }
    out->is_valid = out->why == NULL;
    if (out->is_valid)
        out->why = "signed by the one it names, unaltered, and not expired";
}
