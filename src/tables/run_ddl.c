/* run_ddl.c -- changes of the schema, one at a time: check, make durable, install, answer, tell.
 *
 * WAITING --its turn--> checked and given to the store --durable--> installed, answered.  A statement that is refused
 * or has nothing to do is answered at its turn. */
#include "tables/server_int.h"

struct ddl_job {
    struct ddl_job *next;
    struct tables *tables;
    struct request *request;
    struct plan *plan;      /* a reference */
    struct mr_arena *arena; /* owned */
    struct mr_str keyspace; /* the connection's when the statement came; in arena */
    struct ddl_change change;
    enum mr_status status;
    struct mr_err err;
};

static void start_next(struct tables *tables);

static void job_end(struct ddl_job *job)
{
    struct tables *tables = job->tables;

    tables->ddl_head = job->next;
    if (tables->ddl_head == NULL)
        tables->ddl_tail = NULL;
    ddl_discard(&job->change);
    request_free(job->request);
    plan_unref(job->plan);
    mr_arena_free(job->arena);
    mr_free(job);
}

static void answer_changed(struct ddl_job *job)
{
    struct tables *tables = job->tables;
    struct request *request = job->request;
    uint32_t i, count = job->change.event_count;
    size_t position;

    if (count == 0) {
        answer_void(request->conn, request->version, request->stream);
        return;
    }
    position = answer_begin(tables, request->version, request->stream, CQL_OP_RESULT);
    cql_result_write_schema_change(&tables->answer, &job->change.events[count - 1]);
    answer_end(request->conn, position);
    for (i = 0; i < count; i++)
        answer_event(tables, &job->change.events[i]);
}

static void job_durable(void *arg)
{
    struct ddl_job *job = arg;
    struct tables *tables = job->tables;

    if (job->status == MR_OK) {
        ddl_install(&job->change, tables->schema);
        answer_changed(job);
    } else {
        answer_store_error(job->request->conn, job->request->version, job->request->stream, job->status, &job->err);
    }
    job_end(job);
    start_next(tables);
}

static void job_done(void *arg, enum mr_status status, const struct mr_err *err)
{
    struct ddl_job *job = arg;

    job->status = status;
    if (status != MR_OK)
        job->err = *err;
    if (net_loop_is_current(job->tables->loop))
        job_durable(job);
    else
        net_loop_post(job->tables->loop, job_durable, job);
}

static void answer_refused(struct ddl_job *job, int32_t code)
{
    struct request *request = job->request;
    bool is_table = job->change.kind == AST_CREATE_TABLE;

    answer_error(request->conn, request->version, request->stream,
                 &(struct cql_error){ .code = code,
                                      .message = mr_str_of(job->err.text),
                                      .keyspace = job->change.keyspace,
                                      .table = is_table ? job->change.table : MR_STR("") });
}

/* Starts the first job; true when it is on its way to the disk, false when it was answered and the next may start. */
static bool start_one(struct ddl_job *job)
{
    struct tables *tables = job->tables;
    int32_t code = CQL_ERR_INVALID;
    enum mr_status status = ddl_prepare(&job->change, tables->schema, job->plan->statement, job->keyspace, tables->env,
                                        job->arena, &code, &job->err);

    if (status == MR_OK && !job->change.nothing) {
        status =
            store_apply(tables->store, job->change.mutations, job->change.mutation_count, job_done, job, &job->err);
        if (status == MR_OK)
            return true;
        code = status == MR_LIMIT ? CQL_ERR_OVERLOADED : CQL_ERR_SERVER;
    }
    if (status == MR_OK)
        answer_void(job->request->conn, job->request->version, job->request->stream);
    else
        answer_refused(job, code);
    job_end(job);
    return false;
}

static void start_next(struct tables *tables)
{
    while (tables->ddl_head != NULL && !start_one(tables->ddl_head))
        ;
}

void run_ddl(struct frame *frame, struct plan *plan)
{
    struct tables *tables = frame->conn->tables;
    struct ddl_job *job = MR_NEW(struct ddl_job);
    bool is_first = tables->ddl_head == NULL;

    job->tables = tables;
    job->plan = plan_ref(plan);
    job->arena = mr_arena_new();
    job->keyspace = frame->keyspace.data != NULL ? mr_arena_str(job->arena, frame->keyspace) : MR_STR_NULL;
    job->request = request_new(frame->conn, frame->header.version, frame->header.stream, frame->header.body_bytes);
    *(is_first ? &tables->ddl_head : &tables->ddl_tail->next) = job;
    tables->ddl_tail = job;
    if (is_first)
        start_next(tables);
}
