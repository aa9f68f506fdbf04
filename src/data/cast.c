/* cast.c -- CAST and TRY_CAST between the types there are, as Flink does them.
 *
 * text to number    blanks around it aside; an integer may have a fraction, which is cut off ('1.9' is 1)
 * text to boolean   t true y yes 1 / f false n no 0, any case
 * number to number  a fraction is cut off; a value out of range is an error, never wrapped as Flink does
 * ... to DECIMAL    rounded half away from zero; too many digits in front of the point are an error
 * number, boolean   0 is FALSE, TRUE is 1
 * text, BYTES       the text's UTF-8; cut, or padded (blanks, zeros), to the length of the type
 * text to times     see time.c; a TIMESTAMP_LTZ without a zone of its own is one of the type's zone
 * times to times    a DATE is its midnight; digits beyond the precision are cut off
 * anything to text  see data_value_write
 * ROW, ARRAY, MAP   element by element; rows by position */
#include "data/data.h"

#include "base/calendar.h"
#include "base/text.h"
#include "base/zone.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum cast_limits {
    SHOWN_BYTES_MAX = 80, /* of a value in a message */
};

enum mr_status data_parse_bool(struct mr_str text, bool *out)
{
    static const char *const words[2][5] = { { "f", "false", "n", "no", "0" }, { "t", "true", "y", "yes", "1" } };

    text = mr_str_trim(text);
    for (int value = 0; value < 2; value++) {
        for (size_t i = 0; i < MR_COUNT(words[value]); i++) {
            if (mr_str_equal_nocase(text, mr_str_of(words[value][i]))) {
                *out = value == 1;
                return MR_OK;
            }
        }
    }
    return MR_INVALID;
}

enum mr_status data_parse_i64(struct mr_str text, int64_t *out)
{
    uint64_t value = 0, limit = INT64_MAX;
    bool negative = false;
    size_t i = 0, digits;

    text = mr_str_trim(text);
    if (text.size != 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        negative = text.data[0] == '-';
        limit += negative;
        i = 1;
    }
    digits = i;
    for (; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');
        if (value > (limit - digit) / 10)
            return MR_INVALID;
        value = value * 10 + digit;
    }
    digits = i - digits;
    if (i < text.size && text.data[i] == '.') {
        for (i++; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
            digits++;
    }
    if (i != text.size || digits == 0)
        return MR_INVALID;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return MR_OK;
}

enum mr_status data_parse_i32(struct mr_str text, int32_t *out)
{
    int64_t value;

    if (data_parse_i64(text, &value) != MR_OK || value < INT32_MIN || value > INT32_MAX)
        return MR_INVALID;
    *out = (int32_t)value;
    return MR_OK;
}

enum mr_status data_parse_f64(struct mr_str text, double *out)
{
    static const struct {
        struct mr_str word;
        double value;
    } words[] = { { { "NaN", 3 }, NAN },
                  { { "Infinity", 8 }, INFINITY },
                  { { "+Infinity", 9 }, INFINITY },
                  { { "-Infinity", 9 }, -INFINITY } };

