/* records.c -- record batches v2: see records.h.
 *
 *   0 base offset i64 | 8 batch length i32 (of what follows) | 12 leader epoch i32 | 16 magic i8 = 2
 *  17 CRC-32C u32 (of byte 21 to the end) | 21 attributes i16 | 23 last offset delta i32 | 27 base timestamp i64
 *  35 max timestamp i64 | 43 producer id i64 | 51 producer epoch i16 | 53 base sequence i32 | 57 record count i32
 *  61 records, compressed as one block when attributes & 7
 *
 *   record: varint length, i8 attributes, varlong timestamp delta, varint offset delta, varint key length (-1: null),
 *           key, varint value length, value, varint header count, headers
 *   header: varint key length, key, varint value length, value
 *
 * Decompressors stop at KAFKA_BATCH_INFLATED_MAX and grow their output as they go: a length that a stream claims is
 * only believed up to that limit.
 * Tested by: tests/unit/kafka/test_records.c */
#include "kafka/records.h"

#include "base/hash.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { OFFSET_LENGTH = 8, OFFSET_EPOCH = 12, OFFSET_MAGIC = 16, OFFSET_CRC = 17, OFFSET_ATTRIBUTES = 21 };
enum { MAGIC = 2, INFLATE_STEP = 64 << 10 };

/* ---- header ---- */

int kafka_batch_codec(const struct kafka_batch *batch)
{
    return batch->attributes & KAFKA_BATCH_CODEC_MASK;
}

int64_t kafka_batch_size(struct mr_bytes head)
{
    int64_t size;

    if (head.size < KAFKA_BATCH_PREFIX_BYTES)
        return -1;
    size = (int64_t)mr_load_i32(head.data + OFFSET_LENGTH) + KAFKA_BATCH_PREFIX_BYTES;
    return size < KAFKA_BATCH_HEADER_BYTES || size > KAFKA_BATCH_BYTES_MAX ? -1 : size;
}

/* Fields that contradict each other; NULL when they agree. */
static const char *batch_wrong(const struct kafka_batch *b)
{
    if (b->base_offset < 0)
        return "base offset is negative";
    if (b->record_count < 0)
        return "record count is negative";
    if (b->last_offset_delta < 0)
        return "last offset delta is negative";
    if (b->base_offset > INT64_MAX - 1 - b->last_offset_delta)
        return "offsets run past the largest";
    if (b->record_count > 0 && b->last_offset_delta < b->record_count - 1)
        return "last offset delta is less than the number of records";
    return NULL;
}

enum mr_status kafka_batch_header(struct mr_bytes head, struct kafka_batch *out, struct mr_err *err)
{
    struct mr_reader in = mr_reader_of(head);
    struct kafka_batch b = { .bytes = head };
    const char *wrong;
    int8_t magic;

    /* The magic byte stands where it stood in v0 and v1, whose batches may be shorter than 61 bytes. */
    if (head.size > OFFSET_MAGIC && head.data[OFFSET_MAGIC] != MAGIC)
        return mr_err_set(err, MR_UNSUPPORTED, "record format v%d: only v2 is taken", (int8_t)head.data[OFFSET_MAGIC]);
    if (head.size >= KAFKA_BATCH_PREFIX_BYTES && kafka_batch_size(head) < 0)
        return mr_err_set(err, MR_INVALID, "batch length %d is impossible", mr_load_i32(head.data + OFFSET_LENGTH));
    if (head.size < KAFKA_BATCH_HEADER_BYTES)
        return mr_err_set(err, MR_NEED_MORE, "%zu bytes are no batch header", head.size);
    b.base_offset = mr_read_i64(&in);
    mr_read_i32(&in);
    b.leader_epoch = mr_read_i32(&in);
    magic = mr_read_i8(&in);
    assert(magic == MAGIC);
    b.crc = mr_read_u32(&in);
    b.attributes = mr_read_i16(&in);
    b.last_offset_delta = mr_read_i32(&in);
    b.base_timestamp = mr_read_i64(&in);
    b.max_timestamp = mr_read_i64(&in);
    b.producer_id = mr_read_i64(&in);
    b.producer_epoch = mr_read_i16(&in);
    b.base_sequence = mr_read_i32(&in);
    b.record_count = mr_read_i32(&in);
    wrong = batch_wrong(&b);
    if (wrong != NULL)
        return mr_err_set(err, MR_INVALID, "record batch: %s", wrong);
    b.last_offset = b.base_offset + b.last_offset_delta;
    *out = b;
    return MR_OK;
}

