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
static void show_share_next(json_t *row)
{
    const char *state = show_text(row, "state");

    if (strcmp(state, "waiting") == 0) {
        show_step("Next", "kith share keep", row, "");
        show_step("", "kith share set-aside", row, " # nobody is told");
    } else if (strcmp(state, "changed") == 0) {
        show_say("More is told now. What you changed stays yours.");
        show_step("Next", "kith share keep", row, "");
    } else if (strcmp(state, "taken back") == 0) {
        show_say("They took it back. What you kept stays until you remove it.");
    } else if (strcmp(state, "given") == 0) {
        show_step("Next", "kith share withdraw", row, " # what they kept stays with them");
    }
}

static void show_share(json_t *row, json_t *params)
{
    (void)params;
    show_line("From", show_share_name(row, "from"));
    show_line("With", show_share_name(row, "with"));
    show_card(row);
    show_list("Tags", json_object_get(row, "tags"));
    show_line("They say", show_text(row, "why"));
    show_time("Shared", show_text(row, "shared"));
    show_line("State", show_text(row, "state"));
    show_time("Taken back", show_text(row, "taken_back"));
    show_list("Looks like", json_object_get(row, "look_alike"));
    show_line("Id", show_text(row, "id"));
    show_share_next(row);
}

/* Names move up, so that the table can show them. */
static void show_shares(json_t *result, json_t *params)
{
    static const struct show_column columns[] = {{"WHO", "name"},    {"ORGANISATION", "org"},
                                                 {"FROM", "by"},     {"WITH", "whom"},
                                                 {"STATE", "state"}, {"ID", "id"}};
    json_t *rows = json_object_get(result, "shares"), *row, *waiting = NULL;
    size_t at;

    if (json_array_size(rows) == 0)
        show_say("Nothing is shared. Share a contact who has agreed: kith contact share WHO "
                 "--with PEER");
    json_array_foreach(rows, at, row)
    {
        if (strcmp(show_text(row, "state"), "waiting") == 0)
            waiting = row;
        (void)json_object_set_new(row, "by", json_string(show_share_name(row, "from")));
        (void)json_object_set_new(row, "whom", json_string(show_share_name(row, "with")));
    }
    show_table(rows, params, columns, 6);
    show_step_row("kith share show", waiting);
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

/* A key of a contact as its page calls it. */
static const char *show_share_label(const char *key)
{
    static const struct {
        const char *key, *label;
    } labels[] = {{"kind", "Kind"},    {"name", "Name"},   {"org", "Organisation"},
                  {"title", "Title"},  {"place", "Place"}, {"emails", "E-mail"},
                  {"phones", "Phone"}, {"urls", "Web"},    {"tags", "Tags"}};

    for (size_t at = 0; at < sizeof labels / sizeof labels[0]; at++)
        if (strcmp(labels[at].key, key) == 0)
            return labels[at].label;
    return key;
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
        const char *label = show_share_label(key);

        char *text = json_is_string(value) ? show_copy(json_string_value(value)) : NULL;

        if (text != NULL)
            (void)fprintf(out, "%-14s %s\n", label, text);
        heap_free(text);
        json_array_foreach(value, at, item)
        {
            text = show_copy(json_string_value(item));
            (void)fprintf(out, "%-14s %s\n", at == 0 ? label : "", text != NULL ? text : "");
            heap_free(text);
        }
    }
}

static void show_share_given(json_t *result, json_t *params)
{
    show_share_plan(result, stdout);
    if (json_is_true(json_object_get(params, "dry-run"))) {
        show_say("Nothing was shared: this is what would be.");
    } else {
        json_t *who = json_pack("{s:O*, s:O*}", "name", json_object_get(params, "who"), "id",
                                json_object_get(result, "contact"));
        char *line = show_typed("kith share withdraw", who);

        (void)printf("Shared. You can take it back: %s\n", line != NULL ? line : "");
        heap_free(line);
        json_decref(who);
    }
}

static void show_share_withdrawn(json_t *result, json_t *params)
{
    (void)params;
    show_share_names(stdout, "Taken back", json_object_get(result, "withdrawn"));
    show_say("Whoever kept it keeps it, and sees that you took it back.");
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
