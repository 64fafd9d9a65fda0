/* Files made to break a reader: each ends in time and within a bound of memory, is told with line
 * numbers, and everybody who can be read in it is. The heap is the test's own and counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "crypto/heap.h"
#include "node/book.h"

enum {
    HOSTILE_FILE_SIZE = 100 << 20,
    HOSTILE_PEAK_MAX = 140 << 20, /* beside a file of 100 MiB: 256 MiB in all */
    HOSTILE_SECONDS_MAX = 30      /* of a processor: a busy machine is no failure */
};

enum { HOSTILE_HEAD = 16 }; /* before each block: its size, and room so that it stays aligned */

static size_t hostile_now, hostile_peak;

static void *hostile_block(uint8_t *block, size_t size, size_t before)
{
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    hostile_now += size - before;
    hostile_peak = hostile_now > hostile_peak ? hostile_now : hostile_peak;
    return block + HOSTILE_HEAD;
}

static size_t hostile_size(const void *memory)
{
    size_t size = 0;

    if (memory != NULL)
        memcpy(&size, (const uint8_t *)memory - HOSTILE_HEAD, sizeof size);
    return size;
}

void *heap_new(size_t size)
{
    return hostile_block(malloc(size + HOSTILE_HEAD), size, 0);
}

void *heap_new_zeroed(size_t count, size_t size)
{
    return hostile_block(calloc(1, count * size + HOSTILE_HEAD), count * size, 0);
}

void *heap_resize(void *memory, size_t size)
{
    size_t before = hostile_size(memory);
    uint8_t *block = memory != NULL ? (uint8_t *)memory - HOSTILE_HEAD : NULL;

    return hostile_block(realloc(block, size + HOSTILE_HEAD), size, before);
}

void heap_free(void *memory)
{
    if (memory == NULL)
        return;
    hostile_now -= hostile_size(memory);
    free((uint8_t *)memory - HOSTILE_HEAD);
}

struct hostile_told {
    size_t people, rejected, first_line;
    const char *first_why;
};

static enum err hostile_on_person(void *self, const struct person *person)
{
    struct hostile_told *told = self;

    assert_true(person_text(person, CONTACT_NAME).size > 0);
    told->people++;
    return ERR_OK;
}

static void hostile_on_reject(void *self, size_t line, const char *why)
{
    struct hostile_told *told = self;

    if (told->rejected++ == 0) {
        told->first_line = line;
        told->first_why = why;
    }
}

/* Reads it; people and rejected must be so many (SIZE_MAX: whatever). */
static void hostile_read(struct span file, enum err wanted, size_t people, size_t rejected,
                         size_t first_line)
{
    struct hostile_told told = {0};
    struct person_reader reader = {
        .person = hostile_on_person, .reject = hostile_on_reject, .self = &told};
    struct timespec begun, ended;
    const char *why;
    enum err err;

    hostile_peak = hostile_now = 0;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
    err = book_read(file, BOOK_ANY, &reader, &why);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
    print_message("%zu people, %zu rejected, %zu KiB, %ld s\n", told.people, told.rejected,
                  hostile_peak >> 10, (long)(ended.tv_sec - begun.tv_sec));
    assert_int_equal(err, wanted);
    if (people != SIZE_MAX)
        assert_int_equal(told.people, people);
    if (rejected != SIZE_MAX)
        assert_int_equal(told.rejected, rejected);
    if (first_line > 0)
        assert_int_equal(told.first_line, first_line);
    if (err == ERR_MALFORMED)
        assert_non_null(why);
    assert_true(hostile_peak <= HOSTILE_PEAK_MAX);
    assert_true(ended.tv_sec - begun.tv_sec <= HOSTILE_SECONDS_MAX);
    assert_int_equal(hostile_now, 0);
}

/* begin, then unit as often as it fits size, then end. */
static uint8_t *hostile_make(const char *begin, const char *unit, const char *end, size_t size,
                             struct span *out)
{
    size_t unit_size = strlen(unit), count = (size - strlen(begin) - strlen(end)) / unit_size;
    uint8_t *bytes = malloc(size + 1), *at = bytes;

    assert_non_null(bytes);
    memcpy(at, begin, strlen(begin));
    at += strlen(begin);
    for (size_t index = 0; index < count; index++, at += unit_size)
        memcpy(at, unit, unit_size);
    memcpy(at, end, strlen(end));
    at += strlen(end);
    *out = span_of(bytes, (size_t)(at - bytes));
    return bytes;
}

