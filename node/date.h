/*
 * Days as people type and read them. A day is the moment of its noon, UTC, so that it stays the
 * same day in every place a person is likely to be. Pure.
 */
#ifndef KITH_NODE_DATE_H
#define KITH_NODE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/span.h"

enum { DATE_TEXT_SIZE = 11 };
#define DATE_DAY_MS UINT64_C(86400000)

struct date {
    uint16_t year; /* 0: a day of every year, as some birthdays are */
    uint8_t month, day;
};

/* "2026-03-01", "20260301", "--03-01", "--0301", each with a time behind it or not. ERR_INVALID
 * when there is no such day; 29 February needs no year that has one when the year is left out. */
MUST_USE enum err date_read(struct span text, struct date *out);
/* As date_read with a year, and "today", "yesterday", "tomorrow". */
MUST_USE enum err date_read_ms(const char *text, uint64_t now_ms, uint64_t *out_ms);
/* Noon of the day; a day without a year is that of the given year, 29 February then 1 March where
 * the year has none. */
uint64_t date_ms(const struct date *date, uint16_t year);
void date_of(uint64_t ms, struct date *out);
void date_write(uint64_t ms, char out[static DATE_TEXT_SIZE]);
/* "today", "yesterday", "3 days ago", "8 months ago", "2 years ago"; "some day" for a day to come.
 */
enum { DATE_AGO_SIZE = 24 };
void date_ago(uint64_t ms, uint64_t now_ms, char out[static DATE_AGO_SIZE]);
/* A number of d, w, m or y (30 and 365 days for the last two), in days. ERR_INVALID. */
MUST_USE enum err date_read_span(const char *text, uint64_t *out_days);

#endif
