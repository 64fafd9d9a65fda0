/* Spans of time as people type them: 90s, 30min, 12h, 7d, 2w. Pure. */
#ifndef KITH_NODE_UNTIL_H
#define KITH_NODE_UNTIL_H

#include <stdint.h>

#include "crypto/err.h"

/* A number and one of s, min, h, d, w; a bare number is seconds. ERR_INVALID. */
MUST_USE enum err until_read(const char *text, uint64_t *out_seconds);

#endif
