/* test_cql_text.c -- a file cut into statements; values as JSON. */
#include "main/cql_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void test_statements(void **state)
{
    static const struct {
        const char *text;
        const char *expect; /* the statements, each followed by | */
    } cases[] = {
        { "", "" },
        { " ;; -- nothing\n ; /* nor; here */", "" },
        { "SELECT 1; SELECT 2", "SELECT 1|SELECT 2|" },
        { "-- a; b\nSELECT 1 -- c; d\n; // e\nUSE x;", "SELECT 1 -- c; d|USE x|" },
        { "INSERT 'a;''b;'; x \"q;\"", "INSERT 'a;''b;'|x \"q;\"|" },
        { "CREATE FUNCTION f AS $$ a; b; $$; x", "CREATE FUNCTION f AS $$ a; b; $$|x|" },
        { "begin unlogged batch INSERT 1; INSERT 'apply batch'; Apply Batch; x",
          "begin unlogged batch INSERT 1; INSERT 'apply batch'; Apply Batch|x|" },
        { "BEGIN BATCH a; b", "BEGIN BATCH a; b|" },
        { "SELECT apply, begin FROM t; x", "SELECT apply, begin FROM t|x|" },
        { "'never ended; x", "'never ended; x|" },
        { "SELECT 1 /* never ended; x", "SELECT 1 /* never ended; x|" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_str rest = mr_str_of(cases[i].text), statement;
        struct mr_writer all = { 0 };

        while (cql_statement_next(&rest, &statement)) {
            mr_write_str(&all, statement);
            mr_write_u8(&all, '|');
        }
        mr_write_u8(&all, 0);
        assert_string_equal((const char *)all.data, cases[i].expect);
        mr_writer_deinit(&all);
    }
}

/* V of TYPE as JSON text; freed with free(). */
static char *json_of(const struct cql_type *type, const void *data, int32_t size)
{
    json_t *json = cql_value_json(type, (struct cql_value){ data, size });
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

    json_decref(json);
    return text;
}

static void test_values(void **state)
{
    static const struct {
        uint16_t code;
        int32_t size;
        const char *bytes;
        const char *expect;
    } cases[] = {
        { CQL_INT, 4, "\xff\xff\xff\xfe", "-2" },
        { CQL_BIGINT, 8, "\0\0\0\1\0\0\0\0", "4294967296" },
        { CQL_SMALLINT, 2, "\xff\xff", "-1" },
        { CQL_TINYINT, 1, "\x80", "-128" },
        { CQL_BOOLEAN, 1, "\1", "true" },
        { CQL_DOUBLE, 8, "\x3f\xf8\0\0\0\0\0\0", "1.5" },
        { CQL_FLOAT, 4, "\x3d\xcc\xcc\xcd", "0.1" },
        { CQL_DOUBLE, 8, "\x7f\xf0\0\0\0\0\0\0", "\"Infinity\"" },
        { CQL_VARCHAR, 3, "a\"b", "\"a\\\"b\"" },
        { CQL_VARCHAR, 0, "", "\"\"" },
        { CQL_BLOB, 2, "\x0a\xff", "\"0x0aff\"" },
        { CQL_INT, CQL_NULL, NULL, "null" },
        { CQL_INT, 3, "\1\2\3", "\"0x010203\"" }, /* of no int's size */
        { CQL_VARCHAR, 1, "\xff", "\"0xff\"" },
        { CQL_INT, 0, "", "\"0x\"" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        char *text = json_of(cql_type_native(cases[i].code), cases[i].bytes, cases[i].size);

        assert_string_equal(text, cases[i].expect);
        free(text);
    }
}

static void test_collections(void **state)
{
    static const char list[] = "\0\0\0\2"
                               "\0\0\0\1a"
                               "\0\0\0\2bc";
    static const char map[] = "\0\0\0\1"
                              "\0\0\0\1k"
                              "\0\0\0\1v";
    char *text = json_of(&cql_type_list_text, list, sizeof(list) - 1);

    MR_UNUSED(state);
    assert_string_equal(text, "[\"a\",\"bc\"]");
    free(text);
    text = json_of(&cql_type_map_text_text, map, sizeof(map) - 1);
    assert_string_equal(text, "{\"k\":\"v\"}");
    free(text);
    text = json_of(&cql_type_list_text, list, sizeof(list) - 2); /* cut */
    assert_non_null(strstr(text, "0x"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_collections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
