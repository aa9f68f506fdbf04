/* query.c -- one query at work: opening its sources and sinks, turning epochs, closing, and what it shows.
 *
 * States   STARTING --all open--> RUNNING --sources ended--> FINISHED
 *          RUNNING --MR_IO, MR_BUSY--> RETRYING --later, all open again--> RUNNING
 *             any --error--> FAILED      any --asked to stop--> STOPPED
 * A run that failed or retries leaves its checkpoint as it is and goes on from there. */
#include "sql/engine_int.h"

#include "base/logging.h"
#include "base/text.h"
#include "base/thread.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum query_limits {
    EPOCH_MS_DEFAULT = 1000,
    EPOCH_MS_LIMIT = 60 * 1000,
    RETRY_MS_MAX = 60 * 1000,
    RETRY_SLICE_MS = 10, /* a stop is noticed this soon */
};

bool sql_run_stopping(const struct sql_run *run)
{
    return atomic_load_explicit(&run->asked, memory_order_relaxed) ||
           (run->interrupted != NULL && atomic_load_explicit(run->interrupted, memory_order_relaxed));
}

enum mr_status sql_run_step(struct sql_run *run, enum sql_step step, struct mr_err *err)
{
    if (run->engine->fault == NULL || run->engine->fault(run->engine->fault_arg, step) == MR_OK)
        return MR_OK;
    return mr_err_set(err, MR_IO, "stopped by a test before step %d", (int)step);
}

void sql_run_show(struct sql_run *run, enum sql_query_state state, const struct mr_err *err)
{
    int64_t lag = 0;

    for (uint32_t i = 0; i < run->bound->source_count; i++) {
        struct sql_run_source *s = &run->sources[i];
        int64_t one = s->ops == NULL ? 0 : s->source == NULL || s->ops->lag == NULL ? -1 : s->ops->lag(s->source);
        lag = one < 0 || lag < 0 ? -1 : lag + one;
    }
    pthread_mutex_lock(&run->lock);
    run->status.state = state;
    run->status.epoch = run->epoch;
    run->status.rows_in = run->counts.rows_in;
    run->status.rows_out = run->counts.rows_out;
    run->status.dead_letters = run->counts.dead_letters;
    run->status.skipped = run->counts.skipped;
    run->status.lag = lag;
    run->status.batch_us = run->took.add_us + run->took.commit_us;
    if (err != NULL)
        snprintf(run->status.error, sizeof(run->status.error), "%s", err->text);
    pthread_mutex_unlock(&run->lock);
    mr_metric_set(run->metric_lag, lag);
    mr_metric_set(run->metric_running, state == SQL_QUERY_RUNNING);
}

struct sql_split *sql_run_split(struct sql_run_source *source, int32_t split)
{
    for (uint32_t i = 0; i < source->split_count; i++) {
        if (source->splits[i].position.split == split)
            return &source->splits[i];
    }
    MR_GROW(source->splits, source->split_count, source->split_capacity);
    memset(&source->splits[source->split_count], 0, sizeof(struct sql_split));
    source->splits[source->split_count].position.split = split;
    source->splits[source->split_count].position.last = -1;
    return &source->splits[source->split_count++];
}

/* ---- making ---- */

static void uuid_make(struct mr_env *env, char out[37])
{
    uint8_t uuid[16];

    mr_random_uuid(env, uuid);
    mr_uuid_format(out, uuid);
}

static enum mr_status on_error_parse(const struct sql_query *bound, enum sql_on_error *out, struct mr_err *err)
{
    const char *text = sql_query_setting(bound, "records.on-error");

    *out = SQL_ON_ERROR_DLQ;
    if (text == NULL || strcmp(text, "dlq") == 0)
        return MR_OK;
    *out = SQL_ON_ERROR_FAIL;
    if (strcmp(text, "fail") == 0)
        return MR_OK;
    *out = SQL_ON_ERROR_SKIP;
    if (strcmp(text, "skip") == 0)
        return MR_OK;
    return mr_err_set_at(err, MR_INVALID, bound->line, bound->column,
                         "'records.on-error' = '%s': it is one of dlq, fail, skip", text);
}

