/* records.h -- Kafka's record batch, format v2: header, check sum, records inside, and making new ones.
 *
 * A batch is 61 bytes of header and then its records, compressed as one block or not.  Uncompressed records are read
 * where they lie; compressed ones are inflated into the caller's scratch, which is reused from batch to batch.
 * Estimate: 1 KiB records at > 2,000,000 a second and core uncompressed; no allocation a record, none a batch after
 * the first of its size.
 *
 * Threads: no state but the caller's structs; every function may run on any thread. */
#ifndef KAFKA_RECORDS_H
#define KAFKA_RECORDS_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum kafka_batch_limits {
    KAFKA_BATCH_HEADER_BYTES = 61,
    KAFKA_BATCH_PREFIX_BYTES = 12,        /* base offset and length, which the length does not count */
    KAFKA_BATCH_BYTES_MAX = 128 << 20,    /* a batch on disk or wire; brokers set lower limits of their own */
    KAFKA_BATCH_INFLATED_MAX = 256 << 20, /* records of one batch after decompression: bounds a bomb */
    KAFKA_RECORD_BYTES_MIN = 7,           /* length, attributes, two deltas, key and value length, header count */
};

enum kafka_codec { KAFKA_CODEC_NONE, KAFKA_CODEC_GZIP, KAFKA_CODEC_SNAPPY, KAFKA_CODEC_LZ4, KAFKA_CODEC_ZSTD };

enum kafka_batch_attributes {
    KAFKA_BATCH_CODEC_MASK = 0x07,
    KAFKA_BATCH_LOG_APPEND_TIME = 0x08, /* the time of every record is the batch's max_timestamp */
    KAFKA_BATCH_TRANSACTIONAL = 0x10,
    KAFKA_BATCH_CONTROL = 0x20,
};

/* A batch's header, decoded. */
struct kafka_batch {
    struct mr_bytes bytes; /* the whole batch, borrowed from what was parsed */
    int64_t base_offset;
    int64_t last_offset; /* base_offset + last_offset_delta */
    int32_t leader_epoch;
    uint32_t crc;
    int16_t attributes;
    int32_t last_offset_delta;
    int64_t base_timestamp; /* ms */
    int64_t max_timestamp;  /* ms */
    int64_t producer_id;    /* -1: none */
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t record_count;
};

/* The codec of a batch; may be a value no codec has (5..7). */
int kafka_batch_codec(const struct kafka_batch *batch);

/* Bytes of the batch that HEAD (at least 12 bytes of it) begins, by its length field; -1 when that is no possible
 * length (under 61 or over KAFKA_BATCH_BYTES_MAX). */
int64_t kafka_batch_size(struct mr_bytes head);

/* Decodes the header of a batch of which only the first 61 bytes need be in HEAD (out->bytes is then HEAD, not the
 * batch).  For walking files.  Checks as kafka_batch_parse, but not that the whole is there.
 * MR_NEED_MORE fewer than 61 bytes     MR_INVALID, MR_UNSUPPORTED as kafka_batch_parse */
MR_MUST_CHECK enum mr_status kafka_batch_header(struct mr_bytes head, struct kafka_batch *out, struct mr_err *err);

/* Decodes the first batch of IN; out->bytes borrows its bytes, so the next batch starts at out->bytes.size.
 * Neither the CRC nor the records are looked at.
 * MR_NEED_MORE   IN ends before the batch does
 * MR_INVALID     impossible length, or a count, delta or time that contradicts another
 * MR_UNSUPPORTED the magic byte is not 2 */
MR_MUST_CHECK enum mr_status kafka_batch_parse(struct mr_bytes in, struct kafka_batch *out, struct mr_err *err);

/* Does the CRC-32C hold?  MR_CORRUPT when not. */
MR_MUST_CHECK enum mr_status kafka_batch_check(const struct kafka_batch *batch, struct mr_err *err);

/* Sets the base offset and leader epoch in the bytes of a batch (61 at least).  The CRC does not cover them. */
void kafka_batch_set_offset(uint8_t *batch, int64_t base_offset, int32_t leader_epoch);

