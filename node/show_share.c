/* Shared contacts as people see them: who told it first, then what it says. */
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/show_state.h"

static const char *show_share_name(json_t *object, const char *key)
{
    json_t *person = json_object_get(object, key);
    const char *name = show_text(person, "name");

    return name[0] != '\0' ? name : show_text(person, "member");
}

/* What to type next. */
static const char *show_share_next(const char *state)
{
    if (strcmp(state, "waiting") == 0)
        return "Keep it: kith share keep ID. Or let it pass, silently: kith share set-aside ID";
    if (strcmp(state, "changed") == 0)
        return "More is told now. Take it over: kith share keep ID (what you changed stays yours)";
    if (strcmp(state, "taken back") == 0)
        return "They took it back. What you kept stays until you remove it: kith contact remove "
               "WHO";
    if (strcmp(state, "given") == 0)
        return "Take it back: kith share withdraw ID. What they kept stays with them.";
    return "";
}

static void show_share(json_t *row, json_t *params)
{
    const char *state = show_text(row, "state"), *next = show_share_next(state);

    (void)params;
    show_line("From", show_share_name(row, "from"));
    show_line("With", show_share_name(row, "with"));
    show_card(row);
    show_list("Tags", json_object_get(row, "tags"));
    show_line("They say", show_text(row, "why"));
    show_line("Shared", show_text(row, "shared"));
    show_line("State", state);
    show_line("Taken back", show_text(row, "taken_back"));
    show_list("Looks like", json_object_get(row, "look_alike"));
    show_line("Id", show_text(row, "id"));
    if (next[0] != '\0')
        (void)puts(next);
}

/* Names move up, so that the table can show them. */
static void show_shares(json_t *result, json_t *params)
{
    static const struct show_column columns[] = {
        {"WHO", "name", 0.25},  {"ORGANISATION", "org", 0.2}, {"FROM", "by", 0.15},
        {"WITH", "whom", 0.15}, {"STATE", "state", 0.1},      {"ID", "id", 0.15}};
    json_t *rows = json_object_get(result, "shares"), *row;
    size_t at;

    if (json_array_size(rows) == 0)
        (void)puts("Nothing is shared. Share a contact who has agreed: kith contact share WHO "
                   "--with PEER");
    json_array_foreach(rows, at, row)
    {
        (void)json_object_set_new(row, "by", json_string(show_share_name(row, "from")));
        (void)json_object_set_new(row, "whom", json_string(show_share_name(row, "with")));
    }
    show_table(rows, params, columns, 6);
}

static void show_share_names(FILE *out, const char *label, json_t *rows)
{
    json_t *row;
    size_t at;

    json_array_foreach(rows, at, row)
    {
        char *name = show_copy(show_text(row, "name"));

        (void)fprintf(out, "%-14s %s\n", at == 0 ? label : "", name != NULL ? name : "");
        heap_free(name);
    }
}

/* Texts and lists of texts under the keys of a contact. */
void show_share_plan(json_t *result, FILE *out)
{
    json_t *shared = json_object_get(result, "shared"), *value, *item;
    const char *key;
    size_t at;

    show_share_names(out, "With", json_object_get(result, "with"));
    json_object_foreach(shared, key, value)
    {
        char *text = json_is_string(value) ? show_copy(json_string_value(value)) : NULL;

        if (text != NULL)
            (void)fprintf(out, "%-14s %s\n", key, text);
        heap_free(text);
        json_array_foreach(value, at, item)
        {
            text = show_copy(json_string_value(item));
            (void)fprintf(out, "%-14s %s\n", at == 0 ? key : "", text != NULL ? text : "");
            heap_free(text);
        }
    }
}

static void show_share_given(json_t *result, json_t *params)
{
    (void)params;
    show_share_plan(result, stdout);
}

static void show_share_withdrawn(json_t *result, json_t *params)
{
    (void)params;
    show_share_names(stdout, "Taken back", json_object_get(result, "withdrawn"));
    (void)puts("Whoever kept it keeps it, and sees that you took it back.");
}

void show_share_mentions(json_t *person)
{
    json_t *rows = json_object_get(person, "shared_by"), *row;
    struct buf line = {0};
    size_t at;

    json_array_foreach(rows, at, row)
    {
        const char *state = show_text(row, "state"), *name = show_text(row, "name");

        buf_clear(&line);
        buf_append(&line, span_str(name[0] != '\0' ? name : show_text(row, "member")));
        if (strcmp(state, "kept") != 0) {
            buf_append(&line, span_str(": "));
            buf_append(&line, span_str(state));
        }
        buf_byte(&line, 0);
        if (buf_err(&line) == ERR_OK)
            show_line(at == 0 ? "Shared by" : "", (const char *)line.data);
    }
    buf_release(&line);
    show_share_names(stdout, "Shared with", json_object_get(person, "shared_with"));
}

const struct show_printer show_share_printers[] = {
    {"contact.share", show_share_given},
    {"contact.share.plan", show_share_given},
    {"share.keep", show_share},
    {"share.list", show_shares},
    {"share.set-aside", show_share},
    {"share.show", show_share},
    {"share.withdraw", show_share_withdrawn},
    {NULL, NULL},
};
