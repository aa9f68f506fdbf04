/* test_cast.c -- CAST and TRY_CAST, value by value. */
#include "data_test.h"

static const struct {
    enum data_kind from;
    const char *in; /* JSON of the value */
    enum data_kind to;
    const char *out; /* JSON of the result; NULL: can't be cast */
} cases[] = {
    { DATA_STRING, "\" 42 \"", DATA_INT, "42" },
    { DATA_STRING, "\"-2147483648\"", DATA_INT, "-2147483648" },
    { DATA_STRING, "\"2147483648\"", DATA_INT, NULL },
    { DATA_STRING, "\"+7\"", DATA_INT, "7" },
    { DATA_STRING, "\"1.9\"", DATA_INT, "1" },
    { DATA_STRING, "\"1.9x\"", DATA_INT, NULL },
    { DATA_STRING, "\"SW1A 1AA\"", DATA_INT, NULL },
    { DATA_STRING, "\"\"", DATA_INT, NULL },
    { DATA_STRING, "\"-\"", DATA_INT, NULL },
    { DATA_STRING, "\".\"", DATA_INT, NULL },
    { DATA_STRING, "\"-9223372036854775808\"", DATA_BIGINT, "-9223372036854775808" },
    { DATA_STRING, "\"9223372036854775808\"", DATA_BIGINT, NULL },
    { DATA_STRING, "\"-9223372036854775809\"", DATA_BIGINT, NULL },
    { DATA_STRING, "\"-31.2532\"", DATA_FLOAT, "-31.2532" },
    { DATA_STRING, "\"1e39\"", DATA_FLOAT, NULL },
    { DATA_STRING, "\" 1e3 \"", DATA_DOUBLE, "1000.0" },
    { DATA_STRING, "\"NaN\"", DATA_DOUBLE, "\"NaN\"" },
    { DATA_STRING, "\"-Infinity\"", DATA_DOUBLE, "\"-Infinity\"" },
    { DATA_STRING, "\"nan\"", DATA_DOUBLE, NULL },
    { DATA_STRING, "\"0x10\"", DATA_DOUBLE, NULL },
    { DATA_STRING, "\"YES\"", DATA_BOOLEAN, "true" },
    { DATA_STRING, "\" f \"", DATA_BOOLEAN, "false" },
    { DATA_STRING, "\"on\"", DATA_BOOLEAN, NULL },
    { DATA_BIGINT, "2147483648", DATA_INT, NULL },
    { DATA_BIGINT, "-5", DATA_INT, "-5" },
    { DATA_INT, "3", DATA_DOUBLE, "3.0" },
    { DATA_INT, "0", DATA_BOOLEAN, "false" },
    { DATA_BOOLEAN, "true", DATA_INT, "1" },
    { DATA_BOOLEAN, "true", DATA_STRING, "\"TRUE\"" },
    { DATA_DOUBLE, "-1.9", DATA_INT, "-1" },
    { DATA_DOUBLE, "2147483647.5", DATA_INT, "2147483647" },
    { DATA_DOUBLE, "2147483648", DATA_INT, NULL },
    { DATA_DOUBLE, "-2147483648.9", DATA_INT, "-2147483648" },
    { DATA_DOUBLE, "9223372036854775808", DATA_BIGINT, NULL },
    { DATA_DOUBLE, "\"NaN\"", DATA_BIGINT, NULL },
    { DATA_DOUBLE, "1e39", DATA_FLOAT, NULL },
    { DATA_DOUBLE, "1e10", DATA_STRING, "\"1.0E10\"" },
    { DATA_FLOAT, "0.1", DATA_STRING, "\"0.1\"" },
    { DATA_INT, "null", DATA_STRING, "null" },
};

static void count_error(void *arg, uint32_t row, const struct mr_err *why)
{
    assert_int_equal(row, 1);
    assert_int_equal(why->status, MR_INVALID);
    assert_int_equal(strncmp(why->text, "CAST: ", 6), 0);
    ++*(int *)arg;
}

