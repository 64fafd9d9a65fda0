/* A circle holds references: to contacts by id, to peers without a contact by did:key. */
#include "node/op_circle.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/secret.h"
#include "node/amend.h"
#include "node/describe.h"
#include "node/describe_path.h"
#include "proto/circle.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "proto/scan.h"
#include "storage/fold.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_peer.h"
#include "storage/view_same.h"

enum {
    OP_CIRCLES_TOLD = 5,
    OP_CIRCLE_TOLD_SIZE = 81, /* of a name; the rest is cut */
    OP_CIRCLE_HINT_SIZE = 300
};

static const struct id *op_circle_self(const struct op_call *call)
{
    return ledger_self_space(call->snapshot.ledger);
}

/* The object a name stands for: case and accents do not count. */
static enum err op_circle_id(struct op_call *call, const char *name, struct id *out)
{
    struct buf folded = {0};
    struct public_key key;
    struct span text;
    struct hash hash;
    enum err err;

    if (name == NULL || name[0] == '\0' || strlen(name) > NAME_SIZE_MAX ||
        !scan_is_utf8(span_str(name)))
        return op_fail(call, OP_USAGE, "kith circle create choir",
                       "a circle needs a name of at most %d bytes", NAME_SIZE_MAX);
    err = fold(span_str(name), &folded);
    text = buf_span(&folded);
    if (err == ERR_OK && (text.size == 0 || !fold_is_seen(span_str(name))))
        err = op_fail(call, OP_USAGE, "kith circle create choir", "that name has no letters");
    if (err == ERR_OK) {
        digest("kith circle name", &text, 1, &hash);
        memcpy(key.bytes, hash.bytes, sizeof key.bytes);
        id_about("kith circle", &key, out);
    }
    buf_release(&folded);
    return err;
}

/* Those there are, for somebody who has named another: the first few. */
struct op_circle_names {
    struct buf text;
    size_t count;
};

static enum err op_circle_on_name(void *self, uint32_t number, const struct object *circle)
{
    struct op_circle_names *names = self;
    char name[OP_CIRCLE_TOLD_SIZE];

    (void)number;
    if (names->count++ >= OP_CIRCLES_TOLD)
        return ERR_OK;
    describe_cut(name, sizeof name, object_text(circle, CIRCLE_NAME));
    buf_append(&names->text, span_str(names->count > 1 ? ", " : ""));
    buf_append(&names->text, span_str(name));
    return buf_err(&names->text);
}

/* Whoever mistyped sees what there is, whoever has none yet how one begins. */
static enum err op_circle_none(struct op_call *call, const char *name)
{
    bool is_plain = strlen(name) < OP_CIRCLE_TOLD_SIZE && describe_path_is_plain(span_str(name));
    struct op_circle_names names = {.count = 0};
    char quoted[OP_CIRCLE_TOLD_SIZE + 2] = "NAME", hint[OP_CIRCLE_HINT_SIZE];
    enum err err =
        row_each(&call->snapshot, op_circle_self(call), KIND_CIRCLE, op_circle_on_name, &names);

    buf_byte(&names.text, 0);
    if (err == ERR_OK)
        err = buf_err(&names.text);
    if (is_plain)
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", name);
    (void)snprintf(hint, sizeof hint,
                   names.count > 0 ? "kith circle list, or to make it: kith circle create %s"
                                   : "kith circle create %s, then kith circle add %s WHO",
                   quoted, quoted);
    if (err == ERR_OK)
        err = op_fail(call, OP_NOT_FOUND, hint, "there is no circle %s; %s%s%s", name,
                      names.count > 0 ? "yours are: " : "you have none yet",
                      (const char *)names.text.data, names.count > OP_CIRCLES_TOLD ? " ..." : "");
    buf_release(&names.text);
    return err;
}

/* ERR_NOT_FOUND, failure filled, when there is no such circle. */
static enum err op_circle_get(struct op_call *call, const char *name, struct object *out)
{
    struct id id;
    uint32_t number;
    enum err err = op_circle_id(call, name, &id);

    *out = (struct object){0};
    if (err != ERR_OK)
        return err;
    err = row_get(&call->snapshot, op_circle_self(call), KIND_CIRCLE, &id, out, &number);
    if (err == ERR_OK && !object_is_visible(out)) {
        object_release(out);
        err = ERR_NOT_FOUND;
    }
    if (err == ERR_NOT_FOUND)
        return op_circle_none(call, name);
    return err;
}

/* Members. */

