/* Interactions, reminders and what is due, as people see them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/heap.h"
#include "node/show_state.h"

static void show_note(json_t *row)
{
    const char *what = show_text(row, "what");
    char *text = show_copy(show_text(row, "text"));

    (void)printf("%s  %s%s%s\n", show_text(row, "on"),
                 what[0] != '\0' ? what : show_text(row, "kind"),
                 text != NULL && text[0] != '\0' ? ": " : "", text != NULL ? text : "");
    heap_free(text);
}

static void show_logged(json_t *result, json_t *params)
{
    (void)params;
    show_line("Noted for", show_text(result, "who"));
    show_note(result);
}

static void show_timeline(json_t *result, json_t *params)
{
    json_t *rows = json_object_get(result, "interactions"), *row;
    size_t at;

    (void)params;
    if (json_array_size(rows) == 0)
        show_say("Nothing is noted yet: kith contact log WHO TEXT");
    json_array_foreach(rows, at, row) show_note(row);
}

static void show_reminder(json_t *row)
{
    char *who = show_copy(show_text(row, "who")[0] != '\0'      ? show_text(row, "who")
                          : show_text(row, "circle")[0] != '\0' ? show_text(row, "circle")
                                                                : show_text(row, "tag"));
    char *text = show_copy(show_text(row, "text"));
    json_int_t every = json_integer_value(json_object_get(row, "every_days"));

    if (every > 0)
        (void)printf("%.12s  %s, %" JSON_INTEGER_FORMAT " days after you were last in touch",
                     show_text(row, "id"), who != NULL ? who : "", every);
    else
        (void)printf("%.12s  %s, on %s", show_text(row, "id"), who != NULL ? who : "",
                     show_text(row, "on"));
    if (show_text(row, "snoozed_until")[0] != '\0')
        (void)printf(" (not before %s)", show_text(row, "snoozed_until"));
    (void)printf("%s%s\n", text != NULL && text[0] != '\0' ? ": " : "", text != NULL ? text : "");
    heap_free(who);
    heap_free(text);
}

static void show_reminded(json_t *result, json_t *params)
{
    (void)params;
    if (json_object_get(result, "removed") != NULL)
        show_say("Removed.");
    else
        show_reminder(result);
    if (json_object_get(result, "done") != NULL)
        (void)puts(json_object_get(result, "every_days") != NULL ? "Done: it counts from today."
                                                                 : "Done.");
}

static void show_reminders(json_t *result, json_t *params)
{
    json_t *rows = json_object_get(result, "reminders"), *row;
    size_t at;

    (void)params;
    if (json_array_size(rows) == 0)
        show_say("No reminders yet: kith remind WHO --every 3m");
    json_array_foreach(rows, at, row) show_reminder(row);
}

/* Where each kind of thing is looked at and answered. */
static const struct {
    const char *kind, *next;
} show_due_next[] = {
    {"reminder", "kith contact log WHO TEXT once you were in touch; kith reminder list"},
    {"quiet", "kith contact log WHO TEXT once you were in touch; kith remind WHO --every 3m"},
    {"endorsement", "kith endorse WHO --renews ID for one you wrote"},
    {"introduction", "kith intro list"},
    {"introduction wanted", "kith intro list; kith introduce A B"},
    {"endorsement wanted", "kith endorsement wants"},
    {"share", "kith share list --received"},
    {"ask", "kith ask list --mine"},
};

static bool show_due_has(json_t *rows, const char *kind)
{
    json_t *row;
    size_t at;

    json_array_foreach(rows, at, row) if (strcmp(show_text(row, "kind"), kind) == 0) return true;
    return false;
}

static void show_due_hints(json_t *rows, int width)
{
    (void)putchar('\n');
    for (size_t at = 0; at < sizeof show_due_next / sizeof show_due_next[0]; at++)
        if (show_due_has(rows, show_due_next[at].kind))
            (void)printf("%-*s  %s\n", width, show_due_next[at].kind, show_due_next[at].next);
}

static void show_due(json_t *result, json_t *params)
{
    json_t *rows = json_object_get(result, "due"), *row;
    size_t at;
    int width = 0;

    (void)params;
    if (json_object_get(result, "ical") != NULL) {
        (void)show_file(
            span_str(show_text(result, "ical"))); /* A closed pipe shows in the flush. */
        return;
    }
    if (json_array_size(rows) == 0)
        show_say("Nothing is due.");
    json_array_foreach(rows, at, row)
    {
        int size = (int)strlen(show_text(row, "kind"));

        width = size > width ? size : width;
    }
    json_array_foreach(rows, at, row)
    {
        char *who = show_copy(show_text(row, "who")), *text = show_copy(show_text(row, "text"));

        (void)printf("%s  %-4s  %-*s  %s%s%s\n", show_text(row, "due"), show_text(row, "state"),
                     width, show_text(row, "kind"), who != NULL ? who : "",
                     who != NULL && who[0] != '\0' && text != NULL && text[0] != '\0' ? ", " : "",
                     text != NULL ? text : "");
        heap_free(who);
        heap_free(text);
    }
    if (json_array_size(rows) > 0 && isatty(STDOUT_FILENO))
        show_due_hints(rows, width);
}

static void show_balance(json_t *result, json_t *params)
{
    char *sentence = show_copy(show_text(result, "sentence")); /* A peer's name stands in it. */

    (void)params;
    show_say(sentence != NULL ? sentence : "");
    heap_free(sentence);
}

const struct show_printer show_touch_printers[] = {
    {"balance", show_balance},           {"contact.log", show_logged},
    {"contact.timeline", show_timeline}, {"due", show_due},
    {"remind", show_reminded},           {"reminder.done", show_reminded},
    {"reminder.list", show_reminders},   {"reminder.remove", show_reminded},
    {"reminder.snooze", show_reminded},  {NULL, NULL},
};
