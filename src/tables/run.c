/* run.c -- runs a plan: writes go to the store's queue, short reads are done here, scans by a worker. */
#include "tables/server_int.h"

#include "base/thread.h"

#include <string.h>

int64_t tables_now_us(struct tables *tables)
{
    int64_t now = mr_now_us(tables->env);

    tables->last_us = now > tables->last_us ? now : tables->last_us + 1;
    return tables->last_us;
}

/* ---- writes ---- */

/* The disk refused, as a replica's failure: drivers show the text and do not take the node for dead.  As in Cassandra,
 * version 3 has only the time-out for it.  Either says that the row may be there or not. */
static void answer_write_failure(struct request *request, const struct mr_err *err)
{
    answer_error(request->conn, request->version, request->stream,
                 &(struct cql_error){ .code = request->version < CQL_V4 ? CQL_ERR_WRITE_TIMEOUT : CQL_ERR_WRITE_FAILURE,
                                      .message = mr_str_of(err->text),
                                      .consistency = CQL_ONE,
                                      .received = 0,
                                      .required = 1,
                                      .failures = 1,
                                      .failed = { (const uint8_t *)"\x7f\0\0\1", 4 },
                                      .write_type = MR_STR("SIMPLE") });
}

static void write_answer(struct request *request, enum mr_status status, const struct mr_err *err)
{
    if (status == MR_OK)
        answer_void(request->conn, request->version, request->stream);
    else if (status == MR_IO)
        answer_write_failure(request, err);
    else
        answer_store_error(request->conn, request->version, request->stream, status, err);
    request_free(request);
}

/* The way back to the loop when the store called from its own thread. */
struct posted_done {
    struct request *request;
    enum mr_status status;
    struct mr_err err;
};

static void write_done_posted(void *arg)
{
    struct posted_done *done = arg;

    write_answer(done->request, done->status, &done->err);
    mr_free(done);
}

static void write_done(void *arg, enum mr_status status, const struct mr_err *err)
{
    struct request *request = arg;
    struct net_loop *loop = request->conn->tables->loop;
    struct posted_done *done;

    if (net_loop_is_current(loop)) {
        write_answer(request, status, err);
        return;
    }
    done = MR_NEW(struct posted_done);
    done->request = request;
    done->status = status;
    if (status != MR_OK)
        done->err = *err;
    net_loop_post(loop, write_done_posted, done);
}

enum handled run_apply(struct frame *frame, const struct store_mutation *mutations, size_t count)
{
    struct conn *conn = frame->conn;
    struct tables *tables = conn->tables;
    struct mr_err err = MR_ERR_INIT;
    struct request *request;
    enum mr_status status;

    if (count == 0) {
        answer_void(conn, frame->header.version, frame->header.stream);
        return HANDLED;
    }
    request = request_new(conn, frame->header.version, frame->header.stream, frame->header.body_bytes);
    status = store_apply(tables->store, mutations, count, write_done, request, &err);
    if (status == MR_OK) {
        purge_note(tables, mutations, count);
        return HANDLED;
    }
    if (status == MR_LIMIT && tables->in_flight > 1) {
        /* Others are on their way to the disk: their end makes room, and this one is looked at again. */
        tables->in_flight--;
        conn->in_flight--;
        conn->in_flight_bytes -= request->bytes;
        conn->refs--;
        request->next = tables->free_requests;
        tables->free_requests = request;
        return HANDLED_STALL;
    }
    write_answer(request, status, &err);
    return HANDLED;
}

static enum handled run_write(struct frame *frame, const struct plan *plan, const struct plan_values *values)
{
    struct tables *tables = frame->conn->tables;
    uint32_t i, count = plan->kind == AST_BATCH ? plan->child_count : 1;
    struct write_list list = { 0 };
    struct plan_values batch_values = *values;
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = plan_values_check(plan, values, &err);

    if (plan->kind == AST_BATCH && status == MR_OK) {
        struct cql_value timestamp;

        status = plan_value(&plan->timestamp, values, tables->arena, &timestamp, &err);
        if (status == MR_OK && timestamp.size == 8)
            batch_values.timestamp_us = mr_load_i64(timestamp.data);
    }
    for (i = 0; i < count && status == MR_OK; i++) {
        batch_values.sequence = i;
        status = write_plan(plan->kind == AST_BATCH ? plan->children[i] : plan, &batch_values, tables->store,
                            tables->arena, &list, &err);
    }
    if (status == MR_OK)
        return run_apply(frame, list.items, list.count);
    answer_fail(frame->conn, frame->header.version, frame->header.stream,
                status == MR_INVALID || status == MR_LIMIT ? CQL_ERR_INVALID : CQL_ERR_SERVER, "%s", err.text);
    return HANDLED;
}

/* ---- reads ---- */

struct read_job {
    struct read read;
    struct plan *plan; /* a reference */
    struct request *request;
    struct mr_arena *arena; /* owned */
    struct mr_writer body;  /* owned */
    enum mr_status status;
    int32_t code;
    struct mr_err err;
};

static void read_job_answer(void *arg)
{
    struct read_job *job = arg;
    struct request *request = job->request;

    if (job->status == MR_OK) {
        size_t position = answer_begin(request->conn->tables, request->version, request->stream, CQL_OP_RESULT);

        mr_write_bytes(&request->conn->tables->answer, mr_writer_bytes(&job->body));
        if (job->plan->aggregate_count > 0 && job->plan->access == PLAN_RANGE)
            answer_warn(request->conn->tables, "Aggregation query used without partition key");
        answer_end(request->conn, position);
    } else {
        answer_fail(request->conn, request->version, request->stream, job->code, "%s", job->err.text);
    }
    request_free(request);
    plan_unref(job->plan);
    mr_writer_deinit(&job->body);
    mr_arena_free(job->arena);
    mr_free(job);
}

