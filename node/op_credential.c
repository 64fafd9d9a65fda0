/* Endorsements as W3C credentials. Exporting needs nobody: the proofs were made with the words. */
#include "node/op_credential.h"

#include <string.h>

#include "node/credential.h"
#include "node/describe_endorsement.h"
#include "node/op_endorsement.h"

enum { OP_CREDENTIAL_DEMAND_MAX = 1000 };

/* Who may have the export: its two people; others only when both agreed to that. */
static enum err op_credential_allow(struct op_call *call, const struct endorsement_view *view)
{
    bool is_of_mine = op_endorsement_is_me(call, &view->subject);

    if (view->state == ENDORSEMENT_REVOKED)
        return op_fail(call, OP_FAILED, "kith endorsement list",
                       "its writer has taken that endorsement back");
    if (view->state == ENDORSEMENT_EXPIRED)
        return op_fail(call, OP_FAILED, "kith endorsement list", "that endorsement has expired");
    if (!is_of_mine && !op_endorsement_is_me(call, &view->issuer) &&
        view->shown_to != AUDIENCE_PUBLIC)
        return op_fail(call, OP_FAILED, "ask its subject to show it to the public",
                       "that endorsement is not for handing on");
    if (is_of_mine && view->state != ENDORSEMENT_ACCEPTED)
        return op_fail(call, OP_FAILED, "kith endorsement accept ID", "you have not accepted it");
    return ERR_OK;
}

static enum err op_credential_append(struct op_call *call, const struct endorsement_view *view,
                                     json_t *list)
{
    struct endorsement record;
    struct object object = {0};
    json_t *credential = NULL;
    enum err err = view_endorsement_record(&call->snapshot, view, &object, &record);

    if (err == ERR_OK)
        credential = credential_export(&record);
    object_release(&object);
    if (err == ERR_OK && (credential == NULL || json_array_append_new(list, credential) != 0))
        err = ERR_NOMEM;
    return err;
}

struct op_credential_all {
    struct op_call *call;
    json_t *list;
};

static enum err op_credential_on_view(void *self, const struct endorsement_view *view)
{
    struct op_credential_all *all = self;

    return view->state == ENDORSEMENT_ACCEPTED && !view->is_superseded
               ? op_credential_append(all->call, view, all->list)
               : ERR_OK;
}

/* The credentials of the ids named, or of everything accepted. */
static enum err op_credential_collect(struct op_call *call, json_t *ids, json_t *list)
{
    struct op_credential_all all = {.call = call, .list = list};
    enum err err = ERR_OK;
    json_t *id;
    size_t at;

    if (json_array_size(ids) == 0)
        return view_endorsement_of(&call->snapshot, call->now_ms,
                                   ledger_member(call->snapshot.ledger), op_credential_on_view,
                                   &all);
    json_array_foreach(ids, at, id)
    {
        struct endorsement_view view;

        if (err == ERR_OK)
            err = op_endorsement_find(call, json_string_value(id), &view);
        if (err == ERR_OK)
            err = op_credential_allow(call, &view);
        if (err == ERR_OK)
            err = op_credential_append(call, &view, list);
    }
    return err;
}

enum err op_credential_export(struct op_call *call)
{
    const char *id = op_text(call, "id");
    json_t *ids = id != NULL ? json_pack("[s]", id) : NULL, *list = json_array();
    enum err err = ERR_OK;

    if ((id != NULL) == op_flag(call, "all"))
        err = op_fail(call, OP_USAGE, "kith endorsement export ID -o FILE",
                      "say which one: its id, or --all");
    if (err == ERR_OK)
        err = op_credential_collect(call, ids, list);
    if (err == ERR_OK)
        call->result = id != NULL ? json_incref(json_array_get(list, 0)) : json_incref(list);
    json_decref(ids);
    json_decref(list);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "it could not be exported");
}

/* PROTOCOL EXPORT-6: "Whoever presents must be the subject of all that is presented." */
enum err op_credential_present(struct op_call *call)
{
    const struct signing_key *root = ledger_root_key(call->snapshot.ledger);
    struct credential_demand demand = {op_text(call, "challenge"), op_text(call, "domain")};
    json_t *list = json_array(), *one;
    size_t at;
    enum err err = ERR_OK;

    if (root == NULL)
        err = op_fail(call, OP_FAILED, "use the device you began with",
                      "this device does not hold the key that signs presentations");
    else if ((demand.challenge != NULL && strlen(demand.challenge) > OP_CREDENTIAL_DEMAND_MAX) ||
             (demand.domain != NULL && strlen(demand.domain) > OP_CREDENTIAL_DEMAND_MAX))
        err = op_fail(call, OP_USAGE, "make it shorter",
                      "a challenge or domain has at most %d bytes", OP_CREDENTIAL_DEMAND_MAX);
    if (err == ERR_OK)
        err = op_credential_collect(call, op_list(call, "id"), list);
    json_array_foreach(list, at, one)
    {
        char did[DID_SIZE];

        identity_did(ledger_member(call->snapshot.ledger), did);
        if (err == ERR_OK && !credential_says(json_object_get(one, "credentialSubject"), "id", did))
            err = op_fail(call, OP_FAILED, "kith endorsement list --received",
                          "only what is about you can be presented by you");
    }
    if (err == ERR_OK && json_array_size(list) == 0)
        err = op_fail(call, OP_NOT_FOUND, "kith endorsement list --received",
                      "you have accepted no endorsement yet");
    if (err == ERR_OK) {
        call->result = credential_present(list, root, &demand, call->now_ms);
        err = call->result != NULL ? ERR_OK : ERR_NOMEM;
    }
    json_decref(list);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "it could not be presented");
}