static void op_circle_reference(const struct name_match *who, char out[static DID_SIZE])
{
    if (who->has_contact)
        hex_write(span_of(who->contact.bytes, ID_SIZE), out);
    else
        identity_did(&who->member, out);
}

static enum err op_circle_read_contact(struct op_call *call, struct span reference,
                                       struct name_match *out)
{
    struct space_row self;
    struct object contact;
    struct span name, member;
    uint32_t number;
    enum err err = hex_read(reference, out->contact.bytes, ID_SIZE);

    if (err == ERR_OK)
        err = ledger_space(&call->snapshot, op_circle_self(call), &self);
    if (err == ERR_OK)
        err = row_find(&call->snapshot, self.number, KIND_CONTACT, &out->contact, &number);
    if (err == ERR_OK)
        err = view_same_read(&call->snapshot, number, &contact, &out->number);
    if (err != ERR_OK)
        return err == ERR_INVALID ? ERR_NOT_FOUND : err;
    name = view_contact_shown(&contact);
    member = object_value(&contact, CONTACT_MEMBER).bytes;
    out->has_contact = true;
    out->contact = contact.id;
    out->has_member = member.size == sizeof out->member.bytes;
    if (out->has_member)
        memcpy(out->member.bytes, member.data, member.size);
    describe_cut(out->shown, sizeof out->shown, name);
    if (!object_is_visible(&contact))
        err = ERR_NOT_FOUND;
    object_release(&contact);
    return err;
}

static enum err op_circle_read(struct op_call *call, struct span reference, struct name_match *out)
{
    struct public_key member;
    struct peer *peer;
    enum err err;

    memset(out, 0, sizeof *out);
    if (reference.size == 2 * ID_SIZE)
        return op_circle_read_contact(call, reference, out);
    err = identity_read_did(reference, &member);
    if (err != ERR_OK)
        return ERR_NOT_FOUND;
    peer = secret_new(sizeof *peer);
    if (peer == NULL)
        return ERR_NOMEM;
    err = view_peer(&call->snapshot, &member, peer);
    if (err == ERR_OK) {
        out->has_member = true;
        out->member = member;
        memcpy(out->shown, peer->alias[0] != '\0' ? peer->alias : peer->name, sizeof out->shown);
    }
    secret_free(peer);
    return err;
}

