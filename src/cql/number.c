/* number.c -- varint, decimal, date, time and duration as text and back.
 *
 *   varint    two's complement, big-endian, as short as it can be
 *   decimal   scale i32 | varint: the number is varint / 10^scale
 *   date      days u32, 1970-01-01 being 2^31
 *   time      nanoseconds since midnight i64
 *   duration  months, days, nanoseconds: vints (leading ones of the first byte count the bytes that follow), zigzag
 *
 * Long numbers go through limbs of nine decimal digits; the work grows with the square of the length, which
 * CQL_NUMBER_BYTES_MAX bounds. */
#include "cql/cql.h"

#include "base/calendar.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = CQL_NUMBER_BYTES_MAX * 12 / 5, LIMB = 1000000000, LIMB_DIGITS = 9 };
#define DAY_NS INT64_C(86400000000000)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- varint ---- */

void cql_varint_write(struct mr_writer *w, int64_t v)
{
    uint8_t bytes[8];
    size_t from = 0;

    mr_store_i64(bytes, v);
    while (from < 7 && bytes[from] == (v < 0 ? 0xff : 0) && (bytes[from + 1] & 0x80) == (v < 0 ? 0x80 : 0))
        from++;
    mr_write_bytes(w, (struct mr_bytes){ bytes + from, sizeof(bytes) - from });
}

int64_t cql_varint_clamp(struct mr_bytes varint)
{
    bool negative = varint.size > 0 && (varint.data[0] & 0x80);
    uint64_t v = negative ? UINT64_MAX : 0;
    size_t i = 0;

    while (i < varint.size && varint.data[i] == (negative ? 0xff : 0))
        i++;
    if (varint.size - i > 8)
        return negative ? INT64_MIN : INT64_MAX;
    for (; i < varint.size; i++)
        v = v << 8 | varint.data[i];
    if (((int64_t)v < 0) != negative)
        return negative ? INT64_MIN : INT64_MAX;
    return (int64_t)v;
}

bool cql_varint_digits(struct mr_writer *w, struct mr_bytes varint)
{
    bool negative = varint.size > 0 && (varint.data[0] & 0x80);
    uint32_t *limbs = mr_calloc(varint.size / 3 + 2, sizeof(*limbs));
    size_t count = 1, i;

    for (i = 0; i < varint.size; i++) {
        uint64_t carry = negative ? (uint8_t)~varint.data[i] : varint.data[i];
        size_t j;

        for (j = 0; j < count; j++) {
            carry += (uint64_t)limbs[j] << 8;
            limbs[j] = (uint32_t)(carry % LIMB);
            carry /= LIMB;
        }
        if (carry > 0)
            limbs[count++] = (uint32_t)carry;
    }
    for (i = 0; negative && i <= count; i++) { /* -v is ~v + 1 */
        if (i == count)
            count++;
        if (++limbs[i] < LIMB)
            break;
        limbs[i] = 0;
    }
    mr_write_text(w, "%" PRIu32, limbs[count - 1]);
    for (i = count - 1; i-- > 0;)
        mr_write_text(w, "%09" PRIu32, limbs[i]);
    mr_free(limbs);
    return negative;
}

void cql_varint_format(struct mr_writer *w, struct mr_bytes varint)
{
    struct mr_writer digits = { 0 };

    if (cql_varint_digits(&digits, varint))
        mr_write_u8(w, '-');
    mr_write_bytes(w, mr_writer_bytes(&digits));
    mr_writer_deinit(&digits);
}

