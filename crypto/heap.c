/* The operating system's answer to heap.h. */
#include "crypto/heap.h"

#include <malloc.h>
#include <stdlib.h>

void *heap_new(size_t size)
{
    return malloc(size > 0 ? size : 1);
}

void *heap_new_zeroed(size_t count, size_t size)
{
    return calloc(count > 0 ? count : 1, size > 0 ? size : 1);
}

void *heap_resize(void *memory, size_t size)
{
    return realloc(memory, size > 0 ? size : 1);
}

void heap_free(void *memory)
{
    free(memory);
}

size_t heap_size(void *memory)
{
    return malloc_usable_size(memory);
}
