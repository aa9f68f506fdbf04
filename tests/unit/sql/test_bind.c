/* test_bind.c -- what is accepted and what is refused, with the place and the words; and that no cut text does harm. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bind_case {
    const char *text;
    const char *expect; /* "": accepted */
};

static void check(const struct bind_case *cases, size_t count)
{
    int wrong = 0;

    for (size_t i = 0; i < count; i++) {
        char *got = support_eval(cases[i].text);
        bool fine =
            cases[i].expect[0] != '\0' ? strcmp(got, cases[i].expect) == 0 : got[0] == '\0' || strcmp(got, "OK") == 0;
        if (!fine) {
            print_error("%s\n  expected: %s\n  got:      %s\n", cases[i].text, cases[i].expect, got);
            wrong++;
        }
        mr_free(got);
    }
    assert_int_equal(wrong, 0);
}

static void test_accepted(void **state)
{
    static const struct bind_case cases[] = {
        { "", "" },
        { ";;", "" },
        { "-- nothing", "" },
        { "SELECT name, home.street.number, tags[1], people.age, p.home.city FROM people p WHERE 1 = 0",
          "1:43: no column \"people\" in people" },
        { "SELECT name, home.street.number, tags[1], p.age, p.home.city FROM people AS p WHERE p.ok;", "" },
        { "INSERT INTO sink SELECT age, name FROM people", "" },
        { "INSERT INTO sink (name, id) SELECT name, id FROM people;", "" },
        { "EXECUTE STATEMENT SET BEGIN INSERT INTO sink SELECT id, name FROM people; INSERT INTO sink SELECT id, NULL "
          "FROM "
          "people; END;",
          "" },
        { "BEGIN STATEMENT SET; INSERT INTO sink SELECT id, name FROM people; END;", "" },
        { "SET 'records.on-error' = 'skip'; RESET 'records.on-error'; RESET", "OK" },
        { "SHOW TABLES", "people\nsink\nnumbers" },
        { "DROP TABLE people; SHOW TABLES", "sink\nnumbers" },
        { "DROP TABLE IF EXISTS nothing", "OK" },
        { "DESCRIBE sink", "id|BIGINT|FALSE|PRI\nname|STRING|TRUE|NULL" },
        { "CREATE TABLE IF NOT EXISTS people (a INT) WITH ('connector' = 'nothing')", "OK" },
        { "create table T (`select` int, comment string, `value` varchar(10) not null comment 'c', x row<a int, b "
          "array<row<c "
          "int>>>, k int array) comment 't' with ('connector' = 'print'); SELECT 1",
          "1" },
        { "CREATE TABLE f (a INT PRIMARY KEY NOT ENFORCED) WITH ('connector' = 'file', 'path' = 'x', 'format' = "
          "'json', "
          "'json.ignore-parse-errors' = 'false')",
          "OK" },
        { "CREATE TABLE k (a INT) WITH ('connector' = 'kafka', 'topic' = 'x', 'format' = 'json', "
          "'properties.security.protocol' = 'SSL')",
          "OK" },
        { "SELECT 1 LIMIT 0", "1" },
        { "SHOW QUERIES", "" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases));
}

