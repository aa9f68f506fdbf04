/* test_engine.c -- queries at work: epochs, resuming after a kill before any step, dead letters, two sinks, clocks. */
#include "engine_fake.h"

#include <ftw.h>
#include <unistd.h>

#define TABLES                                                                                                         \
    "CREATE TABLE people (id STRING, name STRING, age STRING) WITH ('connector' = 'fake', 'format' = 'json', "         \
    "'topic' = 'people_topic');\n"                                                                                     \
    "CREATE TABLE a (id STRING, age INT) WITH ('connector' = 'sink', 'name' = 'a');\n"                                 \
    "CREATE TABLE b (id STRING, name STRING) WITH ('connector' = 'sink', 'name' = 'b');\n"
#define BOTH                                                                                                           \
    TABLES "EXECUTE STATEMENT SET BEGIN\n"                                                                             \
           "INSERT INTO a SELECT id, CAST(age AS INT) FROM people;\n"                                                  \
           "INSERT INTO b SELECT id, name FROM people WHERE name <> 'hidden';\n"                                       \
           "END;\n"

static const struct fake_record records[] = {
    { 0, 1000, "{\"id\":\"1\",\"name\":\"one\",\"age\":\"11\"}" },
    { 1, 1000, "{\"id\":\"2\",\"name\":\"two\",\"age\":12}" },
    { 0, 1000, "{\"id\":\"3\",\"name\":\"three\",\"age\":\"old\"}" },
    { 0, 900, "not json" },
    { 1, 2000, "{\"id\":\"5\",\"name\":\"hidden\",\"age\":null}" },
    { 0, 950, "{\"id\":\"reject\",\"name\":\"six\",\"age\":\"16\"}" },
    { 2, 5000, NULL },
    { 0, 3000, "{\"id\":\"8\",\"name\":\"eight\",\"age\":\"18\"}" },
};

/* Split 0 counts 1000000, 1000001 (3), 1000002 (not json), 1000003 (6), 3000000. */
static const char sink_a[] = "{\"id\":\"1\",\"age\":11} @1000000\n{\"id\":\"2\",\"age\":12} @1000000\n"
                             "{\"id\":\"5\",\"age\":null} @2000000\n{\"id\":\"8\",\"age\":18} @3000000\n";
static const char sink_b[] = "{\"id\":\"1\",\"name\":\"one\"} @1000000\n{\"id\":\"2\",\"name\":\"two\"} @1000000\n"
                             "{\"id\":\"3\",\"name\":\"three\"} @1000001\n{\"id\":\"8\",\"name\":\"eight\"} @3000000\n";
static const char letters[] =
    "q.dlq: people_topic/0/1 TRANSFORMATION sql.insert.a {\"id\":\"3\",\"name\":\"three\",\"age\":\"old\"}\n"
    "q.dlq: people_topic/0/2 VALUE_CONVERTER format.json not json\n"
    "q.dlq: people_topic/0/3 TASK_PUT connector.sink.a {\"id\":\"reject\",\"name\":\"six\",\"age\":\"16\"}\n"
    "q.dlq: people_topic/0/3 TASK_PUT connector.sink.b {\"id\":\"reject\",\"name\":\"six\",\"age\":\"16\"}\n"
    "q.dlq: people_topic/2/0 VALUE_CONVERTER format.json null\n";

/* ---- the stage ---- */

struct stage {
    char dir[64];
    struct state *state;
    struct sql_engine *engine;
    int fault_at; /* the n-th step fails; -1: none */
    int steps;
    int64_t retry_ms; /* of the engine */
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    MR_UNUSED(st);
    MR_UNUSED(type);
    MR_UNUSED(ftw);
    return remove(path);
}

static enum mr_status stage_fault(void *arg, enum sql_step step)
{
    struct stage *s = arg;

    MR_UNUSED(step);
    return s->steps++ == s->fault_at ? MR_IO : MR_OK;
}