enum mr_status kafka_batch_parse(struct mr_bytes in, struct kafka_batch *out, struct mr_err *err)
{
    struct kafka_batch b;
    enum mr_status status = kafka_batch_header(in, &b, err);
    int64_t size;

    if (status != MR_OK)
        return status;
    size = kafka_batch_size(in);
    if ((int64_t)in.size < size)
        return mr_err_set(err, MR_NEED_MORE, "a batch of %" PRId64 " bytes ends after %zu", size, in.size);
    if ((size - KAFKA_BATCH_HEADER_BYTES) / KAFKA_RECORD_BYTES_MIN < b.record_count && kafka_batch_codec(&b) == 0)
        return mr_err_set(err, MR_INVALID, "%d records can't be in %" PRId64 " bytes", b.record_count, size);
    b.bytes.size = (size_t)size;
    *out = b;
    return MR_OK;
}

static uint32_t batch_crc(const uint8_t *batch, size_t size)
{
    return mr_crc32c(0, batch + OFFSET_ATTRIBUTES, size - OFFSET_ATTRIBUTES);
}

enum mr_status kafka_batch_check(const struct kafka_batch *batch, struct mr_err *err)
{
    uint32_t crc = batch_crc(batch->bytes.data, batch->bytes.size);

    if (crc != batch->crc)
        return mr_err_set(err, MR_CORRUPT, "record batch: CRC is %08x, its header says %08x", crc, batch->crc);
    return MR_OK;
}

void kafka_batch_set_offset(uint8_t *batch, int64_t base_offset, int32_t leader_epoch)
{
    mr_store_i64(batch, base_offset);
    mr_store_i32(batch + OFFSET_EPOCH, leader_epoch);
}

/* ---- decompression ---- */

void kafka_scratch_deinit(struct kafka_scratch *scratch)
{
    mr_writer_deinit(&scratch->buffer);
    if (scratch->lz4 != NULL)
        LZ4F_freeDecompressionContext(scratch->lz4);
    if (scratch->zstd != NULL)
        ZSTD_freeDCtx(scratch->zstd);
    if (scratch->gzip != NULL)
        inflateEnd(scratch->gzip);
    mr_free(scratch->gzip);
    memset(scratch, 0, sizeof(*scratch));
}

static enum mr_status bad_block(struct mr_err *err, const char *codec, const char *why)
{
    return mr_err_set(err, MR_INVALID, "record batch: %s: %s", codec, why);
}

/* Room for the next step of inflating, or NULL when the limit is reached. */
static uint8_t *inflate_room(struct mr_writer *out, size_t *room, struct mr_err *err)
{
    uint8_t *at;

    if (out->size >= KAFKA_BATCH_INFLATED_MAX) {
        mr_err_set(err, MR_LIMIT, "record batch: more than %d bytes after decompression", KAFKA_BATCH_INFLATED_MAX);
        return NULL;
    }
    at = mr_writer_reserve(out, INFLATE_STEP);
    *room = out->capacity - out->size; /* all that is there: big batches need few steps */
    if (*room > KAFKA_BATCH_INFLATED_MAX - out->size)
        *room = KAFKA_BATCH_INFLATED_MAX - out->size;
    return at;
}

