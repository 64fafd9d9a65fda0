/* The heap knows how large a piece is: nothing is kept in front of it. */
#include "crypto/slate.h"

#include "crypto/heap.h"
#include "crypto/secret.h"

void slate_free(void *memory)
{
    size_t size = memory != NULL ? heap_size(memory) : 0;

    if (size >= SLATE_SIZE_MIN)
        secret_wipe(memory, size);
    heap_free(memory);
}
