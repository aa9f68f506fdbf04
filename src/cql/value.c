/* value.c -- single values: fixed-size numbers, and text for people. */
#include "cql/cql.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

void cql_store_f32(uint8_t out[4], float v)
{
    int32_t bits;

    memcpy(&bits, &v, sizeof(bits));
    mr_store_i32(out, bits);
}

void cql_store_f64(uint8_t out[8], double v)
{
    int64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    mr_store_i64(out, bits);
}

float cql_load_f32(const uint8_t *at)
{
    int32_t bits = mr_load_i32(at);
    float v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

double cql_load_f64(const uint8_t *at)
{
    int64_t bits = mr_load_i64(at);
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static void format_hex(struct mr_writer *w, struct cql_value v)
{
    int32_t i;

    mr_write_str(w, MR_STR("0x"));
    for (i = 0; i < v.size; i++)
        mr_write_text(w, "%02x", v.data[i]);
}

static void format_items(struct mr_writer *w, const struct cql_type *type, struct cql_value v)
{
    struct mr_reader r = mr_reader_of((struct mr_bytes){ v.data, (size_t)v.size });
    int32_t count = mr_read_i32(&r), i;

    mr_write_u8(w, type->code == CQL_LIST ? '[' : '{');
    for (i = 0; i < count && !r.failed; i++) {
        if (i > 0)
            mr_write_str(w, MR_STR(", "));
        cql_value_format(w, type->items[0], cql_read_value(&r));
        if (type->code == CQL_MAP) {
            mr_write_str(w, MR_STR(": "));
            cql_value_format(w, type->items[1], cql_read_value(&r));
        }
    }
    mr_write_u8(w, type->code == CQL_LIST ? ']' : '}');
}

static void format_fixed(struct mr_writer *w, uint16_t code, const uint8_t *at)
{
    char text[40];

    if (code == CQL_INT)
        mr_write_text(w, "%" PRId32, mr_load_i32(at));
    else if (code == CQL_BIGINT || code == CQL_COUNTER)
        mr_write_text(w, "%" PRId64, mr_load_i64(at));
    else if (code == CQL_DOUBLE)
        mr_write_str(w, (struct mr_str){ text, mr_format_f64(text, cql_load_f64(at)) });
    else if (code == CQL_FLOAT)
        mr_write_str(w, (struct mr_str){ text, mr_format_f32(text, cql_load_f32(at)) });
    else if (code == CQL_TIMESTAMP)
        mr_write_str(w, (struct mr_str){ text, mr_format_time_ms(text, mr_load_i64(at), ' ') });
    else if (code == CQL_BOOLEAN)
        mr_write_str(w, at[0] ? MR_STR("true") : MR_STR("false"));
    else if (code == CQL_TIME)
        cql_time_format(w, mr_load_i64(at));
    else if (code == CQL_DATE)
        cql_date_format(w, (uint32_t)mr_load_i32(at));
    else if (code == CQL_TINYINT)
        mr_write_text(w, "%d", (int8_t)at[0]);
    else if (code == CQL_SMALLINT)
        mr_write_text(w, "%d", (int16_t)(at[0] << 8 | at[1]));
    else {
        mr_uuid_format(text, at);
        mr_write_str(w, mr_str_of(text));
    }
}

static void format_inet(struct mr_writer *w, struct cql_value v)
{
    char text[INET6_ADDRSTRLEN];

    if (inet_ntop(v.size == 4 ? AF_INET : AF_INET6, v.data, text, sizeof(text)) != NULL)
        mr_write_str(w, mr_str_of(text));
}

/* Bytes of the types that format_fixed knows; 0 for others. */
static int32_t fixed_size(uint16_t code)
{
    switch (code) {
    case CQL_INT:
    case CQL_FLOAT:
    case CQL_DATE:
        return 4;
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_TIME:
    case CQL_DOUBLE:
    case CQL_TIMESTAMP:
        return 8;
    case CQL_BOOLEAN:
    case CQL_TINYINT:
        return 1;
    case CQL_SMALLINT:
        return 2;
    case CQL_UUID:
    case CQL_TIMEUUID:
        return 16;
    default:
        return 0;
    }
}

static void format_tuple(struct mr_writer *w, const struct cql_type *type, struct cql_value v)
{
    struct mr_reader r = mr_reader_of((struct mr_bytes){ v.data, (size_t)v.size });
    uint16_t i;

    mr_write_u8(w, '(');
    for (i = 0; i < type->item_count; i++) {
        if (i > 0)
            mr_write_str(w, MR_STR(", "));
        cql_value_format(w, type->items[i], mr_reader_left(&r) > 0 ? cql_read_value(&r) : CQL_VALUE_NULL);
    }
    mr_write_u8(w, ')');
}

/* The types without a fixed size; false for others. */
static bool format_number(struct mr_writer *w, uint16_t code, struct cql_value v)
{
    struct mr_bytes bytes = { v.data, (size_t)v.size };
    struct cql_duration duration;

    if (code == CQL_VARINT && v.size > 0)
        cql_varint_format(w, bytes);
    else if (code == CQL_DECIMAL && v.size > 4)
        cql_decimal_format(w, bytes);
    else if (code == CQL_DURATION && cql_duration_read(v, &duration) == MR_OK)
        cql_duration_format(w, &duration);
    else
        return false;
    return true;
}

void cql_value_format(struct mr_writer *w, const struct cql_type *type, struct cql_value v)
{
    int32_t fixed = fixed_size(type->code);

    if (v.size < 0)
        mr_write_str(w, MR_STR("null"));
    else if (type->code == CQL_VARCHAR || type->code == CQL_ASCII)
        mr_write_bytes(w, (struct mr_bytes){ v.data, (size_t)v.size });
    else if (fixed > 0 && v.size == fixed)
        format_fixed(w, type->code, v.data);
    else if (type->code == CQL_INET && (v.size == 4 || v.size == 16))
        format_inet(w, v);
    else if (type->code == CQL_LIST || type->code == CQL_SET || type->code == CQL_MAP)
        format_items(w, type, v);
    else if (type->code == CQL_TUPLE)
        format_tuple(w, type, v);
    else if (!format_number(w, type->code, v))
        format_hex(w, v);
}
