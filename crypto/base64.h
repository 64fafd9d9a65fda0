/* Base64 (RFC 4648, standard alphabet, padded): for files that travel as text. */
#ifndef KITH_CRYPTO_BASE64_H
#define KITH_CRYPTO_BASE64_H

#include "crypto/span.h"

/* Appends the text, without an end. */
void base64_write(struct span bytes, struct buf *out);
/* Appends the bytes. ERR_INVALID, out as before, for anything but canonical base64. */
MUST_USE enum err base64_read(struct span text, struct buf *out);

#endif
