/* The grammar: what is accepted, and how errors are worded and placed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tables/ast_int.h"

#include <string.h>

static const struct {
    const char *text;
    enum ast_statement_kind kind;
    uint32_t markers;
} good[] = {
    { "SELECT * FROM t", AST_SELECT, 0 },
    { "select a, b AS c, count(*) from k.t where a = ? and token(a) > :x LIMIT ? ALLOW FILTERING;;", AST_SELECT, 3 },
    { "SELECT \"A\"\"b\", writetime(a), ttl(a), token(a, b), f(x) FROM \"K\".t ORDER BY a DESC, b", AST_SELECT, 0 },
    { "SELECT key, ttl, count, timestamp, values FROM t WHERE key='it''s'", AST_SELECT, 0 },
    { "SELECT a FROM t WHERE a IN (1, 2) AND b IN ? AND c CONTAINS 5 AND d != 3", AST_SELECT, 1 },
    { "INSERT INTO t (a, b) VALUES (?, 'x') USING TIMESTAMP 5 AND TTL ?", AST_INSERT, 2 },
    { "INSERT INTO t (a) VALUES (-1.5e3) IF NOT EXISTS", AST_INSERT, 0 },
    { "INSERT INTO t (a) VALUES (f(?, [1, 2], {1, 2}, {'a': NaN}, -Infinity, 0xff))", AST_INSERT, 1 },
    { "UPDATE t USING TTL 5 SET a = ?, b = null WHERE c = true", AST_UPDATE, 1 },
    { "UPDATE t SET a = 1 WHERE c = 2 IF a = 3", AST_UPDATE, 0 },
    { "DELETE FROM t USING TIMESTAMP ? WHERE a = 00000000-0000-0000-0000-00000000000F", AST_DELETE, 1 },
    { "DELETE a, b FROM t WHERE c = 1 IF EXISTS", AST_DELETE, 0 },
    { "BEGIN UNLOGGED BATCH USING TIMESTAMP ? INSERT INTO t (a) VALUES (?); DELETE FROM t WHERE a=? APPLY BATCH",
      AST_BATCH, 3 },
    { "BEGIN BATCH APPLY BATCH;", AST_BATCH, 0 },
    { "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} AND "
      "durable_writes = false",
      AST_CREATE_KEYSPACE, 0 },
    { "DROP KEYSPACE IF EXISTS k", AST_DROP_KEYSPACE, 0 },
    { "CREATE TABLE t (a int PRIMARY KEY, b map<text, frozen<list<int>>>, c 'java.Type',)", AST_CREATE_TABLE, 0 },
    { "CREATE COLUMNFAMILY k.t (a int, b text STATIC, PRIMARY KEY ((a, b), c, d)) WITH CLUSTERING ORDER BY (c DESC, d "
      "ASC) "
      "AND comment = 'x' AND compaction = {'class': 'Y'} AND COMPACT STORAGE",
      AST_CREATE_TABLE, 0 },
    { "CREATE TABLE t (PRIMARY KEY (a), a int)", AST_CREATE_TABLE, 0 },
    { "CREATE TABLE t (a set<int> PRIMARY KEY, b tuple<int, set<text>>, c vector<float, 3>)", AST_CREATE_TABLE, 0 },
    { "ALTER TABLE t ADD x int", AST_ALTER_TABLE, 0 },
    { "ALTER TABLE IF EXISTS k.t ADD IF NOT EXISTS (x int, y set<int>)", AST_ALTER_TABLE, 0 },
    { "ALTER TABLE t DROP x", AST_ALTER_TABLE, 0 },
    { "ALTER TABLE t DROP IF EXISTS (x, y)", AST_ALTER_TABLE, 0 },
    { "ALTER TABLE t RENAME a TO b AND c TO d", AST_ALTER_TABLE, 0 },
    { "ALTER TABLE t WITH comment = 'x' AND gc_grace_seconds = 5", AST_ALTER_TABLE, 0 },
    { "ALTER KEYSPACE k WITH durable_writes = true", AST_ALTER_KEYSPACE, 0 },
    { "UPDATE t SET a = a + [1], b = [?] + b, c = c - {1}, d[2] = ?, e += {'x': 1}, f -= 3 WHERE k = 1", AST_UPDATE,
      2 },
    { "DELETE a['x'], b[1], c FROM t WHERE k = 1 AND (c, d) > (1, ?) AND e < 3", AST_DELETE, 1 },
    { "SELECT CAST(a AS text), m['x'], count(a), max(b), (int) 5, f(g(a, 1), 'x') FROM t PER PARTITION LIMIT ? LIMIT 3",
      AST_SELECT, 1 },
    { "SELECT a FROM t WHERE (a, b) IN ((1, 2), ?) AND (c) = (1) AND d CONTAINS KEY 5 AND e['x'] = ? AND f IN ()",
      AST_SELECT, 2 },
    { "INSERT INTO t (a, b, c) VALUES (1h30m, -1y2mo3d, P1Y2M3DT4H5M6S)", AST_INSERT, 0 },
    { "INSERT INTO t (a) VALUES ((1, 'x', (2, {1, 2})))", AST_INSERT, 0 },
    { "INSERT INTO t (a) VALUES ((int) f(cast(5 as text), token(1, ?)))", AST_INSERT, 1 },
    { "DROP TABLE k.t", AST_DROP_TABLE, 0 },
    { "TRUNCATE TABLE t", AST_TRUNCATE, 0 },
    { "USE \"K\"", AST_USE, 0 },
    { "-- a comment\n// another\n/* and * one */ USE k", AST_USE, 0 },
    { "DESCRIBE TABLE k.t", AST_DESCRIBE, 0 },
    { "DESC FULL SCHEMA WITH INTERNALS;", AST_DESCRIBE, 0 },
    { "DESCRIBE \"K\".\"T\"", AST_DESCRIBE, 0 },
    { "DESCRIBE MATERIALIZED VIEW v", AST_DESCRIBE, 0 },
};

