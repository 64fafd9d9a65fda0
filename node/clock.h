/* The only reader of the operating system's clocks. */
#ifndef KITH_NODE_CLOCK_H
#define KITH_NODE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds since 1970, as this machine believes; may jump. For display, expiry and tie-breaking
 * only. */
uint64_t clock_wall_ms(void);
/* Milliseconds that never go back; counts while the machine sleeps. For every timer. */
uint64_t clock_running_ms(void);
void clock_sleep_ms(uint64_t ms);
struct timespec;
/* The instant after ms, on CLOCK_MONOTONIC: for waits that end. */
void clock_after_ms(uint64_t ms, struct timespec *out);

/* "2026-12-01T09:00:00Z" as the clocks on the wall say here: "2026-12-01 10:00 CET". False when it
 * is no such time. */
bool clock_local(const char *utc, char *out, size_t size);

#endif