bool sql_run_is_batch(const struct sql_query *bound)
{
    const char *mode = sql_query_setting(bound, "execution.runtime-mode");

    return mode != NULL && strcmp(mode, "batch") == 0;
}

static int64_t epoch_ms_of(const struct sql_query *bound)
{
    const char *text = sql_query_setting(bound, "execution.checkpointing.interval");
    int64_t ms = EPOCH_MS_DEFAULT;

    if (text == NULL || mr_parse_duration_ms(mr_str_of(text), &ms) != MR_OK || ms < 1)
        return EPOCH_MS_DEFAULT;
    return ms > EPOCH_MS_LIMIT ? EPOCH_MS_LIMIT : ms;
}

/* A name is part of a topic's, so it may have what topics may. */
static enum mr_status name_check(const struct sql_query *bound, const char *name, struct mr_err *err)
{
    size_t size = strlen(name);

    if (size == 0 || size > SQL_NAME_BYTES_MAX)
        return mr_err_set_at(err, MR_INVALID, bound->line, bound->column,
                             "a query's name has 1 to %d bytes, this one %zu", SQL_NAME_BYTES_MAX, size);
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
              c == '-'))
            return mr_err_set_at(
                err, MR_INVALID, bound->line, bound->column,
                "the query's name \"%s\" may have only letters, digits and . _ -: it names the topic of "
                "its dead letters; SET 'pipeline.name' gives another",
                name);
    }
    return MR_OK;
}

static void metrics_make(struct sql_run *run)
{
    struct mr_writer labels = { 0 };

    mr_metric_label(&labels, "query", mr_str_of(run->name));
    mr_write_u8(&labels, 0);
    const char *l = (const char *)labels.data;
    run->metric_in = mr_metric(MR_METRIC_COUNTER, "millrace_query_rows_in_total", l, "Records read.");
    run->metric_out = mr_metric(MR_METRIC_COUNTER, "millrace_query_rows_out_total", l, "Rows written to sinks.");
    run->metric_dead =
        mr_metric(MR_METRIC_COUNTER, "millrace_query_dead_letters_total", l, "Records sent to <query>.dlq.");
    run->metric_lag = mr_metric(MR_METRIC_GAUGE, "millrace_query_lag_records", l, "Records not yet read; -1: unknown.");
    run->metric_epoch_us =
        mr_metric(MR_METRIC_GAUGE, "millrace_query_epoch_microseconds", l, "Duration of the last epoch.");
    run->metric_skipped = mr_metric(MR_METRIC_COUNTER, "millrace_query_skipped_total", l,
                                    "Bad records left out, as 'records.on-error' = 'skip' says.");
    run->metric_epochs = mr_metric(MR_METRIC_COUNTER, "millrace_query_epochs_total", l, "Checkpoints written.");
    run->metric_running = mr_metric(MR_METRIC_GAUGE, "millrace_query_running", l, "1 while the query runs, else 0.");
    mr_writer_deinit(&labels);
}

