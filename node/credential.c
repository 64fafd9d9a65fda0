/* Building, signing and the signed forms. Judging what others made is in credential_verify.c. */
#include "node/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base58.h"
#include "node/describe.h"
#include "node/jcs.h"
#include "node/rpc.h"

#define CREDENTIAL_RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define CREDENTIAL_CRED "https://www.w3.org/2018/credentials#"
#define CREDENTIAL_OBV "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
#define CREDENTIAL_SEC "https://w3id.org/security#"
#define CREDENTIAL_TIME_TYPE "^^<http://www.w3.org/2001/XMLSchema#dateTime>"

enum {
    CREDENTIAL_LINES = 10,
    CREDENTIAL_PROOF_LINES = 5,
    CREDENTIAL_SHA_SIZE = 32,
    CREDENTIAL_METHOD_SIZE = 2 * DID_SIZE,
    CREDENTIAL_UUID_SIZE = 46 /* "urn:uuid:", 36, the end */
};

static const char credential_w3c[] = "https://www.w3.org/ns/credentials/v2";
static const char credential_badges[] =
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";

/* Building. */

static void credential_urn(const struct id *id, char out[static CREDENTIAL_UUID_SIZE])
{
    char uuid[DESCRIBE_UUID_SIZE];

    describe_uuid(id, uuid);
    (void)snprintf(out, CREDENTIAL_UUID_SIZE, "urn:uuid:%s", uuid); /* Fits exactly. */
}

static json_t *credential_contexts(void)
{
    return json_pack("[s, s]", credential_w3c, credential_badges);
}

static json_t *credential_text(struct span text)
{
    return json_stringn((const char *)text.data, text.size);
}

/* The credential without proofs. */
/* PROTOCOL EXPORT-1: "The credential is a W3C Verifiable Credential 2.0 in the shape of the Open
 * Badges 3.0 EndorsementCredential: @context https://www.w3.org/ns/credentials/v2 and
 * https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json, id urn:uuid: and the id, type
 * VerifiableCredential and EndorsementCredential, issuer {id, type [Profile], name}, validFrom
 * issued, validUntil expires, credentialSubject {id, type [EndorsementSubject], endorsementComment
 * words}. Members are did:key; times have seconds and Z." */
static json_t *credential_document(const struct endorsement *endorsement)
{
    char issuer[DID_SIZE], subject[DID_SIZE], urn[CREDENTIAL_UUID_SIZE];
    char from[DESCRIBE_TIME_SIZE], until[DESCRIBE_TIME_SIZE];

    identity_did(&endorsement->issuer, issuer);
    identity_did(&endorsement->subject, subject);
    credential_urn(&endorsement->id, urn);
    describe_time(endorsement->issued_s * 1000, from);
    describe_time(endorsement->expires_s * 1000, until);
    return json_pack("{s:o, s:s, s:[s, s], s:{s:s, s:[s], s:o}, s:s, s:s, s:{s:s, s:[s], s:o}}",
                     "@context", credential_contexts(), "id", urn, "type", "VerifiableCredential",
                     "EndorsementCredential", "issuer", "id", issuer, "type", "Profile", "name",
                     credential_text(endorsement->name), "validFrom", from, "validUntil", until,
                     "credentialSubject", "id", subject, "type", "EndorsementSubject",
                     "endorsementComment", credential_text(endorsement->words));
}

static void credential_method(const struct public_key *key, char out[static CREDENTIAL_METHOD_SIZE])
{
    char did[DID_SIZE];

    identity_did(key, did);
    (void)snprintf(out, CREDENTIAL_METHOD_SIZE, "%s#%s", did, did + strlen("did:key:"));
}

/* A proof without its value. PROTOCOL EXPORT-3: "The jcs proof carries the contexts of the
 * document, the rdfc proof none." */
/* PROTOCOL EXPORT-2: "It carries two proofs by root 0, for assertionMethod, created at the time of
 * issue: eddsa-jcs-2022 and eddsa-rdfc-2022 (W3C vc-di-eddsa), with the verification method
 * did:key:z...#z...." */
