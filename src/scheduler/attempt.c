/* attempt.c -- the work of an attempt: a process and a thread that waits for it, or a script on a thread.
 *
 * The waiting thread only notices the end (WNOWAIT) and posts it; the process is reaped on the scheduler's thread,
 * after its group was killed.  So a signal never goes to a pid that somebody else has by now. */
#include "base/text.h"
#include "scheduler/run_int.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { TIME_BYTES = 40 };

struct attempt *attempt_new(struct scheduler *s, struct run *run, struct run_task *task)
{
    struct attempt *a = MR_NEW(struct attempt);

    a->scheduler = s;
    a->run = run;
    a->task = task;
    a->ended_ms = a->hard_ms = a->started_ms = a->progress_ms = SCHEDULER_NO_TIME;
    a->gate = a->log_fd = -1;
    a->exit_code = -1;
    a->state = SCHEDULER_RUNNING;
    a->err = a->script_err = (struct mr_err)MR_ERR_INIT;
    return a;
}

void attempt_free(struct attempt *a)
{
    if (a == NULL)
        return;
    if (a->gate >= 0)
        close(a->gate);
    if (a->threaded)
        pthread_join(a->thread, NULL);
    if (a->job != NULL)
        a->scheduler->options.sql.end(a->job);
    if (a->log_fd >= 0)
        close(a->log_fd);
    mr_free(a);
}

/* ---- the threads ---- */

static void ended_job(void *arg)
{
    struct attempt *a = arg;

    atomic_store(&a->ended, true);
}

