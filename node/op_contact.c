/* The address book by hand. Everything is checked before the first write. */
#include "node/op_contact.h"

#include <string.h>

#include "node/amend.h"
#include "node/birthday.h"
#include "node/closeness.h"
#include "node/describe.h"
#include "node/describe_endorsement.h"
#include "node/describe_share.h"
#include "node/name.h"
#include "node/op_forget.h"
#include "node/op_undo.h"
#include "proto/contact.h"
#include "proto/limits.h"
#include "proto/scan.h"
#include "storage/fold.h"
#include "storage/follow.h"
#include "storage/row.h"
#include "storage/view_contact.h"
#include "storage/view_same.h"

enum { OP_CONTACT_LIMIT_DEFAULT = 1000000 };

static const struct {
    const char *name;
    uint8_t field;
    bool is_set;
} op_contact_fields[] = {
    {"name", CONTACT_NAME, false},   {"org", CONTACT_ORG, false},   {"title", CONTACT_TITLE, false},
    {"place", CONTACT_PLACE, false}, {"note", CONTACT_NOTE, false}, {"met", CONTACT_MET, false},
    {"email", CONTACT_EMAILS, true}, {"tel", CONTACT_PHONES, true}, {"url", CONTACT_URLS, true},
    {"tag", CONTACT_TAGS, true},
};
enum {
    OP_CONTACT_FIELDS = sizeof op_contact_fields / sizeof op_contact_fields[0],
    OP_CONTACT_KIND = -1, /* what is no field of its own */
    OP_CONTACT_BIRTHDAY = -2
};

static const struct id *op_contact_self(const struct op_call *call)
{
    return ledger_self_space(call->snapshot.ledger);
}

static int op_contact_field(struct span name)
{
    for (size_t at = 0; at < OP_CONTACT_FIELDS; at++)
        if (span_is_equal(span_str(op_contact_fields[at].name), name))
            return (int)at;
    return -1;
}

static enum err op_contact_check_value(struct op_call *call, int field, struct span value)
{
    const struct field *about = kind_field(&contact_kind, op_contact_fields[field].field);

    if (!scan_is_utf8(value))
        return op_fail(call, OP_USAGE, "use UTF-8", "%s is not text",
                       op_contact_fields[field].name);
    if (value.size > about->size_max)
        return op_fail(call, OP_USAGE, "make it shorter", "%s may have at most %u bytes",
                       op_contact_fields[field].name, (unsigned)about->size_max);
    return ERR_OK;
}

static enum err op_contact_check_kind(struct op_call *call, const char *kind)
{
    if (kind == NULL || strcmp(kind, "person") == 0 || strcmp(kind, "org") == 0)
        return ERR_OK;
    return op_fail(call, OP_USAGE, "--kind person or --kind org", "there is no kind \"%s\"", kind);
}

static enum err op_contact_check_birthday(struct op_call *call, const char *day)
{
    char line[BIRTHDAY_SIZE];

    if (day == NULL || birthday_write(span_str(day), line) == ERR_OK)
        return ERR_OK;
    return op_fail(call, OP_USAGE, "1990-05-01, or 05-01 when you do not know the year",
                   "\"%.40s\" is no day", day);
}

/* Answers. */

static enum err op_contact_answer(struct op_call *call, const struct id *id)
{
    struct space_row self;
    uint32_t number;
    enum err err = ledger_space(&call->snapshot, op_contact_self(call), &self);

    if (err == ERR_OK)
        err = row_find(&call->snapshot, self.number, KIND_CONTACT, id, &number);
    if (err == ERR_OK)
        call->result = describe_contact_numbered(call, number);
    return err == ERR_OK && call->result == NULL ? ERR_NOMEM : err;
}

/* While the lists are far behind (after a first sync, or a rebuild) a new contact is stored but not
 * listed yet: it is answered as it was said. */
static enum err op_contact_answer_added(struct op_call *call, const struct id *id)
{
    uint64_t held = 0, merged = 0;
    enum err err = op_contact_answer(call, id);

