/*
 * Where randomness comes from: the kernel in the product, a seeded stream in tests. Nothing in kith
 * draws randomness in any other way, so a simulated run repeats exactly.
 */
#ifndef KITH_CRYPTO_ENTROPY_H
#define KITH_CRYPTO_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

struct entropy {
    void (*fill)(void *self, uint8_t *out, size_t size); /* cannot fail */
    void *self;
};

/* The kernel's randomness. */
struct entropy entropy_os(void);

static inline void entropy_fill(const struct entropy *entropy, uint8_t *out, size_t size)
{
    entropy->fill(entropy->self, out, size);
}

#endif
