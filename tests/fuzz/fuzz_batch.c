/* The entries and signature of a batch, for a log whose device signs nothing here: everything must
 * be refused, nothing may leak or be read out of bounds. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "proto/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_id log = {.device = {{1}}};
    struct verified_batch *batch;
    struct wire_doc doc = {0};
    struct chain tip, end;
    struct wire wire;

    if (secret_start() != ERR_OK)
        abort();
    chain_begin(&log, &tip);
    if (wire_open(&doc, span_of(data, size), &wire) == ERR_OK &&
        batch_verify(&wire, &log, &tip, &end, &batch) == ERR_OK)
        abort();
    wire_release(&doc);
    return 0;
}
