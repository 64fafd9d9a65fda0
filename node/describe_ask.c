/* Whoever is named is named by a signature, or by having handed it over themself. */
#include "node/describe_ask.h"

#include <string.h>

#include "crypto/secret.h"
#include "node/describe_endorsement.h"
#include "node/introduction.h"
#include "storage/fold.h"
#include "storage/row.h"

const char *describe_ask_naming(enum ask_naming naming)
{
    switch (naming) {
    case ASK_NAMED_FIRST:
        return "first";
    case ASK_NAMED_ON_REQUEST:
        return "on-request";
    case ASK_NAMED_ALWAYS:
        break;
    }
    return "always";
}

/* States. */

static enum err describe_ask_on_grant(void *self, const struct ask_grant *grant)
{
    bool *has_passed = self;

    (void)grant;
    *has_passed = true;
    return ERR_CANCELLED;
}

static enum err describe_ask_heard(const struct op_call *call, const struct ask_row *row,
                                   const char **out)
{
    struct object heard = {0};
    bool has_passed = false;
    uint32_t number;
    enum err err = row_get(&call->snapshot, ledger_self_space(call->snapshot.ledger), KIND_HEARD,
                           &row->id, &heard, &number);
    bool is_heard = err == ERR_OK;

    *out = row->state == ASK_STATE_LATER ? "later" : "shown";
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = view_ask_grants(&call->snapshot, &row->id, describe_ask_on_grant, &has_passed);
    if (err == ERR_CANCELLED)
        err = ERR_OK;
    if (has_passed)
        *out = "passed";
    if (is_heard && object_number(&heard, HEARD_ANSWERED) != 0)
        *out = "answered";
    else if (is_heard && !has_passed && object_number(&heard, HEARD_DISMISSED) != 0)
        *out = "not now";
    object_release(&heard);
    return err;
}

enum err describe_ask_state(const struct op_call *call, const struct ask_row *row, const char **out)
{
    bool is_over;
    enum err err = view_ask_is_over(&call->snapshot, row, call->now_ms, &is_over);

    *out = NULL;
    if (err != ERR_OK || row->state == ASK_STATE_UNHEARD || row->state == ASK_STATE_SILENT)
        return err;
    *out = "open";
    if (row->closed != 0)
        *out = "closed";
    else if (is_over)
        *out = "expired";
    else if (row->state != ASK_STATE_MINE)
        return describe_ask_heard(call, row, out);
    return ERR_OK;
}

/* Who: a peer is called what I call them, somebody else what they call themself. */

static json_t *describe_ask_who(const struct op_call *call, const struct public_key *member)
{
    return describe_endorsement_member(call, member, span_of(NULL, 0));
}

static bool describe_ask_is_blocked(const struct op_call *call, const struct public_key *member)
{
    struct peer *peer = secret_new(sizeof *peer);
    bool is_blocked = peer != NULL && view_peer(&call->snapshot, member, peer) == ERR_OK &&
                      peer->state == LINK_BLOCKED;

    secret_free(peer);
    return is_blocked;
}

/* ERR_NOT_FOUND: somebody whom the owner has blocked since. */
static enum err describe_ask_author(const struct op_call *call, const struct ask_route *route,
                                    const struct ask_pass *pass, json_t *out)
{
    struct ask_signer signer = {.member = route->from};
    bool is_told = route->depth == 1 ||
                   (pass->author.size > 0 && ask_author_peek(pass->author, &signer) == ERR_OK);

    if (!is_told)
        return ERR_OK;
    if (describe_ask_is_blocked(call, &signer.member))
        return ERR_NOT_FOUND;
    (void)json_object_set_new(out, "author",
                              describe_endorsement_member(call, &signer.member, signer.name));
    return ERR_OK;
}

/* What it says. */

static void describe_ask_body(const struct ask *ask, json_t *out)
{
    json_t *tags = json_array();

    (void)json_object_set_new(out, "kind",
                              json_string(ask->sort == ASK_SORT_OFFER ? "offer" : "ask"));
    if (fold_is_seen(ask->title))
        describe_set_text(out, "title", ask->title);
    describe_set_text(out, "text", ask->text);
    for (size_t at = 0; at < ask->tags_count; at++)
        (void)json_array_append_new(
            tags, json_stringn((const char *)ask->tags[at].data, ask->tags[at].size));
    (void)json_object_set_new(out, "tags", tags);
    describe_set_text(out, "caution", ask->caution);
    (void)json_object_set_new(out, "named", json_string(describe_ask_naming(ask->naming)));
    (void)json_object_set_new(out, "hop_limit", json_integer(ask->hop_limit));
    describe_set_time(out, "issued", ask->issued_ms);
    describe_set_time(out, "expires", ask->expires_ms);
}

