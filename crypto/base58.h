/*
 * Base58 with the Bitcoin alphabet, as multibase "z" and did:key use it: the bytes as one number,
 * each leading zero byte written as a 1. No heap.
 */
#ifndef KITH_CRYPTO_BASE58_H
#define KITH_CRYPTO_BASE58_H

#include "crypto/span.h"

enum {
    BASE58_BYTES_MAX = 64, /* a signature */
    BASE58_TEXT_SIZE = 90  /* of so many bytes, with the end */
};

/* Writes the text with its end; out has room for BASE58_TEXT_SIZE. At most BASE58_BYTES_MAX bytes.
 */
void base58_write(struct span bytes, char *out);
/* Reads exactly size bytes (at most BASE58_BYTES_MAX). ERR_INVALID for any other text: what is read
 * would be written the same again. */
MUST_USE enum err base58_read(struct span text, uint8_t *out, size_t size);

#endif
