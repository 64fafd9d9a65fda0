/* Introductions as people see them. Whatever failed is told in one sentence: nobody learns who
 * would rather not. */
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/show_state.h"

static const char *show_introduction_name(json_t *row)
{
    const char *name = show_text(json_object_get(row, "other"), "name");

    return name[0] != '\0' ? name : "somebody";
}

static void show_introduction_row(json_t *row)
{
    bool is_mine = strcmp(show_text(row, "role"), "introducer") == 0;
    char text[600];
    char *clean;

    if (is_mine)
        (void)snprintf(text, sizeof text, "%.12s  %-10s %s and %s", show_text(row, "id"),
                       show_text(row, "state"), show_text(json_object_get(row, "a"), "name"),
                       show_text(json_object_get(row, "b"), "name"));
    else
        (void)snprintf(text, sizeof text, "%.12s  %-10s %s, suggested by %s", show_text(row, "id"),
                       show_text(row, "state"), show_introduction_name(row),
                       show_text(json_object_get(row, "introducer"), "name"));
    clean = show_copy(text);
    if (clean != NULL)
        show_wrap(stdout, clean, 0, SHOW_INDENT);
    heap_free(clean);
}

static void show_introduction_want(json_t *want)
{
    const char *whom = show_text(json_object_get(want, "whom"), "name");
    char *from = show_copy(show_text(json_object_get(want, "from"), "name"));
    char *to = show_copy(whom[0] != '\0' ? whom : show_text(want, "words"));

    if (from != NULL && to != NULL)
        (void)printf("%s would like to meet %s\n", from, to);
    heap_free(from);
    heap_free(to);
    show_line("  in their words", show_text(want, "blurb"));
    show_line("  for you alone", show_text(want, "note"));
}

static void show_introductions(json_t *result, json_t *params)
{
    json_t *rows = json_object_get(result, "introductions"), *row;
    json_t *wants = json_object_get(result, "wants"), *waiting = NULL;
    size_t at;

    (void)params;
    if (json_array_size(rows) == 0 && json_array_size(wants) == 0)
        show_say("No introductions. Bring two peers together: kith introduce A B --why TEXT");
    json_array_foreach(rows, at, row)
    {
        show_introduction_row(row);
        if (strcmp(show_text(row, "state"), "offered") == 0)
            waiting = row;
    }
    json_array_foreach(wants, at, row) show_introduction_want(row);
    show_step_row("kith intro show", waiting);
}

static const char *show_introduction_next(const char *state, bool is_asked_again)
{
    if (strcmp(state, "offered") == 0)
        return is_asked_again
                   ? "Both have agreed, though another device of yours said no. Accept once more, "
                     "or decline."
                   : "Waiting for you. Say yes, no, or nothing.";
    if (strcmp(state, "yes") == 0)
        return "You agreed. If the other does, too, you hear from one another.";
    if (strcmp(state, "greeted") == 0)
        return "Both agreed. Waiting for the other's node.";
    if (strcmp(state, "connected") == 0)
        return "You are linked.";
    if (strcmp(state, "conflict") == 0)
        return "Somebody else is known here by that name, or another person was offered. Ask them, "
               "then accept, or decline.";
    if (strcmp(state, "no") == 0)
        return "You would rather not. Only who introduced you may know.";
    return "This introduction did not come about.";
}

static const char *show_introduction_plan(const char *state)
{
    if (strcmp(state, "open") == 0)
        return "Waiting for an answer.";
    if (strcmp(state, "released") == 0)
        return "Both said yes.";
    return "It is over.";
}

static void show_introduction_side(json_t *side)
{
    char text[500];

    (void)snprintf(text, sizeof text, "%s: %s", show_text(side, "name"), show_text(side, "answer"));
    show_line("", text);
    show_line("  thanks", show_text(side, "thanks"));
}

/* Linked by somebody else's word: the two can make sure. */
static void show_introduction_words(json_t *other)
{
    char *line = show_typed("kith peer words", other);

    if (show_text(other, "name")[0] != '\0' && line != NULL)
        show_line("Next", line);
    heap_free(line);
}

static void show_introduction(json_t *result, json_t *params)
{
    const char *state = show_text(result, "state");
    bool is_asked_again = json_is_true(json_object_get(result, "asked_again"));

    (void)params;
    show_line("Introduction", show_text(result, "id"));
    if (strcmp(show_text(result, "role"), "introducer") == 0) {
        show_introduction_side(json_object_get(result, "a"));
        show_introduction_side(json_object_get(result, "b"));
        show_line("Why", show_text(result, "why"));
        show_line("State", show_introduction_plan(state));
    } else {
        show_line("By", show_text(json_object_get(result, "introducer"), "name"));
        show_line("To meet", show_introduction_name(result));
        show_line("", show_text(json_object_get(result, "other"), "line"));
        show_line("Why", show_text(result, "why"));
        show_line("They say", show_text(json_object_get(result, "other"), "message"));
        show_line("State", show_introduction_next(state, is_asked_again));
    }
    show_time("Until", show_text(result, "expires"));
    if (strcmp(state, "offered") == 0 || strcmp(state, "conflict") == 0) {
        show_step("Next", "kith intro accept", result, "");
        show_step("", "kith intro decline", result, "");
    } else if (strcmp(state, "connected") == 0) {
        show_introduction_words(json_object_get(result, "other"));
    }
}

static void show_wanted(json_t *result, json_t *params)
{
    (void)params;
    show_line("Asked", show_text(json_object_get(result, "to"), "name"));
    show_time("Until", show_text(result, "expires"));
}

static void show_muted(json_t *result, json_t *params)
{
    (void)params;
    show_line("Muted", show_text(result, "name"));
    show_time("Until", show_text(result, "until"));
}

const struct show_printer show_introduction_printers[] = {
    {"introduce", show_introduction},
    {"intro.list", show_introductions},
    {"intro.show", show_introduction},
    {"intro.accept", show_introduction},
    {"intro.decline", show_introduction},
    {"intro.withdraw", show_introduction},
    {"intro.known", show_introduction},
    {"intro.thanks", show_introduction},
    {"intro.want", show_wanted},
    {"intro.mute", show_muted},
    {NULL, NULL},
};
