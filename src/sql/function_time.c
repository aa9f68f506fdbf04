/* function_time.c -- functions on dates and times, with Java's patterns (yyyy-MM-dd HH:mm:ss.SSS).
 *
 * A timestamp is µs here, a DATE its midnight.  "Now" is one moment for all rows of a batch. */
#include "sql/function_int.h"

#include <string.h>

#include "base/calendar.h"
#include "base/env.h"
#include "base/text.h"
#include "base/zone.h"
#include "sql/function_call_int.h"

static const char *const unit_names[SQL_UNIT_COUNT] = {
    "YEAR",        "QUARTER", "MONTH", "WEEK",   "DAY",     "HOUR",  "MINUTE", "SECOND",  "MILLISECOND",
    "MICROSECOND", "DOY",     "DOW",   "ISODOW", "ISOYEAR", "EPOCH", "DECADE", "CENTURY", "MILLENNIUM",
};

int sql_unit_find(struct mr_str name)
{
    for (int i = 0; i < SQL_UNIT_COUNT; i++)
        if (mr_str_equal_nocase(name, mr_str_of(unit_names[i])))
            return i;
    return -1;
}

/* An argument as µs: a DATE its midnight, a TIME that of 1970-01-01. */
static int64_t call_us(const struct sql_call *c, uint32_t arg)
{
    int64_t v = sql_call_integer(c, arg);

    switch ((int)c->args[arg]->type->kind) {
    case DATA_DATE:
        return v * DATA_DAY_US;
    case DATA_TIME:
        return v * 1000;
    default:
        return v;
    }
}

/* ---- parts ---- */

/* Monday 1 to Sunday 7. */
static int weekday(int64_t day)
{
    return (int)(((day + 3) % 7 + 7) % 7) + 1;
}

/* The ISO week of DAY, and the year that it belongs to. */
static int iso_week(int64_t day, int64_t *year)
{
    int64_t thursday = day - weekday(day) + 4;
    int month, of_month;

    mr_date_of_days(thursday, year, &month, &of_month);
    return (int)((thursday - mr_days_of_date(*year, 1, 1)) / 7) + 1;
}

static int64_t date_part(int unit, int64_t day)
{
    int64_t year, iso_year;
    int month, of_month;

    mr_date_of_days(day, &year, &month, &of_month);
    switch (unit) {
    case SQL_UNIT_YEAR:
        return year;
    case SQL_UNIT_QUARTER:
        return (month - 1) / 3 + 1;
    case SQL_UNIT_MONTH:
        return month;
    case SQL_UNIT_WEEK:
        return iso_week(day, &iso_year);
    case SQL_UNIT_DAY:
        return of_month;
    case SQL_UNIT_DOY:
        return day - mr_days_of_date(year, 1, 1) + 1;
    case SQL_UNIT_DOW:
        return weekday(day) % 7 + 1;
    case SQL_UNIT_ISODOW:
        return weekday(day);
    case SQL_UNIT_ISOYEAR:
        (void)iso_week(day, &iso_year);
        return iso_year;
    case SQL_UNIT_DECADE:
        return year / 10;
    case SQL_UNIT_CENTURY:
        return (year + 99) / 100;
    default:
        return (year + 999) / 1000;
    }
}

static void call_extract(struct sql_call *c)
{
    int64_t us = call_us(c, 0), day = data_day_floor(us), of_day = us - day * DATA_DAY_US, v;

    switch (c->expr->op) {
    case SQL_UNIT_HOUR:
        v = of_day / INT64_C(3600000000);
        break;
    case SQL_UNIT_MINUTE:
        v = of_day / 60000000 % 60;
        break;
    case SQL_UNIT_SECOND:
        v = of_day / 1000000 % 60;
        break;
    case SQL_UNIT_MILLISECOND:
        v = of_day / 1000 % 1000; /* as in Flink: without the seconds */
        break;
    case SQL_UNIT_MICROSECOND:
        v = of_day % 1000000;
        break;
    case SQL_UNIT_EPOCH:
        v = mr_floor_div(us, 1000000);
        break;
    default:
        v = date_part(c->expr->op, day);
    }
    data_append_i64(c->out, v);
}

struct data_column *sql_kernel_extract(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    return sql_call_rows(expr, eval, selected, call_extract, NULL);
}

/* ---- FLOOR and CEIL … TO unit; column: 1 for CEIL ---- */

