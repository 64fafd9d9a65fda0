/* Buckets by the time at which they would be full: no counters to refill. */
#include "node/dialer.h"

uint64_t dialer_wait_ms(unsigned failures, uint32_t chance)
{
    uint64_t wait = DIALER_WAIT_MIN_MS;

    for (unsigned at = 0; at < failures && wait < DIALER_WAIT_MAX_MS; at++)
        wait *= 2;
    if (wait > DIALER_WAIT_MAX_MS)
        wait = DIALER_WAIT_MAX_MS;
    return wait - wait / 4 + chance % (wait / 2);
}

static bool dialer_take_from(uint64_t *full_at_ms, uint64_t step_ms, uint64_t count,
                             uint64_t now_ms)
{
    uint64_t from = *full_at_ms > now_ms ? *full_at_ms : now_ms;

    if (from + step_ms > now_ms + step_ms * count)
        return false;
    *full_at_ms = from + step_ms;
    return true;
}

bool dialer_take(struct dialer *dialer, bool is_known, uint64_t now_ms)
{
    if (is_known)
        return dialer_take_from(&dialer->known_at_ms, 1000 / DIALER_KNOWN_PER_SECOND,
                                DIALER_KNOWN_PER_SECOND, now_ms);
    return dialer_take_from(&dialer->unknown_at_ms, 60000 / DIALER_UNKNOWN_PER_MINUTE,
                            DIALER_UNKNOWN_PER_MINUTE, now_ms);
}
