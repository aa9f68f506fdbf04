/* json_encode.c -- rows as JSON objects, as Flink's json format writes them.
 *
 * {"a":1,"b":"text","c":null,"d":{"x":1.5},"e":[1,null]}: no blanks, fields in the order of the type, floats in their
 * shortest form as Java prints them; NaN and infinities as strings.  Bytes that are not UTF-8 become U+FFFD.  BYTES are
 * base64; times are strings without zeros at the end of the fraction; TIMESTAMP_LTZ is in UTC, with a Z.  A DECIMAL is
 * written with its digits as they are, never with an exponent. */
#include "data/data.h"

#include "base/text.h"

enum encode_limits {
    NUMBER_BYTES = 48, /* of a DATA_DECIMAL_BYTES or DATA_TIME_BYTES too */
};

struct data_json_encoder {
    const struct data_type *row; /* borrowed */
    struct mr_bytes *keys;       /* owned; ,"name": for each field */
    struct mr_writer text;       /* owned; what keys point into */
    char time_separator;         /* between date and time */
};

struct data_json_encoder *data_json_encoder_new(const struct data_type *row)
{
    struct data_json_encoder *e = MR_NEW(struct data_json_encoder);
    size_t *ends = mr_calloc(row->field_count + 1, sizeof(size_t));

    assert(row->kind == DATA_ROW);
    e->row = row;
    e->time_separator = ' ';
    e->keys = mr_calloc(row->field_count + 1, sizeof(struct mr_bytes));
    for (uint32_t i = 0; i < row->field_count; i++) {
        mr_write_u8(&e->text, i == 0 ? '{' : ',');
        mr_write_json_string(&e->text, row->fields[i].name);
        mr_write_u8(&e->text, ':');
        ends[i] = e->text.size;
    }
    for (uint32_t i = 0; i < row->field_count; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        e->keys[i] = (struct mr_bytes){ e->text.data + start, ends[i] - start };
    }
    mr_free(ends);
    return e;
}

void data_json_encoder_free(struct data_json_encoder *encoder)
{
    if (encoder == NULL)
        return;
    mr_writer_deinit(&encoder->text);
    mr_free(encoder->keys);
    mr_free(encoder);
}

static void i64_write(struct mr_writer *out, int64_t value)
{
    char text[NUMBER_BYTES];
    size_t at = sizeof(text);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0)
        text[--at] = '-';
    mr_write_str(out, (struct mr_str){ text + at, sizeof(text) - at });
}

static void float_write(struct mr_writer *out, const char *text, size_t size)
{
    bool is_word = text[size - 1] > '9'; /* NaN, Infinity */

    if (is_word)
        mr_write_u8(out, '"');
    mr_write_str(out, (struct mr_str){ text, size });
    if (is_word)
        mr_write_u8(out, '"');
}

/* Text without anything to escape, the usual case, is copied whole. */
static void string_write(struct mr_writer *out, struct mr_str s)
{
    for (size_t i = 0; i < s.size; i++) {
        uint8_t c = (uint8_t)s.data[i];
        if (c < 0x20 || c == '"' || c == '\\' || c >= 0x7f) {
            mr_write_json_string(out, s);
            return;
        }
    }
    mr_writer_reserve(out, s.size + 2);
    mr_write_u8(out, '"');
    mr_write_str(out, s);
    mr_write_u8(out, '"');
}

static void value_write(struct mr_writer *out, const struct data_column *column, uint32_t row, char separator);

static void nested_write(struct mr_writer *out, const struct data_column *column, uint32_t row, char separator)
{
    bool object = column->type->kind != DATA_ARRAY, is_row = column->type->kind == DATA_ROW;
    uint32_t start = 0, end = column->child_count;

    if (!is_row)
        data_array_range(column, row, &start, &end);
    mr_write_u8(out, object ? '{' : '[');
    for (uint32_t i = start; i < end; i++) {
        if (i != start)
            mr_write_u8(out, ',');
        if (is_row) {
            string_write(out, column->type->fields[i].name);
            mr_write_u8(out, ':');
            value_write(out, column->children[i], row, separator);
        } else if (object) {
            struct mr_writer key = { 0 };
            data_value_write(&key, column->children[0], i);
            string_write(out, mr_str_of_bytes(mr_writer_bytes(&key)));
            mr_writer_deinit(&key);
            mr_write_u8(out, ':');
            value_write(out, column->children[1], i, separator);
        } else {
            value_write(out, column->children[0], i, separator);
        }
    }
    mr_write_u8(out, object ? '}' : ']');
}

static void value_write(struct mr_writer *out, const struct data_column *column, uint32_t row, char separator)
{
    char text[NUMBER_BYTES];

    if (data_is_null(column, row)) {
        mr_write_str(out, MR_STR("null"));
        return;
    }
    switch ((int)column->type->kind) {
    case DATA_BOOLEAN:
        mr_write_str(out, data_bool(column, row) ? MR_STR("true") : MR_STR("false"));
        break;
    case DATA_TINYINT:
    case DATA_SMALLINT:
    case DATA_INT:
    case DATA_BIGINT:
        i64_write(out, data_integer(column, row));
        break;
    case DATA_DECIMAL:
        mr_write_str(out,
                     (struct mr_str){ text, data_decimal_format(text, data_dec(column, row), column->type->scale) });
        break;
    case DATA_BYTES:
    case DATA_DATE:
    case DATA_TIME:
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
        mr_write_u8(out, '"');
        data_text_write(out, column, row, separator);
        mr_write_u8(out, '"');
        break;
    case DATA_FLOAT:
        float_write(out, text, mr_format_f32(text, data_f32(column, row)));
        break;
    case DATA_DOUBLE:
        float_write(out, text, mr_format_f64(text, data_f64(column, row)));
        break;
    case DATA_STRING:
        string_write(out, data_str(column, row));
        break;
    case DATA_ROW:
    case DATA_ARRAY:
    case DATA_MAP:
        nested_write(out, column, row, separator);
        break;
    }
}

void data_json_encode_value(struct mr_writer *out, const struct data_column *column, uint32_t row)
{
    value_write(out, column, row, ' ');
}

void data_json_encoder_set_iso8601(struct data_json_encoder *encoder, bool iso8601)
{
    encoder->time_separator = iso8601 ? 'T' : ' ';
}

void data_json_encode(struct data_json_encoder *encoder, const struct data_batch *batch, uint32_t row,
                      struct mr_writer *out)
{
    assert(batch->column_count == encoder->row->field_count);
    assert(row < batch->row_count);
    if (batch->column_count == 0)
        mr_write_u8(out, '{');
    for (uint32_t i = 0; i < batch->column_count; i++) {
        mr_write_bytes(out, encoder->keys[i]);
        value_write(out, batch->columns[i], row, encoder->time_separator);
    }
    mr_write_u8(out, '}');
}
