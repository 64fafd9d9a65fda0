/*
 * An address book as a file: everything is read first, then all of it is one transaction. A card is
 * known again by its UID, else by a web address, else by its name together with an e-mail or phone;
 * a second import of the same file changes nothing. A rehearsal does the same and is taken back.
 */
#include "node/op_import.h"

#include <string.h>

#include "node/amend.h"
#include "node/vcard.h"
#include "proto/contact.h"
#include "storage/fold.h"
#include "storage/view_contact.h"

enum { OP_IMPORT_REJECTED_MAX = 1000, OP_IMPORT_STEP = 256 };

struct op_import_state {
    struct op_call *call;
    json_t *people, *rejected;
    json_int_t added, updated, unchanged, look_alike;
};

static const struct {
    const char *name;
    uint8_t field;
    bool is_set;
} op_import_fields[] = {
    {"name", CONTACT_NAME, false},   {"org", CONTACT_ORG, false},
    {"title", CONTACT_TITLE, false}, {"place", CONTACT_PLACE, false},
    {"note", CONTACT_NOTE, false},   {"uid", CONTACT_UID, false},
    {"email", CONTACT_EMAILS, true}, {"tel", CONTACT_PHONES, true},
    {"url", CONTACT_URLS, true},     {"tag", CONTACT_TAGS, true},
    {"label", CONTACT_LABELS, true}, {"extra", CONTACT_EXTRAS, true},
};
enum { OP_IMPORT_FIELDS = sizeof op_import_fields / sizeof op_import_fields[0] };

/* Reading. */

static enum err op_import_on_person(void *self, json_t *person, size_t line)
{
    struct op_import_state *state = self;

    (void)line;
    return json_array_append(state->people, person) == 0 ? ERR_OK : ERR_NOMEM;
}

static void op_import_on_reject(void *self, size_t line, const char *why)
{
    struct op_import_state *state = self;

    if (json_array_size(state->rejected) < OP_IMPORT_REJECTED_MAX)
        (void)json_array_append_new(state->rejected,
                                    json_pack("{s:I, s:s}", "line", (json_int_t)line, "why", why));
}

/* Knowing again. */

struct op_import_match {
    json_t *person;
    bool is_found, is_name_known;
    struct id id;
};

static enum err op_import_take(void *self, uint32_t number, const struct object *contact)
{
    struct op_import_match *match = self;

    (void)number;
    match->is_found = true;
    match->id = contact->id;
    return ERR_CANCELLED;
}

static bool op_import_shares(const struct object *contact, uint8_t field, json_t *list,
                             bool *out_has_any)
{
    const struct object_element *at;
    json_t *item;
    size_t index;

    *out_has_any |= json_array_size(list) > 0;
    for (size_t element = 0; (at = object_element_at(contact, field, element)) != NULL; element++) {
        *out_has_any = true;
        json_array_foreach(list, index, item)
        {
            struct id wanted;

            object_element(KIND_CONTACT, field, span_str(json_string_value(item)), &wanted);
            if (id_is_equal(&wanted, &at->element))
                return true;
        }
    }
    return false;
}

/* The same name, and an e-mail or phone in common, or none on either side. */
static enum err op_import_on_named(void *self, uint32_t number, const struct object *contact)
{
    struct op_import_match *match = self;
    struct span name = object_text(contact, CONTACT_NAME);
    const char *wanted = json_string_value(json_object_get(match->person, "name"));
    struct buf left = {0}, right = {0};
    bool is_same, has_any = false, shares;
    enum err err = fold(name, &left);

    if (err == ERR_OK)
        err = fold(span_str(wanted), &right);
    is_same = err == ERR_OK && span_is_equal(buf_span(&left), buf_span(&right));
    buf_release(&left);
    buf_release(&right);
    if (err != ERR_OK || !is_same)
        return err;
    match->is_name_known = true;
    shares = op_import_shares(contact, CONTACT_EMAILS, json_object_get(match->person, "email"),
                              &has_any);
    shares |=
        op_import_shares(contact, CONTACT_PHONES, json_object_get(match->person, "tel"), &has_any);
    return shares || !has_any ? op_import_take(self, number, contact) : ERR_OK;
}

static enum err op_import_find(struct op_call *call, struct op_import_match *match)
{
    const char *uid = json_string_value(json_object_get(match->person, "uid"));
    const char *name = json_string_value(json_object_get(match->person, "name"));
    enum err err = ERR_OK;

