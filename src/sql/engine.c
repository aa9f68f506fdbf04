/* engine.c -- the engine: scripts that were loaded, their queries and threads.
 *
 * Threads: the opener's thread loads, starts, stops and closes; what is about one query is for any.  engine->lock
 *          guards the list of runs; a run never disappears before the engine does.  run->control is held while a run
 *          is started or stopped, and taken before the other locks. */
#include "sql/engine_int.h"

#include "base/logging.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static char *text_copy(const char *text)
{
    return text != NULL ? mr_strdup(text) : NULL;
}

enum mr_status sql_engine_open(struct sql_engine **out, const struct sql_engine_options *options, struct mr_err *err)
{
    struct sql_engine *engine = MR_NEW(struct sql_engine);

    MR_UNUSED(err);
    engine->options = *options;
    if (engine->options.env == NULL)
        engine->options.env = mr_env_real();
    if (engine->options.connectors == NULL)
        engine->options.connectors = connectors_all();
    engine->kafka_embedded = text_copy(options->kafka_embedded);
    engine->cassandra_embedded = text_copy(options->cassandra_embedded);
    engine->project_dir = text_copy(options->project_dir);
    engine->session = sql_session_new(engine->options.connectors);
    engine->dead_letter_ops = &sql_dead_letter_producers;
    pthread_mutex_init(&engine->lock, NULL);
    *out = engine;
    return MR_OK;
}

void sql_engine_test_hooks(struct sql_engine *engine, const struct sql_dead_letter_ops *ops, sql_fault_fn *fault,
                           void *arg)
{
    if (ops != NULL)
        engine->dead_letter_ops = ops;
    engine->fault = fault;
    engine->fault_arg = arg;
}

struct sql_session *sql_engine_session(struct sql_engine *engine)
{
    return engine->session;
}

void sql_engine_close(struct sql_engine *engine)
{
    struct sql_loaded_script *next;

    if (engine == NULL)
        return;
    sql_engine_stop(engine);
    for (size_t i = 0; i < engine->run_count; i++)
        sql_run_free(engine->runs[i]);
    mr_free(engine->runs);
    for (struct sql_loaded_script *s = engine->scripts; s != NULL; s = next) {
        next = s->next;
        sql_script_free(s->script);
        mr_free(s);
    }
    sql_session_free(engine->session);
    pthread_mutex_destroy(&engine->lock);
    mr_free(engine->kafka_embedded);
    mr_free(engine->cassandra_embedded);
    mr_free(engine->project_dir);
    mr_free(engine);
}

/* ---- loading ---- */

enum mr_status sql_engine_names_check(const struct sql_script *script, const char *stem, struct mr_err *err)
{
    for (uint32_t i = 0; i < sql_script_count(script); i++) {
        const struct sql_query *a = sql_script_is_query(script, i) ? sql_script_query(script, i) : NULL;
        if (a == NULL || a->kind == SQL_SELECT)
            continue;
        for (uint32_t j = 0; j < i; j++) {
            const struct sql_query *b = sql_script_is_query(script, j) ? sql_script_query(script, j) : NULL;
            if (b == NULL || b->kind == SQL_SELECT)
                continue;
            if (a->name == NULL && b->name == NULL)
                return mr_err_set_at(
                    err, MR_INVALID, a->line, a->column,
                    "a second query without a name (the first, in line %d, is called \"%s\" after the "
                    "file): put SET 'pipeline.name' = '...'; before it, or both into one STATEMENT SET",
                    b->line, stem);
            if (strcmp(a->name != NULL ? a->name : stem, b->name != NULL ? b->name : stem) == 0)
                return mr_err_set_at(
                    err, MR_INVALID, a->line, a->column,
                    "the query in line %d is called \"%s\" too: the name is the key of its checkpoint, "
                    "SET 'pipeline.name' = '...'; gives another",
                    b->line, a->name != NULL ? a->name : stem);
        }
    }
    return MR_OK;
}

static struct sql_run *run_find(struct sql_engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->run_count; i++) {
        if (strcmp(engine->runs[i]->name, name) == 0)
            return engine->runs[i];
    }
    return NULL;
}

static enum mr_status query_check(struct sql_engine *engine, const struct sql_query *bound, const char *name,
                                  struct mr_err *err)
{
    bool stored;

