/* Each works on borrowed bytes and appends; nothing fails but memory. */
#include "node/vcard_text.h"

#include <string.h>
#include <strings.h>

bool vcard_text_is(struct span text, const char *word)
{
    return text.size > 0 && ((text.data[0] ^ (uint8_t)word[0]) & 0xdf) == 0 &&
           text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
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
    if (text.size == 0 ||
        (memchr(text.data, '\\', text.size) == NULL && memchr(text.data, 0, text.size) == NULL)) {
        buf_append(out, text);
        return;
    }
    for (size_t at = 0; at < text.size; at++) {
        uint8_t letter = text.data[at];
        uint8_t next = letter == '\\' && at + 1 < text.size ? text.data[at + 1] : 0;

        if (next == 'n' || next == 'N') {
            buf_byte(out, '\n');
            at++;
        } else if (next == ',' || next == ';' || next == '\\' || next == ':' || next == '"') {
            buf_byte(out, next);
            at++;
        } else if (letter != 0) {
            buf_byte(out, letter);
        }
    }
}

void vcard_text_escape(struct span text, struct buf *out)
{
    for (size_t at = 0; at < text.size; at++) {
        uint8_t letter = text.data[at];

        if (letter == '\n') {
            buf_append(out, span_str("\\n"));
            continue;
        }
        if (letter == '\\' || letter == ',' || letter == ';')
            buf_byte(out, '\\');
        if (letter != '\r' && letter != 0)
            buf_byte(out, letter);
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

bool vcard_text_part(struct span *rest, char separator, struct span *out)
{
    bool is_quoted = false;
    size_t at = 0;

    if (rest->data == NULL)
        return false;
    while (at < rest->size && (is_quoted || rest->data[at] != (uint8_t)separator)) {
        is_quoted ^= rest->data[at] == '"';
        at++;
    }
    *out = span_of(rest->data, at);
    *rest = at < rest->size ? span_of(rest->data + at + 1, rest->size - at - 1) : span_of(NULL, 0);
    return true;
}
