/* Any bytes as an identity, a certificate, an epoch: read or refused, never out of bounds. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "proto/device.h"
#include "proto/epoch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct exchange_key receiving = {.secret = {1}, .public_key = {2}};
    struct log_id log = {.device = {{1}}};
    struct certificate certificate;
    struct device_chain chain;
    struct hash next_root;
    struct epoch epoch;
    uint8_t key[32];

    if (secret_start() != ERR_OK)
        abort();
    if (certificate_read(span_of(data, size), &certificate) == ERR_OK && certificate.name.size > 32)
        abort();
    if (certificate_read(span_of(data, size), &certificate) == ERR_OK &&
        certificate_peek(span_of(data, size), &certificate) != ERR_OK)
        abort();
    if (device_read_identity(span_of(data, size), &chain, &next_root) == ERR_OK &&
        (device_of(&chain) == NULL || chain.certificates[0].is_successor))
        abort();
    if (epoch_read(&log, span_of(data, size), &epoch) == ERR_OK && !epoch.is_use &&
        epoch_unwrap(&epoch, &receiving, key) == ERR_OK)
        abort();
    if (epoch_read(&log, span_of(data, size), &epoch) == ERR_OK)
        for (size_t at = 0; at < epoch.parents_count; at++)
            if (epoch_previous(&epoch, at, receiving.secret, key) == ERR_OK)
                abort();
    return 0;
}
