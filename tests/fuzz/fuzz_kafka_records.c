/* fuzz_kafka_records.c -- any bytes as record batches, as producers send them and disks hold them.  The first byte says
 * whether the check sum is made right first, so that the records are reached. */
#include "fuzz.h"

#include "base/hash.h"
#include "kafka/records.h"

enum { CRC_AT = 17, CRC_FROM = 21 };

static void headers_walk(const struct kafka_record *record)
{
    struct mr_reader r = mr_reader_of(record->headers);

    for (int32_t i = 0; i < record->header_count; i++) {
        struct kafka_record_header header = kafka_headers_next(&r);

        FUZZ_MUST(header.key.data != NULL || header.key.size == 0);
    }
    FUZZ_MUST(!r.failed); /* they were checked before */
}

static void records_walk(const struct kafka_batch *batch, struct kafka_scratch *scratch)
{
    struct kafka_records walk;
    struct kafka_record record;
    struct mr_err err = MR_ERR_INIT;
    bool sound = kafka_records_check(batch, scratch, NULL) == MR_OK;
    int32_t count = 0;

    if (kafka_records_open(&walk, batch, scratch, &err) != MR_OK) {
        FUZZ_MUST(!sound && err.text[0] != '\0');
        return;
    }
    for (; kafka_records_next(&walk, &record); count++)
        headers_walk(&record);
    if (kafka_records_end(&walk, &err) == MR_OK)
        FUZZ_MUST(count == batch->record_count);
    else
        FUZZ_MUST(!sound);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kafka_scratch scratch = { 0 };
    struct kafka_batch batch;
    struct mr_bytes rest;
    uint8_t *copy;

    if (size < 1)
        return 0;
    copy = malloc(size);
    FUZZ_MUST(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    rest = (struct mr_bytes){ copy, size - 1 };
    while (rest.size > 0 && kafka_batch_parse(rest, &batch, NULL) == MR_OK) {
        if ((data[0] & 1) != 0) {
            uint8_t *at = copy + (rest.data - copy);

            mr_store_i32(at + CRC_AT, (int32_t)mr_crc32c(0, at + CRC_FROM, batch.bytes.size - CRC_FROM));
            FUZZ_MUST(kafka_batch_parse(rest, &batch, NULL) == MR_OK);
        }
        if (kafka_batch_check(&batch, NULL) == MR_OK)
            records_walk(&batch, &scratch);
        rest.data += batch.bytes.size;
        rest.size -= batch.bytes.size;
    }
    kafka_scratch_deinit(&scratch);
    free(copy);
    return 0;
}
