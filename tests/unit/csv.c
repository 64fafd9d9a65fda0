/* Tables: rows and cells as spreadsheets write them, each bound, and what a missing quote costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/csv.h"

/* Rows as text: cells in brackets, the line in front; rejected lines with a !. */
struct csv_told {
    struct buf text;
    size_t rows, cells, rejected;
    enum err answer;
};

static enum err csv_tell_row(void *self, const struct csv_row *row)
{
    struct csv_told *told = self;
    char line[24];

    (void)snprintf(line, sizeof line, "%zu", row->line);
    buf_append(&told->text, span_str(line));
    for (size_t at = 0; at < row->count; at++) {
        buf_byte(&told->text, '[');
        buf_append(&told->text, row->cells[at]);
        buf_byte(&told->text, ']');
    }
    told->rows++;
    told->cells = row->count;
    return told->answer;
}

static void csv_tell_reject(void *self, size_t line, const char *why)
{
    struct csv_told *told = self;
    char text[24];

    assert_true(why[0] != '\0');
    (void)snprintf(text, sizeof text, "!%zu", line);
    buf_append(&told->text, span_str(text));
    told->rejected++;
}

static struct csv_told csv_tell(struct span text, char delimiter, enum err answer)
{
    struct csv_told told = {.answer = answer};
    struct csv_reader reader = {.row = csv_tell_row, .reject = csv_tell_reject, .self = &told};

    assert_int_equal(csv_read(text, delimiter, &reader), answer);
    return told;
}

static void rows_are_read_whatever_ends_and_quotes_them(void **state)
{
    static const struct {
        const char *text, *rows;
        char delimiter;
    } samples[] = {
        {"", "", ','},
        {"\n\r\n\n", "", ','},
        {"a,b\nc,d\n", "1[a][b]2[c][d]", ','},
        {"a,b\r\nc,d", "1[a][b]2[c][d]", ','},
        {"a,b\rc,d\r", "1[a][b]2[c][d]", ','},
        {"a;b\n", "1[a][b]", ';'},
        {"a;b\n", "1[a;b]", ','},
        {"a\tb\n", "1[a][b]", '\t'},
        {" a , b \n", "1[a][b]", ','},
        {"\" a \",\"b,c\"\n", "1[ a ][b,c]", ','},
        {"\"say \"\"hi\"\"\",x\n", "1[say \"hi\"][x]", ','},
        {"\"two\nlines\",x\ny,z\n", "1[two\nlines][x]3[y][z]", ','},
        {"a,,\n,,\n", "1[a][][]2[][][]", ','},
        {"\n\na\n\nb\n", "3[a]5[b]", ','},
    };

    (void)state;
    for (size_t at = 0; at < sizeof samples / sizeof samples[0]; at++) {
        struct csv_told told = csv_tell(span_str(samples[at].text), samples[at].delimiter, ERR_OK);

        if (!span_is_equal(buf_span(&told.text), span_str(samples[at].rows)))
            fail_msg("%s gave %.*s", samples[at].text, (int)told.text.size,
                     (const char *)told.text.data);
        buf_release(&told.text);
    }
}

static void a_quote_that_never_ends_costs_its_row_alone(void **state)
{
    struct csv_told told = csv_tell(span_str("a,b\n\"c,d\ne,f\n"), ',', ERR_OK);

    (void)state;
    assert_true(span_is_equal(buf_span(&told.text), span_str("1[a][b]!23[e][f]")));
    buf_release(&told.text);
}

/* Each lost quote may cost another look at the rest: sixteen times, then no more. */
static void too_many_missing_quotes_end_the_reading(void **state)
{
    (void)state;
    for (size_t lost = CSV_RESTARTS_MAX; lost <= CSV_RESTARTS_MAX + 1; lost++) {
        struct buf text = {0};
        struct csv_told told;

        /* One quote a row with a closed one behind would pair up: here each stands alone. */
        for (size_t at = 0; at < lost; at++)
            buf_append(&text, span_str(at + 1 == lost ? "\"x\n" : "\"x\" y\"\n"));
        told = csv_tell(buf_span(&text), ',', ERR_OK);
        assert_true(told.rejected >= 1 && told.rejected <= CSV_RESTARTS_MAX + 2);
        buf_release(&told.text);
        buf_release(&text);
    }
}

static void a_row_has_a_thousand_cells_and_a_mebibyte(void **state)
{
    (void)state;
    for (size_t cells = CSV_CELLS_MAX; cells <= CSV_CELLS_MAX + 1; cells++) {
        struct buf text = {0};
        struct csv_told told;

        for (size_t at = 0; at < cells; at++)
            buf_append(&text, span_str(at + 1 < cells ? "x," : "x\nnext\n"));
        told = csv_tell(buf_span(&text), ',', ERR_OK);
        assert_int_equal(told.rows, cells <= CSV_CELLS_MAX ? 2 : 1);
        assert_int_equal(told.rejected, cells <= CSV_CELLS_MAX ? 0 : 1);
        assert_int_equal(told.cells, 1);
        buf_release(&told.text);
        buf_release(&text);
    }
    for (size_t size = CSV_ROW_MAX; size <= CSV_ROW_MAX + 1; size++) {
        struct buf text = {0};
        struct csv_told told;
        uint8_t *at = buf_grow(&text, size);

        assert_non_null(at);
        memset(at, 'x', size);
        at[size / 2] = ',';
        buf_append(&text, span_str(",y\nnext\n"));
        told = csv_tell(buf_span(&text), ',', ERR_OK);
        assert_int_equal(told.rejected, size > CSV_ROW_MAX ? 1 : 0);
        assert_int_equal(told.cells, 1);
        buf_release(&told.text);
        buf_release(&text);
    }
}

static void what_the_reader_answers_ends_it(void **state)
{
    struct csv_told told = csv_tell(span_str("a\nb\nc\n"), ',', ERR_CANCELLED);

    (void)state;
    assert_int_equal(told.rows, 1);
    buf_release(&told.text);
}

static void cells_come_back_and_formulas_are_disarmed(void **state)
{
    static const char *const cells[] = {
        "",   "plain", "a,b",  "say \"hi\"", "two\nlines", " space ", "=1+1", "+49 30", "-x",
        "@x", "'=1",   "''=1", "'quoted'",   "a;b",        "\ttab",   "it's", "100 %",  "\xc3\xa4"};

    (void)state;
    for (size_t at = 0; at < sizeof cells / sizeof cells[0]; at++) {
        struct buf text = {0};
        struct csv_told told = {0};

        csv_put(span_str(cells[at]), &text);
        assert_true(text.size == 0 || strchr("=+-@\t", text.data[0]) == NULL);
        buf_append(&text, span_str(",end\n"));
        told = csv_tell(buf_span(&text), ',', ERR_OK);
        assert_int_equal(told.rows, 1);
        /* Between the first bracket and the last cell. */
        assert_true(span_is_equal(csv_plain(span_of(told.text.data + 2, told.text.size - 8)),
                                  span_str(cells[at])));
        buf_release(&told.text);
        buf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_whatever_ends_and_quotes_them),
        cmocka_unit_test(a_quote_that_never_ends_costs_its_row_alone),
        cmocka_unit_test(too_many_missing_quotes_end_the_reading),
        cmocka_unit_test(a_row_has_a_thousand_cells_and_a_mebibyte),
        cmocka_unit_test(what_the_reader_answers_ends_it),
        cmocka_unit_test(cells_come_back_and_formulas_are_disarmed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
