/* The kernel's randomness, drawn through libsodium, which waits for the kernel and never gives
 * less. */
#include "crypto/entropy.h"

#include <sodium.h>

static void entropy_os_fill(void *self, uint8_t *out, size_t size)
{
    (void)self; /* The kernel keeps the state. */
    randombytes_buf(out, size);
}

struct entropy entropy_os(void)
{
    return (struct entropy){.fill = entropy_os_fill, .self = NULL};
}
