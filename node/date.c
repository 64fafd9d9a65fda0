/* Days since 1970 by the civil calendar: H. Hinnant, chrono-compatible low-level date algorithms.
 */
#include "node/date.h"

#include <stdio.h>
#include <string.h>

enum { DATE_SPAN_MAX = 10000, DATE_YEAR_MIN = 1, DATE_YEAR_MAX = 9999 };

static bool date_is_leap(uint16_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint8_t date_month_days(uint16_t year, uint8_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    /* The year 0 stands for any: it may have a 29 February. */
    return (uint8_t)(days[month - 1] + (month == 2 && (year == 0 || date_is_leap(year))));
}

static int64_t date_days(int64_t year, unsigned month, unsigned day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t of_era = shifted - era * 400;
    int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

uint64_t date_ms(const struct date *date, uint16_t year)
{
    int64_t days = date_days(date->year > 0 ? date->year : year, date->month, date->day);

    return days > 0 ? (uint64_t)days * DATE_DAY_MS + DATE_DAY_MS / 2 : 0;
}

void date_of(uint64_t ms, struct date *out)
{
    int64_t days = (int64_t)(ms / DATE_DAY_MS) + 719468;
    int64_t era = days / 146097, of_era = days % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    out->day = (uint8_t)(of_year - (153 * month + 2) / 5 + 1);
    out->month = (uint8_t)(month < 10 ? month + 3 : month - 9);
    out->year = (uint16_t)(year + era * 400 + (out->month <= 2));
}

void date_write(uint64_t ms, char out[static DATE_TEXT_SIZE])
{
    struct date date;

    date_of(ms, &date);
    if (date.year > DATE_YEAR_MAX)
        date.year = DATE_YEAR_MAX;
    (void)snprintf(out, DATE_TEXT_SIZE, "%04u-%02u-%02u", date.year % 10000u, date.month % 100u,
                   date.day % 100u);
}

/* Takes count digits; false when they are not there. */
static bool date_take(struct span *text, size_t count, unsigned *out)
{
    unsigned value = 0;

    if (text->size < count)
        return false;
    for (size_t at = 0; at < count; at++) {
        if (text->data[at] < '0' || text->data[at] > '9')
            return false;
        value = value * 10 + (unsigned)(text->data[at] - '0');
    }
    *text = span_of(text->data + count, text->size - count);
    *out = value;
    return true;
}

static bool date_skip(struct span *text, const char *what)
{
    size_t size = strlen(what);

    if (text->size < size || memcmp(text->data, what, size) != 0)
        return false;
    *text = span_of(text->data + size, text->size - size);
    return true;
}

enum err date_read(struct span text, struct date *out)
{
    unsigned year = 0, month, day;
    bool has_year = !date_skip(&text, "--");

    if (has_year && (!date_take(&text, 4, &year) || year < DATE_YEAR_MIN))
        return ERR_INVALID;
    (void)(has_year && date_skip(&text, "-"));
    if (!date_take(&text, 2, &month))
        return ERR_INVALID;
    (void)date_skip(&text, "-"); /* It may be left out. */
    if (!date_take(&text, 2, &day) || (text.size > 0 && text.data[0] != 'T' && text.data[0] != ' '))
        return ERR_INVALID;
    if (month < 1 || month > 12 || day < 1 || day > date_month_days((uint16_t)year, (uint8_t)month))
        return ERR_INVALID;
    *out = (struct date){.year = (uint16_t)year, .month = (uint8_t)month, .day = (uint8_t)day};
    return ERR_OK;
}

enum err date_read_ms(const char *text, uint64_t now_ms, uint64_t *out_ms)
{
    uint64_t noon = now_ms / DATE_DAY_MS * DATE_DAY_MS + DATE_DAY_MS / 2;
    struct date date;
    enum err err;

    *out_ms = noon;
    if (strcmp(text, "today") == 0)
        return ERR_OK;
    if (strcmp(text, "yesterday") == 0)
        *out_ms = noon - DATE_DAY_MS;
    if (strcmp(text, "tomorrow") == 0)
        *out_ms = noon + DATE_DAY_MS;
    if (*out_ms != noon)
        return ERR_OK;
    err = date_read(span_str(text), &date);
    if (err == ERR_OK && (date.year < 1900 || date.year > 2199))
        err = ERR_INVALID;
    if (err == ERR_OK)
        *out_ms = date_ms(&date, date.year);
    return err;
}

void date_ago(uint64_t ms, uint64_t now_ms, char out[static DATE_AGO_SIZE])
{
    static const struct {
        unsigned days; /* up to so many the unit is used */
        unsigned unit;
        const char *name;
    } units[] = {{13, 1, "day"}, {59, 7, "week"}, {729, 30, "month"}, {UINT16_MAX, 365, "year"}};
    uint64_t days = now_ms / DATE_DAY_MS - ms / DATE_DAY_MS;
    size_t at = 0;

    if (now_ms / DATE_DAY_MS < ms / DATE_DAY_MS || days > UINT16_MAX) {
        (void)snprintf(out, DATE_AGO_SIZE, "some day");
        return;
    }
    if (days < 2) {
        (void)snprintf(out, DATE_AGO_SIZE, "%s", days == 0 ? "today" : "yesterday");
        return;
    }
    while (days > units[at].days)
        at++;
    (void)snprintf(out, DATE_AGO_SIZE, "%u %ss ago", (unsigned)(days / units[at].unit),
                   units[at].name);
}

enum err date_read_span(const char *text, uint64_t *out_days)
{
    static const struct {
        char unit;
        uint64_t days;
    } units[] = {{'d', 1}, {'w', 7}, {'m', 30}, {'y', 365}};
    uint64_t number = 0;
    const char *at = text;

    while (*at >= '0' && *at <= '9' && number <= DATE_SPAN_MAX)
        number = number * 10 + (uint64_t)(*at++ - '0');
    if (at == text || number == 0 || number > DATE_SPAN_MAX || at[0] == '\0' || at[1] != '\0')
        return ERR_INVALID;
    for (size_t unit = 0; unit < sizeof units / sizeof units[0]; unit++)
        if (units[unit].unit == *at) {
            *out_days = number * units[unit].days;
            return ERR_OK;
        }
    return ERR_INVALID;
}
