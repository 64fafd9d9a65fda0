/* Endorsements as people see them: words first. */
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/show_state.h"

static const char *show_endorsement_name(json_t *object, const char *key)
{
    json_t *person = json_object_get(object, key);
    const char *name = show_text(person, "name");

    return name[0] != '\0' ? name : show_text(person, "member");
}

void show_endorsement_mentions(json_t *person)
{
    json_t *rows = json_object_get(person, "endorsements"), *row;
    struct buf line = {0};
    size_t at, tag;
    json_t *about;

    json_array_foreach(rows, at, row)
    {
        buf_clear(&line);
        buf_append(&line, span_str(show_endorsement_name(row, "issuer")));
        buf_append(&line, span_str(" ("));
        buf_append(&line, span_str(show_text(row, "relation")));
        buf_append(&line, span_str(") for "));
        json_array_foreach(json_object_get(row, "about"), tag, about)
        {
            buf_append(&line, span_str(tag > 0 ? ", " : ""));
            buf_append(&line, span_str(json_string_value(about)));
        }
        buf_byte(&line, 0);
        if (buf_err(&line) == ERR_OK)
            show_line(at == 0 ? "Endorsed by" : "", (const char *)line.data);
    }
    buf_release(&line);
}

static void show_endorsement_years(json_t *row)
{
    json_t *since = json_object_get(row, "since"), *until = json_object_get(row, "until");

    if (since != NULL && until != NULL)
        (void)printf("%-14s %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT "\n", "Years",
                     json_integer_value(since), json_integer_value(until));
    else if (since != NULL)
        (void)printf("%-14s since %" JSON_INTEGER_FORMAT "\n", "Years", json_integer_value(since));
    else if (until != NULL)
        (void)printf("%-14s until %" JSON_INTEGER_FORMAT "\n", "Years", json_integer_value(until));
}

static void show_endorsement(json_t *row, json_t *params)
{
    const char *state = show_text(row, "state");

    (void)params;
    show_line("Of", show_endorsement_name(row, "subject"));
    show_line("By", show_endorsement_name(row, "issuer"));
    show_line("Words", show_text(row, "words"));
    show_list("About", json_object_get(row, "about"));
    show_line("Relation", show_text(row, "relation"));
    show_endorsement_years(row);
    show_time("Written", show_text(row, "issued"));
    show_time("Holds until", show_text(row, "expires"));
    show_line("State", state);
    show_line("Shown to", show_text(row, "shown_to"));
    if (json_object_get(row, "via") != NULL)
        show_line("Told by", show_endorsement_name(row, "via"));
    show_line("Id", show_text(row, "id"));
    if (strcmp(state, "sent") == 0)
        show_say("They decide who sees it.");
    if (strcmp(state, "pending") == 0) {
        show_step("Next", "kith endorsement accept", row, "--to peers");
        show_step("", "kith endorsement set-aside", row, " # nobody is told");
    }
}

/* Names move up, so that the table can show them. */
static void show_endorsement_lift(json_t *rows)
{
    size_t at;
    json_t *row;

    json_array_foreach(rows, at, row)
    {
        (void)json_object_set_new(row, "by", json_string(show_endorsement_name(row, "issuer")));
        (void)json_object_set_new(row, "whom", json_string(show_endorsement_name(row, "subject")));
    }
}

static void show_endorsements(json_t *result, json_t *params)
{
    static const struct show_column columns[] = {
        {"BY", "by"},       {"OF", "whom"},           {"ABOUT", "about"},
        {"STATE", "state"}, {"SHOWN TO", "shown_to"}, {"ID", "id"}};
    json_t *rows = json_object_get(result, "endorsements"), *row, *waiting = NULL;
    size_t at;

    if (json_array_size(rows) == 0)
        show_say("There are none. Say what you saw a peer do: kith endorse WHO --about SKILL");
    json_array_foreach(rows, at, row) if (strcmp(show_text(row, "state"), "pending") == 0) waiting =
        row;
    show_endorsement_lift(rows);
    show_table(rows, params, columns, 6);
    show_step_row("kith endorsement show", waiting);
}

static void show_verdict(json_t *result, json_t *params)
{
    bool is_valid = json_is_true(json_object_get(result, "valid"));
    const char *issuer = show_text(result, "issuer_name");
    const char *subject = show_text(result, "subject_name");

    (void)params;
    (void)printf("%s: %s.\n", is_valid ? "Valid" : "Not valid", show_text(result, "why"));
    show_line("By", issuer[0] != '\0' ? issuer : show_text(result, "issuer"));
    show_line("Of", subject[0] != '\0' ? subject : show_text(result, "subject"));
    show_line("Words", show_text(result, "words"));
    show_time("Written", show_text(result, "issued"));
    show_time("Holds until", show_text(result, "expires"));
    show_line("Presented to", show_text(result, "domain"));
    show_line("Challenge", show_text(result, "challenge"));
}

static void show_endorsement_file(json_t *result, json_t *params)
{
    char *path = show_copy(show_text(result, "file"));

    (void)params;
    (void)printf(
        "Written to %s. Anybody can check it: kith endorsement verify FILE, or any verifier "
        "of W3C credentials.\n",
        path != NULL ? path : "the file");
    heap_free(path);
}

static void show_network(json_t *result, json_t *params)
{
    json_t *rows = json_object_get(result, "quoting"), *row;
    size_t at;

    (void)params;
    if (json_is_true(json_object_get(result, "all")))
        show_say("All your peers are quoted, those to come too, but whom you leave out: kith "
                 "network unquote WHO");
    else if (json_array_size(rows) == 0)
        show_say("You quote nobody. Turn it on for a peer: kith network quote WHO; for all: kith "
                 "network on");
    json_array_foreach(rows, at, row) show_line(at == 0 ? "You quote" : "", show_text(row, "name"));
}

static void show_want(json_t *row, const char *who)
{
    show_line(who, show_endorsement_name(row, json_object_get(row, "to") != NULL ? "to" : "from"));
    show_line("Work", show_text(row, "words"));
    show_list("About", json_object_get(row, "about"));
    show_time("Asked", show_text(row, "asked"));
    show_line("Type", show_text(row, "next"));
}

static void show_want_made(json_t *result, json_t *params)
{
    (void)params;
    show_want(result, "You asked");
}

static void show_wants(json_t *result, json_t *params)
{
    json_t *wants = json_object_get(result, "wants"), *mine = json_object_get(result, "mine"), *row;
    size_t at;

    (void)params;
    if (json_array_size(wants) + json_array_size(mine) == 0)
        show_say("There are none. Ask a peer for one: kith endorsement want WHO");
    json_array_foreach(wants, at, row) show_want(row, "Asks you");
    json_array_foreach(mine, at, row) show_want(row, "You asked");
}

const struct show_printer show_endorsement_printers[] = {
    {"endorse", show_endorsement},
    {"endorsement.accept", show_endorsement},
    {"endorsement.export", show_endorsement_file},
    {"endorsement.hide", show_endorsement},
    {"endorsement.list", show_endorsements},
    {"endorsement.publish", show_endorsement},
    {"endorsement.revoke", show_endorsement},
    {"endorsement.set-aside", show_endorsement},
    {"endorsement.show", show_endorsement},
    {"endorsement.verify", show_verdict},
    {"endorsement.want", show_want_made},
    {"endorsement.wants", show_wants},
    {"network.list", show_network},
    {"network.off", show_network},
    {"network.on", show_network},
    {"network.quote", show_network},
    {"network.unquote", show_network},
    {NULL, NULL},
};
