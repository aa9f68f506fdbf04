/* test_task.c -- scripts that are run when asked: from the beginning, on from a checkpoint, stopped, refused. */
#include "engine_fake.h"

#include <ftw.h>
#include <unistd.h>

#define TABLES                                                                                                         \
    "CREATE TABLE people (id STRING) WITH ('connector' = 'fake', 'format' = 'json', 'topic' = 't');\n"                 \
    "CREATE TABLE a (id STRING) WITH ('connector' = 'sink', 'name' = 'a');\n"
#define INSERT "INSERT INTO a SELECT id FROM people;\n"

static const struct fake_record records[] = {
    { 0, 1000, "{\"id\":\"1\"}" }, { 1, 1000, "{\"id\":\"2\"}" }, { 0, 1001, "not json" },
    { 0, 1002, "{\"id\":\"3\"}" }, { 1, 1003, "{\"id\":\"4\"}" }, { 0, 1004, "{\"id\":\"5\"}" },
};
static const char rows[] = "{\"id\":\"1\"}\n{\"id\":\"2\"}\n{\"id\":\"3\"}\n{\"id\":\"4\"}\n{\"id\":\"5\"}\n";

static struct stage {
    char dir[64];
    struct state *state;
    struct sql_engine *engine;
    struct sql_task *task;
    int fault_at, steps;
} stage;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    MR_UNUSED(st);
    MR_UNUSED(type);
    MR_UNUSED(ftw);
    return remove(path);
}

static enum mr_status stage_fault(void *arg, enum sql_step step)
{
    MR_UNUSED(arg);
    MR_UNUSED(step);
    return stage.steps++ == stage.fault_at ? MR_IO : MR_OK;
}

static void engine_begin(void)
{
    struct sql_engine_options options = { .state = stage.state, .connectors = fake_connectors };
    struct mr_err err = MR_ERR_INIT;

    stage.steps = 0;
    assert_int_equal(sql_engine_open(&stage.engine, &options, &err), MR_OK);
    sql_engine_test_hooks(stage.engine, &fake_letters, stage_fault, NULL);
    assert_int_equal(sql_engine_load(stage.engine, MR_STR(TABLES), "q", &err), MR_OK);
    if (sql_task_load(&stage.task, stage.engine, MR_STR(INSERT), "dag.task", &err) != MR_OK)
        fail_msg("%s", err.text);
}

static void engine_end(void)
{
    sql_task_free(stage.task);
    sql_engine_close(stage.engine);
    stage.task = NULL;
    stage.engine = NULL;
}

static int setup(void **state)
{
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    memset(&stage, 0, sizeof(stage));
    memset(&fake_world, 0, sizeof(fake_world));
    fake_world.records = records;
    fake_world.record_count = MR_COUNT(records);
    fake_world.per_poll = 1;
    stage.fault_at = -1;
    snprintf(stage.dir, sizeof(stage.dir), "/tmp/millrace-test-XXXXXX");
    assert_non_null(mkdtemp(stage.dir));
    assert_int_equal(state_open(&stage.state, stage.dir, NULL, &err), MR_OK);
    engine_begin();
    return 0;
}

static int teardown(void **state)
{
    MR_UNUSED(state);
    engine_end();
    state_close(stage.state);
    nftw(stage.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static enum mr_status run(const char *checkpoint, struct sql_query_status *status)
{
    struct sql_task_run *one = NULL;
    struct mr_err err = MR_ERR_INIT;
    enum mr_status outcome;

    assert_int_equal(sql_task_begin(&one, stage.task, checkpoint, &err), MR_OK);
    outcome = sql_task_run(one, &err);
    sql_task_status(one, status);
    sql_task_end(one);
    return outcome;
}

static void rows_check(const char *expect)
{
    char *text = fake_rows_text(&fake_world.sinks[0], false);

    assert_string_equal(text, expect);
    mr_free(text);
}

static void test_each_from_the_beginning(void **state)
{
    struct sql_query_status status;

    MR_UNUSED(state);
    for (int i = 1; i <= 3; i++) {
        char checkpoint[32];

        snprintf(checkpoint, sizeof(checkpoint), "dag/run %d/task", i);
        assert_int_equal(run(checkpoint, &status), MR_OK);
        assert_int_equal(status.rows_in, MR_COUNT(records));
        assert_int_equal(status.rows_out, 5);
        assert_int_equal(status.dead_letters, 1);
        assert_string_equal(status.name, "dag.task");
        assert_int_equal(fake_world.sinks[0].count, 5 * i);
        assert_int_equal(fake_world.letters.count, i);
    }
    rows_check(rows);
    assert_non_null(strstr(fake_world.letters.rows[0].text, "dag.task.dlq"));
    /* One that has ended has nothing left to do, until it is forgotten. */
    assert_int_equal(run("dag/run 3/task", &status), MR_OK);
    assert_int_equal(status.rows_in, 0);
    assert_int_equal(sql_checkpoint_forget(stage.engine, "dag/run 3/task", NULL), MR_OK);
    assert_int_equal(run("dag/run 3/task", &status), MR_OK);
    assert_int_equal(status.rows_in, MR_COUNT(records));
}

/* Ended before any of its steps, in a process that is no more: it goes on. */
static void test_goes_on(void **state)
{
    struct sql_query_status status;
    int went_on = 0;

    for (int at = 0;; at++) {
        enum mr_status outcome;

        teardown(state);
        setup(state);
        stage.fault_at = at;
        outcome = run("dag/run/task", &status);
        if (outcome == MR_OK)
            break;
        engine_end();
        stage.fault_at = -1;
        engine_begin();
        assert_int_equal(run("dag/run/task", &status), MR_OK);
        went_on += status.rows_in < (int64_t)MR_COUNT(records);
        rows_check(rows);
    }
    assert_true(went_on > 0);
}

static void test_stopped(void **state)
{
    struct sql_task_run *one = NULL;
    struct mr_err err = MR_ERR_INIT;
    struct sql_query_status status;

    MR_UNUSED(state);
    fake_world.unbounded = true;
    assert_int_equal(sql_task_begin(&one, stage.task, "c", &err), MR_OK);
    sql_task_stop(one, false);
    assert_int_equal(sql_task_run(one, &err), MR_BUSY);
    sql_task_end(one);
    fake_world.unbounded = false;
    assert_int_equal(run("c", &status), MR_OK);
    rows_check(rows);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        int line;
        const char *says;
    } cases[] = {
        { "", 1, "no INSERT" },
        { "CREATE TABLE z (id STRING) WITH ('connector' = 'sink', 'name' = 'a');", 1, "no INSERT" },
        { "SELECT id FROM people;", 1, "nobody to show" },
        { INSERT "SHOW TABLES;", 0, "is a question" },
        { INSERT "INSERT INTO a SELECT id FROM people;", 2, "a second" },
        { "INSERT INTO a SELECT nope FROM people;", 1, "nope" },
        { "SET 'pipeline.name' = 'a b';" INSERT, 1, "the query's name" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct sql_task *task = NULL;
        struct mr_err err = MR_ERR_INIT;

        if (sql_task_load(&task, stage.engine, mr_str_of(cases[i].text), "t", &err) == MR_OK)
            fail_msg("case %zu is taken", i);
        if (strstr(err.text, cases[i].says) == NULL || err.line != cases[i].line)
            fail_msg("case %zu: line %d: %s", i, err.line, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_from_the_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(test_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