static void read_job_run(void *arg)
{
    struct read_job *job = arg;
    struct net_loop *loop = job->request->conn->tables->loop;

    job->status = read_run(&job->read, &job->body, &job->code, &job->err);
    net_loop_post(loop, read_job_answer, job);
}

/* A scan: everything it needs is copied out of the request's frame. */
static void run_scan(struct frame *frame, struct plan *plan, const struct read *read)
{
    struct read_job *job = MR_NEW(struct read_job);
    struct cql_value *values;
    uint32_t i;

    job->read = *read;
    job->plan = plan_ref(plan);
    job->arena = mr_arena_new();
    job->read.arena = job->arena;
    values = MR_ARENA_ARRAY(job->arena, struct cql_value, read->values.count + 1);
    for (i = 0; i < read->values.count; i++) {
        values[i] = read->values.values[i];
        if (values[i].size > 0)
            values[i].data =
                mr_arena_bytes(job->arena, (struct mr_bytes){ values[i].data, (size_t)values[i].size }).data;
    }
    job->read.values.values = values;
    if (read->metadata_id.data != NULL)
        job->read.metadata_id = mr_arena_bytes(job->arena, read->metadata_id);
    if (read->paging_state.data != NULL)
        job->read.paging_state = mr_arena_bytes(job->arena, read->paging_state);
    job->request = request_new(frame->conn, frame->header.version, frame->header.stream, frame->header.body_bytes);
    mr_workers_submit(frame->conn->tables->workers, read_job_run, job);
}

/* Version 5: does the client have the columns of the answer that it will get? */
static bool result_id_is_known(const struct frame *frame)
{
    return frame->result_id.size == CQL_ID_BYTES &&
           memcmp(frame->result_id.data, frame->prepared->result_id, CQL_ID_BYTES) == 0;
}

static void run_read(struct frame *frame, struct plan *plan, const struct plan_values *values,
                     const struct cql_params *params)
{
    struct conn *conn = frame->conn;
    struct tables *tables = conn->tables;
    struct system_context context = { tables, tables->schema, net_conn_local_host(conn->net),
                                      net_conn_local_port(conn->net) };
    struct read read = { .plan = plan, .store = tables->store, .store_id = plan->table->store_id, .values = *values };
    struct mr_err err = MR_ERR_INIT;
    int32_t code = CQL_ERR_INVALID;
    size_t position;

    if (plan_values_check(plan, values, &err) != MR_OK) {
        answer_fail(conn, frame->header.version, frame->header.stream, code, "%s", err.text);
        return;
    }
    read.skip_metadata = (params->flags & CQL_PARAM_SKIP_METADATA) != 0;
    read.page_size = params->flags & CQL_PARAM_PAGE_SIZE ? params->page_size : 0;
    if (frame->result_id.data != NULL && !result_id_is_known(frame)) {
        read.skip_metadata = false;
        read.metadata_id = (struct mr_bytes){ frame->prepared->result_id, CQL_ID_BYTES };
    }
    if (params->flags & CQL_PARAM_PAGING_STATE)
        read.paging_state = params->paging_state;
    read.context = &context;
    read.arena = tables->arena;
    if (plan->access == PLAN_KEYS || plan->access == PLAN_RANGE) {
        read.context = NULL;
        run_scan(frame, plan, &read);
        return;
    }
    position = answer_begin(tables, frame->header.version, frame->header.stream, CQL_OP_RESULT);
    if (read_run(&read, &tables->answer, &code, &err) == MR_OK)
        answer_end(conn, position);
    else
        answer_fail(conn, frame->header.version, frame->header.stream, code, "%s", err.text);
}

static void run_use(struct frame *frame, const struct plan *plan)
{
    struct conn *conn = frame->conn;
    struct mr_str name = plan->statement->keyspace;
    size_t position;

    if (schema_keyspace_find(conn->tables->schema, name) == NULL) {
        answer_fail(conn, frame->header.version, frame->header.stream, CQL_ERR_INVALID,
                    "Keyspace '%.*s' does not exist", MR_STR_ARG(name));
        return;
    }
    mr_free((void *)conn->keyspace.data);
    conn->keyspace = (struct mr_str){ mr_str_dup(name), name.size };
    position = answer_begin(conn->tables, frame->header.version, frame->header.stream, CQL_OP_RESULT);
    cql_result_write_keyspace(&conn->tables->answer, name);
    answer_end(conn, position);
}

enum handled run_plan(struct frame *frame, struct plan *plan, const struct cql_params *params)
{
    struct plan_values values = { .values = params->values, .count = params->value_count };

    values.now_us = tables_now_us(frame->conn->tables);
    values.timestamp_us = params->flags & CQL_PARAM_TIMESTAMP ? params->timestamp_us : values.now_us;
    switch (plan->kind) {
    case AST_INSERT:
    case AST_UPDATE:
    case AST_DELETE:
    case AST_BATCH:
        return run_write(frame, plan, &values);
    case AST_SELECT:
        run_read(frame, plan, &values, params);
        return HANDLED;
    case AST_USE:
        run_use(frame, plan);
        return HANDLED;
    case AST_DESCRIBE:
        run_describe(frame, plan, params);
        return HANDLED;
    case AST_CREATE_KEYSPACE:
    case AST_DROP_KEYSPACE:
    case AST_ALTER_KEYSPACE:
    case AST_ALTER_TABLE:
    case AST_CREATE_TABLE:
    case AST_DROP_TABLE:
    case AST_TRUNCATE:
        run_ddl(frame, plan);
        return HANDLED;
    }
    return HANDLED;
}
