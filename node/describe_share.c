/* One view, as an object: who told it, what it says, what became of it. */
#include "node/describe_share.h"

#include "crypto/secret.h"
#include "node/describe.h"
#include "node/describe_endorsement.h"
#include "storage/row.h"
#include "storage/view_peer.h"
#include "storage/view_same.h"

/* The keys of share_text_fields and share_set_fields, in their order. */
static const char *const describe_share_texts[SHARE_TEXTS] = {"name", "org", "title", "place"};
static const char *const describe_share_sets[SHARE_SETS] = {"emails", "phones", "urls", "tags"};

void describe_share_person(json_t *out, const struct share *share)
{
    (void)json_object_set_new(out, "kind", json_string(share->is_org ? "org" : "person"));
    describe_set_name(out, share->texts[0]);
    for (size_t at = 1; at < SHARE_TEXTS; at++)
        describe_set_text(out, describe_share_texts[at], share->texts[at]);
    for (size_t at = 0; at < SHARE_SETS; at++) {
        json_t *list = json_array();

        for (size_t value = 0; value < share->sets[at].count; value++)
            (void)json_array_append_new(
                list, json_stringn((const char *)share->sets[at].values[value].data,
                                   share->sets[at].values[value].size));
        if (json_array_size(list) > 0)
            (void)json_object_set(out, describe_share_sets[at], list); /* A lost key: absent. */
        json_decref(list);
    }
}

static const char *describe_share_state(const struct share_view *view)
{
    if (view->is_given)
        return "given";
    switch (view->decision) {
    case SHARE_KEPT:
        return view->withdrawn_ms != 0 ? "taken back" : view->is_changed ? "changed" : "kept";
    case SHARE_SET_ASIDE:
        return "set aside";
    case SHARE_WAITING:
        break;
    }
    return "waiting";
}

json_t *describe_share(const struct op_call *call, const struct share_view *view)
{
    json_t *out = json_object();

    describe_set_id(out, "id", &view->object);
    (void)json_object_set_new(out, "state", json_string(describe_share_state(view)));
    (void)json_object_set_new(out, view->is_given ? "with" : "from",
                              describe_endorsement_member(call, &view->peer, span_of(NULL, 0)));
    describe_share_person(out, &view->share);
    describe_set_text(out, "why", view->share.why);
    describe_set_time(out, "shared", view->share.shared_s * 1000);
    describe_set_time(out, "seen", view->seen_ms);
    describe_set_time(out, "decided", view->decided_ms);
    describe_set_time(out, "taken_back", view->withdrawn_ms);
    if (view->has_contact)
        describe_set_id(out, "contact", &view->contact);
    return out;
}

/* Mentions. */

struct describe_share_page {
    const struct op_call *call;
    const struct id *contact;
    json_t *by, *with;
};

static enum err describe_share_on_source(void *self, const struct share_view *view)
{
    struct describe_share_page *page = self;
    json_t *row = describe_endorsement_member(page->call, &view->peer, span_of(NULL, 0));

    describe_set_id(row, "share", &view->object);
    describe_set_time(row, "at", view->decided_ms);
    (void)json_object_set_new(row, "state", json_string(describe_share_state(view)));
    return json_array_append_new(page->by, row) == 0 ? ERR_OK : ERR_NOMEM;
}

/* The id of a share follows from the contact, so that nothing has to remember whom it went to. */
static enum err describe_share_on_peer(void *self, const struct peer *peer)
{
    struct describe_share_page *page = self;
    struct object share = {0};
    uint32_t number;
    struct id id;
    json_t *row;
    enum err err;

    if (peer->state != LINK_LINKED || !peer->has_pair_out)
        return ERR_OK;
    share_id(&peer->pair_out, page->contact, &id);
    err = row_get(&page->call->snapshot, &peer->pair_out, KIND_SHARE, &id, &share, &number);
    if (err == ERR_OK && object_is_visible(&share)) {
        row = describe_endorsement_member(page->call, &peer->member, span_of(NULL, 0));
        describe_set_id(row, "share", &id);
        err = json_array_append_new(page->with, row) == 0 ? ERR_OK : ERR_NOMEM;
    }
    object_release(&share);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

void describe_share_mentions(const struct op_call *call, json_t *out, uint32_t head)
{
    struct describe_share_page page = {.call = call, .by = json_array(), .with = json_array()};
    uint32_t members[VIEW_SAME_MAX], space;
    size_t count = 0;
    enum err err = view_same_members(&call->snapshot, head, members, &count);

    for (size_t at = 0; err == ERR_OK && at < count; at++) {
        struct object contact = {0};

        err = row_load(&call->snapshot, members[at], &contact, &space);
        page.contact = &contact.id;
        if (err == ERR_OK)
            err = view_share_of(&call->snapshot, page.contact, describe_share_on_source, &page);
        if (err == ERR_OK)
            err = view_peer_each(&call->snapshot, describe_share_on_peer, &page);
        object_release(&contact);
    }
    if (json_array_size(page.by) > 0)
        (void)json_object_set(out, "shared_by", page.by); /* A lost key shows as absent. */
    if (json_array_size(page.with) > 0)
        (void)json_object_set(out, "shared_with", page.with);
    json_decref(page.by);
    json_decref(page.with);
}
