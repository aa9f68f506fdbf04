/* test_thread.c -- the scheduler on its own thread, with real processes and a script that waits to be stopped. */
#include "scheduler/run_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "max_active_runs: 4\n"
                           "tasks:\n"
                           "- {id: first, command: 'echo $MILLRACE_ATTEMPT'}\n"
                           "- {id: second, command: exit 99, depends_on: first}\n"
                           "- {id: third, command: kill -9 $$, depends_on: first}\n";
static const char waiting[] = "tasks: [{id: script, sql: INSERT}]";

/* A question, and the answer that the asker waits for. */
struct question {
    struct scheduler *scheduler;
    const char *dag;
    char run[SCHEDULER_RUN_BYTES];
    int ended, failed;
    enum mr_status status;
    struct mr_err err;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done;
};

static void ask(struct question *q, mr_job_fn *job)
{
    q->done = false;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->answered, NULL);
    assert_int_equal(scheduler_post(q->scheduler, job, q), MR_OK);
    pthread_mutex_lock(&q->lock);
    while (!q->done)
        pthread_cond_wait(&q->answered, &q->lock);
    pthread_mutex_unlock(&q->lock);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->answered);
    if (q->status != MR_OK)
        fail_msg("%s", q->err.text);
}

static void answer(struct question *q)
{
    pthread_mutex_lock(&q->lock);
    q->done = true;
    pthread_cond_signal(&q->answered);
    pthread_mutex_unlock(&q->lock);
}

static void trigger_job(void *arg)
{
    struct question *q = arg;
    struct scheduler_trigger how = { 0 };

    q->status = scheduler_trigger(q->scheduler, q->dag, &how, q->run, &q->err);
    answer(q);
}

static void count_run(void *arg, const struct scheduler_run_view *run)
{
    struct question *q = arg;

    q->ended += scheduler_state_is_final(run->state);
    q->failed += run->state == SCHEDULER_FAILED;
}

static void count_job(void *arg)
{
    struct question *q = arg;

    q->ended = q->failed = 0;
    q->status = scheduler_runs(q->scheduler, q->dag, 100, count_run, q, &q->err);
    answer(q);
}

/* ---- a script that ends when it is told to ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool running, stop;
} script = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false };

static enum mr_status script_begin(void *arg, const char *dag, const char *task, const char *checkpoint, void **out,
                                   struct mr_err *err)
{
    MR_UNUSED(arg);
    MR_UNUSED(err);
    assert_string_equal(dag, "waiting");
    assert_string_equal(task, "script");
    assert_non_null(strstr(checkpoint, "waiting/manual__"));
    *out = &script;
    return MR_OK;
}

static enum mr_status script_run(void *job, struct mr_err *err)
{
    MR_UNUSED(job);
    pthread_mutex_lock(&script.lock);
    script.running = true;
    pthread_cond_broadcast(&script.changed);
    while (!script.stop)
        pthread_cond_wait(&script.changed, &script.lock);
    pthread_mutex_unlock(&script.lock);
    return mr_err_set(err, MR_BUSY, "stopped");
}

static void script_stop(void *job, bool hard)
{
    MR_UNUSED(job);
    MR_UNUSED(hard);
    pthread_mutex_lock(&script.lock);
    script.stop = true;
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
}

static void script_counts(void *job, int64_t *rows_in, int64_t *rows_out, int64_t *dead_letters)
{
    MR_UNUSED(job);
    *rows_in = *rows_out = *dead_letters = 0;
}

static void script_end(void *job)
{
    MR_UNUSED(job);
}

static void script_forget(void *arg, const char *checkpoint)
{
    MR_UNUSED(arg);
    fail_msg("%s is forgotten, and its run has not ended", checkpoint);
}

static void test_life(void **state)
{
    char dir[] = "/tmp/test-thread-XXXXXX";
    struct scheduler_options options = {
        .dir = dir,
        .sql = { script_begin, script_run, script_stop, script_counts, script_end, script_forget, NULL },
    };
    struct question q = { .dag = "real" }, w = { .dag = "waiting" };
    struct scheduler_dag *dags[2];
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(scheduler_dag_parse(&dags[0], "real", MR_STR(text), "real.yaml", &err), MR_OK);
    assert_int_equal(scheduler_dag_parse(&dags[1], "waiting", MR_STR(waiting), "waiting.yaml", &err), MR_OK);
    assert_int_equal(scheduler_open(&q.scheduler, &options, dags, 2, &err), MR_OK);
    scheduler_start(q.scheduler);
    w.scheduler = q.scheduler;
    ask(&w, trigger_job);
    for (int i = 0; i < 8; i++)
        ask(&q, trigger_job);
    while (q.ended < 8)
        ask(&q, count_job);
    assert_int_equal(q.failed, 8); /* of signal 9 */
    pthread_mutex_lock(&script.lock);
    while (!script.running)
        pthread_cond_wait(&script.changed, &script.lock);
    pthread_mutex_unlock(&script.lock);
    scheduler_stop(q.scheduler);
    assert_true(script.stop);
    assert_int_equal(scheduler_post(q.scheduler, count_job, &q), MR_BUSY);
    scheduler_close(q.scheduler);
    scheduler_dag_free(dags[0]);
    scheduler_dag_free(dags[1]);
    assert_int_equal(mr_remove_tree(mr_env_real(), dir, &err), MR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_life) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
