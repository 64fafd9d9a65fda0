/* Texts of vCards: quoted-printable never grows, escaped text comes back, parts and components
 * cover the whole. */
#include <stdlib.h>

#include "node/vcard_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t fuzz_walk(struct span whole, bool (*next)(struct span *, char, struct span *))
{
    struct span part;
    size_t covered = 0, count = 0;

    while (next(&whole, ';', &part)) {
        covered += part.size;
        count++;
    }
    return covered + (count > 0 ? count - 1 : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    struct buf plain = {0}, escaped = {0}, back = {0}, again = {0};

    vcard_text_quoted(text, &plain);
    if (plain.size > size)
        abort();
    vcard_text_unescape(text, &back);
    vcard_text_escape(buf_span(&back), &escaped);
    vcard_text_unescape(buf_span(&escaped), &again);
    for (size_t at = 0; at < back.size; at++)
        if (back.data[at] == '\r')
            again.size = back.size = 0; /* Bare carriage returns are not written. */
    if (!span_is_equal(buf_span(&back), buf_span(&again)))
        abort();
    if (size > 0 &&
        (fuzz_walk(text, vcard_text_component) != size || fuzz_walk(text, vcard_text_part) != size))
        abort();
    buf_release(&plain);
    buf_release(&escaped);
    buf_release(&back);
    buf_release(&again);
    return 0;
}
