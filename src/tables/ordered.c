/* ordered.c -- values in a form whose bytes compare as the values do: clustering keys, and comparisons.
 *
 * One component is 0x01 (the empty value) or 0x02 followed by
 *   tinyint … bigint, timestamp, time   big-endian with the sign bit turned
 *   date                     as it is
 *   float, double            IEEE bits: all turned when negative, else the sign bit
 *   boolean                  0 or 1
 *   uuid                     the version; of version 1 the time fields from high to low; then the bytes
 *   timeuuid                 the same, the last eight bytes with their sign bits turned, as Cassandra compares them
 *   varint                   2 and the size u16, or when negative 1 and its complement; then the two's complement
 *   decimal                  0, 1 or 2 for below, at or above zero; the exponent of 0.d1d2… i64, its sign bit turned;
 *                            the digits without zeros at the end, ended by 0; for below zero all of it turned
 *   list, set, map, tuple    for each part 02 and its component, or 01 for null; ended by 00
 *   text and the rest        the bytes, 0x00 as 00 ff, ended by 00 00
 * and, when descending, every byte turned.  This is a disk format: it does not change.  Numbers that are equal have one
 * form, so a decimal comes back without the zeros at its end. */
#include "tables/literal_int.h"

#include <string.h>

enum { MARK_EMPTY = 1, MARK_VALUE = 2, UUID_BYTES = 16 };

/* Time high and version, time mid, time low: the places of a version 1 UUID's bytes in the order of time. */
static const uint8_t uuid_time_order[8] = { 6, 7, 4, 5, 0, 1, 2, 3 };

static size_t fixed_size(uint16_t code)
{
    switch (code) {
    case CQL_INT:
    case CQL_FLOAT:
    case CQL_DATE:
        return 4;
    case CQL_BIGINT:
    case CQL_TIMESTAMP:
    case CQL_DOUBLE:
    case CQL_TIME:
    case CQL_COUNTER:
        return 8;
    case CQL_BOOLEAN:
    case CQL_TINYINT:
        return 1;
    case CQL_SMALLINT:
        return 2;
    case CQL_UUID:
    case CQL_TIMEUUID:
        return UUID_BYTES;
    default:
        return 0;
    }
}

static void encode_fixed(struct mr_writer *w, uint16_t code, const uint8_t *in, size_t size)
{
    uint8_t out[UUID_BYTES + 1];
    size_t i;

    memcpy(out, in, size);
    if (code == CQL_UUID || code == CQL_TIMEUUID) {
        out[0] = in[6] >> 4;
        memcpy(out + 1, in, UUID_BYTES);
        for (i = 0; i < 8 && out[0] == 1; i++)
            out[1 + i] = in[uuid_time_order[i]];
        for (i = 9; i < size + 1 && code == CQL_TIMEUUID; i++)
            out[i] ^= 0x80;
        size++;
    } else if ((code == CQL_FLOAT || code == CQL_DOUBLE) && (in[0] & 0x80)) {
        for (i = 0; i < size; i++)
            out[i] = (uint8_t)~out[i];
    } else if (code != CQL_BOOLEAN && code != CQL_DATE) {
        out[0] ^= 0x80;
    }
    mr_write_bytes(w, (struct mr_bytes){ out, size });
}

static void encode_bytes(struct mr_writer *w, struct cql_value v)
{
    int32_t i;

    for (i = 0; i < v.size; i++) {
        mr_write_u8(w, v.data[i]);
        if (v.data[i] == 0)
            mr_write_u8(w, 0xff);
    }
    mr_write_u16(w, 0);
}

static void encode_varint(struct mr_writer *w, struct cql_value v)
{
    bool negative = v.data[0] & 0x80;
    uint16_t size;

    /* as short as it can be: longer ones are the same number */
    while (v.size > 1 && v.data[0] == (negative ? 0xff : 0) && (v.data[1] & 0x80) == (negative ? 0x80 : 0))
        v = CQL_VALUE_OF(v.data + 1, v.size - 1);
    size = (uint16_t)v.size;
    mr_write_u8(w, negative ? 1 : 2);
    mr_write_u16(w, negative ? (uint16_t)~size : size);
    mr_write_bytes(w, (struct mr_bytes){ v.data, (size_t)v.size });
}

static void encode_decimal(struct mr_writer *w, struct cql_value v)
{
    struct mr_writer digits = { 0 };
    bool negative = cql_varint_digits(&digits, (struct mr_bytes){ v.data + 4, (size_t)v.size - 4 });
    size_t at = w->size, size = digits.size;

    if (size == 1 && digits.data[0] == '0') {
        mr_write_u8(w, 1);
    } else {
        mr_write_u8(w, negative ? 0 : 2);
        at = w->size;
        mr_write_u64(w, (uint64_t)((int64_t)size - mr_load_i32(v.data)) ^ UINT64_C(0x8000000000000000));
        while (size > 1 && digits.data[size - 1] == '0')
            size--;
        mr_write_bytes(w, (struct mr_bytes){ digits.data, size });
        mr_write_u8(w, 0);
        for (; negative && at < w->size; at++)
            w->data[at] = (uint8_t)~w->data[at];
    }
    mr_writer_deinit(&digits);
}

