/* test_json_decode.c -- JSON to columns: what each type takes, what is refused and how it is said, that a failed record
 * leaves nothing, that the columns asked for change nothing, and that no byte after the value is read. */
#include "data_test.h"

#define PERSON                                                                                                         \
    "{\"s\":\"text\",\"i\":1,\"l\":2,\"f\":1.5,\"d\":2.5,\"b\":true,"                                                  \
    "\"r\":{\"x\":1,\"y\":\"z\"},\"t\":[1,2]}"
#define NOTHING "\"s\":null,\"i\":null,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}"

static const struct {
    const char *in;
    const char *out; /* the row as JSON, or NULL */
    const char *why; /* part of the message */
} cases[] = {
    { "{}", "{" NOTHING, NULL },
    { " { } \n", "{" NOTHING, NULL },
    { "\xef\xbb\xbf{}", "{" NOTHING, NULL },
    { PERSON, PERSON, NULL },
    { "{\"t\":[1,2],\"r\":{\"y\":\"z\",\"x\":1},\"b\":\"TRUE\",\"d\":\"2.5\",\"f\":1.5,\"l\":\"2\",\"i\":\" 1 "
      "\",\"s\":\"text\"}",
      PERSON, NULL },
    { "{\"s\":1234}", "{\"s\":\"1234\",\"i\":null,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}",
      NULL },
    { "{\"s\":1.50e+2}",
      "{\"s\":\"1.50e+2\",\"i\":null,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}", NULL },
    { "{\"s\":[1, {\"a\" : \" b \"} ]}",
      "{\"s\":\"[1,{\\\"a\\\":\\\" b "
      "\\\"}]\",\"i\":null,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}",
      NULL },
    { "{\"s\":\"\\u00e9\\ud83d\\ude00\\n\\/\"}",
      "{\"s\":\"\xc3\xa9\xf0\x9f\x98\x80\\n/"
      "\",\"i\":null,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}",
      NULL },
    { "{\"\\u0073\":\"key\"}",
      "{\"s\":\"key\",\"i\":null,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}", NULL },
    { "{\"i\":1,\"i\":2}", "{\"s\":null,\"i\":2,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}",
      NULL },
    { "{\"i\":\"x\",\"i\":2}", "{\"s\":null,\"i\":2,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}",
      NULL },
    { "{\"i\":2,\"i\":\"x\"}", NULL, "$.i: expected INT, found the string \"x\"" },
    { "{\"r\":{\"x\":1,\"y\":\"a\"},\"r\":{\"x\":2}}",
      "{\"s\":null,\"i\":null,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":{\"x\":2,\"y\":null},\"t\":null}",
      NULL },
    { "{\"t\":[1,2],\"t\":[3]}",
      "{\"s\":null,\"i\":null,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":[3]}", NULL },
    { "{\"s\":\"a\",\"s\":null}", "{" NOTHING, NULL },
    { "{\"i\":1.9}", "{\"s\":null,\"i\":1,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}", NULL },
    { "{\"d\":0.1e1,\"f\":-0}",
      "{\"s\":null,\"i\":null,\"l\":null,\"f\":-0.0,\"d\":1.0,\"b\":null,\"r\":null,\"t\":null}", NULL },
    { "{\"l\":-9223372036854775808}",
      "{\"s\":null,\"i\":null,\"l\":-9223372036854775808,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}",
      NULL },
    { "{\"other\":{\"a\":[1,{},[]],\"b\":\"\\\"\"},\"i\":1}",
      "{\"s\":null,\"i\":1,\"l\":null,\"f\":null,\"d\":null,\"b\":null,\"r\":null,\"t\":null}", NULL },
    { "{\"i\":3000000000}", NULL, "$.i: expected INT, found 3000000000" },
    { "{\"i\":true}", NULL, "$.i: expected INT, found true" },
    { "{\"i\":{}}", NULL, "$.i: expected INT, found an object" },
    { "{\"i\":\"\"}", NULL, "$.i: expected INT" },
    { "{\"l\":9223372036854775808}", NULL, "$.l: expected BIGINT" },
    { "{\"f\":1e39}", NULL, "$.f: expected FLOAT" },
    { "{\"d\":1e400}", NULL, "$.d: expected DOUBLE" },
    { "{\"b\":1}", NULL, "$.b: expected BOOLEAN, found 1" },
    { "{\"b\":\"yes\"}", NULL, "$.b: expected BOOLEAN, found the string \"yes\"" },
    { "{\"r\":[]}", NULL, "$.r: expected an object, found an array" },
    { "{\"r\":{\"x\":\"a\"}}", NULL, "$.r.x: expected INT" },
    { "{\"t\":{}}", NULL, "$.t: expected an array, found an object" },
    { "{\"t\":[1,\"b\"]}", NULL, "$.t[1]: expected INT" },
    { "", NULL, "empty" },
    { "  ", NULL, "empty" },
    { "null", NULL, "$: expected an object or an array, found null" },
    { " 5 ", NULL, "$: expected an object or an array, found 5" },
    { "\"a\"", NULL, "$: expected an object or an array, found the string" },
    { "5 5", NULL, "not JSON: $: expected an object or an array, found 5" },
    { "\"\\x\"", NULL, "not JSON: $" },
    { "nul", NULL, "not JSON: $: expected an object or an array, found nul" },
    { "not json", NULL, "not JSON: $: expected an object or an array, found not" },
    { "{\"i\":true,}", NULL, "not JSON: $: expected a field's name" },
    { "[]", NULL, "expected an object, found an array" },
    { "{", NULL, "not JSON" },
    { "}", NULL, "not JSON: $: expected an object" },
    { "{\"i\":1", NULL, "not JSON" },
    { "{\"i\":1}x", NULL, "not JSON" },
    { "{\"i\":1} {}", NULL, "not JSON: $: expected nothing after the end" },
    { "{\"i\":1}}", NULL, "not JSON: $: expected nothing after the end" },
    { "{\"i\":1,}", NULL, "not JSON: $: expected a field's name" },
    { "{,}", NULL, "not JSON: $: expected a field's name" },
    { "{\"i\" 1}", NULL, "not JSON: $: expected a colon" },
    { "{\"i\":}", NULL, "expected" },
    { "{\"i\":1 2}", NULL, "expected a comma" },
    { "{\"i\":01}", NULL, "not JSON: " },
    { "{\"i\":1.}", NULL, "not JSON: " },
    { "{\"i\":-}", NULL, "not JSON: " },
    { "{\"i\":1e}", NULL, "not JSON: " },
    { "{\"i\":1x}", NULL, "not JSON: " },
    { "{\"i\":+1}", NULL, "not JSON: " },
    { "{\"s\":tru}", NULL, "not JSON: " },
    { "{\"s\":nulll}", NULL, "not JSON: " },
    { "{\"other\":truex}", NULL, "not JSON: $.other: expected a value" },
    { "{\"other\":[1 2]}", NULL, "not JSON: $.other: expected a comma or ]" },
    { "{\"other\":[1,]}", NULL, "not JSON: $.other[1]: expected a value" },
    { "{\"other\":\"\\x\"}", NULL, "not JSON: $" },
    { "{\"s\":\"\\ud83d\"}", NULL, "not JSON: $" },
    { "{\"s\":\"\\u12g4\"}", NULL, "not JSON: $" },
    { "{\"s\":\"\xff\"}", NULL, "not JSON: it is not UTF-8" },
    { "{\"s\":\"a\nb\"}", NULL, "control character" },
    { "{\"s\":\"abc}", NULL, "not closed" },
    { "{\"s\":\"abc\"\"def\"}", NULL, "a comma or }" },
    { "{'s':1}", NULL, "not JSON: $: expected a field's name" },
    { "{s:1}", NULL, "not JSON: $: expected a field's name" },
    { "{\"s\":1]", NULL, "a comma or }" },
};

static const struct data_type *test_row(struct mr_arena *arena)
{
    struct data_field inner[] = { { MR_STR("x"), data_type_scalar(DATA_INT, true) },
                                  { MR_STR("y"), data_type_scalar(DATA_STRING, true) } };
    struct data_field fields[] = { { MR_STR("s"), data_type_scalar(DATA_STRING, true) },
                                   { MR_STR("i"), data_type_scalar(DATA_INT, true) },
                                   { MR_STR("l"), data_type_scalar(DATA_BIGINT, true) },
                                   { MR_STR("f"), data_type_scalar(DATA_FLOAT, true) },
                                   { MR_STR("d"), data_type_scalar(DATA_DOUBLE, true) },
                                   { MR_STR("b"), data_type_scalar(DATA_BOOLEAN, true) },
                                   { MR_STR("r"), data_type_row(arena, inner, 2, true) },
                                   { MR_STR("t"), data_type_array(arena, data_type_scalar(DATA_INT, true), true) } };
    return data_type_row(arena, fields, MR_COUNT(fields), false);
}

/* Each case between two good rows; with all columns, then with none. */
static void test_cases(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    const struct data_type *row = test_row(arena);
    const bool none[8] = { false };
    struct data_json_decoder *all = data_json_decoder_new(row, NULL), *no = data_json_decoder_new(row, none);
    struct data_batch *b = data_batch_new(row), *nb = data_batch_new(row);
    struct mr_writer w = { 0 }, expect = { 0 };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct page_end p = page_end_of(cases[i].in, strlen(cases[i].in));
        struct page_end good = page_end_of(PERSON, strlen(PERSON));
        struct mr_err err = MR_ERR_INIT, no_err = MR_ERR_INIT;
        enum mr_status status;

        assert_int_equal(data_json_decode(all, b, good.bytes, 0, &err), MR_OK);
        status = data_json_decode(all, b, p.bytes, 0, &err);
        assert_int_equal(data_json_decode(all, b, good.bytes, 0, NULL), MR_OK);
        expect.size = 0;
        mr_write_text(&expect, "%s\n%s%s%s\n", PERSON, cases[i].out != NULL ? cases[i].out : "",
                      cases[i].out != NULL ? "\n" : "", PERSON);
        if ((status == MR_OK) != (cases[i].out != NULL) || strcmp(batch_text(b, &w), writer_text(&expect)) != 0)
            fail_msg("%s: %s %s\n%s", cases[i].in, mr_status_text(status), err.text, batch_text(b, &w));
        if (cases[i].why != NULL && strstr(err.text, cases[i].why) == NULL)
            fail_msg("%s: says: %s", cases[i].in, err.text);
        if (data_json_decode(no, nb, p.bytes, 0, &no_err) != status || strcmp(err.text, no_err.text) != 0)
            fail_msg("%s: the columns asked for change the answer: %s | %s", cases[i].in, err.text, no_err.text);
        data_batch_reset(b);
        page_end_free(&p);
        page_end_free(&good);
    }
    mr_writer_deinit(&w);
    mr_writer_deinit(&expect);
    data_batch_unref(b);
    data_batch_unref(nb);
    data_json_decoder_free(all);
    data_json_decoder_free(no);
    mr_arena_free(arena);
}

