/* csv_decode.c -- lines of comma separated values to rows, as Flink's csv format reads them.
 *
 * A field is plain, or stands between quotes (a doubled quote is one; what follows the closing quote up to the
 * delimiter must be blank).  There are as many fields as columns.  What a field becomes:
 *   STRING              its text, blanks and all
 *   numbers, BOOLEAN    the text without blanks around it
 *   BYTES, times        as in JSON (data_text_append)
 *   ARRAY, ROW          its parts between the element delimiter
 *   NULL                the null literal; without one an empty field that is no STRING (which Flink refuses)
 *
 * Invariants as in json_decode.c: a record that fails leaves no trace; columns not wanted are checked all the same. */
#include "data/csv_int.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

enum { CSV_BYTES_MAX = DATA_JSON_VALUE_BYTES_MAX, SHOWN_MAX = 60 };

struct csv_field {
    size_t at, size; /* in text */
    bool quoted;
};

struct csv_decoder {
    const struct data_type *row;
    const struct data_format *format;
    bool *wanted;             /* owned */
    struct mr_writer text;    /* the fields' texts, unquoted, end to end */
    struct csv_field *fields; /* owned */
    uint32_t field_count;
};

struct csv_decoder *csv_decoder_new(const struct data_type *row, const bool *wanted, const struct data_format *format)
{
    struct csv_decoder *d = MR_NEW(struct csv_decoder);

    d->row = row;
    d->format = format;
    d->wanted = mr_calloc(row->field_count + 1, sizeof(bool));
    d->fields = mr_calloc(row->field_count + 1, sizeof(*d->fields));
    for (uint32_t i = 0; i < row->field_count; i++)
        d->wanted[i] = wanted == NULL || wanted[i];
    return d;
}

void csv_decoder_free(struct csv_decoder *d)
{
    if (d == NULL)
        return;
    mr_writer_deinit(&d->text);
    mr_free(d->fields);
    mr_free(d->wanted);
    mr_free(d);
}

/* ---- fields ---- */

/* The field that begins at *AT; *AT moves to its delimiter, or the end. */
static enum mr_status field_read(struct csv_decoder *d, struct mr_str line, size_t *at, struct csv_field *field,
                                 struct mr_err *err)
{
    const struct data_format *f = d->format;
    size_t i = *at, blanks = i;
    bool open = false;

    field->at = d->text.size;
    field->quoted = false;
    while (blanks < line.size && line.data[blanks] == ' ' && f->csv_delimiter != ' ')
        blanks++;
    if (blanks < line.size && f->csv_quote >= 0 && (uint8_t)line.data[blanks] == f->csv_quote) {
        field->quoted = open = true;
        i = blanks + 1;
    }
    for (; i < line.size; i++) {
        char c = line.data[i];
        if (f->csv_escape >= 0 && (uint8_t)c == f->csv_escape && i + 1 < line.size) {
            mr_write_u8(&d->text, (uint8_t)line.data[++i]);
        } else if (open && (uint8_t)c == f->csv_quote) {
            if (i + 1 < line.size && line.data[i + 1] == c)
                mr_write_u8(&d->text, (uint8_t)line.data[++i]);
            else
                open = false;
        } else if (!open && c == f->csv_delimiter) {
            break;
        } else if (field->quoted && !open) {
            if (c != ' ')
                return mr_err_set(err, MR_INVALID, "not CSV: after a closing quote stands '%c', not the delimiter", c);
        } else {
            mr_write_u8(&d->text, (uint8_t)c);
        }
    }
    if (open)
        return mr_err_set(err, MR_INVALID, "not CSV: a quote that is not closed");
    field->size = d->text.size - field->at;
    *at = i;
    return MR_OK;
}

/* Splits LINE into d->fields. */
static enum mr_status line_split(struct csv_decoder *d, struct mr_str line, struct mr_err *err)
{
    uint32_t count = 0;
    size_t at = 0;

    d->text.size = 0;
    for (;; at++) {
        struct csv_field field;
        enum mr_status status = field_read(d, line, &at, &field, err);

        if (status != MR_OK)
            return status;
        if (count < d->row->field_count)
            d->fields[count] = field;
        count++;
        if (at >= line.size)
            break;
    }
    if (count != d->row->field_count)
        return mr_err_set(err, MR_INVALID, "the line has %u field%s, %u are expected", count, count == 1 ? "" : "s",
                          d->row->field_count);
    return MR_OK;
}

/* ---- values; COLUMN may be NULL ---- */

static bool number_append(struct data_column *column, const struct data_type *type, struct mr_str text)
{
    int64_t max, integer = 0;
    data_i128 decimal = 0;
    double d = 0;

    switch ((int)type->kind) {
    case DATA_DECIMAL:
        if (data_parse_decimal(text, type->precision, type->scale, &decimal) != MR_OK)
            return false;
        if (column != NULL)
            data_append_dec(column, decimal);
        return true;
    case DATA_FLOAT:
    case DATA_DOUBLE:
        if (data_parse_f64(text, &d) != MR_OK || (type->kind == DATA_FLOAT && isfinite(d) && !isfinite((float)d)))
            return false;
        if (column != NULL && type->kind == DATA_FLOAT)
            data_append_f32(column, (float)d);
        else if (column != NULL)
            data_append_f64(column, d);
        return true;
    default:
        max = INT64_MAX >> (64 - data_kind_width(type->kind) * 8);
        if (mr_parse_i64(mr_str_trim(text), &integer) != MR_OK || integer > max || integer < -max - 1)
            return false;
        if (column != NULL)
            data_append_integer(column, integer);
        return true;
    }
}

