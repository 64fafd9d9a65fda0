/* My own card: one object in the card space, told to every peer. */
#include "node/op_me.h"

#include <string.h>

#include "node/amend.h"
#include "node/describe.h"
#include "node/person.h"
#include "proto/card.h"
#include "proto/limits.h"

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

static enum err op_me_check(struct op_call *call)
{
    size_t given = 0;

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
    if (op_text(call, "name") != NULL && person_trim(span_str(op_text(call, "name"))).size == 0)
        return op_fail(call, OP_USAGE, "kith me edit --name NAME", "a card needs a name");
    if (given == 0)
        return op_fail(call, OP_USAGE, "kith me edit --title \"Looking for work\"",
                       "say what to change");
    return ERR_OK;
}

/* A list given takes the place of the list there is. */
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
    for (size_t at = 0; at < OP_ME_FIELDS; at++) {
        const char *text = op_text(call, op_me_fields[at].name);
        json_t *list = op_list(call, op_me_fields[at].name);

        if (op_me_fields[at].is_set && list != NULL)
            op_me_replace(&amend, op_me_fields[at].field, list);
        else if (!op_me_fields[at].is_set && text != NULL)
            amend_text(&amend, op_me_fields[at].field, span_str(text));
    }
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
