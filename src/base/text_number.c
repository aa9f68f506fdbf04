/* text_number.c -- numbers, durations and sizes from text and to text, whatever the locale. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT_MAX = 400 };

enum mr_status mr_parse_i64(struct mr_str text, int64_t *out)
{
    size_t i = 0;
    bool negative = false;
    int64_t v = 0;

    if (i < text.size && (text.data[i] == '-' || text.data[i] == '+'))
        negative = text.data[i++] == '-';
    if (i == text.size)
        return MR_INVALID;
    for (; i < text.size; i++) {
        int digit = text.data[i] - '0';

        if (digit < 0 || digit > 9)
            return MR_INVALID;
        /* Counted downwards, since the range reaches one further below zero than above. */
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v))
            return MR_INVALID;
    }
    if (!negative && __builtin_sub_overflow(0, v, &v))
        return MR_INVALID;
    *out = v;
    return MR_OK;
}

/* A decimal number: digits * 10^exponent, when has_all. */
struct decimal {
    uint64_t digits;
    int exponent;
    bool negative;
    bool has_all; /* false: more digits than fit, or an exponent out of sight */
};

/* Takes the digits at TEXT[*AT]; how many there were. */
static size_t decimal_digits(struct decimal *d, struct mr_str text, size_t *at)
{
    size_t begin = *at;

    for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at) {
        if (d->digits >= UINT64_C(1000000000000000000))
            d->has_all = false;
        else
            d->digits = d->digits * 10 + (uint64_t)(text.data[*at] - '0');
    }
    return *at - begin;
}

static bool decimal_scan(struct decimal *d, struct mr_str text)
{
    struct decimal exponent = { .has_all = true };
    size_t i = 0, digits, fraction = 0;

    *d = (struct decimal){ .has_all = true };
    if (i < text.size && (text.data[i] == '-' || text.data[i] == '+'))
        d->negative = text.data[i++] == '-';
    digits = decimal_digits(d, text, &i);
    if (i < text.size && text.data[i] == '.') {
        i++;
        fraction = decimal_digits(d, text, &i);
    }
    if (digits + fraction == 0)
        return false;
    if (i < text.size && (text.data[i] == 'e' || text.data[i] == 'E')) {
        i++;
        if (i < text.size && (text.data[i] == '-' || text.data[i] == '+'))
            exponent.negative = text.data[i++] == '-';
        if (decimal_digits(&exponent, text, &i) == 0)
            return false;
    }
    if (exponent.digits > NUMBER_TEXT_MAX || fraction > NUMBER_TEXT_MAX)
        d->has_all = false;
    else
        d->exponent = (exponent.negative ? -(int)exponent.digits : (int)exponent.digits) - (int)fraction;
    return i == text.size;
}

/* Digits up to 2^53 and powers of ten up to 10^22 are exact, so their product or quotient is rounded just once. */
static bool decimal_exact(const struct decimal *d, double *out)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    double v = (double)d->digits;

    if (!d->has_all || d->digits > UINT64_C(1) << 53 || abs(d->exponent) >= (int)MR_COUNT(powers))
        return false;
    v = d->exponent < 0 ? v / powers[-d->exponent] : v * powers[d->exponent];
    *out = d->negative ? -v : v;
    return true;
}

enum mr_status mr_parse_f64(struct mr_str text, double *out)
{
    char copy[NUMBER_TEXT_MAX];
    struct decimal d;

    if (text.size >= sizeof(copy) || !decimal_scan(&d, text))
        return MR_INVALID;
    if (decimal_exact(&d, out))
        return MR_OK;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *out = strtod(copy, NULL); /* the program never calls setlocale, so the point is a point */
    return MR_OK;
}

/* Java's form of the shortest digits: plain between 1e-3 and 1e7, else d.dddE±x. */
static size_t format_java(char *out, const char *scientific)
{
    char digits[32] = "0"; /* there is one always, which the analyzer can't know */
    size_t digit_count = 0;
    const char *p = scientific;
    char *at = out;
    int exponent;

    if (*p == '-')
        *at++ = *p++;
    for (; *p != 'e'; p++) {
        if (*p != '.')
            digits[digit_count++] = *p;
    }
    exponent = atoi(p + 1);
    while (digit_count > 1 && digits[digit_count - 1] == '0')
        digit_count--;
    if (exponent >= -3 && exponent < 7) {
        int whole = exponent + 1;

        for (int i = whole; i <= 0; i++) {
            *at++ = '0';
            if (i == whole)
                *at++ = '.';
        }
        for (int i = 0; i < (int)digit_count || i < whole; i++) {
            if (i == whole && whole > 0)
                *at++ = '.';
            *at++ = i < (int)digit_count ? digits[i] : '0';
        }
        if ((int)digit_count <= whole) {
            *at++ = '.';
            *at++ = '0';
        }
    } else {
        *at++ = digits[0];
        *at++ = '.';
        if (digit_count == 1)
            *at++ = '0';
        memcpy(at, digits + 1, digit_count - 1);
        at += digit_count - 1;
        at += sprintf(at, "E%d", exponent);
    }
    *at = '\0';
    return (size_t)(at - out);
}

static size_t format_special(char *out, double v)
{
    if (isnan(v))
        return (size_t)sprintf(out, "NaN");
    if (isinf(v))
        return (size_t)sprintf(out, v < 0 ? "-Infinity" : "Infinity");
    return (size_t)sprintf(out, signbit(v) ? "-0.0" : "0.0");
}

