/*
 * libcsv is a push parser that cannot be stopped and does not count lines: it is fed one physical
 * line at a time, so that a row's beginning is known and a row that fails costs only itself.
 */
#include "node/csv.h"

#include <csv.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/person.h"

enum { CSV_BLOCK = 4096 };

struct csv_state {
    const struct csv_reader *reader;
    struct csv_parser parser;
    struct span text;  /* the whole */
    size_t at;         /* bytes fed */
    size_t newline_at; /* the next \n that is known; it need not be looked for again */
    size_t line;       /* number of the line being fed */
    size_t row_line;   /* where the row under way began */
    size_t row_end_at; /* the end of that line */
    bool is_between;   /* no byte of a row has come */
    struct buf bytes;  /* of the row's cells */
    size_t ends[CSV_CELLS_MAX];
    struct span cells[CSV_CELLS_MAX];
    size_t count;    /* cells seen, also beyond the bound */
    const char *why; /* the row cannot be read */
    enum err err;
};

/* libcsv's own growing cell: refused beyond a row's bound, which it then reports. */
static void *csv_resize(void *memory, size_t size)
{
    return size > CSV_ROW_MAX + CSV_BLOCK ? NULL : heap_resize(memory, size);
}

/* PROTOCOL IMPORT-3: "A row of a table has at most CSV_CELLS_MAX cells of CSV_ROW_MAX bytes
 * together" */
static void csv_on_cell(void *bytes, size_t size, void *self)
{
    struct csv_state *state = self;

    state->count++;
    if (state->count > CSV_CELLS_MAX) {
        state->why = "the row has more than 1,000 cells";
        return;
    }
    if (size > CSV_ROW_MAX - state->bytes.size)
        state->why = "the row is longer than 1 MiB";
    else
        buf_append(&state->bytes, span_of(bytes, size));
    state->ends[state->count - 1] = state->bytes.size;
}

static void csv_reject(struct csv_state *state, const char *why)
{
    if (state->reader->reject != NULL && state->err == ERR_OK)
        state->reader->reject(state->reader->self, state->row_line, why);
}

static void csv_reset_row(struct csv_state *state)
{
    buf_clear(&state->bytes);
    state->count = 0;
    state->why = NULL;
    state->is_between = true;
}

static void csv_on_row(int end, void *self)
{
    struct csv_state *state = self;
    struct csv_row row = {.line = state->row_line, .cells = state->cells, .count = state->count};

    (void)end;
    if (state->bytes.is_failed)
        state->err = ERR_NOMEM;
    if (state->why != NULL) {
        csv_reject(state, state->why);
    } else if (state->err == ERR_OK && state->count > 0) {
        for (size_t at = 0, from = 0; at < state->count; from = state->ends[at++])
            state->cells[at] = state->ends[at] > from
                                   ? span_of(state->bytes.data + from, state->ends[at] - from)
                                   : span_of(NULL, 0);
        state->err = state->reader->row(state->reader->self, &row);
    }
    csv_reset_row(state);
    state->row_line = state->line; /* Another row on this line, where lines end in \r. */
}

static enum err csv_open(struct csv_state *state, char delimiter)
{
    if (csv_init(&state->parser, 0) != 0)
        return ERR_NOMEM;
    csv_set_delim(&state->parser, (unsigned char)delimiter);
    csv_set_realloc_func(&state->parser, csv_resize);
    csv_set_free_func(&state->parser, heap_free);
    csv_set_blk_size(&state->parser, CSV_BLOCK);
    csv_reset_row(state);
    return ERR_OK;
}

/* The next physical line, its end included: \n, \r\n, or the bare \r of an old Mac. */
static struct span csv_next_line(struct csv_state *state)
{
    struct span line = span_of(state->text.data + state->at, state->text.size - state->at);
    const uint8_t *end;

