/* The generic cell rate algorithm (ITU-T I.371). */
#include "node/bucket.h"

bool bucket_take(uint64_t *full_at, uint64_t step, uint64_t count, uint64_t capacity, uint64_t now)
{
    uint64_t from = *full_at > now ? *full_at : now;

    if (from + step * count > now + step * capacity)
        return false;
    *full_at = from + step * count;
    return true;
}
