/* value.c -- values as text: CAST ... AS STRING, and cells for people. */
#include "data/data.h"

#include "base/text.h"

enum value_limits {
    NUMBER_BYTES = 32,
};

static void nested_write(struct mr_writer *out, const struct data_column *column, uint32_t row)
{
    if (data_is_null(column, row))
        mr_write_str(out, MR_STR("NULL"));
    else
        data_value_write(out, column, row);
}

void data_value_write(struct mr_writer *out, const struct data_column *column, uint32_t row)
{
    uint32_t start, end;

    if (data_is_null(column, row))
        return;
    switch ((int)column->type->kind) {
    case DATA_BOOLEAN:
        mr_write_str(out, data_bool(column, row) ? MR_STR("TRUE") : MR_STR("FALSE"));
        break;
    case DATA_INT:
        mr_write_text(out, "%" PRId32, data_i32(column, row));
        break;
    case DATA_BIGINT:
        mr_write_text(out, "%" PRId64, data_i64(column, row));
        break;
    case DATA_FLOAT:
        mr_writer_reserve(out, NUMBER_BYTES);
        out->size += mr_format_f32((char *)out->data + out->size, data_f32(column, row));
        break;
    case DATA_DOUBLE:
        mr_writer_reserve(out, NUMBER_BYTES);
        out->size += mr_format_f64((char *)out->data + out->size, data_f64(column, row));
        break;
    case DATA_STRING:
        mr_write_str(out, data_str(column, row));
        break;
    case DATA_ROW:
        mr_write_u8(out, '(');
        for (uint32_t i = 0; i < column->child_count; i++) {
            if (i != 0)
                mr_write_str(out, MR_STR(", "));
            nested_write(out, column->children[i], row);
        }
        mr_write_u8(out, ')');
        break;
    case DATA_ARRAY:
        data_array_range(column, row, &start, &end);
        mr_write_u8(out, '[');
        for (uint32_t i = start; i < end; i++) {
            if (i != start)
                mr_write_str(out, MR_STR(", "));
            nested_write(out, column->children[0], i);
        }
        mr_write_u8(out, ']');
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
