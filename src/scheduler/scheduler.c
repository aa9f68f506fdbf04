/* scheduler.c -- the thread: jobs from others, what is due, and one transaction for all that changed.
 *
 * A turn   1 every active run is advanced (run.c), due intervals become runs, queued runs begin where there is room
 *          2 all that changed is written in one transaction
 *          3 attempts that were recorded begin; those that ended and were recorded are let go
 * and again, until nothing changes.  When step 2 fails (a full disk), nothing begins and nothing is forgotten: the turn
 * is repeated a second later.
 *
 * Invariants
 *   S1  a process of a task runs only after its pid and identity are on disk (process.c's gate).
 *   S2  the run of an interval and the mark how far the schedule was followed are written together.
 *   S3  a run leaves memory only after its end is on disk. */
#include "base/logging.h"
#include "base/text.h"
#include "scheduler/run_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    LOOK_MS = 2000, /* at least so often: the wall clock may jump */
    SWEEP_MS = 60 * 60 * 1000,
};

/* ---- opening ---- */

static struct mr_metric *metric_of(enum mr_metric_kind kind, const char *name, const char *dag, const char *state,
                                   const char *help)
{
    struct mr_writer labels = { 0 };
    struct mr_metric *metric;

    mr_metric_label(&labels, "dag", mr_str_of(dag));
    if (state != NULL)
        mr_metric_label(&labels, "state", mr_str_of(state));
    mr_write_u8(&labels, 0);
    metric = mr_metric(kind, name, (const char *)labels.data, help);
    mr_writer_deinit(&labels);
    return metric;
}

static struct dag_entry *entry_add(struct scheduler *s, const char *id, const struct scheduler_dag *dag)
{
    static const char runs_help[] = "Runs of the DAG that ended.";
    struct dag_entry *e = &s->dags[s->entry_count++];

    e->id = mr_strdup(id);
    e->dag = dag;
    e->last_end_ms = SCHEDULER_NO_TIME;
    e->running = metric_of(MR_METRIC_GAUGE, "millrace_dag_runs_active", id, NULL, "Runs queued or under way.");
    e->succeeded = metric_of(MR_METRIC_COUNTER, "millrace_dag_runs_total", id, "success", runs_help);
    e->failed = metric_of(MR_METRIC_COUNTER, "millrace_dag_runs_total", id, "failed", runs_help);
    e->attempts =
        metric_of(MR_METRIC_COUNTER, "millrace_dag_task_attempts_total", id, NULL, "Attempts of tasks that ended.");
    e->next_run = metric_of(MR_METRIC_GAUGE, "millrace_dag_next_run_timestamp_seconds", id, NULL,
                            "When the next scheduled run is due; 0: never.");
    e->last_success = metric_of(MR_METRIC_GAUGE, "millrace_dag_last_success_timestamp_seconds", id, NULL,
                                "When a run last ended well; 0: not since the start.");
    return e;
}

struct dag_entry *scheduler_entry(struct scheduler *s, const char *dag)
{
    for (uint32_t i = 0; i < s->entry_count; i++) {
        if (strcmp(s->dags[i].id, dag) == 0)
            return &s->dags[i];
    }
    return NULL;
}

static void run_append(struct run *run)
{
    struct run **at = &run->dag->runs;

    while (*at != NULL)
        at = &(*at)->next;
    *at = run;
}

/* A task's stored state into RUN; tasks that the DAG has no longer are added without a definition. */
static void task_restore(void *arg, const struct scheduler_task_view *view)
{
    struct run *run = arg;
    struct run_task *task = NULL;

    for (uint32_t i = 0; i < run->task_count && task == NULL; i++) {
        if (strcmp(run->tasks[i].id, view->id) == 0)
            task = &run->tasks[i];
    }
    if (task == NULL) {
        run->tasks = mr_realloc(run->tasks, (run->task_count + 1) * sizeof(*run->tasks));
        task = &run->tasks[run->task_count++];
        memset(task, 0, sizeof(*task));
        task->id = mr_strdup(view->id);
    }
    task->state = view->state;
    task->attempts = view->attempts;
    task->tries = view->tries;
    task->started_ms = view->started_ms;
    task->ended_ms = view->ended_ms;
    task->retry_ms = view->retry_ms;
}

