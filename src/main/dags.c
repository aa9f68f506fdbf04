/* dags.c -- see dags.h.
 *
 * A SQL task is bound when the server starts, so that a mistake in it is found then; the scheduler's threads only run
 * what is bound. */
#include "main/dags.h"
#include "base/env.h"
#include "base/logging.h"
#include "base/text.h"
#include "main/api.h"
#include "main/project.h"
#include "main/server.h"
#include "scheduler/scheduler.h"
#include "sql/sql.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A SQL task, bound. */
struct bound_task {
    const char *dag, *task; /* borrowed from the DAG */
    struct sql_task *sql;   /* owned */
};

struct dags {
    struct sql_engine *engine;   /* borrowed */
    struct scheduler_dag **list; /* owned, each too */
    uint32_t count;
    struct bound_task *tasks; /* owned */
    size_t task_count;
    struct scheduler *scheduler; /* owned; NULL: nothing to schedule */
    char trigger[SCHEDULER_ID_BYTES_MAX + 1];
};

/* ---- the scheduler's SQL tasks ---- */

static const struct bound_task *task_find(const struct dags *dags, const char *dag, const char *task)
{
    for (size_t i = 0; i < dags->task_count; i++) {
        if (strcmp(dags->tasks[i].dag, dag) == 0 && strcmp(dags->tasks[i].task, task) == 0)
            return &dags->tasks[i];
    }
    return NULL;
}

static enum mr_status task_begin(void *arg, const char *dag, const char *task, const char *checkpoint, void **out,
                                 struct mr_err *err)
{
    const struct bound_task *found = task_find(arg, dag, task);

    if (found != NULL)
        return sql_task_begin((struct sql_task_run **)out, found->sql, checkpoint, err);
    return mr_err_set(err, MR_NOT_FOUND, "task %s of %s has no SQL", task, dag);
}

static enum mr_status task_run(void *job, struct mr_err *err)
{
    return sql_task_run(job, err);
}

static void task_stop(void *job, bool hard)
{
    sql_task_stop(job, hard);
}

static void task_counts(void *job, int64_t *rows_in, int64_t *rows_out, int64_t *dead_letters)
{
    struct sql_query_status status;

    sql_task_status(job, &status);
    *rows_in = status.rows_in;
    *rows_out = status.rows_out;
    *dead_letters = status.dead_letters;
}

static void task_end(void *job)
{
    sql_task_end(job);
}

static void task_forget(void *arg, const char *checkpoint)
{
    const struct dags *dags = arg;
    struct mr_err err = MR_ERR_INIT;

    if (sql_checkpoint_forget(dags->engine, checkpoint, &err) != MR_OK)
        mr_log(MR_LOG_WARN, "scheduler", "the checkpoint %s can't be removed: %s", checkpoint, err.text);
}

/* ---- loading ---- */

/* ERR of a script is about the script: its place becomes one in the DAG's file. */
static enum mr_status sql_refused(const struct scheduler_dag *dag, const struct scheduler_task *task,
                                  enum mr_status status, struct mr_err *err)
{
    struct mr_err why = *err;
    int line = why.line, column = why.column;

    if (task->file == NULL) {
        line = task->line + (why.line > 0 ? why.line - 1 : 0);
        column = task->column + (why.column > 0 ? why.column - 1 : 0);
    }
    return mr_err_set_at(err, status, line, column, "%s:%d:%d: task %s: %s", task->file ? task->file : dag->file, line,
                         column, task->id, why.text);
}

static enum mr_status task_load(struct dags *d, const struct project *project, const struct scheduler_dag *dag,
                                const struct scheduler_task *task, struct mr_err *err)
{
    struct bound_task bound = { dag->id, task->id, NULL };
    struct mr_writer text = { 0 };
    char name[2 * SCHEDULER_ID_BYTES_MAX + 2];
    enum mr_status status = MR_OK;

    snprintf(name, sizeof(name), "%s.%s", dag->id, task->id);
    if (task->file == NULL) {
        status = sql_task_load(&bound.sql, d->engine, mr_str_of(task->text), name, err);
    } else {
        status = project_file_read(project->dir, task->file, &text, err);
        if (status != MR_OK) {
            mr_err_context(err, "%s:%d:%d", dag->file, task->line, task->column);
            goto out;
        }
        status = sql_task_load(&bound.sql, d->engine, mr_str_of_bytes(mr_writer_bytes(&text)), name, err);
    }
    if (status != MR_OK) {
        status = sql_refused(dag, task, status, err);
        goto out;
    }
    d->tasks = mr_realloc(d->tasks, (d->task_count + 1) * sizeof(*d->tasks));
    d->tasks[d->task_count++] = bound;
out:
    mr_writer_deinit(&text);
    return status;
}

static enum mr_status dag_load(struct dags *d, const struct project *project, const struct project_file *file,
                               struct mr_err *err)
{
    struct mr_str text = { (const char *)file->text.data, file->text.size };
    struct scheduler_dag *dag = NULL;
    enum mr_status status = MR_OK;

