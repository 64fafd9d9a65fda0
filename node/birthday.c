/* A year is often not known, and a day without one is a birthday all the same. */
#include "node/birthday.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "node/property.h"
#include "proto/contact.h"

struct span birthday_said(struct span extra)
{
    struct property property;

    if (!property_read(extra, &property) || property.name.size != 4 ||
        strncasecmp((const char *)property.name.data, "BDAY", 4) != 0)
        return span_of(NULL, 0);
    return property.value;
}

enum err birthday_find(const struct object *contact, struct date *out)
{
    const struct object_element *at;

    for (at = object_element_next(contact, CONTACT_EXTRAS, NULL); at != NULL;
         at = object_element_next(contact, CONTACT_EXTRAS, at)) {
        struct span said = birthday_said(at->value.bytes);

        if (said.size > 0)
            return date_read(said, out) == ERR_OK ? ERR_OK : ERR_NOT_FOUND;
    }
    return ERR_NOT_FOUND;
}

void birthday_text(const struct date *day, char out[static BIRTHDAY_SIZE])
{
    if (day->year == 0)
        (void)snprintf(out, BIRTHDAY_SIZE, "--%02u-%02u", day->month, day->day);
    else
        (void)snprintf(out, BIRTHDAY_SIZE, "%04u-%02u-%02u", day->year, day->month, day->day);
}

enum err birthday_write(struct span typed, char out[static BIRTHDAY_SIZE])
{
    char yearless[BIRTHDAY_SIZE], text[BIRTHDAY_SIZE];
    struct date day;

    (void)snprintf(yearless, sizeof yearless, "--%.*s", (int)(typed.size == 5 ? 5 : 0),
                   typed.size > 0 ? (const char *)typed.data : "");
    if (date_read(typed, &day) != ERR_OK && date_read(span_str(yearless), &day) != ERR_OK)
        return ERR_INVALID;
    birthday_text(&day, text);
    (void)snprintf(out, BIRTHDAY_SIZE, "BDAY:%.15s", text);
    return ERR_OK;
}
