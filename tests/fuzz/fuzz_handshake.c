/* Three messages cut from the input, and frames after them: no session comes of bytes nobody
 * sealed. */
#include <stdlib.h>
#include <string.h>

#include "crypto/channel.h"
#include "crypto/handshake.h"
#include "crypto/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_fixed(void *self, uint8_t *out, size_t size)
{
    (void)self;
    memset(out, 5, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct entropy entropy = {.fill = fuzz_fixed};
    struct handshake *handshake;
    struct handshake_result result;
    struct exchange_key own;
    struct channel channel;
    struct buf out = {0}, in = {0}, content = {0};
    uint8_t seed[32] = {3}, keys[32] = {4}, revealed[32];

    if (secret_start() != ERR_OK)
        abort();
    handshake = secret_new(sizeof *handshake);
    identity_exchange_key(seed, &own);
    if (size >= HANDSHAKE_FIRST_SIZE) {
        struct span first = span_of(data, HANDSHAKE_FIRST_SIZE);
        struct span third = span_of(data + HANDSHAKE_FIRST_SIZE, size - HANDSHAKE_FIRST_SIZE);

        (void)!handshake_check_knock(first, keys);
        if (handshake_answer(handshake, &own, first, &entropy, &out) == ERR_OK &&
            handshake_reveal(handshake, third, revealed) == ERR_OK &&
            handshake_try_psk(handshake, third, keys, &content, &result) == ERR_OK)
            abort();
    }
    channel_init(&channel, keys, keys);
    buf_append(&in, span_of(data, size));
    buf_clear(&content);
    (void)!channel_open(&channel, &in, &content);
    if (content.size > 0)
        abort();
    buf_release(&out);
    buf_release(&in);
    buf_release(&content);
    secret_free(handshake);
    return 0;
}
