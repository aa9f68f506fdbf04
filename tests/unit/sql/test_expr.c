/* test_expr.c -- what expressions give: logic with NULL, casts, arithmetic, functions, and rows that fail alone. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct expr_case {
    const char *text;
    const char *expect;
};

static void check(const struct expr_case *cases, size_t count, const char *prefix)
{
    int wrong = 0;

    for (size_t i = 0; i < count; i++) {
        char sql[2048];
        char *got;
        snprintf(sql, sizeof(sql), "%s%s", prefix, cases[i].text);
        got = support_eval(sql);
        if (strcmp(got, cases[i].expect) != 0) {
            print_error("%s\n  expected: %s\n  got:      %s\n", sql, cases[i].expect, got);
            wrong++;
        }
        mr_free(got);
    }
    assert_int_equal(wrong, 0);
}

static void test_values(void **state)
{
    static const struct expr_case cases[] = {
        { "1", "1" },
        { "-1", "-1" },
        { "+5", "5" },
        { "2147483648", "2147483648" },
        { "-2147483648 - 1", "2147483647" },
        { "-9223372036854775808", "-9223372036854775808" },
        { "9223372036854775808", "1:8: the number 9223372036854775808 is too large for BIGINT" },
        { "1.5", "1.5" },
        { "-.5", "-0.5" },
        { "1.5e3", "1500.0" },
        { "'it''s'", "it's" },
        { "''", "" },
        { "NULL", "NULL" },
        { "TRUE, FALSE, UNKNOWN", "TRUE|FALSE|NULL" },
        { "1 AS `a b`, 2 b", "1|2" },
        { "ARRAY[1, 2, 3][2]", "2" },
        { "ARRAY[1, 2, 3][4]", "NULL" },
        { "ARRAY[1, 2, 3][0]", "1:23: an ARRAY's first element has the index 1, not 0" },
        { "CARDINALITY(ARRAY[1, 2, 3])", "3" },
        { "1 -- one\n, /* two */ 2", "1|2" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases), "SELECT ");
}

static void test_arithmetic(void **state)
{
    static const struct expr_case cases[] = {
        { "1 + 2 * 3", "7" },
        { "(1 + 2) * 3", "9" },
        { "10 - 4 - 3", "3" },
        { "7 / 2", "3" },
        { "-7 / 2", "-3" },
        { "-7 % 3", "-1" },
        { "MOD(7, -3)", "1" },
        { "7 / 2.0", "3.500000" },
        { "7.0 / 0", "!0: EXPR$0: division by zero (/)" },
        { "7e0 / 0", "Infinity" },
        { "1 / 0", "!0: EXPR$0: division by zero (/)" },
        { "1 % 0", "!0: EXPR$0: division by zero (%)" },
        { "1 / NULL", "NULL" },
        { "NULL / 0", "NULL" },
        { "2147483647 + 1", "-2147483648" },
        { "2147483647 * 2", "-2" },
        { "2147483648 + 1", "2147483649" },
        { "9223372036854775807 + 1", "-9223372036854775808" },
        { "-2147483648 / -1", "-2147483648" },
        { "-9223372036854775808 / -1", "-9223372036854775808" },
        { "-9223372036854775808 % -1", "0" },
        { "- (-2147483648)", "-2147483648" },
        { "CAST(1 AS FLOAT) / 3", "0.33333334" },
        { "CAST(0.1 AS FLOAT) + CAST(0.2 AS DOUBLE)", "0.30000000149011613" },
        { "1 + NULL", "NULL" },
        { "1 + '2'", "1:12: + wants numbers, this is STRING; CAST it (|| joins texts)" },
        { "TRUE + 1", "1:8: + wants numbers, this is BOOLEAN; CAST it" },
        { "-'a'", "1:9: - wants a number, this is STRING; CAST it" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases), "SELECT ");
}

