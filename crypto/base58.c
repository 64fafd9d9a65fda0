/* Schoolbook: long division by 58 one way, multiplication by 58 the other. Not constant-time; only
 * public things are written in base58. */
#include "crypto/base58.h"

#include <string.h>

static const char base58_digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* number = number / 58; the rest is returned. */
static unsigned base58_divide(uint8_t *number, size_t size)
{
    unsigned rest = 0;

    for (size_t at = 0; at < size; at++) {
        rest = rest << 8 | number[at];
        number[at] = (uint8_t)(rest / 58);
        rest %= 58;
    }
    return rest;
}

/* number = 58 * number + digit; false when that needs more bytes. */
static bool base58_multiply(uint8_t *number, size_t size, unsigned digit)
{
    unsigned carry = digit;

    for (size_t at = size; at > 0; at--) {
        carry += 58U * number[at - 1];
        number[at - 1] = (uint8_t)(carry & 0xff);
        carry >>= 8;
    }
    return carry == 0;
}

static size_t base58_zeros(const uint8_t *bytes, size_t size)
{
    size_t zeros = 0;

    while (zeros < size && bytes[zeros] == 0)
        zeros++;
    return zeros;
}

void base58_write(struct span bytes, char *out)
{
    uint8_t number[BASE58_BYTES_MAX] = {0};
    char reversed[BASE58_TEXT_SIZE];
    size_t zeros, count = 0;

    KITH_ASSERT(bytes.size <= BASE58_BYTES_MAX);
    if (bytes.size > 0)
        memcpy(number, bytes.data, bytes.size);
    zeros = base58_zeros(number, bytes.size);
    while (base58_zeros(number, bytes.size) < bytes.size)
        reversed[count++] = base58_digits[base58_divide(number, bytes.size)];
    memset(out, base58_digits[0], zeros);
    for (size_t at = 0; at < count; at++)
        out[zeros + at] = reversed[count - 1 - at];
    out[zeros + count] = '\0';
}

enum err base58_read(struct span text, uint8_t *out, size_t size)
{
    uint8_t number[BASE58_BYTES_MAX] = {0};
    size_t zeros = 0;

    KITH_ASSERT(size <= BASE58_BYTES_MAX);
    while (zeros < text.size && text.data[zeros] == (uint8_t)base58_digits[0])
        zeros++;
    for (size_t at = 0; at < text.size; at++) {
        const char *digit = memchr(base58_digits, text.data[at], sizeof base58_digits - 1);

        if (digit == NULL || !base58_multiply(number, size, (unsigned)(digit - base58_digits)))
            return ERR_INVALID;
    }
    if (base58_zeros(number, size) != zeros)
        return ERR_INVALID;
    if (size > 0)
        memcpy(out, number, size);
    return ERR_OK;
}
