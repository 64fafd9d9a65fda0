/* Peers only: from whom is no peer of mine kith could not keep anything by name. */
#include "node/op_ask_colleagues.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/describe.h"
#include "node/describe_path.h"
#include "node/op_ask_to.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "storage/fold.h"
#include "storage/row.h"
#include "storage/view_contact.h"

enum { OP_ASK_COLLEAGUES_NAMED = 5, OP_ASK_COLLEAGUES_NOTED = 20, OP_ASK_COLLEAGUES_TEXT = 700 };

struct op_ask_colleagues {
    struct op_call *call;
    struct buf org; /* folded */
    const struct op_ask_audience *audience;
    size_t count;
    char names[OP_ASK_COLLEAGUES_TEXT], hint[300];
    size_t names_size, hint_size;
};

static bool op_ask_colleagues_is_at(const struct op_ask_colleagues *search, struct span org)
{
    struct buf folded = {0};
    bool is_at = org.size > 0 && fold(org, &folded) == ERR_OK &&
                 span_is_equal(buf_span(&folded), buf_span(&search->org));

    buf_release(&folded);
    return is_at;
}

static bool op_ask_colleagues_object(const struct op_ask_colleagues *search, const struct id *space,
                                     uint8_t kind, const struct id *id, uint8_t field)
{
    struct object object = {0};
    uint32_t number;
    bool is_at = row_get(&search->call->snapshot, space, kind, id, &object, &number) == ERR_OK &&
                 op_ask_colleagues_is_at(search, object_text(&object, field));

    object_release(&object);
    return is_at;
}

static void op_ask_colleagues_add(struct op_ask_colleagues *search, const struct peer *peer)
{
    const char *name = peer->alias[0] != '\0' ? peer->alias : peer->name;
    json_t *who = json_pack("{s:s}", "name", name);
    struct buf line = {0};
    int size;

    if (search->count++ < OP_ASK_COLLEAGUES_NAMED) {
        size =
            snprintf(search->names + search->names_size, sizeof search->names - search->names_size,
                     "%s%.120s", search->names_size > 0 ? ", " : "", name);
        if (size > 0 && search->names_size + (size_t)size < sizeof search->names)
            search->names_size += (size_t)size;
        describe_set_did(who, "member", &peer->member);
        buf_append(&line, span_str("--keep-from "));
        describe_path_put_who(who, &line);
        buf_byte(&line, ' ');
        if (buf_err(&line) == ERR_OK && line.size < sizeof search->hint - search->hint_size) {
            memcpy(search->hint + search->hint_size, line.data, line.size);
            search->hint_size += line.size;
        }
    }
    buf_release(&line);
    json_decref(who);
}

static enum err op_ask_colleagues_on_peer(void *self, const struct peer *peer)
{
    static const struct id only = {{0}};
    struct op_ask_colleagues *search = self;
    const struct op_ask_audience *audience = search->audience;
    const struct id *mine = ledger_self_space(search->call->snapshot.ledger);

    if (peer->state != LINK_LINKED || op_ask_to_has(audience->keep_from, &peer->member) ||
        op_ask_to_has(audience->named, &peer->member) ||
        (audience->reached != NULL && !op_ask_to_has(audience->reached, &peer->member)))
        return ERR_OK;
    if ((peer->has_card_in &&
         op_ask_colleagues_object(search, &peer->card_in, KIND_CARD, &only, CARD_ORG)) ||
        (peer->has_contact &&
         op_ask_colleagues_object(search, mine, KIND_CONTACT, &peer->contact, CONTACT_ORG)))
        op_ask_colleagues_add(search, peer);
    return ERR_OK;
}

enum err op_ask_colleagues(struct op_call *call, struct span org,
                           const struct op_ask_audience *audience)
{
    struct op_ask_colleagues search = {.call = call, .audience = audience};
    enum err err = fold(org, &search.org);

    if (err == ERR_OK && search.org.size > 0)
        err = view_peer_each(&call->snapshot, op_ask_colleagues_on_peer, &search);
    if (err == ERR_OK && search.count > 0) {
        char more[40] = "";

        if (search.count > OP_ASK_COLLEAGUES_NAMED)
            (void)snprintf(more, sizeof more, " and %zu more",
                           search.count - OP_ASK_COLLEAGUES_NAMED);
        (void)op_fail(call, OP_AMBIGUOUS, "", "%s%s work%s where you do (%.*s): nothing was sent",
                      search.names, more, search.count == 1 ? "s" : "", (int)org.size,
                      (const char *)org.data);
        (void)snprintf(call->failure.hint, sizeof call->failure.hint,
                       "add %s, or --anyway to send it to them, too", search.hint);
        err = ERR_AMBIGUOUS;
    }
    buf_release(&search.org);
    return err;
}

static enum err op_ask_colleagues_on_contact(void *self, uint32_t number,
                                             const struct object *contact)
{
    struct span name = view_contact_shown(contact);
    json_t *names = self;

    (void)number;
    if (object_value(contact, CONTACT_MEMBER).bytes.size > 0)
        return ERR_OK;
    if (json_array_append_new(names, json_stringn((const char *)name.data, name.size)) != 0)
        return ERR_NOMEM;
    return json_array_size(names) >= OP_ASK_COLLEAGUES_NOTED ? ERR_CANCELLED : ERR_OK;
}

enum err op_ask_colleagues_note(struct op_call *call, struct span org)
{
    json_t *names = json_array();
    enum err err = org.size > 0 ? view_contact_match(&call->snapshot, MATCH_BY_ORG, org,
                                                     op_ask_colleagues_on_contact, names)
                                : ERR_OK;

    if (json_array_size(names) > 0)
        (void)json_object_set(call->result, "colleagues", names);
    json_decref(names);
    return err == ERR_CANCELLED ? ERR_OK : err;
}
