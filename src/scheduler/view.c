/* view.c -- what others may know: DAGs, runs, tasks, attempts, logs.  All of it on the scheduler's thread. */
#include "base/text.h"
#include "scheduler/run_int.h"

#include <string.h>

enum { LATEST = 0 };

struct dags_view {
    scheduler_dag_fn *each;
    void *arg;
    struct scheduler_dag_view *view;
};

static enum mr_status last_run(void *arg, const char *dag, const struct scheduler_run_view *run, struct mr_err *err)
{
    struct dags_view *v = arg;

    MR_UNUSED(dag);
    MR_UNUSED(err);
    v->view->has_last = true;
    v->view->last = *run;
    v->each(v->arg, v->view); /* now: the run's texts are borrowed */
    return MR_OK;
}

enum mr_status scheduler_dags(struct scheduler *scheduler, scheduler_dag_fn *each, void *arg, struct mr_err *err)
{
    struct scheduler *s = scheduler;
    enum mr_status status = MR_OK;

    for (uint32_t i = 0; i < s->dag_count && status == MR_OK; i++) {
        struct dag_entry *e = &s->dags[i];
        struct timetable_interval next;
        struct scheduler_dag_view view = { .dag = e->dag, .paused = e->paused };
        struct dags_view v = { each, arg, &view };

        view.next_logical_ms = view.next_run_ms = SCHEDULER_NO_TIME;
        if (scheduler_entry_next(e, mr_now_ms(s->env), &next)) {
            view.next_logical_ms = next.start_ms;
            view.next_run_ms = next.end_ms;
        }
        for (const struct run *run = e->runs; run != NULL; run = run->next) {
            view.running += run->state == SCHEDULER_RUNNING;
            view.queued += run->state == SCHEDULER_QUEUED;
        }
        status = history_runs(s->history, e->id, NULL, 1, last_run, &v, err);
        if (status == MR_OK && !view.has_last)
            each(arg, &view);
    }
    return status;
}

struct runs_view {
    scheduler_run_fn *each;
    void *arg;
    bool found;
};

static enum mr_status run_view(void *arg, const char *dag, const struct scheduler_run_view *run, struct mr_err *err)
{
    struct runs_view *v = arg;

    MR_UNUSED(dag);
    MR_UNUSED(err);
    v->found = true;
    v->each(v->arg, run);
    return MR_OK;
}

enum mr_status scheduler_runs(struct scheduler *scheduler, const char *dag, int64_t limit, scheduler_run_fn *each,
                              void *arg, struct mr_err *err)
{
    struct runs_view v = { .each = each, .arg = arg };
    struct dag_entry *e;
    enum mr_status status = scheduler_entry_find(scheduler, dag, &e, err);

    return status == MR_OK ? history_runs(scheduler->history, dag, NULL, limit, run_view, &v, err) : status;
}

struct attempts_view {
    struct scheduler *scheduler;
    const struct dag_entry *dag;
    const char *run;
    scheduler_attempt_fn *each;
    void *arg;
};

static struct attempt *under_way(const struct dag_entry *dag, const char *run_id, const char *task)
{
    for (const struct run *run = dag->runs; run != NULL; run = run->next) {
        if (strcmp(run->id, run_id) != 0)
            continue;
        for (uint32_t i = 0; i < run->task_count; i++) {
            if (strcmp(run->tasks[i].id, task) == 0)
                return run->tasks[i].attempt;
        }
    }
    return NULL;
}

/* The counts of a script that runs are newer than the history's. */
static void attempt_view(void *arg, const struct scheduler_attempt_view *stored)
{
    struct attempts_view *v = arg;
    struct scheduler_attempt_view view = *stored;
    const struct attempt *a = under_way(v->dag, v->run, view.task);

    if (a != NULL && a->number == view.number && a->job != NULL && !a->settled)
        v->scheduler->options.sql.counts(a->job, &view.rows_in, &view.rows_out, &view.dead_letters);
    v->each(v->arg, &view);
}

static enum mr_status run_find(struct scheduler *s, const char *dag, const char *run, scheduler_run_fn *each, void *arg,
                               struct dag_entry **out, struct mr_err *err)
{
    struct runs_view v = { .each = each, .arg = arg };
    enum mr_status status = scheduler_entry_find(s, dag, out, err);