enum mr_status sql_run_new(struct sql_run **out, struct sql_engine *engine, const struct sql_query *bound,
                           const char *name, bool durable, const atomic_bool *interrupted, struct mr_err *err)
{
    enum sql_on_error on_error;
    enum mr_status status = on_error_parse(bound, &on_error, err);
    struct sql_run *run;

    if (status == MR_OK)
        status = name_check(bound, name, err);
    if (status != MR_OK)
        return status;
    run = MR_NEW(struct sql_run);
    run->engine = engine;
    run->bound = bound;
    run->name = mr_strdup(name);
    run->key = mr_strdup(name);
    run->durable = durable && engine->options.state != NULL;
    run->is_select = bound->kind == SQL_SELECT;
    run->on_error = run->is_select && on_error == SQL_ON_ERROR_DLQ ? SQL_ON_ERROR_FAIL : on_error;
    run->interrupted = interrupted;
    run->epoch_ms_max = epoch_ms_of(bound);
    run->context = (struct connector_context){
        .env = engine->options.env,
        .kafka_embedded = engine->kafka_embedded,
        .cassandra_embedded = engine->cassandra_embedded,
        .cassandra_is_ours = engine->options.cassandra_is_ours,
        .project_dir = engine->project_dir,
        .query_name = run->name,
        .query_id = run->status.id,
        .kafka_is_shared = engine->options.kafka_is_shared,
        .stop = interrupted != NULL ? interrupted : &run->hard,
    };
    run->sources = mr_calloc(bound->source_count + 1, sizeof(struct sql_run_source));
    run->outputs = mr_calloc(bound->output_count + 1, sizeof(struct sql_run_output));
    for (uint32_t i = 0; i < bound->source_count; i++) {
        run->sources[i].bound = &bound->sources[i];
        run->sources[i].name = bound->sources[i].table != NULL ? bound->sources[i].table->name : "";
    }
    pthread_mutex_init(&run->lock, NULL);
    pthread_mutex_init(&run->control, NULL);
    run->progress = sql_progress_new(bound);
    pthread_cond_init(&run->ended_cond, NULL);
    snprintf(run->status.name, sizeof(run->status.name), "%s", name);
    uuid_make(engine->options.env, run->status.id); /* until its checkpoint says another */
    run->status.state = SQL_QUERY_STARTING;
    run->status.lag = -1;
    run->ended = true; /* until it is started */
    metrics_make(run);
    *out = run;
    return MR_OK;
}

static void splits_drop(struct sql_run *run)
{
    for (uint32_t i = 0; i < run->bound->source_count; i++) {
        for (uint32_t s = 0; s < run->sources[i].split_count; s++)
            mr_free(run->sources[i].splits[s].state_text);
        run->sources[i].split_count = 0;
    }
}

void sql_run_free(struct sql_run *run)
{
    if (run == NULL)
        return;
    splits_drop(run);
    for (uint32_t i = 0; i < run->bound->source_count; i++)
        mr_free(run->sources[i].splits);
    mr_free(run->sources);
    mr_free(run->outputs);
    mr_free(run->origins);
    mr_writer_deinit(&run->epoch_bytes);
    sql_progress_free(run->progress);
    pthread_mutex_destroy(&run->lock);
    pthread_mutex_destroy(&run->control);
    pthread_cond_destroy(&run->ended_cond);
    mr_free(run->name);
    mr_free(run->key);
    mr_free(run);
}

/* ---- opening ---- */

static void sink_reject(void *arg, uint32_t record, const struct mr_err *why)
{
    struct sql_run_output *output = arg;
    struct sql_run *run = output->run;

    assert(record < run->origin_count);
    run->counts.rows_out--;
    if (run->failure.status == MR_OK &&
        sql_dead_letter(run, &run->origins[record], SQL_STAGE_PUT, output, why->text, &run->failure) != MR_OK &&
        run->failure.status == MR_OK)
        run->failure.status = MR_IO;
}

static enum mr_status output_open(struct sql_run *run, struct sql_run_output *output, struct mr_err *err)
{
    const struct sql_table *sink = output->bound->sink;
    enum mr_status status = MR_OK;

    output->run = run;
    output->limit_left = output->bound->limit;
    output->projection = sql_projection_new(output->bound);
    if (sink == NULL)
        return MR_OK;
    output->ops = sink->connector->sink;
    if (output->ops == NULL)
        return mr_err_set(err, MR_UNSUPPORTED, "table %s: the connector '%s' can't be written", sink->name,
                          sink->connector->name);
    status = output->ops->open(&output->sink, &sink->sink_table, &run->context, sink_reject, output, err);
    if (status != MR_OK)
        mr_err_context(err, "table %s", sink->name);
    return status;
}

