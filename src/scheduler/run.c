/* run.c -- what becomes of a run: the outcomes of its attempts, retries, what may start, its own end.
 *
 * Task   NONE --upstream succeeded--> QUEUED --a slot is free--> RUNNING --> SUCCESS, SKIPPED (exit 99)
 *             --upstream failed--> UPSTREAM_FAILED                       --failed, tries left--> UP_FOR_RETRY -->
 *             QUEUED --upstream skipped--> SKIPPED                              --failed--> FAILED
 * Run    QUEUED --fewer than max_active_runs run--> RUNNING --all tasks are final--> SUCCESS, FAILED
 *
 * Nothing here writes: what changed is marked dirty, and scheduler_flush writes all of it in one transaction.  An
 * attempt begins (its gate opens) only after that, and is let go only after its outcome is on disk.
 *
 * A SQL task that the end of a server interrupted is no failed try: it goes on from its checkpoint.  A shell task is:
 * only its own rule says whether it may be run twice. */
#include "base/logging.h"
#include "scheduler/run_int.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

bool scheduler_state_is_final(enum scheduler_state state)
{
    return state == SCHEDULER_SUCCESS || state == SCHEDULER_FAILED || state == SCHEDULER_SKIPPED ||
           state == SCHEDULER_UPSTREAM_FAILED || state == SCHEDULER_REMOVED;
}

struct run *run_new(struct dag_entry *dag, const struct scheduler_run_view *view)
{
    struct run *run = MR_NEW(struct run);

    run->dag = dag;
    snprintf(run->id, sizeof(run->id), "%s", view->id);
    snprintf(run->note, sizeof(run->note), "%s", view->note ? view->note : "");
    run->manual = strcmp(view->kind, "manual") == 0;
    run->state = view->state;
    run->logical_ms = view->logical_ms;
    run->start_ms = view->start_ms;
    run->end_ms = view->end_ms;
    run->queued_ms = view->queued_ms;
    run->started_ms = view->started_ms;
    run->ended_ms = view->ended_ms;
    run->params = mr_calloc(view->param_count + 1, sizeof(struct scheduler_pair));
    for (uint32_t i = 0; i < view->param_count; i++) {
        run->params[i].name = mr_strdup(view->params[i].name);
        run->params[i].value = mr_strdup(view->params[i].value);
    }
    run->param_count = view->param_count;
    run->task_count = dag->dag != NULL ? dag->dag->task_count : 0;
    run->tasks = mr_calloc(run->task_count + 1, sizeof(struct run_task));
    for (uint32_t i = 0; i < run->task_count; i++) {
        struct run_task *task = &run->tasks[i];

        task->def = &dag->dag->tasks[i];
        task->id = mr_strdup(task->def->id);
        task->started_ms = task->ended_ms = task->retry_ms = SCHEDULER_NO_TIME;
    }
    return run;
}

void run_free(struct run *run)
{
    if (run == NULL)
        return;
    for (uint32_t i = 0; i < run->task_count; i++) {
        attempt_free(run->tasks[i].attempt);
        mr_free(run->tasks[i].id);
    }
    for (uint32_t i = 0; i < run->param_count; i++) {
        mr_free((char *)run->params[i].name);
        mr_free((char *)run->params[i].value);
    }
    mr_free(run->params);
    mr_free(run->tasks);
    mr_free(run);
}

static void wake_at(int64_t *wake_ms, int64_t ms)
{
    if (ms != SCHEDULER_NO_TIME && ms < *wake_ms)
        *wake_ms = ms;
}

/* ---- the end of an attempt ---- */

/* The delay before try number TRIES + 1. */
static int64_t retry_delay(const struct scheduler_dag *dag, const struct scheduler_task *task, int64_t tries)
{
    int64_t delay = task->retry_delay_ms;

    for (int64_t i = 1; dag->backoff && i < tries && delay < dag->max_retry_delay_ms; i++)
        delay *= 2;
    return dag->backoff && delay > dag->max_retry_delay_ms ? dag->max_retry_delay_ms : delay;
}

