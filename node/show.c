/* Small printers, one an answer; a table says which. JSON is taken as it is promised: what is
 * absent is not shown. */
#include "node/show_state.h"

#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/heap.h"
#include "proto/scan.h"

enum { SHOW_COMBINING_MAX = 4 };

/* Cleaning. */

/* The code point at the front and its size; bytes that are no UTF-8 count one each and are shown as
 * a question mark. */
static uint32_t show_next(struct span text, size_t *out_size)
{
    static const uint8_t sizes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4};
    size_t size = sizes[text.data[0] >> 4];
    uint32_t value;

    *out_size = 1;
    if (size == 1)
        return text.data[0];
    if (size == 0 || size > text.size || !scan_is_utf8(span_of(text.data, size)))
        return '?';
    value = text.data[0] & (0xffu >> (size + 1));
    for (size_t at = 1; at < size; at++)
        value = value << 6 | (text.data[at] & 0x3fu);
    *out_size = size;
    return value;
}

/* Overrides of direction, isolates, marks of direction, zero widths, line and paragraph separators,
 * tags, the BOM. */
static bool show_is_hidden(uint32_t letter)
{
    return (letter >= 0x200b && letter <= 0x200f) || (letter >= 0x202a && letter <= 0x202e) ||
           (letter >= 0x2060 && letter <= 0x206f) || letter == 0x061c || letter == 0xfeff ||
           letter == 0x00ad || (letter >= 0xfff9 && letter <= 0xfffb) ||
           (letter >= 0xe0000 && letter <= 0xe0fff) || (letter >= 0x80 && letter < 0xa0);
}

static bool show_is_combining(uint32_t letter)
{
    return (letter >= 0x0300 && letter <= 0x036f) || (letter >= 0x0483 && letter <= 0x0489) ||
           (letter >= 0x1ab0 && letter <= 0x1aff) || (letter >= 0x1dc0 && letter <= 0x1dff) ||
           (letter >= 0x20d0 && letter <= 0x20ff) || (letter >= 0xfe20 && letter <= 0xfe2f) ||
           (letter >= 0xfe00 && letter <= 0xfe0f) ||
           (letter >= 0x0e31 && letter <= 0x0e4e && letter != 0x0e32 && letter != 0x0e33 &&
            (letter < 0x0e3f || letter > 0x0e46));
}

void show_clean(struct span text, struct buf *out)
{
    size_t marks = 0;

    while (text.size > 0) {
        size_t size;
        uint32_t letter = show_next(text, &size);

        marks = show_is_combining(letter) ? marks + 1 : 0;
        if (letter == '\n' || letter == '\r' || letter == '\t' || letter == 0x2028 ||
            letter == 0x2029)
            buf_byte(out, ' ');
        else if (letter < ' ' || letter == 0x7f ||
                 (size == 1 && letter == '?' && text.data[0] != '?'))
            buf_byte(out, '?');
        else if (!show_is_hidden(letter) && marks <= SHOW_COMBINING_MAX)
            buf_append(out, span_of(text.data, size));
        text = span_of(text.data + size, text.size - size);
    }
}

/* A copy with an end; freed by the caller, or by libsmartcols. NULL without memory. */
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
    struct buf clean = {0};
    char *copy;

    show_clean(span_str(text != NULL ? text : ""), &clean);
    copy = show_keep(buf_span(&clean));
    buf_release(&clean);
    return copy;
}

