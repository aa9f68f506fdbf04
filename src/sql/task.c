/* task.c -- a script that is run when somebody asks for it: a scheduler's SQL task.
 *
 * The script is bound once, on the opener's thread, since binding changes the session; what is bound is immutable, so
 * that any thread may run it.  Each run has a key of its own for its checkpoint: the next run starts from the
 * beginning, and one that was interrupted goes on, while dead letters and metrics of all runs are together under one
 * name. Tested by: tests/unit/sql/test_task.c */
#include "sql/engine_int.h"

#include <string.h>

struct sql_task {
    struct sql_engine *engine;     /* borrowed */
    struct sql_script *script;     /* owned */
    const struct sql_query *query; /* borrowed from the script */
    char *name;                    /* owned */
};

struct sql_task_run {
    struct sql_run *run; /* owned */
};

/* Finds the one query of a script whose other statements have no rows for anybody. */
static enum mr_status query_find(const struct sql_script *script, const struct sql_query **out, struct mr_err *err)
{
    const struct sql_query *found = NULL;

    for (uint32_t i = 0; i < sql_script_count(script); i++) {
        enum sql_statement_kind kind = sql_script_kind(script, i);

        if (!sql_script_is_query(script, i)) {
            if (kind != SQL_CREATE_TABLE && kind != SQL_DROP_TABLE && kind != SQL_SET && kind != SQL_RESET)
                return mr_err_set(err, MR_INVALID,
                                  "statement %u is a question, and a task has nobody to answer: leave it out", i + 1);
            continue;
        }
        const struct sql_query *query = sql_script_query(script, i);
        if (query->kind == SQL_SELECT)
            return mr_err_set_at(err, MR_INVALID, query->line, query->column,
                                 "a task has nobody to show the rows of a SELECT to: INSERT INTO a table");
        if (found != NULL)
            return mr_err_set_at(err, MR_INVALID, query->line, query->column,
                                 "a task has one query, and this is a second: make it a task of its own, or put both "
                                 "into one STATEMENT SET");
        found = query;
    }
    if (found == NULL)
        return mr_err_set_at(err, MR_INVALID, 1, 1, "there is no INSERT in it: a task needs something to do");
    *out = found;
    return MR_OK;
}

enum mr_status sql_task_load(struct sql_task **out, struct sql_engine *engine, struct mr_str text, const char *name,
                             struct mr_err *err)
{
    struct sql_script *script = NULL;
    const struct sql_query *query = NULL;
    struct sql_run *probe = NULL;
    struct sql_task *task;
    /* What another file set is not for this one. */
    enum mr_status status = sql_script_bind(&script, engine->session, MR_STR("RESET;"), err);

    sql_script_free(script);
    script = NULL;
    if (status == MR_OK)
        status = sql_script_bind(&script, engine->session, text, err);
    if (status != MR_OK)
        return status;
    status = query_find(script, &query, err);
    if (status == MR_OK) /* the name and the settings: now, and not at one o'clock at night */
        status = sql_run_new(&probe, engine, query, query->name != NULL ? query->name : name, true, NULL, err);
    sql_run_free(probe);
    if (status != MR_OK) {
        sql_script_free(script);
        return status;
    }
    task = MR_NEW(struct sql_task);
    task->engine = engine;
    task->script = script;
    task->query = query;
    task->name = mr_strdup(query->name != NULL ? query->name : name);
    *out = task;
    return MR_OK;
}

const struct sql_query *sql_task_bound(const struct sql_task *task)
{
    return task->query;
}

void sql_task_free(struct sql_task *task)
{
    if (task == NULL)
        return;
    sql_script_free(task->script);
    mr_free(task->name);
    mr_free(task);
}

enum mr_status sql_task_begin(struct sql_task_run **out, struct sql_task *task, const char *checkpoint,
                              struct mr_err *err)
{
    struct sql_run *run = NULL;
    enum mr_status status;

    if (strlen(checkpoint) < 1 || strlen(checkpoint) > STATE_QUERY_BYTES_MAX)
        return mr_err_set(err, MR_INVALID, "a checkpoint's key has 1 to %d bytes", STATE_QUERY_BYTES_MAX);
    status = sql_run_new(&run, task->engine, task->query, task->name, true, NULL, err);
    if (status != MR_OK)
        return status;
    mr_free(run->key);
    run->key = mr_strdup(checkpoint);
    *out = MR_NEW(struct sql_task_run);
    (*out)->run = run;
    return MR_OK;
}

enum mr_status sql_task_run(struct sql_task_run *run, struct mr_err *err)
{
    enum mr_status status = sql_run_main(run->run, err);

    if (status == MR_OK && atomic_load(&run->run->asked) && !sql_epoch_done(run->run))
        status = mr_err_set(err, MR_BUSY, "stopped");
    return status;
}

void sql_task_stop(struct sql_task_run *run, bool hard)
{
    atomic_store(&run->run->asked, true);
    if (hard)
        atomic_store(&run->run->hard, true);
}

void sql_task_status(struct sql_task_run *run, struct sql_query_status *out)
{
    pthread_mutex_lock(&run->run->lock);
    *out = run->run->status;
    pthread_mutex_unlock(&run->run->lock);
}

void sql_task_end(struct sql_task_run *run)
{
    if (run == NULL)
        return;
    sql_run_free(run->run);
    mr_free(run);
}

enum mr_status sql_checkpoint_forget(struct sql_engine *engine, const char *checkpoint, struct mr_err *err)
{
    if (engine->options.state == NULL)
        return MR_OK;
    return state_query_delete(engine->options.state, mr_str_of(checkpoint), err);
}