static int64_t day_floor(int unit, int64_t day)
{
    int64_t year;
    int month, of_month;

    mr_date_of_days(day, &year, &month, &of_month);
    switch (unit) {
    case SQL_UNIT_WEEK:
        return day - weekday(day) % 7; /* weeks begin on Sunday, as in Flink */
    case SQL_UNIT_MONTH:
        return day - of_month + 1;
    case SQL_UNIT_QUARTER:
        return mr_days_of_date(year, (month - 1) / 3 * 3 + 1, 1);
    case SQL_UNIT_YEAR:
        return mr_days_of_date(year, 1, 1);
    default:
        return day;
    }
}

static int64_t day_next(int unit, int64_t day)
{
    switch (unit) {
    case SQL_UNIT_WEEK:
        return day + 7;
    case SQL_UNIT_MONTH:
        return data_day_add_months(day, 1);
    case SQL_UNIT_QUARTER:
        return data_day_add_months(day, 3);
    case SQL_UNIT_YEAR:
        return data_day_add_months(day, 12);
    default:
        return day + 1;
    }
}

static void call_time_floor(struct sql_call *c)
{
    static const int64_t sizes[] = { [SQL_UNIT_HOUR] = INT64_C(3600000000),
                                     [SQL_UNIT_MINUTE] = 60000000,
                                     [SQL_UNIT_SECOND] = 1000000,
                                     [SQL_UNIT_MILLISECOND] = 1000,
                                     [SQL_UNIT_MICROSECOND] = 1 };
    int64_t us = call_us(c, 0), v;
    int unit = c->expr->op;

    if (unit >= SQL_UNIT_HOUR) {
        v = mr_floor_div(us, sizes[unit]) * sizes[unit];
        if (c->expr->column == 1 && v != us)
            v += sizes[unit];
    } else {
        int64_t day = day_floor(unit, data_day_floor(us));
        if (c->expr->column == 1 && day * DATA_DAY_US != us)
            day = day_next(unit, day);
        v = day * DATA_DAY_US;
    }
    if (!data_timestamp_valid(v))
        sql_call_fail(c, "the result is not within the years 1 to 9999");
    else if (c->expr->type->kind == DATA_DATE)
        data_append_i32(c->out, (int32_t)(v / DATA_DAY_US));
    else if (c->expr->type->kind == DATA_TIME)
        data_append_i32(c->out, (int32_t)(v / 1000 % 86400000));
    else
        data_append_i64(c->out, v);
}

struct data_column *sql_kernel_time_floor(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    return sql_call_rows(expr, eval, selected, call_time_floor, NULL);
}

/* ---- TIMESTAMPADD and TIMESTAMPDIFF; op: the unit; column: 1 for DIFF ---- */

static int64_t unit_months(int unit)
{
    return unit == SQL_UNIT_YEAR ? 12 : unit == SQL_UNIT_QUARTER ? 3 : unit == SQL_UNIT_MONTH ? 1 : 0;
}

static int64_t unit_us(int unit)
{
    static const int64_t sizes[] = {
        [SQL_UNIT_WEEK] = 7 * DATA_DAY_US, [SQL_UNIT_DAY] = DATA_DAY_US, [SQL_UNIT_HOUR] = INT64_C(3600000000),
        [SQL_UNIT_MINUTE] = 60000000,      [SQL_UNIT_SECOND] = 1000000,  [SQL_UNIT_MILLISECOND] = 1000,
        [SQL_UNIT_MICROSECOND] = 1
    };

    return sizes[unit];
}

/* Whole months from A to B: so many that A moved by them is not after B. */
static int64_t months_between(int64_t a, int64_t b)
{
    int64_t day_a = data_day_floor(a), day_b = data_day_floor(b), year_a, year_b, months, moved;
    int month_a, month_b, of_month;

    if (b < a)
        return -months_between(b, a);
    mr_date_of_days(day_a, &year_a, &month_a, &of_month);
    mr_date_of_days(day_b, &year_b, &month_b, &of_month);
    months = (year_b - year_a) * 12 + month_b - month_a;
    moved = data_day_add_months(day_a, months);
    return months - (moved > day_b || (moved == day_b && a - day_a * DATA_DAY_US > b - day_b * DATA_DAY_US));
}

static void call_timestamp_diff(struct sql_call *c)
{
    int64_t a = call_us(c, 0), b = call_us(c, 1), months = unit_months(c->expr->op);
    int64_t v = months != 0 ? months_between(a, b) / months : (b - a) / unit_us(c->expr->op);

    if (v != (int32_t)v)
        sql_call_fail(c, "the difference is too large for INT");
    else
        data_append_i32(c->out, (int32_t)v);
}