    if (uid != NULL)
        err =
            view_contact_match(&call->snapshot, MATCH_BY_UID, span_str(uid), op_import_take, match);
    if (err == ERR_OK && !match->is_found)
        err = view_contact_named(&call->snapshot, span_str(name), op_import_on_named, match);
    return err == ERR_CANCELLED ? ERR_OK : err;
}

/* Writing. */

static void op_import_amend(struct amend *amend, json_t *person, const char *tag)
{
    for (size_t at = 0; at < OP_IMPORT_FIELDS; at++) {
        json_t *value = json_object_get(person, op_import_fields[at].name), *item;
        size_t index;

        if (json_is_string(value) && !op_import_fields[at].is_set)
            amend_text(amend, op_import_fields[at].field, span_str(json_string_value(value)));
        json_array_foreach(value, index, item)
            amend_add(amend, op_import_fields[at].field, span_str(json_string_value(item)));
    }
    if (json_is_string(json_object_get(person, "kind")))
        amend_number(amend, CONTACT_IS_ORG, 1);
    if (tag != NULL)
        amend_add(amend, CONTACT_TAGS, span_str(tag));
}

static enum err op_import_person(struct op_import_state *state, json_t *person)
{
    struct op_call *call = state->call;
    struct op_import_match match = {.person = person};
    struct amend amend;
    size_t changes = 0;
    enum err err = op_import_find(call, &match);

    if (err != ERR_OK)
        return err;
    if (!match.is_found)
        id_draw(ledger_entropy(call->snapshot.ledger), call->now_ms, &match.id);
    amend_begin(&amend, call->txn, ledger_self_space(call->snapshot.ledger), KIND_CONTACT,
                &match.id);
    if (amend.is_new)
        amend_number(&amend, CONTACT_CREATED, call->now_ms);
    op_import_amend(&amend, person, op_text(call, "tag"));
    err = amend_end(&amend, &changes);
    state->added += !match.is_found;
    state->look_alike += !match.is_found && match.is_name_known;
    state->updated += match.is_found && changes > 0;
    state->unchanged += match.is_found && changes == 0;
    return err;
}

static enum err op_import_write(struct op_import_state *state)
{
    size_t index, count = json_array_size(state->people);
    json_t *person;

    json_array_foreach(state->people, index, person)
    {
        enum err err = op_import_person(state, person);

        if (err != ERR_OK)
            return err;
        if (index % OP_IMPORT_STEP == 0 && state->call->progress != NULL)
            state->call->progress(state->call->progress_self, index, count);
    }
    return ERR_OK;
}

static enum err op_import_run(struct op_call *call)
{
    struct op_import_state state = {.call = call, .people = json_array(), .rejected = json_array()};
    struct vcard_reader reader = {
        .person = op_import_on_person, .reject = op_import_on_reject, .self = &state};
    const char *from = op_text(call, "from");
    enum err err;

    if (from != NULL && strcmp(from, "vcard") != 0) {
        err = op_fail(call, OP_USAGE, "--from vcard", "this version of kith reads vCard files");
    } else {
        err = vcard_read(call->file, &reader);
        if (err == ERR_LIMIT)
            err = op_fail(call, OP_FAILED, "split the file", "the file has more than %d cards",
                          VCARD_CARDS_MAX);
        else if (err == ERR_OK && json_array_size(state.people) == 0)
            err = op_fail(call, OP_FAILED, "export it as vCard (.vcf) and try again",
                          "no card in that file could be read");
        else if (err == ERR_OK)
            err = op_import_write(&state);
    }
    if (err == ERR_OK)
        call->result = json_pack("{s:I, s:I, s:I, s:I, s:O}", "new", state.added, "updated",
                                 state.updated, "unchanged", state.unchanged, "look_alike",
                                 state.look_alike, "rejected", state.rejected);
    json_decref(state.people);
    json_decref(state.rejected);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the file could not be imported");
}

enum err op_import(struct op_call *call)
{
    return op_import_run(call);
}

enum err op_import_plan(struct op_call *call)
{
    enum err err = op_import_run(call);

    if (err != ERR_OK)
        return err;
    call->effects.is_rehearsal = true;
    return ERR_CANCELLED; /* Taken back: the counts are all that was wanted. */
}
