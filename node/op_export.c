/*
 * What a contact says of itself, and what the card of its member says where the contact does not,
 * becomes a person, and a person is written. Where the next piece begins, and how wide a table is,
 * travels in "next": nothing is kept between two pieces.
 */
#include "node/op_export.h"

#include <string.h>

#include "node/person_contact.h"
#include "node/person_json.h"
#include "node/table.h"
#include "node/vcard_write.h"
#include "storage/row.h"

enum {
    OP_EXPORT_PIECE = 192 << 10,          /* with one more contact it fits a line of the socket */
    OP_EXPORT_NEXT_SIZE = ID_SIZE + 3 + 4 /* last contact, shape of the table, contacts so far */
};

enum op_export_format { OP_EXPORT_VCARD, OP_EXPORT_VCARD4, OP_EXPORT_CSV, OP_EXPORT_JSON };

struct op_export_state {
    struct op_call *call;
    enum op_export_format format;
    const char *tag;
    struct table_shape shape;
    bool is_first; /* piece */
    struct id after;
    uint32_t before; /* contacts of earlier pieces */
    struct person person;
    struct buf text;
    size_t contacts, max;
    bool is_more;
};

static bool op_export_is_wanted(const struct op_export_state *state, const struct object *contact)
{
    return state->tag == NULL ||
           object_element_like(contact, CONTACT_TAGS, span_str(state->tag)) != NULL;
}

/* Writing. */

static enum err op_export_on_shape(void *self, uint32_t number, const struct object *contact)
{
    struct op_export_state *state = self;
    enum err err;

    (void)number;
    if (!op_export_is_wanted(state, contact))
        return ERR_OK;
    err = person_of_contact(&state->call->snapshot, contact, &state->person);
    if (err == ERR_OK)
        table_shape_fit(&state->shape, &state->person);
    return err;
}

static int op_export_append(const char *bytes, size_t size, void *self)
{
    struct buf *out = self;

    buf_append(out, span_of(bytes, size));
    return out->is_failed ? -1 : 0;
}

static void op_export_json(struct op_export_state *state, const struct id *id)
{
    json_t *json = person_to_json(&state->person);
    char text[ID_TEXT_SIZE];

    hex_write(span_of(id->bytes, ID_SIZE), text);
    if (json == NULL || json_object_set_new(json, "id", json_string(text)) != 0 ||
        json_dump_callback(json, op_export_append, &state->text, JSON_COMPACT) != 0)
        state->text.is_failed = true;
    json_decref(json);
}

static enum err op_export_on_contact(void *self, uint32_t number, const struct object *contact)
{
    struct op_export_state *state = self;
    enum err err;

    (void)number;
    if (!op_export_is_wanted(state, contact))
        return ERR_OK;
    if (state->text.size >= state->max) {
        state->is_more = true;
        return ERR_CANCELLED;
    }
    err = person_of_contact(&state->call->snapshot, contact, &state->person);
    if (err != ERR_OK)
        return err;
    switch (state->format) {
    case OP_EXPORT_VCARD:
        vcard_write(&state->person, VCARD_3, &state->text);
        break;
    case OP_EXPORT_VCARD4:
        vcard_write(&state->person, VCARD_4, &state->text);
        break;
    case OP_EXPORT_CSV:
        table_write(&state->shape, &state->person, &state->text);
        break;
    case OP_EXPORT_JSON:
        if (state->contacts > 0 || state->before > 0)
            buf_append(&state->text, span_str(",\n"));
        op_export_json(state, &contact->id);
        break;
    }
    state->after = contact->id;
    state->contacts++;
    return buf_err(&state->text);
}

/* Pieces. */

static enum err op_export_read_next(struct op_export_state *state)
{
    const char *after = op_text(state->call, "after");
    uint8_t next[OP_EXPORT_NEXT_SIZE];