static void call_timestamp_add(struct sql_call *c)
{
    int64_t months = unit_months(c->expr->op), by = 0, v = 0;
    bool wrong = __builtin_mul_overflow(sql_call_integer(c, 0), months != 0 ? months : unit_us(c->expr->op), &by);

    if (!wrong && c->args[1]->type->kind == DATA_DATE && c->expr->type->kind == DATA_TIMESTAMP)
        wrong = !sql_time_move(c->expr->type, call_us(c, 1), months != 0, by, &v);
    else if (!wrong)
        wrong = !sql_time_move(c->args[1]->type, sql_call_integer(c, 1), months != 0, by, &v);
    if (wrong)
        sql_call_fail(c, "the result is not within the years 1 to 9999");
    else
        data_append_integer(c->out, v);
}

struct data_column *sql_kernel_timestamp_add(const struct sql_expr *expr, struct sql_eval *eval,
                                             const uint8_t *selected)
{
    return sql_call_rows(expr, eval, selected, expr->column == 1 ? call_timestamp_diff : call_timestamp_add, NULL);
}

/* ---- now ---- */

struct data_column *sql_kernel_now(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *out = sql_eval_column(expr, eval);
    int64_t now_us = mr_now_us(mr_env_real()), local_us, v = now_us / 1000 * 1000;
    const struct data_type shown = { .kind = DATA_TIMESTAMP_LTZ, .zone = expr->zone };

    MR_UNUSED(selected);
    local_us = data_timestamp_local(&shown, v);
    if (expr->op == SQL_NOW_LOCALTIMESTAMP)
        v = local_us;
    else if (expr->op == SQL_NOW_DATE)
        v = data_day_floor(local_us);
    else if (expr->op == SQL_NOW_TIME)
        v = (local_us - data_day_floor(local_us) * DATA_DAY_US) / 1000000 * 1000;
    else if (expr->op == SQL_NOW_SECONDS)
        v = now_us / 1000000;
    for (uint32_t i = 0; i < eval->rows; i++)
        data_append_integer(out, v);
    return out;
}

/* ---- Java's patterns ---- */

static const char *const month_names[] = { "January", "February", "March",     "April",   "May",      "June",
                                           "July",    "August",   "September", "October", "November", "December" };