static void test_logic(void **state)
{
    static const struct expr_case cases[] = {
        { "TRUE AND NULL, FALSE AND NULL, NULL AND NULL", "NULL|FALSE|NULL" },
        { "NULL AND TRUE, NULL AND FALSE", "NULL|FALSE" },
        { "TRUE OR NULL, FALSE OR NULL, NULL OR TRUE, NULL OR FALSE", "TRUE|NULL|TRUE|NULL" },
        { "NOT TRUE, NOT FALSE, NOT NULL", "FALSE|TRUE|NULL" },
        { "NULL = NULL, NULL <> 1, 1 = 1, 1 <> 1", "NULL|NULL|TRUE|FALSE" },
        { "NULL IS NULL, 1 IS NULL, NULL IS NOT NULL", "TRUE|FALSE|FALSE" },
        { "TRUE IS TRUE, NULL IS TRUE, NULL IS NOT TRUE, NULL IS UNKNOWN, FALSE IS FALSE",
          "TRUE|FALSE|TRUE|TRUE|TRUE" },
        { "1 IS DISTINCT FROM NULL, NULL IS NOT DISTINCT FROM NULL, 1 IS DISTINCT FROM 1", "TRUE|TRUE|FALSE" },
        { "1 < 2, 2 <= 2, 3 > 4, 4 >= 4, 1 != 2", "TRUE|TRUE|FALSE|TRUE|TRUE" },
        { "'a' < 'b', 'a' < 'B', 'é' > 'z', '' < 'a'", "TRUE|FALSE|TRUE|TRUE" },
        { "1 = 1.0, 1 < 2147483648, FALSE < TRUE", "TRUE|TRUE|TRUE" },
        { "CAST('NaN' AS STRING) = 'NaN'", "TRUE" },
        { "2 BETWEEN 1 AND 3, 2 NOT BETWEEN 1 AND 3, 2 BETWEEN 3 AND NULL, 2 BETWEEN NULL AND 3",
          "TRUE|FALSE|FALSE|NULL" },
        { "1 IN (1, 2), 3 IN (1, 2), 3 IN (1, NULL), 1 IN (1, NULL), NULL IN (1)", "TRUE|FALSE|NULL|TRUE|NULL" },
        { "3 NOT IN (1, 2), 3 NOT IN (1, NULL), 1 NOT IN (1, NULL)", "TRUE|NULL|FALSE" },
        { "'abc' LIKE 'a%', 'abc' LIKE 'a_', 'aéc' LIKE 'a_c', 'abc' NOT LIKE '%b%'", "TRUE|FALSE|TRUE|FALSE" },
        { "'a%c' LIKE 'a!%c' ESCAPE '!', 'abc' LIKE 'a!%c' ESCAPE '!', '' LIKE '%', '' LIKE '_'",
          "TRUE|FALSE|TRUE|FALSE" },
        { "'aaab' LIKE '%a%b', 'abcabd' LIKE '%ab_', NULL LIKE 'a'", "TRUE|TRUE|NULL" },
        { "NOT 1 = 2 AND 3 = 3", "TRUE" },
        { "TRUE OR TRUE AND FALSE", "TRUE" },
        { "'1' = 1", "1:14: =: STRING and INT are not one type; CAST one of them" },
        { "1 AND TRUE", "1:8: AND wants a condition (BOOLEAN), this is INT NOT NULL" },
        { "ROW(1) = ROW(1)", "1:8: = between two ROWs is not there in this version" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases), "SELECT ");
}

static void test_casts(void **state)
{
    static const struct expr_case cases[] = {
        { "CAST('12' AS INT), CAST(' 12 ' AS BIGINT), CAST('1.5' AS DOUBLE)", "12|12|1.5" },
        { "CAST(1.9 AS INT), CAST(-1.9 AS INT), CAST(300 AS STRING)", "1|-1|300" },
        { "CAST(TRUE AS STRING), CAST('true' AS BOOLEAN), CAST(NULL AS INT)", "TRUE|TRUE|NULL" },
        { "TRY_CAST('SW1A 1AA' AS INT), TRY_CAST('7' AS INT)", "NULL|7" },
        { "CAST(0.1 AS FLOAT), CAST(1 AS DOUBLE), CAST(1 AS VARCHAR(10)), CAST(1 AS CHAR)", "0.1|1.0|1|1" },
        { "CAST(ROW(1, 'a') AS ROW<x INT, y STRING>).y", "a" },
        { "CAST(1 AS ARRAY<INT>)", "1:8: there is no CAST from INT NOT NULL to ARRAY<INT>" },
        { "CAST(1 AS DECIMAL(10, 2))", "1.00" },
        { "CAST(1 AS DECIMAL(39, 2))", "1:18: DECIMAL(p, s) has 1 to 38 digits, s of them after the point" },
        { "CAST(1 AS STRNG)", "1:18: no type \"STRNG\"; did you mean STRING?" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases), "SELECT ");
}