    if (err != ERR_NOT_FOUND || follow_progress(&call->snapshot, &held, &merged) != ERR_OK ||
        merged >= held)
        return err;
    call->result = json_pack("{s:s, s:b, s:I}", "name", op_text(call, "name"), "peer", 0,
                             "views_behind", (json_int_t)(held - merged));
    if (call->result != NULL)
        describe_set_id(call->result, "id", id);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

/* Add. */

static enum err op_contact_check_add(struct op_call *call)
{
    const char *name = op_text(call, "name");
    enum err err = op_contact_check_kind(call, op_text(call, "kind"));

    if (err == ERR_OK)
        err = op_contact_check_birthday(call, op_text(call, "birthday"));
    if (err == ERR_OK && (name == NULL || !fold_is_seen(span_str(name))))
        return op_fail(call, OP_USAGE, "kith contact add NAME", "a contact needs a name");
    for (int at = 0; at < OP_CONTACT_FIELDS && err == ERR_OK; at++) {
        json_t *value = json_object_get(call->params, op_contact_fields[at].name), *item;
        size_t index;

        if (json_is_string(value))
            err = op_contact_check_value(call, at, span_str(json_string_value(value)));
        if (json_is_array(value) && json_array_size(value) > SET_ELEMENTS_MAX)
            return op_fail(call, OP_USAGE, "fewer of them", "a contact may have %d of --%s",
                           SET_ELEMENTS_MAX, op_contact_fields[at].name);
        json_array_foreach(value, index, item) if (err == ERR_OK) err =
            op_contact_check_value(call, at, span_str(json_string_value(item)));
    }
    return err;
}

enum err op_contact_add(struct op_call *call)
{
    const char *kind = op_text(call, "kind"), *birthday = op_text(call, "birthday");
    char line[BIRTHDAY_SIZE];
    struct amend amend;
    uint64_t mark = op_undo_begin(call);
    struct id id;
    enum err err = op_contact_check_add(call);

    if (err != ERR_OK)
        return err;
    id_draw(ledger_entropy(call->snapshot.ledger), call->now_ms, &id);
    amend_begin(&amend, call->txn, op_contact_self(call), KIND_CONTACT, &id);
    amend_number(&amend, CONTACT_CREATED, call->now_ms);
    if (kind != NULL && strcmp(kind, "org") == 0)
        amend_number(&amend, CONTACT_IS_ORG, 1);
    if (birthday != NULL && birthday_write(span_str(birthday), line) == ERR_OK)
        amend_add(&amend, CONTACT_EXTRAS, span_str(line));
    for (size_t at = 0; at < OP_CONTACT_FIELDS; at++) {
        const char *text = op_text(call, op_contact_fields[at].name);
        json_t *list = op_list(call, op_contact_fields[at].name), *item;
        size_t index;

        if (text != NULL && !op_contact_fields[at].is_set)
            amend_text(&amend, op_contact_fields[at].field, span_str(text));
        json_array_foreach(list, index, item)
            amend_add(&amend, op_contact_fields[at].field, span_str(json_string_value(item)));
    }
    err = amend_end(&amend, NULL);
    if (err == ERR_OK)
        err = op_undo_end(call, mark, "add", op_text(call, "name"));
    if (err == ERR_OK)
        err = op_contact_answer_added(call, &id);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the contact could not be written");
}

/* Edit: --set k=v, --add k=v, --unset k[=v]. */

struct op_contact_change {
    int field; /* or OP_CONTACT_KIND, OP_CONTACT_BIRTHDAY */
    struct span value;
    bool has_value;
};

static enum err op_contact_read_change(struct op_call *call, const char *flag, json_t *item,
                                       struct op_contact_change *out)
{
    bool needs_value = strcmp(flag, "unset") != 0;
    struct span key;