/* One gzip member after another, as Java's GZIPInputStream reads them. */
static enum mr_status inflate_gzip(struct kafka_scratch *scratch, struct mr_bytes in, struct mr_err *err)
{
    struct mr_writer *out = &scratch->buffer;
    z_stream *z = scratch->gzip;
    int rc;

    if (z == NULL) {
        scratch->gzip = z = mr_calloc(1, sizeof(*z));
        rc = inflateInit2(z, 15 + 16);
    } else {
        rc = inflateReset(z);
    }
    if (rc != Z_OK)
        return bad_block(err, "gzip", "no memory for its window");
    z->next_in = (uint8_t *)in.data;
    z->avail_in = (uInt)in.size;
    for (;;) {
        size_t room;

        z->next_out = inflate_room(out, &room, err);
        if (z->next_out == NULL)
            return MR_LIMIT;
        z->avail_out = (uInt)room;
        rc = inflate(z, Z_NO_FLUSH);
        out->size += room - z->avail_out;
        if (rc == Z_STREAM_END && z->avail_in == 0)
            return MR_OK;
        if (rc == Z_STREAM_END)
            rc = inflateReset(z);
        if (rc != Z_OK)
            return bad_block(err, "gzip", z->msg != NULL ? z->msg : "the stream is cut");
    }
}

static enum mr_status inflate_snappy_block(struct mr_writer *out, struct mr_bytes in, struct mr_err *err)
{
    size_t size;

    if (snappy_uncompressed_length((const char *)in.data, in.size, &size) != SNAPPY_OK)
        return bad_block(err, "snappy", "the block has no length");
    if (size > KAFKA_BATCH_INFLATED_MAX - out->size)
        return mr_err_set(err, MR_LIMIT, "record batch: more than %d bytes after decompression",
                          KAFKA_BATCH_INFLATED_MAX);
    /* A byte of snappy makes at most 64 (a copy of three): what claims more is a bomb that would not even decode. */
    if (size / 64 > in.size)
        return bad_block(err, "snappy", "the block claims more bytes than it can hold");
    mr_writer_reserve(out, size + 1);
    if (snappy_uncompress((const char *)in.data, in.size, (char *)out->data + out->size, &size) != SNAPPY_OK)
        return bad_block(err, "snappy", "the block is damaged");
    out->size += size;
    return MR_OK;
}

/* Java clients frame the blocks as xerial's snappy-java does; others send one bare block. */
static enum mr_status inflate_snappy(struct kafka_scratch *scratch, struct mr_bytes in, struct mr_err *err)
{
    static const uint8_t xerial[8] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0 };
    struct mr_reader r = mr_reader_of(in);
    enum mr_status status = MR_OK;

    if (in.size < sizeof(xerial) + 8 || memcmp(in.data, xerial, sizeof(xerial)) != 0)
        return inflate_snappy_block(&scratch->buffer, in, err);
    mr_read_slice(&r, sizeof(xerial) + 8); /* version, lowest compatible version */
    while (status == MR_OK && mr_reader_left(&r) > 0) {
        uint32_t size = mr_read_u32(&r);
        struct mr_bytes block = mr_read_slice(&r, size);

        if (r.failed)
            return bad_block(err, "snappy", "a xerial block runs past the end");
        status = inflate_snappy_block(&scratch->buffer, block, err);
    }
    return status;
}

static enum mr_status inflate_lz4(struct kafka_scratch *scratch, struct mr_bytes in, struct mr_err *err)
{
    struct mr_writer *out = &scratch->buffer;
    LZ4F_dctx *context = scratch->lz4;
    size_t left = 1; /* what the decoder hints it needs; 0 at the end of a frame */