static void test_cases(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_arena *arena = mr_arena_new();
        enum data_kind from[] = { cases[i].from, DATA_KIND_N };
        const struct data_type *row = row_of(arena, from);
        struct data_json_decoder *d = data_json_decoder_new(row, NULL);
        struct data_batch *b = data_batch_new(row);
        struct data_column *out = data_column_new(data_type_scalar(cases[i].to, true));
        struct mr_writer json = { 0 }, got = { 0 };
        struct mr_err err = MR_ERR_INIT;
        int errors = 0;

        mr_write_text(&json, "{\"a\":%s}", cases[i].in);
        assert_int_equal(data_json_decode(d, b, (struct mr_bytes){ (const uint8_t *)"{}", 2 }, 0, &err), MR_OK);
        assert_int_equal(data_json_decode(d, b, mr_writer_bytes(&json), 0, &err), MR_OK);
        data_cast(out, b->columns[0], NULL, false, count_error, &errors);
        data_json_encode_value(&got, out, 1);
        if (errors != (cases[i].out == NULL) ||
            strcmp(writer_text(&got), cases[i].out != NULL ? cases[i].out : "null") != 0)
            fail_msg("%s %s to %s: got %s, %d errors", data_kind_name(cases[i].from), cases[i].in,
                     data_kind_name(cases[i].to), writer_text(&got), errors);
        data_column_reset(out);
        data_cast(out, b->columns[0], NULL, true, count_error, &errors);
        assert_int_equal(errors, cases[i].out == NULL);
        assert_int_equal(out->length, 2);
        data_column_reset(out);
        data_cast(out, b->columns[0], (const uint8_t *)"\1", false, count_error, &errors);
        assert_int_equal(errors, cases[i].out == NULL);
        assert_true(data_is_null(out, 1));
        mr_writer_deinit(&json);
        mr_writer_deinit(&got);
        data_column_unref(out);
        data_batch_unref(b);
        data_json_decoder_free(d);
        mr_arena_free(arena);
    }
}

static void test_nested(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    struct data_field in_fields[] = { { MR_STR("x"), data_type_scalar(DATA_STRING, true) },
                                      { MR_STR("y"),
                                        data_type_array(arena, data_type_scalar(DATA_STRING, true), true) } };
    struct data_field out_fields[] = { { MR_STR("p"), data_type_scalar(DATA_INT, true) },
                                       { MR_STR("q"),
                                         data_type_array(arena, data_type_scalar(DATA_DOUBLE, true), true) } };
    struct data_field root = { MR_STR("a"), data_type_row(arena, in_fields, 2, true) };
    const struct data_type *to = data_type_row(arena, out_fields, 2, true),
                           *row = data_type_row(arena, &root, 1, false);
    static const char *const lines[] = { "{}", "{\"a\":{\"x\":\"1\",\"y\":[\"2\",\"x\"]}}",
                                         "{\"a\":{\"x\":\"3\",\"y\":[\"4\",null]}}" };
    struct data_json_decoder *d = data_json_decoder_new(row, NULL);
    struct data_batch *b = data_batch_new(row);
    struct data_column *out = data_column_new(to), *text = data_column_new(data_type_scalar(DATA_STRING, true));
    struct mr_writer w = { 0 };
    struct mr_err err = MR_ERR_INIT;
    int errors = 0;

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(lines); i++)
        assert_int_equal(data_json_decode(d, b, mr_bytes_of_str(mr_str_of(lines[i])), 0, &err), MR_OK);
    assert_true(data_cast_possible(b->columns[0]->type, to));
    assert_false(data_cast_possible(b->columns[0]->type, data_type_scalar(DATA_INT, true)));
    data_cast(out, b->columns[0], NULL, false, count_error, &errors);
    data_cast(text, b->columns[0], NULL, false, count_error, &errors);
    for (uint32_t i = 0; i < 3; i++)
        data_json_encode_value(&w, out, i);
    assert_string_equal(writer_text(&w), "nullnull{\"p\":3,\"q\":[4.0,null]}");
    assert_int_equal(errors, 1);
    assert_int_equal(data_str(text, 2).size, strlen("(3, [4, NULL])"));
    assert_memory_equal(data_str(text, 2).data, "(3, [4, NULL])", data_str(text, 2).size);
    mr_writer_deinit(&w);
    data_column_unref(out);
    data_column_unref(text);
    data_batch_unref(b);
    data_json_decoder_free(d);
    mr_arena_free(arena);
}

static void test_cells(void **state)
{
    struct data_column *c = data_column_new(data_type_scalar(DATA_STRING, true));
    struct mr_writer w = { 0 };

    MR_UNUSED(state);
    data_append_str(c, MR_STR("a\tb\nc\\\x01"));
    data_append_null(c);
    data_cell_write(&w, c, 0, true);
    mr_write_u8(&w, '|');
    data_cell_write(&w, c, 1, true);
    assert_string_equal(writer_text(&w), "a\\tb\\nc\\\\\\x01|NULL");
    mr_writer_deinit(&w);
    data_column_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_nested),
                                        cmocka_unit_test(test_cells) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