static void test_syntax(void **state)
{
    static const struct bind_case cases[] = {
        { "SELCT 1", "1:1: unexpected \"SELCT\"; did you mean SELECT?" },
        { "SELECT", "1:7: the statement is not complete" },
        { "SELECT 1,", "1:10: the statement is not complete" },
        { "SELECT FROM people", "1:8: \"FROM\" is a reserved word of Flink SQL: as a name write `FROM`" },
        { "SELECT value FROM people", "1:8: \"value\" is a reserved word of Flink SQL: as a name write `value`" },
        { "SELECT 'abc", "1:8: this string has no end: \"'\" is missing" },
        { "SELECT `abc", "1:8: this name has no end: \"`\" is missing" },
        { "SELECT /* abc", "1:8: this comment has no end: \"*/\" is missing" },
        { "SELECT \"a\"", "1:8: unexpected '\"': strings stand in '…', names in `…`" },
        { "SELECT 1 ? 2", "1:10: unexpected character \"?\"" },
        { "SELECT 12abc", "1:8: \"12abc\" is neither a number nor a name" },
        { "SELECT ``", "1:8: a name can't be empty" },
        { "SELECT 'é', 'é' x y", "1:19: unexpected \"y\"" },
        { "SELECT 1;\n\n  SELECT\n 2 3", "4:4: unexpected \"3\"" },
        { "SELECT * FROM people JOIN sink ON 1 = 1", "1:22: JOIN is not there in this version" },
        { "SELECT * FROM people LEFT JOIN sink ON 1 = 1", "1:22: LEFT JOIN is not there in this version" },
        { "SELECT * FROM people, sink", "1:21: a join (a comma between tables) is not there in this version" },
        { "SELECT name FROM people GROUP BY name", "1:25: GROUP BY is not there in this version" },
        { "SELECT name FROM people WHERE ok HAVING ok", "1:34: HAVING is not there in this version" },
        { "SELECT name FROM people ORDER BY name", "1:25: ORDER BY is not there in this version" },
        { "SELECT 1 UNION ALL SELECT 2", "1:10: UNION is not there in this version" },
        { "SELECT DISTINCT name FROM people", "1:8: SELECT DISTINCT is not there in this version" },
        { "SELECT * FROM (SELECT 1)", "1:16: a subquery is not there in this version" },
        { "SELECT * FROM people WHERE id IN (SELECT 1)", "1:35: a subquery is not there in this version" },
        { "SELECT * FROM TABLE(TUMBLE(TABLE people))",
          "1:15: TABLE(…) (windows and table functions) is not there in this version" },
        { "SELECT UPPER(name) OVER (ORDER BY id) FROM people", "1:20: OVER (a window) is not there in this version" },
        { "WITH x AS (SELECT 1) SELECT * FROM x",
          "1:1: WITH (a common table expression) is not there in this version" },
        { "ALTER TABLE people ADD x INT", "1:1: ALTER is not there in this version" },
        { "CREATE VIEW v AS SELECT 1", "1:8: CREATE VIEW is not there in this version" },
        { "INSERT OVERWRITE sink SELECT 1, 2", "1:8: INSERT OVERWRITE is not there in this version" },
        { "SELECT * FROM a.b",
          "1:15: \"a.b\": catalogs and databases are not there in this version; tables have one name" },
        { "SELECT INTERVAL '1' MONTH TO DAY",
          "1:8: an INTERVAL goes from YEAR to MONTH or from DAY to SECOND, the larger unit first" },
        { "SELECT name /*+ OPTIONS('a'='b') */ FROM people", "1:13: hints (/*+ … */) are not there in this version" },
        { "SELECT * FROM people LIMIT 99999999999999999999", "1:28: LIMIT 99999999999999999999 is too large" },
        { "EXECUTE STATEMENT SET BEGIN END", "1:29: unexpected \"END\"; expected INSERT" },
        { "CREATE TABLE t (a INT) WITH ()", "1:30: unexpected \")\"; expected a string" },
        { "CREATE TABLE t (a INT, WATERMARK FOR a AS a) WITH ('connector' = 'print')",
          "1:24: WATERMARK is not there in this version: there is no event time yet" },
        { "CREATE TABLE t (a TIMESTAMP(7)) WITH ('connector' = 'print')",
          "1:19: TIMESTAMP(7) is not there in this version: timestamps are kept in microseconds, (6)" },
        { "CREATE TABLE t (a DECIMAL(5, 6)) WITH ('connector' = 'print')",
          "1:19: DECIMAL(p, s) has 1 to 38 digits, s of them after the point" },

        { "CREATE TABLE t (a INT, PRIMARY KEY (a)) WITH ('connector' = 'print')",
          "1:40: a PRIMARY KEY is not checked here, as in Flink: write PRIMARY KEY … NOT ENFORCED" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases));
}

