/* A view and its record, as an object. */
#include "node/describe_endorsement.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/describe.h"
#include "proto/card.h"
#include "storage/row.h"
#include "storage/view_peer.h"

enum { DESCRIBE_ENDORSEMENTS_MAX = 10 };

const char *describe_endorsement_state(enum endorsement_state state)
{
    switch (state) {
    case ENDORSEMENT_SENT:
        return "sent";
    case ENDORSEMENT_PENDING:
        return "pending";
    case ENDORSEMENT_ACCEPTED:
        return "accepted";
    case ENDORSEMENT_SET_ASIDE:
        return "set aside";
    case ENDORSEMENT_REVOKED:
        return "revoked";
    case ENDORSEMENT_EXPIRED:
        break;
    }
    return "expired";
}

static void describe_endorsement_own_name(const struct op_call *call, json_t *out)
{
    static const struct id only = {{0}};
    struct object card = {0};
    struct space_row space;
    uint32_t number;

    if (ledger_own_space(&call->snapshot, SPACE_CARD, &space) == ERR_OK &&
        row_get(&call->snapshot, &space.id, KIND_CARD, &only, &card, &number) == ERR_OK)
        describe_set_name(out, object_text(&card, CARD_NAME));
    object_release(&card);
}

json_t *describe_endorsement_member(const struct op_call *call, const struct public_key *member,
                                    struct span fallback)
{
    json_t *out = json_object();
    struct peer *peer;

    describe_set_did(out, "member", member);
    if (public_key_is_equal(member, ledger_member(call->snapshot.ledger))) {
        describe_endorsement_own_name(call, out);
        return out;
    }
    peer = secret_new(sizeof *peer);
    if (peer != NULL && view_peer(&call->snapshot, member, peer) == ERR_OK)
        describe_set_name(out, span_str(peer->alias[0] != '\0' ? peer->alias : peer->name));
    else
        describe_set_name(out, fallback);
    secret_free(peer);
    return out;
}

static void describe_endorsement_year(json_t *out, const char *key, uint16_t year)
{
    if (year != 0)
        (void)json_object_set_new(out, key, json_integer(year)); /* A lost key shows as absent. */
}

static void describe_endorsement_uuid(json_t *out, const char *key, const struct id *id)
{
    char uuid[DESCRIBE_UUID_SIZE];

    describe_uuid(id, uuid);
    (void)json_object_set_new(out, key, json_string(uuid));
}

static json_t *describe_endorsement_about(const struct endorsement *record)
{
    json_t *list = json_array();

    for (size_t at = 0; at < record->about_count; at++)
        (void)json_array_append_new(
            list, json_stringn((const char *)record->about[at].data, record->about[at].size));
    return list;
}

json_t *describe_endorsement(const struct op_call *call, const struct endorsement_view *view)
{
    struct endorsement record;
    struct object object = {0};
    json_t *out = NULL;

    if (view_endorsement_record(&call->snapshot, view, &object, &record) == ERR_OK)
        out = json_object();
    if (out != NULL) {
        describe_endorsement_uuid(out, "id", &record.id);
        (void)json_object_set_new(out, "issuer",
                                  describe_endorsement_member(call, &record.issuer, record.name));
        (void)json_object_set_new(
            out, "subject", describe_endorsement_member(call, &record.subject, span_of(NULL, 0)));
        (void)json_object_set_new(out, "about", describe_endorsement_about(&record));
        describe_set_text(out, "relation", span_str(relation_name(record.relation)));
        describe_set_text(out, "words", record.words);
        describe_endorsement_year(out, "since", record.since);
        describe_endorsement_year(out, "until", record.until);
        describe_set_time(out, "issued", record.issued_s * 1000);
        describe_set_time(out, "expires", record.expires_s * 1000);
        describe_set_text(out, "state", span_str(describe_endorsement_state(view->state)));
        describe_set_text(out, "shown_to", span_str(audience_name(view->shown_to, false)));
        describe_set_text(out, "ceiling", span_str(audience_name(record.ceiling, true)));
        if (record.has_supersedes)
            describe_endorsement_uuid(out, "renews", &record.supersedes);
        if (view->is_superseded)
            (void)json_object_set_new(out, "superseded", json_true());
        if (view->is_quoted)
            (void)json_object_set_new(
                out, "via", describe_endorsement_member(call, &view->quoted_by, span_of(NULL, 0)));
        (void)json_object_set_new(out, "verified", json_true());
    }
    object_release(&object);
    return out;
}

struct describe_endorsement_list {
    const struct op_call *call;
    json_t *rows;
};

static enum err describe_endorsement_mention(void *self, const struct endorsement_view *view)
{
    struct describe_endorsement_list *list = self;
    json_t *whole, *row = json_object();
    static const char *const keys[] = {"id", "issuer", "relation", "about"};

    if (view->state != ENDORSEMENT_ACCEPTED || view->is_superseded) {
        json_decref(row);
        return ERR_OK;
    }
    whole = describe_endorsement(list->call, view);
    for (size_t at = 0; at < sizeof keys / sizeof keys[0]; at++)
        (void)json_object_set(row, keys[at], json_object_get(whole, keys[at]));
    json_decref(whole);
    (void)json_array_append_new(list->rows, row); /* A lost row shows as absent. */
    return json_array_size(list->rows) < DESCRIBE_ENDORSEMENTS_MAX ? ERR_OK : ERR_CANCELLED;
}

void describe_endorsement_mentions(const struct op_call *call, json_t *out,
                                   const struct public_key *member)
{
    struct describe_endorsement_list list = {.call = call, .rows = json_array()};
    enum err err = view_endorsement_of(&call->snapshot, call->now_ms, member,
                                       describe_endorsement_mention, &list);

    if ((err == ERR_OK || err == ERR_CANCELLED) && json_array_size(list.rows) > 0)
        (void)json_object_set(out, "endorsements", list.rows);
    json_decref(list.rows);
}