/* Appends the varint of DIGITS (only digits, at most DIGITS_MAX). */
static void write_digits(struct mr_writer *w, struct mr_str digits, bool negative)
{
    size_t limb_count = digits.size / LIMB_DIGITS + 1, count = 1, from = 0, bytes, i;
    uint32_t *words = mr_calloc(limb_count + 1, sizeof(*words)); /* base 2^32, least first */
    uint8_t *out;

    while (from < digits.size) {
        size_t take = (digits.size - from) % LIMB_DIGITS;
        uint64_t carry = 0, scale = 1;

        take = take == 0 ? LIMB_DIGITS : take;
        for (i = 0; i < take; i++, scale *= 10)
            carry = carry * 10 + (uint64_t)(digits.data[from + i] - '0');
        from += take;
        for (i = 0; i < count; i++) {
            carry += words[i] * scale;
            words[i] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry > 0)
            words[count++] = (uint32_t)carry;
    }
    for (i = 0; negative && i < count; i++)
        words[i] = ~words[i];
    for (i = 0; negative && i < count && ++words[i] == 0; i++)
        ;
    bytes = count * 4 + 1;
    out = mr_alloc(bytes);
    negative = negative && (words[count - 1] != 0 || count > 1 || words[0] != 0);
    out[0] = negative ? 0xff : 0;
    for (i = 0; i < count; i++)
        mr_store_i32(out + 1 + 4 * (count - 1 - i), (int32_t)words[i]);
    for (from = 0;
         from + 1 < bytes && out[from] == (negative ? 0xff : 0) && (out[from + 1] & 0x80) == (negative ? 0x80 : 0);
         from++)
        ;
    mr_write_bytes(w, (struct mr_bytes){ out + from, bytes - from });
    mr_free(out);
    mr_free(words);
}

enum mr_status cql_varint_parse(struct mr_str text, struct mr_writer *out)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t i;

    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+'))
        text = (struct mr_str){ text.data + 1, text.size - 1 };
    for (i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i]))
            return MR_INVALID;
    }
    if (text.size == 0)
        return MR_INVALID;
    if (text.size > DIGITS_MAX)
        return MR_LIMIT;
    write_digits(out, text, negative);
    return MR_OK;
}

/* ---- decimal ---- */

enum mr_status cql_decimal_parse(struct mr_str text, struct mr_writer *out)
{
    struct mr_writer digits = { 0 };
    size_t i = 0, digit_count = 0;
    int64_t scale = 0, exponent = 0;
    enum mr_status status = MR_OK;

    if (i < text.size && (text.data[i] == '-' || text.data[i] == '+'))
        i++;
    for (; i < text.size && is_digit(text.data[i]); i++, digit_count++)
        mr_write_u8(&digits, (uint8_t)text.data[i]);
    if (i < text.size && text.data[i] == '.')
        for (i++; i < text.size && is_digit(text.data[i]); i++, scale++, digit_count++)
            mr_write_u8(&digits, (uint8_t)text.data[i]);
    if (digit_count == 0)
        status = MR_INVALID;
    if (status == MR_OK && i < text.size && (text.data[i] == 'e' || text.data[i] == 'E')) {
        status = mr_parse_i64((struct mr_str){ text.data + i + 1, text.size - i - 1 }, &exponent);
        i = text.size;
    }
    if (status == MR_OK && i < text.size)
        status = MR_INVALID;
    if (status == MR_OK && digit_count > DIGITS_MAX)
        status = MR_LIMIT;
    if (status == MR_OK && (exponent < -1000000000 || exponent > 1000000000))
        status = MR_LIMIT;
    if (status == MR_OK) {
        mr_write_i32(out, (int32_t)(scale - exponent));
        write_digits(out, mr_str_of_bytes(mr_writer_bytes(&digits)), text.data[0] == '-');
    }
    mr_writer_deinit(&digits);
    return status;
}

void cql_decimal_format(struct mr_writer *w, struct mr_bytes decimal)
{
    struct mr_writer digits = { 0 };
    int64_t scale = mr_load_i32(decimal.data), adjusted;
    struct mr_str d;

    if (cql_varint_digits(&digits, (struct mr_bytes){ decimal.data + 4, decimal.size - 4 }))
        mr_write_u8(w, '-');
    d = mr_str_of_bytes(mr_writer_bytes(&digits));
    adjusted = (int64_t)d.size - 1 - scale;
    if (scale == 0) {
        mr_write_str(w, d);
    } else if (scale > 0 && adjusted >= -6) { /* as BigDecimal.toString */
        if ((int64_t)d.size <= scale) {
            mr_write_str(w, MR_STR("0."));
            for (int64_t i = (int64_t)d.size; i < scale; i++)
                mr_write_u8(w, '0');
            mr_write_str(w, d);
        } else {
            mr_write_str(w, (struct mr_str){ d.data, d.size - (size_t)scale });
            mr_write_u8(w, '.');
            mr_write_str(w, (struct mr_str){ d.data + d.size - scale, (size_t)scale });
        }
    } else {
        mr_write_u8(w, (uint8_t)d.data[0]);
        if (d.size > 1)
            mr_write_text(w, ".%.*s", (int)d.size - 1, d.data + 1);
        mr_write_text(w, "E%+" PRId64, adjusted);
    }
    mr_writer_deinit(&digits);
}