static void test_names(void **state)
{
    static const struct bind_case cases[] = {
        { "SELECT nme FROM people", "1:8: no column \"nme\" in people; did you mean \"name\"?" },
        { "SELECT NAME FROM people", "1:8: no column \"NAME\" in people; did you mean \"name\"?" },
        { "SELECT home.ctiy FROM people", "1:8: no field \"ctiy\" in ROW<`city` STRING, `street` ROW<`number` INT, "
                                          "`name` STRING>>; did you mean \"city\"?" },
        { "SELECT name.x FROM people", "1:8: \"x\" is no field: what stands before it is STRING, not a ROW" },
        { "SELECT p.nme FROM people p", "1:8: no column \"nme\" in people; did you mean \"name\"?" },
        { "SELECT people FROM people", "1:8: \"people\" is a table, not a column; write people.column or people.*" },
        { "SELECT x.* FROM people", "1:8: no table \"x\" in this FROM; it is \"people\"" },
        { "SELECT * FROM peopel", "1:15: no table \"peopel\"; did you mean \"people\"?" },
        { "SELECT a", "1:8: no column \"a\" here: there is no FROM" },
        { "SELECT *", "1:8: * wants a FROM" },
        { "SELECT name[1] FROM people", "1:8: […] wants an ARRAY or MAP in front, this is STRING" },
        { "SELECT tags['a'] FROM people", "1:13: an ARRAY's index is an INT, this is STRING" },
        { "SELECT * FROM people WHERE name", "1:28: WHERE wants a condition (BOOLEAN), this is STRING" },
        { "SELECT * FROM sink", "1:15: table sink can't be read: connector \"cassandra\" only writes" },
        { "INSERT INTO snk SELECT 1", "1:13: no table \"snk\"; did you mean \"sink\"?" },
        { "INSERT INTO sink SELECT id FROM people", "1:18: the query has 1 column, table sink has 2" },
        { "INSERT INTO sink SELECT name, name FROM people",
          "1:25: column 1 of the query is STRING, column \"id\" of sink is BIGINT NOT NULL: CAST it (or TRY_CAST)" },
        { "INSERT INTO sink (nam) SELECT name FROM people", "1:19: no column \"nam\" in sink; did you mean \"name\"?" },
        { "INSERT INTO sink (name) SELECT name FROM people",
          "1:19: column \"id\" of sink is NOT NULL, so it must be among these" },
        { "INSERT INTO sink (name, name) SELECT name, name FROM people",
          "1:25: the column \"name\" stands here twice" },
        { "INSERT INTO sink SELECT id, name FROM people LIMIT 5",
          "1:52: LIMIT in an INSERT is not there in this version" },
        { "DROP TABLE peopl", "1:12: no table \"peopl\"; did you mean \"people\"?" },
        { "DESCRIBE peopl", "1:10: no table \"peopl\"; did you mean \"people\"?" },
        { "SET 'pipelin.name' = 'x'", "1:5: unknown setting \"pipelin.name\"; did you mean \"pipeline.name\"?" },
        { "SET 'records.on-error' = 'drop'",
          "1:26: setting \"records.on-error\" is one of dlq|fail|skip, not \"drop\"" },
        { "SET 'execution.checkpointing.interval' = 'soon'",
          "1:42: setting \"execution.checkpointing.interval\" is a duration like '10 s', '500 ms' or '2 min', not "
          "\"soon\"" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases));
}

static void test_tables(void **state)
{
#define T(columns, options) "CREATE TABLE t (" columns ") WITH (" options ")"
    static const struct bind_case cases[] = {
        { T("a INT", "'connector' = 'htp'"), "1:44: no connector \"htp\"; did you mean \"http\"?" },
        { T("a INT", "'path' = 'x'"),
          "1:14: table t: the option 'connector' is missing; there are http, kafka, cassandra, file, print" },
        { T("a INT", "'connector' = 'jdbc'"),
          "1:44: the connector \"jdbc\" is not there in this version; there are http, kafka, cassandra, file, print" },
        { T("a INT", "'connector' = 'http', 'url' = 'x', 'format' = 'json', 'scan.intervall' = '1 s'"),
          "1:84: unknown option \"scan.intervall\" of connector \"http\"; did you mean \"scan.interval\"?" },
        { T("a INT", "'connector' = 'http', 'format' = 'json'"),
          "1:14: table t: connector \"http\" needs the option 'url': The address." },
        { T("a INT", "'connector' = 'http', 'url' = 'x'"),
          "1:14: table t: connector \"http\" needs the option 'format' = 'json'" },
        { T("a INT", "'connector' = 'http', 'url' = 'x', 'format' = 'avro'"),
          "1:76: the format \"avro\" is not there in this version; there are json, csv and raw" },
        { T("a INT", "'connector' = 'print', 'format' = 'json'"), "1:53: connector \"print\" takes no 'format'" },
        { T("a INT", "'connector' = 'file', 'path' = 'x', 'format' = 'json', 'json.ignore-parse-errors' = 'true'"),
          "1:85: option \"json.ignore-parse-errors\" = \"true\" is not there: nothing is dropped silently here; what "
          "to do "
          "with a bad record says SET 'records.on-error' = 'dlq', 'fail' or 'skip'" },
        { T("a INT", "'connector' = 'print', 'connector' = 'print'"), "1:53: option \"connector\" stands here twice" },
        { T("a INT, a STRING", "'connector' = 'print'"), "1:24: the column \"a\" stands here twice" },
        { T("a ROW<b INT, b INT>", "'connector' = 'print'"), "1:30: the field \"b\" stands in this ROW twice" },
        { T("a INT, PRIMARY KEY (b) NOT ENFORCED", "'connector' = 'print'"),
          "1:37: PRIMARY KEY: no column \"b\" in t; did you mean \"a\"?" },
        { T("a INT PRIMARY KEY NOT ENFORCED, PRIMARY KEY (a) NOT ENFORCED", "'connector' = 'print'"),
          "1:49: a table has one PRIMARY KEY; name its columns in one list" },
        { "CREATE TABLE people (a INT) WITH ('connector' = 'print')", "1:14: there is a table people already" },
    };
    MR_UNUSED(state);
    check(cases, MR_COUNT(cases));
}