    if (context == NULL) {
        if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
            return bad_block(err, "lz4", "no memory for its context");
        scratch->lz4 = context;
    }
    LZ4F_resetDecompressionContext(context);
    while (left != 0) {
        size_t room, taken = in.size;
        uint8_t *at = inflate_room(out, &room, err);

        if (at == NULL)
            return MR_LIMIT;
        left = LZ4F_decompress(context, at, &room, in.data, &taken, NULL);
        if (LZ4F_isError(left))
            return bad_block(err, "lz4", LZ4F_getErrorName(left));
        out->size += room;
        in.data += taken;
        in.size -= taken;
        if (left != 0 && taken == 0 && room == 0)
            return bad_block(err, "lz4", "the frame is cut");
    }
    return in.size == 0 ? MR_OK : bad_block(err, "lz4", "bytes follow the frame");
}

static enum mr_status inflate_zstd(struct kafka_scratch *scratch, struct mr_bytes bytes, struct mr_err *err)
{
    struct mr_writer *out = &scratch->buffer;
    ZSTD_inBuffer in = { bytes.data, bytes.size, 0 };
    size_t left = 1;

    if (scratch->zstd == NULL)
        scratch->zstd = ZSTD_createDCtx();
    if (scratch->zstd == NULL)
        return bad_block(err, "zstd", "no memory for its context");
    ZSTD_DCtx_reset(scratch->zstd, ZSTD_reset_session_only);
    while (left != 0 || in.pos < in.size) {
        ZSTD_outBuffer step = { 0 };
        size_t before = in.pos;

        step.dst = inflate_room(out, &step.size, err);
        if (step.dst == NULL)
            return MR_LIMIT;
        left = ZSTD_decompressStream(scratch->zstd, &step, &in);
        if (ZSTD_isError(left))
            return bad_block(err, "zstd", ZSTD_getErrorName(left));
        out->size += step.pos;
        if (left != 0 && in.pos == before && step.pos == 0)
            return bad_block(err, "zstd", "the frame is cut");
    }
    return MR_OK;
}

static enum mr_status inflate_records(struct kafka_scratch *scratch, int codec, struct mr_bytes in, struct mr_err *err)
{
    scratch->buffer.size = 0;
    mr_writer_reserve(&scratch->buffer, 1); /* no bytes at all have an address, too */
    switch (codec) {
    case KAFKA_CODEC_GZIP:
        return inflate_gzip(scratch, in, err);
    case KAFKA_CODEC_SNAPPY:
        return inflate_snappy(scratch, in, err);
    case KAFKA_CODEC_LZ4:
        return inflate_lz4(scratch, in, err);
    case KAFKA_CODEC_ZSTD:
        return inflate_zstd(scratch, in, err);
    default:
        return mr_err_set(err, MR_UNSUPPORTED, "record batch: no codec has the number %d", codec);
    }
}

/* ---- reading records ---- */

enum mr_status kafka_records_open(struct kafka_records *out, const struct kafka_batch *batch,
                                  struct kafka_scratch *scratch, struct mr_err *err)
{
    struct mr_bytes body = { batch->bytes.data + KAFKA_BATCH_HEADER_BYTES,
                             batch->bytes.size - KAFKA_BATCH_HEADER_BYTES };

    assert(batch->bytes.size >= KAFKA_BATCH_HEADER_BYTES);
    if (kafka_batch_codec(batch) != KAFKA_CODEC_NONE) {
        enum mr_status status = inflate_records(scratch, kafka_batch_codec(batch), body, err);

        if (status != MR_OK)
            return status;
        body = mr_writer_bytes(&scratch->buffer);
    }
    *out = (struct kafka_records){
        .at = body.data,
        .end = body.data + body.size,
        .base_offset = batch->base_offset,
        .last_offset_delta = batch->last_offset_delta,
        .base_timestamp = batch->base_timestamp,
        .append_time = batch->attributes & KAFKA_BATCH_LOG_APPEND_TIME ? batch->max_timestamp : -1,
        .count = batch->record_count,
    };
    return MR_OK;
}

