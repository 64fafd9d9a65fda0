/* The kernel's randomness, by libsodium. */
#include "crypto/entropy.h"

#include <sodium.h>

static void entropy_os_fill(void *self, uint8_t *out, size_t size)
{
    (void)self;
    randombytes_buf(out, size);
}

struct entropy entropy_os(void)
{
    return (struct entropy){.fill = entropy_os_fill};
}
