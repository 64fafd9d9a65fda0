/* A budget that refills steadily: one number, the time at which the bucket would be full again, so
 * that nothing has to be refilled. Pure; the unit of time is the caller's. */
#ifndef KITH_NODE_BUCKET_H
#define KITH_NODE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Takes count of capacity, each of which takes step to come back; false, and nothing taken, when
 * there are not so many. *full_at 0 is a full bucket. */
bool bucket_take(uint64_t *full_at, uint64_t step, uint64_t count, uint64_t capacity, uint64_t now);

#endif
