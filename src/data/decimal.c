/* decimal.c -- exact decimal arithmetic: 128 bits of digits, 256 bits in between.
 *
 * A DECIMAL(p, s) is an integer of at most p digits; its value is that integer / 10^s.  Every result is exact and then
 * rounded once to its scale, half away from zero, as Flink's DecimalDataUtils; one that has too many digits is none. */
#include "data/data.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 u128;

/* A magnitude of 256 bits. */
struct u256 {
    u128 high, low;
};

data_i128 data_decimal_power(unsigned digits)
{
    data_i128 v = 1;

    assert(digits <= DATA_DECIMAL_DIGITS_MAX);
    while (digits-- > 0)
        v *= 10;
    return v;
}

static u128 magnitude(data_i128 v)
{
    return v < 0 ? 0 - (u128)v : (u128)v;
}

bool data_decimal_fits(data_i128 v, unsigned precision)
{
    return magnitude(v) < (u128)data_decimal_power(precision);
}

static struct u256 wide_mul(u128 a, u128 b)
{
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    u128 low = (u128)a0 * b0, mid = (u128)a1 * b0, mid2 = (u128)a0 * b1;
    u128 carry = (low >> 64) + (uint64_t)mid + (uint64_t)mid2;

    return (struct u256){ (u128)a1 * b1 + (mid >> 64) + (mid2 >> 64) + (carry >> 64), carry << 64 | (uint64_t)low };
}

