/*
 * People and values come from their indexes, by how they begin; ids from the ops that list them, so
 * that what may be chosen is what the owner sees.
 */
#include "node/op_complete.h"

#include <stdio.h>
#include <string.h>

#include "node/describe.h"
#include "node/op_ask.h"
#include "node/op_circle.h"
#include "node/op_endorsement.h"
#include "node/op_introduction.h"
#include "node/op_invite.h"
#include "node/op_lead.h"
#include "node/op_remind.h"
#include "node/op_share.h"
#include "node/op_shared.h"
#include "proto/link.h"
#include "storage/fold.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_peer.h"

enum { OP_COMPLETE_MAX = 50, OP_COMPLETE_ID_SIZE = 12, OP_COMPLETE_ABOUT_SIZE = 80 };

struct op_complete {
    struct op_call *call;
    const char *of;
    json_t *names, *candidates;
    struct buf prefix; /* folded */
};

static bool op_complete_begins(const struct op_complete *complete, struct span text)
{
    struct buf folded = {0};
    bool begins = fold(text, &folded) == ERR_OK && folded.size >= complete->prefix.size &&
                  (complete->prefix.size == 0 ||
                   memcmp(folded.data, complete->prefix.data, complete->prefix.size) == 0);

    buf_release(&folded);
    return begins;
}

static bool op_complete_folds_to(struct span text, struct span folded)
{
    struct buf other = {0};
    bool is_equal = fold(text, &other) == ERR_OK && span_is_equal(buf_span(&other), folded);

    buf_release(&other);
    return is_equal;
}

static bool op_complete_is_there(const struct op_complete *complete, const char *value)
{
    size_t at;
    json_t *name;

    json_array_foreach(complete->names, at,
                       name) if (strcmp(json_string_value(name), value) == 0) return true;
    return false;
}

/* ERR_CANCELLED: these are enough. about may be empty. */
static enum err op_complete_add(struct op_complete *complete, struct span text, const char *about)
{
    json_t *value = text.size > 0 ? json_stringn((const char *)text.data, text.size) : NULL;
    json_t *row;

    if (value == NULL || op_complete_is_there(complete, json_string_value(value))) {
        json_decref(value);
        return ERR_OK;
    }
    row = json_pack("{s:O}", "value", value);
    if (about[0] != '\0')
        (void)json_object_set_new(row, "about", json_string(about));
    if (json_array_append_new(complete->names, value) != 0 ||
        json_array_append_new(complete->candidates, row) != 0)
        return ERR_NOMEM;
    return json_array_size(complete->names) >= OP_COMPLETE_MAX ? ERR_CANCELLED : ERR_OK;
}

/* People. */

static enum err op_complete_on_contact(void *self, uint32_t number, const struct object *contact)
{
    (void)number;
    return op_complete_add(self, view_contact_shown(contact), "");
}

/* Whoever has an alias is called so; another peer's name is their contact's as a rule. */
static enum err op_complete_on_alias(void *self, const struct peer *peer)
{
    struct op_complete *complete = self;

    if (peer->alias[0] == '\0' || peer->state == LINK_REMOVED ||
        !op_complete_begins(complete, span_str(peer->alias)))
        return ERR_OK;
    return op_complete_add(complete, span_str(peer->alias),
                           strcmp(peer->alias, peer->name) != 0 ? peer->name : "");
}

static enum err op_complete_on_peer(void *self, const struct peer *peer)
{
    struct op_complete *complete = self;
    bool is_blocked = peer->state == LINK_BLOCKED,
         wants_blocked = strcmp(complete->of, "peer.blocked") == 0;
    const char *other = peer->alias[0] != '\0' ? peer->name : "";
    enum err err = ERR_OK;

    if (peer->state == LINK_REMOVED || is_blocked != wants_blocked)
        return ERR_OK;
    if (peer->alias[0] != '\0' && op_complete_begins(complete, span_str(peer->alias)))
        return op_complete_add(complete, span_str(peer->alias),
                               strcmp(other, peer->alias) != 0 ? other : "");
    if (op_complete_begins(complete, span_str(peer->name)))
        err = op_complete_add(complete, span_str(peer->name), "");
    return err;
}

static enum err op_complete_people(struct op_complete *complete)
{
    const struct snapshot *snapshot = &complete->call->snapshot;
    enum err err = view_peer_each(snapshot, op_complete_on_alias, complete);

    return err == ERR_OK ? view_contact_named(snapshot, buf_span(&complete->prefix),
                                              op_complete_on_contact, complete)
                         : err;
}

