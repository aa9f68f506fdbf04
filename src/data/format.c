/* format.c -- one door to the formats (json, csv, raw), and the texts that json and csv share.
 *
 * raw: the record's bytes are the one column: STRING (UTF-8), BYTES, or a number or BOOLEAN in its width,
 * big-endian. */
#include "data/csv_int.h"

#include "base/text.h"

#include <string.h>

/* ---- texts ---- */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void data_base64_write(struct mr_writer *out, struct mr_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t v = (uint32_t)bytes.data[i] << 16 | (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) |
                     (left > 2 ? bytes.data[i + 2] : 0);

        mr_write_u8(out, (uint8_t)base64_digits[v >> 18]);
        mr_write_u8(out, (uint8_t)base64_digits[v >> 12 & 63]);
        mr_write_u8(out, left > 1 ? (uint8_t)base64_digits[v >> 6 & 63] : '=');
        mr_write_u8(out, left > 2 ? (uint8_t)base64_digits[v & 63] : '=');
    }
}

bool data_base64_read(struct mr_writer *out, struct mr_str text)
{
    uint32_t v = 0, bits = 0;

    if (text.size % 4 == 0)
        for (int i = 0; i < 2 && text.size != 0 && text.data[text.size - 1] == '='; i++)
            text.size--;
    if (text.size % 4 == 1)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const char *digit = text.data[i] == '\0' ? NULL : strchr(base64_digits, text.data[i]);
        if (digit == NULL)
            return false;
        v = v << 6 | (uint32_t)(digit - base64_digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            mr_write_u8(out, (uint8_t)(v >> bits));
        }
    }
    return true;
}

static enum mr_status bytes_append(struct data_column *column, struct mr_str text)
{
    struct mr_writer bytes = { 0 };
    bool fine = data_base64_read(&bytes, text);

    if (fine && column != NULL)
        data_append_str(column, mr_str_of_bytes(mr_writer_bytes(&bytes)));
    mr_writer_deinit(&bytes);
    return fine ? MR_OK : MR_INVALID;
}

enum mr_status data_text_append(struct data_column *column, const struct data_type *type, struct mr_str text,
                                char separator)
{
    enum mr_status status;
    bool zoned = false;
    int64_t us = 0;
    int32_t v = 0;

    if (type->kind == DATA_BYTES)
        return bytes_append(column, text);
    if (type->kind == DATA_DATE)
        status = data_parse_date(text, &v);
    else if (type->kind == DATA_TIME)
        status = data_parse_time(text, &v);
    else
        status = data_parse_timestamp(text, separator, &us, type->kind == DATA_TIMESTAMP_LTZ ? &zoned : NULL);
    if (status != MR_OK || column == NULL)
        return status;
    if (type->kind == DATA_DATE || type->kind == DATA_TIME)
        data_append_i32(column, v);
    else
        data_append_i64(column, data_timestamp_cut(us, type->precision));
    return MR_OK;
}

void data_text_write(struct mr_writer *out, const struct data_column *column, uint32_t row, char separator)
{
    const struct data_type *type = column->type;
    char text[DATA_TIME_BYTES];
    size_t size;

    if (type->kind == DATA_BYTES) {
        data_base64_write(out, mr_bytes_of_str(data_str(column, row)));
        return;
    }
    if (type->kind == DATA_DATE)
        size = data_date_format(text, data_i32(column, row));
    else if (type->kind == DATA_TIME)
        size = data_time_format(text, data_i32(column, row), 3);
    else
        size = data_timestamp_format(text, data_i64(column, row), 6, separator);
    if (type->kind != DATA_DATE) {
        while (text[size - 1] == '0' && memchr(text, '.', size) != NULL)
            size--;
        size -= text[size - 1] == '.';
    }
    mr_write_str(out, (struct mr_str){ text, size });
    if (type->kind == DATA_TIMESTAMP_LTZ)
        mr_write_u8(out, 'Z');
}

/* ---- raw ---- */

static enum mr_status raw_decode(struct data_column *column, bool wanted, struct mr_bytes value, struct mr_err *err)
{
    const struct data_type *type = column->type;
    size_t width = type->kind == DATA_BOOLEAN ? 1 : data_kind_width(type->kind);
    uint64_t v = 0;

    if (value.data == NULL) {
        if (!type->nullable)
            return mr_err_set(err, MR_INVALID, "the record is null, and the column is NOT NULL");
        data_append_null(column);
        return MR_OK;
    }
    if (type->kind == DATA_STRING && !mr_utf8_valid(value))
        return mr_err_set(err, MR_INVALID, "the record is not UTF-8");
    if (width != 0 && value.size != width)
        return mr_err_set(err, MR_INVALID, "the record has %zu bytes, %s has %zu", value.size,
                          data_kind_name(type->kind), width);
    for (size_t i = 0; i < width; i++)
        v = v << 8 | value.data[i];
    if (!wanted)
        data_append_null(column);
    else if (width == 0)
        data_append_str(column, mr_str_of_bytes(value));
    else if (type->kind == DATA_BOOLEAN)
        data_append_bool(column, v != 0);
    else if (type->kind == DATA_FLOAT || (type->kind != DATA_DOUBLE && width == 4))
        data_append_i32(column, (int32_t)(uint32_t)v); /* a FLOAT's bits */
    else if (width == 8)
        data_append_i64(column, (int64_t)v);
    else if (width == 2)
        data_append_i16(column, (int16_t)(uint16_t)v);
    else
        data_append_i8(column, (int8_t)(uint8_t)v);
    if (column->overflowed)
        return mr_err_set(err, MR_LIMIT, "the batch is full");
    return MR_OK;
}

