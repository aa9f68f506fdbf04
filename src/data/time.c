/* time.c -- dates, times and timestamps: the calendar, and their texts as Flink reads and writes them.
 *
 *   date        2024-02-09; months and days may have one digit; a time after a blank is passed over
 *   time        12:03:04.5, 12:03, 12; each part may have one digit
 *   timestamp   a date, then nothing (midnight) or the separator and H:M:S[.f]; digits after the sixth are cut off */
#include "data/data.h"

#include "base/calendar.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { YEAR_MAX = 9999, FRACTION_DIGITS_MAX = 9 };

int64_t data_day_floor(int64_t us)
{
    return mr_floor_div(us, DATA_DAY_US);
}

int64_t data_day_add_months(int64_t days, int64_t months)
{
    int64_t year, total;
    int month, day;

    mr_date_of_days(days, &year, &month, &day);
    total = year * 12 + month - 1 + months;
    year = mr_floor_div(total, 12);
    month = (int)(total - year * 12) + 1;
    return mr_days_of_date(year, month, day > mr_month_days(year, month) ? mr_month_days(year, month) : day);
}

bool data_timestamp_valid(int64_t us)
{
    return us >= DATA_DAY_MIN * DATA_DAY_US && us < (DATA_DAY_MAX + 1) * DATA_DAY_US;
}

int64_t data_timestamp_cut(int64_t us, unsigned precision)
{
    static const int64_t units[] = { 1000000, 100000, 10000, 1000, 100, 10 };
    int64_t unit, rest;

    if (precision >= MR_COUNT(units))
        return us;
    unit = units[precision];
    rest = us % unit;
    return us - rest - (rest < 0 ? unit : 0);
}

/* ---- reading ---- */

static bool take_char(struct mr_str *s, char c)
{
    if (s->size == 0 || s->data[0] != c)
        return false;
    *s = (struct mr_str){ s->data + 1, s->size - 1 };
    return true;
}

/* 1 to DIGITS_MAX digits, at most MAX. */
static bool take_number(struct mr_str *s, int digits_max, int max, int *out)
{
    int value = 0, digits = 0;

    while (s->size != 0 && s->data[0] >= '0' && s->data[0] <= '9' && digits < digits_max) {
        value = value * 10 + (s->data[0] - '0');
        digits++;
        *s = (struct mr_str){ s->data + 1, s->size - 1 };
    }
    *out = value;
    return digits != 0 && value <= max;
}

static bool take_date(struct mr_str *s, int64_t *days)
{
    int year = 0, month = 0, day = 0;

    if (!take_number(s, 4, YEAR_MAX, &year) || year < 1 || !take_char(s, '-') || !take_number(s, 2, 12, &month) ||
        month < 1 || !take_char(s, '-') || !take_number(s, 2, 31, &day) || day < 1 || day > mr_month_days(year, month))
        return false;
    *days = mr_days_of_date(year, month, day);
    return true;
}

/* H[:M[:S[.f]]]; ALL: minutes and seconds must be there.  The time of day in *US. */
static bool take_time(struct mr_str *s, bool all, int64_t *us)
{
    int hour = 0, minute = 0, second = 0;
    int64_t fraction = 0, unit = 100000;
    bool more;

    if (!take_number(s, 2, 23, &hour))
        return false;
    more = take_char(s, ':');
    if ((!more && all) || (more && !take_number(s, 2, 59, &minute)))
        return false;
    more = more && take_char(s, ':');
    if ((!more && all) || (more && !take_number(s, 2, 59, &second)))
        return false;
    if (more && take_char(s, '.')) {
        int digits = 0;
        for (; s->size != 0 && s->data[0] >= '0' && s->data[0] <= '9'; digits++) {
            fraction += (s->data[0] - '0') * unit;
            unit /= 10;
            *s = (struct mr_str){ s->data + 1, s->size - 1 };
        }
        if (digits > FRACTION_DIGITS_MAX)
            return false;
    }
    *us = ((int64_t)hour * 3600 + minute * 60 + second) * 1000000 + fraction;
    return true;
}

