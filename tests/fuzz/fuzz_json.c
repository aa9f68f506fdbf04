/* fuzz_json.c -- any bytes as a JSON record: with all columns asked for and with none, the answer is the same; the
 * batch stays whole; what was decoded encodes to JSON that decodes to the same. */
#include "data/data.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct data_json_decoder *all, *none;
static struct data_batch *batch, *skipped, *again;
static struct data_json_encoder *encoder;
static struct mr_arena *arena; /* reachable to the end */

static void setup(void)
{
    arena = mr_arena_new();
    struct data_field inner[] = { { MR_STR("x"), data_type_scalar(DATA_INT, true) },
                                  { MR_STR("y"), data_type_scalar(DATA_STRING, false) } };
    struct data_field fields[] = {
        { MR_STR("s"), data_type_scalar(DATA_STRING, true) },
        { MR_STR("i"), data_type_scalar(DATA_BIGINT, true) },
        { MR_STR("d"), data_type_scalar(DATA_DOUBLE, true) },
        { MR_STR("b"), data_type_scalar(DATA_BOOLEAN, true) },
        { MR_STR("r"), data_type_row(arena, inner, 2, true) },
        { MR_STR("t"), data_type_array(arena, data_type_row(arena, inner, 2, true), true) },
        { MR_STR("n"), data_type_decimal(arena, 20, 4, true) },
        { MR_STR("z"), data_type_scalar(DATA_BYTES, true) },
        { MR_STR("y"), data_type_scalar(DATA_TINYINT, true) },
        { MR_STR("da"), data_type_scalar(DATA_DATE, true) },
        { MR_STR("tm"), data_type_time(arena, DATA_TIME, 3, true) },
        { MR_STR("ts"), data_type_scalar(DATA_TIMESTAMP, true) },
        { MR_STR("tl"), data_type_time(arena, DATA_TIMESTAMP_LTZ, 3, true) },
        { MR_STR("m"),
          data_type_map(arena, data_type_scalar(DATA_STRING, false), data_type_decimal(arena, 38, 38, true), true) },
    };
    const struct data_type *row = data_type_row(arena, fields, MR_COUNT(fields), false);
    const bool wanted[MR_COUNT(fields)] = { false };

    all = data_json_decoder_new(row, NULL);
    none = data_json_decoder_new(row, wanted);
    encoder = data_json_encoder_new(row);
    batch = data_batch_new(row);
    skipped = data_batch_new(row);
    again = data_batch_new(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_writer first = { 0 }, second = { 0 };
    struct mr_bytes *elements = NULL;
    size_t count = 0;
    enum mr_status status;
    /* a copy of exactly this size, so that the sanitizer sees a byte read too many */
    uint8_t *copy = malloc(size + 1);

    if (all == NULL)
        setup();
    memcpy(copy, data, size);
    copy = realloc(copy, size ? size : 1);
    data_batch_reset(batch);
    data_batch_reset(skipped);
    data_batch_reset(again);
    status = data_json_decode(all, batch, (struct mr_bytes){ copy, size }, 0, NULL);
    if (data_json_decode(none, skipped, (struct mr_bytes){ copy, size }, 0, NULL) != status)
        abort();
    for (uint32_t i = 0; i < batch->column_count; i++) {
        if (batch->columns[i]->length != batch->row_count)
            abort();
    }
    if (status == MR_OK) {
        data_json_encode(encoder, batch, 0, &first);
        if (data_json_decode(all, again, mr_writer_bytes(&first), 0, NULL) != MR_OK)
            abort();
        data_json_encode(encoder, again, 0, &second);
        if (first.size != second.size || memcmp(first.data, second.data, first.size) != 0)
            abort();
    }
    if (data_json_split((struct mr_bytes){ copy, size }, MR_STR("/t"), &elements, &count, NULL) == MR_OK)
        mr_free(elements);
    mr_writer_deinit(&first);
    mr_writer_deinit(&second);
    free(copy);
    return 0;
}
