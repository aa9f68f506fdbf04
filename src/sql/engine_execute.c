/* engine_execute.c -- a script's statements one after the other on the caller's thread, answers as rows (millrace sql).
 */
#include "sql/engine_int.h"

#include <string.h>

static void answer_hand(const struct sql_results *results, const struct data_batch *answer)
{
    if (results == NULL || answer == NULL)
        return;
    if (results->on_begin != NULL)
        results->on_begin(results->arg, answer->type, false);
    if (results->on_rows != NULL && answer->row_count != 0)
        results->on_rows(results->arg, answer);
    if (results->on_end != NULL)
        results->on_end(results->arg);
}

/* A statement that only did something: CREATE, DROP, RESET, SET with a value.  It has no rows for anybody. */
static bool is_silent(const struct sql_script *script, uint32_t i)
{
    enum sql_statement_kind kind = sql_script_kind(script, i);
    const struct data_batch *answer = sql_script_answer(script, i);

    if (kind == SQL_CREATE_TABLE || kind == SQL_DROP_TABLE || kind == SQL_RESET)
        return true;
    return kind == SQL_SET && (answer == NULL || (answer->row_count == 1 && answer->column_count == 1 &&
                                                  mr_str_equal(data_str(answer->columns[0], 0), MR_STR("OK"))));
}

/* The queries of this engine, or of the server beside which it runs.  Caller frees *OUT. */
static enum mr_status queries_list(struct sql_engine *engine, struct sql_query_status **out, size_t *count,
                                   struct mr_err *err)
{
    const struct sql_remote *remote = engine->options.remote;
    struct sql_query_status *list = NULL, one;
    size_t capacity = 0;

    if (remote != NULL)
        return remote->list(remote->arg, out, count, err);
    *count = 0;
    while (sql_engine_query(engine, *count, &one)) {
        MR_GROW(list, *count, capacity);
        list[(*count)++] = one;
    }
    *out = list;
    return MR_OK;
}

static void query_append(struct data_batch *batch, const struct sql_query_status *s)
{
    data_append_str(batch->columns[0], mr_str_of(s->name));
    data_append_str(batch->columns[1], mr_str_of(sql_query_state_name(s->state)));
    data_append_i64(batch->columns[2], s->epoch);
    data_append_i64(batch->columns[3], s->rows_in);
    data_append_i64(batch->columns[4], s->rows_out);
    data_append_i64(batch->columns[5], s->dead_letters);
    if (s->lag >= 0)
        data_append_i64(batch->columns[6], s->lag);
    else
        data_append_null(batch->columns[6]);
    if (s->error[0] != '\0')
        data_append_str(batch->columns[7], mr_str_of(s->error));
    else
        data_append_null(batch->columns[7]);
    batch->row_count++;
}

static enum mr_status queries_show(struct sql_engine *engine, const struct sql_results *results, struct mr_err *err)
{
    static const struct {
        const char *name;
        enum data_kind kind;
    } columns[] = { { "name", DATA_STRING },    { "state", DATA_STRING },    { "epoch", DATA_BIGINT },
                    { "rows_in", DATA_BIGINT }, { "rows_out", DATA_BIGINT }, { "dead_letters", DATA_BIGINT },
                    { "lag", DATA_BIGINT },     { "error", DATA_STRING } };
    struct data_field fields[MR_COUNT(columns)];
    struct sql_query_status *list = NULL;
    struct data_batch *batch;
    struct mr_arena *arena;
    size_t count = 0;
    enum mr_status status = queries_list(engine, &list, &count, err);

    if (status != MR_OK)
        return status;
    arena = mr_arena_new();
    for (size_t i = 0; i < MR_COUNT(columns); i++)
        fields[i] = (struct data_field){ mr_str_of(columns[i].name), data_type_scalar(columns[i].kind, true) };
    batch = data_batch_new(data_type_row(arena, fields, MR_COUNT(columns), false));
    for (size_t i = 0; i < count; i++)
        query_append(batch, &list[i]);
    answer_hand(results, batch);
    data_batch_unref(batch);
    mr_arena_free(arena);
    mr_free(list);
    return MR_OK;
}

static enum mr_status query_control(struct sql_engine *engine, const char *name, bool start, struct mr_err *err)
{
    const struct sql_remote *remote = engine->options.remote;

    if (remote != NULL)
        return start ? remote->start(remote->arg, name, err) : remote->stop(remote->arg, name, err);
    return start ? sql_engine_query_start(engine, name, err) : sql_engine_query_stop(engine, name, err);
}

/* Does a SELECT over these sources go on until it is stopped? */
static bool is_live(const struct sql_query *bound)
{
    for (uint32_t i = 0; i < bound->source_count; i++) {
        const struct sql_table *table = bound->sources[i].table;
        const char *mode;
        if (table == NULL || (table->connector->source != NULL && table->connector->source->bounded_by_default))
            continue;
        mode = sql_run_is_batch(bound) ? "latest-offset" : sql_table_option(table, "scan.bounded.mode");
        if ((mode == NULL || strcmp(mode, "unbounded") == 0) && sql_table_option(table, "scan.duration") == NULL)
            return true;
    }
    return false;
}

static enum mr_status query_execute(struct sql_engine *engine, const struct sql_query *bound, const char *name,
                                    const struct sql_results *results, struct mr_err *err)
{
    const char *called = bound->name != NULL ? bound->name : name;
    bool is_select = bound->kind == SQL_SELECT;
    struct sql_run *run = NULL;
    enum mr_status status = sql_run_new(&run, engine, bound, called != NULL ? called : "sql",
                                        called != NULL && !is_select, &engine->interrupted, err);

    if (status != MR_OK)
        return status;
    run->results = results;
    if (is_select && results != NULL && results->on_begin != NULL)
        results->on_begin(results->arg, bound->outputs[0].row, is_live(bound));
    status = sql_run_main(run, err);
    if (is_select && results != NULL && results->on_end != NULL)
        results->on_end(results->arg);
    if (status == MR_OK && atomic_load(&engine->interrupted) && !sql_epoch_done(run))
        status = mr_err_set(err, MR_BUSY, "stopped");
    sql_run_free(run);
    return status;
}

enum mr_status sql_engine_execute(struct sql_engine *engine, struct mr_str text, const char *name,
                                  const struct sql_results *results, struct mr_err *err)
{
    struct sql_script *script = NULL;
    enum mr_status status = sql_script_bind(&script, engine->session, text, err);

    /* Only what keeps a checkpoint must have a name of its own. */
    if (status == MR_OK && name != NULL && engine->options.state != NULL)
        status = sql_engine_names_check(script, name, err);
    for (uint32_t i = 0; status == MR_OK && i < sql_script_count(script); i++) {
        if (atomic_load(&engine->interrupted))
            status = mr_err_set(err, MR_BUSY, "stopped");
        else if (sql_script_is_query(script, i))
            status = query_execute(engine, sql_script_query(script, i), name, results, err);
        else if (sql_script_kind(script, i) == SQL_SHOW_QUERIES)
            status = queries_show(engine, results, err);
        else if (sql_script_kind(script, i) == SQL_START_QUERY || sql_script_kind(script, i) == SQL_STOP_QUERY)
            status =
                query_control(engine, sql_script_named(script, i), sql_script_kind(script, i) == SQL_START_QUERY, err);
        else if (!is_silent(script, i))
            answer_hand(results, sql_script_answer(script, i));
    }
    sql_script_free(script);
    return status;
}
