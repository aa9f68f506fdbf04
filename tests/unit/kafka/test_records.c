/* test_records.c -- record batches.  The vectors were made by an encoder written apart from ours, with gzip, lz4, zstd
 * as their own tools write them and snappy by hand: the same three records in each. */
#include "kafka/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define RECORDS "18000000026b0a76616c7565001a000a0201000402680278026e010e00d70404000100"

static struct mr_bytes hex_decode(const char *hex)
{
    struct mr_writer out = { 0 };
    unsigned byte;

    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        mr_write_u8(&out, (uint8_t)byte);
    return mr_writer_bytes(&out);
}

/* A copy with nothing behind it, so that the sanitizer sees a read past the end. */
static struct mr_bytes exact(struct mr_bytes bytes)
{
    uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);

    memcpy(copy, bytes.data, bytes.size);
    return (struct mr_bytes){ copy, bytes.size };
}

static const struct {
    const char *name;
    const char *hex;
    int codec;
} vectors[] = {
    { "plain",
      "00000000000000640000005400000003024ede4f060000000000020000018bcfe568000000018bcfe5680500000000000000070001000000"
      "2a00000003" RECORDS,
      KAFKA_CODEC_NONE },
    { "gzip",
      "0000000000000000000000680000000002368ca14d0001000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffff"
      "ff000000031f8b08000000000002039360606060cae62a4bcc294d659062e06262646061ca60aa60ca63e463b8cec2c2c0c8000089fb86ca"
      "23000000",
      KAFKA_CODEC_GZIP },
    { "snappy, one block",
      "000000000000000000000056000000000213ca614e0002000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffff"
      "ff000000032388" RECORDS,
      KAFKA_CODEC_SNAPPY },
    { "snappy, xerial",
      "000000000000000000000070000000000280b3c61e0002000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffff"
      "ff0000000382534e4150505900000000010000000100000016144c18000000026b0a76616c7565001a000a02010004000000110f38026802"
      "78026e010e00d70404000100",
      KAFKA_CODEC_SNAPPY },
};

static void check_records(const struct kafka_batch *batch, struct kafka_scratch *scratch)
{
    struct kafka_records records;
    struct kafka_record record;
    struct kafka_record_header header;
    struct mr_reader headers;
    struct mr_err err;

    assert_int_equal(kafka_records_open(&records, batch, scratch, &err), MR_OK);
    assert_true(kafka_records_next(&records, &record));
    assert_int_equal(record.offset, batch->base_offset);
    assert_int_equal(record.timestamp, 1700000000000);
    assert_memory_equal(record.key.data, "k", 1);
    assert_memory_equal(record.value.data, "value", 5);
    assert_int_equal(record.header_count, 0);
    assert_true(kafka_records_next(&records, &record));
    assert_null(record.key.data);
    assert_non_null(record.value.data);
    assert_int_equal(record.value.size, 0);
    assert_int_equal(record.timestamp, 1700000000005);
    assert_int_equal(record.header_count, 2);
    headers = mr_reader_of(record.headers);
    header = kafka_headers_next(&headers);
    assert_true(mr_str_equal(header.key, MR_STR("h")));
    assert_memory_equal(header.value.data, "x", 1);
    header = kafka_headers_next(&headers);
    assert_true(mr_str_equal(header.key, MR_STR("n")));
    assert_null(header.value.data);
    assert_false(headers.failed);
    assert_true(kafka_records_next(&records, &record));
    assert_int_equal(record.offset, batch->base_offset + 2);
    assert_int_equal(record.timestamp, 1700000000000 - 300);
    assert_non_null(record.key.data);
    assert_int_equal(record.key.size, 0);
    assert_null(record.value.data);
    assert_false(kafka_records_next(&records, &record));
    assert_int_equal(kafka_records_end(&records, &err), MR_OK);
    assert_int_equal(kafka_records_check(batch, scratch, &err), MR_OK);
}

