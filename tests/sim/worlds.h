/* The worlds a search has come to, each once, in the order in which they were found. A world is
 * bytes, without padding. */
#ifndef KITH_TESTS_SIM_WORLDS_H
#define KITH_TESTS_SIM_WORLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worlds {
    uint8_t *queue;
    uint32_t *table; /* index + 1 into queue, found again by the hash */
    size_t size, limit, count;
    bool is_cut; /* there were more than limit */
};

void worlds_begin(struct worlds *worlds, size_t size, size_t limit);
void worlds_add(struct worlds *worlds, const void *world);
void worlds_read(const struct worlds *worlds, size_t at, void *out);
void worlds_end(struct worlds *worlds);

#endif
