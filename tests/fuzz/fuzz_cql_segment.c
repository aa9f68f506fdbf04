/* fuzz_cql_segment.c -- what a connection takes before there is a frame: segments of version 5 and compressed bodies.
 * The first byte says which: 0 plain segments, 1 lz4 ones, 2 a body of lz4, 3 one of snappy, 4 the lz4 of a segment,
 * with a right sum so that it is reached. */
#include "fuzz.h"

#include "cql/cql.h"

enum { BODY_MAX = 1024 * 1024 };

/* Segments as they are; what was read is written and must be read again. */
static void read_segments(struct mr_bytes rest, bool lz4)
{
    struct mr_writer plain = { 0 }, again = { 0 };
    struct mr_err err = MR_ERR_INIT;
    struct cql_segment segment;

    while (cql_segment_header_read(&segment, rest, lz4, &err) == MR_OK) {
        size_t size = (size_t)segment.payload_bytes + CQL_SEGMENT_TRAILER_BYTES;

        if (rest.size < segment.header_bytes + size)
            break;
        rest.data += segment.header_bytes;
        rest.size -= segment.header_bytes;
        if (cql_segment_payload_read(&segment, (struct mr_bytes){ rest.data, size }, &plain, &err) != MR_OK)
            break;
        FUZZ_MUST(plain.size <= BODY_MAX);
        rest.data += size;
        rest.size -= size;
    }
    cql_segments_write(&again, mr_writer_bytes(&plain), lz4);
    if (plain.size > 0)
        FUZZ_MUST(cql_segment_header_read(&segment, mr_writer_bytes(&again), lz4, &err) == MR_OK);
    mr_writer_deinit(&plain);
    mr_writer_deinit(&again);
}

/* BYTES as a payload behind a right header, in its own segment, with whatever plain size its first two say. */
static void read_payload(struct mr_bytes bytes)
{
    struct cql_segment segment = { .header_bytes = CQL_SEGMENT_LZ4_HEADER_BYTES, .is_self_contained = true };
    struct mr_writer whole = { 0 }, plain = { 0 };
    struct mr_err err = MR_ERR_INIT;

    if (bytes.size < 3)
        return;
    cql_segments_write(&whole, (struct mr_bytes){ bytes.data + 2, bytes.size - 2 }, false);
    if (cql_segment_header_read(&segment, mr_writer_bytes(&whole), false, &err) == MR_OK) {
        segment.plain_bytes = (uint32_t)(bytes.data[0] << 8 | bytes.data[1]);
        if (segment.payload_bytes + CQL_SEGMENT_TRAILER_BYTES == whole.size - segment.header_bytes &&
            cql_segment_payload_read(
                &segment, (struct mr_bytes){ whole.data + segment.header_bytes, whole.size - segment.header_bytes },
                &plain, &err) == MR_OK)
            FUZZ_MUST(plain.size == (segment.plain_bytes > 0 ? segment.plain_bytes : segment.payload_bytes));
    }
    mr_writer_deinit(&whole);
    mr_writer_deinit(&plain);
}

static void read_body(struct mr_bytes bytes, enum cql_compression compression)
{
    struct mr_writer plain = { 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = cql_body_decompress(&plain, compression, bytes, BODY_MAX, &err);

    FUZZ_MUST(plain.size <= BODY_MAX && (status == MR_OK || plain.size == 0));
    FUZZ_MUST(plain.capacity <= 2 * BODY_MAX);
    mr_writer_deinit(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_bytes rest = { data + 1, size - 1 };

    if (size < 1)
        return 0;
    switch (data[0] % 5) {
    case 0:
        read_segments(rest, false);
        break;
    case 1:
        read_segments(rest, true);
        break;
    case 2:
        read_body(rest, CQL_LZ4);
        break;
    case 3:
        read_body(rest, CQL_SNAPPY);
        break;
    default:
        read_payload(rest);
        break;
    }
    return 0;
}
