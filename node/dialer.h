/* When to call again: back-off that doubles from one second to six hours, spread by chance so that
 * many nodes do not call at once; and how often strangers' addresses may be tried. Pure. */
#ifndef KITH_NODE_DIALER_H
#define KITH_NODE_DIALER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    DIALER_WAIT_MIN_MS = 1000,
    DIALER_WAIT_MAX_MS = 6 * 3600 * 1000,
    DIALER_INTRODUCED_TRIES = 3, /* of an address told by somebody who was introduced, at first */
    DIALER_INTRODUCED_MS = 8 * 3600 * 1000, /* and then three a day */
    DIALER_UNKNOWN_PER_MINUTE = 10,         /* addresses never reached: others told them to us */
    DIALER_KNOWN_PER_SECOND = 10
};

/* How long to wait after so many failures in a row (0: the first wait). chance is any random
 * number. */
uint64_t dialer_wait_ms(unsigned failures, uint32_t chance);
/* The same for what somebody told who was introduced and never proved who they are: it may be the
 * address of anybody. */
uint64_t dialer_introduced_wait_ms(unsigned failures, uint32_t chance);

/* Two buckets of dials. A zeroed one is full at its first use. */
struct dialer {
    uint64_t unknown_at_ms, known_at_ms; /* when a bucket will be full again */
};
/* Takes one dial when there is one now. */
bool dialer_take(struct dialer *dialer, bool is_known, uint64_t now_ms);

#endif