/* A script that fails leaves the session as it was. */
static void test_all_or_nothing(void **state)
{
    struct sql_session *session = sql_session_new(support_connectors);
    struct sql_script *script = NULL;
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    assert_int_equal(sql_script_bind(&script, session, mr_str_of(support_tables), &err), MR_OK);
    sql_script_free(script);
    assert_int_equal(sql_script_bind(&script, session,
                                     MR_STR("SET 'pipeline.name' = 'x'; DROP TABLE people; CREATE TABLE z (a INT) WITH "
                                            "('connector' = 'print'); SELECT * FROM people"),
                                     &err),
                     MR_INVALID);
    assert_int_equal(sql_script_bind(&script, session, MR_STR("INSERT INTO sink SELECT id, name FROM people"), &err),
                     MR_OK);
    assert_null(sql_script_query_name(script, 0));
    sql_script_free(script);
    assert_int_equal(sql_script_bind(&script, session, MR_STR("DESCRIBE z"), &err), MR_NOT_FOUND);
    sql_session_free(session);
}

/* The example that the documentation shows, whole. */
static void test_example(void **state)
{
    static const char text[] =
        "CREATE TABLE random_user (gender STRING, name ROW<title STRING, `first` STRING, `last` STRING>,\n"
        "  location ROW<street ROW<number INT, name STRING>, city STRING, country STRING, postcode STRING,\n"
        "    coordinates ROW<latitude STRING, longitude STRING>>, email STRING, login ROW<uuid STRING>)\n"
        "WITH ('connector' = 'http', 'url' = 'https://randomuser.me/api/?results=1', 'format' = 'json',\n"
        "  'json.records' = '/results', 'scan.interval' = '10 s', 'scan.duration' = '2 min');\n"
        "CREATE TABLE random_names (full_name STRING, gender STRING, location STRING, city STRING, country STRING,\n"
        "  postcode STRING, latitude FLOAT, longitude FLOAT, email STRING, id STRING)\n"
        "WITH ('connector' = 'kafka', 'topic' = 'random_names', 'format' = 'json',\n"
        "  'scan.startup.mode' = 'earliest-offset');\n"
        "CREATE TABLE names_by_full_name (full_name STRING, postcode INT, latitude FLOAT,\n"
        "  PRIMARY KEY (full_name) NOT ENFORCED) WITH ('connector' = 'cassandra', 'keyspace' = 'spark_streaming',\n"
        "  'table' = 'random_names');\n"
        "INSERT INTO random_names SELECT CONCAT(name.title, '. ', name.`first`, ' ', name.`last`), gender,\n"
        "  CONCAT(CAST(location.street.number AS STRING), ', ', location.street.name), location.city,\n"
        "  location.country, location.postcode, CAST(location.coordinates.latitude AS FLOAT),\n"
        "  CAST(location.coordinates.longitude AS FLOAT), email, login.uuid FROM random_user;\n"
        "EXECUTE STATEMENT SET BEGIN\n"
        "  INSERT INTO names_by_full_name SELECT full_name, TRY_CAST(postcode AS INT), latitude FROM random_names;\n"
        "  INSERT INTO sink SELECT CAST(id AS BIGINT), full_name FROM random_names;\n"
        "END;\n";
    struct sql_session *session = sql_session_new(support_connectors);
    struct sql_script *tables = NULL, *script = NULL;
    struct mr_err err = MR_ERR_INIT;
    const struct sql_query *query;

    MR_UNUSED(state);
    assert_int_equal(sql_script_bind(&tables, session, mr_str_of(support_tables), &err), MR_OK);
    assert_int_equal(sql_script_bind(&script, session, mr_str_of(text), &err), MR_OK);
    assert_int_equal(sql_script_count(script), 5);
    query = sql_script_query(script, 4);
    assert_int_equal(query->kind, SQL_STATEMENT_SET);
    assert_int_equal(query->source_count, 1); /* read once for both */
    assert_int_equal(query->output_count, 2);
    assert_int_equal(query->line, 17);
    assert_string_equal(sql_query_setting(query, "records.on-error"), "dlq");
    assert_non_null(strstr(query->explain_text, "columns read: full_name, postcode, latitude, id"));
    assert_null(strstr(sql_script_query(script, 3)->plan_text, "randomuser.me")); /* an address may change */
    sql_script_free(script);
    sql_script_free(tables);
    sql_session_free(session);
}