static void test_vectors(void **state)
{
    struct kafka_scratch scratch = { 0 };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(vectors); i++) {
        struct mr_bytes whole = hex_decode(vectors[i].hex);
        struct kafka_batch batch;
        struct mr_err err;

        print_message("%s\n", vectors[i].name);
        assert_int_equal(kafka_batch_parse(whole, &batch, &err), MR_OK);
        assert_int_equal(kafka_batch_check(&batch, &err), MR_OK);
        assert_int_equal(kafka_batch_codec(&batch), vectors[i].codec);
        assert_int_equal(batch.record_count, 3);
        assert_int_equal(batch.max_timestamp, 1700000000005);
        check_records(&batch, &scratch);
        for (size_t cut = 0; cut < whole.size; cut++) {
            struct mr_bytes part = exact((struct mr_bytes){ whole.data, cut });

            assert_int_equal(kafka_batch_parse(part, &batch, &err), MR_NEED_MORE);
            free((void *)part.data);
        }
        for (size_t at = 16; at < whole.size;
             at++) { /* any changed byte is seen; before, only offset and epoch stand */
            uint8_t *bad = (uint8_t *)exact(whole).data;

            bad[at] ^= 0x10;
            assert_true(kafka_batch_parse((struct mr_bytes){ bad, whole.size }, &batch, &err) != MR_OK ||
                        kafka_batch_check(&batch, &err) == MR_CORRUPT);
            free(bad);
        }
        mr_free((void *)whole.data);
    }
    kafka_scratch_deinit(&scratch);
}

static void test_header(void **state)
{
    struct mr_bytes whole = hex_decode(vectors[0].hex);
    struct kafka_batch batch;
    struct mr_err err;

    MR_UNUSED(state);
    assert_int_equal(kafka_batch_parse(whole, &batch, &err), MR_OK);
    assert_int_equal(batch.base_offset, 100);
    assert_int_equal(batch.last_offset, 102);
    assert_int_equal(batch.leader_epoch, 3);
    assert_int_equal(batch.producer_id, 7);
    assert_int_equal(batch.producer_epoch, 1);
    assert_int_equal(batch.base_sequence, 42);
    kafka_batch_set_offset((uint8_t *)whole.data, INT64_C(1) << 40, 9);
    assert_int_equal(kafka_batch_parse(whole, &batch, &err), MR_OK);
    assert_int_equal(batch.base_offset, INT64_C(1) << 40);
    assert_int_equal(batch.leader_epoch, 9);
    assert_int_equal(kafka_batch_check(&batch, &err), MR_OK);
    mr_free((void *)whole.data);
}

/* Where a byte is set to what, in the plain vector, and the answer. */
static void test_header_wrong(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
        enum mr_status expect;
    } cases[] = {
        { "magic 0", 16, 0, MR_UNSUPPORTED },
        { "magic 1", 16, 1, MR_UNSUPPORTED },
        { "negative length", 8, 0x80, MR_INVALID },
        { "length under a header's", 11, 48, MR_INVALID },
        { "length of 1 GiB", 8, 0x40, MR_INVALID },
        { "negative count", 57, 0x80, MR_INVALID },
        { "more records than bytes", 58, 0x01, MR_INVALID },
        { "negative last offset delta", 23, 0xff, MR_INVALID },
        { "last offset delta under the count", 26, 1, MR_INVALID },
        { "negative base offset", 0, 0x80, MR_INVALID },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_bytes whole = hex_decode(vectors[0].hex);
        struct kafka_batch batch;
        struct mr_err err;

        print_message("%s\n", cases[i].name);
        ((uint8_t *)whole.data)[cases[i].at] = cases[i].value;
        assert_int_equal(kafka_batch_parse(whole, &batch, &err), cases[i].expect);
        mr_free((void *)whole.data);
    }
}

static enum mr_status check_body(int codec, struct mr_bytes body, int32_t count)
{
    struct kafka_scratch scratch = { 0 };
    struct mr_writer bytes = { 0 };
    struct kafka_batch batch = { .attributes = (int16_t)codec, .record_count = count, .last_offset_delta = count - 1 };
    struct mr_err err;
    enum mr_status status;

    memset(mr_writer_reserve(&bytes, KAFKA_BATCH_HEADER_BYTES), 0, KAFKA_BATCH_HEADER_BYTES);
    bytes.size = KAFKA_BATCH_HEADER_BYTES;
    mr_write_bytes(&bytes, body);
    batch.bytes = exact(mr_writer_bytes(&bytes));
    status = kafka_records_check(&batch, &scratch, &err);
    free((void *)batch.bytes.data);
    mr_writer_deinit(&bytes);
    kafka_scratch_deinit(&scratch);
    return status;
}

