/*
 * Endorsements outside kith: W3C Verifiable Credentials 2.0 in the shape of the Open Badges 3.0
 * EndorsementCredential, with two proofs, eddsa-jcs-2022 and eddsa-rdfc-2022 (W3C vc-di-eddsa),
 * which the common verifiers accept. The second needs no RDF processor here: the shape is fixed and
 * every node has a name, so the canonical form is ten known lines.
 *
 * Pure. Documents are JSON as jansson holds it; new references belong to the caller.
 */
#ifndef KITH_NODE_CREDENTIAL_H
#define KITH_NODE_CREDENTIAL_H

#include <jansson.h>

#include "proto/endorsement.h"

/* Fills in both proofs of a record that has everything else. ERR_NOMEM. */
MUST_USE enum err credential_prove(struct endorsement *endorsement, const struct signing_key *root);
/* Do both proofs fit? ERR_FORGED, ERR_NOMEM. */
MUST_USE enum err credential_check(const struct endorsement *endorsement);
/* The credential with both proofs; NULL without memory. */
json_t *credential_export(const struct endorsement *endorsement);

/* What a presentation answers to; NULL where nothing was asked. */
struct credential_demand {
    const char *challenge, *domain;
};
/* A presentation by the holder, with an eddsa-jcs-2022 proof for authentication. credentials is an
 * array, borrowed. NULL without memory. */
json_t *credential_present(json_t *credentials, const struct signing_key *holder,
                           const struct credential_demand *demand, uint64_t now_ms);

/* Parses JSON from anywhere within CREDENTIAL_SIZE_MAX and CREDENTIAL_DEPTH_MAX, no key twice. NULL
 * when it is none. */
json_t *credential_parse(struct span text);

struct credential_verdict {
    bool is_valid;
    const char *why;     /* one sentence; a constant */
    const char *issuer;  /* what the document names; NULL when it does not. Borrowed from it */
    const char *subject; /* likewise: who is endorsed, or who presents */
    json_t *credential;  /* the endorsement judged: the document or the first of a presentation;
                            borrowed, NULL when there is none */
    struct credential_demand demand; /* of a valid presentation: on what challenge and for whom it
                                        was made; NULL where it does not say. Borrowed */
};
/* Judges an endorsement credential or a presentation of some, wherever it comes from. Every proof
 * of a suite known here must fit, and one at least; issuers and holders are did:key. */
void credential_verify(json_t *document, uint64_t now_ms, struct credential_verdict *out);

/* For credential_verify: the parts of the formats, as they are signed. */

/* Appends the 64 bytes that eddsa-jcs-2022 signs: the hash of the proof without its value, the hash
 * of the document without proofs. ERR_NOMEM. */
MUST_USE enum err credential_jcs_message(json_t *document, json_t *proof, struct buf *out);
/* The same for eddsa-rdfc-2022. ERR_INVALID when document or proof is not of the one shape that is
 * known here. */
MUST_USE enum err credential_rdfc_message(json_t *document, json_t *proof, struct buf *out);
/* The canonical N-Quads of a document of our shape. ERR_INVALID, ERR_NOMEM. */
MUST_USE enum err credential_nquads(json_t *document, struct buf *out);
/* Is this key of the object that text? */
bool credential_says(json_t *object, const char *key, const char *value);
/* Seconds since 1970 of an xsd:dateTime with a zone. ERR_INVALID. */
MUST_USE enum err credential_time(const char *text, uint64_t *out_s);

#endif