static bool raw_encode(const struct data_column *column, uint32_t row, struct mr_writer *out)
{
    size_t width = data_kind_width(column->type->kind);
    uint64_t v;

    if (data_is_null(column, row))
        return false;
    if (column->type->kind == DATA_BOOLEAN) {
        mr_write_u8(out, data_bool(column, row));
    } else if (width == 0) {
        mr_write_str(out, data_str(column, row));
    } else {
        v = (uint64_t)data_integer(column, row); /* of FLOAT and DOUBLE: the bits */
        for (size_t i = width; i-- > 0;)
            mr_write_u8(out, (uint8_t)(v >> (i * 8)));
    }
    return true;
}

/* ---- the door ---- */

struct data_decoder {
    enum data_format_kind kind;
    struct data_json_decoder *json; /* owned, as csv */
    struct csv_decoder *csv;
    bool wanted; /* raw */
};

struct data_decoder *data_decoder_new(const struct data_type *row, const bool *wanted, const struct data_format *format)
{
    struct data_decoder *d = MR_NEW(struct data_decoder);

    d->kind = format->kind;
    switch (format->kind) {
    case DATA_FORMAT_JSON:
        d->json = data_json_decoder_new(row, wanted);
        data_json_decoder_set_iso8601(d->json, format->iso8601);
        break;
    case DATA_FORMAT_CSV:
        d->csv = csv_decoder_new(row, wanted, format);
        break;
    case DATA_FORMAT_RAW:
        assert(row->field_count == 1);
        d->wanted = wanted == NULL || wanted[0];
        break;
    }
    return d;
}

void data_decoder_free(struct data_decoder *decoder)
{
    if (decoder == NULL)
        return;
    data_json_decoder_free(decoder->json);
    csv_decoder_free(decoder->csv);
    mr_free(decoder);
}

enum mr_status data_decode(struct data_decoder *decoder, struct data_batch *batch, struct mr_bytes value,
                           uint32_t slack, bool *skip, struct mr_err *err)
{
    enum mr_status status;
    bool ignored;

    if (skip == NULL)
        skip = &ignored;
    *skip = false;
    if (decoder->kind == DATA_FORMAT_JSON)
        return data_json_decode(decoder->json, batch, value, slack, err);
    if (decoder->kind == DATA_FORMAT_CSV)
        return csv_decode(decoder->csv, batch, value, skip, err);
    status = raw_decode(batch->columns[0], decoder->wanted, value, err);
    if (status != MR_OK)
        data_column_truncate(batch->columns[0], batch->row_count);
    batch->row_count += status == MR_OK;
    return status;
}

struct data_encoder {
    struct data_format format; /* its texts are borrowed */
    struct data_json_encoder *json;
};

struct data_encoder *data_encoder_new(const struct data_type *row, const struct data_format *format)
{
    struct data_encoder *e = MR_NEW(struct data_encoder);

    e->format = *format;
    if (format->kind == DATA_FORMAT_JSON) {
        e->json = data_json_encoder_new(row);
        data_json_encoder_set_iso8601(e->json, format->iso8601);
    }
    return e;
}

void data_encoder_free(struct data_encoder *encoder)
{
    if (encoder == NULL)
        return;
    data_json_encoder_free(encoder->json);
    mr_free(encoder);
}

bool data_encode(struct data_encoder *encoder, const struct data_batch *batch, uint32_t row, struct mr_writer *out)
{
    if (encoder->format.kind == DATA_FORMAT_RAW)
        return raw_encode(batch->columns[0], row, out);
    if (encoder->format.kind == DATA_FORMAT_CSV)
        csv_encode(out, &encoder->format, batch, row);
    else
        data_json_encode(encoder->json, batch, row, out);
    return true;
}

/* ---- what a format can carry ---- */

static bool json_carries(const struct data_type *type)
{
    if (type->kind == DATA_MAP && type->fields[0].type->kind != DATA_STRING)
        return false;
    for (uint32_t i = 0; i < type->field_count; i++)
        if (!json_carries(type->fields[i].type))
            return false;
    return true;
}

static bool csv_carries(const struct data_type *type, bool inside)
{
    if (type->kind == DATA_MAP || (inside && data_kind_nested(type->kind)))
        return false;
    for (uint32_t i = 0; i < type->field_count; i++)
        if (!csv_carries(type->fields[i].type, true))
            return false;
    return true;
}

static bool raw_carries(const struct data_type *type)
{
    return type->kind == DATA_STRING || type->kind == DATA_BYTES || type->kind == DATA_BOOLEAN ||
           (type->kind >= DATA_TINYINT && type->kind <= DATA_DOUBLE);
}

enum mr_status data_format_check(const struct data_format *format, const struct data_type *row, struct mr_err *err)
{
    static const char *const names[] = { "json", "csv", "raw" };

    if (format->kind == DATA_FORMAT_RAW && row->field_count != 1)
        return mr_err_set(err, MR_INVALID, "format raw wants exactly one column, here are %u", row->field_count);
    for (uint32_t i = 0; i < row->field_count; i++) {
        const struct data_type *type = row->fields[i].type;
        bool fits = format->kind == DATA_FORMAT_JSON  ? json_carries(type)
                    : format->kind == DATA_FORMAT_CSV ? csv_carries(type, false)
                                                      : raw_carries(type);
        if (!fits)
            return mr_err_set(err, MR_UNSUPPORTED, "column \"%.*s\": format %s can't carry this %s",
                              MR_STR_ARG(row->fields[i].name), names[format->kind], data_kind_name(type->kind));
    }
    return MR_OK;
}
