/* A heap in place of crypto/heap.c that counts the bytes in use, for the program that includes it.
 */
#ifndef KITH_TESTS_HEAP_COUNTING_H
#define KITH_TESTS_HEAP_COUNTING_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/heap.h"

enum { HEAP_COUNTING_FRONT = 16 }; /* of each piece: its size */

static size_t heap_counting_bytes;

static inline void *heap_counting_front(void *memory, size_t *out_size)
{
    memory = (uint8_t *)memory - HEAP_COUNTING_FRONT;
    memcpy(out_size, memory, sizeof *out_size);
    return memory;
}

void *heap_resize(void *memory, size_t size)
{
    uint8_t *piece;
    size_t old = 0;

    if (memory != NULL)
        memory = heap_counting_front(memory, &old);
    piece = realloc(memory, size + HEAP_COUNTING_FRONT);
    if (piece == NULL)
        return NULL;
    memcpy(piece, &size, sizeof size);
    heap_counting_bytes += size - old;
    return piece + HEAP_COUNTING_FRONT;
}

void *heap_new(size_t size)
{
    return heap_resize(NULL, size);
}

void *heap_new_zeroed(size_t count, size_t size)
{
    void *memory = heap_resize(NULL, count * size);

    return memory == NULL ? NULL : memset(memory, 0, count * size);
}

void heap_free(void *memory)
{
    size_t size;

    if (memory == NULL)
        return;
    memory = heap_counting_front(memory, &size);
    heap_counting_bytes -= size;
    free(memory);
}

size_t heap_size(void *memory)
{
    size_t size;

    (void)heap_counting_front(memory, &size);
    return size;
}

#endif