static void attempt_failed(struct attempt *a, int64_t now_ms)
{
    struct run_task *task = a->task;
    bool may = task->def != NULL && a->run->dag->dag != NULL && a->stop != STOP_RUN_TIMEOUT;

    a->state = SCHEDULER_FAILED;
    task->tries++;
    if (may && task->tries <= task->def->retries) {
        int64_t delay = retry_delay(a->run->dag->dag, task->def, task->tries);

        task->state = SCHEDULER_UP_FOR_RETRY;
        task->retry_ms = now_ms + delay;
        attempt_log_line(a, "it is tried again in %" PRId64 " s", (delay + 999) / 1000);
    } else {
        task->state = task->def != NULL ? SCHEDULER_FAILED : SCHEDULER_REMOVED;
        task->ended_ms = now_ms;
    }
    mr_log(MR_LOG_WARN, "scheduler", "task %s.%s, run %s: attempt %" PRId64 " failed: %s%s", a->run->dag->id, task->id,
           a->run->id, a->number, a->err.text, task->state == SCHEDULER_UP_FOR_RETRY ? "; it is tried again" : "");
}

static void attempt_succeeded(struct attempt *a, enum scheduler_state state, int64_t now_ms)
{
    a->state = a->task->state = state;
    a->task->ended_ms = now_ms;
}

/* A server's end interrupted it: a script goes on from its checkpoint, at once. */
static void attempt_interrupted(struct attempt *a, int64_t now_ms)
{
    if (a->task->def == NULL || a->task->def->kind != SCHEDULER_SQL || a->run->dag->dag == NULL) {
        attempt_failed(a, now_ms);
        return;
    }
    a->state = SCHEDULER_UP_FOR_RETRY;
    a->task->state = SCHEDULER_QUEUED;
}

static void shell_outcome(struct attempt *a, int64_t now_ms)
{
    if (a->exit_code == 0) {
        attempt_succeeded(a, SCHEDULER_SUCCESS, now_ms);
    } else if (a->exit_code == EXIT_CODE_SKIP) {
        attempt_succeeded(a, SCHEDULER_SKIPPED, now_ms);
    } else {
        (void)mr_err_set(&a->err, MR_IO, a->exit_code > 128 ? "ended by a signal (exit code %d)" : "exit code %d",
                         (int)a->exit_code);
        attempt_failed(a, now_ms);
    }
}

/* Decides what the end of A means.  Once; recording may have to be tried again. */
static void attempt_settle(struct attempt *a, int64_t now_ms)
{
    bool script = a->task->def != NULL && a->task->def->kind == SCHEDULER_SQL;

    if (!a->leftover) {
        a->scheduler->ops->finish(a);
        a->scheduler->running--;
    }
    a->settled = a->dirty = a->task->dirty = true;
    a->ended_ms = now_ms;
    if (script && !a->leftover && a->script_status == MR_OK && a->err.status == MR_OK) {
        attempt_succeeded(a, SCHEDULER_SUCCESS, now_ms);
    } else if (a->leftover || a->stop == STOP_SERVER) {
        (void)mr_err_set(&a->err, MR_BUSY, a->leftover ? "the server ended while it ran" : "the server stopped");
        attempt_interrupted(a, now_ms);
    } else if (a->stop != STOP_NOT) {
        (void)mr_err_set(&a->err, MR_BUSY,
                         a->stop == STOP_TIMEOUT ? "its timeout of %" PRId64 " ms passed"
                                                 : "the run's timeout of %" PRId64 " ms passed",
                         a->stop == STOP_TIMEOUT ? a->task->def->timeout_ms : a->run->dag->dag->timeout_ms);
        attempt_failed(a, now_ms);
    } else if (a->err.status != MR_OK || script) {
        attempt_failed(a, now_ms);
    } else {
        shell_outcome(a, now_ms);
    }
    mr_metric_add(a->run->dag->attempts, 1);
    attempt_log_line(a, "%s%s%s", scheduler_state_name(a->state), a->err.text[0] ? ": " : "", a->err.text);
    if (script && a->job != NULL)
        attempt_log_line(a, "%" PRId64 " rows read, %" PRId64 " written, %" PRId64 " dead letters", a->rows_in,
                         a->rows_out, a->dead_letters);
}

/* ---- attempts under way ---- */

static void attempt_stop(struct attempt *a, enum stop_reason reason, int64_t now_ms)
{
    if (a->stop != STOP_NOT || a->settled || a->leftover)
        return;
    a->stop = reason;
    a->hard_ms = now_ms + KILL_AFTER_MS;
    attempt_log_line(a, "%s: it is told to end", reason == STOP_SERVER ? "the server stops" : "its time is over");
    a->scheduler->ops->stop(a, false);
}

void run_stop(struct run *run, enum stop_reason reason, int64_t now_ms)
{
    for (uint32_t i = 0; i < run->task_count; i++) {
        if (run->tasks[i].attempt != NULL)
            attempt_stop(run->tasks[i].attempt, reason, now_ms);
    }
}

