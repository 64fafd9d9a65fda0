/* Any bytes as the body of a shared contact: read or refused; what is read keeps the bounds, and is
 * written again as it came. */
#include <stdlib.h>
#include <string.h>

#include "proto/share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct share share, again;
    enum share_fault fault;
    struct buf out = {0};
    enum err err = share_read(span_of(data, size), &share, &fault);

    if (err != ERR_OK) {
        if (err == ERR_MALFORMED && share_fault_text(fault)[0] == '\0')
            abort();
        return 0;
    }
    if (fault != SHARE_FINE || share_check(&share) != SHARE_FINE || size > SHARE_SIZE_MAX)
        abort();
    if (share_write(&share, &out, &fault) != ERR_OK ||
        !span_is_equal(buf_span(&out), span_of(data, size)))
        abort();
    if (share_read(buf_span(&out), &again, &fault) != ERR_OK || !share_is_equal(&share, &again))
        abort();
    buf_release(&out);
    return 0;
}
