/* value.c -- values as text: CAST ... AS STRING, and cells for people. */
#include "data/data.h"

#include "base/text.h"

enum value_limits {
    NUMBER_BYTES = 48, /* of a DATA_DECIMAL_BYTES or DATA_TIME_BYTES too */
};

static void nested_write(struct mr_writer *out, const struct data_column *column, uint32_t row)
{
    if (data_is_null(column, row))
        mr_write_str(out, MR_STR("NULL"));
    else
        data_value_write(out, column, row);
}

/* (a, b) of a ROW, [a, b] of an ARRAY, {k=v, k=v} of a MAP. */
static void children_write(struct mr_writer *out, const struct data_column *column, uint32_t row)
{
    enum data_kind kind = column->type->kind;
    uint32_t start = 0, end = column->child_count;

    if (kind != DATA_ROW)
        data_array_range(column, row, &start, &end);
    mr_write_u8(out, kind == DATA_ROW ? '(' : kind == DATA_MAP ? '{' : '[');
    for (uint32_t i = start; i < end; i++) {
        if (i != start)
            mr_write_str(out, MR_STR(", "));
        nested_write(out, column->children[kind == DATA_ROW ? i : 0], kind == DATA_ROW ? row : i);
        if (kind == DATA_MAP) {
            mr_write_u8(out, '=');
            nested_write(out, column->children[1], i);
        }
    }
    mr_write_u8(out, kind == DATA_ROW ? ')' : kind == DATA_MAP ? '}' : ']');
}

static size_t time_format(char *out, const struct data_type *type, int64_t v)
{
    if (type->kind == DATA_DATE)
        return data_date_format(out, v);
    if (type->kind == DATA_TIME)
        return data_time_format(out, (int32_t)v, type->precision);
    if (type->kind == DATA_TIMESTAMP_LTZ)
        v = data_timestamp_local(type, v);
    return data_timestamp_format(out, v, type->precision, ' ');
}

/* "+1-02" years and months; "+1 02:03:04.500" days and time. */
static void interval_write(struct mr_writer *out, const struct data_column *column, uint32_t row)
{
    int64_t v = data_integer(column, row);
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    if (column->type->kind == DATA_INTERVAL_MONTH)
        mr_write_text(out, "%c%" PRIu64 "-%02" PRIu64, v < 0 ? '-' : '+', size / 12, size % 12);
    else
        mr_write_text(out, "%c%" PRIu64 " %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64, v < 0 ? '-' : '+',
                      size / (uint64_t)DATA_DAY_US, size / 3600000000u % 24, size / 60000000 % 60, size / 1000000 % 60,
                      size / 1000 % 1000);
}

void data_value_write(struct mr_writer *out, const struct data_column *column, uint32_t row)
{
    if (data_is_null(column, row))
        return;
    switch ((int)column->type->kind) {
    case DATA_BOOLEAN:
        mr_write_str(out, data_bool(column, row) ? MR_STR("TRUE") : MR_STR("FALSE"));
        break;
    case DATA_TINYINT:
    case DATA_SMALLINT:
    case DATA_INT:
    case DATA_BIGINT:
        mr_write_text(out, "%" PRId64, data_integer(column, row));
        break;
    case DATA_FLOAT:
        mr_writer_reserve(out, NUMBER_BYTES);
        out->size += mr_format_f32((char *)out->data + out->size, data_f32(column, row));
        break;
    case DATA_DOUBLE:
        mr_writer_reserve(out, NUMBER_BYTES);
        out->size += mr_format_f64((char *)out->data + out->size, data_f64(column, row));
        break;
    case DATA_DECIMAL:
        mr_writer_reserve(out, NUMBER_BYTES);
        out->size += data_decimal_format((char *)out->data + out->size, data_dec(column, row), column->type->scale);
        break;
    case DATA_DATE:
    case DATA_TIME:
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
        mr_writer_reserve(out, NUMBER_BYTES);
        out->size += time_format((char *)out->data + out->size, column->type, data_integer(column, row));
        break;
    case DATA_INTERVAL_MONTH:
    case DATA_INTERVAL_DAY:
        interval_write(out, column, row);
        break;
    case DATA_STRING:
    case DATA_BYTES: /* as CAST AS STRING has them; data_cell_write shows bytes that are no text in hex */
        mr_write_str(out, data_str(column, row));
        break;
    case DATA_ROW:
    case DATA_ARRAY:
    case DATA_MAP:
        children_write(out, column, row);
        break;
    }
}

static void escape(struct mr_writer *out, size_t start)
{
    struct mr_writer plain = { 0 };

    mr_write_bytes(&plain, (struct mr_bytes){ out->data + start, out->size - start });
    out->size = start;
    for (size_t i = 0; i < plain.size; i++) {
        uint8_t c = plain.data[i];
        if (c == '\t')
            mr_write_str(out, MR_STR("\\t"));
        else if (c == '\n')
            mr_write_str(out, MR_STR("\\n"));
        else if (c == '\r')
            mr_write_str(out, MR_STR("\\r"));
        else if (c == '\\')
            mr_write_str(out, MR_STR("\\\\"));
        else if (c < 0x20 || c == 0x7f)
            mr_write_text(out, "\\x%02x", c);
        else
            mr_write_u8(out, c);
    }
    mr_writer_deinit(&plain);
}

void data_cell_write(struct mr_writer *out, const struct data_column *column, uint32_t row, bool escaped)
{
    size_t start = out->size;

    if (data_is_null(column, row)) {
        mr_write_str(out, MR_STR("NULL"));
        return;
    }
    if (column->type->kind == DATA_BYTES) { /* as a literal: x'00ff' */
        struct mr_str bytes = data_str(column, row);
        mr_write_str(out, MR_STR("x'"));
        for (size_t i = 0; i < bytes.size; i++)
            mr_write_text(out, "%02x", (uint8_t)bytes.data[i]);
        mr_write_u8(out, '\'');
        return;
    }
    data_value_write(out, column, row);
    if (!escaped)
        return;
    for (size_t i = start; i < out->size; i++) {
        if (out->data[i] < 0x20 || out->data[i] == 0x7f || out->data[i] == '\\') {
            escape(out, start);
            return;
        }
    }
}
