/* Any bytes in any character set, named by the first line: what comes out is UTF-8. */
#include <stdlib.h>
#include <string.h>

#include "node/charset.h"
#include "proto/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t name = end != NULL ? (size_t)(end - data) : 0, from = end != NULL ? name + 1 : 0;
    struct buf text = {0}, converted = {0};
    struct span file;

    charset_utf8(span_of(data + from, size - from), span_of(data, name), &text);
    if (!scan_is_utf8(buf_span(&text)))
        abort();
    if (charset_file(span_of(data, size), &converted, &file) == ERR_OK && file.data != data &&
        converted.size > 0 && !scan_is_utf8(file))
        abort();
    buf_release(&text);
    buf_release(&converted);
    return 0;
}
