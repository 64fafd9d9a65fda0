/* A vCard says so in its first lines; everything else is a table, whose first rows are looked
 * through with each delimiter for the row that names the columns. */
#include "node/book.h"

#include <string.h>
#include <strings.h>

#include "crypto/heap.h"
#include "node/charset.h"
#include "node/columns.h"
#include "node/person_json.h"
#include "node/vcard.h"
#include "proto/scan.h"

static const struct {
    const char *name;
    enum book_format format;
} book_formats[] = {{"vcard", BOOK_VCARD},     {"linkedin", BOOK_LINKEDIN}, {"google", BOOK_GOOGLE},
                    {"outlook", BOOK_OUTLOOK}, {"csv", BOOK_CSV},           {"json", BOOK_JSON}};

bool book_format_named(const char *name, enum book_format *out)
{
    for (size_t at = 0; at < sizeof book_formats / sizeof book_formats[0]; at++)
        if (strcmp(book_formats[at].name, name) == 0) {
            *out = book_formats[at].format;
            return true;
        }
    return false;
}

/* Does a line begin with this word, case aside? */
static bool book_has_line(struct span text, const char *word)
{
    size_t size = strlen(word);

    for (size_t at = 0; at + size <= text.size; at++) {
        bool is_begin = at == 0 || text.data[at - 1] == '\n' || text.data[at - 1] == '\r';

        if (is_begin && strncasecmp((const char *)text.data + at, word, size) == 0)
            return true;
    }
    return false;
}

static bool book_is_vcard(struct span file)
{
    struct span head = person_trim(
        span_of(file.data, file.size < IMPORT_HEAD_SIZE ? file.size : IMPORT_HEAD_SIZE));

    return book_has_line(head, "BEGIN:VCARD") ||
           (head.size > 8 && strncasecmp((const char *)head.data, "VERSION:", 8) == 0);
}

/* Tables. */

struct book_table {
    enum book_format format;
    const struct person_reader *reader;
    struct columns *columns;
    struct person person;
    /* Looking for the header. */
    size_t rows;
    size_t best_known, header_line; /* header_line 0: there is none, columns are by their looks */
    char delimiter, best;
    /* Reading. */
    const char *why;
    bool is_header_read;
};

static enum err book_on_search(void *self, const struct csv_row *row)
{
    struct book_table *table = self;
    enum err err = columns_read(table->columns, row);

    if (err != ERR_OK)
        return err;
    if (columns_is_header(table->columns) && table->columns->known > table->best_known) {
        table->best_known = table->columns->known;
        table->header_line = row->line;
        table->best = table->delimiter;
    }
    return ++table->rows < COLUMNS_SEARCH_ROWS ? ERR_OK : ERR_CANCELLED;
}

static enum err book_on_guess(void *self, const struct csv_row *row)
{
    struct book_table *table = self;

    if (columns_guess(table->columns, row) && table->columns->known > table->best_known) {
        table->best_known = table->columns->known;
        table->best = table->delimiter;
    }
    return ERR_CANCELLED; /* The first row is looked at. */
}

/* Tables of people have no control bytes but those that end lines and cells: a program or a picture
 * must not look like somebody. */
static bool book_is_written(struct span text)
{
    for (size_t at = 0; at < text.size; at++)
        if ((text.data[at] < 0x20 && memchr("\t\n\v\f\r", text.data[at], 5) == NULL) ||
            text.data[at] == 0x7f)
            return false;
    return true;
}

/* The delimiter under which a row names most columns, else under which the first row looks most
 * like somebody. */
static enum err book_search(struct book_table *table, struct span text)
{
    static const char delimiters[] = {',', ';', '\t', '|'};
    struct span head =
        span_of(text.data, text.size < IMPORT_HEAD_SIZE ? text.size : IMPORT_HEAD_SIZE);

    size_t rounds = book_is_written(head) ? 2 : 1;

    for (size_t round = 0; round < rounds && table->best_known == 0; round++)
        for (size_t at = 0; at < sizeof delimiters; at++) {
            struct csv_reader reader = {.row = round == 0 ? book_on_search : book_on_guess,
                                        .self = table};
            enum err err;

            table->rows = 0;
            table->delimiter = delimiters[at];
            err = csv_read(head, delimiters[at], &reader);
            if (err != ERR_OK && err != ERR_CANCELLED)
                return err;
        }
    if (table->best_known > 0)
        return ERR_OK;
    table->why = "no row names its columns; the first should, for example: Name,Email,Phone";
    return ERR_MALFORMED;
}

