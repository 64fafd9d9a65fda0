/* libsodium writes an end after the text; the room for it is taken back. */
#include "crypto/base64.h"

#include <sodium.h>

void base64_write(struct span bytes, struct buf *out)
{
    size_t size = sodium_base64_ENCODED_LEN(bytes.size, sodium_base64_VARIANT_ORIGINAL);
    uint8_t *at = buf_grow(out, size);

    if (at == NULL)
        return;
    (void)sodium_bin2base64((char *)at, size, bytes.data, bytes.size,
                            sodium_base64_VARIANT_ORIGINAL);
    out->size--;
}

enum err base64_read(struct span text, struct buf *out)
{
    size_t before = out->size, room = text.size / 4 * 3 + 3, size = 0;
    uint8_t *at;

    for (size_t letter = 0; letter < text.size; letter++)
        if (text.data[letter] >= 0x80) /* libsodium takes some of them for digits. */
            return ERR_INVALID;
    at = buf_grow(out, room);
    if (at == NULL)
        return ERR_NOMEM;
    if (sodium_base642bin(at, room, (const char *)text.data, text.size, NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        out->size = before;
        return ERR_INVALID;
    }
    out->size = before + size;
    return ERR_OK;
}
