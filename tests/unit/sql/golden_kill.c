/* golden_kill.c -- see golden_kill.h. */
#include "golden_kill.h"

#include <stdio.h>
#include <string.h>

enum { CONNECTORS_MAX = 32, STARTS_MAX = 100 };

/* ---- the environment ---- */

static enum mr_status no_sync(struct mr_file *file, struct mr_err *err)
{
    MR_UNUSED(file);
    MR_UNUSED(err);
    return MR_OK;
}

static enum mr_status no_sync_dir(struct mr_env *env, const char *path, struct mr_err *err)
{
    MR_UNUSED(env);
    MR_UNUSED(path);
    MR_UNUSED(err);
    return MR_OK;
}

struct mr_env *golden_env(void)
{
    static struct mr_env_ops ops;
    static struct mr_env env = { .ops = &ops };

    ops = *mr_env_real()->ops;
    ops.sync = no_sync;
    ops.sync_dir = no_sync_dir;
    return &env;
}

/* ---- the paced source ---- */

struct connector_source {
    struct connector_source *file; /* the file connector's own; owned */
    bool pause;
};

static const struct connector *file_connector;
static uint32_t paced_records;
static size_t paced_handed; /* since the query's start */

static enum mr_status paced_open(struct connector_source **out, const struct connector_table *table,
                                 const struct connector_context *ctx, const struct connector_position *positions,
                                 uint32_t position_count, struct mr_err *err)
{
    struct connector_source *s = MR_NEW(struct connector_source);
    enum mr_status status = file_connector->source->open(&s->file, table, ctx, positions, position_count, err);

    if (status != MR_OK) {
        mr_free(s);
        return status;
    }
    *out = s;
    return MR_OK;
}

static enum mr_status paced_poll(struct connector_source *s, int timeout_ms, uint32_t records_max,
                                 struct connector_poll *out, struct mr_err *err)
{
    enum mr_status status;

    if (s->pause) {
        s->pause = false;
        memset(out, 0, sizeof(*out));
        return MR_OK;
    }
    if (paced_records != 0 && paced_records < records_max)
        records_max = paced_records;
    status = file_connector->source->poll(s->file, timeout_ms, records_max, out, err);
    if (status == MR_OK) {
        assert(out->record_count <= records_max);
        paced_handed += out->record_count;
        s->pause = paced_records != 0 && out->record_count != 0;
    }
    return status;
}

static void paced_close(struct connector_source *s)
{
    file_connector->source->close(s->file);
    mr_free(s);
}

const struct connector *const *golden_connectors(uint32_t per_poll)
{
    static struct connector_source_ops ops;
    static struct connector paced;
    static const struct connector *list[CONNECTORS_MAX + 1];
    const struct connector *const *all = connectors_all();
    size_t count = 0;

    file_connector = connectors_find("file");
    paced_records = per_poll;
    ops = (struct connector_source_ops){ .open = paced_open,
                                         .poll = paced_poll,
                                         .close = paced_close,
                                         .bounded_by_default = file_connector->source->bounded_by_default };
    paced = *file_connector;
    paced.source = &ops;
    for (; all[count] != NULL && count < CONNECTORS_MAX; count++)
        list[count] = all[count] == file_connector ? &paced : all[count];
    list[count] = NULL;
    return list;
}

/* ---- killing ---- */

static enum mr_status kill_step(void *arg, enum sql_step step)
{
    struct golden_kill *k = arg;
    bool now = k->steps++ == k->at;

    if (step == SQL_STEP_CHECKPOINTED) {
        k->kept = k->rows->size;
        now |= k->at == GOLDEN_KILL_CHECKPOINTS && paced_handed > 0;
    }
    if (!now)
        return MR_OK;
    k->killed = true;
    k->kills++;
    return MR_IO;
}

/* The state as a new process finds it.  Opening it anew takes a while, so only few kills do that. */
static enum mr_status state_again(struct golden_kill *k, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    if (k->killed && k->at == GOLDEN_KILL_CHECKPOINTS) {
        state_close(k->state->open);
        k->state->open = NULL;
    }
    if (k->state->open == NULL)
        status = state_open(&k->state->open, k->state->dir, golden_env(), err);
    k->engine->options.state = k->state->open;
    return status;
}

static enum mr_status query_once(struct golden_kill *k, const struct sql_query *bound, const char *name,
                                 struct mr_err *err)
{
    bool limited = bound->kind == SQL_SELECT && bound->outputs[0].limit >= 0;
    struct sql_run *run = NULL;
    enum mr_status status = sql_run_new(&run, k->engine, bound, name, !limited, NULL, err);

    if (status != MR_OK)
        return status;
    if (bound->kind == SQL_SELECT)
        run->results = k->results;
    sql_engine_test_hooks(k->engine, NULL, limited ? NULL : kill_step, k);
    k->killed = false;
    paced_handed = 0;
    status = sql_run_main(run, err);
    sql_engine_test_hooks(k->engine, NULL, NULL, NULL);
    sql_run_free(run);
    return status;
}

static enum mr_status query_killed(struct golden_kill *k, const struct sql_query *bound, struct mr_err *err)
{
    enum mr_status status = MR_OK;
    struct mr_err why;
    char name[32];

    snprintf(name, sizeof(name), "golden-%d", k->state->queries++);
    k->inserted |= bound->kind != SQL_SELECT;
    if (bound->kind == SQL_SELECT)
        k->results->on_begin(k->results->arg, bound->outputs[0].row, false);
    k->kept = k->rows->size;
    k->steps = 0;
    k->killed = false;
    for (int start = 0; start < STARTS_MAX; start++) {
        why = (struct mr_err)MR_ERR_INIT;
        status = state_again(k, &why);
        if (status == MR_OK)
            status = query_once(k, bound, name, &why);
        if (status == MR_OK || !k->killed)
            break;
        k->rows->size = k->kept;
    }
    if (status != MR_OK)
        *err = why;
    return status;
}

enum mr_status golden_kill_execute(struct golden_kill *k, struct mr_str text, struct mr_err *err)
{
    struct sql_script *script = NULL;
    enum mr_status status = sql_script_bind(&script, sql_engine_session(k->engine), text, err);

    for (uint32_t i = 0; status == MR_OK && i < sql_script_count(script); i++) {
        enum sql_statement_kind kind = sql_script_kind(script, i);
        const struct data_batch *answer = sql_script_answer(script, i);
        if (sql_script_is_query(script, i)) {
            status = query_killed(k, sql_script_query(script, i), err);
        } else if (answer != NULL && kind != SQL_CREATE_TABLE && kind != SQL_DROP_TABLE && kind != SQL_RESET) {
            k->results->on_begin(k->results->arg, answer->type, false);
            k->results->on_rows(k->results->arg, answer);
        }
    }
    sql_script_free(script);
    return status;
}
