/* My own card: one object in the card space, told to every peer. */
#include "node/op_me.h"

#include <string.h>

#include "node/amend.h"
#include "node/describe.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "storage/fold.h"

static const struct id op_me_card = {{0}};

static const struct {
    const char *name;
    uint8_t field;
    bool is_set;
    size_t max;
} op_me_fields[] = {
    {"name", CARD_NAME, false, NAME_SIZE_MAX},   {"org", CARD_ORG, false, TEXT_SIZE_MAX},
    {"title", CARD_TITLE, false, TEXT_SIZE_MAX}, {"place", CARD_PLACE, false, TEXT_SIZE_MAX},
    {"email", CARD_EMAILS, true, TEXT_SIZE_MAX}, {"tel", CARD_PHONES, true, TEXT_SIZE_MAX},
    {"url", CARD_URLS, true, TEXT_SIZE_MAX},
};
enum { OP_ME_FIELDS = sizeof op_me_fields / sizeof op_me_fields[0] };

static enum err op_me_check_text(struct op_call *call, const char *name, const char *text,
                                 size_t max)
{
    if (strlen(text) <= max)
        return ERR_OK;
    return op_fail(call, OP_USAGE, "make it shorter", "--%s may have at most %zu bytes", name, max);
}

/* One of --add and --unset, into the table above. */
struct op_me_change {
    size_t at;
    struct span value;
    bool has_value;
};

static enum err op_me_read_change(struct op_call *call, json_t *item, bool is_add,
                                  struct op_me_change *out)
{
    struct span key;

    out->has_value = op_key_value(json_string_value(item), &key, &out->value);
    for (out->at = 0; out->at < OP_ME_FIELDS; out->at++)
        if (span_is_equal(span_str(op_me_fields[out->at].name), key))
            break;
    if (is_add && !out->has_value)
        return op_fail(call, OP_USAGE, "kith me edit --add url=https://example.org",
                       "--add wants KEY=VALUE");
    if (out->at == OP_ME_FIELDS)
        return op_fail(call, OP_USAGE, "KEY is one of org, title, place, email, tel, url",
                       "there is no field \"%.*s\"", (int)(key.size < 40 ? key.size : 40),
                       json_string_value(item));
    if (is_add && !op_me_fields[out->at].is_set)
        return op_fail(call, OP_USAGE, "give it as a flag of its own", "there is only one %s",
                       op_me_fields[out->at].name);
    if (op_me_fields[out->at].field == CARD_NAME)
        return op_fail(call, OP_USAGE, "kith me edit --name NAME", "a card needs a name");
    return out->has_value
               ? op_me_check_text(call, op_me_fields[out->at].name, (const char *)out->value.data,
                                  op_me_fields[out->at].max)
               : ERR_OK;
}

static enum err op_me_check_changes(struct op_call *call, const char *flag, size_t *given)
{
    struct op_me_change change;
    enum err err = ERR_OK;
    json_t *item;
    size_t index;

    json_array_foreach(op_list(call, flag), index, item) if (err == ERR_OK)
    {
        err = op_me_read_change(call, item, strcmp(flag, "add") == 0, &change);
        (*given)++;
    }
    return err;
}

static enum err op_me_check(struct op_call *call)
{
    size_t given = 0;
    enum err changes = op_me_check_changes(call, "add", &given);

    if (changes == ERR_OK)
        changes = op_me_check_changes(call, "unset", &given);
    if (changes != ERR_OK)
        return changes;

    for (size_t at = 0; at < OP_ME_FIELDS; at++) {
        const char *text = op_text(call, op_me_fields[at].name);
        json_t *list = op_list(call, op_me_fields[at].name), *item;
        size_t index;
        enum err err = ERR_OK;

        given += text != NULL || list != NULL;
        if (text != NULL)
            err = op_me_check_text(call, op_me_fields[at].name, text, op_me_fields[at].max);
        json_array_foreach(list, index, item) if (err == ERR_OK) err = op_me_check_text(
            call, op_me_fields[at].name, json_string_value(item), op_me_fields[at].max);
        if (err != ERR_OK)
            return err;
    }
    if (op_text(call, "name") != NULL && !fold_is_seen(span_str(op_text(call, "name"))))
        return op_fail(call, OP_USAGE, "kith me edit --name NAME", "a card needs a name");
    if (given == 0)
        return op_fail(call, OP_USAGE, "kith me edit --title \"Looking for work\"",
                       "say what to change");
    return ERR_OK;
}

/* A list given takes the place of the list there is: also of what another device of mine has added
 * since its owner looked. Whoever means to add one says so (--add). */
static void op_me_replace(struct amend *amend, uint8_t field, json_t *list)
{
    const struct object_element *at;
    json_t *item;
    size_t index;

    for (at = object_element_next(&amend->object, field, NULL); at != NULL;
         at = object_element_next(&amend->object, field, at)) {
        bool is_kept = false;

        json_array_foreach(list, index, item) is_kept |=
            object_element_like(&amend->object, field, span_str(json_string_value(item))) == at;
        if (!is_kept)
            (void)amend_remove(amend, field, at->value.bytes); /* It is there. */
    }
    json_array_foreach(list, index, item)
        amend_add(amend, field, span_str(json_string_value(item)));
}

/* These take away, and add, what they name and nothing else. */
static void op_me_apply_changes(struct op_call *call, struct amend *amend, const char *flag)
{
    bool is_add = strcmp(flag, "add") == 0;
    struct op_me_change change;
    json_t *item;
    size_t index;

    json_array_foreach(op_list(call, flag), index, item)
    {
        if (op_me_read_change(call, item, is_add, &change) != ERR_OK)
            continue; /* Checked before. */
        if (is_add)
            amend_add(amend, op_me_fields[change.at].field, change.value);
        else if (!op_me_fields[change.at].is_set)
            amend_clear(amend, op_me_fields[change.at].field);
        else if (change.has_value)
            (void)amend_remove(amend, op_me_fields[change.at].field, change.value);
        else
            amend_remove_all(amend, op_me_fields[change.at].field);
    }
}

enum err op_me_edit(struct op_call *call)
{
    struct space_row space;
    struct amend amend;
    enum err err = op_me_check(call);

    if (err != ERR_OK)
        return err;
    err = ledger_own_space(&call->snapshot, SPACE_CARD, &space);
    if (err != ERR_OK)
        return op_fail_err(call, err, "the card could not be read");
    amend_begin(&amend, call->txn, &space.id, KIND_CARD, &op_me_card);
    op_me_apply_changes(call, &amend, "unset");
    for (size_t at = 0; at < OP_ME_FIELDS; at++) {
        const char *text = op_text(call, op_me_fields[at].name);
        json_t *list = op_list(call, op_me_fields[at].name);

        if (op_me_fields[at].is_set && list != NULL)
            op_me_replace(&amend, op_me_fields[at].field, list);
        else if (!op_me_fields[at].is_set && text != NULL)
            amend_text(&amend, op_me_fields[at].field, span_str(text));
    }
    op_me_apply_changes(call, &amend, "add");
    err = amend_end(&amend, NULL);
    return err == ERR_OK ? op_me_show(call)
                         : op_fail_err(call, err, "the card could not be written");
}

enum err op_me_show(struct op_call *call)
{
    struct space_row space;
    enum err err = ledger_own_space(&call->snapshot, SPACE_CARD, &space);

    if (err != ERR_OK)
        return op_fail_err(call, err, "the card could not be read");
    call->result = describe_card(call, &space.id, ledger_member(call->snapshot.ledger));
    return call->result != NULL ? ERR_OK : op_fail_err(call, ERR_IO, "the card could not be read");
}