static enum mr_status run_restore(void *arg, const char *dag, const struct scheduler_run_view *view, struct mr_err *err)
{
    struct scheduler *s = arg;
    struct dag_entry *entry = scheduler_entry(s, dag);
    struct mr_err ignored = MR_ERR_INIT;
    struct run *run;
    enum mr_status status;

    assert(entry != NULL); /* gone_dag_add */
    run = run_new(entry, view);
    status = history_tasks(s->history, dag, run->id, task_restore, run, err);
    for (uint32_t i = 0; i < run->task_count && status == MR_OK; i++) {
        struct run_task *task = &run->tasks[i];

        if (task->state != SCHEDULER_RUNNING)
            continue;
        task->attempt = attempt_new(s, run, task);
        task->attempt->leftover = true;
        task->attempt->number = task->attempts;
        status = history_identity(s->history, task->attempt, err);
        if (status == MR_OK && attempt_log_open(task->attempt, &ignored) != MR_OK)
            mr_log(MR_LOG_WARN, "scheduler", "%s", ignored.text); /* the outcome is in the history all the same */
    }
    if (status != MR_OK) {
        run_free(run);
        return status;
    }
    if (entry->dag == NULL) /* nothing else will begin it */
        run->state = SCHEDULER_RUNNING;
    run_append(run);
    return MR_OK;
}

/* Runs point to entries, which must not move any more: their list is made whole before. */
static enum mr_status gone_dag_add(void *arg, const char *dag, const struct scheduler_run_view *view,
                                   struct mr_err *err)
{
    struct scheduler *s = arg;

    MR_UNUSED(view);
    MR_UNUSED(err);
    if (scheduler_entry(s, dag) != NULL)
        return MR_OK;
    s->dags = mr_realloc(s->dags, (s->entry_count + 1) * sizeof(*s->dags));
    memset(&s->dags[s->entry_count], 0, sizeof(*s->dags));
    entry_add(s, dag, NULL);
    return MR_OK;
}

static enum mr_status history_load(struct scheduler *s, struct mr_err *err)
{
    char path[MR_PATH_BYTES];
    enum mr_status status = mr_mkdirs(s->env, s->dir, err);

    if (status == MR_OK)
        status = mr_path_join(path, s->dir, "scheduler.db", err);
    if (status == MR_OK)
        status = history_open(&s->history, path, err);
    if (status == MR_OK)
        status = history_begin(s->history, err);
    if (status != MR_OK)
        return status;
    for (uint32_t i = 0; i < s->dag_count && status == MR_OK; i++)
        status = history_dag(s->history, &s->dags[i], mr_now_ms(s->env), err);
    status = history_end(s->history, status, err);
    if (status == MR_OK)
        status = history_active(s->history, gone_dag_add, s, err);
    if (status == MR_OK)
        status = history_active(s->history, run_restore, s, err);
    return status;
}

enum mr_status scheduler_open(struct scheduler **out, const struct scheduler_options *options,
                              struct scheduler_dag **dags, uint32_t count, struct mr_err *err)
{
    struct scheduler *s = MR_NEW(struct scheduler);
    pthread_condattr_t attributes;
    enum mr_status status;

    s->options = *options;
    s->env = options->env != NULL ? options->env : mr_env_real();
    s->dir = mr_strdup(options->dir);
    s->project_dir = mr_strdup(options->project_dir != NULL ? options->project_dir : ".");
    if (s->options.keep_runs <= 0)
        s->options.keep_runs = INT64_MAX;
    s->ops = &attempt_ops_real;
    s->swept_ms = SCHEDULER_NO_TIME;
    s->jobs_end = &s->jobs;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_cond_init(&s->woken, &attributes);
    pthread_condattr_destroy(&attributes);
    s->dags = mr_calloc(count + 1, sizeof(*s->dags));
    s->dag_count = count;
    for (uint32_t i = 0; i < count; i++)
        entry_add(s, dags[i]->id, dags[i]);
    status = history_load(s, err);
    if (status != MR_OK) {
        scheduler_close(s);
        return status;
    }
    *out = s;
    return MR_OK;
}