static const char *const day_names[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

/* The next piece of PATTERN: a run of one letter in *LETTER and *COUNT, or other text (letter 0) in *TEXT. */
static bool pattern_next(struct mr_str *pattern, char *letter, int *count, struct mr_str *text)
{
    const char *p = pattern->data, *end = p + pattern->size;

    if (p == end)
        return false;
    *letter = 0;
    *count = 1;
    if ((*p | 32) >= 'a' && (*p | 32) <= 'z') {
        *letter = *p;
        while (p + *count < end && p[*count] == *letter)
            ++*count;
        p += *count;
    } else if (*p == '\'' && end - p > 1 && p[1] != '\'') {
        const char *close = memchr(p + 1, '\'', (size_t)(end - p - 1));
        if (close == NULL)
            close = end;
        *text = (struct mr_str){ p + 1, (size_t)(close - p - 1) };
        p = close == end ? end : close + 1;
    } else {
        *text = (struct mr_str){ p, 1 };
        p += *p == '\'' ? 2 : 1;
        if (p > end)
            p = end;
    }
    *pattern = (struct mr_str){ p, (size_t)(end - p) };
    return true;
}

static void name_write(struct mr_writer *out, const char *name, int count)
{
    mr_write_str(out, (struct mr_str){ name, count >= 4 ? strlen(name) : 3 });
}

static bool letter_write(struct mr_writer *out, char letter, int count, int64_t us)
{
    int64_t day = data_day_floor(us), of_day = us - day * DATA_DAY_US, year;
    int64_t hour = of_day / INT64_C(3600000000);
    int month, of_month;
    char fraction[8];

    mr_date_of_days(day, &year, &month, &of_month);
    if ((letter == 'M' || letter == 'L') && count >= 3)
        name_write(out, month_names[month - 1], count);
    else if (letter == 'E')
        name_write(out, day_names[weekday(day) - 1], count);
    else if (letter == 'a')
        mr_write_text(out, "%s", hour < 12 ? "AM" : "PM");
    else if (letter == 'S') {
        for (int i = 0, unit = 100000; i < 6; i++, unit /= 10)
            fraction[i] = (char)('0' + of_day % 1000000 / unit % 10);
        for (int i = 0; i < count; i++)
            mr_write_u8(out, i < 6 ? (uint8_t)fraction[i] : '0');
    } else {
        int64_t v = letter == 'y' || letter == 'u'   ? (count == 2 ? year % 100 : year)
                    : letter == 'M' || letter == 'L' ? month
                    : letter == 'd'                  ? of_month
                    : letter == 'D'                  ? date_part(SQL_UNIT_DOY, day)
                    : letter == 'H'                  ? hour
                    : letter == 'h'                  ? (hour + 11) % 12 + 1
                    : letter == 'k'                  ? (hour + 23) % 24 + 1
                    : letter == 'm'                  ? of_day / 60000000 % 60
                    : letter == 's'                  ? of_day / 1000000 % 60
                                                     : -1;
        if (v < 0)
            return false;
        mr_write_text(out, "%0*" PRId64, count > 18 ? 18 : count, v);
    }
    return true;
}

static bool pattern_write(struct mr_writer *out, struct mr_str pattern, int64_t us)
{
    struct mr_str text = MR_STR("");
    char letter;
    int count;

    while (pattern_next(&pattern, &letter, &count, &text)) {
        if (letter == 0)
            mr_write_str(out, text);
        else if (!letter_write(out, letter, count, us))
            return false;
    }
    return true;
}

/* What a pattern reads. */
struct fields {
    int64_t year;
    int month, day, hour, minute, second, half; /* half: 1 AM, 2 PM */
    int64_t us;
};

static bool number_take(struct mr_str *s, int digits_max, int64_t *out)
{
    int digits = 0;

    *out = 0;
    for (; digits < digits_max && s->size != 0 && s->data[0] >= '0' && s->data[0] <= '9'; digits++) {
        *out = *out * 10 + (s->data[0] - '0');
        *s = (struct mr_str){ s->data + 1, s->size - 1 };
    }
    return digits != 0;
}

static bool name_take(struct mr_str *s, const char *const *names, int name_count, int count, int *out)
{
    for (int i = 0; i < name_count; i++) {
        size_t size = count >= 4 ? strlen(names[i]) : 3;
        if (s->size >= size && strncasecmp(s->data, names[i], size) == 0) {
            *s = (struct mr_str){ s->data + size, s->size - size };
            *out = i + 1;
            return true;
        }
    }
    return false;
}

static bool letter_take(struct mr_str *s, char letter, int count, struct fields *f)
{
    int64_t v = 0, unit = 100000;
    int ignored;

    if ((letter == 'M' || letter == 'L') && count >= 3)
        return name_take(s, month_names, 12, count, &f->month);
    if (letter == 'E')
        return name_take(s, day_names, 7, count, &ignored);
    if (letter == 'a') {
        static const char *const halves[] = { "AM ", "PM " };
        if (s->size < 2 || (strncasecmp(s->data, halves[0], 2) != 0 && strncasecmp(s->data, halves[1], 2) != 0))
            return false;
        f->half = (s->data[0] | 32) == 'a' ? 1 : 2;
        *s = (struct mr_str){ s->data + 2, s->size - 2 };
        return true;
    }
    if (letter == 'S') {
        const char *from = s->data;
        if (!number_take(s, count, &v))
            return false;
        for (f->us = 0; from < s->data; from++, unit /= 10)
            f->us += (*from - '0') * unit;
        return true;
    }
    if (!number_take(s, letter == 'y' || letter == 'u' ? (count > 2 ? 4 : 2) : 2, &v))
        return false;
    switch (letter) {
    case 'y':
    case 'u':
        f->year = count == 2 ? 2000 + v : v;
        return true;
    case 'M':
    case 'L':
        f->month = (int)v;
        return true;
    case 'd':
        f->day = (int)v;
        return true;
    case 'H':
    case 'h':
    case 'k':
        f->hour = (int)v;
        return letter == 'H' || (v >= 1 && v <= (letter == 'h' ? 12 : 24));
    case 'm':
        f->minute = (int)v;
        return true;
    case 's':
        f->second = (int)v;
        return true;
    default:
        return false;
    }
}

/* TEXT read by PATTERN, as µs; false: it does not fit. */
static bool pattern_read(struct mr_str text, struct mr_str pattern, int64_t *out)
{
    struct fields f = { .year = 1970, .month = 1, .day = 1 };
    struct mr_str other = MR_STR("");
    char letter;
    int count;

    while (pattern_next(&pattern, &letter, &count, &other)) {
        if (letter != 0) {
            if (!letter_take(&text, letter, count, &f))
                return false;
            continue;
        }
        if (text.size < other.size || memcmp(text.data, other.data, other.size) != 0)
            return false;
        text = (struct mr_str){ text.data + other.size, text.size - other.size };
    }
    if (f.half != 0)
        f.hour = f.hour % 12 + (f.half == 2 ? 12 : 0);
    if (text.size != 0 || f.year < 1 || f.year > 9999 || f.month < 1 || f.month > 12 || f.day < 1 ||
        f.day > mr_month_days(f.year, f.month) || f.hour > 23 || f.minute > 59 || f.second > 59)
        return false;
    *out = mr_days_of_date(f.year, f.month, f.day) * DATA_DAY_US +
           ((int64_t)f.hour * 3600 + f.minute * 60 + f.second) * 1000000 + f.us;
    return true;
}

/* ---- texts and times ---- */

static int64_t zone_to_utc(const struct mr_zone *zone, int64_t us)
{
    int64_t seconds = mr_floor_div(us, 1000000);

    return mr_zone_to_utc(zone, seconds) * 1000000 + (us - seconds * 1000000);
}

static void call_to_timestamp(struct sql_call *c)
{
    struct mr_str text = sql_call_str(c, 0);
    bool fine;
    int64_t us = 0;

    if (c->expr->arg_count > 1)
        fine = pattern_read(text, sql_call_str(c, 1), &us);
    else
        fine = data_parse_timestamp(text, ' ', &us, NULL) == MR_OK;
    if (!fine)
        data_append_null(c->out);
    else if (c->expr->op == SQL_TIME_TO_DATE)
        data_append_i32(c->out, (int32_t)data_day_floor(us));
    else if (c->expr->op == SQL_TIME_UNIX_TIMESTAMP)
        data_append_i64(c->out, mr_floor_div(zone_to_utc(c->expr->zone, us), 1000000));
    else
        data_append_i64(c->out, data_timestamp_cut(us, 3));
}

/* TO_TIMESTAMP_LTZ(number, 0 or 3) */
static void call_to_timestamp_ltz(struct sql_call *c)
{
    int64_t precision = c->expr->arg_count > 1 ? sql_call_integer(c, 1) : 3, us = 0;

    if (precision != 0 && precision != 3) {
        sql_call_fail(c, "the precision is 0 (seconds) or 3 (milliseconds)");
        return;
    }
    if (__builtin_mul_overflow(sql_call_integer(c, 0), precision == 0 ? 1000000 : 1000, &us) ||
        !data_timestamp_valid(us))
        data_append_null(c->out);
    else
        data_append_i64(c->out, us);
}

static void pattern_call(struct sql_call *c, uint32_t pattern_arg, int64_t us)
{
    struct mr_str pattern = MR_STR("yyyy-MM-dd HH:mm:ss");

    if (c->expr->arg_count > pattern_arg)
        pattern = sql_call_str(c, pattern_arg);
    if (pattern_write(&c->text, pattern, us))
        sql_call_text(c);
    else
        sql_call_fail(c, "'%.*s' is no pattern made of y M d D E H h k a m s S",
                      (int)(pattern.size > 60 ? 60 : pattern.size), pattern.data);
}

static void call_format(struct sql_call *c)
{
    pattern_call(c, 1, call_us(c, 0));
}

static void call_from_unixtime(struct sql_call *c)
{
    const struct data_type shown = { .kind = DATA_TIMESTAMP_LTZ, .zone = c->expr->zone };
    int64_t us = 0;

    if (__builtin_mul_overflow(sql_call_integer(c, 0), 1000000, &us) || !data_timestamp_valid(us))
        sql_call_fail(c, "%" PRId64 " is not within the years 1 to 9999", sql_call_integer(c, 0));
    else
        pattern_call(c, 1, data_timestamp_local(&shown, us));
}

struct data_column *sql_kernel_time_call(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    static sql_call_fn *const calls[] = {
        [SQL_TIME_TO_TIMESTAMP] = call_to_timestamp,         [SQL_TIME_TO_DATE] = call_to_timestamp,
        [SQL_TIME_TO_TIMESTAMP_LTZ] = call_to_timestamp_ltz, [SQL_TIME_FORMAT] = call_format,
        [SQL_TIME_FROM_UNIXTIME] = call_from_unixtime,       [SQL_TIME_UNIX_TIMESTAMP] = call_to_timestamp,
    };

    return sql_call_rows(expr, eval, selected, calls[expr->op], NULL);
}
