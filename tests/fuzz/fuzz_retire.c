/* Any bytes as a statement about a device: read or refused; what is read says something. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "proto/retire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct retirement retirement;
    struct keep keep;

    if (secret_start() != ERR_OK)
        abort();
    if (retire_read(span_of(data, size), &retirement) == ERR_OK &&
        (retirement.reason < RETIRE_FORKED || retirement.reason > RETIRE_STOLEN))
        abort();
    if (retire_read_keep(span_of(data, size), &keep) == ERR_OK && retire_keep_counts(&keep, &keep))
        abort();
    return 0;
}