    if (state->newline_at < state->at || state->at == 0) {
        end = memchr(line.data, '\n', line.size);
        state->newline_at = end != NULL ? state->at + (size_t)(end - line.data) : state->text.size;
    }
    if (state->newline_at < state->text.size)
        line.size = state->newline_at - state->at + 1;
    end = memchr(line.data, '\r', line.size);
    if (end != NULL && end + 1 < line.data + line.size && end[1] != '\n')
        line.size = (size_t)(end - line.data) + 1;
    return line;
}

/* Feeds one line. False when libcsv gave the row up: a cell beyond the bound. */
static bool csv_feed(struct csv_state *state)
{
    struct span line = csv_next_line(state);

    state->line++;
    if (state->is_between) {
        state->row_line = state->line;
        state->row_end_at = state->at + line.size;
        state->is_between = person_trim(line).size == 0;
    }
    state->at += line.size;
    return csv_parse(&state->parser, line.data, line.size, csv_on_cell, csv_on_row, state) ==
           line.size;
}

/* True when the file's last row is whole; libcsv tells only when it is strict about the end. */
static bool csv_finish(struct csv_state *state)
{
    csv_set_opts(&state->parser, CSV_STRICT | CSV_STRICT_FINI);
    return csv_fini(&state->parser, csv_on_cell, csv_on_row, state) == 0;
}

/* Feeds to the end of the text, or to a row that cannot be read; true at the end. */
static bool csv_run(struct csv_state *state)
{
    bool is_fed = true;

    while (is_fed && state->err == ERR_OK && state->at < state->text.size)
        is_fed = csv_feed(state);
    if (state->err != ERR_OK)
        return true;
    if (is_fed && csv_finish(state))
        return true;
    csv_reject(state, is_fed ? "a quoted cell that begins on this line never ends"
                             : "a cell is longer than 1 MiB; is a quote missing?");
    state->at = state->row_end_at;
    state->newline_at = 0; /* It may lie behind. */
    state->line = state->row_line;
    return false;
}

enum err csv_read(struct span text, char delimiter, const struct csv_reader *reader)
{
    struct csv_state *state = heap_new_zeroed(1, sizeof *state);
    bool is_over = false;
    enum err err;

    if (state == NULL)
        return ERR_NOMEM;
    state->reader = reader;
    state->text = text;
    for (size_t restart = 0; !is_over && restart <= CSV_RESTARTS_MAX; restart++) {
        state->err = csv_open(state, delimiter);
        is_over = state->err != ERR_OK || csv_run(state);
        csv_free(&state->parser);
    }
    if (!is_over)
        csv_reject(state, "the rest is not read: too many quotes are missing");
    err = state->err;
    buf_release(&state->bytes);
    heap_free(state);
    return err;
}

/* Apostrophes, then something that begins a formula. */
static bool csv_is_formula(struct span cell)
{
    size_t at = 0;

    while (at < cell.size && cell.data[at] == '\'')
        at++;
    return at < cell.size && cell.data[at] != 0 && strchr("=+-@\t\r", cell.data[at]) != NULL;
}

void csv_put(struct span cell, struct buf *out)
{
    bool is_quoted = false;

    for (size_t at = 0; at < cell.size; at++)
        is_quoted |= cell.data[at] == '"' || cell.data[at] == ',' || cell.data[at] == '\n' ||
                     cell.data[at] == '\r' || cell.data[at] == ';';
    is_quoted |= cell.size > 0 && (cell.data[0] <= ' ' || cell.data[cell.size - 1] <= ' ');
    if (is_quoted)
        buf_byte(out, '"');
    if (csv_is_formula(cell))
        buf_byte(out, '\'');
    for (size_t at = 0; at < cell.size; at++) {
        if (cell.data[at] == '"')
            buf_byte(out, '"');
        buf_byte(out, cell.data[at]);
    }
    if (is_quoted)
        buf_byte(out, '"');
}

struct span csv_plain(struct span cell)
{
    if (cell.size > 1 && cell.data[0] == '\'' && csv_is_formula(cell))
        return span_of(cell.data + 1, cell.size - 1);
    return cell;
}