/* Z, +01:00, +0100, +01 */
static bool take_zone(struct mr_str *s, int64_t *offset_us)
{
    int hours = 0, minutes = 0;
    bool minus;

    *offset_us = 0;
    if (take_char(s, 'Z'))
        return true;
    minus = take_char(s, '-');
    if (!minus && !take_char(s, '+'))
        return false;
    if (!take_number(s, 2, 18, &hours))
        return false;
    (void)take_char(s, ':');
    if (s->size != 0 && !take_number(s, 2, 59, &minutes))
        return false;
    *offset_us = (minus ? -1 : 1) * ((int64_t)hours * 60 + minutes) * 60000000;
    return true;
}

enum mr_status data_parse_date(struct mr_str text, int32_t *out)
{
    int64_t days, us;

    text = mr_str_trim(text);
    if (!take_date(&text, &days))
        return MR_INVALID;
    if (take_char(&text, ' ') && !take_time(&text, false, &us))
        return MR_INVALID;
    if (text.size != 0)
        return MR_INVALID;
    *out = (int32_t)days;
    return MR_OK;
}

enum mr_status data_parse_time(struct mr_str text, int32_t *out)
{
    int64_t us;

    text = mr_str_trim(text);
    if (!take_time(&text, false, &us) || text.size != 0)
        return MR_INVALID;
    *out = (int32_t)(us / 1000);
    return MR_OK;
}

enum mr_status data_parse_timestamp(struct mr_str text, char separator, int64_t *out, bool *zoned)
{
    int64_t days, us = 0, offset_us = 0;
    bool has_zone;

    text = mr_str_trim(text);
    if (!take_date(&text, &days))
        return MR_INVALID;
    if (text.size != 0 && (!take_char(&text, separator) || !take_time(&text, true, &us)))
        return MR_INVALID;
    has_zone = zoned != NULL && text.size != 0;
    if ((has_zone && !take_zone(&text, &offset_us)) || text.size != 0)
        return MR_INVALID;
    if (zoned != NULL)
        *zoned = has_zone;
    *out = days * DATA_DAY_US + us - offset_us;
    return data_timestamp_valid(*out) ? MR_OK : MR_INVALID;
}

/* ---- writing ---- */

static size_t digits_write(char *out, int64_t v, int width)
{
    for (int i = width; i-- > 0; v /= 10)
        out[i] = (char)('0' + v % 10);
    return (size_t)width;
}

size_t data_date_format(char out[DATA_TIME_BYTES], int64_t days)
{
    int64_t year;
    int month, day;

    mr_date_of_days(days, &year, &month, &day);
    assert(year >= 0 && year <= YEAR_MAX + 1);
    digits_write(out, year > YEAR_MAX ? YEAR_MAX : year, 4);
    out[4] = out[7] = '-';
    digits_write(out + 5, month, 2);
    digits_write(out + 8, day, 2);
    return 10;
}

static size_t clock_write(char *out, int64_t us, unsigned precision)
{
    int64_t seconds = us / 1000000, fraction = us % 1000000;
    size_t size = 8;

    digits_write(out, seconds / 3600, 2);
    digits_write(out + 3, seconds / 60 % 60, 2);
    digits_write(out + 6, seconds % 60, 2);
    out[2] = out[5] = ':';
    if (precision == 0)
        return size;
    out[size++] = '.';
    digits_write(out + size, fraction, 6);
    return size + (precision > 6 ? 6 : precision);
}

size_t data_time_format(char out[DATA_TIME_BYTES], int32_t ms, unsigned precision)
{
    return clock_write(out, (int64_t)ms * 1000, precision > 3 ? 3 : precision);
}

size_t data_timestamp_format(char out[DATA_TIME_BYTES], int64_t us, unsigned precision, char separator)
{
    int64_t days = data_day_floor(us);
    size_t size = data_date_format(out, days);

    out[size++] = separator;
    return size + clock_write(out + size, us - days * DATA_DAY_US, precision);
}