static bool book_is_right(struct book_table *table)
{
    static const struct {
        enum book_format format;
        enum columns_format columns;
        const char *why;
    } wanted[] = {
        {BOOK_LINKEDIN, COLUMNS_LINKEDIN,
         "LinkedIn's columns are not there (First Name, Last Name, Connected On)"},
        {BOOK_GOOGLE, COLUMNS_GOOGLE, "Google's columns are not there (E-mail 1 - Value)"},
        {BOOK_OUTLOOK, COLUMNS_OUTLOOK,
         "Outlook's columns are not there (First Name, E-mail Address, Job Title)"},
    };

    for (size_t at = 0; at < sizeof wanted / sizeof wanted[0]; at++)
        if (table->format == wanted[at].format && table->columns->format != wanted[at].columns) {
            table->why = wanted[at].why;
            return false;
        }
    return true;
}

static bool book_is_blank(const struct csv_row *row)
{
    for (size_t at = 0; at < row->count; at++)
        if (person_trim(row->cells[at]).size > 0)
            return false;
    return true;
}

static enum err book_on_row(void *self, const struct csv_row *row)
{
    struct book_table *table = self;
    enum err err = ERR_OK;

    if (row->line < table->header_line || book_is_blank(row))
        return ERR_OK;
    if (!table->is_header_read) {
        table->is_header_read = true;
        if (table->header_line > 0)
            err = columns_read(table->columns, row);
        else
            (void)columns_guess(table->columns, row); /* It was right once. */
        if (err == ERR_OK && !book_is_right(table))
            err = ERR_MALFORMED;
        if (err != ERR_OK || table->header_line > 0)
            return err;
    }
    if (columns_person(table->columns, row, &table->person))
        err = table->reader->person(table->reader->self, &table->person);
    else
        table->reader->reject(table->reader->self, row->line,
                              "the row has no name, organisation, e-mail or phone");
    return person_err(&table->person) != ERR_OK ? ERR_NOMEM : err;
}

static void book_on_reject(void *self, size_t line, const char *why)
{
    struct book_table *table = self;

    if (line >= table->header_line)
        table->reader->reject(table->reader->self, line, why);
}

static enum err book_read_table(struct book_table *table, struct span text)
{
    struct csv_reader reader = {.row = book_on_row, .reject = book_on_reject, .self = table};
    enum err err = book_search(table, text);

    return err == ERR_OK ? csv_read(text, table->best, &reader) : err;
}

/* A table is of one character set as a whole: an office's own, where it is no UTF-8. */
static enum err book_table(struct span file, enum book_format format,
                           const struct person_reader *reader, const char **out_why)
{
    struct book_table table = {.format = format, .reader = reader};
    struct buf text = {0};
    enum err err = ERR_NOMEM;

    table.columns = heap_new_zeroed(1, sizeof *table.columns);
    if (table.columns != NULL && !scan_is_utf8(file)) {
        charset_utf8(file, span_of(NULL, 0), &text);
        file = buf_span(&text);
    }
    if (table.columns != NULL && buf_err(&text) == ERR_OK)
        err = book_read_table(&table, file);
    *out_why = table.why;
    if (table.columns != NULL)
        columns_release(table.columns);
    heap_free(table.columns);
    person_release(&table.person);
    buf_release(&text);
    return err;
}

static enum book_format book_format_of(struct span text)
{
    struct span first = person_trim(text);

    if (first.size > 0 && (first.data[0] == '{' || first.data[0] == '['))
        return BOOK_JSON;
    return book_is_vcard(text) ? BOOK_VCARD : BOOK_ANY;
}

static bool book_is_empty(struct span text)
{
    for (size_t at = 0; at < text.size; at++)
        if (strchr(" \t\r\n", text.data[at]) == NULL || text.data[at] == '\0')
            return false;
    return true;
}

/* PROTOCOL IMPORT-1: "Its format is found out by its first IMPORT_HEAD_SIZE bytes." */
enum err book_read(struct span file, enum book_format format, const struct person_reader *reader,
                   const char **out_why)
{
    struct buf converted = {0};
    struct span text;
    enum err err = charset_file(file, &converted, &text);

    *out_why = err == ERR_MALFORMED ? "it begins like UTF-16 and is none" : NULL;
    if (err == ERR_OK && book_is_empty(text)) {
        *out_why = "there is nothing in it";
        err = ERR_MALFORMED;
    }
    if (err == ERR_OK && format == BOOK_ANY)
        format = book_format_of(text);
    if (err == ERR_OK && format == BOOK_VCARD) {
        err = vcard_read(text, reader);
    } else if (err == ERR_OK && format == BOOK_JSON) {
        err = person_read_json(text, reader);
        *out_why = err == ERR_MALFORMED ? "it has no list of contacts" : NULL;
    } else if (err == ERR_OK) {
        err = book_table(text, format, reader, out_why);
    }
    buf_release(&converted);
    return err;
}