static enum err op_circle_members(struct op_call *call, const struct object *circle,
                                  op_circle_fn each, void *self)
{
    const struct object_element *at;
    enum err err = ERR_OK;

    for (at = object_element_next(circle, CIRCLE_MEMBERS, NULL); err == ERR_OK && at != NULL;
         at = object_element_next(circle, CIRCLE_MEMBERS, at)) {
        struct name_match who;

        err = op_circle_read(call, at->value.bytes, &who);
        if (err == ERR_OK)
            err = each(self, &who);
        else if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    return err;
}

enum err op_circle_each(struct op_call *call, const char *name, op_circle_fn each, void *self)
{
    struct object circle;
    enum err err = op_circle_get(call, name, &circle);

    if (err == ERR_OK)
        err = op_circle_members(call, &circle, each, self);
    object_release(&circle);
    return err;
}

enum err op_circle_is(struct op_call *call, const char *name)
{
    struct object circle;
    enum err err = op_circle_get(call, name, &circle);

    object_release(&circle);
    return err;
}

/* Answers. */

static enum err op_circle_on_member(void *self, const struct name_match *who)
{
    json_t *row = json_object();

    describe_set_name(row, span_str(who->shown));
    if (who->has_contact)
        describe_set_id(row, "id", &who->contact);
    if (who->has_member)
        describe_set_did(row, "member", &who->member);
    return json_array_append_new(self, row) == 0 ? ERR_OK : ERR_NOMEM;
}

static enum err op_circle_describe(struct op_call *call, const struct object *circle, json_t *list)
{
    json_t *members = json_array(), *row = json_object();
    enum err err = op_circle_members(call, circle, op_circle_on_member, members);

    describe_set_name(row, object_text(circle, CIRCLE_NAME));
    (void)json_object_set_new(row, "members", members); /* A lost key shows as absent. */
    if (json_array_append_new(list, row) != 0)
        return ERR_NOMEM;
    return err;
}

struct op_circle_all {
    struct op_call *call;
    json_t *list;
};

static enum err op_circle_on_row(void *self, uint32_t number, const struct object *circle)
{
    struct op_circle_all *all = self;

    (void)number;
    return op_circle_describe(all->call, circle, all->list);
}

static enum err op_circle_answer(struct op_call *call, const char *name)
{
    struct op_circle_all all = {.call = call, .list = json_array()};
    struct object circle = {0};
    enum err err;

    if (name != NULL) {
        err = op_circle_get(call, name, &circle);
        if (err == ERR_OK)
            err = op_circle_describe(call, &circle, all.list);
        object_release(&circle);
    } else {
        err = row_each(&call->snapshot, op_circle_self(call), KIND_CIRCLE, op_circle_on_row, &all);
    }
    call->result = json_pack("{s:o}", "circles", all.list);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the circles could not be read");
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

enum err op_circle_list(struct op_call *call)
{
    return op_circle_answer(call, op_text(call, "name"));
}

/* Changing. */

enum err op_circle_create(struct op_call *call)
{
    const char *name = op_text(call, "name");
    struct amend amend;
    struct id id;
    enum err err = op_circle_id(call, name, &id);

    if (err != ERR_OK)
        return err;
    amend_begin(&amend, call->txn, op_circle_self(call), KIND_CIRCLE, &id);
    if (!amend.is_new && object_is_visible(&amend.object)) {
        err = amend_end(&amend, NULL); /* Nothing was changed. */
        return err == ERR_OK ? op_circle_answer(call, name)
                             : op_fail_err(call, err, "the circle could not be read");
    }
    /* One that was removed comes back empty. */
    amend_remove_all(&amend, CIRCLE_MEMBERS);
    amend_text(&amend, CIRCLE_NAME, span_str(name));
    err = amend_end(&amend, NULL);
    return err == ERR_OK ? op_circle_answer(call, name)
                         : op_fail_err(call, err, "the circle could not be made");
}

/* Looks everybody up before anything is written. */
static enum err op_circle_find_all(struct op_call *call, json_t *list)
{
    json_t *item;
    size_t at;

    if (json_array_size(list) == 0)
        return op_fail(call, OP_USAGE, "kith circle add choir joon", "say whom");
    json_array_foreach(list, at, item)
    {
        struct name_match who;
        enum err err = name_find(call, json_string_value(item), &who);

        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

static enum err op_circle_change(struct op_call *call, json_t *list, bool is_add)
{
    const char *name = op_text(call, "name");
    char references[64][DID_SIZE];
    struct amend amend;
    struct object circle;
    struct id id;
    json_t *item;
    size_t at;
    enum err err = op_circle_get(call, name, &circle);

    if (err == ERR_OK)
        err = op_circle_id(call, name, &id);
    object_release(&circle);
    if (err == ERR_OK)
        err = op_circle_find_all(call, list);
    if (err == ERR_OK && json_array_size(list) > 64)
        err = op_fail(call, OP_USAGE, "fewer at a time", "at most 64 people at a time");
    if (err != ERR_OK)
        return err;
    amend_begin(&amend, call->txn, op_circle_self(call), KIND_CIRCLE, &id);
    json_array_foreach(list, at, item)
    {
        struct name_match who;

        if (name_find(call, json_string_value(item), &who) != ERR_OK)
            continue; /* Found a moment ago in the same transaction. */
        op_circle_reference(&who, references[at]);
        if (is_add)
            amend_add(&amend, CIRCLE_MEMBERS, span_str(references[at]));
        else
            (void)amend_remove(&amend, CIRCLE_MEMBERS, span_str(references[at]));
    }
    err = amend_end(&amend, NULL);
    return err == ERR_OK ? op_circle_answer(call, name)
                         : op_fail_err(call, err, "the circle could not be changed");
}

enum err op_circle_add(struct op_call *call)
{
    return op_circle_change(call, op_list(call, "who"), true);
}

/* With names: takes people out; without: the whole circle. */
enum err op_circle_remove(struct op_call *call)
{
    json_t *list = op_list(call, "who");
    struct object circle;
    struct amend amend;
    struct id id;
    enum err err;

    if (json_array_size(list) > 0)
        return op_circle_change(call, list, false);
    err = op_circle_get(call, op_text(call, "name"), &circle);
    object_release(&circle);
    if (err == ERR_OK)
        err = op_circle_id(call, op_text(call, "name"), &id);
    if (err != ERR_OK)
        return err;
    amend_begin(&amend, call->txn, op_circle_self(call), KIND_CIRCLE, &id);
    amend_delete_by_hand(&amend);
    err = amend_end(&amend, NULL);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the circle could not be removed");
    call->result = json_pack("{s:s}", "removed", op_text(call, "name"));
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}
