/* csv_encode.c -- rows as lines of comma separated values, as Flink's csv format writes them.
 *
 * A field is quoted when it has the delimiter, the quote, the escape character, a blank or a control character,
 * begins with #, is the null literal without being NULL, or is an empty STRING (so that others do not take it for
 * NULL). */
#include "data/csv_int.h"

#include <string.h>

/* The value's plain text. */
static void text_write(struct mr_writer *out, const struct data_format *format, const struct data_column *column,
                       uint32_t row)
{
    bool is_row = column->type->kind == DATA_ROW;
    uint32_t start = 0, end = column->child_count;

    if (data_is_null(column, row)) {
        mr_write_str(out, format->csv_null);
        return;
    }
    switch ((int)column->type->kind) {
    case DATA_BOOLEAN:
        mr_write_str(out, data_bool(column, row) ? MR_STR("true") : MR_STR("false"));
        break;
    case DATA_BYTES:
    case DATA_DATE:
    case DATA_TIME:
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
        data_text_write(out, column, row, ' ');
        break;
    case DATA_ROW:
    case DATA_ARRAY:
        if (!is_row)
            data_array_range(column, row, &start, &end);
        for (uint32_t i = start; i < end; i++) {
            if (i != start)
                mr_write_str(out, format->csv_elements);
            text_write(out, format, column->children[is_row ? i : 0], is_row ? row : i);
        }
        break;
    default:
        data_value_write(out, column, row);
    }
}

static bool quotes_needed(const struct data_format *format, const struct data_column *column, struct mr_str text)
{
    if (text.size == 0)
        return column->type->kind == DATA_STRING;
    if (text.data[0] == '#' || mr_str_equal(text, format->csv_null))
        return true;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if (c <= ' ' || text.data[i] == format->csv_delimiter || c == format->csv_quote || c == format->csv_escape)
            return true;
    }
    return false;
}

void csv_encode(struct mr_writer *out, const struct data_format *format, const struct data_batch *batch, uint32_t row)
{
    struct mr_writer text = { 0 };

    for (uint32_t c = 0; c < batch->column_count; c++) {
        const struct data_column *column = batch->columns[c];
        bool quoted;

        text.size = 0;
        text_write(&text, format, column, row);
        quoted = format->csv_quote >= 0 && !data_is_null(column, row) &&
                 quotes_needed(format, column, mr_str_of_bytes(mr_writer_bytes(&text)));
        if (c != 0)
            mr_write_u8(out, (uint8_t)format->csv_delimiter);
        if (quoted)
            mr_write_u8(out, (uint8_t)format->csv_quote);
        for (size_t i = 0; i < text.size; i++) {
            if (format->csv_escape >= 0 &&
                (text.data[i] == format->csv_escape || (quoted && text.data[i] == format->csv_quote)))
                mr_write_u8(out, (uint8_t)format->csv_escape);
            else if (quoted && text.data[i] == format->csv_quote)
                mr_write_u8(out, text.data[i]);
            mr_write_u8(out, text.data[i]);
        }
        if (quoted)
            mr_write_u8(out, (uint8_t)format->csv_quote);
    }
    mr_writer_deinit(&text);
}
