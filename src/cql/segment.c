/* segment.c -- version 5 puts envelopes into segments, each with a checksum of its header and one of its payload.
 *
 * All of a segment's own numbers are little-endian.
 *   plain   header 3 bytes: payload 17 bits | self-contained 1 | 0 6;                             CRC24 of them
 *   lz4     header 5 bytes: payload 17 bits | plain size 17 | self-contained 1 | 0 5;             CRC24 of them
 *   then    payload | CRC32 of the payload, after four bytes that only begin the sum.
 * With lz4 a plain size of 0 says that the payload was left as it is, because it would not get smaller.  A payload has
 * at most 128 KiB - 1 bytes, also when plain, so what a segment can make us allocate is bounded by that. */
#include "cql/cql.h"

#include <lz4.h>
#include <string.h>
#include <zlib.h>

enum { CRC24_START = 0x875060, CRC24_POLYNOMIAL = 0x1974f0b, LENGTH_BITS = 17, LENGTH_MASK = (1 << LENGTH_BITS) - 1 };

static uint32_t crc24(uint64_t bytes, int count)
{
    uint32_t crc = CRC24_START;
    int bit;

    for (; count > 0; count--, bytes >>= 8) {
        crc ^= (uint32_t)(bytes & 0xff) << 16;
        for (bit = 0; bit < 8; bit++) {
            crc <<= 1;
            if (crc & 0x1000000)
                crc ^= CRC24_POLYNOMIAL;
        }
    }
    return crc;
}

static uint32_t payload_crc(struct mr_bytes payload)
{
    static const uint8_t start[4] = { 0xfa, 0x2d, 0x55, 0xca };
    uLong crc = crc32(0, start, sizeof(start));

    return payload.size == 0 ? (uint32_t)crc : (uint32_t)crc32(crc, payload.data, (uInt)payload.size);
}

static uint64_t load_little(const uint8_t *at, int count)
{
    uint64_t v = 0;

    while (count-- > 0)
        v = v << 8 | at[count];
    return v;
}

static void write_little(struct mr_writer *w, uint64_t v, int count)
{
    for (; count > 0; count--, v >>= 8)
        mr_write_u8(w, (uint8_t)v);
}

enum mr_status cql_segment_header_read(struct cql_segment *out, struct mr_bytes in, bool lz4, struct mr_err *err)
{
    int size = lz4 ? CQL_SEGMENT_LZ4_HEADER_BYTES - 3 : CQL_SEGMENT_HEADER_BYTES - 3;
    uint64_t bits;
    uint32_t read, computed;

    if (in.size < (size_t)size + 3)
        return MR_NEED_MORE;
    bits = load_little(in.data, size);
    read = (uint32_t)load_little(in.data + size, 3);
    computed = crc24(bits, size);
    if (read != computed)
        return mr_err_set(err, MR_CORRUPT,
                          "unrecoverable CRC mismatch detected in frame header. Read %" PRIu32 ", Computed %" PRIu32,
                          read, computed);
    out->header_bytes = (uint32_t)size + 3;
    out->payload_bytes = (uint32_t)(bits & LENGTH_MASK);
    bits >>= LENGTH_BITS;
    out->plain_bytes = lz4 ? (uint32_t)(bits & LENGTH_MASK) : 0;
    out->is_self_contained = (lz4 ? bits >> LENGTH_BITS : bits) & 1;
    return MR_OK;
}

enum mr_status cql_segment_payload_read(const struct cql_segment *segment, struct mr_bytes rest, struct mr_writer *w,
                                        struct mr_err *err)
{
    struct mr_bytes payload = { rest.data, segment->payload_bytes };
    uint32_t read, computed;
    uint8_t *to;

    assert(rest.size == (size_t)segment->payload_bytes + CQL_SEGMENT_TRAILER_BYTES);
    read = (uint32_t)load_little(rest.data + payload.size, CQL_SEGMENT_TRAILER_BYTES);
    computed = payload_crc(payload);
    if (read != computed)
        return mr_err_set(err, MR_CORRUPT,
                          "unrecoverable CRC mismatch detected in frame body. Read %" PRIu32 ", Computed %" PRIu32,
                          read, computed);
    if (segment->plain_bytes == 0) {
        mr_write_bytes(w, payload);
        return MR_OK;
    }
    to = mr_writer_reserve(w, segment->plain_bytes);
    if (LZ4_decompress_safe((const char *)payload.data, (char *)to, (int)payload.size, (int)segment->plain_bytes) !=
        (int)segment->plain_bytes)
        return mr_err_set(err, MR_INVALID, "the lz4 payload of a frame is damaged");
    w->size += segment->plain_bytes;
    return MR_OK;
}

/* The header of PAYLOAD_BYTES at POSITION, where room was left for it. */
static void header_fill(struct mr_writer *w, size_t position, uint32_t payload_bytes, uint32_t plain_bytes,
                        bool is_self_contained, bool lz4)
{
    int size = lz4 ? CQL_SEGMENT_LZ4_HEADER_BYTES - 3 : CQL_SEGMENT_HEADER_BYTES - 3;
    uint64_t bits = payload_bytes;
    size_t end = w->size;

    if (lz4)
        bits |= (uint64_t)plain_bytes << LENGTH_BITS | (uint64_t)is_self_contained << (2 * LENGTH_BITS);
    else
        bits |= (uint64_t)is_self_contained << LENGTH_BITS;
    w->size = position;
    write_little(w, bits, size);
    write_little(w, crc24(bits, size), 3);
    w->size = end;
}

static void segment_write(struct mr_writer *w, struct mr_bytes payload, bool is_self_contained, bool lz4)
{
    uint32_t header = lz4 ? CQL_SEGMENT_LZ4_HEADER_BYTES : CQL_SEGMENT_HEADER_BYTES, plain = 0;
    size_t position = w->size, at = position + header;
    int packed = 0;

    assert(payload.size > 0 && payload.size <= CQL_SEGMENT_PAYLOAD_MAX);
    mr_writer_reserve(w, header + payload.size + CQL_SEGMENT_TRAILER_BYTES);
    w->size = at;
    if (lz4) /* room for one byte less than plain: what does not get smaller does not fit */
        packed = LZ4_compress_default((const char *)payload.data, (char *)w->data + at, (int)payload.size,
                                      (int)payload.size - 1);
    if (packed > 0) {
        plain = (uint32_t)payload.size;
        w->size += (size_t)packed;
    } else {
        mr_write_bytes(w, payload);
    }
    header_fill(w, position, (uint32_t)(w->size - at), plain, is_self_contained, lz4);
    write_little(w, payload_crc((struct mr_bytes){ w->data + at, w->size - at }), CQL_SEGMENT_TRAILER_BYTES);
}

void cql_segments_write(struct mr_writer *w, struct mr_bytes envelopes, bool lz4)
{
    bool is_self_contained = envelopes.size <= CQL_SEGMENT_PAYLOAD_MAX;

    while (envelopes.size > 0) {
        size_t part = envelopes.size < CQL_SEGMENT_PAYLOAD_MAX ? envelopes.size : CQL_SEGMENT_PAYLOAD_MAX;

        segment_write(w, (struct mr_bytes){ envelopes.data, part }, is_self_contained, lz4);
        envelopes.data += part;
        envelopes.size -= part;
    }
}
