/*
 * How the vector programs read published test data: a file of the data folder, plain or gzipped,
 * whole, as bytes, lines or JSON. Where the folder is absent a test is skipped, visibly.
 */
#ifndef KITH_TESTS_VECTORS_H
#define KITH_TESTS_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <zlib.h>

#include "crypto/span.h"

/* Appends the file's bytes and a final zero, not counted. Skips the test when it cannot be opened.
 */
static inline void vectors_read(const char *name, struct buf *out)
{
    const char *folder = getenv("KITH_TEST_DATA");
    char path[1024];
    gzFile file;
    int count;

    snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : KITH_TEST_DATA_DEFAULT, name);
    file = gzopen(path, "rb");
    if (file == NULL) {
        print_message("no test data at %s\n", path);
        skip();
    }
    do {
        uint8_t piece[16384];

        count = gzread(file, piece, sizeof piece);
        assert_true(count >= 0);
        buf_append(out, span_of(piece, (size_t)count));
    } while (count > 0);
    gzclose(file);
    buf_byte(out, 0);
    assert_int_equal(buf_err(out), ERR_OK);
    out->size--;
}

static inline json_t *vectors_json(const char *name)
{
    struct buf text = {0};
    json_t *root;

    vectors_read(name, &text);
    root = json_loadb((const char *)text.data, text.size, 0, NULL);
    buf_release(&text);
    assert_non_null(root);
    return root;
}

/* Replaces out by the bytes that a string of hex digits means. */
static inline struct span vectors_hex(const char *text, size_t digits, struct buf *out)
{
    uint8_t *at;

    buf_clear(out);
    at = buf_grow(out, digits / 2);
    assert_non_null(at);
    assert_int_equal(hex_read(span_of(text, digits), at, digits / 2), ERR_OK);
    return buf_span(out);
}

static inline struct span vectors_field(const json_t *test, const char *name, struct buf *out)
{
    const char *text = json_string_value(json_object_get(test, name));

    assert_non_null(text);
    return vectors_hex(text, strlen(text), out);
}

/* "valid", "invalid" or "acceptable". */
static inline bool vectors_result_is(const json_t *test, const char *result)
{
    return strcmp(json_string_value(json_object_get(test, "result")), result) == 0;
}

/* The next line of "NAME = hex" whose name is given, read into out; false at the end of the text.
 */
static inline bool vectors_line(const char **text, const char *name, struct buf *out)
{
    size_t size = strlen(name);

    while (**text != '\0') {
        const char *line = *text;
        size_t line_size = strcspn(line, "\n");
        const char *value = line + size;

        *text = line + line_size + (line[line_size] == '\n' ? 1 : 0);
        if (strncmp(line, name, size) != 0)
            continue;
        value += strspn(value, " ");
        if (*value != '=')
            continue;
        value++;
        value += strspn(value, " ");
        vectors_hex(value, strspn(value, "0123456789abcdefABCDEF"), out);
        return true;
    }
    return false;
}

/* The next line of "NAME = number"; text moves behind it. */
static inline size_t vectors_number(const char **text, const char *name)
{
    const char *at = strstr(*text, name);
    size_t number = 0;

    assert_non_null(at);
    at += strcspn(at, "0123456789");
    for (; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (size_t)(*at - '0');
    *text = at;
    return number;
}

#endif
