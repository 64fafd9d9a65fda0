/*
 * The only door to malloc, and nothing else, so that a test can link another heap in its place.
 * Every function returns NULL when there is no memory; a size of 0 gives a valid address.
 */
#ifndef KITH_CRYPTO_HEAP_H
#define KITH_CRYPTO_HEAP_H

#include <stddef.h>

void *heap_new(size_t size);
/* Zeroed room for count things of size bytes each; NULL too when the product does not fit. */
void *heap_new_zeroed(size_t count, size_t size);
/* On failure the old memory stays as it was and stays the caller's. */
void *heap_resize(void *memory, size_t size);
void heap_free(void *memory);
/* How many bytes of a piece may be used: as many as were asked for, or some more. */
size_t heap_size(void *memory);

#endif
