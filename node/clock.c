/* Two clocks: the wall's, which may jump, and the machine's, which may not. */
#include "node/clock.h"

#include <time.h>

static uint64_t clock_read(clockid_t which)
{
    struct timespec now;

    if (clock_gettime(which, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_wall_ms(void)
{
    return clock_read(CLOCK_REALTIME);
}

uint64_t clock_running_ms(void)
{
    return clock_read(CLOCK_BOOTTIME);
}

void clock_sleep_ms(uint64_t ms)
{
    struct timespec wait = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&wait, &wait) != 0)
        continue;
}

void clock_after_ms(uint64_t ms, struct timespec *out)
{
    (void)clock_gettime(CLOCK_MONOTONIC, out); /* This clock is always there. */
    out->tv_sec += (time_t)(ms / 1000);
    out->tv_nsec += (long)(ms % 1000) * 1000000;
    if (out->tv_nsec >= 1000000000) {
        out->tv_nsec -= 1000000000;
        out->tv_sec++;
    }
}

bool clock_local(const char *utc, char *out, size_t size)
{
    struct tm moment = {0}, here;
    time_t seconds;
    const char *end = strptime(utc, "%Y-%m-%dT%H:%M:%SZ", &moment);

    if (end == NULL || *end != '\0')
        return false;
    seconds = timegm(&moment);
    return localtime_r(&seconds, &here) != NULL && strftime(out, size, "%F %H:%M %Z", &here) > 0;
}
