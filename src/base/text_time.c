/* text_time.c -- dates and times of the proleptic Gregorian calendar, UTC, without the C library's time zones. */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>

enum { DAY_MS = 86400000 };

/* Days since 1970-01-01 of a date, and back (H. Hinnant's "chrono-compatible low-level date algorithms": years begin in
 * March, eras have 400 years). */
static int64_t days_of_date(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;

    *day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

size_t mr_format_time_ms(char *out, int64_t ms, char separator)
{
    int64_t days = ms / DAY_MS - (ms % DAY_MS < 0);
    int64_t rest = ms - days * DAY_MS;
    int64_t year;
    int month;
    int day;
    int length;

    date_of_days(days, &year, &month, &day);
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

static int month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(struct mr_str text, size_t *at, int64_t *ms)
{
    int year = take_digits(text, at, 4);
    int month = take_char(text, at, '-') ? take_digits(text, at, 2) : -1;
    int day = take_char(text, at, '-') ? take_digits(text, at, 2) : -1;

    if (year < 0 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    *ms = days_of_date(year, month, day) * DAY_MS;
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