void scheduler_close(struct scheduler *scheduler)
{
    struct scheduler *s = scheduler;

    if (s == NULL)
        return;
    scheduler_stop(s);
    for (uint32_t i = 0; i < s->entry_count; i++) {
        for (struct run *run = s->dags[i].runs, *next; run != NULL; run = next) {
            next = run->next;
            run_free(run);
        }
        mr_free(s->dags[i].id);
    }
    mr_free(s->dags);
    for (struct scheduler_job *job = s->jobs, *next; job != NULL; job = next) { /* of threads that ended too late */
        next = job->next;
        mr_free(job);
    }
    history_close(s->history);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->woken);
    mr_free(s->dir);
    mr_free(s->project_dir);
    mr_free(s);
}

void scheduler_test_ops(struct scheduler *s, const struct attempt_ops *ops)
{
    s->ops = ops;
}

/* ---- writing ---- */

static enum mr_status run_flush(struct scheduler *s, struct run *run, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    if (run->dirty)
        status = history_run_put(s->history, run, false, err);
    for (uint32_t i = 0; i < run->task_count && status == MR_OK; i++) {
        struct run_task *task = &run->tasks[i];

        if (task->dirty)
            status = history_task_put(s->history, run, task, err);
        if (status == MR_OK && task->attempt != NULL && task->attempt->dirty)
            status = history_attempt_put(s->history, task->attempt, err);
    }
    return status;
}

static bool run_is_dirty(const struct run *run)
{
    bool dirty = run->dirty;

    for (uint32_t i = 0; i < run->task_count; i++)
        dirty = dirty || run->tasks[i].dirty || (run->tasks[i].attempt != NULL && run->tasks[i].attempt->dirty);
    return dirty;
}

/* Step 3: what was recorded begins or is let go. */
static void run_flushed(struct scheduler *s, struct run *run)
{
    run->dirty = false;
    for (uint32_t i = 0; i < run->task_count; i++) {
        struct run_task *task = &run->tasks[i];
        struct attempt *a = task->attempt;

        task->dirty = false;
        if (a == NULL || !a->dirty)
            continue;
        a->dirty = false;
        if (!a->settled) {
            s->ops->release(a); /* one that was told to end meanwhile, too: it ends by itself */
            continue;
        }
        task->attempt = NULL;
        attempt_free(a);
    }
}

/* The checkpoints of a run that has ended, and whose end is on disk, are not needed any more. */
static void checkpoints_forget(struct scheduler *s, const struct run *run)
{
    for (uint32_t i = 0; i < run->task_count; i++) {
        const struct run_task *task = &run->tasks[i];
        char checkpoint[CHECKPOINT_BYTES];

        if (task->def == NULL || task->def->kind != SCHEDULER_SQL || task->attempts == 0 ||
            s->options.sql.forget == NULL)
            continue;
        attempt_checkpoint(checkpoint, run, task);
        s->options.sql.forget(s->options.sql.arg, checkpoint);
    }
}

static void ended_runs_drop(struct scheduler *s, struct dag_entry *e)
{
    struct run **at = &e->runs;

    while (*at != NULL) {
        struct run *run = *at;

        if (scheduler_state_is_final(run->state) && !run_is_dirty(run)) {
            *at = run->next;
            checkpoints_forget(s, run);
            run_free(run);
        } else {
            at = &run->next;
        }
    }
}

static bool anything_dirty(struct scheduler *s)
{
    for (uint32_t i = 0; i < s->entry_count; i++) {
        if (s->dags[i].dirty)
            return true;
        for (struct run *run = s->dags[i].runs; run != NULL; run = run->next) {
            if (run_is_dirty(run))
                return true;
        }
    }
    return false;
}

enum mr_status scheduler_flush(struct scheduler *s, struct mr_err *err)
{
    enum mr_status status;

    if (!anything_dirty(s))
        return MR_OK;
    status = history_begin(s->history, err);
    if (status != MR_OK)
        return status;
    for (uint32_t i = 0; i < s->entry_count && status == MR_OK; i++) {
        if (s->dags[i].dirty)
            status = history_dag_put(s->history, &s->dags[i], err);
        for (struct run *run = s->dags[i].runs; run != NULL && status == MR_OK; run = run->next)
            status = run_flush(s, run, err);
    }
    status = history_end(s->history, status, err);
    if (status != MR_OK)
        return status;
    for (uint32_t i = 0; i < s->entry_count; i++) {
        s->dags[i].dirty = false;
        for (struct run *run = s->dags[i].runs; run != NULL; run = run->next)
            run_flushed(s, run);
        ended_runs_drop(s, &s->dags[i]);
    }
    return MR_OK;
}