/* What decompression needs and keeps between batches.  {0} is valid; free with kafka_scratch_deinit. */
struct kafka_scratch {
    struct mr_writer buffer; /* owned: the inflated records of the last batch opened */
    void *lz4;               /* owned */
    void *zstd;              /* owned */
    void *gzip;              /* owned */
};
void kafka_scratch_deinit(struct kafka_scratch *scratch);

/* One record.  key and value borrow from the batch, or from the scratch when it was compressed: valid until the scratch
 * opens another batch.  data == NULL: null. */
struct kafka_record {
    int64_t offset;
    int64_t timestamp; /* ms */
    struct mr_bytes key;
    struct mr_bytes value;
    int32_t header_count;
    struct mr_bytes headers; /* undecoded and checked: see kafka_headers_next */
};

/* Walks over the records of one batch. */
struct kafka_records {
    const uint8_t *at;
    const uint8_t *end;
    int64_t base_offset;
    int32_t last_offset_delta;
    int64_t base_timestamp;
    int64_t append_time; /* ms; -1 when records have their own time */
    int32_t index;       /* of the next record */
    int32_t count;
    const char *wrong; /* NULL while all is well */
};

/* Starts a walk over BATCH (which must stay), inflating into SCRATCH when it is compressed.
 * MR_INVALID  the compressed bytes are not what the codec makes     MR_UNSUPPORTED  no such codec
 * MR_LIMIT    inflated they have more than KAFKA_BATCH_INFLATED_MAX bytes */
MR_MUST_CHECK enum mr_status kafka_records_open(struct kafka_records *out, const struct kafka_batch *batch,
                                                struct kafka_scratch *scratch, struct mr_err *err);
/* The next record; false at the end and at the first wrong byte: kafka_records_end tells which. */
bool kafka_records_next(struct kafka_records *records, struct kafka_record *out);
/* After a walk to its end: were there as many records as the header says, and nothing behind them?  MR_INVALID. */
MR_MUST_CHECK enum mr_status kafka_records_end(const struct kafka_records *records, struct mr_err *err);
/* Walks over all records of BATCH: statuses of kafka_records_open and _end; also MR_INVALID when an offset delta is
 * not the record's index.  What a broker asks of a batch that a client sends. */
MR_MUST_CHECK enum mr_status kafka_records_check(const struct kafka_batch *batch, struct kafka_scratch *scratch,
                                                 struct mr_err *err);

/* One record header; value.data == NULL: null. */
struct kafka_record_header {
    struct mr_str key;
    struct mr_bytes value;
};
/* The next header; start with *READER = mr_reader_of(record->headers) and call it header_count times. */
struct kafka_record_header kafka_headers_next(struct mr_reader *reader);

/* Makes one batch.  {0} is not valid: kafka_builder_init.  Fields may be set between _init and _finish; they stay. */
struct kafka_builder {
    struct mr_writer records; /* owned */
    int32_t count;
    int64_t base_timestamp;
    int64_t max_timestamp;
    int64_t base_offset;    /* 0 */
    int32_t leader_epoch;   /* -1 */
    int64_t producer_id;    /* -1 */
    int16_t producer_epoch; /* -1 */
    int32_t base_sequence;  /* -1 */
    int16_t attributes;     /* 0; the codec is put in by _finish */
    void *lz4;              /* owned */
    void *zstd;             /* owned */
};
void kafka_builder_init(struct kafka_builder *builder);
void kafka_builder_deinit(struct kafka_builder *builder);
/* Adds a record; KEY and VALUE with data NULL are null.  All bytes are copied. */
void kafka_builder_add(struct kafka_builder *builder, int64_t timestamp_ms, struct mr_bytes key, struct mr_bytes value,
                       const struct kafka_record_header *headers, int32_t header_count);
/* Bytes the batch would have if finished now without compression. */
size_t kafka_builder_bytes(const struct kafka_builder *builder);
/* Appends the batch (at least one record was added) to OUT and empties the builder of records.
 * MR_UNSUPPORTED  CODEC is gzip or snappy: these are only read     MR_LIMIT  over KAFKA_BATCH_BYTES_MAX */
MR_MUST_CHECK enum mr_status kafka_builder_finish(struct kafka_builder *builder, enum kafka_codec codec,
                                                  struct mr_writer *out, struct mr_err *err);

#ifdef __cplusplus
}
#endif
#endif
