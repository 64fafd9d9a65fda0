/* Open addressing, half full at most. */
#include "tests/sim/worlds.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"

void worlds_begin(struct worlds *worlds, size_t size, size_t limit)
{
    *worlds = (struct worlds){.size = size, .limit = limit};
    worlds->queue = calloc(limit, size);
    worlds->table = calloc(limit * 2, sizeof *worlds->table);
    KITH_ASSERT(worlds->queue != NULL && worlds->table != NULL);
}

static uint32_t worlds_hash(const struct worlds *worlds, const uint8_t *world)
{
    uint64_t hash = UINT64_C(1469598103934665603);

    for (size_t at = 0; at < worlds->size; at++)
        hash = (hash ^ world[at]) * UINT64_C(1099511628211);
    return (uint32_t)(hash ^ hash >> 32);
}

void worlds_add(struct worlds *worlds, const void *world)
{
    size_t places = worlds->limit * 2, at = worlds_hash(worlds, world) % places;

    for (; worlds->table[at] != 0; at = (at + 1) % places)
        if (memcmp(worlds->queue + (worlds->table[at] - 1) * worlds->size, world, worlds->size) ==
            0)
            return;
    if (worlds->count == worlds->limit) {
        worlds->is_cut = true;
        return;
    }
    memcpy(worlds->queue + worlds->count * worlds->size, world, worlds->size);
    worlds->table[at] = (uint32_t)++worlds->count;
}

void worlds_read(const struct worlds *worlds, size_t at, void *out)
{
    memcpy(out, worlds->queue + at * worlds->size, worlds->size);
}

void worlds_end(struct worlds *worlds)
{
    free(worlds->queue);
    free(worlds->table);
}