/* ---- new runs ---- */

/* "scheduled__2026-01-31T01:00:00Z" */
static void run_id(char out[SCHEDULER_RUN_BYTES], const char *kind, int64_t ms, bool fraction)
{
    char text[32];

    mr_format_time_ms(text, ms, 'T');
    snprintf(out, SCHEDULER_RUN_BYTES, "%s__%.*sZ", kind, fraction ? 23 : 19, text);
}

/* Puts RUN, which nobody has yet, into the history and among E's runs; on failure it is freed. */
static enum mr_status run_insert(struct scheduler *s, struct dag_entry *e, struct run *run, struct mr_err *err)
{
    enum mr_status status = history_begin(s->history, err);

    if (status == MR_OK) {
        status = history_run_put(s->history, run, true, err);
        if (status == MR_OK && !run->manual)
            status = history_dag_put(s->history, e, err);
        status = history_end(s->history, status, err);
    }
    if (status != MR_OK) {
        run_free(run);
        return status;
    }
    run_append(run);
    return MR_OK;
}

static uint32_t runs_count(const struct dag_entry *e, bool running_only)
{
    uint32_t count = 0;

    for (const struct run *run = e->runs; run != NULL; run = run->next)
        count += !scheduler_state_is_final(run->state) && (!running_only || run->state == SCHEDULER_RUNNING);
    return count;
}

static enum mr_status scheduled_run_add(struct scheduler *s, struct dag_entry *e, const struct timetable_interval *i,
                                        int64_t now_ms, struct mr_err *err)
{
    char id[SCHEDULER_RUN_BYTES];
    struct scheduler_run_view view = {
        .id = id,
        .kind = "scheduled",
        .state = SCHEDULER_QUEUED,
        .logical_ms = i->start_ms,
        .start_ms = i->start_ms,
        .end_ms = i->end_ms,
        .queued_ms = now_ms,
        .started_ms = SCHEDULER_NO_TIME,
        .ended_ms = SCHEDULER_NO_TIME,
        .params = e->dag->params,
        .param_count = e->dag->param_count,
    };
    int64_t last_end_ms = e->last_end_ms;
    bool exists = false;
    enum mr_status status;

    run_id(id, "scheduled", i->start_ms, i->start_ms % 1000 != 0);
    status = history_run_exists(s->history, e->id, id, &exists, err);
    if (status != MR_OK)
        return status;
    e->last_end_ms = i->end_ms;
    if (exists) { /* the schedule was changed back: this interval was run */
        e->dirty = true;
        return MR_OK;
    }
    status = run_insert(s, e, run_new(e, &view), err);
    if (status != MR_OK)
        e->last_end_ms = last_end_ms;
    return status;
}

bool scheduler_entry_next(struct dag_entry *e, int64_t now_ms, struct timetable_interval *out)
{
    /* Until an interval is over, what comes next does not change. */
    if (!e->next_known || e->next_after_ms != e->last_end_ms || now_ms < e->next_at_ms ||
        (e->has_next && now_ms >= e->next.end_ms)) {
        e->has_next = timetable_next(&e->dag->source->timetable, e->last_end_ms, e->first_seen_ms, now_ms, &e->next);
        e->next_known = true;
        e->next_after_ms = e->last_end_ms;
        e->next_at_ms = now_ms;
    }
    if (e->has_next)
        *out = e->next;
    return e->has_next;
}

/* Runs of intervals that are over, as many as there is room for. */
static bool schedule_step(struct scheduler *s, struct dag_entry *e, int64_t now_ms, int64_t *wake_ms)
{
    struct timetable_interval next;
    struct mr_err err = MR_ERR_INIT;

    if (e->dag == NULL || !scheduler_entry_next(e, now_ms, &next)) {
        mr_metric_set(e->next_run, 0);
        return false;
    }
    mr_metric_set(e->next_run, next.end_ms / 1000);
    if (e->paused || s->stopping || runs_count(e, false) >= e->dag->max_active_runs)
        return false;
    if (next.end_ms > now_ms) {
        if (next.end_ms < *wake_ms)
            *wake_ms = next.end_ms;
        return false;
    }
    if (scheduled_run_add(s, e, &next, now_ms, &err) == MR_OK)
        return true;
    mr_log(MR_LOG_ERROR, "scheduler", "a run of %s is due and can't be recorded: %s", e->id, err.text);
    if (now_ms + HISTORY_RETRY_MS < *wake_ms)
        *wake_ms = now_ms + HISTORY_RETRY_MS;
    return false;
}