static const struct {
    const char *text;
    enum mr_status expect;
    const char *message;
} bad[] = {
    { "SELEC", MR_INVALID, "line 1:0 no viable alternative at input 'SELEC' ([SELEC]...)" },
    { "SELECT * FORM t", MR_INVALID, "line 1:9 no viable alternative at input 'FORM' (SELECT * [FORM]...)" },
    { "SELECT *\nFROM t\n  WHERE = 1", MR_INVALID,
      "line 3:8 no viable alternative at input '=' (SELECT *\nFROM t\n  WHERE [=]...)" },
    { "SELECT * FROM", MR_INVALID, "line 1:13 no viable alternative at input '<EOF>'" },
    { "", MR_INVALID, "line 1:0 no viable alternative at input '<EOF>'" },
    { "SELECT 'abc FROM t", MR_INVALID, "line 1:7 no viable alternative at input ''' (SELECT [']...)" },
    { "INSERT INTO t (a) VALUES (1) extra", MR_INVALID, NULL },
    { "SELECT \xff FROM t", MR_INVALID, NULL },
    { "ALTER TYPE t ADD x int", MR_UNSUPPORTED, "ALTER TYPE is not there in this version" },
    { "SELECT a FROM t GROUP BY a", MR_UNSUPPORTED, "GROUP BY is not there in this version" },
    { "UPDATE t SET a = b + 1 WHERE c = 1", MR_INVALID, "Only expressions of the form X = X +<value> are supported." },
    { "INSERT INTO t (a) VALUES (1h30)", MR_INVALID, NULL },
    { "create  index on t (a)", MR_UNSUPPORTED, "CREATE INDEX is not there in this version" },
    { "CREATE TABLES t (a int)", MR_INVALID, NULL },
};

static void test_good(void **state)
{
    struct mr_arena *arena = mr_arena_new();

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(good); i++) {
        struct ast_statement *statement;
        struct mr_err err = MR_ERR_INIT;

        if (tables_parse(&statement, mr_str_of(good[i].text), arena, &err) != MR_OK)
            fail_msg("%s: %s", good[i].text, err.text);
        if (statement->kind != good[i].kind || statement->marker_count != good[i].markers)
            fail_msg("%s: kind %d, %u markers", good[i].text, statement->kind, statement->marker_count);
    }
    mr_arena_free(arena);
}

static void test_bad(void **state)
{
    struct mr_arena *arena = mr_arena_new();

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(bad); i++) {
        struct ast_statement *statement;
        struct mr_err err = MR_ERR_INIT;
        enum mr_status got = tables_parse(&statement, mr_str_of(bad[i].text), arena, &err);

        if (got != bad[i].expect || (bad[i].message != NULL && strcmp(bad[i].message, err.text) != 0))
            fail_msg("%s: %s: %s", bad[i].text, mr_status_text(got), err.text);
    }
    mr_arena_free(arena);
}

static void test_parts(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    struct ast_statement *s;
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    assert_int_equal(
        tables_parse(&s, MR_STR("SELECT Ab, \"Ab\" AS X FROM K.T WHERE a='it''s' AND b=$$x'y$$"), arena, &err), MR_OK);
    assert_true(mr_str_equal(s->columns.head->name, MR_STR("ab")));
    assert_true(mr_str_equal(s->columns.tail->name, MR_STR("Ab")) && mr_str_equal(s->columns.tail->text, MR_STR("x")));
    assert_true(mr_str_equal(s->keyspace, MR_STR("k")) && mr_str_equal(s->table, MR_STR("t")));
    assert_true(mr_str_equal(s->where.head->term->text, MR_STR("it's")));
    assert_true(mr_str_equal(s->where.tail->term->text, MR_STR("x'y")));
    assert_int_equal(tables_parse(&s,
                                  MR_STR("CREATE TABLE t (a map<text, list<int>>, b int, PRIMARY KEY ((b, a), c)) WITH "
                                         "CLUSTERING ORDER BY (c DESC)"),
                                  arena, &err),
                     MR_OK);
    assert_true(mr_str_equal(s->columns.head->text, MR_STR("map<text, list<int>>")));
    assert_int_equal(s->columns.count, 2);
    assert_int_equal(s->partition.count, 2);
    assert_int_equal(s->clustering.count, 1);
    assert_true(s->order.head->descending);
    mr_arena_free(arena);
}

/* Nesting and length from outside must not take the stack or the memory. */
static void test_deep(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    struct mr_writer w = { 0 };
    struct ast_statement *statement;
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    mr_write_str(&w, MR_STR("INSERT INTO t (a) VALUES ("));
    for (int i = 0; i < 100000; i++)
        mr_write_u8(&w, '[');
    assert_int_equal(tables_parse(&statement, mr_str_of_bytes(mr_writer_bytes(&w)), arena, &err), MR_INVALID);
    w.size = 0;
    mr_write_str(&w, MR_STR("INSERT INTO t (a"));
    for (int i = 0; i < 70000; i++)
        mr_write_str(&w, MR_STR(",a"));
    mr_write_str(&w, MR_STR(") VALUES (1)"));
    assert_int_equal(tables_parse(&statement, mr_str_of_bytes(mr_writer_bytes(&w)), arena, &err), MR_INVALID);
    mr_writer_deinit(&w);
    mr_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