static void stage_begin(struct stage *s)
{
    struct mr_err err = MR_ERR_INIT;

    memset(s, 0, sizeof(*s));
    memset(&fake_world, 0, sizeof(fake_world));
    fake_world.records = records;
    fake_world.record_count = MR_COUNT(records);
    fake_world.per_poll = 2;
    s->fault_at = -1;
    snprintf(s->dir, sizeof(s->dir), "/tmp/millrace-test-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    if (state_open(&s->state, s->dir, NULL, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static void engine_begin(struct stage *s)
{
    struct sql_engine_options options = { .state = s->state, .connectors = fake_connectors, .retry_ms = s->retry_ms };
    struct mr_err err = MR_ERR_INIT;

    s->steps = 0;
    assert_int_equal(sql_engine_open(&s->engine, &options, &err), MR_OK);
    sql_engine_test_hooks(s->engine, &fake_letters, stage_fault, s);
}

static void engine_end(struct stage *s)
{
    sql_engine_close(s->engine);
    s->engine = NULL;
}

static void stage_end(struct stage *s)
{
    engine_end(s);
    state_close(s->state);
    nftw(s->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void load(struct stage *s, const char *text)
{
    struct mr_err err = MR_ERR_INIT;

    if (sql_engine_load(s->engine, mr_str_of(text), "q", &err) != MR_OK)
        fail_msg("line %d: %s", err.line, err.text);
    assert_int_equal(sql_engine_start(s->engine, &err), MR_OK);
}

/* Waits until query 0 is in a state from FINISHED on (or RUNNING with IN rows read). */
static struct sql_query_status wait_end(struct stage *s, int64_t rows_in)
{
    struct sql_query_status status;

    for (int i = 0; i < 10000; i++) {
        assert_true(sql_engine_query(s->engine, 0, &status));
        if (status.state >= SQL_QUERY_FINISHED || (rows_in >= 0 && status.rows_in >= rows_in))
            return status;
        usleep(1000);
    }
    fail_msg("no end: %s", sql_query_state_name(status.state));
    return status;
}

static void rows_check(const struct fake_rows *rows, bool times, const char *expect)
{
    char *text = fake_rows_text(rows, times);

    assert_string_equal(text, expect);
    mr_free(text);
}

/* ---- tests ---- */

static void test_two_sinks(void **state)
{
    struct stage s;
    struct sql_query_status status;

    MR_UNUSED(state);
    stage_begin(&s);
    engine_begin(&s);
    load(&s, BOTH);
    status = wait_end(&s, -1);
    assert_int_equal(status.state, SQL_QUERY_FINISHED);
    assert_string_equal(status.name, "q");
    assert_int_equal(status.rows_in, 8);
    assert_int_equal(status.rows_out, 8);
    assert_int_equal(status.dead_letters, 5);
    assert_true(status.epoch >= 3);
    rows_check(&fake_world.sinks[0], true, sink_a);
    rows_check(&fake_world.sinks[1], true, sink_b);
    rows_check(&fake_world.letters, false, letters);
    assert_int_equal(fake_world.opens, 1);
    assert_int_equal(fake_world.committed[0], 5);
    assert_int_equal(fake_world.committed[1], 2);
    stage_end(&s);
}

/* The same with primary keys: several flushes may then lie between two checkpoints. */
#define BOTH_KEYED                                                                                                     \
    "CREATE TABLE people (id STRING, name STRING, age STRING) WITH ('connector' = 'fake', 'format' = 'json', "         \
    "'topic' = 'people_topic');\n"                                                                                     \
    "CREATE TABLE a (id STRING, age INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'sink', 'name' = 'a');\n"  \
    "CREATE TABLE b (id STRING, name STRING, PRIMARY KEY (id) NOT ENFORCED) "                                          \
    "WITH ('connector' = 'sink', 'name' = 'b');\n"                                                                     \
    "EXECUTE STATEMENT SET BEGIN\n"                                                                                    \
    "INSERT INTO a SELECT id, CAST(age AS INT) FROM people;\n"                                                         \
    "INSERT INTO b SELECT id, name FROM people WHERE name <> 'hidden';\n"                                              \
    "END;\n"

/* Killed before the n-th step, for every n, then started again: the same rows with the same write times, the same dead
 * letters, each from its origin; counts over all starts go by origin too. */
static void killed_at_every_step(const char *text, int steps_min)
{
    bool faulted = true;

    for (int n = 0; faulted; n++) {
        struct stage s;
        struct sql_query_status status;

        stage_begin(&s);
        s.fault_at = n;
        engine_begin(&s);
        load(&s, text);
        status = wait_end(&s, -1);
        faulted = status.state == SQL_QUERY_FAILED;
        engine_end(&s);
        s.fault_at = -1;
        engine_begin(&s);
        load(&s, text);
        status = wait_end(&s, -1);
        if (status.state != SQL_QUERY_FINISHED)
            fail_msg("step %d: %s: %s", n, sql_query_state_name(status.state), status.error);
        rows_check(&fake_world.sinks[0], true, sink_a);
        rows_check(&fake_world.sinks[1], true, sink_b);
        rows_check(&fake_world.letters, false, letters);
        assert_int_equal(s.engine->runs[0]->stored_counts.dead_letters + s.engine->runs[0]->counts.dead_letters, 5);
        assert_int_equal(s.engine->runs[0]->stored_counts.rows_in + s.engine->runs[0]->counts.rows_in, 8);
        stage_end(&s);
        assert_true(n < 1000);
        if (!faulted)
            assert_true(n > steps_min);
    }
}

static void test_killed_at_every_step(void **state)
{
    MR_UNUSED(state);
    killed_at_every_step(BOTH, 15);
}

static void test_killed_between_flushes(void **state)
{
    MR_UNUSED(state);
    killed_at_every_step(BOTH_KEYED, 10);
}

/* The same trouble at every step, while the engine may retry: the query goes on by itself, to the same rows. */
static void test_retried_at_every_step(void **state)
{
    bool faulted = true;

    MR_UNUSED(state);
    for (int n = 0; faulted; n++) {
        struct stage s;
        struct sql_query_status status;

        stage_begin(&s);
        s.fault_at = n;
        s.retry_ms = 1;
        engine_begin(&s);
        load(&s, BOTH);
        status = wait_end(&s, -1);
        if (status.state != SQL_QUERY_FINISHED)
            fail_msg("step %d: %s: %s", n, sql_query_state_name(status.state), status.error);
        faulted = s.steps > n;
        rows_check(&fake_world.sinks[0], true, sink_a);
        rows_check(&fake_world.sinks[1], true, sink_b);
        rows_check(&fake_world.letters, false, letters);
        stage_end(&s);
        assert_true(n < 1000);
        if (!faulted)
            assert_true(n > 15);
    }
}

/* After a clean end nothing is read again. */
static void test_resume_at_end(void **state)
{
    struct stage s;

    MR_UNUSED(state);
    stage_begin(&s);
    engine_begin(&s);
    load(&s, BOTH);
    (void)wait_end(&s, -1);
    engine_end(&s);
    memset(fake_world.sinks, 0, sizeof(fake_world.sinks));
    engine_begin(&s);
    load(&s, BOTH);
    assert_int_equal(wait_end(&s, -1).rows_in, 0);
    rows_check(&fake_world.sinks[0], true, "");
    stage_end(&s);
}

static void test_fail_and_skip(void **state)
{
    struct stage s;
    struct sql_query_status status;

    MR_UNUSED(state);
    stage_begin(&s);
    engine_begin(&s);
    load(&s, "SET 'records.on-error' = 'fail';\n" BOTH);
    status = wait_end(&s, -1);
    assert_int_equal(status.state, SQL_QUERY_FAILED);
    assert_non_null(strstr(status.error, "people_topic, partition 0, offset 2 (format.json)"));
    stage_end(&s);
    stage_begin(&s);
    engine_begin(&s);
    load(&s, "SET 'records.on-error' = 'skip';\n" BOTH);
    status = wait_end(&s, -1);
    assert_int_equal(status.state, SQL_QUERY_FINISHED);
    assert_int_equal(status.skipped, 5);
    assert_int_equal(fake_world.letters.count, 0);
    rows_check(&fake_world.sinks[1], true, sink_b);
    stage_end(&s);
}

/* What a source gave as no record is not decoded; the records of one page are told apart; what is too long is cut. */
static void test_letters_of_a_page(void **state)
{
    static char huge[3 << 20];
    const struct fake_record page[] = {
        { 0, 1000, "not json", NULL }, { 0, 1000, "{\"id\":\"1\",\"name\":\"one\",\"age\":11}", NULL },
        { 0, 1000, "not json", NULL }, { 0, 1000, "{\"error\":\"too many\"}", "the answer has no records" },
        { 0, 1000, huge, NULL },
    };
    struct sql_query_status status;
    struct stage s;

    MR_UNUSED(state);
    memset(huge, 'x', sizeof(huge) - 1);
    stage_begin(&s);
    fake_world.records = page;
    fake_world.record_count = MR_COUNT(page);
    fake_world.per_poll = 8;
    fake_world.one_page = true;
    engine_begin(&s);
    load(&s, BOTH);
    status = wait_end(&s, -1);
    assert_int_equal(status.state, SQL_QUERY_FINISHED);
    assert_int_equal(status.dead_letters, 4);
    rows_check(&fake_world.sinks[0], false, "{\"id\":\"1\",\"age\":11}\n");
    rows_check(&fake_world.letters, false,
               "q.dlq: 3145727 bytes, cut to 1000 kB\n"
               "q.dlq: people_topic/0/0 VALUE_CONVERTER format.json not json\n"
               "q.dlq: people_topic/0/0#2 VALUE_CONVERTER format.json not json\n"
               "q.dlq: people_topic/0/0#3 VALUE_CONVERTER format.json {\"error\":\"too many\"}\n");
    stage_end(&s);
}

static void test_plan_changed(void **state)
{
    struct stage s;
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    stage_begin(&s);
    engine_begin(&s);
    load(&s, BOTH);
    (void)wait_end(&s, -1);
    engine_end(&s);
    engine_begin(&s);
    assert_int_equal(
        sql_engine_load(s.engine, mr_str_of(TABLES "INSERT INTO b SELECT id, UPPER(name) FROM people;"), "q", &err),
        MR_EXISTS);
    assert_non_null(strstr(err.text, "- "));
    assert_non_null(strstr(err.text, "+ "));
    assert_non_null(strstr(err.text, "pipeline.name"));
    engine_end(&s);
    engine_begin(&s);
    load(&s, "SET 'pipeline.name' = 'other';\n" TABLES "INSERT INTO b SELECT id, UPPER(name) FROM people;");
    assert_int_equal(wait_end(&s, -1).state, SQL_QUERY_FINISHED);
    stage_end(&s);
}

static void test_names(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        { TABLES "INSERT INTO b SELECT id, name FROM people;\nINSERT INTO b SELECT id, name FROM people;",
          "a second query without a name" },
        { TABLES "SELECT id FROM people;", "nobody to show" },
        { TABLES "SHOW TABLES;", "question" },
        { "SET 'pipeline.name' = 'two words';\n" TABLES "INSERT INTO b SELECT id, name FROM people;", "only letters" },
        { "SET 'records.on-error' = 'cry';\n" TABLES "INSERT INTO b SELECT id, name FROM people;", "records.on-error" },
        { TABLES "INSERT INTO b SELECT id, nam FROM people;", "nam" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct stage s;
        struct mr_err err = MR_ERR_INIT;

        stage_begin(&s);
        engine_begin(&s);
        assert_int_equal(sql_engine_load(s.engine, mr_str_of(cases[i].text), "q", &err), MR_INVALID);
        if (strstr(err.text, cases[i].why) == NULL)
            fail_msg("%zu: %s", i, err.text);
        stage_end(&s);
    }
}

/* What one file sets is not for the next; their tables are. */
static void test_two_files(void **state)
{
    struct stage s;
    struct sql_query_status status;
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    stage_begin(&s);
    engine_begin(&s);
    assert_int_equal(sql_engine_load(s.engine,
                                     mr_str_of("SET 'pipeline.name' = 'first';\n" TABLES
                                               "INSERT INTO b SELECT id, name FROM people;"),
                                     "x", &err),
                     MR_OK);
    if (sql_engine_load(s.engine, MR_STR("INSERT INTO b SELECT name, id FROM people;"), "y", &err) != MR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(sql_engine_load(s.engine, MR_STR("INSERT INTO b SELECT name, id FROM people;"), "y", &err),
                     MR_EXISTS);
    assert_true(sql_engine_query(s.engine, 0, &status));
    assert_string_equal(status.name, "first");
    assert_true(sql_engine_query(s.engine, 1, &status));
    assert_string_equal(status.name, "y");
    assert_int_equal(status.state, SQL_QUERY_STARTING);
    assert_false(sql_engine_query(s.engine, 2, &status));
    stage_end(&s);
}

/* A stop finishes the epoch: what was read is flushed and in the checkpoint. */
static void test_stop(void **state)
{
    struct stage s;
    struct sql_query_status status;

    MR_UNUSED(state);
    stage_begin(&s);
    fake_world.unbounded = true;
    engine_begin(&s);
    load(&s, BOTH);
    status = wait_end(&s, 8);
    assert_int_equal(status.lag, 5);
    sql_engine_stop(s.engine);
    assert_true(sql_engine_query(s.engine, 0, &status));
    assert_int_equal(status.state, SQL_QUERY_STOPPED);
    rows_check(&fake_world.sinks[0], true, sink_a);
    assert_int_equal(fake_world.committed[0], 5);
    stage_end(&s);
}

/* ---- results ---- */

struct seen {
    struct mr_writer text;
    int begun, ended;
    bool live;
};

static void seen_begin(void *arg, const struct data_type *row, bool live)
{
    struct seen *seen = arg;

    MR_UNUSED(row);
    seen->begun++;
    seen->live = live;
}

static void seen_rows(void *arg, const struct data_batch *batch)
{
    struct seen *seen = arg;

    for (uint32_t i = 0; i < batch->row_count; i++) {
        for (uint32_t c = 0; c < batch->column_count; c++) {
            data_cell_write(&seen->text, batch->columns[c], i, true);
            mr_write_u8(&seen->text, c + 1 < batch->column_count ? ',' : '\n');
        }
    }
}

static void seen_end(void *arg)
{
    ((struct seen *)arg)->ended++;
}

static void test_execute(void **state)
{
    static const struct {
        const char *text;
        const char *rows;
        enum mr_status status;
    } cases[] = {
        { "SELECT 1 + 1, 'x';", "2,x\n", MR_OK },
        { "SELECT id, name FROM people LIMIT 2;", "1,one\n2,two\n", MR_OK },
        { "SELECT id FROM people;", "1\n2\n3\n", MR_INVALID },
        { "SET 'records.on-error' = 'skip'; SELECT id FROM people WHERE age IS NOT NULL;", "1\n2\n3\nreject\n8\n",
          MR_OK },
        { "INSERT INTO b VALUES ('7', 'seven'), ('8', 'eight'); SELECT 3;", "3\n", MR_OK },
        { "SHOW QUERIES;", "", MR_OK },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct seen seen = { 0 };
        struct sql_results results = { seen_begin, seen_rows, seen_end, &seen };
        struct mr_err err = MR_ERR_INIT;
        struct stage s;
        enum mr_status status;

        stage_begin(&s);
        engine_begin(&s);
        assert_int_equal(sql_engine_execute(s.engine, MR_STR(TABLES), NULL, NULL, &err), MR_OK);
        status = sql_engine_execute(s.engine, mr_str_of(cases[i].text), NULL, &results, &err);
        mr_write_u8(&seen.text, 0);
        if (status != cases[i].status || (strcmp((const char *)seen.text.data, cases[i].rows) != 0 && status == MR_OK))
            fail_msg("%s: %s %s\n%s", cases[i].text, mr_status_text(status), err.text, (const char *)seen.text.data);
        assert_int_equal(seen.begun, seen.ended);
        if (i == 4)
            rows_check(&fake_world.sinks[1], false,
                       "{\"id\":\"7\",\"name\":\"seven\"}\n{\"id\":\"8\",\"name\":\"eight\"}\n");
        sql_engine_interrupt(s.engine);
        assert_int_equal(sql_engine_execute(s.engine, MR_STR("SELECT 1;"), NULL, NULL, &err), MR_BUSY);
        mr_writer_deinit(&seen.text);
        stage_end(&s);
    }
}

/* INSERT ... VALUES of a pipeline happens once, over all starts. */
static void test_values_once(void **state)
{
    struct stage s;

    MR_UNUSED(state);
    stage_begin(&s);
    for (int start = 0; start < 3; start++) {
        engine_begin(&s);
        s.fault_at = start == 0 ? 2 : -1;
        load(&s, TABLES "INSERT INTO b VALUES ('7', 'seven');");
        assert_int_equal(wait_end(&s, -1).state, start == 0 ? SQL_QUERY_FAILED : SQL_QUERY_FINISHED);
        assert_int_equal(fake_world.sinks[1].count, 1);
        if (start < 2)
            engine_end(&s);
        if (start == 0)
            fake_world.sinks[1].count = 0; /* flushed, not in the checkpoint: written again */
    }
    stage_end(&s);
}

/* ---- control and progress ---- */

static struct sql_query_status status_of(struct stage *s)
{
    struct sql_query_status status;

    assert_true(sql_engine_query(s->engine, 0, &status));
    return status;
}

/* Stopped by hand it stays stopped in the next engine too, until it is started; it then goes on where it was. */
static void test_stop_by_name(void **state)
{
    struct stage s;
    struct mr_err err = MR_ERR_INIT;
    struct sql_query_status before, status;

    MR_UNUSED(state);
    stage_begin(&s);
    fake_world.unbounded = true;
    engine_begin(&s);
    load(&s, BOTH);
    before = wait_end(&s, (int64_t)MR_COUNT(records));
    assert_int_equal(sql_engine_query_stop(s.engine, "nobody", &err), MR_NOT_FOUND);
    assert_non_null(strstr(err.text, "there are q"));
    assert_int_equal(sql_engine_query_start(s.engine, "q", &err), MR_OK); /* it runs */
    assert_string_equal(status_of(&s).run_id, before.run_id);
    assert_int_equal(sql_engine_query_stop(s.engine, "q", &err), MR_OK);
    assert_int_equal(status_of(&s).state, SQL_QUERY_STOPPED);
    assert_int_equal(sql_engine_query_stop(s.engine, "q", &err), MR_OK); /* twice */
    engine_end(&s);
    engine_begin(&s);
    fake_world.unbounded = false;
    load(&s, BOTH);
    status = status_of(&s);
    assert_int_equal(status.state, SQL_QUERY_STOPPED);
    assert_string_equal(status.id, before.id);
    assert_string_equal(status.run_id, "");
    assert_int_equal(sql_engine_query_start(s.engine, "q", &err), MR_OK);
    status = wait_end(&s, -1);
    assert_int_equal(status.state, SQL_QUERY_FINISHED);
    assert_int_equal(status.rows_in, 0);
    assert_string_equal(status.id, before.id);
    assert_string_not_equal(status.run_id, before.run_id);
    rows_check(&fake_world.sinks[0], true, sink_a);
    engine_end(&s);
    engine_begin(&s);
    load(&s, BOTH); /* the wish is gone */
    assert_int_equal(wait_end(&s, -1).state, SQL_QUERY_FINISHED);
    stage_end(&s);
}

/* A query that failed when it was opened is opened anew. */
static void test_start_failed(void **state)
{
    struct stage s;
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    stage_begin(&s);
    engine_begin(&s);
    s.fault_at = 0;
    load(&s, BOTH);
    assert_int_equal(wait_end(&s, -1).state, SQL_QUERY_FAILED);
    assert_non_null(strstr(status_of(&s).error, "stopped by a test"));
    s.fault_at = -1;
    assert_int_equal(sql_engine_query_start(s.engine, "q", &err), MR_OK);
    assert_int_equal(wait_end(&s, -1).state, SQL_QUERY_FINISHED);
    assert_null(strstr(status_of(&s).error, "stopped by a test"));
    rows_check(&fake_world.sinks[1], true, sink_b);
    sql_engine_stop(s.engine);
    assert_int_equal(sql_engine_query_start(s.engine, "q", &err), MR_BUSY);
    stage_end(&s);
}

static char *progress_of(struct stage *s, uint32_t count)
{
    struct mr_writer out = { 0 };
    struct mr_err err = MR_ERR_INIT;

    assert_int_equal(sql_engine_query_progress(s->engine, "q", count, &out, &err), MR_OK);
    mr_write_u8(&out, 0);
    return (char *)out.data;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no %s in %s", part, text);
}

static void test_progress(void **state)
{
    struct stage s;
    char *text;
    struct mr_writer out = { 0 };
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    stage_begin(&s);
    engine_begin(&s);
    load(&s, BOTH);
    assert_int_equal(wait_end(&s, -1).state, SQL_QUERY_FINISHED);
    text = progress_of(&s, 1);
    assert_has(text, "\"runId\":\"");
    assert_has(text, "\"name\":\"q\",\"timestamp\":\"20");
    assert_has(text, "\"numInputRows\":8,");
    assert_has(text, "\"durationMs\":{\"addBatch\":");
    assert_has(text, "\"stateOperators\":[]");
    assert_has(text, "\"endOffset\":{\"0\":5,\"1\":2,\"2\":1}");
    assert_has(text, "\"startOffset\":null");
    assert_has(text, "\"latestOffset\":null");
    assert_has(text, "\"sink\":{\"description\":\"sink[a], sink[b]\",\"numOutputRows\":8}");
    mr_free(text);
    assert_int_equal(sql_engine_query_progress(s.engine, "x", 1, &out, &err), MR_NOT_FOUND);
    assert_true(sql_engine_query_json(s.engine, 0, &out));
    assert_false(sql_engine_query_json(s.engine, 1, &out));
    mr_write_u8(&out, 0);
    assert_has((const char *)out.data, "\"sources\":[{\"table\":\"people\"");
    mr_writer_deinit(&out);
    stage_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_sinks),
        cmocka_unit_test(test_killed_at_every_step),
        cmocka_unit_test(test_killed_between_flushes),
        cmocka_unit_test(test_retried_at_every_step),
        cmocka_unit_test(test_resume_at_end),
        cmocka_unit_test(test_fail_and_skip),
        cmocka_unit_test(test_letters_of_a_page),
        cmocka_unit_test(test_plan_changed),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_two_files),
        cmocka_unit_test(test_execute),
        cmocka_unit_test(test_values_once),
        cmocka_unit_test(test_stop_by_name),
        cmocka_unit_test(test_start_failed),
        cmocka_unit_test(test_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