static void test_bodies(void **state)
{
    static const struct {
        const char *name;
        int codec;
        int32_t count;
        const char *hex;
        enum mr_status expect;
    } cases[] = {
        { "three", 0, 3, RECORDS, MR_OK },
        { "lz4 tool's frame", KAFKA_CODEC_LZ4, 3,
          "04224d186c402300000000000000612300008018000000026b0a76616c7565001a000a0201000402680278026e010e00d70404000100"
          "0000000018306a7f",
          MR_OK },
        { "zstd tool's frame", KAFKA_CODEC_ZSTD, 3,
          "28b52ffd242319010018000000026b0a76616c7565001a000a0201000402680278026e010e00d70404000100431e11a7", MR_OK },
        { "count says two", 0, 2, RECORDS, MR_INVALID },
        { "count says four", 0, 4, RECORDS, MR_INVALID },
        { "offset delta 1 of the first", 0, 1,
          "0c0000020101"
          "00",
          MR_INVALID },
        { "negative length", 0, 1, "01", MR_INVALID },
        { "length of eleven bytes", 0, 1, "ffffffffffffffffffffff01", MR_INVALID },
        { "key past the end", 0, 1, "0c000000100100", MR_INVALID },
        { "value of length -2", 0, 1, "0c000000010300", MR_INVALID },
        { "headers promised", 0, 1, "0c000000010102", MR_INVALID },
        { "headers of 2^31", 0, 1,
          "14000000010180808080"
          "10",
          MR_INVALID },
        { "bytes behind the headers", 0, 1, "0e00000001010000", MR_INVALID },
        { "no such codec", 7, 1, "00", MR_UNSUPPORTED },
        { "gzip: not", KAFKA_CODEC_GZIP, 1, "0102030405", MR_INVALID },
        { "snappy: claims 200 MB in 6 bytes", KAFKA_CODEC_SNAPPY, 1, "8080a0640000", MR_INVALID },
        { "snappy: claims 4 GB", KAFKA_CODEC_SNAPPY, 1, "ffffffff0f00", MR_LIMIT },
        { "xerial: block past the end", KAFKA_CODEC_SNAPPY, 1, "82534e41505059000000000100000001ffffffff00",
          MR_INVALID },
        { "lz4: not", KAFKA_CODEC_LZ4, 1, "0102030405060708", MR_INVALID },
        { "zstd: not", KAFKA_CODEC_ZSTD, 1, "0102030405060708", MR_INVALID },
        { "lz4: nothing", KAFKA_CODEC_LZ4, 1, "", MR_INVALID },
        { "zstd: nothing", KAFKA_CODEC_ZSTD, 1, "", MR_INVALID },
        { "gzip: nothing", KAFKA_CODEC_GZIP, 1, "", MR_INVALID },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_bytes body = hex_decode(cases[i].hex);

        print_message("%s\n", cases[i].name);
        assert_int_equal(check_body(cases[i].codec, body, cases[i].count), cases[i].expect);
        for (size_t cut = 0; cases[i].expect == MR_OK && cut < body.size; cut++)
            assert_int_not_equal(check_body(cases[i].codec, (struct mr_bytes){ body.data, cut }, cases[i].count),
                                 MR_OK);
        mr_free((void *)body.data);
    }
}

/* A record behind its batch's last offset, which would be past the largest: no walk hands it out. */
static void test_offset_past_the_batch(void **state)
{
    struct mr_bytes body = hex_decode("0c0000140101"
                                      "00"); /* offset delta 10 */
    struct mr_writer bytes = { 0 };
    struct kafka_scratch scratch = { 0 };
    struct kafka_batch batch = { .base_offset = INT64_MAX - 5, .last_offset_delta = 3, .record_count = 1 };
    struct kafka_records walk;
    struct kafka_record record;

    MR_UNUSED(state);
    memset(mr_writer_reserve(&bytes, KAFKA_BATCH_HEADER_BYTES), 0, KAFKA_BATCH_HEADER_BYTES);
    bytes.size = KAFKA_BATCH_HEADER_BYTES;
    mr_write_bytes(&bytes, body);
    batch.bytes = mr_writer_bytes(&bytes);
    assert_int_equal(kafka_records_open(&walk, &batch, &scratch, NULL), MR_OK);
    assert_false(kafka_records_next(&walk, &record));
    assert_int_equal(kafka_records_end(&walk, NULL), MR_INVALID);
    mr_free((void *)body.data);
    mr_writer_deinit(&bytes);
    kafka_scratch_deinit(&scratch);
}

/* 300 MB of zeros in 300 kB: stopped at the limit, not at the end of memory. */
static void test_bomb(void **state)
{
    enum { STEP = 1 << 20, STEPS = 300 };
    z_stream z = { 0 };
    uint8_t *zeros = mr_calloc(1, STEP);
    struct mr_writer out = { 0 };

    MR_UNUSED(state);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    for (int i = 0; i < STEPS; i++) {
        z.next_in = zeros;
        z.avail_in = STEP;
        z.next_out = mr_writer_reserve(&out, STEP);
        z.avail_out = STEP;
        deflate(&z, i + 1 < STEPS ? Z_NO_FLUSH : Z_FINISH);
        out.size += STEP - z.avail_out;
    }
    deflateEnd(&z);
    assert_int_equal(check_body(KAFKA_CODEC_GZIP, mr_writer_bytes(&out), 1), MR_LIMIT);
    mr_writer_deinit(&out);
    mr_free(zeros);
}

