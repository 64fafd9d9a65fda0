/*
 * One pass. At each level stands how many objects are still owed there; a count is compared with
 * the bytes left before it is believed, since every object takes at least one.
 */
#include "proto/scan.h"

#include "proto/limits.h"

/* How one first byte is to be read. */
struct scan_item {
    bool is_array, is_text, is_bytes;
    uint8_t length_size; /* bytes of the number that follows */
    uint64_t value;      /* the number in the first byte, when length_size is 0 */
    uint64_t least;      /* smallest number that needs this encoding */
};

static bool scan_item(uint8_t first, struct scan_item *out)
{
    *out = (struct scan_item){0};
    if (first <= 0x7f)
        return true;
    if (first >= 0x90 && first <= 0x9f) {
        *out = (struct scan_item){.is_array = true, .value = first & 0x0fu};
        return true;
    }
    if (first >= 0xa0 && first <= 0xbf) {
        *out = (struct scan_item){.is_text = true, .value = first & 0x1fu};
        return true;
    }
    switch (first) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
        return true;
    case 0xc4:
        *out = (struct scan_item){.is_bytes = true, .length_size = 1};
        return true;
    case 0xc5:
        *out = (struct scan_item){.is_bytes = true, .length_size = 2, .least = 0x100};
        return true;
    case 0xc6:
        *out = (struct scan_item){.is_bytes = true, .length_size = 4, .least = 0x10000};
        return true;
    case 0xcc:
        *out = (struct scan_item){.length_size = 1, .least = 0x80};
        return true;
    case 0xcd:
        *out = (struct scan_item){.length_size = 2, .least = 0x100};
        return true;
    case 0xce:
        *out = (struct scan_item){.length_size = 4, .least = 0x10000};
        return true;
    case 0xcf:
        *out = (struct scan_item){.length_size = 8, .least = UINT64_C(0x100000000)};
        return true;
    case 0xd9:
        *out = (struct scan_item){.is_text = true, .length_size = 1, .least = 0x20};
        return true;
    case 0xda:
        *out = (struct scan_item){.is_text = true, .length_size = 2, .least = 0x100};
        return true;
    case 0xdb:
        *out = (struct scan_item){.is_text = true, .length_size = 4, .least = 0x10000};
        return true;
    case 0xdc:
        *out = (struct scan_item){.is_array = true, .length_size = 2, .least = 0x10};
        return true;
    case 0xdd:
        *out = (struct scan_item){.is_array = true, .length_size = 4, .least = 0x10000};
        return true;
    default:
        return false;
    }
}

/* Size of the UTF-8 character at the front, or 0: truncated, overlong, a surrogate or beyond
 * U+10FFFF (RFC 3629). */
static size_t scan_character(const uint8_t *at, size_t left)
{
    static const struct {
        uint8_t mask, lead;
        size_t size;
        uint32_t least;
    } forms[] = {{0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

    if (at[0] < 0x80)
        return 1;
    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        uint32_t value = at[0] & (uint32_t)(uint8_t)~forms[form].mask;

        if ((at[0] & forms[form].mask) != forms[form].lead)
            continue;
        if (left < forms[form].size)
            return 0;
        for (size_t next = 1; next < forms[form].size; next++) {
            if ((at[next] & 0xc0) != 0x80)
                return 0;
            value = value << 6 | (at[next] & 0x3fu);
        }
        if (value < forms[form].least || (value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff)
            return 0;
        return forms[form].size;
    }
    return 0;
}

bool scan_is_utf8(struct span text)
{
    size_t at = 0;

    while (at < text.size) {
        size_t size = scan_character(text.data + at, text.size - at);

        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

static enum scan_verdict scan_number(struct span bytes, size_t *at, struct scan_item *item)
{
    if (item->length_size == 0)
        return SCAN_FINE;
    if (bytes.size - *at < item->length_size)
        return SCAN_TRUNCATED;
    item->value = 0;
    for (uint8_t byte = 0; byte < item->length_size; byte++)
        item->value = item->value << 8 | bytes.data[(*at)++];
    return item->value < item->least ? SCAN_NOT_SHORTEST : SCAN_FINE;
}

/* PROTOCOL SCAN-2: "A count is refused when it exceeds the bytes that are left. This is checked
 * before anything is allocated." */
static enum scan_verdict scan_content(struct span bytes, size_t *at, const struct scan_item *item)
{
    if (!item->is_text && !item->is_bytes)
        return SCAN_FINE;
    if (item->value > bytes.size - *at)
        return SCAN_TRUNCATED;
    if (item->is_text && !scan_is_utf8(span_of(bytes.data + *at, (size_t)item->value)))
        return SCAN_NOT_UTF8;
    *at += (size_t)item->value;
    return SCAN_FINE;
}

/* PROTOCOL SCAN-1: "Every message, edit and statement is one msgpack array: nil, false, true,
 * unsigned integers, strings of valid UTF-8, binary and arrays only, in their shortest encodings,
 * nested at most SCAN_DEPTH_MAX deep, with nothing behind it." */
enum scan_verdict scan(struct span bytes)
{
    uint64_t owed[SCAN_DEPTH_MAX + 1];
    size_t depth = 0, at = 0;

    owed[0] = 1;
    for (;;) {
        struct scan_item item;
        enum scan_verdict verdict;

        while (owed[depth] == 0 && depth > 0)
            depth--;
        if (owed[depth] == 0)
            return at == bytes.size ? SCAN_FINE : SCAN_TRAILING;
        if (at == bytes.size)
            return SCAN_TRUNCATED;
        owed[depth]--;
        if (!scan_item(bytes.data[at++], &item))
            return SCAN_FORBIDDEN;
        verdict = scan_number(bytes, &at, &item);
        if (verdict == SCAN_FINE)
            verdict = scan_content(bytes, &at, &item);
        if (verdict != SCAN_FINE)
            return verdict;
        if (!item.is_array)
            continue;
        if (item.value > bytes.size - at)
            return SCAN_TRUNCATED;
        if (depth == SCAN_DEPTH_MAX)
            return SCAN_DEEP;
        owed[++depth] = item.value;
    }
}

struct span scan_cut(struct span text, size_t size_max)
{
    if (text.size <= size_max)
        return text;
    while (size_max > 0 && (text.data[size_max] & 0xc0) == 0x80)
        size_max--;
    return span_of(text.data, size_max);
}
