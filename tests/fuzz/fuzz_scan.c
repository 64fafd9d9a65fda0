/* Whatever the gate lets through msgpack-c must read, and writing it again must give the same
 * bytes: SCAN-1. */
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "proto/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    msgpack_unpacked unpacked;
    msgpack_sbuffer again;
    msgpack_packer packer;
    size_t offset = 0;

    if (scan(span_of(data, size)) != SCAN_FINE)
        return 0;
    msgpack_unpacked_init(&unpacked);
    msgpack_sbuffer_init(&again);
    msgpack_packer_init(&packer, &again, msgpack_sbuffer_write);
    if (msgpack_unpack_next(&unpacked, (const char *)data, size, &offset) !=
            MSGPACK_UNPACK_SUCCESS ||
        offset != size)
        abort();
    (void)msgpack_pack_object(&packer, unpacked.data);
    if (again.size != size || memcmp(again.data, data, size) != 0)
        abort();
    msgpack_sbuffer_destroy(&again);
    msgpack_unpacked_destroy(&unpacked);
    return 0;
}
