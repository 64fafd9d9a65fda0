/* iCalendar (RFC 5545): all-day events, for the calendars people already have. Pure. */
#ifndef KITH_NODE_ICAL_H
#define KITH_NODE_ICAL_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/span.h"

struct ical_event {
    struct span uid;     /* the same whenever it is written again; no line ends */
    struct span summary; /* any text */
    uint64_t day_ms;
    uint64_t stamp_ms; /* when it was written */
    bool is_yearly;
};

void ical_begin(struct buf *out);
/* Texts are escaped (3.3.11) and lines folded at 75 octets between characters (3.1). */
void ical_add(const struct ical_event *event, struct buf *out);
void ical_end(struct buf *out);

#endif