static int wide_compare(struct u256 a, struct u256 b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

static struct u256 wide_add(struct u256 a, struct u256 b)
{
    struct u256 r = { a.high + b.high, a.low + b.low };

    r.high += r.low < a.low;
    return r;
}

static struct u256 wide_sub(struct u256 a, struct u256 b)
{
    struct u256 r = { a.high - b.high, a.low - b.low };

    r.high -= a.low < b.low;
    return r;
}

/* A / B and the rest; B is not 0 and below 2^255. */
static struct u256 wide_div(struct u256 a, struct u256 b, struct u256 *rest)
{
    struct u256 quotient = { 0, 0 }, r = { 0, 0 };

    if (a.high == 0 && b.high == 0) {
        *rest = (struct u256){ 0, a.low % b.low };
        return (struct u256){ 0, a.low / b.low };
    }
    for (int i = 255; i >= 0; i--) {
        u128 bit = (i >= 128 ? a.high >> (i - 128) : a.low >> i) & 1;
        r = (struct u256){ r.high << 1 | r.low >> 127, r.low << 1 | bit };
        quotient = (struct u256){ quotient.high << 1 | quotient.low >> 127, quotient.low << 1 };
        if (wide_compare(r, b) >= 0) {
            r = wide_sub(r, b);
            quotient.low |= 1;
        }
    }
    *rest = r;
    return quotient;
}

/* A / B to the nearest, half up. */
static struct u256 wide_div_round(struct u256 a, struct u256 b)
{
    struct u256 rest, quotient = wide_div(a, b, &rest);

    if (wide_compare(wide_sub(b, rest), rest) <= 0)
        quotient = wide_add(quotient, (struct u256){ 0, 1 });
    return quotient;
}

/* A * 10^DIGITS; false when it leaves 256 bits.  DIGITS may be more than 38. */
static bool wide_scale(struct u256 *a, unsigned digits)
{
    for (; digits != 0; digits--) {
        struct u256 twice = { a->high << 1 | a->low >> 127, a->low << 1 };
        if (a->high >> 124 != 0)
            return false;
        *a = wide_add((struct u256){ twice.high << 2 | twice.low >> 126, twice.low << 2 }, twice);
    }
    return true;
}

static bool wide_take(struct u256 m, bool negative, unsigned precision, data_i128 *out)
{
    if (m.high != 0 || m.low >= (u128)data_decimal_power(precision))
        return false;
    *out = negative ? -(data_i128)m.low : (data_i128)m.low;
    return true;
}

/* M of scale FROM as DECIMAL(PRECISION, SCALE). */
static bool wide_fit(struct u256 m, bool negative, unsigned from, unsigned precision, unsigned scale, data_i128 *out)
{
    if (from > scale) {
        struct u256 divisor = { 0, 1 };
        if (!wide_scale(&divisor, from - scale))
            return false;
        m = wide_div_round(m, divisor);
    } else if (!wide_scale(&m, scale - from)) {
        return false;
    }
    return wide_take(m, negative, precision, out);
}

bool data_decimal_rescale(data_i128 v, unsigned from, unsigned precision, unsigned scale, data_i128 *out)
{
    if (from == scale) {
        *out = v;
        return data_decimal_fits(v, precision);
    }
    return wide_fit((struct u256){ 0, magnitude(v) }, v < 0, from, precision, scale, out);
}

bool data_decimal_add(data_i128 a, unsigned a_scale, data_i128 b, unsigned b_scale, unsigned precision, unsigned scale,
                      data_i128 *out)
{
    unsigned common = a_scale > b_scale ? a_scale : b_scale;
    struct u256 x = { 0, magnitude(a) }, y = { 0, magnitude(b) }, sum;
    bool negative = a < 0;

    if (!wide_scale(&x, common - a_scale) || !wide_scale(&y, common - b_scale))
        return false;
    if ((a < 0) == (b < 0)) {
        sum = wide_add(x, y);
    } else if (wide_compare(x, y) >= 0) {
        sum = wide_sub(x, y);
    } else {
        sum = wide_sub(y, x);
        negative = !negative;
    }
    return wide_fit(sum, negative, common, precision, scale, out);
}

bool data_decimal_mul(data_i128 a, unsigned a_scale, data_i128 b, unsigned b_scale, unsigned precision, unsigned scale,
                      data_i128 *out)
{
    return wide_fit(wide_mul(magnitude(a), magnitude(b)), (a < 0) != (b < 0), a_scale + b_scale, precision, scale, out);
}

bool data_decimal_div(data_i128 a, unsigned a_scale, data_i128 b, unsigned b_scale, unsigned precision, unsigned scale,
                      data_i128 *out)
{
    struct u256 x = { 0, magnitude(a) }, y = { 0, magnitude(b) };
    int digits = (int)scale + (int)b_scale - (int)a_scale;

    assert(b != 0);
    if (digits >= 0 ? !wide_scale(&x, (unsigned)digits) : !wide_scale(&y, (unsigned)-digits))
        return false;
    return wide_take(wide_div_round(x, y), (a < 0) != (b < 0), precision, out);
}

bool data_decimal_mod(data_i128 a, unsigned a_scale, data_i128 b, unsigned b_scale, unsigned precision, unsigned scale,
                      data_i128 *out)
{
    unsigned common = a_scale > b_scale ? a_scale : b_scale;
    struct u256 x = { 0, magnitude(a) }, y = { 0, magnitude(b) }, rest;

    assert(b != 0);
    if (!wide_scale(&x, common - a_scale) || !wide_scale(&y, common - b_scale))
        return false;
    (void)wide_div(x, y, &rest);
    return wide_fit(rest, a < 0, common, precision, scale, out);
}

int data_decimal_compare(data_i128 a, unsigned a_scale, data_i128 b, unsigned b_scale)
{
    struct u256 x = { 0, magnitude(a) }, y = { 0, magnitude(b) };
    int way;

    if (a_scale == b_scale || (a < 0) != (b < 0))
        return a < b ? -1 : a > b;
    if (!wide_scale(&x, a_scale < b_scale ? b_scale - a_scale : 0) ||
        !wide_scale(&y, b_scale < a_scale ? a_scale - b_scale : 0))
        assert(!"38 digits by 38 digits fit in 256 bits");
    way = wide_compare(x, y);
    return a < 0 ? -way : way;
}

/* ---- text ---- */

/* A number's text: [digits_at, digits_end) with a point among them perhaps, and an exponent. */
struct decimal_text {
    struct mr_str digits;
    int64_t point; /* digits in front of the point, the exponent applied */
    bool negative;
};

static bool text_scan(struct mr_str text, struct decimal_text *out)
{
    size_t i = 0, digits = 0, start;
    int64_t exponent = 0, before = -1;
    bool minus;

    *out = (struct decimal_text){ 0 };
    if (i < text.size && (text.data[i] == '-' || text.data[i] == '+'))
        out->negative = text.data[i++] == '-';
    start = i;
    for (; i < text.size && ((text.data[i] >= '0' && text.data[i] <= '9') || (text.data[i] == '.' && before < 0));
         i++) {
        if (text.data[i] == '.')
            before = (int64_t)digits;
        else
            digits++;
    }
    out->digits = (struct mr_str){ text.data + start, i - start };
    out->point = before < 0 ? (int64_t)digits : before;
    if (digits == 0)
        return false;
    if (i == text.size)
        return true;
    if (text.data[i] != 'e' && text.data[i] != 'E')
        return false;
    i++;
    minus = i < text.size && text.data[i] == '-';
    if (i < text.size && (text.data[i] == '-' || text.data[i] == '+'))
        i++;
    if (i == text.size)
        return false;
    for (; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
        if (exponent < 1000000)
            exponent = exponent * 10 + (text.data[i] - '0');
    out->point += minus ? -exponent : exponent;
    return i == text.size;
}

enum mr_status data_parse_decimal(struct mr_str text, unsigned precision, unsigned scale, data_i128 *out)
{
    struct decimal_text t;
    int64_t left; /* digits that the value still takes */
    data_i128 limit = data_decimal_power(precision), v = 0;
    bool round_up = false;

    while (text.size != 0 && (uint8_t)text.data[0] <= ' ')
        text = (struct mr_str){ text.data + 1, text.size - 1 };
    while (text.size != 0 && (uint8_t)text.data[text.size - 1] <= ' ')
        text.size--;
    if (!text_scan(text, &t))
        return MR_INVALID;
    left = t.point + (int64_t)scale;
    for (size_t i = 0; i < t.digits.size; i++) {
        if (t.digits.data[i] == '.')
            continue;
        if (left-- <= 0) {
            round_up = left == -1 && t.digits.data[i] >= '5';
            break;
        }
        v = v * 10 + (t.digits.data[i] - '0');
        if (v >= limit)
            return MR_LIMIT;
    }
    for (; left > 0 && v != 0; left--) {
        v *= 10;
        if (v >= limit)
            return MR_LIMIT;
    }
    v += round_up;
    if (v >= limit)
        return MR_LIMIT;
    *out = t.negative ? -v : v;
    return MR_OK;
}

size_t data_decimal_format(char out[DATA_DECIMAL_BYTES], data_i128 v, unsigned scale)
{
    char text[DATA_DECIMAL_BYTES];
    size_t at = sizeof(text), size;
    u128 rest = magnitude(v);

    for (unsigned digits = 0; rest != 0 || digits <= scale; digits++) {
        if (digits == scale && scale != 0)
            text[--at] = '.';
        text[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    if (v < 0)
        text[--at] = '-';
    size = sizeof(text) - at;
    memcpy(out, text + at, size);
    return size;
}

double data_decimal_to_double(data_i128 v, unsigned scale)
{
    char text[DATA_DECIMAL_BYTES + 1];

    if (magnitude(v) < (u128)1 << 53 && scale <= 22)
        return (double)(int64_t)v / (double)data_decimal_power(scale); /* both exact: rounded once */
    text[data_decimal_format(text, v, scale)] = '\0';
    return strtod(text, NULL);
}

bool data_decimal_of_double(double v, unsigned precision, unsigned scale, data_i128 *out)
{
    char text[40];

    return isfinite(v) &&
           data_parse_decimal((struct mr_str){ text, mr_format_f64(text, v) }, precision, scale, out) == MR_OK;
}