    for (uint32_t i = 0; i < d->count; i++) {
        if (strcmp(d->list[i]->id, file->stem) == 0)
            return mr_err_set(err, MR_EXISTS,
                              "%s and %s are one DAG: a DAG is called as its file, without .yaml or .yml",
                              d->list[i]->file, file->path);
    }
    if (d->count == SCHEDULER_DAGS_MAX)
        return mr_err_set(err, MR_LIMIT, "a project has at most %d DAGs", SCHEDULER_DAGS_MAX);
    status = scheduler_dag_parse(&dag, file->stem, text, file->path, err);
    if (status != MR_OK)
        return status;
    d->list = mr_realloc(d->list, (d->count + 1) * sizeof(*d->list));
    d->list[d->count++] = dag;
    for (uint32_t i = 0; i < dag->task_count && status == MR_OK; i++) {
        if (dag->tasks[i].kind == SCHEDULER_SQL)
            status = task_load(d, project, dag, &dag->tasks[i], err);
    }
    return status;
}

static enum mr_status scheduler_make(struct dags *d, const struct server *server, const struct project *project,
                                     const struct mr_config *config, struct mr_err *err)
{
    char dir[MR_PATH_BYTES];
    enum mr_status status = mr_path_join(dir, server->data_dir.path, "scheduler", err);
    struct scheduler_options options = {
        .dir = dir,
        .project_dir = project != NULL ? project->dir : NULL,
        .keep_runs = mr_config_integer(config, "dags.keep-runs"),
        .keep_ms = mr_config_integer(config, "dags.keep-for"),
        .sql = { task_begin, task_run, task_stop, task_counts, task_end, task_forget, d },
    };

    if (status != MR_OK || (d->count == 0 && access(dir, F_OK) != 0))
        return status;
    return scheduler_open(&d->scheduler, &options, d->list, d->count, err);
}

enum mr_status dags_open(struct server *server, const struct project *project, const struct mr_config *config,
                         bool *data_failed, struct mr_err *err)
{
    struct dags *d = MR_NEW(struct dags);
    enum mr_status status = MR_OK;

    d->engine = server->engine;
    *data_failed = false;
    for (size_t i = 0; project != NULL && i < project->dag_count && status == MR_OK; i++)
        status = dag_load(d, project, &project->dags[i], err);
    if (status == MR_OK) {
        status = scheduler_make(d, server, project, config, err);
        *data_failed = status != MR_OK;
    }
    if (status != MR_OK) {
        dags_close(d);
        return status;
    }
    server->dags = d;
    if (stack_http_server(server->stack) != NULL)
        api_dags_routes(server);
    return MR_OK;
}

/* ---- life ---- */

enum mr_status dags_check(const struct dags *dags, const char *dag, struct mr_err *err)
{
    const char **names = mr_calloc(dags->count + 1, sizeof(*names));
    const char *nearest;
    bool found = false;

    for (uint32_t i = 0; i < dags->count; i++) {
        names[i] = dags->list[i]->id;
        found = found || strcmp(names[i], dag) == 0;
    }
    nearest = mr_nearest(dag, names, dags->count);
    mr_free(names);
    if (found)
        return MR_OK;
    return nearest != NULL ? mr_err_set(err, MR_NOT_FOUND, "there is no DAG \"%s\"; did you mean \"%s\"?", dag, nearest)
                           : mr_err_set(err, MR_NOT_FOUND, "there is no DAG \"%s\" in the project's dags/", dag);
}

static void trigger_job(void *arg)
{
    struct dags *d = arg;
    struct scheduler_trigger trigger = { .unless_active = true };
    char run[SCHEDULER_RUN_BYTES];
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = scheduler_trigger(d->scheduler, d->trigger, &trigger, run, &err);

    if (status != MR_OK && status != MR_EXISTS)
        mr_log(MR_LOG_ERROR, "scheduler", "%s could not be triggered: %s", d->trigger, err.text);
}

void dags_start(struct dags *dags, const char *trigger)
{
    if (dags->scheduler == NULL)
        return;
    if (trigger != NULL) {
        snprintf(dags->trigger, sizeof(dags->trigger), "%s", trigger);
        /* Before the thread looks at the schedule: what is due then comes behind it. */
        if (scheduler_post(dags->scheduler, trigger_job, dags) != MR_OK)
            assert(false);
    }
    scheduler_start(dags->scheduler);
}

void dags_stop(struct dags *dags)
{
    if (dags != NULL && dags->scheduler != NULL)
        scheduler_stop(dags->scheduler);
}

void dags_close(struct dags *dags)
{
    if (dags == NULL)
        return;
    scheduler_close(dags->scheduler);
    for (size_t i = 0; i < dags->task_count; i++)
        sql_task_free(dags->tasks[i].sql);
    for (uint32_t i = 0; i < dags->count; i++)
        scheduler_dag_free(dags->list[i]);
    mr_free(dags->tasks);
    mr_free(dags->list);
    mr_free(dags);
}

struct scheduler *dags_scheduler(const struct dags *dags)
{
    return dags->scheduler;
}

void dags_task_ends_write(const struct dags *dags, const char *dag, const char *task, struct mr_writer *out)
{
    const struct bound_task *found = task_find(dags, dag, task);

    if (found == NULL)
        return;
    mr_write_u8(out, ',');
    sql_task_ends_write(found->sql, out);
}

uint32_t dags_count(const struct dags *dags)
{
    return dags->count;
}