    if (bound->kind == SQL_SELECT)
        return mr_err_set_at(err, MR_INVALID, bound->line, bound->column,
                             "a pipeline has nobody to show the rows of a SELECT to: INSERT INTO a table");
    if (run_find(engine, name) != NULL)
        return mr_err_set_at(err, MR_EXISTS, bound->line, bound->column,
                             "another file has a query called \"%s\": SET 'pipeline.name' = '...'; gives another",
                             name);
    if (engine->options.state == NULL)
        return MR_OK;
    return sql_checkpoint_compare(engine->options.state, name, bound, &stored, err);
}

/* Checks every statement before the first run is made, so that a script is loaded whole or not at all. */
static enum mr_status script_check(struct sql_engine *engine, const struct sql_script *script, const char *stem,
                                   struct mr_err *err)
{
    enum mr_status status = sql_engine_names_check(script, stem, err);

    for (uint32_t i = 0; i < sql_script_count(script) && status == MR_OK; i++) {
        const struct sql_query *bound = sql_script_query(script, i);
        enum sql_statement_kind kind = sql_script_kind(script, i);
        if (sql_script_is_query(script, i))
            status = query_check(engine, bound, bound->name != NULL ? bound->name : stem, err);
        else if (kind != SQL_CREATE_TABLE && kind != SQL_DROP_TABLE && kind != SQL_SET && kind != SQL_RESET)
            status = mr_err_set(err, MR_INVALID,
                                "statement %u is a question, and a pipeline has nobody to answer: leave it out", i + 1);
    }
    return status;
}

enum mr_status sql_engine_load(struct sql_engine *engine, struct mr_str text, const char *stem, struct mr_err *err)
{
    struct sql_loaded_script *loaded;
    struct sql_script *script = NULL;
    struct sql_run **made = NULL;
    size_t made_count = 0;
    /* What one file set is not for the next one. */
    enum mr_status status = sql_script_bind(&script, engine->session, MR_STR("RESET;"), err);

    sql_script_free(script);
    script = NULL;
    if (status == MR_OK)
        status = sql_script_bind(&script, engine->session, text, err);
    if (status != MR_OK)
        return status;
    made = mr_calloc(sql_script_count(script) + 1, sizeof(struct sql_run *));
    status = script_check(engine, script, stem, err);
    for (uint32_t i = 0; i < sql_script_count(script) && status == MR_OK; i++) {
        const struct sql_query *bound = sql_script_query(script, i);
        if (!sql_script_is_query(script, i))
            continue;
        status =
            sql_run_new(&made[made_count], engine, bound, bound->name != NULL ? bound->name : stem, true, NULL, err);
        made_count += status == MR_OK;
    }
    if (status != MR_OK) {
        for (size_t i = 0; i < made_count; i++)
            sql_run_free(made[i]);
        sql_script_free(script);
        goto out;
    }
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < made_count; i++) {
        MR_GROW(engine->runs, engine->run_count, engine->run_capacity);
        engine->runs[engine->run_count++] = made[i];
    }
    pthread_mutex_unlock(&engine->lock);
    loaded = MR_NEW(struct sql_loaded_script);
    loaded->script = script;
    loaded->next = engine->scripts;
    engine->scripts = loaded;
out:
    mr_free(made);
    return status;
}

/* ---- starting and stopping ---- */

enum mr_status sql_engine_start(struct sql_engine *engine, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    for (size_t i = 0; i < engine->run_count && status == MR_OK; i++) {
        struct sql_run *run = engine->runs[i];
        bool stopped = false;
        pthread_mutex_lock(&run->control);
        if (!run->threaded && run->durable)
            status = sql_checkpoint_stopped(engine->options.state, run->name, &stopped, err);
        if (stopped && status == MR_OK)
            status = sql_checkpoint_id(run, err);
        if (status == MR_OK && stopped) {
            pthread_mutex_lock(&run->lock);
            run->status.state = SQL_QUERY_STOPPED;
            pthread_mutex_unlock(&run->lock);
            mr_log(MR_LOG_INFO, "sql", "query %s stays stopped; millrace query start %s ends that", run->name,
                   run->name);
        } else if (status == MR_OK && !run->threaded) {
            sql_run_start(run);
        }
        pthread_mutex_unlock(&run->control);
    }
    return status;
}

static void stop_deadline(struct timespec *out)
{
    clock_gettime(CLOCK_REALTIME, out);
    out->tv_sec += SQL_STOP_GRACE_MS / 1000;
}

void sql_engine_stop(struct sql_engine *engine)
{
    struct timespec deadline;

    atomic_store(&engine->stopping, true);
    for (size_t i = 0; i < engine->run_count; i++)
        sql_run_ask(engine->runs[i]);
    stop_deadline(&deadline);
    for (size_t i = 0; i < engine->run_count; i++) {
        struct sql_run *run = engine->runs[i];
        pthread_mutex_lock(&run->control);
        sql_run_ask(run); /* it may have been started meanwhile; it won't be any more */
        sql_run_join(run, &deadline);
        pthread_mutex_unlock(&run->control);
    }
}