double cql_number_f64(const struct cql_type *type, struct cql_value v)
{
    struct mr_bytes bytes = { v.data, v.size > 0 ? (size_t)v.size : 0 };
    struct mr_writer text = { 0 };
    double out = 0;

    switch (type->code) {
    case CQL_TINYINT:
        return (int8_t)v.data[0];
    case CQL_SMALLINT:
        return (int16_t)(v.data[0] << 8 | v.data[1]);
    case CQL_INT:
        return mr_load_i32(v.data);
    case CQL_FLOAT:
        return (double)cql_load_f32(v.data);
    case CQL_DOUBLE:
        return cql_load_f64(v.data);
    case CQL_VARINT:
        cql_varint_format(&text, bytes);
        break;
    case CQL_DECIMAL:
        cql_decimal_format(&text, bytes);
        break;
    default:
        return (double)mr_load_i64(v.data);
    }
    mr_write_u8(&text, 0);
    out = strtod((const char *)text.data, NULL);
    mr_writer_deinit(&text);
    return out;
}

/* ---- dates and times ---- */

/* Reads digits, at least one and at most MAX; false otherwise. */
static bool take_number(struct mr_str *text, size_t max, int64_t *out)
{
    size_t i = 0;

    *out = 0;
    while (i < text->size && i < max && is_digit(text->data[i]))
        *out = *out * 10 + (text->data[i++] - '0');
    *text = (struct mr_str){ text->data + i, text->size - i };
    return i > 0;
}

static bool take_char(struct mr_str *text, char c)
{
    if (text->size == 0 || text->data[0] != c)
        return false;
    *text = (struct mr_str){ text->data + 1, text->size - 1 };
    return true;
}

enum mr_status cql_date_parse(struct mr_str text, uint32_t *out)
{
    bool negative = take_char(&text, '-');
    int64_t year, month, day, days;

    if (!take_number(&text, 7, &year) || !take_char(&text, '-') || !take_number(&text, 2, &month) ||
        !take_char(&text, '-') || !take_number(&text, 2, &day) || text.size != 0)
        return MR_INVALID;
    year = negative ? -year : year;
    if (month < 1 || month > 12 || day < 1 || day > mr_month_days(year, (int)month))
        return MR_INVALID;
    days = mr_days_of_date(year, (int)month, (int)day);
    if (days < INT32_MIN || days > INT32_MAX)
        return MR_INVALID;
    *out = (uint32_t)(days + (int64_t)CQL_DATE_EPOCH);
    return MR_OK;
}

void cql_date_format(struct mr_writer *w, uint32_t date)
{
    int64_t year;
    int month, day;

    mr_date_of_days((int64_t)date - (int64_t)CQL_DATE_EPOCH, &year, &month, &day);
    mr_write_text(w, "%s%04" PRId64 "-%02d-%02d", year < 0 ? "-" : "", year < 0 ? -year : year, month, day);
}

enum mr_status cql_time_parse(struct mr_str text, int64_t *out)
{
    int64_t hours, minutes, seconds, fraction = 0;
    size_t digits;

    if (!take_number(&text, 2, &hours) || !take_char(&text, ':') || !take_number(&text, 2, &minutes) ||
        !take_char(&text, ':') || !take_number(&text, 2, &seconds))
        return MR_INVALID;
    if (take_char(&text, '.')) {
        digits = text.size;
        if (digits > 9 || !take_number(&text, 9, &fraction))
            return MR_INVALID;
        for (; digits < 9; digits++)
            fraction *= 10;
    }
    if (text.size != 0 || hours > 23 || minutes > 59 || seconds > 59)
        return MR_INVALID;
    *out = ((hours * 60 + minutes) * 60 + seconds) * 1000000000 + fraction;
    return MR_OK;
}