    if (status == MR_OK)
        status = history_runs(s->history, dag, run, 1, run_view, &v, err);
    if (status == MR_OK && !v.found)
        return mr_err_set(err, MR_NOT_FOUND, "%s has no run \"%.100s\"", dag, run);
    return status;
}

enum mr_status scheduler_run(struct scheduler *scheduler, const char *dag, const char *run, scheduler_run_fn *each_run,
                             scheduler_task_fn *each_task, scheduler_attempt_fn *each_attempt, void *arg,
                             struct mr_err *err)
{
    struct dag_entry *e = NULL;
    struct attempts_view v = { .scheduler = scheduler, .run = run, .each = each_attempt, .arg = arg };
    enum mr_status status = run_find(scheduler, dag, run, each_run, arg, &e, err);

    if (status != MR_OK)
        return status;
    v.dag = e;
    status = history_tasks(scheduler->history, dag, run, each_task, arg, err);
    if (status == MR_OK)
        status = history_attempts(scheduler->history, dag, run, attempt_view, &v, err);
    return status;
}

/* ---- logs ---- */

struct log_view {
    const char *task;
    int64_t wanted, found;
    bool ended;
    bool has_task;
};

static void log_run(void *arg, const struct scheduler_run_view *run)
{
    MR_UNUSED(arg);
    MR_UNUSED(run);
}

static void log_task(void *arg, const struct scheduler_task_view *task)
{
    struct log_view *v = arg;

    v->has_task = v->has_task || strcmp(task->id, v->task) == 0;
}

static void log_attempt(void *arg, const struct scheduler_attempt_view *attempt)
{
    struct log_view *v = arg;

    if (strcmp(attempt->task, v->task) != 0 || (v->wanted != LATEST && attempt->number != v->wanted))
        return;
    v->found = attempt->number;
    v->ended = attempt->ended_ms != SCHEDULER_NO_TIME;
}

static enum mr_status log_read(struct scheduler *s, const char *path, int64_t from, struct mr_writer *out,
                               int64_t *next, struct mr_err *err)
{
    struct mr_file *file = NULL;
    int64_t size = 0;
    size_t wanted, got = 0;
    enum mr_status status = mr_file_open(s->env, &file, path, MR_OPEN_READ, err);

    if (status != MR_OK)
        return status;
    status = s->env->ops->size(file, &size, err);
    if (from < 0)
        from = size + from > 0 ? size + from : 0;
    if (from > size)
        from = size;
    wanted = size - from > SCHEDULER_LOG_BYTES_MAX ? SCHEDULER_LOG_BYTES_MAX : (size_t)(size - from);
    if (status == MR_OK)
        status = mr_file_pread(file, mr_writer_reserve(out, wanted), wanted, from, &got, err);
    mr_file_close(file);
    if (status != MR_OK)
        return status;
    out->size += got;
    *next = from + (int64_t)got;
    return MR_OK;
}

enum mr_status scheduler_log(struct scheduler *scheduler, const char *dag, const char *run, const char *task,
                             int64_t attempt, int64_t from, struct mr_writer *out, int64_t *next, bool *ended,
                             struct mr_err *err)
{
    struct log_view v = { .task = task, .wanted = attempt };
    struct dag_entry *e = NULL;
    char path[MR_PATH_BYTES];
    enum mr_status status = run_find(scheduler, dag, run, log_run, NULL, &e, err);

    if (status == MR_OK)
        status = history_tasks(scheduler->history, dag, run, log_task, &v, err);
    if (status == MR_OK && !v.has_task)
        return mr_err_set(err, MR_NOT_FOUND, "run %s of %s has no task \"%.100s\"", run, dag, task);
    if (status == MR_OK)
        status = history_attempts(scheduler->history, dag, run, log_attempt, &v, err);
    if (status == MR_OK && v.found == 0)
        return mr_err_set(err, MR_NOT_FOUND,
                          attempt == LATEST ? "task %s has not been started yet" : "task %s had no such attempt", task);
    if (status == MR_OK)
        status = attempt_log_path(path, scheduler, dag, run, task, v.found, err);
    if (status == MR_OK)
        status = log_read(scheduler, path, from, out, next, err);
    if (status == MR_OK)
        *ended = v.ended;
    return status;
}