/* No prefix of a record is a record, and no change of one byte does worse than fail cleanly. */
static void test_cut_and_changed(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    const struct data_type *row = test_row(arena);
    struct data_json_decoder *d = data_json_decoder_new(row, NULL);
    struct data_batch *b = data_batch_new(row);
    static const char text[] =
        "{\"s\":\"a\\u00e9\",\"i\":-12,\"f\":1.5e2,\"b\":true,\"r\":{\"x\":null,\"q\":[{}]},\"t\":[1,2]}";
    uint32_t seed = 7;

    MR_UNUSED(state);
    for (size_t cut = 0; cut < strlen(text); cut++) {
        struct page_end p = page_end_of(text, cut);
        assert_int_equal(data_json_decode(d, b, p.bytes, 0, NULL), MR_INVALID);
        assert_int_equal(b->row_count, 0);
        page_end_free(&p);
    }
    for (int i = 0; i < 20000; i++) {
        struct page_end p = page_end_of(text, strlen(text));
        for (int n = 0; n < 1 + i % 3; n++) {
            seed = seed * 1664525u + 1013904223u;
            p.map[p.bytes.data - (uint8_t *)p.map + (seed >> 8) % strlen(text)] =
                "{}[]\",:0e-.\\u\xff tn"[(seed >> 24) % 17];
        }
        (void)!data_json_decode(d, b, p.bytes, 0, NULL);
        for (uint32_t c = 0; c < b->column_count; c++)
            assert_int_equal(b->columns[c]->length, b->row_count);
        page_end_free(&p);
    }
    data_batch_unref(b);
    data_json_decoder_free(d);
    mr_arena_free(arena);
}