/* Zigzag LEB128 at *AT; false past END or after ten bytes.  One byte is by far the commonest. */
static inline bool varint(const uint8_t **at, const uint8_t *end, int64_t *out)
{
    const uint8_t *p = *at;
    uint64_t value = 0;
    unsigned shift = 0;

    if (p < end && *p < 0x80) {
        *out = (int64_t)(*p >> 1) ^ -(int64_t)(*p & 1);
        *at = p + 1;
        return true;
    }
    while (p < end && shift < 70) {
        uint8_t byte = *p++;

        value |= (uint64_t)(byte & 0x7f) << (shift < 64 ? shift : 63);
        shift += 7;
        if (byte < 0x80) {
            *out = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            *at = p;
            return true;
        }
    }
    return false;
}

/* A length and as many bytes; -1 is null.  False when they run past END. */
static inline bool sized(const uint8_t **at, const uint8_t *end, struct mr_bytes *out)
{
    int64_t size;

    if (!varint(at, end, &size) || size < -1 || size > end - *at)
        return false;
    if (size < 0) {
        *out = MR_BYTES_NULL;
        return true;
    }
    *out = (struct mr_bytes){ *at, (size_t)size };
    *at += size;
    return true;
}

static bool headers_skip(const uint8_t **at, const uint8_t *end, int64_t count)
{
    struct mr_bytes key, value;

    for (; count > 0; count--) {
        if (!sized(at, end, &key) || key.data == NULL || !sized(at, end, &value))
            return false;
    }
    return true;
}

/* Takes one record; NULL, or what is wrong with it. */
static inline const char *record_take(struct kafka_records *r, struct kafka_record *out)
{
    const uint8_t *at = r->at, *end, *headers;
    int64_t length, time_delta, offset_delta, header_count;

    if (!varint(&at, r->end, &length) || length < KAFKA_RECORD_BYTES_MIN - 1 || length > r->end - at)
        return "a record's length is impossible";
    end = at + length;
    at++; /* attributes: unused */
    if (!varint(&at, end, &time_delta) || !varint(&at, end, &offset_delta))
        return "a record's deltas run past its end";
    if (!sized(&at, end, &out->key) || !sized(&at, end, &out->value))
        return "a record's key or value runs past its end";
    if (!varint(&at, end, &header_count) || header_count < 0 || header_count > (end - at) / 2)
        return "a record's header count is impossible";
    headers = at;
    if ((header_count > 0 && !headers_skip(&at, end, header_count)) || at != end)
        return "a record's headers do not fill it";
    if (offset_delta < 0 || offset_delta > r->last_offset_delta)
        return "a record's offset is not within its batch";
    out->offset = r->base_offset + offset_delta;
    out->timestamp =
        r->append_time >= 0 ? r->append_time : (int64_t)((uint64_t)r->base_timestamp + (uint64_t)time_delta);
    out->header_count = (int32_t)header_count;
    out->headers = (struct mr_bytes){ headers, (size_t)(end - headers) };
    r->at = end;
    return NULL;
}

bool kafka_records_next(struct kafka_records *records, struct kafka_record *out)
{
    if (records->index >= records->count || records->wrong != NULL)
        return false;
    records->wrong = record_take(records, out);
    if (records->wrong != NULL)
        return false;
    records->index++;
    return true;
}

enum mr_status kafka_records_end(const struct kafka_records *records, struct mr_err *err)
{
    if (records->wrong != NULL)
        return mr_err_set(err, MR_INVALID, "record %d of %d: %s", records->index, records->count, records->wrong);
    if (records->index < records->count || records->at != records->end)
        return mr_err_set(err, MR_INVALID, "record batch: %td bytes follow its %d records", records->end - records->at,
                          records->count);
    return MR_OK;
}

enum mr_status kafka_records_check(const struct kafka_batch *batch, struct kafka_scratch *scratch, struct mr_err *err)
{
    struct kafka_records records;
    struct kafka_record record;
    enum mr_status status = kafka_records_open(&records, batch, scratch, err);