/* An error for people: the line and a mark under the place, counted in characters. */
static void test_error_text(void **state)
{
    struct mr_err err = { .status = MR_INVALID, .line = 2, .column = 4, .text = "so" };
    struct mr_writer out = { 0 };

    MR_UNUSED(state);
    sql_error_write(&out, NULL, MR_STR("one\nété two\nthree"), &err);
    mr_write_u8(&out, '\0');
    assert_string_equal((char *)out.data, "line 2, column 4: so\n  été two\n     ^\n");
    mr_writer_deinit(&out);
    out = (struct mr_writer){ 0 };
    sql_functions_write(&out);
    sql_settings_write(&out);
    assert_true(out.size > 1000);
    mr_writer_deinit(&out);
}

static void test_overrides(void **state)
{
    struct sql_session *session = sql_session_new(support_connectors);
    struct sql_script *script = NULL;
    struct mr_err err = MR_ERR_INIT;
    const struct sql_table *table;

    MR_UNUSED(state);
    sql_session_override(session, "people", "topic", "others");
    sql_session_override(session, "people", "scan.bounded.mode", "latest-offset");
    assert_string_equal(sql_session_override_unused(session), "people.topic");
    assert_int_equal(sql_script_bind(&script, session, mr_str_of(support_tables), &err), MR_OK);
    sql_script_free(script);
    assert_null(sql_session_override_unused(session));
    assert_int_equal(sql_script_bind(&script, session, MR_STR("SELECT name FROM people"), &err), MR_OK);
    table = sql_script_query(script, 0)->sources[0].table;
    assert_string_equal(table->connector_table.option(&table->connector_table, "topic"), "others");
    assert_string_equal(sql_table_option(table, "scan.bounded.mode"), "latest-offset");
    assert_string_equal(sql_table_option(table, "scan.startup.mode"), "group-offsets");
    assert_null(sql_table_option(table, "nothing"));
    sql_script_free(script);
    sql_session_override(session, "t", "pth", "x");
    assert_int_equal(sql_script_bind(&script, session,
                                     MR_STR("CREATE TABLE t (a INT) WITH ('connector' = 'file', 'path' = 'y', "
                                            "'format' = 'json')"),
                                     &err),
                     MR_INVALID);
    assert_string_equal(err.text, "unknown option \"pth\" of connector \"file\"; did you mean \"path\"?");
    sql_session_free(session);
}

