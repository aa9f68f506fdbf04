/* test_record_text.c -- records as format strings and as JSON, both ways; where --from begins. */
#include "main/consume_range.h"
#include "main/record_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define BYTES(literal)                                                                                                 \
    {                                                                                                                  \
        (const uint8_t *)(literal), sizeof(literal) - 1                                                                \
    }

static const struct record_header headers[] = {
    { { "origin", 6 }, BYTES("cli") },
    { { "none", 4 }, { NULL, 0 } },
    { { "raw", 3 }, BYTES("\xff\x00") },
};

static const struct record whole = {
    .topic = "people",
    .partition = 2,
    .offset = 41,
    .timestamp_ms = 1700000000123,
    .key = BYTES("ada"),
    .value = BYTES("a\0b"),
    .header_count = 2,
    .headers = headers,
};

static const struct record empty = { .topic = "t", .partition = 0, .offset = 0, .timestamp_ms = -1 };

static void test_formats(void **state)
{
    static const struct {
        const char *format;
        const struct record *record;
        const char *expect;
        size_t size;
    } cases[] = {
        { "%t %p %o %T %k\\n", &whole, "people 2 41 1700000000123 ada\n", 30 },
        { "%s|%S|%K", &whole, "a\0b|3|3", 7 },
        { "[%h] 100%%", &whole, "[origin=cli,none=NIL] 100%", 26 },
        { "%k:%s:%S:%K:%h", &empty, "NIL:NIL:-1:-1:", 14 },
        { "\\t\\x41\\\\\\q\\0", &empty, "\tA\\\\q\0", 6 },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_writer out = { 0 };

        assert_int_equal(record_format_check(cases[i].format, NULL), MR_OK);
        record_format(&out, cases[i].format, cases[i].record, "NIL");
        assert_int_equal(out.size, cases[i].size);
        assert_memory_equal(out.data, cases[i].expect, out.size);
        mr_writer_deinit(&out);
    }
}

static void test_wrong_formats(void **state)
{
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    assert_int_equal(record_format_check("%s %q", &err), MR_INVALID);
    assert_non_null(strstr(err.text, "%q"));
    assert_int_equal(record_format_check("%s %", &err), MR_INVALID);
    assert_non_null(strstr(err.text, "%% prints one"));
    assert_int_equal(record_format_check("%%%", &err), MR_INVALID);
}

static void assert_bytes(struct mr_bytes got, struct mr_bytes expect)
{
    assert_int_equal(got.data == NULL, expect.data == NULL);
    assert_int_equal(got.size, expect.size);
    if (got.size > 0)
        assert_memory_equal(got.data, expect.data, got.size);
}

/* What record_json writes, record_read_json reads back. */
static void test_json_there_and_back(void **state)
{
    static const struct record cases[] = {
        { .topic = "t",
          .timestamp_ms = 5,
          .key = BYTES("k"),
          .value = BYTES("v"),
          .header_count = 3,
          .headers = headers },
        { .topic = "t", .timestamp_ms = -1, .value = BYTES("") },
        { .topic = "t", .timestamp_ms = 0, .key = BYTES("\xff"), .value = BYTES("\x80\x81\x82\x83") },
        { .topic = "t", .timestamp_ms = 0, .key = BYTES("\xff\xfe"), .value = BYTES("\xff\xfe\xfd") },
        { .topic = "t", .timestamp_ms = 0, .value = BYTES("ä\n\"\0x") },
        { .topic = "t", .timestamp_ms = 0, .key = BYTES("a tombstone") },
    };
    struct mr_arena *arena = mr_arena_new();

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        json_t *json = record_json(&cases[i]);
        char *line = json_dumps(json, JSON_COMPACT);
        struct record back;

        assert_int_equal(record_read_json(&back, mr_str_of(line), arena, NULL), MR_OK);
        assert_bytes(back.key, cases[i].key);
        assert_bytes(back.value, cases[i].value);
        assert_int_equal(back.timestamp_ms, cases[i].timestamp_ms);
        assert_int_equal(back.header_count, cases[i].header_count);
        for (uint32_t h = 0; h < back.header_count; h++) {
            assert_true(mr_str_equal(back.headers[h].name, cases[i].headers[h].name));
            assert_bytes(back.headers[h].value, cases[i].headers[h].value);
        }
        json_decref(json);
        free(line);
    }
    mr_arena_free(arena);
}

static void test_json_of_others(void **state)
{
    static const struct {
        const char *line;
        enum mr_status expect;
        const char *value;
    } cases[] = {
        { "{\"value\": \"x\"}", MR_OK, "x" },
        { "{\"value\": {\"a\": [1, null]}}", MR_OK, "{\"a\":[1,null]}" },
        { "{\"value\": 12}", MR_OK, "12" },
        { "{\"value_base64\": \"YWI=\"}", MR_OK, "ab" },
        { "{\"value_base64\": \"!!\"}", MR_INVALID, NULL },
        { "{\"key\": \"x\"}", MR_INVALID, NULL },
        { "{\"value\": \"x\", \"headers\": {}}", MR_INVALID, NULL },
        { "{\"value\": \"x\", \"headers\": [{\"value\": \"x\"}]}", MR_INVALID, NULL },
        { "[\"value\"]", MR_INVALID, NULL },
        { "not json", MR_INVALID, NULL },
        { "", MR_INVALID, NULL },
    };
    struct mr_arena *arena = mr_arena_new();

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_err err = MR_ERR_INIT;
        struct record back;

        assert_int_equal(record_read_json(&back, mr_str_of(cases[i].line), arena, &err), cases[i].expect);
        if (cases[i].value != NULL)
            assert_bytes(back.value, mr_bytes_of_str(mr_str_of(cases[i].value)));
        else
            assert_true(err.text[0] != '\0');
    }
    mr_arena_free(arena);
}

static void test_from(void **state)
{
    static const struct {
        const char *text;
        enum mr_status status;
        enum consume_from from;
        int64_t number;
    } cases[] = {
        { "beginning", MR_OK, CONSUME_BEGINNING, 0 },
        { "latest", MR_OK, CONSUME_END, 0 },
        { "0", MR_OK, CONSUME_OFFSET, 0 },
        { "17", MR_OK, CONSUME_OFFSET, 17 },
        { "-17", MR_OK, CONSUME_LAST, 17 },
        { "@1700000000000", MR_OK, CONSUME_TIME, 1700000000000 },
        { "@2023-11-14 22:13:20", MR_OK, CONSUME_TIME, 1700000000000 },
        { "@2023-11-14T23:13:20+01:00", MR_OK, CONSUME_TIME, 1700000000000 },
        { "@-5", MR_INVALID, 0, 0 },
        { "@soon", MR_INVALID, 0, 0 },
        { "start", MR_INVALID, 0, 0 },
        { "", MR_INVALID, 0, 0 },
        { "-9223372036854775808", MR_INVALID, 0, 0 },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct consume_start start;
        struct mr_err err = MR_ERR_INIT;

        assert_int_equal(consume_start_parse(&start, cases[i].text, &err), cases[i].status);
        if (cases[i].status == MR_OK) {
            assert_int_equal(start.from, cases[i].from);
            assert_int_equal(start.number, cases[i].number);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_wrong_formats),
        cmocka_unit_test(test_json_there_and_back),
        cmocka_unit_test(test_json_of_others),
        cmocka_unit_test(test_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