struct sql_run *sql_engine_run(struct sql_engine *engine, const char *name)
{
    struct sql_run *run;

    pthread_mutex_lock(&engine->lock);
    run = run_find(engine, name);
    pthread_mutex_unlock(&engine->lock);
    return run;
}

void sql_engine_no_query(struct sql_engine *engine, const char *name, struct mr_err *err)
{
    struct mr_writer names = { 0 };

    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < engine->run_count; i++)
        mr_write_text(&names, "%s%s", i > 0 ? ", " : "", engine->runs[i]->name);
    pthread_mutex_unlock(&engine->lock);
    if (names.size == 0)
        mr_err_set(err, MR_NOT_FOUND, "no query \"%s\" runs here, nor any other", name);
    else
        mr_err_set(err, MR_NOT_FOUND, "no query \"%s\"; there are %.*s", name,
                   (int)(names.size > MR_ERR_BYTES / 2 ? MR_ERR_BYTES / 2 : names.size), (const char *)names.data);
    mr_writer_deinit(&names);
}

enum mr_status sql_engine_query_start(struct sql_engine *engine, const char *name, struct mr_err *err)
{
    struct sql_run *run = sql_engine_run(engine, name);
    struct timespec now;
    enum mr_status status = MR_OK;
    bool ended;

    if (run == NULL) {
        sql_engine_no_query(engine, name, err);
        return MR_NOT_FOUND;
    }
    pthread_mutex_lock(&run->control);
    if (atomic_load(&engine->stopping))
        status = mr_err_set(err, MR_BUSY, "the server is being stopped");
    if (status == MR_OK && run->durable)
        status = sql_checkpoint_stop(engine->options.state, name, false, err);
    pthread_mutex_lock(&run->lock);
    ended = run->ended;
    pthread_mutex_unlock(&run->lock);
    if (status == MR_OK && ended) {
        clock_gettime(CLOCK_REALTIME, &now);
        sql_run_join(run, &now);
        sql_run_start(run);
    }
    pthread_mutex_unlock(&run->control);
    return status;
}

enum mr_status sql_engine_query_stop(struct sql_engine *engine, const char *name, struct mr_err *err)
{
    struct sql_run *run = sql_engine_run(engine, name);
    struct timespec deadline;
    enum mr_status status = MR_OK;

    if (run == NULL) {
        sql_engine_no_query(engine, name, err);
        return MR_NOT_FOUND;
    }
    pthread_mutex_lock(&run->control);
    if (run->durable)
        status = sql_checkpoint_stop(engine->options.state, name, true, err);
    if (status == MR_OK) {
        sql_run_ask(run);
        stop_deadline(&deadline);
        sql_run_join(run, &deadline);
        pthread_mutex_lock(&run->lock);
        run->status.state = SQL_QUERY_STOPPED;
        pthread_mutex_unlock(&run->lock);
    }
    pthread_mutex_unlock(&run->control);
    return status;
}

void sql_engine_interrupt(struct sql_engine *engine)
{
    atomic_store(&engine->interrupted, true);
}

/* ---- status ---- */

bool sql_engine_query(struct sql_engine *engine, size_t i, struct sql_query_status *out)
{
    struct sql_run *run = NULL;

    pthread_mutex_lock(&engine->lock);
    if (i < engine->run_count)
        run = engine->runs[i];
    pthread_mutex_unlock(&engine->lock);
    if (run == NULL)
        return false;
    pthread_mutex_lock(&run->lock);
    *out = run->status;
    pthread_mutex_unlock(&run->lock);
    return true;
}

static const char *const state_names[] = {
    [SQL_QUERY_STARTING] = "starting", [SQL_QUERY_RUNNING] = "running", [SQL_QUERY_RETRYING] = "retrying",
    [SQL_QUERY_FINISHED] = "finished", [SQL_QUERY_FAILED] = "failed",   [SQL_QUERY_STOPPED] = "stopped"
};

const char *sql_query_state_name(enum sql_query_state state)
{
    assert((unsigned)state < MR_COUNT(state_names));
    return state_names[state];
}

bool sql_query_state_parse(const char *name, enum sql_query_state *out)
{
    for (size_t i = 0; i < MR_COUNT(state_names); i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *out = (enum sql_query_state)i;
            return true;
        }
    }
    return false;
}