static void test_builder(void **state)
{
    static const enum kafka_codec codecs[] = { KAFKA_CODEC_NONE, KAFKA_CODEC_LZ4, KAFKA_CODEC_ZSTD };
    struct kafka_record_header headers[2] = { { MR_STR("h"), { (const uint8_t *)"x", 1 } },
                                              { MR_STR("n"), MR_BYTES_NULL } };
    struct kafka_scratch scratch = { 0 };
    struct kafka_builder builder;
    struct mr_writer out = { 0 };
    struct kafka_batch batch;
    struct mr_bytes vector = hex_decode(vectors[0].hex);
    struct mr_err err;

    MR_UNUSED(state);
    kafka_builder_init(&builder);
    builder.producer_id = 7;
    builder.producer_epoch = 1;
    builder.base_sequence = 42;
    builder.base_offset = 100;
    builder.leader_epoch = 3;
    for (size_t i = 0; i < 2 * MR_COUNT(codecs); i++) { /* twice: contexts are used again */
        out.size = 0;
        kafka_builder_add(&builder, 1700000000000, (struct mr_bytes){ (const uint8_t *)"k", 1 },
                          (struct mr_bytes){ (const uint8_t *)"value", 5 }, NULL, 0);
        kafka_builder_add(&builder, 1700000000005, MR_BYTES_NULL, (struct mr_bytes){ (const uint8_t *)"", 0 }, headers,
                          2);
        kafka_builder_add(&builder, 1700000000000 - 300, (struct mr_bytes){ (const uint8_t *)"", 0 }, MR_BYTES_NULL,
                          NULL, 0);
        assert_int_equal(kafka_builder_finish(&builder, KAFKA_CODEC_GZIP, &out, &err), MR_UNSUPPORTED);
        assert_int_equal(kafka_builder_finish(&builder, codecs[i % MR_COUNT(codecs)], &out, &err), MR_OK);
        assert_int_equal(kafka_batch_parse(mr_writer_bytes(&out), &batch, &err), MR_OK);
        assert_int_equal(batch.bytes.size, out.size);
        assert_int_equal(kafka_batch_check(&batch, &err), MR_OK);
        assert_int_equal(batch.producer_id, 7);
        check_records(&batch, &scratch);
        if (codecs[i % MR_COUNT(codecs)] == KAFKA_CODEC_NONE) {
            assert_int_equal(out.size, vector.size);
            assert_memory_equal(out.data, vector.data, vector.size);
        }
    }
    kafka_builder_deinit(&builder);
    kafka_scratch_deinit(&scratch);
    mr_writer_deinit(&out);
    mr_free((void *)vector.data);
}

/* A megabyte of records, so that decompressors take several steps. */
static void test_big(void **state)
{
    struct kafka_scratch scratch = { 0 };
    struct kafka_builder builder;
    struct mr_writer out = { 0 };
    struct kafka_batch batch;
    struct mr_err err;

    MR_UNUSED(state);
    kafka_builder_init(&builder);
    for (int codec = KAFKA_CODEC_LZ4; codec <= KAFKA_CODEC_ZSTD; codec++) {
        out.size = 0;
        for (int i = 0; i < 20000; i++) {
            char value[100];
            int size = snprintf(value, sizeof(value), "a value with the number %d in it, and %d too", i, i * 7919);

            kafka_builder_add(&builder, i, MR_BYTES_NULL, (struct mr_bytes){ (const uint8_t *)value, (size_t)size },
                              NULL, 0);
        }
        assert_int_equal(kafka_builder_finish(&builder, (enum kafka_codec)codec, &out, &err), MR_OK);
        assert_int_equal(kafka_batch_parse(mr_writer_bytes(&out), &batch, &err), MR_OK);
        assert_int_equal(batch.record_count, 20000);
        assert_int_equal(kafka_records_check(&batch, &scratch, &err), MR_OK);
    }
    kafka_builder_deinit(&builder);
    kafka_scratch_deinit(&scratch);
    mr_writer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_header_wrong),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_offset_past_the_batch),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_builder),
        cmocka_unit_test(test_big),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