static bool queue_step(struct scheduler *s, struct dag_entry *e, int64_t now_ms)
{
    bool changed = false;

    for (struct run *run = e->runs; run != NULL && !e->paused && !s->stopping && e->dag != NULL; run = run->next) {
        if (run->state != SCHEDULER_QUEUED || runs_count(e, true) >= e->dag->max_active_runs)
            continue;
        run->state = SCHEDULER_RUNNING;
        run->started_ms = now_ms;
        run->dirty = changed = true;
    }
    mr_metric_set(e->running, runs_count(e, false));
    return changed;
}

/* ---- old runs ---- */

static enum mr_status run_sweep(void *arg, const char *dag, const struct scheduler_run_view *run, struct mr_err *err)
{
    struct scheduler *s = arg;
    char path[MR_PATH_BYTES];
    enum mr_status status = attempt_log_path(path, s, dag, run->id, NULL, 0, err);

    if (status == MR_OK)
        status = mr_remove_tree(s->env, path, err); /* first: without the run nobody would find them */
    return status == MR_OK ? history_run_delete(s->history, dag, run->id, err) : status;
}

static void sweep(struct scheduler *s, int64_t now_ms)
{
    int64_t before_ms = s->options.keep_ms > 0 ? now_ms - s->options.keep_ms : INT64_MIN;
    struct mr_err err = MR_ERR_INIT;

    if (s->swept_ms != SCHEDULER_NO_TIME && now_ms >= s->swept_ms && now_ms - s->swept_ms < SWEEP_MS)
        return;
    s->swept_ms = now_ms;
    for (uint32_t i = 0; i < s->dag_count; i++) {
        if (history_old(s->history, s->dags[i].id, s->options.keep_runs, before_ms, run_sweep, s, &err) != MR_OK)
            mr_log(MR_LOG_WARN, "scheduler", "old runs of %s can't be removed: %s", s->dags[i].id, err.text);
    }
}

/* ---- turns ---- */

static bool turn_once(struct scheduler *s, int64_t now_ms, int64_t *wake_ms)
{
    bool changed = false;

    for (uint32_t i = 0; i < s->entry_count; i++) {
        struct dag_entry *e = &s->dags[i];

        changed = schedule_step(s, e, now_ms, wake_ms) || changed;
        changed = queue_step(s, e, now_ms) || changed;
        for (struct run *run = e->runs; run != NULL; run = run->next)
            changed = run_advance(s, run, now_ms, wake_ms) || changed;
    }
    return changed;
}

int64_t scheduler_turn(struct scheduler *s)
{
    struct mr_err err = MR_ERR_INIT;
    int64_t now_ms, wake_ms;
    bool changed;

    do {
        now_ms = mr_now_ms(s->env);
        wake_ms = now_ms + LOOK_MS;
        changed = turn_once(s, now_ms, &wake_ms);
        if (scheduler_flush(s, &err) != MR_OK) {
            if (!s->history_failed)
                mr_log(MR_LOG_ERROR, "scheduler", "the history can't be written, nothing is started: %s", err.text);
            s->history_failed = true;
            return now_ms + HISTORY_RETRY_MS;
        }
        s->history_failed = false;
    } while (changed);
    sweep(s, now_ms);
    return wake_ms;
}

/* ---- the thread ---- */

static void jobs_run(struct scheduler *s)
{
    struct scheduler_job *job;

    pthread_mutex_lock(&s->lock);
    job = s->jobs;
    s->jobs = NULL;
    s->jobs_end = &s->jobs;
    pthread_mutex_unlock(&s->lock);
    while (job != NULL) {
        struct scheduler_job *next = job->next;

        job->run(job->arg);
        mr_free(job);
        job = next;
    }
}

