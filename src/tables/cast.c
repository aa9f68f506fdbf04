/* cast.c -- CAST(value AS type): which there are, and what becomes of the value. */
#include "tables/expr_int.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

#define UUID_EPOCH_100NS INT64_C(122192928000000000) /* 1582-10-15 to 1970-01-01 */
#define DAY_MS           INT64_C(86400000)

static bool is_whole(uint16_t code)
{
    return code == CQL_TINYINT || code == CQL_SMALLINT || code == CQL_INT || code == CQL_BIGINT ||
           code == CQL_COUNTER || code == CQL_VARINT;
}

static bool is_number(uint16_t code)
{
    return is_whole(code) || code == CQL_FLOAT || code == CQL_DOUBLE || code == CQL_DECIMAL;
}

bool expr_can_cast(const struct cql_type *from, const struct cql_type *to)
{
    if (from->code == to->code)
        return from->item_count == 0 && from->code != CQL_BLOB;
    if (is_number(from->code) && is_number(to->code) && to->code != CQL_COUNTER)
        return true;
    if (to->code == CQL_TIMESTAMP)
        return from->code == CQL_DATE || from->code == CQL_TIMEUUID;
    if (to->code == CQL_DATE)
        return from->code == CQL_TIMESTAMP || from->code == CQL_TIMEUUID;
    if (to->code == CQL_VARCHAR || to->code == CQL_ASCII)
        return from->item_count == 0 && from->code != CQL_BLOB && from->code != CQL_DURATION &&
               (to->code == CQL_VARCHAR || from->code != CQL_VARCHAR);
    return false;
}

static struct cql_value take(struct mr_writer *w, struct mr_arena *arena)
{
    struct cql_value v = CQL_VALUE_OF(mr_arena_bytes(arena, mr_writer_bytes(w)).data, w->size);

    if (v.data == NULL)
        v.data = (const uint8_t *)"";
    mr_writer_deinit(w);
    return v;
}

static void write_whole(struct mr_writer *w, uint16_t code, int64_t v)
{
    if (code == CQL_TINYINT)
        mr_write_u8(w, (uint8_t)v);
    else if (code == CQL_SMALLINT)
        mr_write_u16(w, (uint16_t)v);
    else if (code == CQL_INT)
        mr_write_i32(w, (int32_t)v);
    else if (code == CQL_VARINT)
        cql_varint_write(w, v);
    else
        mr_write_i64(w, v);
}

static int64_t read_whole(uint16_t code, struct cql_value v)
{
    if (code == CQL_TINYINT)
        return (int8_t)v.data[0];
    if (code == CQL_SMALLINT)
        return (int16_t)(v.data[0] << 8 | v.data[1]);
    if (code == CQL_INT)
        return mr_load_i32(v.data);
    if (code == CQL_VARINT)
        return cql_varint_clamp((struct mr_bytes){ v.data, (size_t)v.size });
    return mr_load_i64(v.data);
}

static int64_t whole_of(double v)
{
    if (isnan(v))
        return 0;
    return v >= 9223372036854775807.0 ? INT64_MAX : v <= -9223372036854775808.0 ? INT64_MIN : (int64_t)v;
}

static struct cql_value cast_number(const struct cql_type *from, const struct cql_type *to, struct cql_value v,
                                    struct mr_arena *arena)
{
    struct mr_writer w = { 0 }, text = { 0 };

    if (to->code == CQL_FLOAT) {
        uint8_t bytes[4];

        cql_store_f32(bytes, (float)cql_number_f64(from, v));
        mr_write_bytes(&w, (struct mr_bytes){ bytes, 4 });
    } else if (to->code == CQL_DOUBLE) {
        mr_write_f64(&w, cql_number_f64(from, v));
    } else if (to->code == CQL_DECIMAL || (to->code == CQL_VARINT && is_whole(from->code))) {
        cql_value_format(&text, from, v);
        if ((to->code == CQL_DECIMAL ? cql_decimal_parse : cql_varint_parse)(mr_str_of_bytes(mr_writer_bytes(&text)),
                                                                             &w) != MR_OK) {
            mr_writer_deinit(&text);
            return CQL_VALUE_NULL;
        }
        mr_writer_deinit(&text);
    } else if (is_whole(from->code)) {
        write_whole(&w, to->code, read_whole(from->code, v));
    } else {
        int64_t whole = whole_of(cql_number_f64(from, v));

        if (to->code == CQL_INT && from->code != CQL_DECIMAL)
            whole = whole > INT32_MAX ? INT32_MAX : whole < INT32_MIN ? INT32_MIN : whole;
        write_whole(&w, to->code, whole);
    }
    return take(&w, arena);
}

static int64_t floor_days(int64_t ms)
{
    return ms >= 0 ? ms / DAY_MS : -((DAY_MS - 1 - ms) / DAY_MS);
}

/* Milliseconds since 1970 of a date, a timestamp, a timeuuid. */
static int64_t ms_of(uint16_t code, struct cql_value v)
{
    if (code == CQL_DATE)
        return ((int64_t)(uint32_t)mr_load_i32(v.data) - (int64_t)CQL_DATE_EPOCH) * DAY_MS;
    if (code == CQL_TIMEUUID) {
        uint64_t low = (uint32_t)mr_load_i32(v.data), middle = (uint64_t)v.data[4] << 8 | v.data[5];
        uint64_t high = (uint64_t)(v.data[6] & 0x0f) << 8 | v.data[7];
        int64_t ticks = (int64_t)(high << 48 | middle << 32 | low) - UUID_EPOCH_100NS;

        return ticks >= 0 ? ticks / 10000 : -((9999 - ticks) / 10000);
    }
    return mr_load_i64(v.data);
}

enum mr_status expr_cast(const struct cql_type *from, const struct cql_type *to, struct cql_value v,
                         struct mr_arena *arena, struct cql_value *out, struct mr_err *err)
{
    struct mr_writer w = { 0 };
    char text[40];

    MR_UNUSED(err);
    if (v.size <= 0 || from->code == to->code) {
        *out = v.size <= 0 ? CQL_VALUE_NULL : v;
        return MR_OK;
    }
    if (is_number(from->code) && is_number(to->code)) {
        *out = cast_number(from, to, v, arena);
        return MR_OK;
    }
    if (to->code == CQL_TIMESTAMP) {
        mr_write_i64(&w, ms_of(from->code, v));
    } else if (to->code == CQL_DATE) {
        mr_write_i32(&w, (int32_t)(uint32_t)(floor_days(ms_of(from->code, v)) + (int64_t)CQL_DATE_EPOCH));
    } else if (from->code == CQL_TIMESTAMP) {
        mr_write_text(&w, "%.*sZ", (int)mr_format_time_ms(text, mr_load_i64(v.data), 'T'), text);
    } else {
        cql_value_format(&w, from, v);
    }
    *out = take(&w, arena);
    return MR_OK;
}