/* What a dead server left: told to end, then killed, and waited for. */
static void leftover_step(struct attempt *a, int64_t now_ms, int64_t *wake_ms)
{
    const struct attempt_ops *ops = a->scheduler->ops;
    bool first = a->stop == STOP_NOT;
    bool kill_it = a->hard_ms != SCHEDULER_NO_TIME && now_ms >= a->hard_ms;

    if (a->number == 0 || !ops->leftover(a, first ? SIGTERM : kill_it ? SIGKILL : 0)) {
        attempt_settle(a, now_ms);
        return;
    }
    if (first) {
        mr_log(MR_LOG_WARN, "scheduler",
               "task %s.%s, run %s: process %d of a server that is gone still runs; it is ended", a->run->dag->id,
               a->task->id, a->run->id, (int)a->pid);
        a->stop = STOP_SERVER;
        a->hard_ms = now_ms + KILL_AFTER_MS;
    }
    if (kill_it)
        a->hard_ms = now_ms + KILL_AFTER_MS; /* again, should it take so long */
    wake_at(wake_ms, now_ms + LEFTOVER_LOOK_MS);
}

static void progress_log(struct attempt *a, int64_t now_ms, int64_t *wake_ms)
{
    int64_t in = 0, out = 0, dead = 0;

    if (a->job == NULL || a->scheduler->options.sql.counts == NULL)
        return;
    if (a->progress_ms == SCHEDULER_NO_TIME)
        a->progress_ms = now_ms;
    if (now_ms >= a->progress_ms + PROGRESS_EVERY_MS) {
        a->progress_ms = now_ms;
        a->scheduler->options.sql.counts(a->job, &in, &out, &dead);
        if (in != a->rows_in || out != a->rows_out || dead != a->dead_letters)
            attempt_log_line(a, "%" PRId64 " rows read, %" PRId64 " written, %" PRId64 " dead letters", in, out, dead);
        a->rows_in = in;
        a->rows_out = out;
        a->dead_letters = dead;
    }
    wake_at(wake_ms, a->progress_ms + PROGRESS_EVERY_MS);
}

/* True when A was settled now. */
static bool attempt_step(struct attempt *a, int64_t now_ms, int64_t *wake_ms)
{
    int64_t timeout = a->task->def != NULL ? a->task->def->timeout_ms : 0;

    if (a->settled)
        return false;
    if (a->leftover) {
        leftover_step(a, now_ms, wake_ms);
        return a->settled;
    }
    if (atomic_load(&a->ended)) {
        attempt_settle(a, now_ms);
        return true;
    }
    if (timeout > 0 && a->stop == STOP_NOT && now_ms >= a->started_ms + timeout)
        attempt_stop(a, STOP_TIMEOUT, now_ms);
    if (a->hard_ms != SCHEDULER_NO_TIME && now_ms >= a->hard_ms) {
        a->hard_ms = SCHEDULER_NO_TIME;
        a->scheduler->ops->stop(a, true);
    }
    wake_at(wake_ms, a->hard_ms);
    if (timeout > 0 && a->stop == STOP_NOT)
        wake_at(wake_ms, a->started_ms + timeout);
    progress_log(a, now_ms, wake_ms);
    return false;
}

static void task_start(struct scheduler *s, struct run *run, struct run_task *task, int64_t now_ms)
{
    struct attempt *a = attempt_new(s, run, task);

    task->attempt = a;
    a->number = ++task->attempts;
    a->started_ms = now_ms;
    if (task->started_ms == SCHEDULER_NO_TIME)
        task->started_ms = now_ms;
    task->state = SCHEDULER_RUNNING;
    task->retry_ms = SCHEDULER_NO_TIME;
    task->dirty = a->dirty = true;
    s->running++;
    if (s->ops->start(a, &a->err) != MR_OK) {
        s->running--;
        a->settled = true;
        a->ended_ms = now_ms;
        if (a->err.status == MR_OK)
            (void)mr_err_set(&a->err, MR_IO, "it could not be started");
        attempt_failed(a, now_ms);
        attempt_log_line(a, "%s", a->err.text);
    }
}

/* ---- tasks ---- */

/* What the tasks before it make of TASK. */
static enum scheduler_state upstream_says(const struct run *run, const struct run_task *task)
{
    enum scheduler_state state = SCHEDULER_QUEUED;

