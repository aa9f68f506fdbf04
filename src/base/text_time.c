/* text_time.c -- dates and times of the proleptic Gregorian calendar, UTC, without the C library's time zones. */
#include "base/text.h"

#include "base/calendar.h"

#include <ctype.h>
#include <stdio.h>

enum { DAY_MS = 86400000 };

size_t mr_format_time_ms(char *out, int64_t ms, char separator)
{
    int64_t days = mr_floor_div(ms, DAY_MS);
    int64_t rest = ms - days * DAY_MS;
    int64_t year;
    int month;
    int day;
    int length;

    mr_date_of_days(days, &year, &month, &day);
    length = snprintf(out, 32, "%04" PRId64 "-%02d-%02d%c%02d:%02d:%02d.%03d", year % 100000, month, day, separator,
                      (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
    return (size_t)length;
}

/* COUNT digits at *AT as a number, or -1. */
static int take_digits(struct mr_str text, size_t *at, int count)
{
    int v = 0;

    if (text.size - *at < (size_t)count)
        return -1;
    for (int i = 0; i < count; i++) {
        char c = text.data[*at + (size_t)i];

        if (!isdigit((unsigned char)c))
            return -1;
        v = v * 10 + (c - '0');
    }
    *at += (size_t)count;
    return v;
}

static bool take_char(struct mr_str text, size_t *at, char c)
{
    if (*at >= text.size || text.data[*at] != c)
        return false;
    ++*at;
    return true;
}

static bool take_date(struct mr_str text, size_t *at, int64_t *ms)
{
    int year = take_digits(text, at, 4);
    int month = take_char(text, at, '-') ? take_digits(text, at, 2) : -1;
    int day = take_char(text, at, '-') ? take_digits(text, at, 2) : -1;

    if (year < 0 || month < 1 || month > 12 || day < 1 || day > mr_month_days(year, month))
        return false;
    *ms = mr_days_of_date(year, month, day) * DAY_MS;
    return true;
}

static bool take_time(struct mr_str text, size_t *at, int64_t *ms)
{
    int hour = take_digits(text, at, 2);
    int minute = take_char(text, at, ':') ? take_digits(text, at, 2) : -1;
    int second = 0;
    int scale = 100;

    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    if (take_char(text, at, ':'))
        second = take_digits(text, at, 2);
    if (second < 0 || second > 59)
        return false;
    *ms += hour * 3600000 + minute * 60000 + second * 1000;
    if (!take_char(text, at, '.'))
        return true;
    if (*at >= text.size || !isdigit((unsigned char)text.data[*at]))
        return false;
    for (; *at < text.size && isdigit((unsigned char)text.data[*at]); ++*at, scale /= 10)
        *ms += scale * (text.data[*at] - '0');
    return true;
}

static bool take_zone(struct mr_str text, size_t *at, int64_t *ms)
{
    int sign;
    int hour;
    int minute;

    if (*at == text.size || take_char(text, at, 'Z') || take_char(text, at, 'z'))
        return true;
    if (take_char(text, at, '+'))
        sign = 1;
    else if (take_char(text, at, '-'))
        sign = -1;
    else
        return false;
    hour = take_digits(text, at, 2);
    take_char(text, at, ':');
    minute = *at < text.size ? take_digits(text, at, 2) : 0;
    if (hour < 0 || hour > 18 || minute < 0 || minute > 59)
        return false;
    *ms -= sign * (hour * 3600000 + minute * 60000);
    return true;
}

enum mr_status mr_parse_time_ms(struct mr_str text, int64_t *out)
{
    size_t at = 0;
    int64_t ms = 0;

    if (!take_date(text, &at, &ms))
        return MR_INVALID;
    if (at < text.size && (take_char(text, &at, 'T') || take_char(text, &at, ' '))) {
        if (!take_time(text, &at, &ms))
            return MR_INVALID;
    }
    if (!take_zone(text, &at, &ms) || at != text.size)
        return MR_INVALID;
    *out = ms;
    return MR_OK;
}
