/* Buckets by the time at which they would be full: no counters to refill. */
#include "node/dialer.h"

#include "node/bucket.h"

/* PROTOCOL LIMIT-5: "after a failure a second later, then twice as long each time up to six hours,
 * a quarter more or less by chance." */
uint64_t dialer_wait_ms(unsigned failures, uint32_t chance)
{
    uint64_t wait = DIALER_WAIT_MIN_MS;

    for (unsigned at = 0; at < failures && wait < DIALER_WAIT_MAX_MS; at++)
        wait *= 2;
    if (wait > DIALER_WAIT_MAX_MS)
        wait = DIALER_WAIT_MAX_MS;
    return wait - wait / 4 + chance % (wait / 2);
}

/* PROTOCOL LIMIT-7: "Where they never proved who they are, it is called three times, and every
 * eight hours from then on." */
uint64_t dialer_introduced_wait_ms(unsigned failures, uint32_t chance)
{
    uint64_t wait = dialer_wait_ms(failures, chance);

    if (failures < DIALER_INTRODUCED_TRIES - 1)
        return wait;
    return wait < DIALER_INTRODUCED_MS ? DIALER_INTRODUCED_MS : wait;
}

/* PROTOCOL LIMIT-5: "Addresses are called 10 times a minute while nobody was ever reached there, 10
 * times a second otherwise;" */
bool dialer_take(struct dialer *dialer, bool is_known, uint64_t now_ms)
{
    if (is_known)
        return bucket_take(&dialer->known_at_ms, 1000 / DIALER_KNOWN_PER_SECOND, 1,
                           DIALER_KNOWN_PER_SECOND, now_ms);
    return bucket_take(&dialer->unknown_at_ms, 60000 / DIALER_UNKNOWN_PER_MINUTE, 1,
                       DIALER_UNKNOWN_PER_MINUTE, now_ms);
}
