/* cast.c -- CAST and TRY_CAST between the types there are, as Flink does them.
 *
 * text to number    blanks around it aside; an integer may have a fraction, which is cut off ('1.9' is 1)
 * text to boolean   t true y yes 1 / f false n no 0, any case
 * number to number  a fraction is cut off; a value out of range is an error, never wrapped
 * number, boolean   0 is FALSE, TRUE is 1
 * anything to text  see data_value_write
 * ROW, ARRAY        element by element; rows by position */
#include "data/data.h"

#include "base/text.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum cast_limits {
    SHOWN_BYTES_MAX = 80, /* of a value in a message */
};

static struct mr_str trim(struct mr_str s)
{
    while (s.size != 0 && (uint8_t)s.data[0] <= ' ') {
        s.data++;
        s.size--;
    }
    while (s.size != 0 && (uint8_t)s.data[s.size - 1] <= ' ')
        s.size--;
    return s;
}

enum mr_status data_parse_bool(struct mr_str text, bool *out)
{
    static const char *const words[2][5] = { { "f", "false", "n", "no", "0" }, { "t", "true", "y", "yes", "1" } };

    text = trim(text);
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

    text = trim(text);
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

    text = trim(text);
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

bool data_cast_possible(const struct data_type *from, const struct data_type *to)
{
    if (!data_kind_supported(from->kind) || !data_kind_supported(to->kind))
        return false;
    if (from->kind == DATA_NULL || to->kind == DATA_STRING)
        return true;
    if (to->kind == DATA_NULL)
        return false;
    if (from->kind == DATA_ROW || to->kind == DATA_ROW || from->kind == DATA_ARRAY || to->kind == DATA_ARRAY) {
        if (from->kind != to->kind || from->field_count != to->field_count)
            return false;
        for (uint32_t i = 0; i < from->field_count; i++) {
            if (!data_cast_possible(from->fields[i].type, to->fields[i].type))
                return false;
        }
    }
    return true;
}

static bool cast_from_string(struct data_column *out, struct mr_str text)
{
    bool b;
    int32_t i;
    int64_t l;
    double d;

    switch ((int)out->type->kind) {
    case DATA_BOOLEAN:
        if (data_parse_bool(text, &b) != MR_OK)
            return false;
        data_append_bool(out, b);
        return true;
    case DATA_INT:
        if (data_parse_i32(text, &i) != MR_OK)
            return false;
        data_append_i32(out, i);
        return true;
    case DATA_BIGINT:
        if (data_parse_i64(text, &l) != MR_OK)
            return false;
        data_append_i64(out, l);
        return true;
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
    }
    return false;
}

static bool cast_from_i64(struct data_column *out, int64_t v)
{
    switch ((int)out->type->kind) {
    case DATA_BOOLEAN:
        data_append_bool(out, v != 0);
        return true;
    case DATA_INT:
        if (v < INT32_MIN || v > INT32_MAX)
            return false;
        data_append_i32(out, (int32_t)v);
        return true;
    case DATA_BIGINT:
        data_append_i64(out, v);
        return true;
    case DATA_FLOAT:
        data_append_f32(out, (float)v);
        return true;
    case DATA_DOUBLE:
        data_append_f64(out, (double)v);
        return true;
    }
    return false;
}

static bool cast_from_f64(struct data_column *out, double v)
{
    switch ((int)out->type->kind) {
    case DATA_BOOLEAN:
        data_append_bool(out, v != 0);
        return true;
    case DATA_INT:
        if (!(v > (double)INT32_MIN - 1 && v < (double)INT32_MAX + 1))
            return false;
        data_append_i32(out, (int32_t)v);
        return true;
    case DATA_BIGINT:
        if (!(v >= -9223372036854775808.0 && v < 9223372036854775808.0))
            return false;
        data_append_i64(out, (int64_t)v);
        return true;
    case DATA_FLOAT:
        if (isfinite(v) && fabs(v) > FLT_MAX && !isfinite((float)v))
            return false;
        data_append_f32(out, (float)v);
        return true;
    case DATA_DOUBLE:
        data_append_f64(out, v);
        return true;
    }
    return false;
}

static void cast_to_string(struct data_column *out, const struct data_column *in, uint32_t row)
{
    struct mr_writer w = { 0 };

    data_value_write(&w, in, row);
    data_append_str(out, mr_str_of_bytes(mr_writer_bytes(&w)));
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
    for (uint32_t i = start; i < end; i++) {
        if (!cast_value(out->children[0], in->children[0], i))
            return false;
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
    if (out->type->kind == DATA_STRING) {
        if (in->type->kind == DATA_STRING)
            data_append_str(out, data_str(in, row));
        else
            cast_to_string(out, in, row);
        return true;
    }
    switch ((int)in->type->kind) {
    case DATA_BOOLEAN:
        return cast_from_i64(out, data_bool(in, row));
    case DATA_INT:
        return cast_from_i64(out, data_i32(in, row));
    case DATA_BIGINT:
        return cast_from_i64(out, data_i64(in, row));
    case DATA_FLOAT:
        return cast_from_f64(out, (double)data_f32(in, row));
    case DATA_DOUBLE:
        return cast_from_f64(out, data_f64(in, row));
    case DATA_STRING:
        return cast_from_string(out, data_str(in, row));
    case DATA_ROW:
    case DATA_ARRAY:
        return cast_nested(out, in, row);
    }
    return false;
}

static void cast_tell(const struct data_column *out, const struct data_column *in, uint32_t row,
                      data_cast_error_fn *on_error, void *arg)
{
    struct mr_err err = MR_ERR_INIT;
    struct mr_writer shown = { 0 }, to = { 0 };
    int size;

    data_cell_write(&shown, in, row, true);
    size = (int)shown.size;
    if (size > SHOWN_BYTES_MAX) {
        for (size = SHOWN_BYTES_MAX; size > 0 && (shown.data[size] & 0xc0) == 0x80; size--)
            ;
    }
    if (out->type->field_count != 0)
        data_type_write(&to, out->type);
    else
        mr_write_str(&to, mr_str_of(data_kind_name(out->type->kind)));
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
