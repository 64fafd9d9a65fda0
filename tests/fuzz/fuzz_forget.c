/* The places a forget names: visited, or refused before the first. */
#include <stdlib.h>

#include "proto/forget.h"
#include "proto/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err fuzz_visit(void *self, const struct forget_place *place)
{
    if (place->seq > LOG_SIZE_MAX)
        abort();
    (*(size_t *)self)++;
    return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t visited = 0;
    enum err err = forget_each_place(span_of(data, size), fuzz_visit, &visited);

    if ((err != ERR_OK && visited > 0) || visited > size || visited > FORGET_PLACES_MAX)
        abort();
    return 0;
}
