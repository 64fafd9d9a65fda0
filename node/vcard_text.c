/* iconv knows the character sets of old phones; what it cannot convert is read as Latin-1, which
 * cannot fail. */
#include "node/vcard_text.h"

#include <iconv.h>
#include <string.h>

#include "proto/scan.h"

enum { VCARD_TEXT_CHARSET_MAX = 40 };

static void vcard_text_latin1(struct span bytes, struct buf *out)
{
    for (size_t at = 0; at < bytes.size; at++) {
        uint8_t letter = bytes.data[at];

        if (letter < 0x80) {
            buf_byte(out, letter);
        } else {
            buf_byte(out, (uint8_t)(0xc0 | letter >> 6));
            buf_byte(out, (uint8_t)(0x80 | (letter & 0x3f)));
        }
    }
}

static bool vcard_text_convert(struct span bytes, const char *charset, struct buf *out)
{
    size_t begun_at = out->size, room = bytes.size * 4 + 16, left_in = bytes.size, left_out = room;
    iconv_t converter = iconv_open("UTF-8", charset);
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
    return is_done && scan_is_utf8(span_of(out->data + begun_at, out->size - begun_at));
}

void vcard_text_utf8(struct span bytes, struct span charset, struct buf *out)
{
    char name[VCARD_TEXT_CHARSET_MAX + 1];
    size_t begun_at = out->size;

    if (charset.size > 0 && charset.size <= VCARD_TEXT_CHARSET_MAX) {
        memcpy(name, charset.data, charset.size);
        name[charset.size] = '\0';
        if (vcard_text_convert(bytes, name, out))
            return;
        out->size = begun_at;
    }
    if (scan_is_utf8(bytes))
        buf_append(out, bytes);
    else
        vcard_text_latin1(bytes, out);
}

static int vcard_text_hex(uint8_t letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    letter |= 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

void vcard_text_quoted(struct span bytes, struct buf *out)
{
    for (size_t at = 0; at < bytes.size; at++) {
        uint8_t letter = bytes.data[at];
        int high = letter == '=' && at + 2 < bytes.size ? vcard_text_hex(bytes.data[at + 1]) : -1;
        int low = high >= 0 ? vcard_text_hex(bytes.data[at + 2]) : -1;

        if (low >= 0) {
            buf_byte(out, (uint8_t)(high << 4 | low));
            at += 2;
        } else {
            buf_byte(out, letter);
        }
    }
}

void vcard_text_unescape(struct span text, struct buf *out)
{
    for (size_t at = 0; at < text.size; at++) {
        uint8_t letter = text.data[at];
        uint8_t next = at + 1 < text.size ? text.data[at + 1] : 0;

        if (letter == '\\' && (next == 'n' || next == 'N')) {
            buf_byte(out, '\n');
            at++;
        } else if (letter == '\\' && (next == ',' || next == ';' || next == '\\' || next == ':')) {
            buf_byte(out, next);
            at++;
        } else if (letter != '\r' && letter != 0) {
            buf_byte(out, letter);
        }
    }
}

bool vcard_text_component(struct span *rest, char separator, struct span *out)
{
    size_t at = 0;

    if (rest->data == NULL)
        return false;
    while (at < rest->size && rest->data[at] != (uint8_t)separator)
        at += rest->data[at] == '\\' ? 2 : 1;
    if (at > rest->size)
        at = rest->size;
    *out = span_of(rest->data, at);
    *rest = at < rest->size ? span_of(rest->data + at + 1, rest->size - at - 1) : span_of(NULL, 0);
    return true;
}