static void test_limits(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    struct data_field fields[] = { { MR_STR("n"), data_type_scalar(DATA_INT, false) } };
    const struct data_type *row = data_type_row(arena, fields, 1, false);
    struct data_json_decoder *d = data_json_decoder_new(row, NULL);
    struct data_batch *b = data_batch_new(row);
    struct mr_writer w = { 0 };
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    assert_int_equal(data_json_decode(d, b, mr_bytes_of_str(MR_STR("{}")), 0, &err), MR_INVALID);
    assert_non_null(strstr(err.text, "\"n\" is absent"));
    assert_int_equal(data_json_decode(d, b, mr_bytes_of_str(MR_STR("{\"n\":null}")), 0, &err), MR_INVALID);
    assert_int_equal(data_json_decode(d, b, MR_BYTES_NULL, 0, &err), MR_INVALID);
    for (int depth = 100; depth < 1000000; depth *= 10) {
        w.size = 0;
        mr_write_str(&w, MR_STR("{\"n\":1,\"x\":"));
        for (int i = 0; i < depth; i++)
            mr_write_u8(&w, '[');
        for (int i = 0; i < depth; i++)
            mr_write_u8(&w, ']');
        mr_write_u8(&w, '}');
        assert_int_equal(data_json_decode(d, b, mr_writer_bytes(&w), 0, &err), depth < 512 ? MR_OK : MR_LIMIT);
    }
    assert_int_equal(b->row_count, 1);
    mr_writer_deinit(&w);
    data_batch_unref(b);
    data_json_decoder_free(d);
    mr_arena_free(arena);
}