/* Blanks, comments and names of tables' aliases change no plan; another expression does. */
static void test_plan(void **state)
{
    static const char *const texts[] = {
        "INSERT INTO sink SELECT id, CONCAT(name, 'x') FROM people WHERE age > 1 + 1",
        "insert into sink (id, name)  select p.id /* k */, concat(p.name, 'x') from people as p where (age > (1 + 1))",
        "INSERT INTO sink SELECT id, CONCAT(name, 'y') FROM people WHERE age > 1 + 1",
    };
    char *plans[3];
    struct mr_writer difference = { 0 };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(texts); i++) {
        struct sql_session *session = sql_session_new(support_connectors);
        struct sql_script *tables = NULL, *script = NULL;
        struct mr_err err = MR_ERR_INIT;
        assert_int_equal(sql_script_bind(&tables, session, mr_str_of(support_tables), &err), MR_OK);
        assert_int_equal(sql_script_bind(&script, session, mr_str_of(texts[i]), &err), MR_OK);
        plans[i] = mr_strdup(sql_script_query(script, 0)->plan_text);
        assert_null(strstr(sql_script_query(script, 0)->explain_text, "hush"));
        sql_script_free(script);
        sql_script_free(tables);
        sql_session_free(session);
    }
    assert_string_equal(plans[0], plans[1]);
    assert_false(sql_plan_difference(&difference, plans[0], plans[1]));
    assert_true(sql_plan_difference(&difference, plans[0], plans[2]));
    mr_write_u8(&difference, '\0');
    assert_string_equal((char *)difference.data, "-   name = CONCAT(`name`, 'x')\n+   name = CONCAT(`name`, 'y')\n");
    mr_writer_deinit(&difference);
    for (size_t i = 0; i < MR_COUNT(texts); i++)
        mr_free(plans[i]);
}

/* No prefix of a script does harm, nor one with any byte in the middle replaced. */
static void test_cut_everywhere(void **state)
{
    static const char text[] =
        "SET 'pipeline.name' = 'x';\n"
        "CREATE TABLE IF NOT EXISTS t (a INT NOT NULL COMMENT 'é', r ROW<b ARRAY<STRING>, c DOUBLE PRECISION>,"
        " PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'kafka', 'topic' = 'it''s', 'format' = 'json');\n"
        "EXECUTE STATEMENT SET BEGIN INSERT INTO sink SELECT CAST(a AS BIGINT) + -1e0 * .5, CASE WHEN r.b[1] LIKE 'x%' "
        "THEN TRIM(BOTH ' ' FROM r.b[2]) ELSE NULL END FROM t AS q WHERE a BETWEEN 1 AND 2 OR a NOT IN (3, 4) AND NOT "
        "a IS "
        "NULL; END; -- end\nSELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(x, y) LIMIT 3; EXPLAIN SELECT 1 /* c */;";
    char *copy;

    MR_UNUSED(state);
    for (size_t cut = 0; cut <= sizeof(text) - 1; cut++) {
        copy = mr_str_dup((struct mr_str){ text, cut });
        mr_free(support_eval(copy));
        mr_free(copy);
    }
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        copy = mr_strdup(text);
        copy[at] = "(';`0\xff"[at % 6];
        mr_free(support_eval(copy));
        mr_free(copy);
    }
}

/* Nesting is limited, not the stack. */
static void test_depth(void **state)
{
    enum { DEPTH = 100000 };
    static const char *const openers[] = { "(", "- ", "NOT ", "CASE WHEN TRUE THEN ", "ARRAY[", "UPPER(" };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(openers); i++) {
        struct mr_writer sql = { 0 };
        char *got;
        mr_write_text(&sql, "SELECT ");
        for (int n = 0; n < DEPTH; n++)
            mr_write_str(&sql, mr_str_of(openers[i]));
        mr_write_text(&sql, "1");
        mr_write_u8(&sql, '\0');
        got = support_eval((char *)sql.data);
        if (strstr(got, "nested too deep") == NULL)
            fail_msg("%s: %s", openers[i], got);
        mr_free(got);
        sql.size = 0;
        mr_write_text(&sql, "SELECT 1");
        for (int n = 0; n < DEPTH; n++)
            mr_write_text(&sql, " + 1");
        mr_write_u8(&sql, '\0');
        got = support_eval((char *)sql.data);
        assert_non_null(strstr(got, "nested too deep"));
        mr_free(got);
        mr_writer_deinit(&sql);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),       cmocka_unit_test(test_syntax),         cmocka_unit_test(test_names),
        cmocka_unit_test(test_tables),         cmocka_unit_test(test_all_or_nothing), cmocka_unit_test(test_plan),
        cmocka_unit_test(test_overrides),      cmocka_unit_test(test_example),        cmocka_unit_test(test_error_text),
        cmocka_unit_test(test_cut_everywhere), cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