/* How it came. */

struct describe_ask_routes {
    const struct op_call *call;
    json_t *out, *also;
    size_t count;
    enum err err;
};

static void describe_ask_first(struct describe_ask_routes *routes, const struct ask_route *route,
                               const char *from)
{
    struct buf plain = {0};
    struct ask_pass pass;

    routes->err = view_ask_pass(&routes->call->snapshot, route, &plain, &pass);
    if (routes->err == ERR_OK) {
        describe_ask_body(&pass.ask, routes->out);
        routes->err = describe_ask_author(routes->call, route, &pass, routes->out);
        describe_set_text(routes->out, "note", pass.line);
        (void)json_object_set_new(routes->out, "hops", json_integer(route->depth));
        (void)json_object_set_new(routes->out, "from", json_string(from));
        describe_set_time(routes->out, "received", route->at_ms);
    }
    view_ask_wipe(&plain);
}

static enum err describe_ask_on_route(void *self, const struct ask_route *route)
{
    struct describe_ask_routes *routes = self;
    char name[INTRODUCTION_NAME_SIZE];

    introduction_name(&routes->call->snapshot, &route->from, name);
    if (routes->count++ == 0)
        describe_ask_first(routes, route, name);
    else
        (void)json_array_append_new(routes->also, json_string(name));
    return routes->err;
}

static enum err describe_ask_routes(const struct op_call *call, const struct ask_row *row,
                                    json_t *out)
{
    struct describe_ask_routes routes = {.call = call, .out = out, .also = json_array()};
    enum err err = view_ask_routes(&call->snapshot, &row->id, describe_ask_on_route, &routes);

    if (json_array_size(routes.also) > 0)
        (void)json_object_set(out, "also_from", routes.also);
    json_decref(routes.also);
    return err == ERR_OK && routes.count == 0 ? ERR_NOT_FOUND : err;
}

/* To whom it went from here. */

struct describe_ask_given {
    const struct op_call *call;
    json_t *to;
};

static enum err describe_ask_on_given(void *self, const struct ask_grant *grant)
{
    struct describe_ask_given *given = self;

    return json_array_append_new(given->to, describe_ask_who(given->call, &grant->to)) == 0
               ? ERR_OK
               : ERR_NOMEM;
}

static enum err describe_ask_given(const struct op_call *call, const struct ask_row *row,
                                   json_t *out)
{
    struct describe_ask_given given = {.call = call, .to = json_array()};
    enum err err = view_ask_grants(&call->snapshot, &row->id, describe_ask_on_given, &given);

    if (row->state == ASK_STATE_MINE || json_array_size(given.to) > 0)
        (void)json_object_set(out, row->state == ASK_STATE_MINE ? "to" : "passed_to", given.to);
    json_decref(given.to);
    return err;
}

static enum err describe_ask_own(const struct op_call *call, const struct ask_row *row, json_t *out)
{
    struct buf plain = {0};
    struct ask_pass own;
    enum err err = view_ask_own(&call->snapshot, &row->id, &plain, &own);

    if (err == ERR_OK) {
        describe_ask_body(&own.ask, out);
        (void)json_object_set_new(out, "mine", json_true());
        (void)json_object_set_new(out, "hops", json_integer(0));
        (void)json_object_set_new(out, "author",
                                  describe_ask_who(call, ledger_member(call->snapshot.ledger)));
    }
    view_ask_wipe(&plain);
    return err;
}

enum err describe_ask_read(const struct op_call *call, const struct ask_row *row, json_t **out)
{
    const char *state;
    enum err err = describe_ask_state(call, row, &state);

    *out = NULL;
    if (err != ERR_OK || state == NULL)
        return err != ERR_OK ? err : ERR_NOT_FOUND;
    *out = json_object();
    describe_set_id(*out, "id", &row->id);
    err = row->state == ASK_STATE_MINE ? describe_ask_own(call, row, *out)
                                       : describe_ask_routes(call, row, *out);
    if (err == ERR_OK)
        err = describe_ask_given(call, row, *out);
    (void)json_object_set_new(*out, "state", json_string(state));
    if (row->closed != 0)
        (void)json_object_set_new(*out, "reason",
                                  json_string(row->closed == ASK_FOUND ? "found" : "changed"));
    if (err == ERR_OK)
        return ERR_OK;
    json_decref(*out);
    *out = NULL;
    return err;
}

json_t *describe_ask(const struct op_call *call, const struct ask_row *row)
{
    json_t *out;

    return describe_ask_read(call, row, &out) == ERR_OK ? out : NULL;
}