static const struct {
    const char *what, *begin, *unit, *end;
    size_t size;
    enum err err;
    size_t people, rejected, first_line;
} hostile_files[] = {
    {"one line of 100 MB", "BEGIN:VCARD\nFN:", "x", "\nEND:VCARD\nBEGIN:VCARD\nFN:B\nEND:VCARD\n",
     HOSTILE_FILE_SIZE, ERR_OK, 1, 1, 1},
    {"one folded line of 100 MB", "BEGIN:VCARD\nFN:", "x\n ",
     "\nEND:VCARD\nBEGIN:VCARD\nFN:B\nEND:VCARD\n", HOSTILE_FILE_SIZE, ERR_OK, 1, 1, 1},
    {"soft line breaks without end", "BEGIN:VCARD\nNOTE;QUOTED-PRINTABLE:", "=\n",
     "\nEND:VCARD\nBEGIN:VCARD\nFN:B\nEND:VCARD\n", HOSTILE_FILE_SIZE / 4, ERR_OK, 1, 1, 1},
    {"nested 50,000 deep", "BEGIN:VCARD\nFN:A\n", "AGENT:\nBEGIN:VCARD\nFN:I\n", "END:VCARD\n",
     50000 * 24, ERR_OK, 1, 0, 0},
    {"begun 50,000 times", "", "BEGIN:VCARD\n", "FN:A\nEND:VCARD\n", 50000 * 12, ERR_OK, 1,
     SIZE_MAX, 1},
    {"a million properties", "BEGIN:VCARD\nFN:A\n", "X-A:1\n",
     "END:VCARD\nBEGIN:VCARD\nFN:B\nEND:VCARD\n", 6000000, ERR_OK, 1, 1, 1},
    {"groups without end", "BEGIN:VCARD\nFN:A\n", "a.X-ABLabel:b\nb.X-ABLabel:a\n",
     "END:VCARD\nBEGIN:VCARD\nFN:B\nEND:VCARD\n", 10 << 20, ERR_OK, 1, 1, 1},
    {"parameters without end", "BEGIN:VCARD\nFN:A\nTEL;", "TYPE=a,b;", "x:1\nEND:VCARD\n",
     900 << 10, ERR_OK, 1, 0, 0},
    {"components without end", "BEGIN:VCARD\nFN:A\nORG:", "a;", "\nEND:VCARD\n", 900 << 10, ERR_OK,
     1, 0, 0},
    {"categories without end", "BEGIN:VCARD\nFN:A\nCATEGORIES:", "a,", "\nEND:VCARD\n", 900 << 10,
     ERR_OK, 1, 0, 0},
    {"cards without names", "", "BEGIN:VCARD\nEND:VCARD\n", "", 20 << 20, ERR_OK, 0, SIZE_MAX, 1},
    {"overlong and broken UTF-8", "BEGIN:VCARD\nFN:A\n",
     "X-A:\xc0\xaf\xed\xa0\x80\xf8\x88\x80\x80\x80\xff\n", "END:VCARD\n", 4000, ERR_OK, 1, 0, 0},
    {"control bytes", "BEGIN:VCARD\nFN:A\x01\x1b[31m\x7f\x1f\x08z\nEMAIL:\x1f\n",
     "X-A:\x1b]0;\x07\n", "END:VCARD\n", 4000, ERR_OK, 1, 0, 0},
    {"a character set that does not exist", "BEGIN:VCARD\nFN:A\n",
     "NOTE;CHARSET=../../x;QUOTED-PRINTABLE:=FF=00=FE\n", "END:VCARD\n", 10000, ERR_OK, 1, 0, 0},
    {"a million columns", "Name,Email\n", "a,", "\nA,a@example.org\n", 2000000, ERR_OK, 1, 1, 2},
    {"a million columns in front", "", "Name,", "\nA,a@example.org\n", 5000000, ERR_MALFORMED, 0,
     SIZE_MAX, 0},
    {"a cell of 100 MB", "Name,Email\n", "x", "\nA,a@example.org\n", HOSTILE_FILE_SIZE, ERR_OK, 1,
     1, 2},
    {"quotes that never end", "Name,Email\n", "\"a\"b,\"\n", "A,a@example.org\n", 4 << 20, ERR_OK,
     SIZE_MAX, SIZE_MAX, 0},
    {"rows of nothing", "Name,Email\n", ",\n", "A,a@example.org\n", HOSTILE_FILE_SIZE / 4, ERR_OK,
     1, 0, 0},
    {"no table at all", "", "a line of words\n", "", 20 << 20, ERR_MALFORMED, 0, SIZE_MAX, 0},
    {"only quotes", "", "\"", "", 20 << 20, ERR_MALFORMED, 0, SIZE_MAX, 0},
    {"brackets", "[", "[", "", 20 << 20, ERR_OK, 0, SIZE_MAX, 0},
    {"braces", "{\"contacts\":[", "{\"a\":", "", 20 << 20, ERR_OK, 0, SIZE_MAX, 0},
    {"lists in a contact", "{\"contacts\":[{\"name\":\"A\",\"emails\":[", "[],", "1]}]}", 900 << 10,
     ERR_OK, 1, 0, 0},
};

static void hostile_files_end_in_time_and_in_bounds(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof hostile_files / sizeof hostile_files[0]; at++) {
        struct span file;
        uint8_t *bytes = hostile_make(hostile_files[at].begin, hostile_files[at].unit,
                                      hostile_files[at].end, hostile_files[at].size, &file);

        print_message("%s: ", hostile_files[at].what);
        hostile_read(file, hostile_files[at].err, hostile_files[at].people,
                     hostile_files[at].rejected, hostile_files[at].first_line);
        free(bytes);
    }
}

/* The memory of UTF-16 is one and a half times the file at most. */
static void a_large_file_of_utf16_is_read(void **state)
{
    const size_t size = 40 << 20;
    uint8_t *bytes = malloc(size);
    const char *text = "BEGIN:VCARD\nFN:A\nEND:VCARD\n";

    (void)state;
    assert_non_null(bytes);
    for (size_t at = 0; at < size; at += 2) {
        bytes[at] = (uint8_t)text[at / 2 % strlen(text)];
        bytes[at + 1] = 0;
    }
    hostile_read(span_of(bytes, size), ERR_OK, SIZE_MAX, SIZE_MAX, 0);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_files_end_in_time_and_in_bounds),
        cmocka_unit_test(a_large_file_of_utf16_is_read),
    };

    return cmocka_run_group_tests_name("book_hostile", tests, NULL, NULL);
}