    out->has_value = op_key_value(json_string_value(item), &key, &out->value);
    if (key.size == 0 || (needs_value && !out->has_value))
        return op_fail(call, OP_USAGE,
                       "kith contact edit WHO --set org=ACME --add tag=choir --unset note",
                       "--%s wants %s", flag, needs_value ? "KEY=VALUE" : "KEY or KEY=VALUE");
    out->field = op_contact_field(key);
    if (span_is_equal(key, span_str("kind")) && strcmp(flag, "set") == 0)
        return op_contact_check_kind(call, (const char *)out->value.data);
    if (span_is_equal(key, span_str("birthday")) && strcmp(flag, "add") != 0) {
        out->field = OP_CONTACT_BIRTHDAY;
        return needs_value ? op_contact_check_birthday(call, (const char *)out->value.data)
                           : ERR_OK;
    }
    if (out->field < 0)
        return op_fail(call, OP_USAGE,
                       "KEY is one of name, org, title, place, birthday, note, met, email, tel, "
                       "url, tag, kind",
                       "there is no field \"%.*s\"", (int)(key.size < 40 ? key.size : 40),
                       (const char *)key.data);
    if (strcmp(flag, "add") == 0 && !op_contact_fields[out->field].is_set)
        return op_fail(call, OP_USAGE, "use --set for it", "there is only one %s",
                       op_contact_fields[out->field].name);
    if (out->field == 0 && (strcmp(flag, "unset") == 0 || !fold_is_seen(out->value)))
        return op_fail(call, OP_USAGE, "--set name=NAME", "a contact needs a name");
    return out->has_value ? op_contact_check_value(call, out->field, out->value) : ERR_OK;
}

static enum err op_contact_check_edit(struct op_call *call)
{
    static const char *const flags[] = {"set", "add", "unset"};
    struct op_contact_change change;
    size_t index, count = 0;
    json_t *item;
    enum err err = ERR_OK;

    for (size_t flag = 0; flag < 3; flag++) {
        json_array_foreach(op_list(call, flags[flag]), index, item) if (err == ERR_OK)
        {
            err = op_contact_read_change(call, flags[flag], item, &change);
            count++;
        }
    }
    if (err == ERR_OK && count == 0)
        return op_fail(call, OP_USAGE,
                       "kith contact edit WHO --set org=ACME --add tag=choir --unset note",
                       "say what to change");
    return err;
}

/* The parts of an old name (N of an imported card) do not belong to a new one. */
static void op_contact_drop_name_parts(struct amend *amend)
{
    const struct object_element *at;

    for (at = object_element_next(&amend->object, CONTACT_EXTRAS, NULL); at != NULL;
         at = object_element_next(&amend->object, CONTACT_EXTRAS, at)) {
        struct span text = at->value.bytes;

        if (text.size > 1 && text.data[0] == 'N' && (text.data[1] == ':' || text.data[1] == ';'))
            (void)amend_remove(amend, CONTACT_EXTRAS, text);
    }
}

/* The line is borrowed until the amend ends. */
static void op_contact_apply_birthday(struct amend *amend, bool is_unset, struct span day,
                                      bool is_head, char line[static BIRTHDAY_SIZE])
{
    const struct object_element *at;

    for (at = object_element_next(&amend->object, CONTACT_EXTRAS, NULL); at != NULL;
         at = object_element_next(&amend->object, CONTACT_EXTRAS, at))
        if (birthday_said(at->value.bytes).size > 0)
            (void)amend_remove(amend, CONTACT_EXTRAS, at->value.bytes);
    if (!is_unset && is_head && birthday_write(day, line) == ERR_OK)
        amend_add(amend, CONTACT_EXTRAS, span_str(line));
}

/* What is taken away is taken from all of a group, what is given is given to its head. */
static void op_contact_apply_change(struct amend *amend, const char *flag,
                                    const struct op_contact_change *change, bool is_head,
                                    char line[static BIRTHDAY_SIZE])
{
    bool is_unset = strcmp(flag, "unset") == 0, is_set = strcmp(flag, "set") == 0;
    uint8_t field;

    if (change->field == OP_CONTACT_BIRTHDAY) {
        op_contact_apply_birthday(amend, is_unset, change->value, is_head, line);
        return;
    }
    if (change->field < 0) {
        if (is_head)
            amend_number(amend, CONTACT_IS_ORG,
                         span_is_equal(change->value, span_str("org")) ? 1 : 0);
        return;
    }
    field = op_contact_fields[change->field].field;
    if (!op_contact_fields[change->field].is_set) {
        if (is_unset)
            amend_clear(amend, field);
        else if (is_head)
            amend_text(amend, field, change->value);
        if (field == CONTACT_NAME)
            op_contact_drop_name_parts(amend);
        return;
    }
    if (is_unset && change->has_value)
        (void)amend_remove(amend, field, change->value); /* What is not there need not go. */
    else if (is_unset || is_set)
        amend_remove_all(amend, field);
    if (!is_unset && is_head)
        amend_add(amend, field, change->value);
}

static enum err op_contact_amend(struct op_call *call, const struct id *contact, bool is_head)
{
    static const char *const flags[] = {"unset", "set", "add"};
    char birthday[BIRTHDAY_SIZE];
    struct amend amend;