    text = mr_str_trim(text);
    if (text.size != 0 && ((text.data[0] >= '0' && text.data[0] <= '9') || text.data[0] == '.' ||
                           ((text.data[0] == '-' || text.data[0] == '+') && text.size > 1 && text.data[1] != 'I')))
        return mr_parse_f64(text, out);
    for (size_t i = 0; i < MR_COUNT(words); i++) {
        if (mr_str_equal(text, words[i].word)) {
            *out = words[i].value;
            return MR_OK;
        }
    }
    return MR_INVALID;
}

static bool temporal_possible(enum data_kind from, enum data_kind to)
{
    if (from == DATA_STRING || from == to)
        return true;
    if (from == DATA_TIMESTAMP || from == DATA_TIMESTAMP_LTZ)
        return true;
    return from == DATA_DATE && (to == DATA_TIMESTAMP || to == DATA_TIMESTAMP_LTZ);
}

bool data_cast_possible(const struct data_type *from, const struct data_type *to)
{
    if (from->kind == DATA_NULL)
        return true;
    if (to->kind == DATA_NULL || from->kind >= DATA_INTERVAL_MONTH || to->kind >= DATA_INTERVAL_MONTH)
        return false;
    if (to->kind == DATA_STRING)
        return true;
    if (data_kind_nested(from->kind) || data_kind_nested(to->kind)) {
        if (from->kind != to->kind || from->field_count != to->field_count)
            return false;
        for (uint32_t i = 0; i < from->field_count; i++) {
            if (!data_cast_possible(from->fields[i].type, to->fields[i].type))
                return false;
        }
        return true;
    }
    if (from->kind == DATA_BYTES || to->kind == DATA_BYTES)
        return to->kind == DATA_BYTES && (from->kind == DATA_STRING || from->kind == DATA_BYTES);
    if (data_kind_temporal(to->kind))
        return temporal_possible(from->kind, to->kind);
    return !data_kind_temporal(from->kind);
}

static void integer_range(enum data_kind kind, int64_t *min, int64_t *max)
{
    int bits = (int)data_kind_width(kind) * 8;

    *max = bits == 64 ? INT64_MAX : ((int64_t)1 << (bits - 1)) - 1;
    *min = -*max - 1;
}

static bool cast_from_i64(struct data_column *out, int64_t v)
{
    const struct data_type *type = out->type;
    int64_t min, max;
    data_i128 d;

    if (type->kind == DATA_BOOLEAN) {
        data_append_bool(out, v != 0);
    } else if (type->kind == DATA_FLOAT) {
        data_append_f32(out, (float)v);
    } else if (type->kind == DATA_DOUBLE) {
        data_append_f64(out, (double)v);
    } else if (type->kind == DATA_DECIMAL) {
        if (!data_decimal_rescale(v, 0, type->precision, type->scale, &d))
            return false;
        data_append_dec(out, d);
    } else {
        integer_range(type->kind, &min, &max);
        if (v < min || v > max)
            return false;
        data_append_integer(out, v);
    }
    return true;
}

static bool cast_from_f64(struct data_column *out, double v)
{
    const struct data_type *type = out->type;
    int64_t min, max;
    data_i128 d;

    if (type->kind == DATA_BOOLEAN) {
        data_append_bool(out, v != 0);
    } else if (type->kind == DATA_FLOAT) {
        if (isfinite(v) && fabs(v) > FLT_MAX && !isfinite((float)v))
            return false;
        data_append_f32(out, (float)v);
    } else if (type->kind == DATA_DOUBLE) {
        data_append_f64(out, v);
    } else if (type->kind == DATA_DECIMAL) {
        if (!data_decimal_of_double(v, type->precision, type->scale, &d))
            return false;
        data_append_dec(out, d);
    } else if (type->kind == DATA_BIGINT) {
        if (!(v >= -9223372036854775808.0 && v < 9223372036854775808.0))
            return false;
        data_append_i64(out, (int64_t)v);
    } else {
        integer_range(type->kind, &min, &max);
        if (!(v > (double)min - 1 && v < (double)max + 1))
            return false;
        data_append_integer(out, (int64_t)v);
    }
    return true;
}

static bool cast_from_decimal(struct data_column *out, data_i128 v, unsigned scale)
{
    const struct data_type *type = out->type;
    data_i128 d;

    if (type->kind == DATA_DECIMAL) {
        if (!data_decimal_rescale(v, scale, type->precision, type->scale, &d))
            return false;
        data_append_dec(out, d);
        return true;
    }
    if (type->kind == DATA_BOOLEAN) {
        data_append_bool(out, v != 0);
        return true;
    }
    if (type->kind == DATA_FLOAT || type->kind == DATA_DOUBLE)
        return cast_from_f64(out, data_decimal_to_double(v, scale));
    d = v / data_decimal_power(scale);
    return d >= INT64_MIN && d <= INT64_MAX && cast_from_i64(out, (int64_t)d);
}

/* The instant at which the clocks of TYPE's zone show LOCAL, and back. */
static int64_t zone_to_utc(const struct data_type *type, int64_t local_us)
{
    int64_t seconds = mr_floor_div(local_us, 1000000);

    return mr_zone_to_utc(type->zone, seconds) * 1000000 + (local_us - seconds * 1000000);
}

int64_t data_timestamp_local(const struct data_type *type, int64_t us)
{
    return us + (int64_t)mr_zone_offset(type->zone, mr_floor_div(us, 1000000)) * 1000000;
}

/* LOCAL_US (a wall clock's) to DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ. */
static bool cast_from_local(struct data_column *out, int64_t local_us)
{
    int64_t day = data_day_floor(local_us);
    unsigned precision = out->type->precision;

    switch ((int)out->type->kind) {
    case DATA_DATE:
        data_append_i32(out, (int32_t)day);
        break;
    case DATA_TIME:
        data_append_i32(out, (int32_t)(data_timestamp_cut(local_us - day * DATA_DAY_US, precision) / 1000));
        break;
    case DATA_TIMESTAMP:
        data_append_i64(out, data_timestamp_cut(local_us, precision));
        break;
    default:
        data_append_i64(out, data_timestamp_cut(zone_to_utc(out->type, local_us), precision));
    }
    return true;
}

static bool cast_string_to_time(struct data_column *out, struct mr_str text)
{
    bool zoned = false, is_ltz = out->type->kind == DATA_TIMESTAMP_LTZ;
    int64_t us;
    int32_t v;

    switch ((int)out->type->kind) {
    case DATA_DATE:
        if (data_parse_date(text, &v) != MR_OK)
            return false;
        data_append_i32(out, v);
        return true;
    case DATA_TIME:
        if (data_parse_time(text, &v) != MR_OK)
            return false;
        return cast_from_local(out, (int64_t)v * 1000);
    default:
        if (data_parse_timestamp(text, ' ', &us, is_ltz ? &zoned : NULL) != MR_OK)
            return false;
        if (!zoned)
            return cast_from_local(out, us);
        data_append_i64(out, data_timestamp_cut(us, out->type->precision));
        return true;
    }
}

static bool cast_from_string(struct data_column *out, struct mr_str text)
{
    data_i128 decimal;
    int64_t l;
    double d;
    bool b;

    switch ((int)out->type->kind) {
    case DATA_BOOLEAN:
        if (data_parse_bool(text, &b) != MR_OK)
            return false;
        data_append_bool(out, b);
        return true;
    case DATA_TINYINT:
    case DATA_SMALLINT:
    case DATA_INT:
    case DATA_BIGINT:
        return data_parse_i64(text, &l) == MR_OK && cast_from_i64(out, l);
    case DATA_FLOAT:
        if (data_parse_f64(text, &d) != MR_OK || (isfinite(d) && !isfinite((float)d)))
            return false;
        data_append_f32(out, (float)d);
        return true;
    case DATA_DOUBLE:
        if (data_parse_f64(text, &d) != MR_OK)
            return false;
        data_append_f64(out, d);
        return true;
    case DATA_DECIMAL:
        if (data_parse_decimal(text, out->type->precision, out->type->scale, &decimal) != MR_OK)
            return false;
        data_append_dec(out, decimal);
        return true;
    default:
        return cast_string_to_time(out, text);
    }
}

/* S as the type's length wants it. */
static void append_sized(struct data_column *out, struct mr_str s)
{
    uint32_t length = out->type->length;
    bool text = out->type->kind == DATA_STRING;
    size_t keep = 0, count = 0;
    char *at;

    if (length == 0) {
        data_append_str(out, s);
        return;
    }
    while (keep < s.size && count < length) {
        keep++;
        while (text && keep < s.size && ((uint8_t)s.data[keep] & 0xc0) == 0x80)
            keep++;
        count++;
    }
    length = out->type->fixed && count < length ? length - (uint32_t)count : 0;
    at = data_append_str_begin(out, keep + length);
    if (at == NULL)
        return;
    if (keep != 0)
        memcpy(at, s.data, keep);
    memset(at + keep, text ? ' ' : 0, length);
    data_append_str_end(out, keep + length);
}

static void cast_to_string(struct data_column *out, const struct data_column *in, uint32_t row)
{
    struct mr_writer w = { 0 };

    data_value_write(&w, in, row);
    append_sized(out, mr_str_of_bytes(mr_writer_bytes(&w)));
    mr_writer_deinit(&w);
}

static bool cast_value(struct data_column *out, const struct data_column *in, uint32_t row);

static bool cast_nested(struct data_column *out, const struct data_column *in, uint32_t row)
{
    uint32_t start, end;

    if (in->type->kind == DATA_ROW) {
        for (uint32_t i = 0; i < in->child_count; i++) {
            if (!cast_value(out->children[i], in->children[i], row))
                return false;
        }
        data_append_row(out);
        return true;
    }
    data_array_range(in, row, &start, &end);
    for (uint32_t c = 0; c < in->child_count; c++) {
        for (uint32_t i = start; i < end; i++) {
            if (!cast_value(out->children[c], in->children[c], i))
                return false;
        }
    }
    data_append_array(out);
    return true;
}

/* Appends one row to OUT and returns true, or leaves its length as it is. */
static bool cast_value(struct data_column *out, const struct data_column *in, uint32_t row)
{
    if (data_is_null(in, row)) {
        data_append_null(out);
        return true;
    }
    if (out->type->kind == DATA_STRING || out->type->kind == DATA_BYTES) {
        if (in->type->kind == DATA_STRING)
            append_sized(out, data_str(in, row));
        else if (in->type->kind != DATA_BYTES)
            cast_to_string(out, in, row);
        else if (out->type->kind == DATA_STRING && !mr_utf8_valid(mr_bytes_of_str(data_str(in, row))))
            return false;
        else
            append_sized(out, data_str(in, row));
        return true;
    }
    switch ((int)in->type->kind) {
    case DATA_BOOLEAN:
        return cast_from_i64(out, data_bool(in, row));
    case DATA_TINYINT:
    case DATA_SMALLINT:
    case DATA_INT:
    case DATA_BIGINT:
        return cast_from_i64(out, data_integer(in, row));
    case DATA_FLOAT:
        return cast_from_f64(out, (double)data_f32(in, row));
    case DATA_DOUBLE:
        return cast_from_f64(out, data_f64(in, row));
    case DATA_DECIMAL:
        return cast_from_decimal(out, data_dec(in, row), in->type->scale);
    case DATA_STRING:
        return cast_from_string(out, data_str(in, row));
    case DATA_DATE:
        return cast_from_local(out, data_i32(in, row) * DATA_DAY_US);
    case DATA_TIME:
        return cast_from_local(out, (int64_t)data_i32(in, row) * 1000);
    case DATA_TIMESTAMP:
        return cast_from_local(out, data_i64(in, row));
    case DATA_TIMESTAMP_LTZ:
        if (out->type->kind != DATA_TIMESTAMP_LTZ)
            return cast_from_local(out, data_timestamp_local(in->type, data_i64(in, row)));
        data_append_i64(out, data_timestamp_cut(data_i64(in, row), out->type->precision));
        return true;
    case DATA_ROW:
    case DATA_ARRAY:
    case DATA_MAP:
        return cast_nested(out, in, row);
    }
    return false;
}

static void cast_tell(const struct data_column *out, const struct data_column *in, uint32_t row,
                      data_cast_error_fn *on_error, void *arg)
{
    struct mr_err err = MR_ERR_INIT;
    struct mr_writer shown = { 0 }, to = { 0 };
    struct data_type to_type = *out->type;
    int size;

    to_type.nullable = true;
    data_cell_write(&shown, in, row, true);
    size = (int)shown.size;
    if (size > SHOWN_BYTES_MAX) {
        for (size = SHOWN_BYTES_MAX; size > 0 && (shown.data[size] & 0xc0) == 0x80; size--)
            ;
    }
    data_type_write(&to, &to_type);
    (void)mr_err_set(&err, MR_INVALID, "CAST: the %s '%.*s'%s can't be cast to %.*s", data_kind_name(in->type->kind),
                     size, (const char *)shown.data, (size_t)size < shown.size ? "..." : "", (int)to.size,
                     (const char *)to.data);
    mr_writer_deinit(&shown);
    mr_writer_deinit(&to);
    on_error(arg, row, &err);
}

void data_cast(struct data_column *out, const struct data_column *in, const uint8_t *selected, bool is_try,
               data_cast_error_fn *on_error, void *arg)
{
    assert(out->length == 0);
    assert(data_cast_possible(in->type, out->type));
    data_column_reserve(out, in->length);
    for (uint32_t row = 0; row < in->length; row++) {
        if (selected != NULL && !(selected[row >> 3] & (1u << (row & 7)))) {
            data_append_null(out);
        } else if (!cast_value(out, in, row)) {
            data_column_truncate(out, row);
            data_append_null(out);
            if (!is_try)
                cast_tell(out, in, row, on_error, arg);
        }
    }
}