/* Names for keys I know, so that a person reads more than a key. */
static void op_credential_add_name(struct op_call *call, const char *key, const char *did)
{
    struct public_key member;
    json_t *known, *name;

    if (did == NULL || identity_read_did(span_str(did), &member) != ERR_OK)
        return;
    known = describe_endorsement_member(call, &member, span_of(NULL, 0));
    name = json_object_get(known, "name");
    if (name != NULL)
        (void)json_object_set(call->result, key, name); /* A lost name shows as absent. */
    json_decref(known);
}

static void op_credential_add(json_t *out, const char *key, json_t *value)
{
    if (json_is_string(value))
        (void)json_object_set(out, key, value); /* A lost key shows as absent. */
}

/* The other way to secure a credential: three or more parts of base64url, the first of which is a
 * JSON object, so that it begins with "eyJ". */
static bool op_credential_is_token(const char *text)
{
    return strncmp(text, "eyJ", 3) == 0 && strchr(text, '.') != NULL;
}

/* Does this node know that whoever issued it has taken it back? Others may have not heard of it. */

struct op_credential_known {
    struct public_key issuer;
    bool is_taken_back;
};

static enum err op_credential_on_known(void *self, const struct endorsement_view *view)
{
    struct op_credential_known *known = self;

    known->is_taken_back |= public_key_is_equal(&view->issuer, &known->issuer) &&
                            (view->state == ENDORSEMENT_REVOKED || view->is_known_revoked);
    return ERR_OK;
}

static bool op_credential_is_taken_back(struct op_call *call, json_t *credential)
{
    static const char prefix[] = "urn:uuid:";
    json_t *by = json_object_get(credential, "issuer");
    const char *id = json_string_value(json_object_get(credential, "id"));
    const char *issuer = json_string_value(json_is_object(by) ? json_object_get(by, "id") : by);
    struct op_credential_known known = {.is_taken_back = false};
    char hex[2 * ID_SIZE + 1];
    size_t size = 0;

    if (id == NULL || issuer == NULL || strncmp(id, prefix, sizeof prefix - 1) != 0 ||
        identity_read_did(span_str(issuer), &known.issuer) != ERR_OK)
        return false;
    for (const char *at = id + sizeof prefix - 1; *at != '\0' && size < 2 * (size_t)ID_SIZE; at++)
        if (*at != '-')
            hex[size++] = *at;
    return size == 2 * (size_t)ID_SIZE &&
           view_endorsement_named(&call->snapshot, call->now_ms, span_of(hex, size),
                                  op_credential_on_known, &known) == ERR_OK &&
           known.is_taken_back;
}

/* Itself, or one of those that it presents. */
static bool op_credential_has_taken_back(struct op_call *call, json_t *document)
{
    json_t *presented = json_object_get(document, "verifiableCredential"), *one;
    bool is_taken_back =
        op_credential_is_taken_back(call, json_is_object(presented) ? presented : document);
    size_t at;

    json_array_foreach(presented, at, one)
    {
        is_taken_back |= op_credential_is_taken_back(call, one);
    }
    return is_taken_back;
}

enum err op_credential_verify(struct op_call *call)
{
    const char *text = op_text(call, "file");
    json_t *document = credential_parse(span_str(text != NULL ? text : "")), *credential;
    struct credential_verdict verdict;

    credential_verify(document, call->now_ms, &verdict);
    if (document == NULL && text != NULL && op_credential_is_token(text))
        verdict.why = "it is a signed token (JWT or SD-JWT); kith checks credentials that carry "
                      "their proof inside";
    if (verdict.is_valid && op_credential_has_taken_back(call, document)) {
        verdict.is_valid = false;
        verdict.why = "whoever signed it has taken it back since";
    }
    credential = verdict.credential;
    call->result = json_pack("{s:b, s:s}", "valid", (int)verdict.is_valid, "why", verdict.why);
    if (verdict.issuer != NULL)
        (void)json_object_set_new(call->result, "issuer", json_string(verdict.issuer));
    if (verdict.subject != NULL)
        (void)json_object_set_new(call->result, "subject", json_string(verdict.subject));
    op_credential_add_name(call, "issuer_name", verdict.issuer);
    op_credential_add_name(call, "subject_name", verdict.subject);
    op_credential_add(
        call->result, "words",
        json_object_get(json_object_get(credential, "credentialSubject"), "endorsementComment"));
    op_credential_add(call->result, "issued", json_object_get(credential, "validFrom"));
    op_credential_add(call->result, "expires", json_object_get(credential, "validUntil"));
    op_credential_add(call->result, "presented_by", json_object_get(document, "holder"));
    if (verdict.demand.challenge != NULL)
        (void)json_object_set_new(call->result, "challenge", json_string(verdict.demand.challenge));
    if (verdict.demand.domain != NULL)
        (void)json_object_set_new(call->result, "domain", json_string(verdict.demand.domain));
    json_decref(document);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}