    amend_begin(&amend, call->txn, op_contact_self(call), KIND_CONTACT, contact);
    for (size_t flag = 0; flag < 3; flag++) {
        json_t *item;
        size_t index;

        json_array_foreach(op_list(call, flags[flag]), index, item)
        {
            struct op_contact_change change;

            if (op_contact_read_change(call, flags[flag], item, &change) == ERR_OK)
                op_contact_apply_change(&amend, flags[flag], &change, is_head, birthday);
        }
    }
    return amend_end(&amend, NULL);
}

/* Calls each for every contact of a group, the head first. */
typedef enum err (*op_contact_fn)(struct op_call *call, const struct id *contact, bool is_head);

static enum err op_contact_group(struct op_call *call, uint32_t head, op_contact_fn each)
{
    uint32_t members[VIEW_SAME_MAX];
    size_t count = 0;
    enum err err = view_same_members(&call->snapshot, head, members, &count);

    for (size_t at = 0; at < count && err == ERR_OK; at++) {
        struct object contact = {0};
        struct id id;
        uint32_t space;

        err = row_load(&call->snapshot, members[at], &contact, &space);
        id = contact.id;
        object_release(&contact);
        if (err == ERR_OK)
            err = each(call, &id, at == 0);
    }
    return err;
}

enum err op_contact_edit(struct op_call *call)
{
    struct name_match who;
    uint64_t mark = op_undo_begin(call);
    enum err err = op_contact_check_edit(call);

    if (err == ERR_OK)
        err = name_find(call, op_text(call, "who"), &who);
    if (err != ERR_OK)
        return err;
    if (!who.has_contact)
        return op_fail(call, OP_NOT_FOUND, "kith peer rename",
                       "%s is a peer without a contact of yours", who.shown);
    err = op_contact_group(call, who.number, op_contact_amend);
    if (err == ERR_OK)
        err = op_undo_end(call, mark, "edit", who.shown);
    if (err == ERR_OK)
        err = op_contact_answer(call, &who.contact);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the contact could not be written");
}

/* Show, remove. */

/* What the owner said of them; nothing where they said nothing. On this page alone: it is in no
 * export, and nobody else's to see. */
static enum err op_contact_put_closeness(struct op_call *call, const struct name_match *who)
{
    struct closeness_list near;
    const struct closeness_row *row;
    enum err err = closeness_load(&call->snapshot, &near);

    if (err != ERR_OK)
        return err;
    row = closeness_find(&near, who);
    if (row != NULL && row->is_set)
        describe_set_text(call->result, "closeness", span_str(closeness_name(row->level)));
    closeness_release(&near);
    return ERR_OK;
}

enum err op_contact_show(struct op_call *call)
{
    struct name_match who;
    enum err err = name_find(call, op_text(call, "who"), &who);

    if (err != ERR_OK)
        return err;
    if (!who.has_contact)
        return op_fail(call, OP_NOT_FOUND, "kith peer show",
                       "%s is a peer without a contact of yours", who.shown);
    err = op_contact_answer(call, &who.contact);
    if (err == ERR_OK)
        err = op_contact_put_closeness(call, &who);
    if (err == ERR_OK && who.has_member)
        describe_endorsement_mentions(call, call->result, &who.member);
    if (err == ERR_OK)
        describe_share_mentions(call, call->result, who.number);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the contact could not be read");
}

static enum err op_contact_delete(struct op_call *call, const struct id *contact, bool is_head)
{
    struct amend amend;