static void *process_wait(void *arg)
{
    struct attempt *a = arg;
    siginfo_t info;

    while (waitid(P_PID, (id_t)a->pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        continue;
    scheduler_post_own(a->scheduler, ended_job, a);
    return NULL;
}

static void *script_run(void *arg)
{
    struct attempt *a = arg;

    a->script_status = a->scheduler->options.sql.run(a->job, &a->script_err);
    scheduler_post_own(a->scheduler, ended_job, a);
    return NULL;
}

/* ---- the environment of a process ---- */

static void time_text(char out[TIME_BYTES], int64_t ms)
{
    char text[32];

    mr_format_time_ms(text, ms, 'T');
    snprintf(out, TIME_BYTES, "%.19sZ", text);
}

static bool is_ours(const char *variable)
{
    static const char *const ours[] = { "MILLRACE_DAG=",
                                        "MILLRACE_RUN=",
                                        "MILLRACE_TASK=",
                                        "MILLRACE_ATTEMPT=",
                                        "MILLRACE_ATTEMPT_ID=",
                                        "MILLRACE_LOGICAL_DATE=",
                                        "MILLRACE_PARAM_",
                                        "MILLRACE_DATA_INTERVAL_START=",
                                        "MILLRACE_DATA_INTERVAL_END=" };

    for (size_t i = 0; i < MR_COUNT(ours); i++) {
        if (strncmp(variable, ours[i], strlen(ours[i])) == 0)
            return true;
    }
    return false;
}

static bool task_sets(const struct scheduler_task *task, const char *variable)
{
    for (uint32_t i = 0; i < task->env_count; i++) {
        size_t size = strlen(task->env[i].name);

        if (strncmp(variable, task->env[i].name, size) == 0 && variable[size] == '=')
            return true;
    }
    return false;
}

static char *param_text(struct mr_arena *arena, const struct scheduler_pair *param)
{
    char *text = mr_arena_printf(arena, "MILLRACE_PARAM_%s=%s", param->name, param->value);

    for (char *c = text; *c != '='; c++)
        *c = (char)toupper((unsigned char)*c);
    return text;
}

static char **environment_make(const struct attempt *a, struct mr_arena *arena)
{
    const struct run *run = a->run;
    const struct scheduler_task *task = a->task->def;
    size_t count = 0, capacity = 16 + run->param_count + task->env_count;
    char logical[TIME_BYTES], start[TIME_BYTES], end[TIME_BYTES];
    char **list;

    for (char **v = environ; *v != NULL; v++)
        capacity++;
    list = MR_ARENA_ARRAY(arena, char *, capacity);
    for (char **v = environ; *v != NULL; v++) {
        if (!is_ours(*v) && !task_sets(task, *v))
            list[count++] = *v;
    }
    for (uint32_t i = 0; i < task->env_count; i++)
        list[count++] = mr_arena_printf(arena, "%s=%s", task->env[i].name, task->env[i].value);
    for (uint32_t i = 0; i < run->param_count; i++)
        list[count++] = param_text(arena, &run->params[i]);
    time_text(logical, run->logical_ms);
    time_text(start, run->start_ms);
    time_text(end, run->end_ms);
    list[count++] = mr_arena_printf(arena, "MILLRACE_DAG=%s", run->dag->id);
    list[count++] = mr_arena_printf(arena, "MILLRACE_RUN=%s", run->id);
    list[count++] = mr_arena_printf(arena, "MILLRACE_TASK=%s", a->task->id);
    list[count++] = mr_arena_printf(arena, "MILLRACE_ATTEMPT=%" PRId64, a->number);
    list[count++] = mr_arena_printf(arena, "MILLRACE_ATTEMPT_ID=%s", a->token);
    list[count++] = mr_arena_printf(arena, "MILLRACE_LOGICAL_DATE=%s", logical);
    list[count++] = mr_arena_printf(arena, "MILLRACE_DATA_INTERVAL_START=%s", start);
    list[count++] = mr_arena_printf(arena, "MILLRACE_DATA_INTERVAL_END=%s", end);
    assert(count < capacity);
    return list;
}

/* ---- operations ---- */

void attempt_checkpoint(char out[CHECKPOINT_BYTES], const struct run *run, const struct run_task *task)
{
    snprintf(out, CHECKPOINT_BYTES, "%s/%s/%s", run->dag->id, run->id, task->id);
}

static enum mr_status shell_start(struct attempt *a, struct mr_err *err)
{
    struct mr_arena *arena = mr_arena_new();
    struct process_spec spec = {
        .command = a->task->def->text,
        .dir = a->scheduler->project_dir,
        .environment = environment_make(a, arena),
        .output_fd = a->log_fd,
    };
    enum mr_status status = process_start(&spec, &a->pid, &a->gate, err);

    mr_arena_free(arena); /* the child has its own copy */
    if (status != MR_OK)
        return status;
    process_identity(a->pid, a->identity);
    attempt_log_line(a, "attempt %" PRId64 ", process %d", a->number, (int)a->pid);
    mr_thread_start(&a->thread, "task", process_wait, a);
    a->threaded = true;
    return MR_OK;
}

static enum mr_status real_start(struct attempt *a, struct mr_err *err)
{
    const struct scheduler_sql *sql = &a->scheduler->options.sql;
    char checkpoint[CHECKPOINT_BYTES];
    enum mr_status status = attempt_log_open(a, err);
    uint64_t token[2] = { mr_random_u64(a->scheduler->env), mr_random_u64(a->scheduler->env) };

    if (status != MR_OK)
        return status;
    if (a->task->def->kind == SCHEDULER_SHELL) {
        snprintf(a->token, sizeof(a->token), "%016" PRIx64 "%016" PRIx64, token[0], token[1]);
        return shell_start(a, err);
    }
    if (sql->begin == NULL)
        return mr_err_set(err, MR_UNSUPPORTED, "there is nothing here to run SQL with");
    attempt_checkpoint(checkpoint, a->run, a->task);
    status = sql->begin(sql->arg, a->run->dag->id, a->task->id, checkpoint, &a->job, err);
    if (status == MR_OK)
        attempt_log_line(a, "attempt %" PRId64, a->number);
    return status;
}

static void real_release(struct attempt *a)
{
    if (a->job != NULL && !a->threaded) {
        mr_thread_start(&a->thread, "task", script_run, a);
        a->threaded = true;
    }
    if (a->gate < 0)
        return;
    if (write(a->gate, "g", 1) != 1)
        attempt_log_line(a, "its process could not be let in"); /* it ends by itself then */
    close(a->gate);
    a->gate = -1;
}

static void real_stop(struct attempt *a, bool hard)
{
    if (a->gate >= 0) { /* not even begun */
        close(a->gate);
        a->gate = -1;
    }
    if (a->pid > 0 && !atomic_load(&a->ended))
        process_signal(a->pid, hard ? SIGKILL : SIGTERM);
    if (a->job != NULL)
        a->scheduler->options.sql.stop(a->job, hard);
}

static bool real_leftover(struct attempt *a, int signal_number)
{
    return process_leftover(a->pid, a->identity, a->token, signal_number) > 0;
}

static void real_finish(struct attempt *a)
{
    if (a->job != NULL) {
        a->scheduler->options.sql.counts(a->job, &a->rows_in, &a->rows_out, &a->dead_letters);
        if (a->script_status != MR_OK)
            a->err = a->script_err;
        return;
    }
    process_signal(a->pid, SIGKILL); /* whatever it left behind in its group */
    while (waitpid(a->pid, &a->wait_status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(a->wait_status))
        a->exit_code = WEXITSTATUS(a->wait_status);
    else if (WIFSIGNALED(a->wait_status))
        a->exit_code = 128 + WTERMSIG(a->wait_status);
}

const struct attempt_ops attempt_ops_real = {
    .start = real_start,
    .release = real_release,
    .stop = real_stop,
    .leftover = real_leftover,
    .finish = real_finish,
};
