/* Days are read and written the same, and calendars get lines they can read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/date.h"
#include "node/ical.h"

/* Every day from 1970 to 2199 is itself again, in order, with noon as its moment. */
static void date_days_are_themselves_again(void **state)
{
    (void)state;
    for (uint64_t day = 1; day < 84000; day++) {
        uint64_t ms = day * DATE_DAY_MS + DATE_DAY_MS / 2, again;
        char text[DATE_TEXT_SIZE];
        struct date date;

        date_write(ms, text);
        assert_int_equal(date_read(span_str(text), &date), ERR_OK);
        assert_int_equal(date_ms(&date, date.year), ms);
        assert_int_equal(date_read_ms(text, 0, &again), ERR_OK);
        assert_int_equal(again, ms);
    }
}

static void date_reads_what_cards_say(void **state)
{
    static const struct {
        const char *text;
        struct date date;
    } good[] = {{"1985-02-28", {1985, 2, 28}},
                {"19850228", {1985, 2, 28}},
                {"--02-29", {0, 2, 29}},
                {"--0229", {0, 2, 29}},
                {"2000-02-29", {2000, 2, 29}},
                {"1985-02-28T10:00:00Z", {1985, 2, 28}},
                {"1985-02-28 00:00", {1985, 2, 28}}};
    static const char *const bad[] = {"",           "2001-02-29", "1900-02-29", "2001-13-01",
                                      "2001-00-10", "2001-04-31", "2001-1-1",   "01/02/2003",
                                      "--",         "--13-01",    "0000-01-01", "2001-02-2x",
                                      "20010228x"};
    struct date date;
    uint64_t ms;

    (void)state;
    for (size_t at = 0; at < sizeof good / sizeof good[0]; at++) {
        assert_int_equal(date_read(span_str(good[at].text), &date), ERR_OK);
        assert_memory_equal(&date, &good[at].date, sizeof date);
    }
    for (size_t at = 0; at < sizeof bad / sizeof bad[0]; at++)
        assert_int_equal(date_read(span_str(bad[at]), &date), ERR_INVALID);
    /* 29 February falls on 1 March where the year has none. */
    assert_int_equal(date_ms(&(struct date){.month = 2, .day = 29}, 2027),
                     date_ms(&(struct date){.month = 3, .day = 1}, 2027));
    assert_int_equal(date_read_ms("1899-01-01", 0, &ms), ERR_INVALID);
}

static void date_spans_have_units(void **state)
{
    static const struct {
        const char *text;
        uint64_t days;
    } good[] = {{"1d", 1}, {"2w", 14}, {"3m", 90}, {"1y", 365}, {"10000d", 10000}};
    static const char *const bad[] = {"", "d", "0d", "10001d", "3", "3mo", "-1d", "3 d"};
    uint64_t days;

    (void)state;
    for (size_t at = 0; at < sizeof good / sizeof good[0]; at++) {
        assert_int_equal(date_read_span(good[at].text, &days), ERR_OK);
        assert_int_equal(days, good[at].days);
    }
    for (size_t at = 0; at < sizeof bad / sizeof bad[0]; at++)
        assert_int_equal(date_read_span(bad[at], &days), ERR_INVALID);
}

/* RFC 5545: escapes, lines of at most 75 octets folded between characters. */
static void ical_lines_are_folded_and_escaped(void **state)
{
    char summary[400];
    struct buf out = {0};
    size_t column = 0;

    (void)state;
    for (size_t at = 0; at + 2 < sizeof summary; at += 2)
        memcpy(summary + at, "\xc3\xbc", 2);
    summary[sizeof summary - 2] = '\0';
    memcpy(summary, "a,b;c\\d\ne", 9);
    summary[9] = ' ';
    ical_begin(&out);
    ical_add(&(struct ical_event){.uid = span_str("1@kith"),
                                  .summary = span_str(summary),
                                  .day_ms = UINT64_C(1772366400000),
                                  .stamp_ms = UINT64_C(1772366400000),
                                  .is_yearly = true},
             &out);
    ical_end(&out);
    assert_int_equal(buf_err(&out), ERR_OK);
    for (size_t at = 0; at < out.size; at++) {
        column = out.data[at] == '\n' ? 0 : column + 1;
        assert_true(column <= 76); /* 75 and the carriage return. */
        if (column == 2 && out.data[at - 1] == ' ')
            assert_true((out.data[at] & 0xc0) != 0x80);
    }
    buf_byte(&out, 0);
    assert_non_null(strstr((char *)out.data, "SUMMARY:a\\,b\\;c\\\\d\\ne "));
    assert_non_null(
        strstr((char *)out.data, "DTSTART;VALUE=DATE:20260301\r\nRRULE:FREQ=YEARLY\r\n"));
    assert_non_null(strstr((char *)out.data, "END:VEVENT\r\nEND:VCALENDAR\r\n"));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(date_days_are_themselves_again),
        cmocka_unit_test(date_reads_what_cards_say),
        cmocka_unit_test(date_spans_have_units),
        cmocka_unit_test(ical_lines_are_folded_and_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
