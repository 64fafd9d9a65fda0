/* Columns as wide as what is in them; where the terminal is too narrow the widest gives way first,
 * and what was cut ends in three dots in one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/heap.h"
#include "node/show_state.h"

enum {
    SHOW_TABLE_COLUMNS_MAX = 8,
    SHOW_TABLE_GAP = 2,
    SHOW_TABLE_LEAST = 4,
    SHOW_TABLE_SHORT = 12
};

/* A text, the first of a list, a number, or yes and no; freed with heap_free. */
static char *show_cell(json_t *value)
{
    char number[32];

    if (json_is_array(value))
        value = json_array_get(value, 0);
    if (json_is_boolean(value))
        return show_copy(json_is_true(value) ? "yes" : "no");
    if (!json_is_integer(value))
        return show_copy(json_string_value(value));
    (void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return show_copy(number);
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

struct show_table {
    const struct show_column *columns;
    size_t count;
    size_t widths[SHOW_TABLE_COLUMNS_MAX]; /* 0: nothing is in it, it is left out */
};

/* An id is told as far as it is typed; a row of nobody's is one, too. */
static char *show_table_cell(json_t *row, const char *key)
{
    json_t *value = json_object_get(row, key);
    char *cell = show_cell(value);

    if (value == NULL && strcmp(key, "name") == 0) {
        heap_free(cell);
        return show_copy("(no name)");
    }

    if (cell != NULL && strcmp(key, "id") == 0 && strlen(cell) > show_id_size(cell))
        cell[show_id_size(cell)] = '\0';
    return cell;
}

static void show_table_measure(struct show_table *table, json_t *rows)
{
    json_t *row;
    size_t at;

    json_array_foreach(rows, at, row)
    {
        for (size_t column = 0; column < table->count; column++) {
            char *cell = show_table_cell(row, table->columns[column].key);
            size_t width = cell != NULL ? show_width(cell) : 0;

            if (width > table->widths[column])
                table->widths[column] = width;
            heap_free(cell);
        }
    }
    for (size_t column = 0; column < table->count; column++)
        if (table->widths[column] > 0 &&
            table->widths[column] < strlen(table->columns[column].title))
            table->widths[column] = strlen(table->columns[column].title);
}

/* Where even short cells have no room the last columns stay away: each row has a page of its own.
 */
static void show_table_drop(struct show_table *table, size_t room)
{
    for (size_t last = table->count; last-- > 2;) {
        size_t sum = 0;

        for (size_t column = 0; column < table->count; column++) {
            size_t width = table->widths[column];

            sum += width > 0
                       ? (width < SHOW_TABLE_SHORT ? width : SHOW_TABLE_SHORT) + SHOW_TABLE_GAP
                       : 0;
        }
        if (sum <= room + SHOW_TABLE_GAP)
            return;
        table->widths[last] = 0;
    }
}

static void show_table_fit(struct show_table *table, size_t room)
{
    show_table_drop(table, room);
    for (;;) {
        size_t sum = 0, widest = 0;

        for (size_t column = 0; column < table->count; column++) {
            sum += table->widths[column] > 0 ? table->widths[column] + SHOW_TABLE_GAP : 0;
            if (table->widths[column] >= table->widths[widest])
                widest = column;
        }
        if (sum <= room + SHOW_TABLE_GAP || table->widths[widest] <= SHOW_TABLE_LEAST)
            return;
        table->widths[widest]--;
    }
}

/* Returns where the line is to go on, so that nothing but words ends it. */
static size_t show_table_put(const char *text, size_t width, size_t gap)
{
    bool is_cut = show_width(text) > width;
    size_t used = 0, letter;

    if (text[0] == '\0')
        return gap + width;
    (void)printf("%*s", (int)gap, "");
    for (size_t size; (size = show_letter(text, &letter)) > 0; text += size) {
        if (used + letter + is_cut > width)
            break;
        (void)printf("%.*s", (int)size, text);
        used += letter;
    }
    if (is_cut)
        (void)fputs("…", stdout);
    return width - used - is_cut;
}

static void show_table_row(const struct show_table *table, json_t *row)
{
    size_t gap = 0;

    for (size_t column = 0; column < table->count; column++) {
        char *cell = row != NULL ? show_table_cell(row, table->columns[column].key) : NULL;
        const char *text = row == NULL ? table->columns[column].title : cell;

        if (table->widths[column] > 0)
            gap = SHOW_TABLE_GAP +
                  show_table_put(text != NULL ? text : "", table->widths[column], gap);
        heap_free(cell);
    }
    (void)putchar('\n');
}

void show_table(json_t *rows, json_t *params, const struct show_column *columns,
                size_t columns_count)
{
    struct show_table table = {.columns = columns, .count = columns_count};
    size_t room = show_columns(stdout), at;
    json_t *row;

    if (room == 0) {
        show_table_plain(rows, params, columns, columns_count);
        return;
    }
    if (json_array_size(rows) == 0 || columns_count > SHOW_TABLE_COLUMNS_MAX)
        return;
    show_table_measure(&table, rows);
    show_table_fit(&table, room);
    show_table_row(&table, NULL);
    json_array_foreach(rows, at, row) show_table_row(&table, row);
}