static void test_choices(void **state)
{
    static const struct expr_case cases[] = {
        { "CASE WHEN 1 = 2 THEN 'a' WHEN TRUE THEN 'b' ELSE 'c' END", "b" },
        { "CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b" },
        { "CASE 3 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "NULL" },
        { "CASE WHEN NULL THEN 1 ELSE 2 END", "2" },
        { "CASE WHEN TRUE THEN 1 ELSE 2.5 END", "1.0" },
        { "CASE WHEN TRUE THEN 1 ELSE 1 / 0 END", "1" },
        { "CASE WHEN FALSE THEN CAST('x' AS INT) ELSE 5 END", "5" },
        { "CASE WHEN TRUE THEN NULL ELSE 'x' END", "NULL" },
        { "COALESCE(NULL, 2, 1 / 0), COALESCE(NULL, NULL, 'x')", "2|x" },
        { "NULLIF(1, 1), NULLIF(1, 2), IFNULL(NULL, 3)", "NULL|1|3" },
        { "IF(1 < 2, 'yes', 'no'), IF(NULL, 1, 2), IF(TRUE, 1, 1 / 0)", "yes|2|1" },
        { "FALSE AND 1 / 0 = 1, TRUE OR CAST('x' AS INT) = 1", "FALSE|TRUE" },
        { "1 IN (1, 1 / 0)", "TRUE" },
        { "CASE WHEN TRUE THEN 1 ELSE 'a' END", "1:35: CASE: INT and STRING are not one type; CAST one of them" },
        { "CASE WHEN 1 THEN 2 END", "1:18: WHEN wants a condition (BOOLEAN), this is INT NOT NULL" },
        { "CASE WHEN TRUE THEN NULL END", "1:8: every value of this CASE is NULL; CAST one to a type" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases), "SELECT ");
}

static void test_functions(void **state)
{
    static const struct expr_case cases[] = {
        { "CONCAT('a', 'b', 'c'), CONCAT('a', NULL), CONCAT('n', 1, TRUE, 1.5)", "abc|NULL|n1TRUE1.5" },
        { "'a' || 'b' || NULL, 'a' || 1", "NULL|a1" },
        { "CONCAT_WS('-', 'a', NULL, 'b'), CONCAT_WS(NULL, 'a')", "a-b|NULL" },
        { "UPPER('straße é z'), LOWER('ÀÉ Z'), upper('a')", "STRASSE É Z|àé z|A" },
        { "TRIM('  a '), LTRIM('  a '), RTRIM('  a '), TRIM(BOTH 'x' FROM 'xxaxx')", "a|a |  a|a" },
        { "TRIM(LEADING 'x' FROM 'xxaxx'), TRIM(TRAILING 'x' FROM 'xxaxx'), TRIM('xy' FROM 'xyayx')", "axx|xxa|a" },
        { "CHAR_LENGTH('aé漢'), CHARACTER_LENGTH(''), CHAR_LENGTH(NULL)", "3|0|NULL" },
        { "SUBSTRING('hello', 2, 3), SUBSTRING('hello' FROM 2 FOR 3), SUBSTRING('hello' FROM 4)", "ell|ell|lo" },
        { "SUBSTRING('hello', -3), SUBSTRING('hello', 0, 2), SUBSTR('hello', -9, 2), SUBSTR('hé', 2, 1)", "llo|he||é" },
        { "SUBSTRING('hello', 9), SUBSTRING('hello', 2, -1)", "|NULL" },
        { "LEFT('hello', 2), RIGHT('hello', 2), LEFT('a', 5), RIGHT('a', -1)", "he|lo|a|" },
        { "REPLACE('a.b.c', '.', '--'), REPLACE('abc', '', '-'), REPLACE('abc', 'x', NULL)", "a--b--c|-a-b-c-|NULL" },
        { "ABS(-5), ABS(-1.5), ABS(-2147483648), ABS(NULL)", "5|1.5|-2147483648|NULL" },
        { "ROUND(2.5), ROUND(-2.5), ROUND(2.675, 2), ROUND(1234, -2), ROUND(1250, -2)", "3|-3|2.68|1200|1300" },
        { "FLOOR(1.5), CEIL(1.5), FLOOR(-1.5), CEILING(3)", "1|2|-2|3" },
        { "SQRT(9), POWER(2, 10)", "3.0|1024.0" },
        { "CONCATT('a')", "1:8: no function \"CONCATT\"; did you mean \"CONCAT\"?" },
        { "SUM(1)", "1:8: the function SUM is not there in this version" },
        { "COUNT(*)", "1:8: COUNT(*): aggregates are not there in this version" },
        { "UPPER()", "1:8: UPPER(text): 0 arguments are given" },
        { "UPPER(1)", "1:14: UPPER(text) wants STRING here, this is INT; CAST it" },
        { "CONCAT(ROW(1))", "1:15: CONCAT(value, …) wants a scalar value here, this is ROW; CAST it" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases), "SELECT ");
}

static void test_rows(void **state)
{
    static const struct expr_case cases[] = {
        { "SELECT a / b FROM (VALUES (4, 2), (1, 0), (9, 3), (NULL, 0)) AS t(a, b)",
          "2\n3\nNULL\n!1: EXPR$0: division by zero (/)" },
        { "SELECT a FROM (VALUES (1), (2), (NULL), (3)) AS t(a) WHERE a > 1", "2\n3" },
        { "SELECT a FROM (VALUES ('1'), ('x'), ('3')) AS t(a) WHERE CAST(a AS INT) > 2",
          "3\n!1: WHERE: CAST: the STRING 'x' can't be cast to INT" },
        { "SELECT CASE WHEN b <> 0 THEN a / b ELSE -1 END FROM (VALUES (4, 2), (1, 0)) AS t(a, b)", "2\n-1" },
        { "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t(x, y)", "1|a\n2|NULL" },
        { "SELECT t.*, x + 1 FROM (VALUES (1), (2)) t(x)", "1|2\n2|3" },
        { "VALUES (1, 'a'), (2.5, NULL)", "1.0|a\n2.5|NULL" },
        { "INSERT INTO sink SELECT a, CONCAT('n', b) FROM (VALUES (1, 'x'), (NULL, 'y')) AS t(a, b)",
          "1|nx\n!1: id: the value is NULL and the column of sink is NOT NULL" },
        { "INSERT INTO sink (name, id) VALUES ('a', 1)", "1|a" },
        { "INSERT INTO sink (id) VALUES (1)", "1|NULL" },
        { "INSERT INTO numbers VALUES (1, 2, 3.5, 4, 'x', TRUE, 5)", "1|2|3.5|4.0|x|TRUE|5" },
        { "SELECT 1 WHERE TRUE", "1:10: unexpected \"WHERE\"" },
        { "SELECT a FROM (VALUES (1, 2), (3)) AS t(a, b)", "1:31: this row has 1 values, the first one has 2" },
        { "SELECT a FROM (VALUES (1, 2)) AS t(a)", "1:36: 1 names for 2 columns" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases), "");
}

/* The columns that the input shares with the output are the same memory. */
static void test_zero_copy(void **state)
{
    struct sql_session *session = sql_session_new(support_connectors);
    struct sql_script *tables = NULL, *script = NULL;
    struct mr_err err = MR_ERR_INIT;
    const struct sql_query *query;
    struct sql_projection *projection;
    struct sql_projected out = { 0 };
    struct data_batch *in;

    MR_UNUSED(state);
    assert_int_equal(sql_script_bind(&tables, session, mr_str_of(support_tables), &err), MR_OK);
    assert_int_equal(sql_script_bind(&script, session, MR_STR("SELECT name, home.city, age + 1 FROM people"), &err),
                     MR_OK);
    query = sql_script_query(script, 0);
    assert_true(query->sources[0].wanted[0] && query->sources[0].wanted[1] && query->sources[0].wanted[6]);
    assert_false(query->sources[0].wanted[2] || query->sources[0].wanted[7]);
    in = data_batch_new(query->sources[0].row);
    for (uint32_t c = 0; c < in->column_count; c++)
        data_append_nulls(in->columns[c], 3);
    in->row_count = 3;
    projection = sql_projection_new(&query->outputs[0]);
    assert_int_equal(sql_projection_run(projection, in, NULL, &out, &err), MR_OK);
    assert_ptr_equal(out.batch->columns[0], in->columns[0]);
    assert_ptr_equal(out.batch->columns[1], in->columns[6]->children[0]);
    data_batch_unref(out.batch);
    assert_int_equal(sql_projection_run(projection, in, (const uint8_t[]){ 5 }, &out, &err), MR_OK);
    assert_int_equal(out.batch->row_count, 1);
    assert_int_equal(out.rows[0], 1);
    data_batch_unref(out.batch);
    data_batch_unref(in);
    sql_projection_free(projection);
    sql_script_free(script);
    sql_script_free(tables);
    sql_session_free(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_logic),
        cmocka_unit_test(test_casts),  cmocka_unit_test(test_choices),    cmocka_unit_test(test_functions),
        cmocka_unit_test(test_rows),   cmocka_unit_test(test_zero_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
