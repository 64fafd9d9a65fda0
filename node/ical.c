/* Lines end in CRLF; a continued line begins with a space. */
#include "node/ical.h"

#include <stdio.h>
#include <string.h>

#include "node/date.h"

enum { ICAL_LINE_MAX = 75 };

static void ical_text(struct span text, struct buf *out)
{
    for (size_t at = 0; at < text.size; at++) {
        uint8_t letter = text.data[at];

        if (letter == '\\' || letter == ';' || letter == ',')
            buf_byte(out, '\\');
        if (letter == '\n')
            buf_append(out, span_str("\\n"));
        else if (letter >= ' ' && letter != 0x7f)
            buf_byte(out, letter);
    }
}

/* A continuation byte of UTF-8 never begins a line. */
static void ical_line(struct span line, struct buf *out)
{
    size_t column = 0;

    for (size_t at = 0; at < line.size; at++) {
        size_t rest = 1;

        while (at + rest < line.size && (line.data[at + rest] & 0xc0) == 0x80)
            rest++;
        if (column + rest > ICAL_LINE_MAX) {
            buf_append(out, span_str("\r\n "));
            column = 1;
        }
        buf_append(out, span_of(line.data + at, rest));
        column += rest;
        at += rest - 1;
    }
    buf_append(out, span_str("\r\n"));
}

static void ical_property(const char *name, struct span value, struct buf *out)
{
    struct buf line = {0};

    buf_append(&line, span_str(name));
    ical_text(value, &line);
    ical_line(buf_span(&line), out);
    out->is_failed |= line.is_failed;
    buf_release(&line);
}

static void ical_day(uint64_t ms, char out[static 9])
{
    struct date date;

    date_of(ms, &date);
    (void)snprintf(out, 9, "%04u%02u%02u", date.year % 10000u, date.month % 100u, date.day % 100u);
}

void ical_begin(struct buf *out)
{
    ical_line(span_str("BEGIN:VCALENDAR"), out);
    ical_line(span_str("VERSION:2.0"), out);
    ical_line(span_str("PRODID:-//kith//due//EN"), out);
}

void ical_add(const struct ical_event *event, struct buf *out)
{
    char day[9], line[64];

    ical_line(span_str("BEGIN:VEVENT"), out);
    ical_property("UID:", event->uid, out);
    ical_day(event->stamp_ms, day);
    (void)snprintf(line, sizeof line, "DTSTAMP:%sT%02u%02u%02uZ", day,
                   (unsigned)(event->stamp_ms / 3600000 % 24),
                   (unsigned)(event->stamp_ms / 60000 % 60),
                   (unsigned)(event->stamp_ms / 1000 % 60));
    ical_line(span_str(line), out);
    ical_day(event->day_ms, day);
    (void)snprintf(line, sizeof line, "DTSTART;VALUE=DATE:%s", day);
    ical_line(span_str(line), out);
    if (event->is_yearly)
        ical_line(span_str("RRULE:FREQ=YEARLY"), out);
    ical_property("SUMMARY:", event->summary, out);
    ical_line(span_str("TRANSP:TRANSPARENT"), out);
    ical_line(span_str("END:VEVENT"), out);
}

void ical_end(struct buf *out)
{
    ical_line(span_str("END:VCALENDAR"), out);
}
