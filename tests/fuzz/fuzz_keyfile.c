/*
 * Any bytes as a key file. The nonce is the header's checksum, so it is mended before the second
 * read, else nothing would come past it; costs above a small bound are not run, as they only take
 * time.
 */
#include <stdint.h>
#include <string.h>

#include "crypto/keyfile.h"
#include "crypto/secret.h"

enum { FUZZ_HEADER_SIZE = 96, FUZZ_MEMORY_KIB_MAX = 64, FUZZ_OPS_MAX = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_keyfile_read(struct span file)
{
    struct device_secrets secrets;
    bool is_protected = keyfile_is_protected(file);
    enum err err;

    if (is_protected &&
        (be32(file.data + 12) > FUZZ_OPS_MAX || be32(file.data + 16) > FUZZ_MEMORY_KIB_MAX))
        return;
    memset(&secrets, 0x5a, sizeof secrets);
    err = keyfile_read(file, span_str("pass"), &secrets);
    KITH_ASSERT(err == ERR_OK || secrets.root_seed[0] == 0x5a);
    KITH_ASSERT(err != ERR_LOCKED || is_protected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t file[KEYFILE_SIZE_MAX];
    struct hash hash;

    if (secret_start() != ERR_OK)
        return 0;
    fuzz_keyfile_read(span_of(data, size));
    if (size < FUZZ_HEADER_SIZE || size > sizeof file)
        return 0;
    memcpy(file, data, size);
    digest("kith file header", (struct span[2]){span_of(file, 36), span_of(file + 60, 36)}, 2,
           &hash);
    memcpy(file + 36, hash.bytes, 24);
    fuzz_keyfile_read(span_of(file, size));
    return 0;
}