/* Tags and organisations, as they were written by whoever has one first. */

static enum err op_complete_on_value(void *self, uint32_t number, struct span folded)
{
    struct op_complete *complete = self;
    bool is_tag = strcmp(complete->of, "tag") == 0;
    struct object contact = {0};
    const struct object_element *at;
    struct span value = folded;
    uint32_t space;
    enum err err = row_load(&complete->call->snapshot, number, &contact, &space);

    if (err == ERR_OK && !is_tag)
        value = object_text(&contact, CONTACT_ORG);
    for (at = object_element_next(&contact, CONTACT_TAGS, NULL); is_tag && at != NULL;
         at = object_element_next(&contact, CONTACT_TAGS, at))
        if (op_complete_folds_to(at->value.bytes, folded))
            value = at->value.bytes;
    if (err == ERR_OK)
        err = op_complete_add(complete, value, "");
    object_release(&contact);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* What is listed by other ops. */

static const struct op_complete_list {
    const char *of;
    enum err (*list)(struct op_call *call);
    const char *flag;         /* a param that is set for it; NULL: none */
    const char *rows;         /* where they are in its answer */
    const char *value;        /* what of a row is typed */
    const char *key, *wanted; /* only rows where this text is that; NULL: all */
    const char *about;        /* what a row is about: the first of these keys that is there, and,
                                 after a comma, another; a dot goes deeper */
} op_complete_lists[] = {
    {"ask", op_ask_list_plain, "all", "asks", "id", NULL, NULL, "title"},
    {"ask.mine", op_ask_list_plain, "mine", "asks", "id", "state", "open", "title"},
    {"ask.others", op_ask_list_plain, "others", "asks", "id", NULL, NULL, "title,from"},
    {"lead", op_lead_list, NULL, "leads", "id", NULL, NULL, "from.name|ask.title,text"},
    {"lead.mine", op_lead_list, NULL, "leads", "id", "role", "asked", "from.name,text"},
    {"intro", op_introduction_list, NULL, "introductions", "id", NULL, NULL,
     "other.name|a.name,b.name|introducer.name"},
    {"intro.mine", op_introduction_list, NULL, "introductions", "id", "role", "introducee",
     "other.name,introducer.name"},
    {"endorsement", op_endorsement_list, NULL, "endorsements", "id", NULL, NULL,
     "issuer.name,words"},
    {"endorsement.given", op_endorsement_list, "given", "endorsements", "id", NULL, NULL,
     "subject.name,words"},
    {"endorsement.received", op_endorsement_list, "received", "endorsements", "id", NULL, NULL,
     "issuer.name,words"},
    {"share", op_shared_list, NULL, "shares", "id", NULL, NULL, "name,from.name|with.name"},
    {"share.received", op_shared_list, "received", "shares", "id", NULL, NULL, "name,from.name"},
    {"share.given", op_shared_list, "given", "shares", "name", NULL, NULL, "with.name"},
    {"invitation", op_invite_list_open, NULL, "invitations", "id", NULL, NULL, "name,expires"},
    {"reminder", op_remind_list, NULL, "reminders", "id", NULL, NULL, "who|circle|tag,text"},
    {"circle", op_circle_list, NULL, "circles", "name", NULL, NULL, ""},
};

/* A text of a row; NULL when it is not there. */
static const char *op_complete_text(json_t *row, const char *key, size_t size)
{
    char name[40];

    while (size > 0) {
        size_t piece = 0;

        while (piece < size && key[piece] != '.')
            piece++;
        (void)snprintf(name, sizeof name, "%.*s", (int)piece, key); /* Keys of ours are short. */
        row = json_object_get(row, name);
        piece += piece < size;
        key += piece;
        size -= piece;
    }
    return json_string_value(row);
}

/* The first of several keys that is there. */
static const char *op_complete_first(json_t *row, const char *keys, size_t size)
{
    const char *text = NULL;

    while (text == NULL && size > 0) {
        size_t piece = 0;

        while (piece < size && keys[piece] != '|')
            piece++;
        text = op_complete_text(row, keys, piece);
        piece += piece < size;
        keys += piece;
        size -= piece;
    }
    return text;
}

static void op_complete_about(json_t *row, const char *keys, char out[OP_COMPLETE_ABOUT_SIZE])
{
    size_t first = strcspn(keys, ",");
    const char *one = op_complete_first(row, keys, first),
               *other = keys[first] == ','
                            ? op_complete_first(row, keys + first + 1, strlen(keys + first + 1))
                            : NULL;

    struct buf text = {0};

    buf_append(&text, span_str(one != NULL ? one : ""));
    buf_append(&text, span_str(one != NULL && other != NULL ? ": " : ""));
    buf_append(&text, span_str(other != NULL ? other : ""));
    describe_cut(out, OP_COMPLETE_ABOUT_SIZE, buf_span(&text));
    buf_release(&text);
}

/* How much of an id tells it from all others in the list, and is no less than what lists show. */
static size_t op_complete_size(json_t *rows, const char *key, const char *id)
{
    size_t size = OP_COMPLETE_ID_SIZE, at;
    json_t *row;

    if (strlen(id) > 8 && id[8] == '-')
        size++; /* As many digits. */
    json_array_foreach(rows, at, row)
    {
        const char *other = op_complete_text(row, key, strlen(key));
        size_t same = 0;

        while (other != NULL && other[same] != '\0' && other[same] == id[same])
            same++;
        if (other != NULL && id[same] != '\0' && same >= size)
            size = same + 1;
    }
    return size;
}

static enum err op_complete_rows(struct op_complete *complete, const struct op_complete_list *list,
                                 json_t *rows)
{
    const char *prefix = op_text(complete->call, "prefix");
    bool is_id = strcmp(list->value, "id") == 0;
    enum err err = ERR_OK;
    json_t *row;
    size_t at;

    json_array_foreach(rows, at, row)
    {
        const char *value = op_complete_text(row, list->value, strlen(list->value));
        char about[OP_COMPLETE_ABOUT_SIZE];
        struct span text = span_str(value != NULL ? value : "");

        if (list->key != NULL &&
            strcmp(list->wanted, json_string_value(json_object_get(row, list->key))) != 0)
            continue;
        if (!op_complete_begins(complete, text))
            continue;
        if (is_id && prefix != NULL && strlen(prefix) < OP_COMPLETE_ID_SIZE) {
            size_t size = op_complete_size(rows, list->value, value);

            text.size = size < text.size ? size : text.size;
        }
        op_complete_about(row, list->about, about);
        err = op_complete_add(complete, text, about);
        if (err != ERR_OK)
            break;
    }
    return err;
}

static enum err op_complete_listed(struct op_complete *complete,
                                   const struct op_complete_list *list)
{
    struct op_call call = *complete->call;
    enum err err;

    call.params = json_object();
    call.result = NULL;
    if (list->flag != NULL)
        (void)json_object_set_new(call.params, list->flag, json_true());
    err = list->list(&call);
    if (err == ERR_OK)
        err = op_complete_rows(complete, list, json_object_get(call.result, list->rows));
    json_decref(call.params);
    json_decref(call.result);
    return err;
}

static enum err op_complete_find(struct op_complete *complete)
{
    const struct snapshot *snapshot = &complete->call->snapshot;
    struct span prefix = buf_span(&complete->prefix);