void cql_time_format(struct mr_writer *w, int64_t ns)
{
    int64_t s = ns / 1000000000;

    mr_write_text(w, "%02d:%02d:%02d.%09d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60), (int)(ns % 1000000000));
}

/* ---- durations ---- */

enum part { MONTHS, DAYS, NANOSECONDS };

static const struct unit {
    const char *name;
    enum part part;
    int64_t factor;
} units[] = {
    { "y", MONTHS, 12 },
    { "mo", MONTHS, 1 },
    { "w", DAYS, 7 },
    { "d", DAYS, 1 },
    { "h", NANOSECONDS, INT64_C(3600000000000) },
    { "ms", NANOSECONDS, 1000000 },
    { "m", NANOSECONDS, INT64_C(60000000000) },
    { "us", NANOSECONDS, 1000 },
    { "\xc2\xb5s", NANOSECONDS, 1000 },
    { "ns", NANOSECONDS, 1 },
    { "s", NANOSECONDS, 1000000000 },
};

static enum mr_status add_unit(int64_t total[3], enum part part, int64_t factor, int64_t count)
{
    int64_t more;

    if (__builtin_mul_overflow(count, factor, &more) || __builtin_add_overflow(total[part], more, &total[part]) ||
        (part != NANOSECONDS && total[part] > INT32_MAX))
        return MR_INVALID;
    return MR_OK;
}

static enum mr_status parse_units(struct mr_str text, int64_t total[3])
{
    while (text.size > 0) {
        const struct unit *unit = NULL;
        int64_t count;
        size_t i, longest = 0;

        if (!take_number(&text, 18, &count))
            return MR_INVALID;
        for (i = 0; i < MR_COUNT(units); i++) {
            size_t size = strlen(units[i].name);

            if (size > longest && size <= text.size &&
                mr_str_equal_nocase((struct mr_str){ text.data, size }, mr_str_of(units[i].name))) {
                unit = &units[i];
                longest = size;
            }
        }
        if (unit == NULL || add_unit(total, unit->part, unit->factor, count) != MR_OK)
            return MR_INVALID;
        text = (struct mr_str){ text.data + longest, text.size - longest };
    }
    return MR_OK;
}

/* What follows the P of ISO 8601: 1Y2M3W4DT5H6M7S, or 0001-02-03T04:05:06. */
static enum mr_status parse_iso(struct mr_str text, int64_t total[3])
{
    static const struct unit dates[] = { { "Y", MONTHS, 12 }, { "M", MONTHS, 1 }, { "W", DAYS, 7 }, { "D", DAYS, 1 } };
    static const struct unit times[] = { { "H", NANOSECONDS, INT64_C(3600000000000) },
                                         { "M", NANOSECONDS, INT64_C(60000000000) },
                                         { "S", NANOSECONDS, 1000000000 } };
    const struct unit *table = dates;
    size_t count = MR_COUNT(dates), i;
    int64_t n;

    if (text.size == 19 && text.data[4] == '-') {
        static const struct unit places[] = { { "-", MONTHS, 12 },
                                              { "-", MONTHS, 1 },
                                              { "T", DAYS, 1 },
                                              { ":", NANOSECONDS, INT64_C(3600000000000) },
                                              { ":", NANOSECONDS, INT64_C(60000000000) },
                                              { "", NANOSECONDS, 1000000000 } };
        for (i = 0; i < MR_COUNT(places); i++) {
            if (!take_number(&text, 4, &n) || (places[i].name[0] && !take_char(&text, places[i].name[0])) ||
                add_unit(total, places[i].part, places[i].factor, n) != MR_OK)
                return MR_INVALID;
        }
        return text.size == 0 ? MR_OK : MR_INVALID;
    }
    while (text.size > 0) {
        if (table == dates && take_char(&text, 'T')) {
            table = times;
            count = MR_COUNT(times);
        }
        if (!take_number(&text, 18, &n) || text.size == 0)
            return MR_INVALID;
        for (i = 0; i < count && text.data[0] != table[i].name[0]; i++)
            ;
        if (i == count || add_unit(total, table[i].part, table[i].factor, n) != MR_OK)
            return MR_INVALID;
        text = (struct mr_str){ text.data + 1, text.size - 1 };
    }
    return MR_OK;
}

enum mr_status cql_duration_parse(struct mr_str text, struct cql_duration *out)
{
    bool negative = take_char(&text, '-');
    int64_t total[3] = { 0 }, sign = negative ? -1 : 1;
    enum mr_status status = MR_INVALID;

    if (text.size > 1 && text.data[0] == 'P')
        status = parse_iso((struct mr_str){ text.data + 1, text.size - 1 }, total);
    else if (text.size > 0)
        status = parse_units(text, total);
    if (status != MR_OK)
        return status;
    *out = (struct cql_duration){ (int32_t)(sign * total[MONTHS]), (int32_t)(sign * total[DAYS]),
                                  sign * total[NANOSECONDS] };
    return MR_OK;
}

void cql_duration_format(struct mr_writer *w, const struct cql_duration *duration)
{
    static const struct unit order[] = {
        { "y", MONTHS, 12 },
        { "mo", MONTHS, 1 },
        { "d", DAYS, 1 },
        { "h", NANOSECONDS, INT64_C(3600000000000) },
        { "m", NANOSECONDS, INT64_C(60000000000) },
        { "s", NANOSECONDS, 1000000000 },
        { "ms", NANOSECONDS, 1000000 },
        { "us", NANOSECONDS, 1000 },
        { "ns", NANOSECONDS, 1 },
    };
    uint64_t left[3];
    size_t i;

    left[MONTHS] = (uint64_t)llabs((long long)duration->months);
    left[DAYS] = (uint64_t)llabs((long long)duration->days);
    left[NANOSECONDS] =
        duration->nanoseconds < 0 ? 0 - (uint64_t)duration->nanoseconds : (uint64_t)duration->nanoseconds;
    if (duration->months < 0 || duration->days < 0 || duration->nanoseconds < 0)
        mr_write_u8(w, '-');
    for (i = 0; i < MR_COUNT(order); i++) {
        uint64_t n = left[order[i].part] / (uint64_t)order[i].factor;

        left[order[i].part] %= (uint64_t)order[i].factor;
        if (n > 0)
            mr_write_text(w, "%" PRIu64 "%s", n, order[i].name);
    }
}

static void write_vint(struct mr_writer *w, int64_t v)
{
    uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    int extra = 0, i;

    while (extra < 8 && u >> (7 * (extra + 1)) != 0)
        extra++;
    if (extra == 8)
        mr_write_u8(w, 0xff);
    else
        mr_write_u8(w, (uint8_t)((0xff00 >> extra) | (u >> (8 * extra))));
    for (i = extra - 1; i >= 0; i--)
        mr_write_u8(w, (uint8_t)(u >> (8 * i)));
}

static int64_t read_vint(struct mr_reader *r)
{
    uint8_t first = mr_read_u8(r);
    int extra = 0, i;
    uint64_t u;

    while (extra < 8 && (first & (0x80 >> extra)))
        extra++;
    u = extra >= 8 ? 0 : (uint64_t)(first & (0xff >> extra));
    for (i = 0; i < extra; i++)
        u = u << 8 | mr_read_u8(r);
    return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

void cql_duration_write(struct mr_writer *w, const struct cql_duration *duration)
{
    write_vint(w, duration->months);
    write_vint(w, duration->days);
    write_vint(w, duration->nanoseconds);
}

enum mr_status cql_duration_read(struct cql_value v, struct cql_duration *out)
{
    struct mr_reader r = mr_reader_of((struct mr_bytes){ v.data, v.size > 0 ? (size_t)v.size : 0 });
    int64_t months = read_vint(&r), days = read_vint(&r), ns = read_vint(&r);
    bool negative = months < 0 || days < 0 || ns<0, positive = months> 0 || days > 0 || ns > 0;

    if (r.failed || mr_reader_left(&r) != 0 || months < INT32_MIN || months > INT32_MAX || days < INT32_MIN ||
        days > INT32_MAX || (negative && positive))
        return MR_INVALID;
    *out = (struct cql_duration){ (int32_t)months, (int32_t)days, ns };
    return MR_OK;
}
