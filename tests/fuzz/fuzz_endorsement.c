/* Any bytes as an endorsement or a show: read or refused, and what was read keeps its bounds. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "proto/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct endorsement endorsement;
    struct show show;

    if (secret_start() != ERR_OK)
        abort();
    if (endorsement_read(span_of(data, size), &endorsement) == ERR_OK &&
        endorsement_check(&endorsement) != ENDORSEMENT_FINE)
        abort();
    if (show_read(span_of(data, size), &show) == ERR_OK &&
        (show.audience < AUDIENCE_PEERS || show.until_s <= show.made_s))
        abort();
    return 0;
}
