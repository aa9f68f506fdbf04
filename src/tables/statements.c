/* statements.c -- QUERY, PREPARE, EXECUTE, BATCH: from frames to plans and values. */
#include "tables/server_int.h"

#include <string.h>

/* Parses and plans TEXT; on failure answers and returns NULL. */
static struct plan *plan_text(struct frame *frame, struct mr_str text)
{
    struct conn *conn = frame->conn;
    struct mr_err err = MR_ERR_INIT;
    struct mr_arena *arena;
    struct ast_statement *statement;
    struct plan *plan = NULL;
    int32_t code = CQL_ERR_SYNTAX;
    enum mr_status status;

    if (text.size > TABLES_STATEMENT_BYTES_MAX) {
        answer_fail(conn, frame->header.version, frame->header.stream, CQL_ERR_INVALID,
                    "the statement has %zu bytes; at most %d are allowed", text.size, TABLES_STATEMENT_BYTES_MAX);
        return NULL;
    }
    arena = mr_arena_new();
    status = tables_parse(&statement, text, arena, &err);
    if (status == MR_OK)
        status = plan_new(&plan, statement, frame->keyspace, conn->tables->schema, arena, &code, &err);
    else
        mr_arena_free(arena);
    if (status == MR_OK)
        return plan;
    if (status == MR_UNSUPPORTED && code == CQL_ERR_SYNTAX)
        code = CQL_ERR_INVALID;
    answer_fail(conn, frame->header.version, frame->header.stream, code, "%s", err.text);
    return NULL;
}

/* Puts named values in the order of the markers; false when one has no value. */
static bool order_by_name(const struct plan *plan, struct cql_params *params, struct mr_arena *arena)
{
    struct cql_value *ordered = mr_arena_alloc(arena, (plan->bind_count + 1) * sizeof(*ordered));
    uint32_t i, v;

    for (i = 0; i < plan->bind_count; i++) {
        for (v = 0; v < params->value_count && !mr_str_equal(params->names[v], plan->binds[i].name); v++)
            ;
        if (v == params->value_count)
            return false;
        ordered[i] = params->values[v];
    }
    params->values = ordered;
    params->value_count = plan->bind_count;
    return true;
}

static enum handled run_with_params(struct frame *frame, struct plan *plan, struct cql_params *params,
                                    bool was_prepared)
{
    bool complete = true;

    if (params->flags & CQL_PARAM_NAMES && params->flags & CQL_PARAM_VALUES)
        complete = order_by_name(plan, params, frame->conn->tables->arena);
    if (!complete || (!was_prepared && params->value_count != plan->bind_count)) {
        answer_fail(frame->conn, frame->header.version, frame->header.stream, CQL_ERR_INVALID,
                    "Invalid amount of bind variables");
        return HANDLED;
    }
    return run_plan(frame, plan, params);
}

enum handled handle_query(struct frame *frame)
{
    struct cql_query m;
    struct plan *plan;
    enum handled handled;

    if (cql_query_read(&m, &frame->body, frame->header.version, frame->conn->tables->arena) != MR_OK) {
        handle_malformed(frame);
        return HANDLED;
    }
    if (m.params.flags & CQL_PARAM_KEYSPACE)
        frame->keyspace = m.params.keyspace;
    plan = plan_text(frame, m.text);
    if (plan == NULL)
        return HANDLED;
    handled = run_with_params(frame, plan, &m.params, false);
    plan_unref(plan);
    return handled;
}

void handle_prepare(struct frame *frame)
{
    struct tables *tables = frame->conn->tables;
    struct cql_prepare m;
    struct cql_metadata binds = { 0 }, rows = { .flags = CQL_META_NONE };
    struct prepared *prepared;
    struct plan *plan;
    uint8_t id[CQL_ID_BYTES];
    size_t position;

    if (cql_prepare_read(&m, &frame->body, frame->header.version) != MR_OK) {
        handle_malformed(frame);
        return;
    }
    if (m.keyspace.data != NULL)
        frame->keyspace = m.keyspace;
    prepared_id(id, frame->keyspace, m.text);
    prepared = prepared_find(tables, (struct mr_bytes){ id, sizeof(id) });
    if (prepared == NULL) {
        plan = plan_text(frame, m.text);
        if (plan == NULL)
            return;
        prepared = prepared_add(tables, frame->keyspace, m.text, plan);
    }
    plan = prepared->plan;
    binds.columns = plan->binds;
    binds.column_count = plan->bind_count;
    binds.pk_count = plan->pk_count;
    binds.pk_indexes = plan->pk_indexes;
    if (plan->kind == AST_SELECT)
        rows = plan->rows;
    rows.id = (struct mr_bytes){ prepared->result_id, CQL_ID_BYTES };
    position = answer_begin(tables, frame->header.version, frame->header.stream, CQL_OP_RESULT);
    cql_result_write_prepared(&tables->answer, frame->header.version, (struct mr_bytes){ prepared->id, CQL_ID_BYTES },
                              &binds, &rows);
    answer_end(frame->conn, position);
}