static bool value_append(struct csv_decoder *d, struct data_column *column, const struct data_type *type,
                         struct mr_str text, bool quoted);

/* The parts of an ARRAY or ROW. */
static bool parts_append(struct csv_decoder *d, struct data_column *column, const struct data_type *type,
                         struct mr_str text)
{
    struct mr_str mark = d->format->csv_elements;
    uint32_t count = 0;

    while (type->kind == DATA_ROW || text.size != 0 || count != 0) {
        const char *hit = mark.size == 0 || text.size == 0 ? NULL : memmem(text.data, text.size, mark.data, mark.size);
        struct mr_str part = { text.data, hit == NULL ? text.size : (size_t)(hit - text.data) };
        uint32_t field = type->kind == DATA_ROW ? count : 0;

        if (field >= type->field_count ||
            !value_append(d, column == NULL ? NULL : column->children[field], type->fields[field].type, part, false))
            return false;
        count++;
        if (hit == NULL)
            break;
        text = (struct mr_str){ hit + mark.size, text.size - part.size - mark.size };
    }
    if (type->kind == DATA_ROW && count != type->field_count)
        return false;
    if (column != NULL && type->kind == DATA_ROW)
        data_append_row(column);
    else if (column != NULL)
        data_append_array(column);
    return true;
}

static bool value_append(struct csv_decoder *d, struct data_column *column, const struct data_type *type,
                         struct mr_str text, bool quoted)
{
    struct mr_str null = d->format->csv_null;

    if (null.data != NULL ? mr_str_equal(text, null)
                          : text.size == 0 && !quoted && type->kind != DATA_STRING && type->kind != DATA_ARRAY) {
        if (type->nullable && column != NULL)
            data_append_null(column);
        return type->nullable;
    }
    switch ((int)type->kind) {
    case DATA_STRING:
        if (column != NULL)
            data_append_str(column, text);
        return true;
    case DATA_BOOLEAN:
        text = mr_str_trim(text);
        if (!mr_str_equal_nocase(text, MR_STR("true")) && !mr_str_equal_nocase(text, MR_STR("false")))
            return false;
        if (column != NULL)
            data_append_bool(column, text.size == 4);
        return true;
    case DATA_ROW:
    case DATA_ARRAY:
        return parts_append(d, column, type, text);
    case DATA_BYTES:
    case DATA_DATE:
    case DATA_TIME:
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
        return data_text_append(column, type, text, ' ') == MR_OK;
    default:
        return number_append(column, type, text);
    }
}

static enum mr_status field_wrong(const struct data_field *field, struct mr_str text, struct mr_err *err)
{
    struct mr_writer type = { 0 };
    size_t shown = text.size > SHOWN_MAX ? SHOWN_MAX : text.size;

    while (shown < text.size && shown > 0 && ((uint8_t)text.data[shown] & 0xc0) == 0x80)
        shown--;
    data_type_write(&type, field->type);
    (void)mr_err_set(err, MR_INVALID, "field \"%.*s\": expected %.*s, found '%.*s'%s", MR_STR_ARG(field->name),
                     (int)type.size, (const char *)type.data, (int)shown, text.data, shown < text.size ? "..." : "");
    mr_writer_deinit(&type);
    return MR_INVALID;
}

enum mr_status csv_decode(struct csv_decoder *d, struct data_batch *batch, struct mr_bytes value, bool *skip,
                          struct mr_err *err)
{
    struct mr_str line = mr_str_of_bytes(value);
    uint32_t row = batch->row_count;
    enum mr_status status;

    *skip = false;
    if (value.data == NULL)
        return mr_err_set(err, MR_INVALID, "not CSV: it is null");
    if (value.size > CSV_BYTES_MAX)
        return mr_err_set(err, MR_LIMIT, "%zu bytes of CSV are more than the limit of %d", value.size, CSV_BYTES_MAX);
    if (!mr_utf8_valid(value))
        return mr_err_set(err, MR_INVALID, "not CSV: it is not UTF-8");
    if (d->format->csv_comments && line.size != 0 && line.data[0] == '#') {
        *skip = true;
        return MR_OK;
    }
    while (line.size != 0 && (line.data[line.size - 1] == '\n' || line.data[line.size - 1] == '\r'))
        line.size--;
    status = line_split(d, line, err);
    for (uint32_t i = 0; i < d->row->field_count && status == MR_OK; i++) {
        struct mr_str text = { (const char *)d->text.data + d->fields[i].at, d->fields[i].size };
        struct data_column *column = batch->columns[i];

        if (d->text.data == NULL)
            text = MR_STR("");
        if (!value_append(d, d->wanted[i] ? column : NULL, d->row->fields[i].type, text, d->fields[i].quoted))
            status = field_wrong(&d->row->fields[i], text, err);
        else if (d->wanted[i] && column->overflowed)
            status = mr_err_set(err, MR_LIMIT, "the batch is full");
    }
    for (uint32_t i = 0; i < batch->column_count; i++) {
        if (status != MR_OK)
            data_column_truncate(batch->columns[i], row);
        else if (!d->wanted[i])
            data_append_null(batch->columns[i]);
    }
    batch->row_count += status == MR_OK;
    return status;
}