/* The options of a batch query's source: where the table says nothing else, it ends at the newest record. */
static const char *batch_option(const struct connector_table *view, const char *name)
{
    const struct sql_table *table = view->engine;
    const char *value = sql_table_option(table, name);

    if (strcmp(name, "scan.bounded.mode") == 0 && (value == NULL || strcmp(value, "unbounded") == 0))
        return "latest-offset";
    return value;
}

static enum mr_status source_open(struct sql_run *run, struct sql_run_source *source, struct mr_err *err)
{
    const struct sql_table *table = source->bound->table;
    struct connector_position *positions;
    uint32_t position_count = 0;
    enum mr_status status;

    if (table == NULL)
        return MR_OK;
    source->ops = table->connector->source;
    if (source->ops == NULL)
        return mr_err_set(err, MR_UNSUPPORTED, "table %s: the connector '%s' can't be read", table->name,
                          table->connector->name);
    source->reader = sql_reader_new(table, source->bound->wanted);
    source->batch = data_batch_new(source->bound->row);
    source->table = table->connector_table;
    if (sql_run_is_batch(run->bound)) {
        source->table.engine = (void *)table;
        source->table.option = batch_option;
    }
    positions = mr_calloc(source->split_count + 1, sizeof(struct connector_position));
    for (uint32_t i = 0; i < source->split_count; i++) {
        if (!source->splits[i].has_position)
            continue;
        positions[position_count] = source->splits[i].position;
        positions[position_count++].clock_us = source->splits[i].clock_us;
    }
    status = source->ops->open(&source->source, &source->table, &run->context, positions, position_count, err);
    mr_free(positions);
    if (status != MR_OK)
        mr_err_context(err, "table %s", table->name);
    return status;
}

/* Can other processes that run the same query take some of its records?  Only where nothing but the records' own
 * positions is to be kept. */
static bool run_shares(const struct sql_run *run)
{
    if (!run->durable || run->is_select || sql_run_is_batch(run->bound))
        return false;
    for (uint32_t i = 0; i < run->bound->output_count; i++) {
        if (run->bound->outputs[i].limit >= 0)
            return false;
    }
    for (uint32_t i = 0; i < run->bound->source_count; i++) {
        const struct sql_table *table = run->bound->sources[i].table;
        const struct connector_source_ops *ops = table != NULL ? table->connector->source : NULL;
        if (ops == NULL || ops->shareable == NULL || !ops->shareable(&table->connector_table, &run->context))
            return false;
    }
    return run->bound->source_count > 0;
}

static enum mr_status run_open(struct sql_run *run, struct mr_err *err)
{
    enum mr_status status = sql_checkpoint_load(run, err);

    run->context.shares = run_shares(run);
    run->idempotent = true;
    for (uint32_t i = 0; i < run->bound->output_count && status == MR_OK; i++) {
        const struct sql_table *sink = run->bound->outputs[i].sink;
        run->idempotent = run->idempotent && sink != NULL && sink->primary_key_count != 0;
        run->outputs[i].bound = &run->bound->outputs[i];
        status = output_open(run, &run->outputs[i], err);
    }
    run->pushes = status == MR_OK && run->idempotent;
    for (uint32_t i = 0; i < run->bound->output_count && run->pushes; i++)
        run->pushes = run->outputs[i].ops != NULL && run->outputs[i].ops->push != NULL;
    for (uint32_t i = 0; i < run->bound->source_count && status == MR_OK; i++)
        status = source_open(run, &run->sources[i], err);
    if (status == MR_OK)
        sql_progress_begin(run);
    return status;
}