static void answer_unprepared(struct frame *frame, struct mr_bytes id)
{
    char hex[2 * CQL_ID_BYTES + 1] = "";
    size_t i;
    struct mr_writer w = { 0 };

    for (i = 0; i < id.size && i < CQL_ID_BYTES; i++) {
        static const char digits[] = "0123456789abcdef";

        hex[2 * i] = digits[id.data[i] >> 4];
        hex[2 * i + 1] = digits[id.data[i] & 15];
        hex[2 * i + 2] = 0;
    }
    mr_write_text(
        &w,
        "Prepared query with ID %s not found (either the query was not prepared on this host (maybe the host "
        "has been restarted?) or you have prepared too many queries and it has been evicted from the internal "
        "cache)",
        hex);
    answer_error(
        frame->conn, frame->header.version, frame->header.stream,
        &(struct cql_error){ .code = CQL_ERR_UNPREPARED, .message = mr_str_of_bytes(mr_writer_bytes(&w)), .id = id });
    mr_writer_deinit(&w);
}

enum handled handle_execute(struct frame *frame)
{
    struct cql_execute m;
    struct prepared *prepared;

    if (cql_execute_read(&m, &frame->body, frame->header.version, frame->conn->tables->arena) != MR_OK) {
        handle_malformed(frame);
        return HANDLED;
    }
    prepared = prepared_find(frame->conn->tables, m.id);
    if (prepared == NULL) {
        answer_unprepared(frame, m.id);
        return HANDLED;
    }
    if (m.params.flags & CQL_PARAM_KEYSPACE)
        frame->keyspace = m.params.keyspace;
    frame->prepared = prepared;
    frame->result_id = m.result_id;
    return run_with_params(frame, prepared->plan, &m.params, true);
}

/* The plan of one entry: borrowed when prepared, else a new reference in *OWNED. */
static struct plan *entry_plan(struct frame *frame, const struct cql_batch_entry *entry, struct plan **owned)
{
    *owned = NULL;
    if (entry->id.data != NULL) {
        struct prepared *prepared = prepared_find(frame->conn->tables, entry->id);

        if (prepared == NULL)
            answer_unprepared(frame, entry->id);
        return prepared != NULL ? prepared->plan : NULL;
    }
    *owned = plan_text(frame, entry->text);
    return *owned;
}

static bool batch_mutation(struct frame *frame, const struct cql_batch_entry *entry, const struct plan *plan,
                           struct plan_values *values, struct write_list *out)
{
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = MR_OK;

    if (plan->kind != AST_INSERT && plan->kind != AST_UPDATE && plan->kind != AST_DELETE)
        status = mr_err_set(&err, MR_INVALID,
                            "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.");
    values->values = entry->values;
    values->count = entry->value_count;
    if (status == MR_OK)
        status = plan_values_check(plan, values, &err);
    if (status == MR_OK)
        status = write_plan(plan, values, frame->conn->tables->store, frame->conn->tables->arena, out, &err);
    if (status != MR_OK)
        answer_fail(frame->conn, frame->header.version, frame->header.stream, CQL_ERR_INVALID, "%s", err.text);
    return status == MR_OK;
}

enum handled handle_batch(struct frame *frame)
{
    struct tables *tables = frame->conn->tables;
    struct plan_values values = { 0 };
    struct write_list list = { 0 };
    struct plan **owned;
    struct cql_batch m;
    enum handled handled = HANDLED;
    uint32_t i;

    if (cql_batch_read(&m, &frame->body, frame->header.version, tables->arena) != MR_OK) {
        handle_malformed(frame);
        return HANDLED;
    }
    if (m.type == CQL_BATCH_COUNTER) {
        answer_fail(frame->conn, frame->header.version, frame->header.stream, CQL_ERR_INVALID,
                    "counter batches are not there in this version");
        return HANDLED;
    }
    if (m.flags & CQL_PARAM_KEYSPACE)
        frame->keyspace = m.keyspace;
    owned = MR_ARENA_ARRAY(tables->arena, struct plan *, m.entry_count + 1);
    values.now_us = tables_now_us(tables);
    values.timestamp_us = m.flags & CQL_PARAM_TIMESTAMP ? m.timestamp_us : values.now_us;
    for (i = 0; i < m.entry_count; i++) {
        const struct plan *plan = entry_plan(frame, &m.entries[i], &owned[i]);

        values.sequence = i;
        if (plan == NULL || !batch_mutation(frame, &m.entries[i], plan, &values, &list))
            break;
    }
    if (i == m.entry_count)
        handled = run_apply(frame, list.items, list.count);
    for (i = 0; i < m.entry_count; i++)
        plan_unref(owned[i]);
    return handled;
}
