/*
 * A heap in place of crypto/heap.c that fails at a chosen allocation, for the program that includes
 * it. The usual loop lets 0, 1, 2 ... allocations succeed until the work does.
 */
#ifndef KITH_TESTS_HEAP_FAILING_H
#define KITH_TESTS_HEAP_FAILING_H

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "crypto/heap.h"

/* How many allocations still succeed. */
static size_t heap_failing_left = SIZE_MAX;

static inline void heap_failing_after(size_t allocations)
{
    heap_failing_left = allocations;
}

static bool heap_failing_now(void)
{
    if (heap_failing_left == 0)
        return true;
    heap_failing_left -= heap_failing_left == SIZE_MAX ? 0 : 1;
    return false;
}

void *heap_new(size_t size)
{
    return heap_failing_now() ? NULL : malloc(size > 0 ? size : 1);
}

void *heap_new_zeroed(size_t count, size_t size)
{
    return heap_failing_now() ? NULL : calloc(count > 0 ? count : 1, size > 0 ? size : 1);
}

void *heap_resize(void *memory, size_t size)
{
    return heap_failing_now() ? NULL : realloc(memory, size > 0 ? size : 1);
}

void heap_free(void *memory)
{
    free(memory);
}

size_t heap_size(void *memory)
{
    return malloc_usable_size(memory);
}

#endif
