/* fuzz_csv.c -- any bytes as a CSV record: with all columns asked for and with none, the answer is the same; the batch
 * stays whole; what was decoded encodes to CSV that decodes to the same.  The first byte chooses the options. */
#include "data/data.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct data_type *row;
static struct data_batch *batch, *skipped, *again;
static struct mr_arena *arena; /* reachable to the end */

static void setup(void)
{
    arena = mr_arena_new();
    struct data_field inner[] = { { MR_STR("x"), data_type_scalar(DATA_INT, true) },
                                  { MR_STR("y"), data_type_scalar(DATA_STRING, true) } };
    struct data_field fields[] = {
        { MR_STR("s"), data_type_scalar(DATA_STRING, true) },
        { MR_STR("i"), data_type_scalar(DATA_SMALLINT, true) },
        { MR_STR("n"), data_type_decimal(arena, 38, 10, true) },
        { MR_STR("z"), data_type_scalar(DATA_BYTES, true) },
        { MR_STR("ts"), data_type_scalar(DATA_TIMESTAMP_LTZ, true) },
        { MR_STR("r"), data_type_row(arena, inner, 2, true) },
        { MR_STR("a"), data_type_array(arena, data_type_scalar(DATA_DOUBLE, true), true) },
    };

    row = data_type_row(arena, fields, MR_COUNT(fields), false);
    batch = data_batch_new(row);
    skipped = data_batch_new(row);
    again = data_batch_new(row);
}

static enum mr_status decode(struct data_batch *to, const struct data_format *format, const bool *wanted,
                             struct mr_bytes bytes, bool *skip)
{
    struct data_decoder *decoder = data_decoder_new(row, wanted, format);
    enum mr_status status = data_decode(decoder, to, bytes, 0, skip, NULL);

    data_decoder_free(decoder);
    for (uint32_t i = 0; i < to->column_count; i++)
        if (to->columns[i]->length != to->row_count)
            abort();
    return status;
}

/* What was read is written, read and written again: the same. */
static void round_trip(const struct data_format *format)
{
    struct data_encoder *encoder = data_encoder_new(row, format);
    struct mr_writer first = { 0 }, second = { 0 };
    bool skip = false;

    if (!data_encode(encoder, batch, 0, &first))
        abort();
    if (decode(again, format, NULL, mr_writer_bytes(&first), &skip) == MR_OK && !skip) {
        if (!data_encode(encoder, again, 0, &second))
            abort();
        if (first.size != second.size || memcmp(first.data, second.data, first.size) != 0)
            abort();
    }
    mr_writer_deinit(&first);
    mr_writer_deinit(&second);
    data_encoder_free(encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const bool none[7] = { false };
    struct data_format format = data_format_default(DATA_FORMAT_CSV);
    bool skip = false, skip_none = false;
    enum mr_status status;
    uint8_t *copy;

    if (row == NULL)
        setup();
    if (size == 0)
        return 0;
    format.csv_quote = data[0] & 1 ? -1 : '"';
    format.csv_escape = data[0] & 2 ? '\\' : -1;
    format.csv_null = data[0] & 4 ? MR_STR("null") : MR_STR_NULL;
    format.csv_comments = (data[0] & 8) != 0;
    copy = malloc(size); /* of exactly this size, so that the sanitizer sees a byte read too many */
    memcpy(copy, data + 1, size - 1);
    data_batch_reset(batch);
    data_batch_reset(skipped);
    data_batch_reset(again);
    status = decode(batch, &format, NULL, (struct mr_bytes){ copy, size - 1 }, &skip);
    if (decode(skipped, &format, none, (struct mr_bytes){ copy, size - 1 }, &skip_none) != status || skip != skip_none)
        abort();
    if (status == MR_OK && !skip)
        round_trip(&format);
    free(copy);
    return 0;
}
