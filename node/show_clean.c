/* What a letter does to a terminal decides whether it may be shown as it is. Documents for programs
 * keep every letter, written in a way that no terminal acts on. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/show_state.h"
#include "proto/scan.h"

enum { SHOW_COMBINING_MAX = 4 };

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

/* For programs. */

static void show_escape(uint32_t letter)
{
    if (letter > 0xffff)
        (void)printf("\\u%04x\\u%04x", (unsigned)(0xd800 + ((letter - 0x10000) >> 10)),
                     (unsigned)(0xdc00 + ((letter - 0x10000) & 0x3ff)));
    else
        (void)printf("\\u%04x", (unsigned)letter);
}

/* JSON has such letters in strings alone, where their escape means the same (RFC 8259 section 7).
 */
static int show_json_piece(const char *bytes, size_t count, void *self)
{
    struct span rest = span_of(bytes, count);
    size_t plain = 0, size;

    (void)self;
    while (plain < rest.size) {
        uint32_t letter = show_next(span_of(rest.data + plain, rest.size - plain), &size);

        if (letter < 0x7f ||
            !(letter == 0x7f || letter == 0x2028 || letter == 0x2029 || show_is_hidden(letter))) {
            plain += size;
            continue;
        }
        (void)fwrite(rest.data, 1, plain, stdout); /* A closed pipe shows below. */
        show_escape(letter);
        rest = span_of(rest.data + plain + size, rest.size - plain - size);
        plain = 0;
    }
    if (plain > 0)
        (void)fwrite(rest.data, 1, plain, stdout);
    return ferror(stdout) != 0 ? -1 : 0;
}

void show_json(json_t *document, size_t flags)
{
    (void)json_dump_callback(document, show_json_piece, NULL, flags); /* Shows in the flush. */
    (void)putchar('\n');
}

/* For files. */

static void show_file_lines(struct span text)
{
    struct buf clean = {0};

    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;

        buf_clear(&clean);
        show_clean(span_of(text.data, size > 0 && text.data[size - 1] == '\r' ? size - 1 : size),
                   &clean);
        (void)fwrite(clean.data, 1, clean.size, stdout); /* A closed pipe shows in the flush. */
        if (end != NULL)
            (void)putchar('\n');
        size += end != NULL;
        text = span_of(text.data + size, text.size - size);
    }
    buf_release(&clean);
}

bool show_file(struct span text)
{
    if (isatty(STDOUT_FILENO))
        show_file_lines(text);
    else if (text.size > 0)
        (void)fwrite(text.data, 1, text.size, stdout);
    return ferror(stdout) == 0;
}
