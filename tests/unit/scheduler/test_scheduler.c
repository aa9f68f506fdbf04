/* test_scheduler.c -- the scheduler in simulated time, its attempts played by the test: what runs when, retries,
 * timeouts, and a server that dies inside a run. */
#include "scheduler/run_int.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STARTED_MAX = 4000, SECOND = 1000, DAY = 24 * 3600 * SECOND };

static struct world {
    struct mr_env env; /* first: the clock is asked through it */
    struct mr_env_ops ops;
    int64_t now_ms;
    char dir[64];
    struct scheduler_dag *dags[4];
    uint32_t dag_count;
    struct scheduler *scheduler;
    /* attempts, in the order in which they were let in */
    struct attempt *running[64];
    int running_count, released;
    char last[256]; /* "TASK#N" of the newest */
    int stops, hard_stops;
    /* a dead server's process */
    bool leftover;
    int leftover_term, leftover_kill;
    int forgotten;
} world;

static int64_t world_now(struct mr_env *env)
{
    return ((struct world *)env)->now_ms * 1000;
}

static enum mr_status fake_start(struct attempt *a, struct mr_err *err)
{
    assert_true(world.running_count < 64);
    a->pid = 4242;
    snprintf(a->identity, sizeof(a->identity), "boot 1");
    snprintf(a->token, sizeof(a->token), "token");
    MR_UNUSED(err);
    return MR_OK;
}

static void fake_release(struct attempt *a)
{
    world.running[world.running_count++] = a;
    world.released++;
    snprintf(world.last, sizeof(world.last), "%s#%" PRId64, a->task->id, a->number);
}

static void fake_stop(struct attempt *a, bool hard)
{
    MR_UNUSED(a);
    world.stops += !hard;
    world.hard_stops += hard;
}

static bool fake_leftover(struct attempt *a, int signal_number)
{
    assert_int_equal(a->pid, 4242);
    assert_string_equal(a->identity, "boot 1");
    assert_string_equal(a->token, "token");
    if (world.leftover) {
        world.leftover_term += signal_number == SIGTERM;
        world.leftover_kill += signal_number == SIGKILL;
    }
    return world.leftover;
}

static void fake_finish(struct attempt *a)
{
    MR_UNUSED(a);
}

static const struct attempt_ops fake_ops = { fake_start, fake_release, fake_stop, fake_leftover, fake_finish };

static void fake_forget(void *arg, const char *checkpoint)
{
    MR_UNUSED(arg);
    assert_non_null(strchr(checkpoint, '/'));
    world.forgotten++;
}

static int64_t ms_of(const char *text)
{
    int64_t ms;

    assert_int_equal(mr_parse_time_ms(mr_str_of(text), &ms), MR_OK);
    return ms;
}

static void world_open(void)
{
    struct scheduler_options options = { .env = &world.env, .dir = world.dir, .keep_runs = 100, .keep_ms = 90LL * DAY };
    struct mr_err err = MR_ERR_INIT;

    options.sql.forget = fake_forget;
    world.running_count = 0;
    if (scheduler_open(&world.scheduler, &options, world.dags, world.dag_count, &err) != MR_OK)
        fail_msg("%s", err.text);
    scheduler_test_ops(world.scheduler, &fake_ops);
}

static void world_add(const char *id, const char *text)
{
    struct mr_err err = MR_ERR_INIT;

    if (scheduler_dag_parse(&world.dags[world.dag_count++], id, mr_str_of(text), "d.yaml", &err) != MR_OK)
        fail_msg("%s", err.text);
}