/* Most numbers have few decimals.  With the fewest, V is digits / 10^decimals; both are exact, so their quotient,
 * rounded once, is what the text reads back as.  0: not such a number. */
static size_t format_plain(char *out, double v, bool is_float)
{
    static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };
    const double exact_max = 9007199254740992.0;
    double size = fabs(v);

    if (!(size >= 1e-3 && size < 1e7))
        return 0;
    for (size_t decimals = 0; decimals < sizeof(powers) / sizeof(powers[0]); decimals++) {
        double scaled = rint(size * powers[decimals]);
        double back = scaled / powers[decimals];
        char digits[24], *at = out, *d = digits + sizeof(digits);
        uint64_t rest;

        if (scaled >= exact_max)
            return 0;
        if (is_float ? (float)back != (float)size : back != size)
            continue;
        rest = (uint64_t)scaled * (decimals == 0 ? 10 : 1); /* a zero after the point is always there */
        for (size_t i = 0; i <= (decimals == 0 ? 1 : decimals) || rest != 0; i++) {
            if (i == (decimals == 0 ? 1 : decimals))
                *--d = '.';
            *--d = (char)('0' + rest % 10);
            rest /= 10;
        }
        if (v < 0)
            *at++ = '-';
        memcpy(at, d, (size_t)(digits + sizeof(digits) - d));
        at += digits + sizeof(digits) - d;
        *at = '\0';
        return (size_t)(at - out);
    }
    return 0;
}

size_t mr_format_f64(char *out, double v)
{
    char scientific[40];
    size_t size;

    if (isnan(v) || isinf(v) || v == 0)
        return format_special(out, v);
    size = format_plain(out, v, false);
    if (size != 0)
        return size;
    for (int precision = 0; precision <= DBL_DECIMAL_DIG; precision++) {
        snprintf(scientific, sizeof(scientific), "%.*e", precision, v);
        if (strtod(scientific, NULL) == v)
            break;
    }
    return format_java(out, scientific);
}

size_t mr_format_f32(char *out, float v)
{
    char scientific[40];
    size_t size;

    if (isnan(v) || isinf(v) || v == 0)
        return format_special(out, (double)v);
    size = format_plain(out, (double)v, true);
    if (size != 0)
        return size;
    for (int precision = 0; precision <= FLT_DECIMAL_DIG; precision++) {
        snprintf(scientific, sizeof(scientific), "%.*e", precision, (double)v);
        if (strtof(scientific, NULL) == v)
            break;
    }
    return format_java(out, scientific);
}

struct unit {
    const char *name;
    int64_t factor;
};

static enum mr_status parse_with_unit(struct mr_str text, const struct unit *units, size_t unit_count, int64_t *out)
{
    size_t digits = 0;
    size_t unit;
    int64_t v;

    while (text.size > 0 && text.data[0] == ' ') {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && text.data[text.size - 1] == ' ')
        text.size--;
    while (digits < text.size && isdigit((unsigned char)text.data[digits]))
        digits++;
    if (digits == 0 || mr_parse_i64((struct mr_str){ text.data, digits }, &v) != MR_OK)
        return MR_INVALID;
    for (unit = digits; unit < text.size && text.data[unit] == ' '; unit++)
        continue;
    for (size_t i = 0; i < unit_count; i++) {
        if (!mr_str_equal_nocase((struct mr_str){ text.data + unit, text.size - unit }, mr_str_of(units[i].name)))
            continue;
        if (__builtin_mul_overflow(v, units[i].factor, &v))
            return MR_INVALID;
        *out = v;
        return MR_OK;
    }
    return MR_INVALID;
}

enum mr_status mr_parse_duration_ms(struct mr_str text, int64_t *out)
{
    static const struct unit units[] = {
        { "", 1 },
        { "ms", 1 },
        { "milli", 1 },
        { "millis", 1 },
        { "millisecond", 1 },
        { "milliseconds", 1 },
        { "s", 1000 },
        { "sec", 1000 },
        { "secs", 1000 },
        { "second", 1000 },
        { "seconds", 1000 },
        { "m", 60000 },
        { "min", 60000 },
        { "mins", 60000 },
        { "minute", 60000 },
        { "minutes", 60000 },
        { "h", 3600000 },
        { "hour", 3600000 },
        { "hours", 3600000 },
        { "d", 86400000 },
        { "day", 86400000 },
        { "days", 86400000 },
    };

    return parse_with_unit(text, units, MR_COUNT(units), out);
}

enum mr_status mr_parse_size(struct mr_str text, int64_t *out)
{
    static const struct unit units[] = {
        { "", 1 },
        { "b", 1 },
        { "k", 1 << 10 },
        { "kb", 1 << 10 },
        { "kib", 1 << 10 },
        { "m", 1 << 20 },
        { "mb", 1 << 20 },
        { "mib", 1 << 20 },
        { "g", 1 << 30 },
        { "gb", 1 << 30 },
        { "gib", 1 << 30 },
        { "t", (int64_t)1 << 40 },
        { "tb", (int64_t)1 << 40 },
        { "tib", (int64_t)1 << 40 },
    };

    return parse_with_unit(text, units, MR_COUNT(units), out);
}
