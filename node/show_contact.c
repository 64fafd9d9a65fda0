/* Contacts and imports as people see them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/heap.h"
#include "node/show_state.h"

static void show_contact(json_t *result, json_t *params)
{
    (void)params;
    show_card(result);
    show_line("Birthday", show_text(result, "birthday"));
    show_list("Tags", json_object_get(result, "tags"));
    show_line("How we met", show_text(result, "met"));
    show_lines("Note", show_text(result, "note"));
    if (json_is_true(json_object_get(result, "peer")))
        show_line("Peer", "yes: you are linked");
    show_line("Closeness", show_text(result, "closeness"));
    show_endorsement_mentions(result);
    show_share_mentions(result);
    show_line("Id", show_text(result, "id"));
}

static void show_contacts(json_t *result, json_t *params)
{
    static const struct show_column columns[] = {
        {"NAME", "name"}, {"ORGANISATION", "org"}, {"E-MAIL", "emails"}, {"PHONE", "phones"}};
    json_t *rows = json_object_get(result, "contacts");

    show_table(rows, params, columns, 4);
    if (isatty(STDOUT_FILENO) && json_object_get(result, "total") != NULL) {
        json_int_t total = json_integer_value(json_object_get(result, "total"));

        (void)printf("%" JSON_INTEGER_FORMAT " %s\n", total, total == 1 ? "contact" : "contacts");
    }
}

/* An empty book says how it is filled; one without these people says so. */
static void show_book(json_t *result, json_t *params)
{
    bool is_asked = json_object_get(params, "tag") != NULL ||
                    json_object_get(params, "org") != NULL ||
                    json_object_get(params, "place") != NULL;

    if (json_integer_value(json_object_get(result, "total")) == 0 && !is_asked &&
        isatty(STDOUT_FILENO))
        show_say("Nobody is in your address book yet: kith import FILE, or kith contact add NAME");
    else
        show_contacts(result, params);
}

static void show_found(json_t *result, json_t *params)
{
    if (json_integer_value(json_object_get(result, "total")) == 0)
        show_say("Nobody found. Fewer letters find more: words are beginnings of words.");
    else
        show_contacts(result, params);
}

/* One change of one field, as a line of its own. */
static void show_change(json_t *change)
{
    char *field = show_copy(show_text(change, "field")),
         *from = show_copy(show_text(change, "from")), *to = show_copy(show_text(change, "to")),
         *added = show_copy(show_text(change, "added")),
         *removed = show_copy(show_text(change, "removed"));
    const char *aside = json_is_true(json_object_get(change, "set_aside"))
                            ? "  (set aside: changed elsewhere)"
                            : "";

    if (json_object_get(change, "deleted") != NULL)
        (void)printf("    removed%s\n", aside);
    else if (json_object_get(change, "same") != NULL)
        (void)printf("    %s another contact\n",
                     json_is_true(json_object_get(change, "same")) ? "merged with" : "parted from");
    else if (json_object_get(change, "added") != NULL)
        (void)printf("    %s: + %s%s\n", field, added, aside);
    else if (json_object_get(change, "removed") != NULL)
        (void)printf("    %s: - %s%s\n", field, removed, aside);
    else if (to != NULL && from != NULL && strcmp(from, to) == 0 && to[0] != '\0')
        (void)printf("    %s: %s, once more%s\n", field, to, aside);
    else if (to != NULL && to[0] != '\0')
        (void)printf("    %s: %s%s%s%s\n", field, from,
                     from != NULL && from[0] != '\0' ? " -> " : "", to, aside);
    else if (from != NULL && from[0] != '\0')
        (void)printf("    %s: %s -> nothing%s\n", field, from, aside);
    heap_free(field);
    heap_free(from);
    heap_free(to);
    heap_free(added);
    heap_free(removed);
}

static void show_history(json_t *result, json_t *params)
{
    json_t *steps = json_object_get(result, "history"), *step, *change;
    char when[SHOW_TIME];
    size_t at, index;

    (void)params;
    json_array_foreach(steps, at, step)
    {
        char *by = show_copy(show_text(step, "by"));

        show_when(show_text(step, "at"), when);
        (void)printf("%s  %s%s\n", when, by != NULL ? by : "",
                     json_is_true(json_object_get(step, "created")) ? ", made" : "");
        json_array_foreach(json_object_get(step, "changes"), index, change) show_change(change);
        heap_free(by);
    }
}

/* Namesakes are told apart by where they work, or else by an address. */
static void show_duplicate(json_t *contact, const char *after)
{
    const char *org = show_text(contact, "org"),
               *email = json_string_value(json_array_get(json_object_get(contact, "emails"), 0));
    const char *more = org[0] != '\0' || email == NULL ? org : email;
    char *name = show_copy(show_text(contact, "name")), *clean = show_copy(more);

    (void)printf("%s%s%s%s%s", name != NULL ? name : "", more[0] != '\0' ? " (" : "",
                 clean != NULL ? clean : "", more[0] != '\0' ? ")" : "", after);
    heap_free(name);
    heap_free(clean);
}