    if (status != MR_OK)
        return status;
    while (kafka_records_next(&records, &record)) {
        if (record.offset != batch->base_offset + records.index - 1)
            return mr_err_set(err, MR_INVALID, "record %d has the offset delta %" PRId64, records.index - 1,
                              record.offset - batch->base_offset);
    }
    return kafka_records_end(&records, err);
}

struct kafka_record_header kafka_headers_next(struct mr_reader *reader)
{
    struct kafka_record_header header = { MR_STR_NULL, MR_BYTES_NULL };
    struct mr_bytes key = MR_BYTES_NULL;

    if (!sized(&reader->at, reader->end, &key) || key.data == NULL || !sized(&reader->at, reader->end, &header.value))
        mr_reader_fail(reader);
    else
        header.key = mr_str_of_bytes(key);
    return header;
}

/* ---- making batches ---- */

void kafka_builder_init(struct kafka_builder *builder)
{
    *builder =
        (struct kafka_builder){ .leader_epoch = -1, .producer_id = -1, .producer_epoch = -1, .base_sequence = -1 };
}

void kafka_builder_deinit(struct kafka_builder *builder)
{
    mr_writer_deinit(&builder->records);
    if (builder->lz4 != NULL)
        LZ4F_freeCompressionContext(builder->lz4);
    if (builder->zstd != NULL)
        ZSTD_freeCCtx(builder->zstd);
    kafka_builder_init(builder);
}

static size_t varint_bytes(int64_t v)
{
    uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);

    return z == 0 ? 1 : (size_t)(70 - __builtin_clzll(z)) / 7;
}

static size_t sized_bytes(struct mr_bytes b)
{
    return b.data == NULL ? 1 : varint_bytes((int64_t)b.size) + b.size;
}

static void write_sized(struct mr_writer *w, struct mr_bytes b)
{
    mr_write_varint(w, b.data == NULL ? -1 : (int64_t)b.size);
    if (b.size > 0)
        mr_write_bytes(w, b);
}

void kafka_builder_add(struct kafka_builder *builder, int64_t timestamp_ms, struct mr_bytes key, struct mr_bytes value,
                       const struct kafka_record_header *headers, int32_t header_count)
{
    struct mr_writer *w = &builder->records;
    int64_t time_delta;
    size_t size;

    if (builder->count == 0)
        builder->base_timestamp = builder->max_timestamp = timestamp_ms;
    if (timestamp_ms > builder->max_timestamp)
        builder->max_timestamp = timestamp_ms;
    time_delta = timestamp_ms - builder->base_timestamp;
    size = 1 + varint_bytes(time_delta) + varint_bytes(builder->count) + sized_bytes(key) + sized_bytes(value) +
           varint_bytes(header_count);
    for (int32_t i = 0; i < header_count; i++)
        size += varint_bytes((int64_t)headers[i].key.size) + headers[i].key.size + sized_bytes(headers[i].value);
    mr_writer_reserve(w, size + 10);
    mr_write_varint(w, (int64_t)size);
    mr_write_u8(w, 0);
    mr_write_varint(w, time_delta);
    mr_write_varint(w, builder->count);
    write_sized(w, key);
    write_sized(w, value);
    mr_write_varint(w, header_count);
    for (int32_t i = 0; i < header_count; i++) {
        mr_write_varint(w, (int64_t)headers[i].key.size);
        mr_write_str(w, headers[i].key);
        write_sized(w, headers[i].value);
    }
    builder->count++;
}

size_t kafka_builder_bytes(const struct kafka_builder *builder)
{
    return KAFKA_BATCH_HEADER_BYTES + builder->records.size;
}

static enum mr_status deflate_lz4(struct kafka_builder *b, struct mr_writer *out, struct mr_err *err)
{
    LZ4F_preferences_t preferences = { .frameInfo = { .blockMode = LZ4F_blockIndependent } };
    size_t room = LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(b->records.size, &preferences), made = 0, step;
    uint8_t *at;

