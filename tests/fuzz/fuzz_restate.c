/* The marks a restatement covers: what reads is written the same again. */
#include <stdlib.h>
#include <string.h>

#include "proto/restate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct restate_cover covers[LOGS_PER_PEER_MAX];
    struct buf again = {0};
    size_t count;

    if (restate_read_covers(span_of(data, size), covers, &count) == ERR_OK) {
        restate_put_covers(covers, count, &again);
        if (again.size != size || memcmp(again.data, data, size) != 0)
            abort();
    }
    buf_release(&again);
    return 0;
}
