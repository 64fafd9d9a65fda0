/* Address books of a hundred megabytes travel so, and nothing about them is secret: digits are
 * looked up in tables, which is five times as fast as libsodium's way without tables. The end,
 * where padding must be as it should, libsodium judges. */
#include "crypto/base64.h"

#include <sodium.h>

enum { BASE64_NONE = 64 }; /* no digit */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/* What each of the first 128 bytes is worth. */
static const uint8_t base64_worth[128] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62,
    64, 64, 64, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64, 64, 0,
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
    23, 24, 25, 64, 64, 64, 64, 64, 64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
    39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
};

static void base64_write_three(const uint8_t *from, uint8_t *to)
{
    uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];

    to[0] = (uint8_t)base64_digits[bits >> 18];
    to[1] = (uint8_t)base64_digits[bits >> 12 & 63];
    to[2] = (uint8_t)base64_digits[bits >> 6 & 63];
    to[3] = (uint8_t)base64_digits[bits & 63];
}

/* libsodium writes an end after the text; the room for it is taken back. */
void base64_write(struct span bytes, struct buf *out)
{
    size_t size = sodium_base64_ENCODED_LEN(bytes.size, sodium_base64_VARIANT_ORIGINAL);
    size_t whole = bytes.size / 3, rest = bytes.size % 3;
    uint8_t *at = buf_grow(out, size);

    if (at == NULL)
        return;
    for (size_t group = 0; group < whole; group++)
        base64_write_three(bytes.data + 3 * group, at + 4 * group);
    (void)sodium_bin2base64((char *)at + 4 * whole, size - 4 * whole, bytes.data + 3 * whole, rest,
                            sodium_base64_VARIANT_ORIGINAL);
    out->size--;
}

/* False for anything but four digits. */
static bool base64_read_four(const uint8_t *from, uint8_t *to)
{
    uint32_t bits = 0, bad = 0;

    for (int at = 0; at < 4; at++) {
        uint32_t worth = base64_worth[from[at] & 127];

        bad |= (worth & BASE64_NONE) | (from[at] & 128u);
        bits = bits << 6 | worth;
    }
    to[0] = (uint8_t)(bits >> 16);
    to[1] = (uint8_t)(bits >> 8);
    to[2] = (uint8_t)bits;
    return bad == 0;
}

/* The last four, and whatever is no whole four. libsodium takes some bytes beyond ASCII for digits.
 */
static bool base64_read_rest(struct span text, uint8_t *to, size_t room, size_t *out_size)
{
    for (size_t letter = 0; letter < text.size; letter++)
        if (text.data[letter] >= 0x80)
            return false;
    return sodium_base642bin(to, room, (const char *)text.data, text.size, NULL, out_size, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0;
}

enum err base64_read(struct span text, struct buf *out)
{
    size_t before = out->size, room = text.size / 4 * 3 + 3, size = 0;
    size_t whole = text.size > 4 ? (text.size - 1) / 4 : 0;
    uint8_t *at = buf_grow(out, room);
    bool is_well = true;

    if (at == NULL)
        return ERR_NOMEM;
    for (size_t group = 0; group < whole && is_well; group++)
        is_well = base64_read_four(text.data + 4 * group, at + 3 * group);
    if (!is_well || !base64_read_rest(span_of(text.data + 4 * whole, text.size - 4 * whole),
                                      at + 3 * whole, room - 3 * whole, &size)) {
        out->size = before;
        return ERR_INVALID;
    }
    out->size = before + 3 * whole + size;
    return ERR_OK;
}