    if (b->lz4 == NULL) {
        LZ4F_cctx *context;

        if (LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION)))
            return mr_err_set(err, MR_LIMIT, "lz4: no memory for its context");
        b->lz4 = context;
    }
    at = mr_writer_reserve(out, room);
    step = LZ4F_compressBegin(b->lz4, at, room, &preferences);
    if (!LZ4F_isError(step)) {
        made = step;
        step = LZ4F_compressUpdate(b->lz4, at + made, room - made, b->records.data, b->records.size, NULL);
    }
    if (!LZ4F_isError(step)) {
        made += step;
        step = LZ4F_compressEnd(b->lz4, at + made, room - made, NULL);
    }
    if (LZ4F_isError(step))
        return mr_err_set(err, MR_INVALID, "lz4: %s", LZ4F_getErrorName(step));
    out->size += made + step;
    return MR_OK;
}

static enum mr_status deflate_zstd(struct kafka_builder *b, struct mr_writer *out, struct mr_err *err)
{
    size_t room = ZSTD_compressBound(b->records.size), made;

    if (b->zstd == NULL)
        b->zstd = ZSTD_createCCtx();
    if (b->zstd == NULL)
        return mr_err_set(err, MR_LIMIT, "zstd: no memory for its context");
    mr_writer_reserve(out, room);
    made = ZSTD_compressCCtx(b->zstd, out->data + out->size, room, b->records.data, b->records.size, 3);
    if (ZSTD_isError(made))
        return mr_err_set(err, MR_INVALID, "zstd: %s", ZSTD_getErrorName(made));
    out->size += made;
    return MR_OK;
}

static void write_header(const struct kafka_builder *b, enum kafka_codec codec, struct mr_writer *out)
{
    mr_write_i64(out, b->base_offset);
    mr_write_i32(out, 0); /* length and CRC: when the rest stands */
    mr_write_i32(out, b->leader_epoch);
    mr_write_i8(out, MAGIC);
    mr_write_i32(out, 0);
    mr_write_i16(out, (int16_t)((b->attributes & ~KAFKA_BATCH_CODEC_MASK) | (int)codec));
    mr_write_i32(out, b->count - 1);
    mr_write_i64(out, b->base_timestamp);
    mr_write_i64(out, b->max_timestamp);
    mr_write_i64(out, b->producer_id);
    mr_write_i16(out, b->producer_epoch);
    mr_write_i32(out, b->base_sequence);
    mr_write_i32(out, b->count);
}

enum mr_status kafka_builder_finish(struct kafka_builder *builder, enum kafka_codec codec, struct mr_writer *out,
                                    struct mr_err *err)
{
    size_t start = out->size, size;
    enum mr_status status = MR_OK;

    assert(builder->count > 0);
    if (codec != KAFKA_CODEC_NONE && codec != KAFKA_CODEC_LZ4 && codec != KAFKA_CODEC_ZSTD)
        return mr_err_set(err, MR_UNSUPPORTED, "batches are written uncompressed, as lz4 or as zstd");
    if (kafka_builder_bytes(builder) > KAFKA_BATCH_BYTES_MAX)
        return mr_err_set(err, MR_LIMIT, "a batch of %zu bytes is over %d", kafka_builder_bytes(builder),
                          KAFKA_BATCH_BYTES_MAX);
    write_header(builder, codec, out);
    if (codec == KAFKA_CODEC_LZ4)
        status = deflate_lz4(builder, out, err);
    else if (codec == KAFKA_CODEC_ZSTD)
        status = deflate_zstd(builder, out, err);
    else
        mr_write_bytes(out, mr_writer_bytes(&builder->records));
    if (status != MR_OK) {
        out->size = start;
        return status;
    }
    size = out->size - start;
    mr_write_i32_at(out, start + OFFSET_LENGTH, (int32_t)(size - KAFKA_BATCH_PREFIX_BYTES));
    mr_write_i32_at(out, start + OFFSET_CRC, (int32_t)batch_crc(out->data + start, size));
    builder->records.size = 0;
    builder->count = 0;
    return MR_OK;
}