static void show_duplicates(json_t *result, json_t *params)
{
    json_t *rows = json_object_get(result, "duplicates"), *row;
    size_t at;

    (void)params;
    if (json_array_size(rows) == 0)
        show_say("Nobody is here twice, as far as names, e-mails and numbers tell.");
    json_array_foreach(rows, at, row)
    {
        json_t *pair = json_object_get(row, "contacts");

        show_duplicate(json_array_get(pair, 0), " and ");
        show_duplicate(json_array_get(pair, 1), ": ");
        (void)printf("%s\n    %s\n", show_text(row, "why"), show_text(row, "next"));
    }
}

static void show_split(json_t *result, json_t *params)
{
    show_contacts(result, params);
}

static void show_undone(json_t *result, json_t *params)
{
    char *what = show_copy(show_text(result, "undone"));
    json_int_t left = json_integer_value(json_object_get(result, "left"));

    (void)params;
    (void)printf("Taken back: %s (%" JSON_INTEGER_FORMAT " %s).\n", what != NULL ? what : "",
                 json_integer_value(json_object_get(result, "contacts")),
                 json_integer_value(json_object_get(result, "contacts")) == 1 ? "contact"
                                                                              : "contacts");
    if (left > 0)
        (void)printf(
            "%" JSON_INTEGER_FORMAT " left as they are, because they were changed since.\n", left);
    heap_free(what);
}

static void show_removed(json_t *result, json_t *params)
{
    char *name = show_copy(show_text(result, "removed"));

    (void)params;
    if (json_is_true(json_object_get(result, "forgotten")))
        (void)printf("Forgot %s, and all that was noted about them. This cannot be taken back.\n",
                     name != NULL ? name : "");
    else
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

    (void)printf("%" JSON_INTEGER_FORMAT " new, %" JSON_INTEGER_FORMAT
                 " updated, %" JSON_INTEGER_FORMAT " unchanged, %" JSON_INTEGER_FORMAT
                 " look like somebody you have\n",
                 show_count(result, "new"), show_count(result, "updated"),
                 show_count(result, "unchanged"), show_count(result, "look_alike"));
    if (show_count(result, "kept") > 0)
        (void)printf("%" JSON_INTEGER_FORMAT " %s as you changed it by hand\n",
                     show_count(result, "kept"),
                     show_count(result, "kept") == 1 ? "value stays" : "values stay");
    json_array_foreach(alike, at, row)
    {
        char *name = show_copy(show_text(row, "name"));

        if (json_object_get(row, "like") != NULL)
            (void)printf("line %" JSON_INTEGER_FORMAT ": %s looks like somebody you have\n",
                         show_count(row, "line"), name != NULL ? name : "");
        else
            (void)printf(
                "line %" JSON_INTEGER_FORMAT ": %s looks like line %" JSON_INTEGER_FORMAT "\n",
                show_count(row, "line"), name != NULL ? name : "", show_count(row, "like_line"));
        heap_free(name);
    }
    show_import_lines(json_object_get(result, "rejected"));
    show_import_lines(json_object_get(result, "notes"));
    if (json_is_true(json_object_get(params, "dry-run")))
        show_say("Nothing was written: this is what would be.");
    else if (show_count(result, "new") + show_count(result, "updated") > 0 && isatty(STDOUT_FILENO))
        show_say("See them: kith contact list. Take it back: kith undo");
    if (show_count(result, "look_alike") > 0 && isatty(STDOUT_FILENO))
        show_say("Who may be here twice: kith contact duplicates");
}

static void show_circles(json_t *result, json_t *params)
{
    json_t *rows = json_object_get(result, "circles"), *row, *member;
    size_t at, index;

    (void)params;
    if (json_object_get(result, "removed") != NULL) {
        show_removed(result, params);
        return;
    }
    if (json_array_size(rows) == 0)
        show_say("You have no circles yet. Make one: kith circle create NAME");
    json_array_foreach(rows, at, row)
    {
        show_line(show_text(row, "name"),
                  json_array_size(json_object_get(row, "members")) == 0
                      ? "(nobody yet)"
                      : show_text(json_array_get(json_object_get(row, "members"), 0), "name"));
        json_array_foreach(json_object_get(row, "members"), index, member) if (index > 0)
            show_line("", show_text(member, "name"));
    }
}

static void show_names(json_t *result, json_t *params)
{
    json_t *names = json_object_get(result, "names"), *name;
    size_t at;

    (void)params;
    json_array_foreach(names, at, name)
    {
        char *clean = show_copy(json_string_value(name));

        if (clean != NULL && clean[0] != '\0') /* Of some nothing can be shown. */
            (void)puts(clean);
        heap_free(clean);
    }
}

const struct show_printer show_contact_printers[] = {
    {"complete", show_names},
    {"circle.add", show_circles},
    {"circle.create", show_circles},
    {"circle.list", show_circles},
    {"circle.remove", show_circles},
    {"contact.add", show_contact},
    {"contact.duplicates", show_duplicates},
    {"contact.edit", show_contact},
    {"contact.history", show_history},
    {"contact.list", show_book},
    {"contact.merge", show_contact},
    {"contact.remove", show_removed},
    {"contact.search", show_found},
    {"contact.show", show_contact},
    {"contact.split", show_split},
    {"import", show_import},
    {"import.plan", show_import},
    {"undo", show_undone},
    {NULL, NULL},
};