static json_t *credential_proof(const struct public_key *key, bool is_jcs, const char *purpose,
                                uint64_t created_s)
{
    char method[CREDENTIAL_METHOD_SIZE], created[DESCRIBE_TIME_SIZE];
    json_t *proof;

    credential_method(key, method);
    describe_time(created_s * 1000, created);
    proof = json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", "DataIntegrityProof", "cryptosuite",
                      is_jcs ? "eddsa-jcs-2022" : "eddsa-rdfc-2022", "created", created,
                      "verificationMethod", method, "proofPurpose", purpose);
    return proof;
}

static json_t *credential_endorsement_proof(const struct endorsement *endorsement, bool is_jcs)
{
    json_t *proof =
        credential_proof(&endorsement->issuer, is_jcs, "assertionMethod", endorsement->issued_s);

    if (is_jcs && json_object_set_new(proof, "@context", credential_contexts()) != 0) {
        json_decref(proof);
        return NULL;
    }
    return proof;
}

/* What both suites hash and sign. */

static enum err credential_hashes(struct span proof, struct span document, struct buf *out)
{
    uint8_t hash[CREDENTIAL_SHA_SIZE];

    digest_sha_hash(DIGEST_SHA256, proof, span_of(NULL, 0), hash);
    buf_append(out, span_of(hash, sizeof hash));
    digest_sha_hash(DIGEST_SHA256, document, span_of(NULL, 0), hash);
    buf_append(out, span_of(hash, sizeof hash));
    return buf_err(out);
}

enum err credential_jcs_message(json_t *document, json_t *proof, struct buf *out)
{
    json_t *bare = json_copy(document), *options = json_copy(proof);
    struct buf left = {0}, right = {0};
    enum err err = bare != NULL && options != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK) {
        json_t *contexts = json_object_get(options, "@context");

        (void)json_object_del(bare, "proof"); /* It may have none. */
        (void)json_object_del(options, "proofValue");
        if (contexts != NULL && json_object_set(bare, "@context", contexts) != 0)
            err = ERR_NOMEM;
    }
    if (err == ERR_OK)
        err = jcs_write(options, &left);
    if (err == ERR_OK)
        err = jcs_write(bare, &right);
    if (err == ERR_OK)
        err = credential_hashes(buf_span(&left), buf_span(&right), out);
    buf_release(&left);
    buf_release(&right);
    json_decref(bare);
    json_decref(options);
    return err;
}

/* N-Quads: canonical lines, sorted by their bytes. */

/* The values of a document of our shape, and nothing besides. */
struct credential_shape {
    const char *id, *issuer, *name, *from, *until, *subject, *comment;
};

/* An absolute name that RDF takes as it stands: no compact form, no blank node, nothing to escape.
 */
static bool credential_is_iri(const char *text)
{
    static const char *const schemes[] = {"did:", "urn:", "https://", "http://"};

    if (text == NULL || strpbrk(text, "<>\"{}|^`\\ ") != NULL)
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7f)
            return false;
    for (size_t at = 0; at < sizeof schemes / sizeof schemes[0]; at++)
        if (strncmp(text, schemes[at], strlen(schemes[at])) == 0)
            return true;
    return false;
}

