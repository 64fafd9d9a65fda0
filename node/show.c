/* Small printers, one an answer; a table says which. JSON is taken as it is promised: what is
 * absent is not shown. */
#include "node/show_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/heap.h"
#include "crypto/words.h"
#include "node/clock.h"
#include "node/describe_path.h"

enum {
    SHOW_FAILURE = 6,
    SHOW_EVENT = 3000,
    SHOW_VALUE = 15,            /* where what follows a label begins */
    SHOW_CHECK = 6 + SHOW_VALUE /* the same behind a state of the doctor's */
};

/* A copy with an end; freed by the caller. NULL without memory. */
static char *show_keep(struct span text)
{
    char *copy = heap_new(text.size + 1);

    if (copy == NULL)
        return NULL;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

/* The same, cleaned. */
char *show_copy(const char *text)
{
    struct buf clean = {.is_secret = true}; /* An invitation is shown, too. */
    char *copy;

    show_clean(span_str(text != NULL ? text : ""), &clean);
    copy = show_keep(buf_span(&clean));
    buf_release(&clean);
    return copy;
}

char *show_typed(const char *command, json_t *who)
{
    struct buf line = {0};
    char *clean = NULL;

    buf_append(&line, span_str(command));
    buf_byte(&line, ' ');
    describe_path_put_who(who, &line);
    buf_byte(&line, 0);
    if (buf_err(&line) == ERR_OK)
        clean = show_copy((const char *)line.data);
    buf_release(&line);
    return clean;
}

const char *show_text(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* The width of letters counts, not how many bytes they are. */
static void show_label(const char *label)
{
    size_t width = show_width(label);

    (void)printf("%s%*s", label, width < SHOW_VALUE ? (int)(SHOW_VALUE - width) : 1, "");
}

void show_line(const char *label, const char *text)
{
    char *clean = text[0] != '\0' ? show_copy(text) : NULL;
    char *clean_label = show_copy(label); /* A name may stand there. */

    if (clean != NULL && clean_label != NULL) {
        show_label(clean_label);
        show_wrap(stdout, clean, SHOW_VALUE, SHOW_VALUE);
    }
    heap_free(clean);
    heap_free(clean_label);
}

void show_command(const char *label, const char *command, size_t width, const char *does)
{
    size_t columns = show_columns(stdout), shown = show_width(command),
           more = SHOW_VALUE + strlen(does) + 4;

    if (columns == 0 || width + more > columns)
        width = shown;
    show_label(label);
    (void)fputs(command, stdout);
    if (columns == 0 || width + more <= columns)
        (void)printf("%*s  # %s", (int)(width > shown ? width - shown : 0), "", does);
    (void)putchar('\n');
}

void show_numbered(const char *words, size_t a_line)
{
    size_t number = 0, columns = show_columns(stdout), room = columns / (WORD_SIZE_MAX + 5);

    if (room < a_line)
        a_line = room > 0 ? room : 1;
    for (; *words != '\0'; number++) {
        size_t size = strcspn(words, " ");

        if (columns > 0)
            (void)printf("  %2zu %-*.*s%s", number + 1, WORD_SIZE_MAX, (int)size, words,
                         number % a_line == a_line - 1 ? "\n" : "");
        else
            (void)printf("%.*s%s", (int)size, words, words[size] == '\0' ? "\n" : " ");
        words += size + (words[size] == ' ');
    }
    (void)fputs(columns > 0 && number % a_line != 0 ? "\n\n" : "\n", stdout);
}

void show_lines(const char *label, const char *text)
{
    for (bool is_first = true; *text != '\0'; is_first = false) {
        size_t size = strcspn(text, "\n");
        char *line = show_keep(span_of(text, size));

        if (line != NULL && line[0] != '\0')
            show_line(is_first ? label : "", line);
        else
            (void)putchar('\n');
        heap_free(line);
        text += text[size] == '\n' ? size + 1 : size;
    }
}

void show_when(const char *text, char out[static SHOW_TIME])
{
    if (strlen(text) != strlen("2026-12-01T09:00:00Z") || !clock_local(text, out, SHOW_TIME))
        (void)snprintf(out, SHOW_TIME, "%.*s", SHOW_TIME - 1, text);
}

void show_time(const char *label, const char *text)
{
    char when[SHOW_TIME];

    show_when(text, when);
    show_line(label, when);
}

/* As much of an id as lists show: a UUID has a dash more. */
size_t show_id_size(const char *id)
{
    return strlen(id) > 8 && id[8] == '-' ? 13 : 12;
}

void show_step(const char *label, const char *command, json_t *object, const char *rest)
{
    const char *id = show_text(object, "id");

    (void)printf("%-14s %s %.*s%s%s\n", label, command, (int)show_id_size(id), id,
                 rest[0] != '\0' ? " " : "", rest);
}

void show_step_row(const char *command, json_t *row)
{
    if (row != NULL && isatty(STDOUT_FILENO))
        (void)printf("\nLook at one: %s %.*s\n", command, (int)show_id_size(show_text(row, "id")),
                     show_text(row, "id"));
}

void show_list(const char *label, json_t *list)
{
    size_t at;
    json_t *item;

    json_array_foreach(list, at, item) show_line(at == 0 ? label : "", json_string_value(item));
}

/* Printers. */

void show_card(json_t *card)
{
    show_line("Name", show_text(card, "name"));
    show_line("Organisation", show_text(card, "org"));
    show_line("Title", show_text(card, "title"));
    show_list("E-mail", json_object_get(card, "emails"));
    show_list("Phone", json_object_get(card, "phones"));
    show_line("Place", show_text(card, "place"));
    show_list("Web", json_object_get(card, "urls"));
}

static void show_me(json_t *result, json_t *params)
{
    (void)params;
    show_card(result);
    show_line("Member", show_text(result, "member"));
}

static void show_log(json_t *result, json_t *params)
{
    json_t *rows = json_object_get(result, "events"), *row;
    size_t at;

    (void)params;
    json_array_foreach(rows, at, row) show_event(row);
    if (json_array_size(rows) == 0 && isatty(STDOUT_FILENO))
        show_say("Nothing has happened yet.");
}

void show_event(json_t *row)
{
    show_event_at(row, 0);
}

void show_event_at(json_t *row, size_t from)
{
    char *who = show_copy(show_text(row, "who")), *text = show_copy(show_text(row, "text"));
    char when[SHOW_TIME], line[SHOW_EVENT];
    size_t indent;

    show_when(show_text(row, "at"), when);
    indent = from + strlen(when) + 2;
    (void)snprintf(line, sizeof line, "%s%s%s", who != NULL ? who : "",
                   who != NULL && who[0] != '\0' ? " " : "", text != NULL ? text : "");
    (void)printf("%*s%s  ", (int)from, "", when);
    show_wrap(stdout, line, indent, indent);
    (void)fflush(stdout); /* A follower wants it now; a closed pipe shows at the next write. */
    heap_free(who);
    heap_free(text);
}

/* Whoever is away is no part of it, and is said so. */
static void show_sync_sum(json_t *result)
{
    json_t *peers = json_object_get(result, "peers"), *peer;
    size_t at, away = 0;
    char line[120];

    json_array_foreach(peers, at, peer) away += json_is_false(json_object_get(peer, "online"));
    if (!json_is_true(json_object_get(result, "in_step")))
        show_say("Not in step yet.");
    else if (away == 0)
        show_say(json_array_size(peers) > 0 ? "In step." : "There is nobody to be in step with.");
    else if (away == json_array_size(peers))
        show_say("Nobody is there now. What you write waits here and goes out when they are.");
    else {
        (void)snprintf(line, sizeof line,
                       "In step with whoever is there. What waits for the other %zu goes out when "
                       "they are.",
                       away);
        show_say(line);
    }
}

static void show_sync(json_t *result, json_t *params)
{
    static const struct show_column columns[] = {{"NAME", "name"},
                                                 {"ONLINE", "online"},
                                                 {"IN STEP", "in_step"},
                                                 {"SENT", "sent"},
                                                 {"RECEIVED", "received"}};

    show_table(json_object_get(result, "peers"), params, columns, 5);
    show_sync_sum(result);
}

/* Behind its state; what is broken goes on below where it began. */
static void show_check(const char *check, const char *text)
{
    char *clean = show_copy(text);

    show_label(check);
    show_wrap(stdout, clean != NULL ? clean : "", SHOW_CHECK, SHOW_CHECK);
    heap_free(clean);
}

static void show_doctor(json_t *result, json_t *params)
{
    json_t *rows = json_object_get(result, "checks"), *row;
    bool wants_colour = show_look(params, "colour") != 0;
    size_t at;

    json_array_foreach(rows, at, row)
    {
        const char *state = show_text(row, "state");
        const char *colour = strcmp(state, "ok") == 0     ? "\033[32m"
                             : strcmp(state, "warn") == 0 ? "\033[33m"
                                                          : "\033[31m";

        (void)printf("%s%-5s%s ", wants_colour ? colour : "", state, wants_colour ? "\033[0m" : "");
        show_check(show_text(row, "check"), show_text(row, "text"));
        if (json_object_get(row, "remedy") != NULL) {
            (void)printf("%-6s", ""); /* Below what it is the remedy of. */
            show_check("", show_text(row, "remedy"));
        }
    }
}

static void show_stopped(json_t *result, json_t *params)
{
    (void)result;
    (void)params;
    show_say("Your node has ended. What you write from now on goes out when it runs again.");
}

static void show_done(json_t *result, json_t *params)
{
    (void)result;
    (void)params;
    show_say("Done.");
}

static const struct show_printer show_own_printers[] = {
    {"doctor", show_doctor}, {"log", show_log},   {"me.edit", show_me}, {"me.show", show_me},
    {"stop", show_stopped},  {"sync", show_sync}, {NULL, NULL},
};

static const struct show_printer *const show_groups[] = {
    show_own_printers,         show_contact_printers,      show_peer_printers,
    show_endorsement_printers, show_introduction_printers, show_ask_printers,
    show_reply_printers,       show_share_printers,        show_touch_printers,
    show_trust_printers,       show_status_printers,
};

void show_result(const char *method, json_t *result, json_t *params)
{
    for (size_t group = 0; group < sizeof show_groups / sizeof show_groups[0]; group++)
        for (const struct show_printer *row = show_groups[group]; row->method != NULL; row++)
            if (strcmp(row->method, method) == 0) {
                row->print(result, params);
                return;
            }
    show_done(result, params);
}

void show_failure(const struct op_failure *failure, bool wants_colour)
{
    char *message = show_copy(failure->message), *hint = show_copy(failure->hint);

    (void)fprintf(stderr, "%skith:%s ", wants_colour ? "\033[31m" : "",
                  wants_colour ? "\033[0m" : "");
    show_wrap(stderr, message != NULL ? message : "out of memory", SHOW_FAILURE, SHOW_FAILURE);
    if (hint != NULL && hint[0] != '\0')
        (void)fprintf(stderr, "      try: %s\n", hint);
    heap_free(message);
    heap_free(hint);
}

void show_progress(uint64_t done, uint64_t total)
{
    if (isatty(STDERR_FILENO) && total > 0)
        (void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " (%u %%)   ", done, total,
                      (unsigned)(done * 100 / total));
}

void show_progress_end(void)
{
    if (isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
}