    (void)is_head;
    amend_begin(&amend, call->txn, op_contact_self(call), KIND_CONTACT, contact);
    amend_delete_by_hand(&amend);
    return amend_end(&amend, NULL);
}

enum err op_contact_remove(struct op_call *call)
{
    struct name_match who;
    uint64_t mark = op_undo_begin(call);
    enum err err = name_find(call, op_text(call, "who"), &who);

    if (err != ERR_OK)
        return err;
    if (!who.has_contact)
        return op_fail(call, OP_NOT_FOUND, "kith peer remove",
                       "%s is a peer without a contact of yours", who.shown);
    err = op_flag(call, "forget") ? op_forget_contact(call, who.number)
                                  : op_contact_group(call, who.number, op_contact_delete);
    if (err == ERR_OK && !op_flag(call, "forget")) /* Nothing brings back what is forgotten. */
        err = op_undo_end(call, mark, "remove", who.shown);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the contact could not be removed");
    call->result =
        json_pack("{s:s, s:b}", "removed", who.shown, "forgotten", op_flag(call, "forget"));
    if (call->result != NULL)
        describe_set_id(call->result, "id", &who.contact);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}

/* List. */

struct op_contact_list {
    struct op_call *call;
    json_t *contacts;
    json_int_t total, limit;
    struct buf org, place;
};

static bool op_contact_has(const struct span text, const struct buf *folded)
{
    struct buf other = {0};
    bool is_equal =
        fold(text, &other) == ERR_OK && span_is_equal(buf_span(&other), buf_span(folded));

    buf_release(&other);
    return is_equal;
}

static bool op_contact_fits(const struct op_contact_list *list, const struct object *contact)
{
    json_t *tags = json_object_get(list->call->params, "tag"), *tag;
    size_t index;
    bool fits =
        (list->org.size == 0 || op_contact_has(object_text(contact, CONTACT_ORG), &list->org)) &&
        (list->place.size == 0 ||
         op_contact_has(object_text(contact, CONTACT_PLACE), &list->place));

    if (json_is_string(tags))
        fits = fits && object_element_like(contact, CONTACT_TAGS,
                                           span_str(json_string_value(tags))) != NULL;
    json_array_foreach(tags, index, tag) fits =
        fits &&
        object_element_like(contact, CONTACT_TAGS, span_str(json_string_value(tag))) != NULL;
    return fits;
}

static enum err op_contact_on_row(void *self, uint32_t number, const struct object *contact)
{
    struct op_contact_list *list = self;
    struct object shown;
    uint32_t head;
    bool fits;
    enum err err = view_same_read(&list->call->snapshot, number, &shown, &head);

    (void)contact;
    fits = err == ERR_OK && op_contact_fits(list, &shown);
    object_release(&shown);
    if (!fits)
        return err;
    list->total++;
    if (list->total <= list->limit &&
        json_array_append_new(list->contacts, describe_contact_numbered(list->call, number)) != 0)
        return ERR_NOMEM;
    return ERR_OK;
}

enum err op_contact_list(struct op_call *call)
{
    const char *org = op_text(call, "org"), *place = op_text(call, "place");
    json_t *limit = json_object_get(call->params, "limit");
    struct op_contact_list list = {
        .call = call, .contacts = json_array(), .limit = OP_CONTACT_LIMIT_DEFAULT};
    enum err err = ERR_OK;

    if (limit != NULL && (!json_is_integer(limit) || json_integer_value(limit) < 0)) {
        json_decref(list.contacts);
        return op_fail(call, OP_USAGE, "--limit 50", "--limit wants a number");
    }
    if (limit != NULL)
        list.limit = json_integer_value(limit);
    if (org != NULL)
        err = fold(span_str(org), &list.org);
    if (err == ERR_OK && place != NULL)
        err = fold(span_str(place), &list.place);
    if (err == ERR_OK)
        err = view_contact_each(&call->snapshot, op_contact_on_row, &list);
    buf_release(&list.org);
    buf_release(&list.place);
    if (err != ERR_OK) {
        json_decref(list.contacts);
        return op_fail_err(call, err, "the contacts could not be read");
    }
    call->result = json_pack("{s:o, s:I}", "contacts", list.contacts, "total", list.total);
    return call->result != NULL ? ERR_OK : ERR_NOMEM;
}