static void run_close(struct sql_run *run)
{
    for (uint32_t i = 0; i < run->bound->source_count; i++) {
        struct sql_run_source *s = &run->sources[i];
        if (s->source != NULL)
            s->ops->close(s->source);
        s->source = NULL;
        sql_reader_free(s->reader);
        data_batch_unref(s->batch);
        s->reader = NULL;
        s->batch = NULL;
    }
    for (uint32_t i = 0; i < run->bound->output_count; i++) {
        struct sql_run_output *o = &run->outputs[i];
        if (o->sink != NULL)
            o->ops->close(o->sink);
        o->sink = NULL;
        sql_projection_free(o->projection);
        o->projection = NULL;
    }
    if (run->dead_letters != NULL)
        run->engine->dead_letter_ops->close(run->dead_letters);
    run->dead_letters = NULL;
}

/* ---- running ---- */

static bool hard_stopped(const struct sql_run *run)
{
    return atomic_load(run->context.stop);
}

static enum mr_status epochs_turn(struct sql_run *run, struct mr_err *err)
{
    enum mr_status status = MR_OK;
    bool idle = false;

    while (status == MR_OK && !sql_run_stopping(run) && !sql_epoch_done(run)) {
        status = sql_epoch_run(run, &idle, err);
        if (status != MR_OK)
            break;
        sql_run_show(run, SQL_QUERY_RUNNING, NULL);
        if (!idle)
            sql_progress_note(run);
    }
    if (status == MR_OK)
        status = sql_epoch_store(run, err);
    return status;
}

static void run_ended(struct sql_run *run, enum mr_status status, const struct mr_err *err)
{
    enum sql_query_state state = SQL_QUERY_FINISHED;

    if (status == MR_BUSY || (status == MR_OK && !sql_epoch_done(run)))
        state = SQL_QUERY_STOPPED;
    else if (status != MR_OK)
        state = SQL_QUERY_FAILED;
    if (state == SQL_QUERY_FAILED && run->threaded)
        mr_log(MR_LOG_ERROR, "sql", "query %s failed after epoch %" PRId64 ": %s", run->name, run->epoch, err->text);
    else if (run->threaded)
        mr_log(MR_LOG_INFO, "sql", "query %s %s after epoch %" PRId64, run->name, sql_query_state_name(state),
               run->epoch);
    sql_run_show(run, state, state == SQL_QUERY_FAILED ? err : NULL);
    pthread_mutex_lock(&run->lock);
    run->ended = true;
    pthread_cond_broadcast(&run->ended_cond);
    pthread_mutex_unlock(&run->lock);
}

/* Opens, runs until the end or a failure, closes.  *RAN: did it open? */
static enum mr_status run_once(struct sql_run *run, bool *ran, struct mr_err *err)
{
    enum mr_status status = run_open(run, err);

    if (status == MR_OK) {
        struct mr_err none = MR_ERR_INIT;

        sql_run_show(run, SQL_QUERY_RUNNING, *ran ? &none : NULL);
        *ran = true;
        status = epochs_turn(run, err);
    }
    /* Whatever a connector says when it was told to give up, the reason is that. */
    if (status != MR_OK && hard_stopped(run))
        status = mr_err_set(err, MR_BUSY, "stopped");
    run_close(run);
    return status;
}

/* Can the same go well later?  Only where there is a checkpoint to go on from and nobody waits for the outcome. */
static bool can_retry(const struct sql_run *run, enum mr_status status)
{
    return (status == MR_IO || status == MR_BUSY) && run->engine->options.retry_ms > 0 && run->threaded &&
           run->durable && !sql_run_stopping(run) && !hard_stopped(run);
}

/* Makes RUN as it was before it was opened. */
static void run_reset(struct sql_run *run)
{
    splits_drop(run);
    for (uint32_t i = 0; i < run->bound->source_count; i++) {
        run->sources[i].ended = false;
        run->sources[i].rows_in = 0;
    }
    for (uint32_t i = 0; i < run->bound->output_count; i++)
        run->outputs[i].wrote = false;
    run->failure = (struct mr_err)MR_ERR_INIT;
    run->counts = (struct sql_counts){ 0 };
    run->took = (struct sql_epoch_took){ 0 };
    run->dead_letters_sent = run->moved = run->unstored = false;
}

