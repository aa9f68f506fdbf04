/* test_dag.c -- DAG files: one that has everything, and wrong ones by table: each is refused at its place. */
#include "scheduler/dag_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const char whole[] = "description: All of it\n"
                            "owner: \"me\"\n"
                            "schedule: 30 2 * * mon-fri\n"
                            "timezone: Europe/Berlin\n"
                            "start_date: 2026-03-01 12:00\n"
                            "end_date: 2027-01-01T00:00:00+01:00\n"
                            "catchup: true\n"
                            "retries: 2\n"
                            "retry_delay: 5 s\n"
                            "retry_exponential_backoff: true\n"
                            "max_retry_delay: 1 min\n"
                            "timeout: 1 h\n"
                            "max_active_runs: 3\n"
                            "params:\n"
                            "  country: \"FR\"\n"
                            "  count: 10\n"
                            "  none: null\n"
                            "tasks:\n"
                            "  - id: fetch\n"
                            "    kind: sql\n"
                            "    sql: |\n"
                            "      INSERT INTO a\n"
                            "      SELECT * FROM b;\n"
                            "  - id: count\n"
                            "    command: echo \"$MILLRACE_PARAM_COUNT\"\n"
                            "    depends_on: [fetch, load]\n"
                            "    retries: 0\n"
                            "    timeout: 500 ms\n"
                            "    env:\n"
                            "      LANG: C\n"
                            "  - {id: load, file: sql/load.sql, depends_on: fetch, retry_delay: 1 s}\n";

static void test_whole(void **state)
{
    struct scheduler_dag *dag = NULL;
    struct mr_err err = MR_ERR_INIT;
    int64_t tick;

    MR_UNUSED(state);
    if (scheduler_dag_parse(&dag, "all", mr_str_of(whole), "dags/all.yaml", &err) != MR_OK)
        fail_msg("%s", err.text);
    assert_string_equal(dag->id, "all");
    assert_string_equal(dag->owner, "me");
    assert_string_equal(dag->schedule, "30 2 * * mon-fri");
    assert_int_equal(dag->start_ms, 1772362800000); /* 11:00 UTC */
    assert_int_equal(dag->end_ms, 1798758000000);
    assert_true(dag->catchup && dag->backoff);
    assert_int_equal(dag->max_active_runs, 3);
    assert_int_equal(dag->timeout_ms, 3600000);
    assert_int_equal(dag->param_count, 3);
    assert_string_equal(dag->params[1].value, "10");
    assert_string_equal(dag->params[2].value, "");
    assert_int_equal(dag->task_count, 3);
    assert_int_equal(dag->tasks[0].kind, SCHEDULER_SQL);
    assert_int_equal(dag->tasks[0].line, 22);
    assert_int_equal(dag->tasks[0].column, 7);
    assert_int_equal(dag->tasks[0].retries, 2);
    assert_int_equal(dag->tasks[0].retry_delay_ms, 5000);
    assert_int_equal(dag->tasks[1].kind, SCHEDULER_SHELL);
    assert_string_equal(dag->tasks[1].text, "echo \"$MILLRACE_PARAM_COUNT\"");
    assert_int_equal(dag->tasks[1].depend_count, 2);
    assert_int_equal(dag->tasks[1].depends[1], 2);
    assert_int_equal(dag->tasks[1].retries, 0);
    assert_int_equal(dag->tasks[1].timeout_ms, 500);
    assert_string_equal(dag->tasks[1].env[0].name, "LANG");
    assert_string_equal(dag->tasks[2].file, "sql/load.sql");
    assert_int_equal(dag->tasks[2].retry_delay_ms, 1000);
    assert_int_equal(scheduler_dag_ticks(dag, 1772362800000, 1, &tick), 1);
    assert_int_equal(tick, 1772415000000); /* Monday, 02:30 in Berlin */
    scheduler_dag_free(dag);
}

static void test_defaults(void **state)
{
    struct scheduler_dag *dag = NULL;
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    assert_int_equal(scheduler_dag_parse(&dag, "d", MR_STR("schedule:\ntasks: [{id: a, command: x}]"), "f", &err),
                     MR_OK);
    assert_null(dag->schedule);
    assert_string_equal(dag->timezone, "UTC");
    assert_false(dag->catchup);
    assert_int_equal(dag->max_active_runs, 1);
    assert_int_equal(dag->tasks[0].retries, 0);
    assert_int_equal(dag->tasks[0].retry_delay_ms, 300000);
    assert_int_equal(dag->start_ms, SCHEDULER_NO_TIME);
    scheduler_dag_free(dag);
}

#define TASK "tasks: [{id: a, command: x}]\n"