static bool has_parts(uint16_t code)
{
    return code == CQL_LIST || code == CQL_SET || code == CQL_MAP || code == CQL_TUPLE;
}

static void encode_parts(struct mr_writer *w, const struct cql_type *type, struct cql_value v)
{
    struct mr_reader r = mr_reader_of((struct mr_bytes){ v.data, (size_t)v.size });
    int64_t count = type->code == CQL_TUPLE ? type->item_count : (int64_t)mr_read_i32(&r) * type->item_count, i;

    for (i = 0; i < count && mr_reader_left(&r) > 0; i++) {
        struct cql_value part = cql_read_value(&r);

        mr_write_u8(w, part.size < 0 ? MARK_EMPTY : MARK_VALUE);
        if (part.size >= 0)
            ordered_encode(w, type->items[i % type->item_count], false, part);
    }
    mr_write_u8(w, 0);
}

void ordered_encode(struct mr_writer *w, const struct cql_type *type, bool descending, struct cql_value v)
{
    size_t from = w->size, fixed = fixed_size(type->code);

    assert(v.size >= 0);
    mr_write_u8(w, v.size == 0 ? MARK_EMPTY : MARK_VALUE);
    if (v.size > 0 && fixed > 0) {
        assert((size_t)v.size == fixed);
        encode_fixed(w, type->code, v.data, fixed);
    } else if (v.size > 0 && type->code == CQL_VARINT) {
        encode_varint(w, v);
    } else if (v.size > 4 && type->code == CQL_DECIMAL) {
        encode_decimal(w, v);
    } else if (v.size > 0 && has_parts(type->code)) {
        encode_parts(w, type, v);
    } else if (v.size > 0) {
        encode_bytes(w, v);
    }
    for (; descending && from < w->size; from++)
        w->data[from] = (uint8_t)~w->data[from];
}

int ordered_compare(const struct cql_type *type, struct cql_value a, struct cql_value b)
{
    struct mr_writer x = { 0 }, y = { 0 };
    int order;

    if (type->code == CQL_VARCHAR || type->code == CQL_ASCII || type->code == CQL_BLOB)
        return mr_bytes_compare((struct mr_bytes){ a.data, (size_t)a.size },
                                (struct mr_bytes){ b.data, (size_t)b.size });
    ordered_encode(&x, type, false, a);
    ordered_encode(&y, type, false, b);
    order = mr_bytes_compare(mr_writer_bytes(&x), mr_writer_bytes(&y));
    mr_writer_deinit(&x);
    mr_writer_deinit(&y);
    return order;
}

static void decode_fixed(uint8_t *out, uint16_t code, const uint8_t *in, size_t size)
{
    size_t i;

    if (code == CQL_UUID || code == CQL_TIMEUUID) {
        memcpy(out, in + 1, UUID_BYTES);
        for (i = 0; i < 8 && in[0] == 1; i++)
            out[uuid_time_order[i]] = in[1 + i];
        for (i = 8; i < size && code == CQL_TIMEUUID; i++)
            out[i] ^= 0x80;
        return;
    }
    memcpy(out, in, size);
    if ((code == CQL_FLOAT || code == CQL_DOUBLE) && !(in[0] & 0x80)) {
        for (i = 0; i < size; i++)
            out[i] = (uint8_t)~out[i];
    } else if (code != CQL_BOOLEAN && code != CQL_DATE) {
        out[0] ^= 0x80;
    }
}

static enum mr_status decode_bytes(struct mr_reader *r, uint8_t turn, struct mr_arena *arena, struct cql_value *out)
{
    size_t left = mr_reader_left(r), size = 0;
    uint8_t *bytes = mr_arena_alloc(arena, left + 1);

    while (!r->failed) {
        uint8_t b = mr_read_u8(r) ^ turn, next;

        if (b == 0) {
            next = mr_read_u8(r) ^ turn;
            if (next == 0)
                break;
        }
        bytes[size++] = b;
    }
    *out = CQL_VALUE_OF(bytes, size);
    return r->failed ? MR_CORRUPT : MR_OK;
}

static uint8_t read_turned(struct mr_reader *r, uint8_t turn)
{
    return mr_read_u8(r) ^ turn;
}

static enum mr_status take_value(struct mr_writer *w, const struct mr_reader *r, struct mr_arena *arena,
                                 struct cql_value *out)
{
    struct mr_bytes copy = mr_arena_bytes(arena, mr_writer_bytes(w));