static int world_setup(void **state)
{
    MR_UNUSED(state);
    memset(&world, 0, sizeof(world));
    world.ops = *mr_env_real()->ops;
    world.ops.now_us = world_now;
    world.env.ops = &world.ops;
    world.now_ms = ms_of("2026-11-01T12:00:00Z");
    snprintf(world.dir, sizeof(world.dir), "/tmp/test-scheduler-XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    return 0;
}

/* As a crash: nothing is told to end, nothing is written. */
static void world_die(void)
{
    scheduler_close(world.scheduler);
    world.scheduler = NULL;
}

static int world_teardown(void **state)
{
    struct mr_err err;

    MR_UNUSED(state);
    scheduler_close(world.scheduler);
    for (uint32_t i = 0; i < world.dag_count; i++)
        scheduler_dag_free(world.dags[i]);
    assert_int_equal(mr_remove_tree(mr_env_real(), world.dir, &err), MR_OK);
    return 0;
}

static void turn(void)
{
    int64_t wake_ms = scheduler_turn(world.scheduler);

    assert_true(wake_ms > world.now_ms);
}

/* Lets time pass, the scheduler awake whenever it wished to be. */
static void pass(int64_t ms)
{
    int64_t until = world.now_ms + ms;

    for (;;) {
        int64_t wake_ms = scheduler_turn(world.scheduler);

        assert_true(wake_ms > world.now_ms);
        if (wake_ms > until)
            break;
        world.now_ms = wake_ms;
    }
    world.now_ms = until;
    turn();
}

/* The attempt let in first ends. */
static void end(int exit_code)
{
    struct attempt *a = world.running[0];

    assert_true(world.running_count > 0);
    memmove(world.running, world.running + 1, (size_t)--world.running_count * sizeof(world.running[0]));
    a->exit_code = exit_code;
    atomic_store(&a->ended, true);
    turn();
}

static enum mr_status trigger(const char *dag, char run[SCHEDULER_RUN_BYTES])
{
    struct scheduler_trigger how = { 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = scheduler_trigger(world.scheduler, dag, &how, run, &err);

    turn();
    return status;
}

/* ---- asking ---- */

struct answer {
    char text[4096];
    const char *task;
    int runs;
};

static void add_run(void *arg, const struct scheduler_run_view *run)
{
    struct answer *a = arg;

    a->runs++;
    snprintf(a->text + strlen(a->text), sizeof(a->text) - strlen(a->text), "%s ", scheduler_state_name(run->state));
}

static void add_task(void *arg, const struct scheduler_task_view *task)
{
    struct answer *a = arg;

    snprintf(a->text + strlen(a->text), sizeof(a->text) - strlen(a->text), "%s=%s ", task->id,
             scheduler_state_name(task->state));
}

static void add_attempt(void *arg, const struct scheduler_attempt_view *attempt)
{
    struct answer *a = arg;

    snprintf(a->text + strlen(a->text), sizeof(a->text) - strlen(a->text), "%s#%" PRId64 "=%s ", attempt->task,
             attempt->number, scheduler_state_name(attempt->state));
}

/* "STATE TASK=STATE … TASK#N=STATE …" of a run, as the history has it. */
static void assert_run(const char *dag, const char *run, const char *expected)
{
    struct answer a = { 0 };
    struct mr_err err = MR_ERR_INIT;

    assert_int_equal(scheduler_run(world.scheduler, dag, run, add_run, add_task, add_attempt, &a, &err), MR_OK);
    assert_string_equal(a.text, expected);
}

static void assert_runs(const char *dag, const char *expected)
{
    struct answer a = { 0 };
    struct mr_err err = MR_ERR_INIT;

    assert_int_equal(scheduler_runs(world.scheduler, dag, 10, add_run, &a, &err), MR_OK);
    assert_string_equal(a.text, expected);
}

/* ---- tests ---- */

#define ARTICLE                                                                                                        \
    "schedule: 0 1 * * *\nstart_date: 2018-12-21 12:12\ncatchup: false\nretries: 1\nretry_delay: 5 s\n"                \
    "tasks: [{id: fetch, kind: sql, sql: INSERT}]\n"
#define MANUAL(rest) "retries: 1\nretry_delay: 5 s\ntasks: [{id: a, command: x" rest "}]\n"

static void test_month(void **state)
{
    struct answer a = { 0 };
    struct mr_err err = MR_ERR_INIT;
    int64_t stop_ms = world.now_ms + 30LL * DAY;

    MR_UNUSED(state);
    world_add("article", ARTICLE);
    world_open();
    while (world.now_ms < stop_ms) {
        int64_t wake_ms = scheduler_turn(world.scheduler);

        if (world.running_count > 0) {
            assert_int_equal(world.running_count, 1);
            assert_string_equal(world.last, "fetch#1");
            world.now_ms += 120 * SECOND;
            end(0);
            continue;
        }
        world.now_ms = wake_ms + 60 * SECOND; /* the machine was asleep for a minute each time */
    }
    assert_int_equal(scheduler_runs(world.scheduler, "article", 1000, add_run, &a, &err), MR_OK);
    assert_int_equal(a.runs, 31);
    assert_int_equal(world.released, 31);
    assert_int_equal(world.forgotten, 31);
    assert_run("article", "scheduled__2026-10-31T01:00:00Z", "success fetch=success fetch#1=success ");
    assert_run("article", "scheduled__2026-11-30T01:00:00Z", "success fetch=success fetch#1=success ");
}

static void test_retries(void **state)
{
    char run[SCHEDULER_RUN_BYTES];

    MR_UNUSED(state);
    world_add("d", "retries: 2\nretry_delay: 10 s\nretry_exponential_backoff: true\nmax_retry_delay: 15 s\n"
                   "tasks:\n- {id: a, command: x}\n- {id: b, command: x, depends_on: a}\n- {id: c, command: x}\n"
                   "- {id: d, command: x, depends_on: [b, c]}\n");
    world_open();
    assert_int_equal(trigger("d", run), MR_OK);
    assert_int_equal(world.running_count, 2); /* a and c */
    end(1);
    assert_run("d", run, "running a=up_for_retry b=none c=running d=none a#1=failed c#1=running ");
    end(0);
    pass(9 * SECOND);
    assert_int_equal(world.running_count, 0);
    pass(1 * SECOND);
    assert_string_equal(world.last, "a#2");
    end(2);
    pass(14 * SECOND);
    assert_int_equal(world.running_count, 0); /* 20 s, at most 15 */
    pass(1 * SECOND);
    assert_string_equal(world.last, "a#3");
    end(3);
    assert_run("d", run,
               "failed a=failed b=upstream_failed c=success d=upstream_failed a#1=failed a#2=failed a#3=failed "
               "c#1=success ");
    pass(DAY);
    assert_int_equal(world.released, 4);
}

static void test_skipped(void **state)
{
    char run[SCHEDULER_RUN_BYTES];

    MR_UNUSED(state);
    world_add("d", "tasks:\n- {id: a, command: x}\n- {id: b, command: x, depends_on: a}\n");
    world_open();
    assert_int_equal(trigger("d", run), MR_OK);
    end(99);
    assert_run("d", run, "success a=skipped b=skipped a#1=skipped ");
}

static void test_timeouts(void **state)
{
    char run[SCHEDULER_RUN_BYTES];

    MR_UNUSED(state);
    world_add("d", "retries: 1\nretry_delay: 1 s\ntimeout: 60 s\n"
                   "tasks:\n- {id: a, command: x, timeout: 10 s}\n- {id: b, command: x, depends_on: a}\n");
    world_open();
    assert_int_equal(trigger("d", run), MR_OK);
    pass(9900);
    assert_int_equal(world.stops, 0);
    pass(100);
    assert_int_equal(world.stops, 1);
    pass(4900);
    assert_int_equal(world.hard_stops, 0);
    pass(100);
    assert_int_equal(world.hard_stops, 1);
    end(128 + SIGKILL);
    assert_run("d", run, "running a=up_for_retry b=none a#1=failed ");
    pass(1 * SECOND);
    end(0);
    assert_string_equal(world.last, "b#1");
    pass(44 * SECOND); /* the run's 60 s */
    assert_int_equal(world.stops, 2);
    end(128 + SIGTERM);
    assert_run("d", run, "failed a=success b=failed a#1=failed a#2=success b#1=failed ");
}

static void test_never_two_at_once(void **state)
{
    char first[SCHEDULER_RUN_BYTES], second[SCHEDULER_RUN_BYTES], third[SCHEDULER_RUN_BYTES];
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    world_add("d", "schedule: 0 13 * * *\nstart_date: 2026-10-01\n" MANUAL(""));
    world_open();
    assert_int_equal(scheduler_pause(world.scheduler, "d", true, &err), MR_OK);
    pass(2 * DAY);
    assert_int_equal(world.released, 0);
    assert_int_equal(trigger("d", first), MR_OK);
    assert_int_equal(trigger("d", second), MR_OK);
    assert_string_not_equal(first, second); /* of the same millisecond */
    assert_runs("d", "queued queued ");
    assert_int_equal(scheduler_pause(world.scheduler, "d", false, &err), MR_OK);
    turn();
    assert_runs("d", "queued running ");
    end(1);
    assert_int_equal(world.running_count, 0); /* between two tries it still is the only one */
    pass(4 * SECOND);
    assert_int_equal(world.running_count, 0);
    pass(1 * SECOND);
    assert_int_equal(world.running_count, 1);
    pass(2 * DAY); /* what is due waits, too */
    assert_int_equal(world.running_count, 1);
    end(0);
    assert_runs("d", "running success ");
    assert_int_equal(trigger("d", third), MR_OK);
    end(0);
    end(0);
    assert_runs("d", "running success success success "); /* the latest interval, once */
    end(0);
    assert_int_equal(world.running_count, 0);
}

static void assert_param(const char *name, const char *value)
{
    const struct run *run = world.running[0]->run;
    int found = 0;

    for (uint32_t i = 0; i < run->param_count; i++) {
        if (strcmp(run->params[i].name, name) != 0)
            continue;
        assert_string_equal(run->params[i].value, value);
        found++;
    }
    assert_int_equal(found, 1);
}

static void test_params(void **state)
{
    struct scheduler_pair pairs[] = { { "country", "DE" } }, unknown[] = { { "contry", "DE" } };
    struct scheduler_trigger how = { .params = pairs, .param_count = 1 };
    char run[SCHEDULER_RUN_BYTES];
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    world_add("d", "params: {country: FR, count: 10}\n" MANUAL(""));
    world_open();
    assert_int_equal(scheduler_trigger(world.scheduler, "d", &how, run, &err), MR_OK);
    turn();
    assert_param("country", "DE");
    assert_param("count", "10");
    how.unless_active = true;
    assert_int_equal(scheduler_trigger(world.scheduler, "d", &how, run, &err), MR_EXISTS);
    how = (struct scheduler_trigger){ .params = unknown, .param_count = 1 };
    assert_int_equal(scheduler_trigger(world.scheduler, "d", &how, run, &err), MR_INVALID);
    assert_non_null(strstr(err.text, "did you mean \"country\"?"));
    assert_int_equal(scheduler_trigger(world.scheduler, "e", &how, run, &err), MR_NOT_FOUND);
    assert_int_equal(scheduler_trigger(world.scheduler, "dd", &how, run, &err), MR_NOT_FOUND);
    world_die(); /* a run keeps its params over a crash */
    world_open();
    turn();
    pass(5 * SECOND);
    assert_string_equal(world.last, "a#2");
    assert_param("country", "DE");
    assert_param("count", "10");
}

/* kill -9 inside a run: its process is ended first, then the task is tried again, by its own rule; another run
 * waits. */
static void test_killed(void **state)
{
    char first[SCHEDULER_RUN_BYTES], second[SCHEDULER_RUN_BYTES];

    MR_UNUSED(state);
    world_add("d", MANUAL(""));
    world_open();
    assert_int_equal(trigger("d", first), MR_OK);
    assert_int_equal(trigger("d", second), MR_OK);
    world_die();
    world.leftover = true;
    world.now_ms += 3600 * SECOND;
    world_open();
    turn();
    assert_int_equal(world.leftover_term, 1);
    pass(4 * SECOND);
    assert_int_equal(world.leftover_kill, 0);
    assert_int_equal(world.leftover_term, 1);
    pass(2 * SECOND);
    assert_int_equal(world.leftover_kill, 1);
    assert_int_equal(world.released, 1); /* nothing begins while it is there */
    assert_run("d", first, "running a=running a#1=running ");
    world.leftover = false;
    pass(20);
    assert_run("d", first, "running a=up_for_retry a#1=failed ");
    pass(5 * SECOND);
    assert_string_equal(world.last, "a#2");
    assert_int_equal(world.running_count, 1);
    world_die(); /* a second time: no tries are left */
    world_open();
    turn();
    assert_run("d", first, "failed a=failed a#1=failed a#2=failed ");
    assert_string_equal(world.last, "a#1"); /* of the second run */
    end(0);
    assert_run("d", second, "success a=success a#1=success ");
    assert_int_equal(world.released, 3);
}

/* A SQL task goes on from its checkpoint, whatever its retries say, and it is no new try. */
static void test_killed_sql(void **state)
{
    char run[SCHEDULER_RUN_BYTES];

    MR_UNUSED(state);
    world_add("d", "tasks: [{id: a, sql: INSERT}]");
    world_open();
    assert_int_equal(trigger("d", run), MR_OK);
    for (int i = 0; i < 3; i++) {
        world_die();
        world_open();
        turn();
        assert_int_equal(world.running_count, 1);
        assert_int_equal(world.forgotten, 0);
    }
    assert_string_equal(world.last, "a#4");
    end(0);
    assert_run("d", run, "success a=success a#1=up_for_retry a#2=up_for_retry a#3=up_for_retry a#4=success ");
    assert_int_equal(world.forgotten, 1);
}

/* Between the start of a process and its record: the gate was never opened, and the next server starts it anew. */
static void test_history_locked(void **state)
{
    char run[SCHEDULER_RUN_BYTES], path[128];
    struct scheduler_trigger how = { 0 };
    struct mr_err err = MR_ERR_INIT;
    sqlite3 *other = NULL;

    MR_UNUSED(state);
    world_add("d", MANUAL(""));
    world_open();
    assert_int_equal(scheduler_trigger(world.scheduler, "d", &how, run, &err), MR_OK);
    snprintf(path, sizeof(path), "%s/scheduler.db", world.dir);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    turn();
    assert_int_equal(world.released, 0);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_run("d", run, "queued a=none ");
    world.now_ms += HISTORY_RETRY_MS;
    turn();
    assert_int_equal(world.released, 1);
    assert_run("d", run, "running a=running a#1=running ");
    end(0);
    assert_run("d", run, "success a=success a#1=success ");
}

/* A DAG that is gone, and a task that is: their processes are ended all the same. */
static void test_gone(void **state)
{
    char run[SCHEDULER_RUN_BYTES], other[SCHEDULER_RUN_BYTES];
    struct mr_err err = MR_ERR_INIT;
    struct answer a = { 0 };

    MR_UNUSED(state);
    world_add("d", "tasks: [{id: a, command: x}, {id: b, command: x}]");
    world_add("e", MANUAL(""));
    world_open();
    assert_int_equal(trigger("d", run), MR_OK);
    assert_int_equal(trigger("e", other), MR_OK);
    world_die();
    scheduler_dag_free(world.dags[0]);
    scheduler_dag_free(world.dags[1]);
    world.dag_count = 0;
    world_add("d", "tasks: [{id: b, command: x, retries: 5, retry_delay: 0 s}]");
    world.leftover = true;
    world_open();
    turn();
    assert_int_equal(world.leftover_term, 3);
    world.leftover = false;
    pass(1 * SECOND);
    assert_string_equal(world.last, "b#2");
    end(0);
    assert_run("d", run, "success a=removed b=success a#1=failed b#1=failed b#2=success ");
    assert_int_equal(scheduler_runs(world.scheduler, "e", 10, add_run, &a, &err), MR_NOT_FOUND);
    world_die();
    world_add("e", MANUAL(""));
    world_open();
    assert_run("e", other, "failed a=removed a#1=failed ");
}

static void test_kept(void **state)
{
    struct answer a = { 0 };
    struct mr_err err = MR_ERR_INIT;
    char run[SCHEDULER_RUN_BYTES], first[SCHEDULER_RUN_BYTES], path[256];
    struct stat st;

    MR_UNUSED(state);
    world_add("d", MANUAL(""));
    world_open();
    for (int i = 0; i < 103; i++) {
        assert_int_equal(trigger("d", i == 0 ? first : run), MR_OK);
        if (i == 0) {
            snprintf(path, sizeof(path), "%s/logs", world.dir);
            assert_int_equal(mkdir(path, 0700), 0);
            snprintf(path, sizeof(path), "%s/logs/d", world.dir);
            assert_int_equal(mkdir(path, 0700), 0);
            snprintf(path, sizeof(path), "%s/logs/d/%s", world.dir, first);
            assert_int_equal(mkdir(path, 0700), 0);
        }
        world.now_ms += SECOND;
        end(0);
    }
    pass(3600 * SECOND);
    assert_int_equal(scheduler_runs(world.scheduler, "d", 1000, add_run, &a, &err), MR_OK);
    assert_int_equal(a.runs, 100);
    assert_int_equal(stat(path, &st), -1);
    pass(91LL * DAY);
    a.runs = 0;
    assert_int_equal(scheduler_runs(world.scheduler, "d", 1000, add_run, &a, &err), MR_OK);
    assert_int_equal(a.runs, 1);
}

static void test_newer_format(void **state)
{
    struct scheduler_options options = { .env = &world.env, .dir = world.dir };
    struct mr_err err = MR_ERR_INIT;
    char path[128];
    sqlite3 *db = NULL;

    MR_UNUSED(state);
    world_add("d", MANUAL(""));
    world_open();
    world_die();
    snprintf(path, sizeof(path), "%s/scheduler.db", world.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(scheduler_open(&world.scheduler, &options, world.dags, world.dag_count, &err), MR_UNSUPPORTED);
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        WORLD(test_month),  WORLD(test_retries), WORLD(test_skipped),        WORLD(test_timeouts),
        WORLD(test_params), WORLD(test_killed),  WORLD(test_killed_sql),     WORLD(test_never_two_at_once),
        WORLD(test_gone),   WORLD(test_kept),    WORLD(test_history_locked), WORLD(test_newer_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