static void wait_until(struct scheduler *s, int64_t wake_ms)
{
    struct timespec at;
    int64_t left = wake_ms - mr_now_ms(s->env);
    int64_t ns;

    if (left <= 0)
        return;
    clock_gettime(CLOCK_REALTIME, &at);
    ns = at.tv_nsec + left % 1000 * 1000000;
    at.tv_sec += (time_t)(left / 1000 + ns / 1000000000);
    at.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&s->lock);
    if (s->jobs == NULL)
        pthread_cond_timedwait(&s->woken, &s->lock, &at);
    pthread_mutex_unlock(&s->lock);
}

static uint32_t attempts_stop(struct scheduler *s)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < s->entry_count; i++) {
        for (struct run *run = s->dags[i].runs; run != NULL; run = run->next) {
            run_stop(run, STOP_SERVER, mr_now_ms(s->env));
            for (uint32_t t = 0; t < run->task_count; t++)
                left += run->tasks[t].attempt != NULL && !run->tasks[t].attempt->leftover;
        }
    }
    return left;
}

static void stopping_job(void *arg)
{
    struct scheduler *s = arg;

    s->stopping = true;
}

static void *thread_main(void *arg)
{
    struct scheduler *s = arg;
    int64_t give_up_ms = SCHEDULER_NO_TIME;

    for (;;) {
        int64_t wake_ms;

        jobs_run(s);
        if (s->stopping && attempts_stop(s) == 0)
            break;
        wake_ms = scheduler_turn(s);
        if (s->stopping && attempts_stop(s) == 0)
            break;
        if (s->stopping && give_up_ms == SCHEDULER_NO_TIME)
            give_up_ms = mr_now_ms(s->env) + 4 * KILL_AFTER_MS;
        if (s->stopping && s->history_failed && mr_now_ms(s->env) > give_up_ms)
            break; /* the next start finds the attempts as it left them: under way, and not there */
        wait_until(s, wake_ms);
    }
    pthread_mutex_lock(&s->lock);
    s->closed = true;
    pthread_mutex_unlock(&s->lock);
    jobs_run(s); /* that came before it was closed */
    return NULL;
}

void scheduler_start(struct scheduler *scheduler)
{
    scheduler->threaded = true;
    mr_thread_start(&scheduler->thread, "scheduler", thread_main, scheduler);
}

void scheduler_stop(struct scheduler *scheduler)
{
    if (!scheduler->threaded)
        return;
    scheduler_post_own(scheduler, stopping_job, scheduler);
    pthread_join(scheduler->thread, NULL);
    scheduler->threaded = false;
}

void scheduler_post_own(struct scheduler *s, mr_job_fn *run, void *arg)
{
    struct scheduler_job *job = MR_NEW(struct scheduler_job);

    job->run = run;
    job->arg = arg;
    pthread_mutex_lock(&s->lock);
    *s->jobs_end = job;
    s->jobs_end = &job->next;
    pthread_cond_signal(&s->woken);
    pthread_mutex_unlock(&s->lock);
}

enum mr_status scheduler_post(struct scheduler *scheduler, mr_job_fn *run, void *arg)
{
    struct scheduler_job *job = NULL;

    pthread_mutex_lock(&scheduler->lock);
    if (!scheduler->closed) {
        job = MR_NEW(struct scheduler_job);
        job->run = run;
        job->arg = arg;
        *scheduler->jobs_end = job;
        scheduler->jobs_end = &job->next;
        pthread_cond_signal(&scheduler->woken);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return job != NULL ? MR_OK : MR_BUSY;
}

/* ---- telling ---- */

enum mr_status scheduler_entry_find(struct scheduler *s, const char *dag, struct dag_entry **out, struct mr_err *err)
{
    const char **names;
    const char *nearest;

    *out = scheduler_entry(s, dag);
    if (*out != NULL && (*out)->dag != NULL)
        return MR_OK;
    names = mr_calloc(s->dag_count + 1, sizeof(*names));
    for (uint32_t i = 0; i < s->dag_count; i++)
        names[i] = s->dags[i].id;
    nearest = mr_nearest(dag, names, s->dag_count);
    mr_free(names);
    if (nearest != NULL)
        return mr_err_set(err, MR_NOT_FOUND, "there is no DAG \"%.100s\"; did you mean \"%s\"?", dag, nearest);
    return mr_err_set(err, MR_NOT_FOUND, "there is no DAG \"%.100s\" in the project's dags/", dag);
}

/* The DAG's params with those of TRIGGER over them; texts stay those of both. */
static enum mr_status params_merge(const struct scheduler_dag *dag, const struct scheduler_trigger *trigger,
                                   struct scheduler_pair *out, struct mr_err *err)
{
    const char *names[SCHEDULER_PARAMS_MAX];