const char *show_text(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

void show_line(const char *label, const char *text)
{
    char *clean = text[0] != '\0' ? show_copy(text) : NULL;
    char *clean_label = show_copy(label); /* A name may stand there. */

    if (clean != NULL && clean_label != NULL)
        (void)printf("%-14s %s\n", clean_label, clean);
    heap_free(clean);
    heap_free(clean_label);
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

void show_time(const char *label, const char *text)
{
    char minute[32];

    (void)snprintf(minute, sizeof minute, "%.10s %.5s UTC", text,
                   strlen(text) > 11 ? text + 11 : "");
    show_line(label, strlen(text) == strlen("2026-12-01T09:00:00Z") ? minute : text);
}

/* As much of an id as lists show: a UUID has a dash more. */
static int show_id_size(const char *id)
{
    return strlen(id) > 8 && id[8] == '-' ? 13 : 12;
}

void show_step(const char *label, const char *command, json_t *object, const char *rest)
{
    const char *id = show_text(object, "id");

    (void)printf("%-14s %s %.*s%s%s\n", label, command, show_id_size(id), id,
                 rest[0] != '\0' ? " " : "", rest);
}

void show_step_row(const char *command, json_t *row)
{
    if (row != NULL && isatty(STDOUT_FILENO))
        (void)printf("\nLook at one: %s %.*s\n", command, show_id_size(show_text(row, "id")),
                     show_text(row, "id"));
}

void show_list(const char *label, json_t *list)
{
    size_t at;
    json_t *item;

    json_array_foreach(list, at, item) show_line(at == 0 ? label : "", json_string_value(item));
}

/* Tables. */

/* Cells of one row: a text, the first of a list, or a number. */
static char *show_cell(json_t *value)
{
    char number[32];

    if (json_is_string(value))
        return show_copy(json_string_value(value));
    if (json_is_array(value))
        return show_copy(json_string_value(json_array_get(value, 0)));
    if (json_is_integer(value)) {
        (void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return show_keep(span_str(number));
    }
    if (json_is_boolean(value))
        return show_keep(span_str(json_is_true(value) ? "yes" : "no"));
    return show_keep(span_str(""));
}

json_int_t show_look(json_t *params, const char *what)
{
    json_t *value = json_object_get(json_object_get(params, SHOW_LOOK), what);

    return json_is_true(value) ? 1 : json_integer_value(value);
}

/* For other programs: cells have neither tabs nor line ends in them. */
static void show_table_plain(json_t *rows, json_t *params, const struct show_column *columns,
                             size_t columns_count)
{
    json_t *row;
    size_t at;

    for (size_t column = 0; show_look(params, "header") != 0 && column < columns_count; column++)
        (void)printf("%s%c", columns[column].title, column + 1 < columns_count ? '\t' : '\n');
    json_array_foreach(rows, at, row)
    {
        for (size_t column = 0; column < columns_count; column++) {
            char *cell = show_cell(json_object_get(row, columns[column].key));

            (void)printf("%s%c", cell != NULL ? cell : "",
                         column + 1 < columns_count ? '\t' : '\n');
            heap_free(cell);
        }
    }
}

void show_table(json_t *rows, json_t *params, const struct show_column *columns,
                size_t columns_count)
{
    struct libscols_table *table;
    json_t *row;
    size_t at;

    if (!isatty(STDOUT_FILENO)) {
        show_table_plain(rows, params, columns, columns_count);
        return;
    }
    table = scols_new_table();
    if (table == NULL)
        return;
    if (show_look(params, "columns") > 0) { /* These only fail without a table. */
        (void)scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
        (void)scols_table_set_termwidth(table, (size_t)show_look(params, "columns"));
    }
    for (size_t column = 0; column < columns_count; column++)
        (void)scols_table_new_column(table, columns[column].title, columns[column].width,
                                     SCOLS_FL_TRUNC);
    json_array_foreach(rows, at, row)
    {
        struct libscols_line *line = scols_table_new_line(table, NULL);

        for (size_t column = 0; line != NULL && column < columns_count; column++)
            (void)scols_line_refer_data(line, column,
                                        show_cell(json_object_get(row, columns[column].key)));
    }
    if (json_array_size(rows) > 0)
        (void)scols_print_table(table);
    scols_unref_table(table);
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
        (void)puts("Nothing has happened yet.");
}

void show_event(json_t *row)
{
    char *who = show_copy(show_text(row, "who")), *text = show_copy(show_text(row, "text"));

    (void)printf("%s  %s%s%s\n", show_text(row, "at"), who != NULL ? who : "",
                 who != NULL && who[0] != '\0' ? " " : "", text != NULL ? text : "");
    (void)fflush(stdout); /* A follower wants it now; a closed pipe shows at the next write. */
    heap_free(who);
    heap_free(text);
}

static void show_sync(json_t *result, json_t *params)
{
    static const struct show_column columns[] = {{"NAME", "name", 0.4},
                                                 {"ONLINE", "online", 0.1},
                                                 {"IN STEP", "in_step", 0.1},
                                                 {"SENT", "sent", 0.15},
                                                 {"RECEIVED", "received", 0.15}};

    show_table(json_object_get(result, "peers"), params, columns, 5);
    (void)puts(json_is_true(json_object_get(result, "in_step")) ? "In step." : "Not in step yet.");
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
        show_line(show_text(row, "check"), show_text(row, "text"));
        if (json_object_get(row, "remedy") != NULL) {
            (void)printf("%-6s", ""); /* Below what it is the remedy of. */
            show_line("", show_text(row, "remedy"));
        }
    }
}

static void show_stopped(json_t *result, json_t *params)
{
    (void)result;
    (void)params;
    (void)puts("Your node has ended. What you write from now on goes out when it runs again.");
}

static void show_done(json_t *result, json_t *params)
{
    (void)result;
    (void)params;
    (void)puts("Done.");
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

    (void)fprintf(stderr, "%skith:%s %s\n", wants_colour ? "\033[31m" : "",
                  wants_colour ? "\033[0m" : "", message != NULL ? message : "out of memory");
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
