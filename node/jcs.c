/* One function a type of value. Shortest numbers are found by trying: the first precision whose
 * text reads back to the same double. */
#include "node/jcs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"

enum { JCS_DIGITS_MAX = 17, JCS_POINT_MAX = 21, JCS_POINT_MIN = -6, JCS_NUMBER_SIZE = 64 };

static void jcs_text(struct span text, struct buf *out)
{
    static const char shorts[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";

    buf_byte(out, '"');
    for (size_t at = 0; at < text.size; at++) {
        uint8_t letter = text.data[at];
        const char *known = letter != 0 ? strchr(shorts, letter) : NULL;
        char escape[8];

        if (known != NULL) {
            buf_byte(out, '\\');
            buf_byte(out, (uint8_t)letters[known - shorts]);
        } else if (letter < 0x20) {
            (void)snprintf(escape, sizeof escape, "\\u%04x", letter);
            buf_append(out, span_str(escape));
        } else {
            buf_byte(out, letter);
        }
    }
    buf_byte(out, '"');
}

/* Digits d1...dk and n with value = 0.d1...dk * 10^n, as few digits as tell the double apart
 * (ECMA-262, Number::toString). value is finite and above zero. */
static int jcs_digits(double value, char digits[static JCS_DIGITS_MAX + 1])
{
    char text[JCS_NUMBER_SIZE];
    int count = 1;
    const char *exponent;

    do {
        (void)snprintf(text, sizeof text, "%.*e", count - 1, value); /* Fits by far. */
    } while (strtod(text, NULL) != value && count++ < JCS_DIGITS_MAX);
    exponent = strchr(text, 'e');
    count = 0;
    for (const char *at = text; at < exponent; at++)
        if (*at != '.')
            digits[count++] = *at;
    digits[count] = '\0';
    return (int)strtol(exponent + 1, NULL, 10) + 1;
}

static void jcs_zeros(struct buf *out, int count)
{
    while (count-- > 0)
        buf_byte(out, '0');
}

static void jcs_real(double value, struct buf *out)
{
    char digits[JCS_DIGITS_MAX + 1], exponent[JCS_NUMBER_SIZE];
    int point, count;

    if (value == 0) {
        buf_byte(out, '0');
        return;
    }
    if (value < 0)
        buf_byte(out, '-');
    point = jcs_digits(value < 0 ? -value : value, digits);
    count = (int)strlen(digits);
    if (point > 0 && point <= JCS_POINT_MAX) {
        int whole = count < point ? count : point;

        buf_append(out, span_of(digits, (size_t)whole));
        jcs_zeros(out, point - count);
        if (count > point)
            buf_byte(out, '.');
        buf_append(out, span_str(digits + whole));
    } else if (point <= 0 && point > JCS_POINT_MIN) {
        buf_append(out, span_str("0."));
        jcs_zeros(out, -point);
        buf_append(out, span_str(digits));
    } else {
        buf_byte(out, (uint8_t)digits[0]);
        if (count > 1)
            buf_byte(out, '.');
        buf_append(out, span_str(digits + 1));
        (void)snprintf(exponent, sizeof exponent, "e%+d", point - 1);
        buf_append(out, span_str(exponent));
    }
}

/* The order of UTF-16: what lies beyond the basic plane is written with surrogates there, and so
 * comes before U+E000. */
static int jcs_order(const void *left, const void *right)
{
    const uint8_t *one = *(const uint8_t *const *)left, *other = *(const uint8_t *const *)right;
    bool is_one_beyond, is_other_beyond;

    while (*one == *other && *one != 0) {
        one++;
        other++;
    }
    is_one_beyond = *one >= 0xf0;
    is_other_beyond = *other >= 0xf0;
    if (is_one_beyond != is_other_beyond && *one >= 0xee && *other >= 0xee)
        return is_one_beyond ? -1 : 1;
    return (int)*one - (int)*other;
}

static enum err jcs_object(json_t *value, struct buf *out)
{
    size_t count = json_object_size(value), filled = 0;
    const char **keys = heap_new_zeroed(count + 1, sizeof *keys);
    enum err err = keys != NULL ? ERR_OK : ERR_NOMEM;
    const char *key;
    json_t *item;

    if (err != ERR_OK)
        return err;
    json_object_foreach(value, key, item) keys[filled++] = key;
    qsort(keys, filled, sizeof *keys, jcs_order);
    buf_byte(out, '{');
    for (size_t at = 0; at < filled && err == ERR_OK; at++) {
        if (at > 0)
            buf_byte(out, ',');
        jcs_text(span_str(keys[at]), out);
        buf_byte(out, ':');
        err = jcs_write(json_object_get(value, keys[at]), out);
    }
    buf_byte(out, '}');
    heap_free(keys);
    return err;
}

static enum err jcs_array(json_t *value, struct buf *out)
{
    enum err err = ERR_OK;

    buf_byte(out, '[');
    for (size_t at = 0; at < json_array_size(value) && err == ERR_OK; at++) {
        if (at > 0)
            buf_byte(out, ',');
        err = jcs_write(json_array_get(value, at), out);
    }
    buf_byte(out, ']');
    return err;
}

enum err jcs_write(json_t *value, struct buf *out)
{
    enum err err = ERR_OK;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        err = jcs_object(value, out);
        break;
    case JSON_ARRAY:
        err = jcs_array(value, out);
        break;
    case JSON_STRING:
        jcs_text(span_of(json_string_value(value), json_string_length(value)), out);
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        jcs_real(json_number_value(value), out);
        break;
    case JSON_TRUE:
        buf_append(out, span_str("true"));
        break;
    case JSON_FALSE:
        buf_append(out, span_str("false"));
        break;
    case JSON_NULL:
        buf_append(out, span_str("null"));
        break;
    }
    return err == ERR_OK ? buf_err(out) : err;
}
