/* Contacts and imports as people see them. */
#include <stdio.h>
#include <unistd.h>

#include "crypto/heap.h"
#include "node/show_state.h"

static void show_contact(json_t *result, json_t *params)
{
    (void)params;
    show_card(result);
    show_list("Tags", json_object_get(result, "tags"));
    show_line("How we met", show_text(result, "met"));
    show_line("Note", show_text(result, "note"));
    if (json_is_true(json_object_get(result, "peer")))
        show_line("Peer", "yes: you are linked");
    show_line("Id", show_text(result, "id"));
}

static void show_contacts(json_t *result, json_t *params)
{
    static const struct show_column columns[] = {{"NAME", "name", 0.35},
                                                 {"ORGANISATION", "org", 0.25},
                                                 {"E-MAIL", "emails", 0.25},
                                                 {"PHONE", "phones", 0.15}};
    json_t *rows = json_object_get(result, "contacts");

    (void)params;
    show_table(rows, columns, 4);
    if (isatty(STDOUT_FILENO))
        (void)printf("%" JSON_INTEGER_FORMAT " contacts\n",
                     json_integer_value(json_object_get(result, "total")));
}

static void show_found(json_t *result, json_t *params)
{
    if (json_array_size(json_object_get(result, "contacts")) == 0)
        (void)puts("Nobody found. Fewer letters find more: words are beginnings of words.");
    else
        show_contacts(result, params);
}

static void show_removed(json_t *result, json_t *params)
{
    char *name = show_copy(show_text(result, "removed"));

    (void)params;
    (void)printf("Removed %s.\n", name != NULL ? name : "");
    heap_free(name);
}

static json_int_t show_count(json_t *result, const char *key)
{
    return json_integer_value(json_object_get(result, key));
}

/* The lines of the file that something is said about. */
static void show_import_lines(json_t *rows)
{
    json_t *row;
    size_t at;

    json_array_foreach(rows, at, row)
    {
        char *why = show_copy(show_text(row, "why"));

        (void)printf("line %" JSON_INTEGER_FORMAT ": %s\n", show_count(row, "line"),
                     why != NULL ? why : "");
        heap_free(why);
    }
}

static void show_import(json_t *result, json_t *params)
{
    json_t *alike = json_object_get(result, "alike"), *row;
    size_t at;

    (void)params;
    (void)printf("%" JSON_INTEGER_FORMAT " new, %" JSON_INTEGER_FORMAT
                 " updated, %" JSON_INTEGER_FORMAT " unchanged, %" JSON_INTEGER_FORMAT
                 " look like somebody you have\n",
                 show_count(result, "new"), show_count(result, "updated"),
                 show_count(result, "unchanged"), show_count(result, "look_alike"));
    json_array_foreach(alike, at, row)
    {
        char *name = show_copy(show_text(row, "name"));

        (void)printf("line %" JSON_INTEGER_FORMAT ": %s looks like %.12s\n",
                     show_count(row, "line"), name != NULL ? name : "", show_text(row, "like"));
        heap_free(name);
    }
    show_import_lines(json_object_get(result, "rejected"));
    show_import_lines(json_object_get(result, "notes"));
}

const struct show_printer show_contact_printers[] = {
    {"contact.add", show_contact},
    {"contact.edit", show_contact},
    {"contact.list", show_contacts},
    {"contact.remove", show_removed},
    {"contact.search", show_found},
    {"contact.show", show_contact},
    {"import", show_import},
    {"import.plan", show_import},
    {NULL, NULL},
};