    for (uint32_t i = 0; i < dag->param_count; i++) {
        out[i] = dag->params[i];
        names[i] = dag->params[i].name;
    }
    for (uint32_t i = 0; i < trigger->param_count; i++) {
        const struct scheduler_pair *p = &trigger->params[i];
        const char *nearest = mr_nearest(p->name, names, dag->param_count);
        uint32_t at = 0;

        while (at < dag->param_count && strcmp(names[at], p->name) != 0)
            at++;
        if (at == dag->param_count)
            return mr_err_set(err, MR_INVALID,
                              nearest ? "%s has no param \"%.100s\"; did you mean \"%s\"?"
                                      : "%s has no param \"%.100s\": its file declares none of that name",
                              dag->id, p->name, nearest);
        if (strlen(p->value) > SCHEDULER_VALUE_BYTES_MAX)
            return mr_err_set(err, MR_INVALID, "the param %s has at most %d bytes", p->name, SCHEDULER_VALUE_BYTES_MAX);
        out[at].value = p->value;
    }
    return MR_OK;
}

static enum mr_status manual_run_id(struct scheduler *s, struct dag_entry *e, char out[SCHEDULER_RUN_BYTES],
                                    int64_t *ms, struct mr_err *err)
{
    bool exists = true;
    enum mr_status status = MR_OK;

    for (; exists && status == MR_OK; *ms += exists) {
        run_id(out, "manual", *ms, true);
        status = history_run_exists(s->history, e->id, out, &exists, err);
    }
    return status;
}

enum mr_status scheduler_trigger(struct scheduler *scheduler, const char *dag, const struct scheduler_trigger *trigger,
                                 char out[SCHEDULER_RUN_BYTES], struct mr_err *err)
{
    struct scheduler *s = scheduler;
    struct scheduler_pair params[SCHEDULER_PARAMS_MAX];
    char id[SCHEDULER_RUN_BYTES];
    struct scheduler_run_view view = { .id = id, .kind = "manual", .state = SCHEDULER_QUEUED, .params = params };
    struct dag_entry *e;
    enum mr_status status = scheduler_entry_find(s, dag, &e, err);
    int64_t now_ms = mr_now_ms(s->env);

    if (status == MR_OK)
        status = params_merge(e->dag, trigger, params, err);
    if (status != MR_OK)
        return status;
    if (trigger->unless_active && runs_count(e, false) > 0)
        return mr_err_set(err, MR_EXISTS, "a run of %s is under way", dag);
    if (runs_count(e, false) >= RUNS_QUEUED_MAX)
        return mr_err_set(err, MR_LIMIT, "%d runs of %s wait already", RUNS_QUEUED_MAX, dag);
    status = manual_run_id(s, e, id, &now_ms, err);
    view.param_count = e->dag->param_count;
    view.logical_ms = view.start_ms = view.end_ms = view.queued_ms = now_ms;
    view.started_ms = view.ended_ms = SCHEDULER_NO_TIME;
    if (status == MR_OK)
        status = run_insert(s, e, run_new(e, &view), err);
    if (status == MR_OK)
        snprintf(out, SCHEDULER_RUN_BYTES, "%s", id);
    return status;
}

enum mr_status scheduler_pause(struct scheduler *scheduler, const char *dag, bool paused, struct mr_err *err)
{
    struct dag_entry *e;
    enum mr_status status = scheduler_entry_find(scheduler, dag, &e, err);
    bool was;

    if (status != MR_OK)
        return status;
    was = e->paused;
    e->paused = paused;
    status = history_begin(scheduler->history, err);
    if (status == MR_OK) {
        status = history_dag_put(scheduler->history, e, err);
        status = history_end(scheduler->history, status, err);
    }
    if (status != MR_OK)
        e->paused = was;
    return status;
}
