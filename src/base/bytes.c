/* bytes.c -- slices, and reading and writing big-endian values: the layer under every wire and file format. */
#include "base/base.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VARINT32_BYTES_MAX = 5, VARINT64_BYTES_MAX = 10 };

struct mr_str mr_str_of(const char *text)
{
    return (struct mr_str){ text, text ? strlen(text) : 0 };
}

bool mr_str_equal(struct mr_str a, struct mr_str b)
{
    if (a.data == NULL || b.data == NULL)
        return a.data == b.data;
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

bool mr_str_equal_nocase(struct mr_str a, struct mr_str b)
{
    if (a.data == NULL || b.data == NULL)
        return a.data == b.data;
    return a.size == b.size && strncasecmp(a.data, b.data, a.size) == 0;
}

struct mr_str mr_str_trim(struct mr_str s)
{
    while (s.size != 0 && (uint8_t)s.data[0] <= ' ')
        s = (struct mr_str){ s.data + 1, s.size - 1 };
    while (s.size != 0 && (uint8_t)s.data[s.size - 1] <= ' ')
        s.size--;
    return s;
}

int mr_bytes_compare(struct mr_bytes a, struct mr_bytes b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;

    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

struct mr_bytes mr_bytes_of_str(struct mr_str s)
{
    return (struct mr_bytes){ (const uint8_t *)s.data, s.size };
}

struct mr_str mr_str_of_bytes(struct mr_bytes b)
{
    return (struct mr_str){ (const char *)b.data, b.size };
}

struct mr_reader mr_reader_of(struct mr_bytes b)
{
    static const uint8_t nothing[1];
    const uint8_t *at = b.data ? b.data : nothing;

    return (struct mr_reader){ .at = at, .end = at + b.size, .failed = false };
}

size_t mr_reader_left(const struct mr_reader *r)
{
    return r->failed ? 0 : (size_t)(r->end - r->at);
}

void mr_reader_fail(struct mr_reader *r)
{
    r->failed = true;
}

static const uint8_t *reader_take(struct mr_reader *r, size_t size)
{
    const uint8_t *p = r->at;

    if (r->failed || (size_t)(r->end - r->at) < size) {
        r->failed = true;
        return NULL;
    }
    r->at += size;
    return p;
}

uint8_t mr_read_u8(struct mr_reader *r)
{
    const uint8_t *p = reader_take(r, 1);

    return p ? p[0] : 0;
}

int8_t mr_read_i8(struct mr_reader *r)
{
    return (int8_t)mr_read_u8(r);
}

uint16_t mr_read_u16(struct mr_reader *r)
{
    const uint8_t *p = reader_take(r, 2);

    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

int16_t mr_read_i16(struct mr_reader *r)
{
    return (int16_t)mr_read_u16(r);
}

uint32_t mr_read_u32(struct mr_reader *r)
{
    const uint8_t *p = reader_take(r, 4);

    return p ? (uint32_t)mr_load_i32(p) : 0;
}

int32_t mr_read_i32(struct mr_reader *r)
{
    return (int32_t)mr_read_u32(r);
}

uint64_t mr_read_u64(struct mr_reader *r)
{
    const uint8_t *p = reader_take(r, 8);

    return p ? (uint64_t)mr_load_i64(p) : 0;
}

int64_t mr_read_i64(struct mr_reader *r)
{
    return (int64_t)mr_read_u64(r);
}

double mr_read_f64(struct mr_reader *r)
{
    uint64_t bits = mr_read_u64(r);
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static uint64_t read_uvarint(struct mr_reader *r, int bytes_max)
{
    uint64_t v = 0;

    for (int i = 0; i < bytes_max; i++) {
        uint8_t byte = mr_read_u8(r);

        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80))
            return r->failed ? 0 : v;
    }
    r->failed = true;
    return 0;
}

uint32_t mr_read_uvarint32(struct mr_reader *r)
{
    uint64_t v = read_uvarint(r, VARINT32_BYTES_MAX);

    if (v > UINT32_MAX) {
        r->failed = true;
        return 0;
    }
    return (uint32_t)v;
}

uint64_t mr_read_uvarint64(struct mr_reader *r)
{
    return read_uvarint(r, VARINT64_BYTES_MAX);
}

int32_t mr_read_varint32(struct mr_reader *r)
{
    uint32_t v = mr_read_uvarint32(r);

    return (int32_t)(v >> 1) ^ -(int32_t)(v & 1);
}

int64_t mr_read_varint64(struct mr_reader *r)
{
    uint64_t v = mr_read_uvarint64(r);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

struct mr_bytes mr_read_slice(struct mr_reader *r, size_t size)
{
    const uint8_t *p = reader_take(r, size);

    return p ? (struct mr_bytes){ p, size } : MR_BYTES_NULL;
}

void mr_writer_deinit(struct mr_writer *w)
{
    mr_free(w->data);
    *w = (struct mr_writer){ 0 };
}

uint8_t *mr_writer_reserve(struct mr_writer *w, size_t size)
{
    assert(size < SIZE_MAX / 4);
    if (w->capacity - w->size < size) {
        size_t capacity = w->capacity ? w->capacity * 2 : 64;

        while (capacity - w->size < size)
            capacity *= 2;
        w->data = mr_realloc(w->data, capacity);
        w->capacity = capacity;
    }
    return w->data + w->size;
}

struct mr_bytes mr_writer_bytes(const struct mr_writer *w)
{
    return (struct mr_bytes){ w->data, w->size };
}

void mr_write_u8(struct mr_writer *w, uint8_t v)
{
    mr_writer_reserve(w, 1)[0] = v;
    w->size += 1;
}

void mr_write_i8(struct mr_writer *w, int8_t v)
{
    mr_write_u8(w, (uint8_t)v);
}

void mr_write_u16(struct mr_writer *w, uint16_t v)
{
    uint8_t *p = mr_writer_reserve(w, 2);

    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    w->size += 2;
}

void mr_write_i16(struct mr_writer *w, int16_t v)
{
    mr_write_u16(w, (uint16_t)v);
}

void mr_write_u32(struct mr_writer *w, uint32_t v)
{
    mr_store_i32(mr_writer_reserve(w, 4), (int32_t)v);
    w->size += 4;
}

void mr_write_i32(struct mr_writer *w, int32_t v)
{
    mr_write_u32(w, (uint32_t)v);
}

void mr_write_u64(struct mr_writer *w, uint64_t v)
{
    mr_store_i64(mr_writer_reserve(w, 8), (int64_t)v);
    w->size += 8;
}

void mr_write_i64(struct mr_writer *w, int64_t v)
{
    mr_write_u64(w, (uint64_t)v);
}

void mr_write_f64(struct mr_writer *w, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    mr_write_u64(w, bits);
}

void mr_write_uvarint(struct mr_writer *w, uint64_t v)
{
    uint8_t *p = mr_writer_reserve(w, VARINT64_BYTES_MAX);
    size_t used = 0;

    while (v >= 0x80) {
        p[used++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    p[used++] = (uint8_t)v;
    w->size += used;
}

void mr_write_varint(struct mr_writer *w, int64_t v)
{
    mr_write_uvarint(w, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

void mr_write_bytes(struct mr_writer *w, struct mr_bytes b)
{
    if (b.size == 0)
        return;
    memcpy(mr_writer_reserve(w, b.size), b.data, b.size);
    w->size += b.size;
}

void mr_write_str(struct mr_writer *w, struct mr_str s)
{
    mr_write_bytes(w, mr_bytes_of_str(s));
}

void mr_write_text(struct mr_writer *w, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    va_start(args, format);
    vsnprintf((char *)mr_writer_reserve(w, (size_t)length + 1), (size_t)length + 1, format, args);
    va_end(args);
    w->size += (size_t)length;
}

void mr_write_i32_at(struct mr_writer *w, size_t position, int32_t v)
{
    assert(position + 4 <= w->size);
    mr_store_i32(w->data + position, v);
}

void mr_store_i32(uint8_t *at, int32_t v)
{
    uint32_t big = __builtin_bswap32((uint32_t)v);

    memcpy(at, &big, sizeof(big));
}

void mr_store_i64(uint8_t *at, int64_t v)
{
    uint64_t big = __builtin_bswap64((uint64_t)v);

    memcpy(at, &big, sizeof(big));
}

int32_t mr_load_i32(const uint8_t *at)
{
    uint32_t big;

    memcpy(&big, at, sizeof(big));
    return (int32_t)__builtin_bswap32(big);
}

int64_t mr_load_i64(const uint8_t *at)
{
    uint64_t big;

    memcpy(&big, at, sizeof(big));
    return (int64_t)__builtin_bswap64(big);
}