static const struct {
    const char *text;
    int line, column;
    const char *says;
} wrong[] = {
    { "", 1, 1, "empty" },
    { "- a", 1, 1, "lines were expected" },
    { "tasks: [", 2, 1, "did not find" },
    { "a: b: c", 1, 5, "" },
    { TASK "shedule: x", 2, 1, "did you mean \"schedule\"?" },
    { TASK "zzzzzzzz: x", 2, 1, "there is no key \"zzzzzzzz\" here" },
    { TASK "owner: a\nowner: b", 3, 1, "twice" },
    { TASK "schedule: '0 25 * * *'", 2, 14, "hour must be 0 to 23" },
    { TASK "schedule: 0 25 * * *", 2, 13, "hour must be 0 to 23" },
    { TASK "schedule: 0 0 31 2 *", 2, 11, "no day ever" },
    { TASK "schedule: '@dayly'", 2, 12, "there is no schedule" },
    { TASK "timezone: Mars/Olympus", 2, 11, "no time zone" },
    { TASK "start_date: yesterday", 2, 13, "must be a date" },
    { TASK "start_date: 2026-02-30", 2, 13, "must be a date" },
    { TASK "start_date: 2026-02-02\nend_date: 2026-02-01", 3, 11, "before start_date" },
    { TASK "catchup: maybe", 2, 10, "true or false" },
    { TASK "retries: -1", 2, 10, "a number from 0 to 1000" },
    { TASK "retries: many", 2, 10, "a number from" },
    { TASK "retry_delay: soon", 2, 14, "a duration such as" },
    { TASK "max_active_runs: 0", 2, 18, "from 1 to 100" },
    { TASK "owner: [a]", 2, 8, "plain value" },
    { TASK "owner: \"a\\0b\"", 2, 8, "NUL" },
    { TASK "params: [a]", 2, 9, "were expected here" },
    { TASK "params: {A: 1}", 2, 10, "lower-case" },
    { TASK "params: {a: [1]}", 2, 13, "plain value" },
    { TASK "params: {a: 1, a: 2}", 2, 16, "twice" },
    { "owner: me", 1, 1, "needs \"tasks\"" },
    { "tasks: []", 1, 1, "needs \"tasks\"" },
    { "tasks: a", 1, 8, "a list of tasks" },
    { "tasks: [a]", 1, 9, "were expected here" },
    { "tasks: [{command: x}]", 1, 9, "needs an \"id\"" },
    { "tasks: [{id: a}]", 1, 9, "needs a \"command\"" },
    { "tasks: [{id: a, kind: shell}]", 1, 9, "needs a \"command\"" },
    { "tasks: [{id: a, kind: python, command: x}]", 1, 23, "sql or shell" },
    { "tasks: [{id: a, kind: shell, command: x, sql: y}]", 1, 47, "neither sql nor file" },
    { "tasks: [{id: a, kind: sql, sql: x, env: {A: b}}]", 1, 41, "neither command nor env" },
    { "tasks: [{id: a, sql: x, file: y}]", 1, 9, "not both" },
    { "tasks: [{id: a, command: ' '}]", 1, 26, "nothing to run" },
    { "tasks: [{id: a/b, command: x}]", 1, 9, "can't be a task's id" },
    { "tasks: [{id: .a, command: x}]", 1, 9, "can't be a task's id" },
    { "tasks:\n- {id: a, command: x}\n- {id: a, command: x}", 3, 3, "a second task" },
    { "tasks: [{id: a, comand: x}]", 1, 17, "did you mean \"command\"?" },
    { "tasks: [{id: abcd, command: x, depends_on: abce}]", 1, 44, "did you mean \"abcd\"?" },
    { "tasks: [{id: a, command: x, depends_on: [a]}]", 1, 41, "for itself" },
    { "tasks:\n- {id: a, command: x, depends_on: b}\n- {id: b, command: x, depends_on: a}", 2, 35, "no circles" },
    { "tasks: [{id: a, command: x}, {id: b, command: x, depends_on: [a, a]}]", 1, 66, "twice" },
    { "tasks: [{id: a, command: x, env: {MILLRACE_RUN: 1}}]", 1, 35, "set by millrace" },
    { "tasks: [{id: a, command: x, env: {A-B: 1}}]", 1, 35, "can't be the name of a variable" },
    { "tasks: [{id: a, command: x, env: {1: 1}}]", 1, 35, "can't be the name of a variable" },
};

static void test_wrong(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(wrong); i++) {
        struct scheduler_dag *dag = NULL;
        struct mr_err err = MR_ERR_INIT;
        char place[64];

        if (scheduler_dag_parse(&dag, "d", mr_str_of(wrong[i].text), "dags/d.yaml", &err) == MR_OK)
            fail_msg("case %zu is taken:\n%s", i, wrong[i].text);
        snprintf(place, sizeof(place), "dags/d.yaml:%d:%d: ", wrong[i].line, wrong[i].column);
        if (strncmp(err.text, place, strlen(place)) != 0 || strstr(err.text, wrong[i].says) == NULL ||
            err.line != wrong[i].line || err.column != wrong[i].column)
            fail_msg("case %zu: %s\n%s", i, wrong[i].text, err.text);
    }
}

static void test_limits(void **state)
{
    struct mr_writer text = { 0 };
    struct scheduler_dag *dag = NULL;
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    assert_int_equal(scheduler_dag_parse(&dag, "a b", MR_STR(TASK), "dags/a b.yaml", &err), MR_INVALID);
    mr_write_text(&text, "tasks:\n");
    for (int i = 0; i <= SCHEDULER_TASKS_MAX; i++)
        mr_write_text(&text, "- {id: t%d, command: x}\n", i);
    assert_int_equal(scheduler_dag_parse(&dag, "d", mr_str_of_bytes(mr_writer_bytes(&text)), "f", &err), MR_INVALID);
    text.size = 0;
    for (int i = 0; i < DAG_FILE_BYTES_MAX / 4; i++)
        mr_write_text(&text, "#123\n");
    assert_int_equal(scheduler_dag_parse(&dag, "d", mr_str_of_bytes(mr_writer_bytes(&text)), "f", &err), MR_LIMIT);
    mr_writer_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
