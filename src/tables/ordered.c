/* ordered.c -- values in a form whose bytes compare as the values do: clustering keys, and comparisons.
 *
 * One component is 0x01 (the empty value) or 0x02 followed by
 *   int, bigint, timestamp   big-endian with the sign bit turned
 *   float, double            IEEE bits: all turned when negative, else the sign bit
 *   boolean                  0 or 1
 *   uuid                     the version; of version 1 the time fields from high to low; then the bytes
 *   text and the rest        the bytes, 0x00 as 00 ff, ended by 00 00
 * and, when descending, every byte turned.  This is a disk format: it does not change. */
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
        return 4;
    case CQL_BIGINT:
    case CQL_TIMESTAMP:
    case CQL_DOUBLE:
        return 8;
    case CQL_BOOLEAN:
        return 1;
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
        size++;
    } else if ((code == CQL_FLOAT || code == CQL_DOUBLE) && (in[0] & 0x80)) {
        for (i = 0; i < size; i++)
            out[i] = (uint8_t)~out[i];
    } else if (code != CQL_BOOLEAN) {
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

void ordered_encode(struct mr_writer *w, const struct cql_type *type, bool descending, struct cql_value v)
{
    size_t from = w->size, fixed = fixed_size(type->code);

    assert(v.size >= 0);
    mr_write_u8(w, v.size == 0 ? MARK_EMPTY : MARK_VALUE);
    if (v.size > 0 && fixed > 0) {
        assert((size_t)v.size == fixed);
        encode_fixed(w, type->code, v.data, fixed);
    } else if (v.size > 0) {
        encode_bytes(w, v);
    }
    for (; descending && from < w->size; from++)
        w->data[from] = (uint8_t)~w->data[from];
}

static void decode_fixed(uint8_t *out, uint16_t code, const uint8_t *in, size_t size)
{
    size_t i;

    if (code == CQL_UUID || code == CQL_TIMEUUID) {
        memcpy(out, in + 1, UUID_BYTES);
        for (i = 0; i < 8 && in[0] == 1; i++)
            out[uuid_time_order[i]] = in[1 + i];
        return;
    }
    memcpy(out, in, size);
    if ((code == CQL_FLOAT || code == CQL_DOUBLE) && !(in[0] & 0x80)) {
        for (i = 0; i < size; i++)
            out[i] = (uint8_t)~out[i];
    } else if (code != CQL_BOOLEAN) {
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