    if (strcmp(complete->of, "people") == 0)
        return op_complete_people(complete);
    if (strcmp(complete->of, "peer") == 0 || strcmp(complete->of, "peer.blocked") == 0)
        return view_peer_each(snapshot, op_complete_on_peer, complete);
    if (strcmp(complete->of, "tag") == 0)
        return view_contact_values(snapshot, MATCH_BY_TAG, prefix, op_complete_on_value, complete);
    if (strcmp(complete->of, "org") == 0)
        return view_contact_values(snapshot, MATCH_BY_ORG, prefix, op_complete_on_value, complete);
    for (size_t at = 0; at < sizeof op_complete_lists / sizeof op_complete_lists[0]; at++)
        if (strcmp(complete->of, op_complete_lists[at].of) == 0)
            return op_complete_listed(complete, &op_complete_lists[at]);
    return op_fail(complete->call, OP_USAGE, "kith help complete", "nothing is called %.40s",
                   complete->of);
}

enum err op_complete(struct op_call *call)
{
    const char *prefix = op_text(call, "prefix"), *of = op_text(call, "of");
    struct op_complete complete = {.call = call,
                                   .of = of != NULL ? of : "people",
                                   .names = json_array(),
                                   .candidates = json_array()};
    enum err err = fold(span_str(prefix != NULL ? prefix : ""), &complete.prefix);

    if (err == ERR_OK)
        err = op_complete_find(&complete);
    buf_release(&complete.prefix);
    call->result =
        json_pack("{s:o, s:o}", "names", complete.names, "candidates", complete.candidates);
    if (err != ERR_OK && err != ERR_CANCELLED)
        return op_fail_err(call, err, "names could not be read");
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}
