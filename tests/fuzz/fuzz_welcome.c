/* Any bytes as what a new device asks and as its welcome: read or refused; what is read is within
 * the bounds, and is written again as it came. */
#include <stdlib.h>

#include "proto/welcome.h"

static void fuzz_same(struct buf *again, struct span bytes)
{
    if (!span_is_equal(buf_span(again), bytes))
        abort();
    buf_release(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct buf again = {0};
    struct welcome_ask ask;
    struct welcome welcome;

    if (welcome_ask_read(bytes, &ask) == ERR_OK) {
        if (size > WELCOME_ASK_SIZE_MAX)
            abort();
        welcome_ask_write(&ask, &again);
        fuzz_same(&again, bytes);
    }
    if (welcome_read(bytes, &welcome) == ERR_OK) {
        if (size > WELCOME_SIZE_MAX)
            abort();
        welcome_write(&welcome, &again);
        fuzz_same(&again, bytes);
    }
    return 0;
}