    state->is_first = after == NULL;
    if (after == NULL)
        return ERR_OK;
    if (hex_read(span_str(after), next, sizeof next) != ERR_OK)
        return op_fail(state->call, OP_USAGE, "kith export",
                       "\"after\" is what \"next\" said, and nothing else");
    memcpy(state->after.bytes, next, ID_SIZE);
    state->shape = (struct table_shape){next[ID_SIZE], next[ID_SIZE + 1], next[ID_SIZE + 2]};
    state->before = be32(next + ID_SIZE + 3);
    return ERR_OK;
}

static enum err op_export_read_params(struct op_export_state *state)
{
    static const struct {
        const char *name;
        enum op_export_format format;
    } formats[] = {{"vcard", OP_EXPORT_VCARD},
                   {"vcard4", OP_EXPORT_VCARD4},
                   {"csv", OP_EXPORT_CSV},
                   {"json", OP_EXPORT_JSON}};
    const char *format = op_text(state->call, "format");

    state->tag = op_text(state->call, "tag");
    state->max = state->call->world->is_node ? OP_EXPORT_PIECE : SIZE_MAX;
    for (size_t at = 0; at < sizeof formats / sizeof formats[0]; at++)
        if (format == NULL || strcmp(format, formats[at].name) == 0) {
            state->format = formats[at].format;
            return op_export_read_next(state);
        }
    return op_fail(state->call, OP_USAGE, "--format vcard, vcard4, csv or json",
                   "there is no format \"%.40s\"", format);
}

static enum err op_export_run(struct op_export_state *state)
{
    const struct id *self = ledger_self_space(state->call->snapshot.ledger);
    enum err err = ERR_OK;

    if (state->is_first && state->format == OP_EXPORT_CSV) {
        err = row_each(&state->call->snapshot, self, KIND_CONTACT, op_export_on_shape, state);
        table_write_header(&state->shape, &state->text);
    }
    if (state->is_first && state->format == OP_EXPORT_JSON)
        buf_append(&state->text, span_str("{\"contacts\":[\n"));
    if (err == ERR_OK)
        err = row_each_after(&state->call->snapshot, self, KIND_CONTACT,
                             state->is_first ? NULL : &state->after, op_export_on_contact, state);
    if (err == ERR_CANCELLED)
        err = ERR_OK; /* A piece is full. */
    if (err == ERR_OK && !state->is_more && state->format == OP_EXPORT_JSON) {
        json_t *end = json_pack("{s:I}", "total", (json_int_t)(state->before + state->contacts));

        buf_append(&state->text, span_str("\n],"));
        if (end == NULL ||
            json_dump_callback(end, op_export_append, &state->text, JSON_COMPACT | JSON_EMBED) != 0)
            state->text.is_failed = true;
        json_decref(end);
        buf_append(&state->text, span_str("}\n"));
    }
    return err == ERR_OK ? buf_err(&state->text) : err;
}

static json_t *op_export_result(const struct op_export_state *state)
{
    uint8_t next[OP_EXPORT_NEXT_SIZE];
    char text[2 * OP_EXPORT_NEXT_SIZE + 1];
    json_t *result = json_pack("{s:s%, s:I}", "text",
                               state->text.size > 0 ? state->text.data : (const uint8_t *)"",
                               state->text.size, "contacts", (json_int_t)state->contacts);

    memcpy(next, state->after.bytes, ID_SIZE);
    next[ID_SIZE] = state->shape.emails;
    next[ID_SIZE + 1] = state->shape.phones;
    next[ID_SIZE + 2] = state->shape.urls;
    be32_put(next + ID_SIZE + 3, state->before + (uint32_t)state->contacts);
    hex_write(span_of(next, sizeof next), text);
    if (state->is_more)
        (void)json_object_set_new(result, "next", json_string(text));
    return result;
}

enum err op_export(struct op_call *call)
{
    struct op_export_state state = {.call = call};
    enum err err = op_export_read_params(&state);

    if (err == ERR_OK)
        err = op_export_run(&state);
    if (err == ERR_OK) {
        call->result = op_export_result(&state);
        err = call->result != NULL ? ERR_OK : ERR_NOMEM;
    }
    person_release(&state.person);
    buf_release(&state.text);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the contacts could not be written out");
}