/* Doubles read back as what strtod reads, shortest form and back is the same number. */
static void test_numbers(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    enum data_kind kinds[] = { DATA_DOUBLE, DATA_FLOAT, DATA_STRING, DATA_KIND_N };
    const struct data_type *row = row_of(arena, kinds);
    struct data_json_decoder *d = data_json_decoder_new(row, NULL);
    struct data_batch *b = data_batch_new(row), *back = data_batch_new(row);
    struct mr_writer w = { 0 };
    uint64_t seed = 1;

    MR_UNUSED(state);
    for (int i = 0; i < 20000; i++) {
        double v;
        char text[64];
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        memcpy(&v, &seed, 8);
        if (i % 2 == 0)
            v = (double)(int64_t)(seed >> 20) / 10000;
        if (!(v > -1e300 && v < 1e300))
            continue;
        snprintf(text, sizeof(text), i % 3 ? "%.17g" : "%.6f", v);
        if (strlen(text) > 40)
            continue;
        w.size = 0;
        mr_write_text(&w, "{\"a\":%s,\"b\":%.8g,\"c\":%s}", text, v > 1e38 || v < -1e38 ? 1.0 : v, text);
        assert_int_equal(data_json_decode(d, b, mr_writer_bytes(&w), 0, NULL), MR_OK);
        assert_true(data_f64(b->columns[0], b->row_count - 1) == strtod(text, NULL));
    }
    for (uint32_t i = 0; i < b->row_count; i++) {
        struct data_json_encoder *e = data_json_encoder_new(row);
        w.size = 0;
        data_json_encode(e, b, i, &w);
        data_json_encoder_free(e);
        assert_int_equal(data_json_decode(d, back, mr_writer_bytes(&w), 0, NULL), MR_OK);
        assert_true(data_f64(back->columns[0], i) == data_f64(b->columns[0], i));
        assert_true(data_f32(back->columns[1], i) == data_f32(b->columns[1], i));
    }
    mr_writer_deinit(&w);
    data_batch_unref(b);
    data_batch_unref(back);
    data_json_decoder_free(d);
    mr_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_cut_and_changed),
                                        cmocka_unit_test(test_limits), cmocka_unit_test(test_numbers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
