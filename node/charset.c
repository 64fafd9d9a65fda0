/* One iconv descriptor a call: values that name a set are few, and nothing is kept between them. */
#include "node/charset.h"

#include <iconv.h>
#include <string.h>

#include "proto/scan.h"

enum { CHARSET_NAME_MAX = 40, CHARSET_UTF8_MAX = 3, CHARSET_MARK_MAX = 16 };

/* What Windows-1252 has where Latin-1 has controls; the five empty places stay replacement
 * characters. */
static const uint16_t charset_1252[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

static void charset_from_1252(struct span bytes, struct buf *out)
{
    for (size_t at = 0; at < bytes.size; at++) {
        uint8_t byte = bytes.data[at];
        unsigned letter = byte >= 0x80 && byte < 0xa0 ? charset_1252[byte - 0x80] : byte;

        if (letter < 0x80) {
            buf_byte(out, (uint8_t)letter);
        } else if (letter < 0x800) {
            buf_byte(out, (uint8_t)(0xc0 | letter >> 6));
            buf_byte(out, (uint8_t)(0x80 | (letter & 0x3f)));
        } else {
            buf_byte(out, (uint8_t)(0xe0 | letter >> 12));
            buf_byte(out, (uint8_t)(0x80 | (letter >> 6 & 0x3f)));
            buf_byte(out, (uint8_t)(0x80 | (letter & 0x3f)));
        }
    }
}

/* Appends; false, and out as it was, when the set is unknown or the bytes are none of it. No set
 * makes more than three bytes of UTF-8 from one, nor UTF-16 more than three from two. */
static bool charset_convert(struct span bytes, const char *name, struct buf *out)
{
    size_t begun_at = out->size, letters = strncmp(name, "UTF-16", 6) == 0 ? 2 : 1;
    size_t room = bytes.size / letters * CHARSET_UTF8_MAX + CHARSET_MARK_MAX;
    size_t left_in = bytes.size, left_out = room;
    iconv_t converter = iconv_open("UTF-8", name);
    union {
        const uint8_t *read;
        char *taken;
    } in = {.read = bytes.data};
    char *to;
    bool is_done = false;

    if (converter == (iconv_t)-1)
        return false;
    to = (char *)buf_grow(out, room);
    if (to != NULL) {
        is_done =
            iconv(converter, &in.taken, &left_in, &to, &left_out) != (size_t)-1 && left_in == 0;
        out->size = is_done ? begun_at + room - left_out : begun_at;
    }
    (void)iconv_close(converter); /* A converter that was opened closes. */
    if (is_done && scan_is_utf8(span_of(out->data + begun_at, out->size - begun_at)))
        return true;
    out->size = begun_at;
    return false;
}

static bool charset_is_utf8(struct span name)
{
    return name.size == 0 ||
           (name.size == 5 && (name.data[0] | 0x20) == 'u' && (name.data[1] | 0x20) == 't' &&
            (name.data[2] | 0x20) == 'f' && name.data[3] == '-' && name.data[4] == '8');
}

void charset_utf8(struct span bytes, struct span name, struct buf *out)
{
    char text[CHARSET_NAME_MAX + 1];

    if (!charset_is_utf8(name) && name.size <= CHARSET_NAME_MAX) {
        memcpy(text, name.data, name.size);
        text[name.size] = '\0';
        if (charset_convert(bytes, text, out))
            return;
    }
    if (scan_is_utf8(bytes))
        buf_append(out, bytes);
    else
        charset_from_1252(bytes, out);
}

/* The set a file is in, by its first bytes; NULL for what is one byte a letter or UTF-8. */
static const char *charset_of_file(struct span file)
{
    const uint8_t *at = file.data;

    if (file.size < 4)
        return NULL;
    if ((at[0] == 0xff && at[1] == 0xfe) || (at[0] == 0xfe && at[1] == 0xff))
        return "UTF-16";
    if (at[0] != 0 && at[1] == 0 && at[2] != 0 && at[3] == 0)
        return "UTF-16LE";
    if (at[0] == 0 && at[1] != 0 && at[2] == 0 && at[3] != 0)
        return "UTF-16BE";
    return NULL;
}

enum err charset_file(struct span file, struct buf *converted, struct span *out)
{
    const char *name = charset_of_file(file);

    *out = file;
    if (name != NULL) {
        file.size -= file.size % 2; /* A file cut in the middle of a letter still begins well. */
        if (!charset_convert(file, name, converted))
            return converted->is_failed ? ERR_NOMEM : ERR_MALFORMED;
        *out = buf_span(converted);
    }
    if (out->size >= 3 && memcmp(out->data, "\xef\xbb\xbf", 3) == 0)
        *out = span_of(out->data + 3, out->size - 3);
    return buf_err(converted);
}
