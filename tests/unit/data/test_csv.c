/* test_csv.c -- CSV to rows and back, with Flink's options; a bad line leaves no trace. */
#include "data_test.h"

static const struct data_type *table_row(struct mr_arena *arena)
{
    const struct data_field fields[] = {
        { MR_STR("a"), data_type_scalar(DATA_INT, true) },
        { MR_STR("b"), data_type_scalar(DATA_STRING, true) },
        { MR_STR("c"), data_type_decimal(arena, 5, 2, true) },
        { MR_STR("d"), data_type_scalar(DATA_BOOLEAN, true) },
        { MR_STR("e"), data_type_scalar(DATA_BYTES, true) },
        { MR_STR("f"), data_type_time(arena, DATA_TIMESTAMP, 3, true) },
        { MR_STR("g"), data_type_array(arena, data_type_scalar(DATA_INT, true), true) },
    };

    return data_type_row(arena, fields, MR_COUNT(fields), false);
}

/* Each line, and what it becomes as JSON and as CSV again; NULL: refused. */
static const struct {
    const char *line, *json, *again;
} lines[] = {
    { "1,abc,2.5,true,AP8=,2024-02-29 01:02:03.5,1;2",
      "{\"a\":1,\"b\":\"abc\",\"c\":2.50,\"d\":true,\"e\":\"AP8=\",\"f\":\"2024-02-29 01:02:03.5\",\"g\":[1,2]}\n",
      "1,abc,2.50,true,AP8=,\"2024-02-29 01:02:03.5\",1;2" },
    { "-2,\"a,\"\"b\"\"\", 3 ,FALSE,,,",
      "{\"a\":-2,\"b\":\"a,\\\"b\\\"\",\"c\":3.00,\"d\":false,\"e\":null,\"f\":null,\"g\":[]}\n",
      "-2,\"a,\"\"b\"\"\",3.00,false,,," },
    { ",,,,,,\r\n", "{\"a\":null,\"b\":\"\",\"c\":null,\"d\":null,\"e\":null,\"f\":null,\"g\":[]}\n", ",\"\",,,,," },
    { "1,abc,2.5,true,AP8=,2024-02-29", NULL, NULL },
    { "1,abc,2.5,true,AP8=,2024-02-29,1,extra", NULL, NULL },
    { "x,abc,2.5,true,AP8=,2024-02-29,1", NULL, NULL },
    { "1,abc,1000,true,AP8=,2024-02-29,1", NULL, NULL },
    { "1,abc,2.5,yes,AP8=,2024-02-29,1", NULL, NULL },
    { "1,abc,2.5,true,*,2024-02-29,1", NULL, NULL },
    { "1,abc,2.5,true,AP8=,2024-02-30,1", NULL, NULL },
    { "1,abc,2.5,true,AP8=,2024-02-29,1;x", NULL, NULL },
    { "1,\"abc,2.5,true,AP8=,2024-02-29,1", NULL, NULL },
    { "1,\"abc\"d,2.5,true,AP8=,2024-02-29,1", NULL, NULL },
    { "", NULL, NULL },
    { "1,\xff,2.5,true,AP8=,2024-02-29,1", NULL, NULL },
};

static void test_lines(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    const struct data_type *row = table_row(arena);
    struct data_format format = data_format_default(DATA_FORMAT_CSV);
    struct data_decoder *decoder = data_decoder_new(row, NULL, &format);
    struct data_encoder *encoder = data_encoder_new(row, &format);
    struct data_batch *batch = data_batch_new(row);
    struct mr_writer w = { 0 };

    (void)state;
    for (size_t i = 0; i < MR_COUNT(lines); i++) {
        struct page_end end = page_end_of(lines[i].line, strlen(lines[i].line));
        struct mr_err err = MR_ERR_INIT;
        enum mr_status status = data_decode(decoder, batch, end.bytes, 0, NULL, &err);

        page_end_free(&end);
        if (status != (lines[i].json != NULL ? MR_OK : MR_INVALID))
            fail_msg("%s: status %d: %s", lines[i].line, status, err.text);
        assert_int_equal(batch->row_count, status == MR_OK);
        for (uint32_t c = 0; c < batch->column_count; c++)
            assert_int_equal(batch->columns[c]->length, batch->row_count);
        if (status == MR_OK) {
            assert_string_equal(batch_text(batch, &w), lines[i].json);
            w.size = 0;
            assert_true(data_encode(encoder, batch, 0, &w));
            assert_string_equal(writer_text(&w), lines[i].again);
        }
        data_batch_reset(batch);
    }
    mr_writer_deinit(&w);
    data_batch_unref(batch);
    data_encoder_free(encoder);
    data_decoder_free(decoder);
    mr_arena_free(arena);
}

static const char *option_of(const void *arg, const char *name)
{
    const char *const *pairs = arg;

    for (; pairs[0] != NULL; pairs += 2)
        if (strcmp(pairs[0], name) == 0)
            return pairs[1];
    return NULL;
}

static void test_options(void **state)
{
    static const char *const given[] = { "key.csv.field-delimiter",
                                         "\\t",
                                         "key.csv.null-literal",
                                         "n/a",
                                         "key.csv.quote-character",
                                         "'",
                                         "key.csv.allow-comments",
                                         "true",
                                         "key.csv.escape-character",
                                         "\\",
                                         NULL };
    static const char *const wrong[] = { "csv.field-delimiter", "ab", NULL };
    struct data_format format;
    struct mr_err err = MR_ERR_INIT;
    struct mr_arena *arena = mr_arena_new();
    const struct data_type *row = row_of(arena, (enum data_kind[]){ DATA_INT, DATA_STRING, DATA_KIND_N });
    struct data_batch *batch = data_batch_new(row);
    struct data_decoder *decoder;
    struct mr_writer w = { 0 };
    bool skip = false;

    (void)state;
    assert_int_equal(data_format_read(&format, DATA_FORMAT_CSV, "", option_of, wrong, &err), MR_INVALID);
    assert_int_equal(data_format_read(&format, DATA_FORMAT_CSV, "key.", option_of, given, &err), MR_OK);
    decoder = data_decoder_new(row, NULL, &format);
    assert_int_equal(data_decode(decoder, batch, mr_bytes_of_str(MR_STR("# no")), 0, &skip, &err), MR_OK);
    assert_true(skip);
    assert_int_equal(data_decode(decoder, batch, mr_bytes_of_str(MR_STR("n/a\t'a\tb'")), 0, &skip, &err), MR_OK);
    assert_int_equal(data_decode(decoder, batch, mr_bytes_of_str(MR_STR("7\tx\\\ty")), 0, &skip, &err), MR_OK);
    assert_false(skip);
    assert_string_equal(batch_text(batch, &w), "{\"a\":null,\"b\":\"a\\tb\"}\n{\"a\":7,\"b\":\"x\\ty\"}\n");
    mr_writer_deinit(&w);
    data_decoder_free(decoder);
    data_batch_unref(batch);
    mr_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