    for (uint32_t i = 0; i < task->def->depend_count; i++) {
        enum scheduler_state before = run->tasks[task->def->depends[i]].state;

        if (before == SCHEDULER_FAILED || before == SCHEDULER_UPSTREAM_FAILED)
            return SCHEDULER_UPSTREAM_FAILED;
        if (before == SCHEDULER_SKIPPED)
            state = SCHEDULER_SKIPPED;
        else if (before != SCHEDULER_SUCCESS && state == SCHEDULER_QUEUED)
            state = SCHEDULER_NONE;
    }
    return state;
}

static bool task_set(struct run_task *task, enum scheduler_state state, int64_t now_ms)
{
    if (task->state == state)
        return false;
    task->state = state;
    if (scheduler_state_is_final(state))
        task->ended_ms = now_ms;
    task->dirty = true;
    return true;
}

static bool task_step(struct scheduler *s, struct run *run, struct run_task *task, int64_t now_ms, int64_t *wake_ms)
{
    bool changed = false;

    if (task->attempt != NULL)
        return attempt_step(task->attempt, now_ms, wake_ms);
    if (scheduler_state_is_final(task->state) || s->stopping)
        return false;
    if (task->def == NULL)
        return task_set(task, SCHEDULER_REMOVED, now_ms);
    if (task->state == SCHEDULER_NONE)
        changed = task_set(task, upstream_says(run, task), now_ms);
    if (task->state == SCHEDULER_UP_FOR_RETRY) {
        if (now_ms < task->retry_ms) {
            wake_at(wake_ms, task->retry_ms);
            return changed;
        }
        changed = task_set(task, SCHEDULER_QUEUED, now_ms);
    }
    if (task->state != SCHEDULER_QUEUED || s->running >= SCHEDULER_RUNNING_MAX)
        return changed;
    task_start(s, run, task, now_ms);
    return true;
}

/* ---- the run ---- */

static void run_timeout(struct run *run, int64_t now_ms, int64_t *wake_ms)
{
    int64_t timeout = run->dag->dag != NULL ? run->dag->dag->timeout_ms : 0;

    if (timeout == 0 || run->note[0] != '\0')
        return;
    if (now_ms < run->started_ms + timeout) {
        wake_at(wake_ms, run->started_ms + timeout);
        return;
    }
    snprintf(run->note, sizeof(run->note), "its timeout of %" PRId64 " ms passed", timeout);
    run->dirty = true;
    run_stop(run, STOP_RUN_TIMEOUT, now_ms);
}

static void run_finish(struct run *run, int64_t now_ms)
{
    bool failed = run->note[0] != '\0';
    uint32_t known = 0;

    for (uint32_t i = 0; i < run->task_count; i++) {
        enum scheduler_state state = run->tasks[i].state;

        known += run->tasks[i].def != NULL;
        failed = failed || state == SCHEDULER_FAILED || state == SCHEDULER_UPSTREAM_FAILED;
    }
    if (known == 0 && run->note[0] == '\0') {
        snprintf(run->note, sizeof(run->note), "the DAG is not in the project any more");
        failed = true;
    }
    run->state = failed ? SCHEDULER_FAILED : SCHEDULER_SUCCESS;
    run->ended_ms = now_ms;
    run->dirty = true;
    mr_metric_add(failed ? run->dag->failed : run->dag->succeeded, 1);
    if (!failed)
        mr_metric_set(run->dag->last_success, now_ms / 1000);
    mr_log(failed ? MR_LOG_WARN : MR_LOG_INFO, "scheduler", "run %s of %s: %s%s%s", run->id, run->dag->id,
           scheduler_state_name(run->state), run->note[0] ? ": " : "", run->note);
}

bool run_advance(struct scheduler *s, struct run *run, int64_t now_ms, int64_t *wake_ms)
{
    bool changed = false, done = true;

    if (run->state != SCHEDULER_RUNNING)
        return false;
    run_timeout(run, now_ms, wake_ms);
    for (uint32_t i = 0; i < run->task_count; i++) {
        struct run_task *task = &run->tasks[i];

        if (run->note[0] != '\0' && task->attempt == NULL && !scheduler_state_is_final(task->state))
            changed = task_set(task, SCHEDULER_SKIPPED, now_ms) || changed;
        changed = task_step(s, run, task, now_ms, wake_ms) || changed;
        done = done && scheduler_state_is_final(task->state) && (task->attempt == NULL || task->attempt->settled);
    }
    if (done) {
        run_finish(run, now_ms);
        changed = true;
    }
    return changed;
}