static const char *credential_string(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

bool credential_says(json_t *object, const char *key, const char *value)
{
    const char *text = credential_string(object, key);

    return text != NULL && strcmp(text, value) == 0;
}

static bool credential_is_list(json_t *list, const char *first, const char *second)
{
    const char *one = json_string_value(json_array_get(list, 0));
    const char *other = json_string_value(json_array_get(list, 1));

    return json_array_size(list) == (second != NULL ? 2U : 1U) && one != NULL &&
           strcmp(one, first) == 0 &&
           (second == NULL || (other != NULL && strcmp(other, second) == 0));
}

static bool credential_take_shape(json_t *document, struct credential_shape *out)
{
    json_t *issuer = json_object_get(document, "issuer");
    json_t *subject = json_object_get(document, "credentialSubject");
    size_t keys = json_object_get(document, "proof") != NULL ? 8 : 7;

    *out = (struct credential_shape){.id = credential_string(document, "id"),
                                     .issuer = credential_string(issuer, "id"),
                                     .name = credential_string(issuer, "name"),
                                     .from = credential_string(document, "validFrom"),
                                     .until = credential_string(document, "validUntil"),
                                     .subject = credential_string(subject, "id"),
                                     .comment = credential_string(subject, "endorsementComment")};
    return json_object_size(document) == keys && json_object_size(issuer) == 3 &&
           json_object_size(subject) == 3 &&
           credential_is_list(json_object_get(document, "@context"), credential_w3c,
                              credential_badges) &&
           credential_is_list(json_object_get(document, "type"), "VerifiableCredential",
                              "EndorsementCredential") &&
           credential_is_list(json_object_get(issuer, "type"), "Profile", NULL) &&
           credential_is_list(json_object_get(subject, "type"), "EndorsementSubject", NULL) &&
           credential_is_iri(out->id) && credential_is_iri(out->issuer) &&
           credential_is_iri(out->subject) && out->name != NULL && out->from != NULL &&
           out->until != NULL && out->comment != NULL;
}

/* Escapes of the canonical form (RDF 1.1 N-Quads with RDFC-1.0): named ones for the seven, \u00XX
 * for other control bytes and delete. */
/* PROTOCOL EXPORT-4: "In literals backspace, tab, newline, form feed, return, quote and backslash
 * have their short escapes, other control bytes and delete \u00XX with capital digits." */
static void credential_literal(const char *text, struct buf *out)
{
    static const char shorts[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";

    buf_byte(out, '"');
    for (const char *at = text; *at != '\0'; at++) {
        const char *known = strchr(shorts, *at);
        char escape[8];

        if (known != NULL) {
            buf_byte(out, '\\');
            buf_byte(out, (uint8_t)letters[known - shorts]);
        } else if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            (void)snprintf(escape, sizeof escape, "\\u%04X", (unsigned)*at);
            buf_append(out, span_str(escape));
        } else {
            buf_byte(out, (uint8_t)*at);
        }
    }
    buf_byte(out, '"');
}

/* One line: subject and object are names unless type says that the object is a literal. */
struct credential_line {
    const char *subject, *predicate, *object;
    const char *type; /* NULL: a name; "" or the datatype: a literal */
};

static void credential_put_line(const struct credential_line *line, struct buf *out)
{
    bool is_blank = line->subject[0] == '_';

    buf_append(out, span_str(is_blank ? "" : "<"));
    buf_append(out, span_str(line->subject));
    buf_append(out, span_str(is_blank ? " <" : "> <"));
    buf_append(out, span_str(line->predicate));
    buf_append(out, span_str("> "));
    if (line->type == NULL) {
        buf_byte(out, '<');
        buf_append(out, span_str(line->object));
        buf_byte(out, '>');
    } else {
        credential_literal(line->object, out);
        buf_append(out, span_str(line->type));
    }
    buf_append(out, span_str(" .\n"));
}

static int credential_line_order(const void *left, const void *right)
{
    const struct buf *one = left, *other = right;

    return span_order(buf_span(one), buf_span(other));
}

/* PROTOCOL EXPORT-4: "What rdfc hashes is the canonical N-Quads of the shape: ten lines for the
 * document, five for the proof, sorted by their bytes." */
static enum err credential_put_lines(const struct credential_line *lines, size_t count,
                                     struct buf *out)
{
    struct buf written[CREDENTIAL_LINES] = {{0}};
    enum err err = ERR_OK;

    for (size_t at = 0; at < count && err == ERR_OK; at++) {
        credential_put_line(&lines[at], &written[at]);
        err = buf_err(&written[at]);
    }
    if (err == ERR_OK)
        qsort(written, count, sizeof written[0], credential_line_order);
    for (size_t at = 0; at < count; at++) {
        buf_append(out, buf_span(&written[at]));
        buf_release(&written[at]);
    }
    return err == ERR_OK ? buf_err(out) : err;
}

enum err credential_nquads(json_t *document, struct buf *out)
{
    struct credential_shape shape;

    if (!credential_take_shape(document, &shape))
        return ERR_INVALID;
    return credential_put_lines(
        (const struct credential_line[CREDENTIAL_LINES]){
            {shape.id, CREDENTIAL_RDF "type", CREDENTIAL_OBV "EndorsementCredential", NULL},
            {shape.id, CREDENTIAL_RDF "type", CREDENTIAL_CRED "VerifiableCredential", NULL},
            {shape.id, CREDENTIAL_CRED "credentialSubject", shape.subject, NULL},
            {shape.id, CREDENTIAL_CRED "issuer", shape.issuer, NULL},
            {shape.id, CREDENTIAL_CRED "validFrom", shape.from, CREDENTIAL_TIME_TYPE},
            {shape.id, CREDENTIAL_CRED "validUntil", shape.until, CREDENTIAL_TIME_TYPE},
            {shape.issuer, CREDENTIAL_RDF "type", CREDENTIAL_OBV "Profile", NULL},
            {shape.issuer, "https://schema.org/name", shape.name, ""},
            {shape.subject, CREDENTIAL_RDF "type", CREDENTIAL_OBV "EndorsementSubject", NULL},
            {shape.subject, CREDENTIAL_OBV "endorsementComment", shape.comment, ""}},
        CREDENTIAL_LINES, out);
}

/* The five lines of a proof; the blank node is the only one, so it is the first. */
static enum err credential_proof_nquads(json_t *proof, struct buf *out)
{
    const char *created = credential_string(proof, "created");
    const char *method = credential_string(proof, "verificationMethod");
    size_t keys = json_object_get(proof, "proofValue") != NULL ? 6 : 5;

    if (json_object_size(proof) != keys || created == NULL || !credential_is_iri(method) ||
        !credential_says(proof, "type", "DataIntegrityProof") ||
        !credential_says(proof, "cryptosuite", "eddsa-rdfc-2022") ||
        !credential_says(proof, "proofPurpose", "assertionMethod"))
        return ERR_INVALID;
    return credential_put_lines(
        (const struct credential_line[CREDENTIAL_PROOF_LINES]){
            {"_:c14n0", "http://purl.org/dc/terms/created", created, CREDENTIAL_TIME_TYPE},
            {"_:c14n0", CREDENTIAL_RDF "type", CREDENTIAL_SEC "DataIntegrityProof", NULL},
            {"_:c14n0", CREDENTIAL_SEC "cryptosuite", "eddsa-rdfc-2022",
             "^^<" CREDENTIAL_SEC "cryptosuiteString>"},
            {"_:c14n0", CREDENTIAL_SEC "proofPurpose", CREDENTIAL_SEC "assertionMethod", NULL},
            {"_:c14n0", CREDENTIAL_SEC "verificationMethod", method, NULL}},
        CREDENTIAL_PROOF_LINES, out);
}

enum err credential_rdfc_message(json_t *document, json_t *proof, struct buf *out)
{
    struct buf left = {0}, right = {0};
    enum err err = credential_proof_nquads(proof, &left);

    if (err == ERR_OK)
        err = credential_nquads(document, &right);
    if (err == ERR_OK)
        err = credential_hashes(buf_span(&left), buf_span(&right), out);
    buf_release(&left);
    buf_release(&right);
    return err;
}

/* Signing. */

static enum err credential_message(json_t *document, json_t *proof, bool is_jcs, struct buf *out)
{
    if (document == NULL || proof == NULL)
        return ERR_NOMEM;
    return is_jcs ? credential_jcs_message(document, proof, out)
                  : credential_rdfc_message(document, proof, out);
}

static enum err credential_each_message(const struct endorsement *endorsement, bool is_jcs,
                                        struct buf *out)
{
    json_t *document = credential_document(endorsement);
    json_t *proof = credential_endorsement_proof(endorsement, is_jcs);
    enum err err = credential_message(document, proof, is_jcs, out);

    json_decref(document);
    json_decref(proof);
    return err;
}

/* PROTOCOL ENDORSE-3: "Both proofs are those of EXPORT over the credential that this record makes;
 * they are made by the issuer with the record." */
enum err credential_prove(struct endorsement *endorsement, const struct signing_key *root)
{
    struct buf message = {0};
    enum err err = credential_each_message(endorsement, true, &message);

    if (err == ERR_OK)
        identity_sign_raw(root, buf_span(&message), endorsement->jcs_proof);
    buf_clear(&message);
    if (err == ERR_OK)
        err = credential_each_message(endorsement, false, &message);
    if (err == ERR_OK)
        identity_sign_raw(root, buf_span(&message), endorsement->rdfc_proof);
    buf_release(&message);
    return err;
}

/* PROTOCOL ENDORSE-3: "The subject checks them before accepting." */
enum err credential_check(const struct endorsement *endorsement)
{
    struct buf message = {0};
    enum err err = credential_each_message(endorsement, true, &message);

    if (err == ERR_OK)
        err = identity_verify_raw(&endorsement->issuer, buf_span(&message), endorsement->jcs_proof);
    buf_clear(&message);
    if (err == ERR_OK)
        err = credential_each_message(endorsement, false, &message);
    if (err == ERR_OK)
        err =
            identity_verify_raw(&endorsement->issuer, buf_span(&message), endorsement->rdfc_proof);
    buf_release(&message);
    return err;
}

static json_t *credential_with_value(json_t *proof, const uint8_t signature[static SIGNATURE_SIZE])
{
    char value[1 + BASE58_TEXT_SIZE] = "z";

    base58_write(span_of(signature, SIGNATURE_SIZE), value + 1);
    if (json_object_set_new(proof, "proofValue", json_string(value)) == 0)
        return proof;
    json_decref(proof);
    return NULL;
}

json_t *credential_export(const struct endorsement *endorsement)
{
    json_t *document = credential_document(endorsement);
    json_t *jcs = credential_with_value(credential_endorsement_proof(endorsement, true),
                                        endorsement->jcs_proof);
    json_t *rdfc = credential_with_value(credential_endorsement_proof(endorsement, false),
                                         endorsement->rdfc_proof);

    if (json_object_set_new(document, "proof", json_pack("[o, o]", jcs, rdfc)) == 0)
        return document;
    json_decref(document);
    return NULL;
}

json_t *credential_present(json_t *credentials, const struct signing_key *holder,
                           const struct credential_demand *demand, uint64_t now_ms)
{
    uint8_t signature[SIGNATURE_SIZE];
    struct buf message = {0};
    char did[DID_SIZE];
    json_t *document, *proof;

    identity_did(&holder->public_key, did);
    document =
        json_pack("{s:[s], s:[s], s:s, s:O}", "@context", credential_w3c, "type",
                  "VerifiablePresentation", "holder", did, "verifiableCredential", credentials);
    proof = credential_proof(&holder->public_key, true, "authentication", now_ms / 1000);
    if (demand->challenge != NULL)
        (void)json_object_set_new(proof, "challenge", json_string(demand->challenge));
    if (demand->domain != NULL)
        (void)json_object_set_new(proof, "domain", json_string(demand->domain));
    if (credential_message(document, proof, true, &message) == ERR_OK) {
        identity_sign_raw(holder, buf_span(&message), signature);
        proof = credential_with_value(proof, signature);
        if (json_object_set(document, "proof", proof) == 0) {
            buf_release(&message);
            json_decref(proof);
            return document;
        }
    }
    buf_release(&message);
    json_decref(proof);
    json_decref(document);
    return NULL;
}

json_t *credential_parse(struct span text)
{
    return rpc_parse(text, CREDENTIAL_SIZE_MAX, CREDENTIAL_DEPTH_MAX);
}