    *out = CQL_VALUE_OF(copy.data != NULL ? copy.data : (const uint8_t *)"", copy.size);
    mr_writer_deinit(w);
    return r->failed ? MR_CORRUPT : MR_OK;
}

static enum mr_status decode_varint(struct mr_reader *r, uint8_t turn, struct mr_arena *arena, struct cql_value *out)
{
    uint8_t sign = read_turned(r, turn), high = read_turned(r, turn), low = read_turned(r, turn);
    uint16_t size = (uint16_t)(high << 8 | low), i;
    struct mr_writer w = { 0 };

    size = sign == 1 ? (uint16_t)~size : size;
    for (i = 0; i < size && !r->failed; i++)
        mr_write_u8(&w, read_turned(r, turn));
    return take_value(&w, r, arena, out);
}

static enum mr_status decode_decimal(struct mr_reader *r, uint8_t turn, struct mr_arena *arena, struct cql_value *out)
{
    uint8_t sign = read_turned(r, turn), c;
    struct mr_writer digits = { 0 }, w = { 0 };
    uint64_t exponent = 0;
    int i;

    if (sign != 1) {
        if (sign == 0)
            turn = (uint8_t)~turn;
        for (i = 0; i < 8; i++)
            exponent = exponent << 8 | read_turned(r, turn);
        exponent ^= UINT64_C(0x8000000000000000);
        if (sign == 0)
            mr_write_u8(&digits, '-');
        while ((c = read_turned(r, turn)) != 0 && !r->failed)
            mr_write_u8(&digits, c);
    }
    if (sign == 1) {
        mr_write_bytes(&w, (struct mr_bytes){ (const uint8_t *)"\0\0\0\0\0", 5 });
    } else {
        /* No number that was written is beyond: a scale has 32 bits, digits are far fewer. */
        if ((int64_t)exponent < -INT64_C(0x200000000) || (int64_t)exponent > INT64_C(0x200000000))
            mr_reader_fail(r);
        else
            mr_write_i32(&w, (int32_t)((int64_t)digits.size - (sign == 0) - (int64_t)exponent));
        if (r->failed || cql_varint_parse(mr_str_of_bytes(mr_writer_bytes(&digits)), &w) != MR_OK)
            mr_reader_fail(r);
    }
    mr_writer_deinit(&digits);
    return take_value(&w, r, arena, out);
}

static enum mr_status decode_parts(struct mr_reader *r, const struct cql_type *type, uint8_t turn,
                                   struct mr_arena *arena, struct cql_value *out)
{
    struct mr_writer w = { 0 };
    int32_t count = 0;
    uint8_t mark;
    enum mr_status status = MR_OK;

    if (type->code != CQL_TUPLE)
        mr_write_i32(&w, 0);
    while (status == MR_OK && !r->failed && (mark = read_turned(r, turn)) != 0) {
        struct cql_value part = CQL_VALUE_NULL;

        if (mark == MARK_VALUE)
            status = ordered_decode(r, type->items[count % type->item_count], turn != 0, arena, &part);
        cql_write_value(&w, part);
        count++;
    }
    if (type->code != CQL_TUPLE)
        mr_write_i32_at(&w, 0, count / type->item_count);
    if (status != MR_OK)
        mr_reader_fail(r);
    return take_value(&w, r, arena, out);
}

enum mr_status ordered_decode(struct mr_reader *r, const struct cql_type *type, bool descending, struct mr_arena *arena,
                              struct cql_value *out)
{
    uint8_t turn = descending ? 0xff : 0, mark = mr_read_u8(r) ^ turn, copy[UUID_BYTES + 1], *bytes;
    size_t fixed = fixed_size(type->code), stored, i;
    struct mr_bytes slice;

    if (r->failed || (mark != MARK_EMPTY && mark != MARK_VALUE))
        return MR_CORRUPT;
    if (mark == MARK_EMPTY) {
        *out = CQL_VALUE_OF((const uint8_t *)"", 0);
        return MR_OK;
    }
    if (type->code == CQL_VARINT)
        return decode_varint(r, turn, arena, out);
    if (type->code == CQL_DECIMAL)
        return decode_decimal(r, turn, arena, out);
    if (has_parts(type->code))
        return decode_parts(r, type, turn, arena, out);
    if (fixed == 0)
        return decode_bytes(r, turn, arena, out);
    stored = fixed == UUID_BYTES ? UUID_BYTES + 1 : fixed;
    slice = mr_read_slice(r, stored);
    if (r->failed)
        return MR_CORRUPT;
    for (i = 0; i < stored; i++)
        copy[i] = slice.data[i] ^ turn;
    bytes = mr_arena_alloc(arena, fixed);
    decode_fixed(bytes, type->code, copy, fixed);
    *out = CQL_VALUE_OF(bytes, fixed);
    return MR_OK;
}