/* Waits, then makes RUN as it was before it was opened; false when it is to end meanwhile. */
static bool retry_wait(struct sql_run *run, int64_t delay_ms, const struct mr_err *why)
{
    struct timespec slice = { 0, RETRY_SLICE_MS * 1000000 };

    mr_log(MR_LOG_WARN, "sql", "query %s: %s; it goes on from its checkpoint in %" PRId64 " ms", run->name, why->text,
           delay_ms);
    sql_run_show(run, SQL_QUERY_RETRYING, why);
    for (int64_t waited = 0; waited < delay_ms && !sql_run_stopping(run) && !hard_stopped(run);
         waited += RETRY_SLICE_MS)
        nanosleep(&slice, NULL);
    run_reset(run);
    return !sql_run_stopping(run) && !hard_stopped(run);
}

enum mr_status sql_run_main(struct sql_run *run, struct mr_err *err)
{
    int64_t delay_ms = run->engine->options.retry_ms;
    struct mr_err own = MR_ERR_INIT;
    enum mr_status status;
    bool ran = false;

    if (err == NULL)
        err = &own;
    run_reset(run);
    pthread_mutex_lock(&run->lock);
    run->status.started_ms = mr_now_ms(run->engine->options.env);
    uuid_make(run->engine->options.env, run->status.run_id);
    pthread_mutex_unlock(&run->lock);
    for (;;) {
        int64_t epoch = run->epoch;

        status = run_once(run, &ran, err);
        if (!ran || !can_retry(run, status))
            break;
        if (run->epoch > epoch)
            delay_ms = run->engine->options.retry_ms;
        if (!retry_wait(run, delay_ms, err)) {
            status = mr_err_set(err, MR_BUSY, "stopped");
            break;
        }
        delay_ms = delay_ms > RETRY_MS_MAX / 2 ? RETRY_MS_MAX : 2 * delay_ms;
    }
    run_ended(run, status, err);
    return status;
}

static void *thread_main(void *arg)
{
    (void)!sql_run_main(arg, NULL);
    return NULL;
}

void sql_run_start(struct sql_run *run)
{
    atomic_store(&run->asked, false);
    atomic_store(&run->hard, false);
    pthread_mutex_lock(&run->lock);
    run->ended = false;
    run->status.state = SQL_QUERY_STARTING;
    run->status.error[0] = '\0';
    pthread_mutex_unlock(&run->lock);
    run->threaded = true;
    mr_thread_start(&run->thread, run->name, thread_main, run);
}

void sql_run_ask(struct sql_run *run)
{
    atomic_store(&run->asked, true);
    pthread_mutex_lock(&run->lock);
    if (run->status.state == SQL_QUERY_STARTING ||
        run->status.state == SQL_QUERY_RETRYING) /* nothing is on the way yet, and opening may wait for long */
        atomic_store(&run->hard, true);
    pthread_mutex_unlock(&run->lock);
}

/* Waits until RUN ended or UNTIL (CLOCK_REALTIME) passed. */
static bool run_wait(struct sql_run *run, const struct timespec *until)
{
    bool ended;
    int error = 0;

    pthread_mutex_lock(&run->lock);
    while (!run->ended && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&run->ended_cond, &run->lock, until);
    ended = run->ended;
    pthread_mutex_unlock(&run->lock);
    return ended;
}

void sql_run_join(struct sql_run *run, const struct timespec *until)
{
    if (!run->threaded)
        return;
    if (!run_wait(run, until)) {
        mr_log(MR_LOG_WARN, "sql", "query %s did not finish its epoch in %d ms; it will be repeated", run->name,
               SQL_STOP_GRACE_MS);
        atomic_store(&run->hard, true);
    }
    pthread_join(run->thread, NULL);
    run->threaded = false;
}
