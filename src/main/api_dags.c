/* api_dags.c -- /api/dags: DAGs, their runs and logs; trigger, pause, unpause.
 *
 * A handler gives its request to the scheduler's thread, which has the answer; that goes back to HTTP's loop.  Nothing
 * here can define a task: a trigger names a DAG of the project and gives values to the params that its file
 * declares. */
#include "base/text.h"
#include "http/http.h"
#include "main/api.h"
#include "main/dags.h"
#include "main/server.h"
#include "net/net.h"
#include "scheduler/scheduler.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { RUNS_DEFAULT = 50, RUNS_MAX = 1000, TEXT_BYTES = 32 };

struct call;
typedef enum mr_status call_fn(struct call *c, struct scheduler *s, struct mr_err *err);

/* A task of a run and, growing, the JSON of its attempts. */
struct call_task {
    struct scheduler_task_view view;
    char *id;                  /* owned */
    struct mr_writer attempts; /* owned */
};

/* A request on its way to the scheduler and back. */
struct call {
    struct http_request *request;
    struct net_loop *loop;
    const struct dags *dags;
    struct scheduler *scheduler;
    call_fn *run;
    const char *dag, *run_id, *task; /* of the request's arena */
    int64_t limit, attempt, from;
    bool paused;
    json_t *body; /* owned; may be NULL */
    struct mr_writer out;
    struct call_task *tasks; /* owned */
    size_t task_count;
    bool is_text, log_ended;
    int64_t log_next;
    enum mr_status status;
    struct mr_err err;
};

/* ---- JSON ---- */

/* ,"NAME": — or without the comma behind a bracket. */
static void key(struct mr_writer *out, const char *name)
{
    bool first = out->size == 0 || out->data[out->size - 1] == '{';

    mr_write_text(out, "%s\"%s\":", first ? "" : ",", name);
}

static void field_text(struct mr_writer *out, const char *name, const char *value)
{
    key(out, name);
    if (value != NULL)
        mr_write_json_string(out, mr_str_of(value));
    else
        mr_write_text(out, "null");
}

static void field_number(struct mr_writer *out, const char *name, int64_t value)
{
    key(out, name);
    mr_write_text(out, "%" PRId64, value);
}

static void field_flag(struct mr_writer *out, const char *name, bool value)
{
    key(out, name);
    mr_write_text(out, value ? "true" : "false");
}

static void field_time(struct mr_writer *out, const char *name, int64_t ms)
{
    char text[TEXT_BYTES];

    key(out, name);
    if (ms == SCHEDULER_NO_TIME) {
        mr_write_text(out, "null");
        return;
    }
    mr_format_time_ms(text, ms, 'T');
    mr_write_text(out, "\"%sZ\"", text);
}

static void field_duration(struct mr_writer *out, const char *name, int64_t from_ms, int64_t to_ms)
{
    key(out, name);
    if (from_ms == SCHEDULER_NO_TIME || to_ms == SCHEDULER_NO_TIME)
        mr_write_text(out, "null");
    else
        mr_write_text(out, "%" PRId64, to_ms - from_ms);
}

static void field_pairs(struct mr_writer *out, const char *name, const struct scheduler_pair *pairs, uint32_t count)
{
    key(out, name);
    mr_write_u8(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            mr_write_u8(out, ',');
        mr_write_json_string(out, mr_str_of(pairs[i].name));
        mr_write_u8(out, ':');
        mr_write_json_string(out, mr_str_of(pairs[i].value));
    }
    mr_write_u8(out, '}');
}

/* A run without its closing brace. */
static void run_open(struct mr_writer *out, const struct scheduler_run_view *run)
{
    mr_write_u8(out, '{');
    field_text(out, "run", run->id);
    field_text(out, "dag", run->dag);
    field_text(out, "kind", run->kind);
    field_text(out, "state", scheduler_state_name(run->state));
    field_time(out, "logical_date", run->logical_ms);
    field_time(out, "data_interval_start", run->start_ms);
    field_time(out, "data_interval_end", run->end_ms);
    field_time(out, "queued_at", run->queued_ms);
    field_time(out, "started_at", run->started_ms);
    field_time(out, "ended_at", run->ended_ms);
    field_duration(out, "duration_ms", run->started_ms, run->ended_ms);
    field_pairs(out, "params", run->params, run->param_count);
    field_text(out, "note", run->note[0] != '\0' ? run->note : NULL);
}

/* ,  between the items of a list that begins with '['. */
static void item(struct mr_writer *out)
{
    if (out->data[out->size - 1] != '[')
        mr_write_u8(out, ',');
}

/* ---- GET /api/dags ---- */

static void task_write(const struct call *c, struct mr_writer *out, const struct scheduler_dag *dag,
                       const struct scheduler_task *task)
{
    mr_write_u8(out, '{');
    field_text(out, "id", task->id);
    field_text(out, "kind", task->kind == SCHEDULER_SQL ? "sql" : "shell");
    key(out, "depends_on");
    mr_write_u8(out, '[');
    for (uint32_t i = 0; i < task->depend_count; i++) {
        item(out);
        mr_write_json_string(out, mr_str_of(dag->tasks[task->depends[i]].id));
    }
    mr_write_u8(out, ']');
    field_number(out, "retries", task->retries);
    field_number(out, "retry_delay_ms", task->retry_delay_ms);
    field_number(out, "timeout_ms", task->timeout_ms);
    dags_task_ends_write(c->dags, dag->id, task->id, out);
    mr_write_u8(out, '}');
}

static void dag_write(void *arg, const struct scheduler_dag_view *view)
{
    struct call *c = arg;
    struct mr_writer *out = &c->out;
    const struct scheduler_dag *dag = view->dag;

    item(out);
    mr_write_u8(out, '{');
    field_text(out, "id", dag->id);
    field_text(out, "description", dag->description);
    field_text(out, "owner", dag->owner);
    field_text(out, "schedule", dag->schedule);
    field_text(out, "timezone", dag->timezone);
    field_time(out, "start_date", dag->start_ms);
    field_time(out, "end_date", dag->end_ms);
    field_flag(out, "catchup", dag->catchup);
    field_flag(out, "paused", view->paused);
    field_number(out, "max_active_runs", dag->max_active_runs);
    field_number(out, "running", view->running);
    field_number(out, "queued", view->queued);
    field_time(out, "next_run", view->next_run_ms);
    field_time(out, "next_logical_date", view->next_logical_ms);
    field_pairs(out, "params", dag->params, dag->param_count);
    key(out, "tasks");
    mr_write_u8(out, '[');
    for (uint32_t i = 0; i < dag->task_count; i++) {
        item(out);
        task_write(c, out, dag, &dag->tasks[i]);
    }
    mr_write_u8(out, ']');
    key(out, "last_run");
    if (view->has_last) {
        run_open(out, &view->last);
        mr_write_u8(out, '}');
    } else {
        mr_write_text(out, "null");
    }
    mr_write_u8(out, '}');
}

static enum mr_status call_dags(struct call *c, struct scheduler *s, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    mr_write_text(&c->out, "{\"dags\":[");
    if (s != NULL)
        status = scheduler_dags(s, dag_write, c, err);
    mr_write_text(&c->out, "]}");
    return status;
}

/* ---- runs ---- */

static void run_write(void *arg, const struct scheduler_run_view *run)
{
    struct call *c = arg;

    item(&c->out);
    run_open(&c->out, run);
    mr_write_u8(&c->out, '}');
}

static enum mr_status call_runs(struct call *c, struct scheduler *s, struct mr_err *err)
{
    enum mr_status status;

    mr_write_text(&c->out, "{\"runs\":[");
    status = scheduler_runs(s, c->dag, c->limit, run_write, c, err);
    mr_write_text(&c->out, "]}");
    return status;
}

static void one_run(void *arg, const struct scheduler_run_view *run)
{
    struct call *c = arg;

    run_open(&c->out, run);
}

static void one_task(void *arg, const struct scheduler_task_view *task)
{
    struct call *c = arg;
    struct call_task *t;

    c->tasks = mr_realloc(c->tasks, (c->task_count + 1) * sizeof(*c->tasks));
    t = &c->tasks[c->task_count++];
    *t = (struct call_task){ .view = *task, .id = mr_strdup(task->id) };
    mr_write_u8(&t->attempts, '[');
}

static void one_attempt(void *arg, const struct scheduler_attempt_view *a)
{
    struct call *c = arg;

    for (size_t i = 0; i < c->task_count; i++) {
        struct mr_writer *out = &c->tasks[i].attempts;

        if (strcmp(c->tasks[i].id, a->task) != 0)
            continue;
        item(out);
        mr_write_u8(out, '{');
        field_number(out, "attempt", a->number);
        field_text(out, "state", scheduler_state_name(a->state));
        field_time(out, "started_at", a->started_ms);
        field_time(out, "ended_at", a->ended_ms);
        field_duration(out, "duration_ms", a->started_ms, a->ended_ms);
        field_number(out, "pid", a->pid);
        field_number(out, "exit_code", a->exit_code);
        field_number(out, "rows_in", a->rows_in);
        field_number(out, "rows_out", a->rows_out);
        field_number(out, "dead_letters", a->dead_letters);
        field_text(out, "error", a->error[0] != '\0' ? a->error : NULL);
        mr_write_u8(out, '}');
    }
}

static enum mr_status call_run(struct call *c, struct scheduler *s, struct mr_err *err)
{
    enum mr_status status = scheduler_run(s, c->dag, c->run_id, one_run, one_task, one_attempt, c, err);

    if (status != MR_OK)
        return status;
    key(&c->out, "tasks");
    mr_write_u8(&c->out, '[');
    for (size_t i = 0; i < c->task_count; i++) {
        const struct call_task *t = &c->tasks[i];

        item(&c->out);
        mr_write_u8(&c->out, '{');
        field_text(&c->out, "id", t->id);
        field_text(&c->out, "state", scheduler_state_name(t->view.state));
        field_number(&c->out, "tries", t->view.tries);
        field_number(&c->out, "retries", t->view.retries);
        field_time(&c->out, "started_at", t->view.started_ms);
        field_time(&c->out, "ended_at", t->view.ended_ms);
        field_duration(&c->out, "duration_ms", t->view.started_ms, t->view.ended_ms);
        field_time(&c->out, "retry_at", t->view.retry_ms);
        key(&c->out, "attempts");
        mr_write_str(&c->out, mr_str_of_bytes(mr_writer_bytes(&t->attempts)));
        mr_write_text(&c->out, "]}");
    }
    mr_write_text(&c->out, "]}");
    return MR_OK;
}

static enum mr_status call_log(struct call *c, struct scheduler *s, struct mr_err *err)
{
    c->is_text = true;
    return scheduler_log(s, c->dag, c->run_id, c->task, c->attempt, c->from, &c->out, &c->log_next, &c->log_ended, err);
}

/* ---- changes ---- */

/* A value as the text that the task will see. */
static enum mr_status param_value(struct http_request *request, const char *name, json_t *value, const char **out,
                                  struct mr_err *err)
{
    struct mr_arena *arena = http_request_arena(request);

    if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
        *out = json_string_value(value);
    else if (json_is_integer(value))
        *out = mr_arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        *out = mr_arena_printf(arena, "%.17g", json_real_value(value));
    else if (json_is_boolean(value))
        *out = json_is_true(value) ? "true" : "false";
    else
        return mr_err_set(err, MR_INVALID, "the param \"%.100s\" must be a text, a number, true or false", name);
    return MR_OK;
}

static enum mr_status call_trigger(struct call *c, struct scheduler *s, struct mr_err *err)
{
    struct scheduler_pair params[SCHEDULER_PARAMS_MAX];
    struct scheduler_trigger trigger = { .params = params };
    char run[SCHEDULER_RUN_BYTES];
    enum mr_status status = MR_OK;
    const char *name;
    json_t *value;

    json_object_foreach(json_object_get(c->body, "params"), name, value)
    {
        if (trigger.param_count == SCHEDULER_PARAMS_MAX)
            return mr_err_set(err, MR_INVALID, "at most %d params can be given", SCHEDULER_PARAMS_MAX);
        params[trigger.param_count].name = name;
        status = param_value(c->request, name, value, &params[trigger.param_count].value, err);
        if (status != MR_OK)
            return status;
        trigger.param_count++;
    }
    status = scheduler_trigger(s, c->dag, &trigger, run, err);
    if (status == MR_OK) {
        mr_write_u8(&c->out, '{');
        field_text(&c->out, "run", run);
        mr_write_u8(&c->out, '}');
    }
    return status;
}

static enum mr_status call_pause(struct call *c, struct scheduler *s, struct mr_err *err)
{
    enum mr_status status = scheduler_pause(s, c->dag, c->paused, err);

    if (status == MR_OK) {
        mr_write_u8(&c->out, '{');
        field_text(&c->out, "dag", c->dag);
        field_flag(&c->out, "paused", c->paused);
        mr_write_u8(&c->out, '}');
    }
    return status;
}

/* ---- there and back ---- */

static void call_free(struct call *c)
{
    for (size_t i = 0; i < c->task_count; i++) {
        mr_free(c->tasks[i].id);
        mr_writer_deinit(&c->tasks[i].attempts);
    }
    mr_free(c->tasks);
    mr_writer_deinit(&c->out);
    json_decref(c->body);
    mr_free(c);
}

/* The codes of issue's API: {"error": "what; what to do"}. */
static void answer_error(struct http_request *request, enum mr_status status, const struct mr_err *err)
{
    struct mr_writer out = { 0 };
    int code = status == MR_NOT_FOUND ? 404 : status == MR_INVALID ? 400 : status == MR_BUSY ? 503 : 500;

    if (status == MR_EXISTS || status == MR_LIMIT)
        code = 409;
    mr_write_u8(&out, '{');
    field_text(&out, "error", err->text);
    mr_write_text(&out, "}\n");
    http_answer_json(request, code, mr_str_of_bytes(mr_writer_bytes(&out)));
    mr_writer_deinit(&out);
}

/* HTTP's loop. */
static void call_answer(void *arg)
{
    struct call *c = arg;

    if (c->status != MR_OK) {
        answer_error(c->request, c->status, &c->err);
    } else if (c->is_text) {
        char next[TEXT_BYTES];

        snprintf(next, sizeof(next), "%" PRId64, c->log_next);
        http_answer_header(c->request, "X-Millrace-Next", next);
        http_answer_header(c->request, "X-Millrace-Ended", c->log_ended ? "true" : "false");
        http_answer(c->request, 200, "text/plain; charset=utf-8", mr_writer_bytes(&c->out));
    } else {
        mr_write_u8(&c->out, '\n');
        http_answer_json(c->request, 200, mr_str_of_bytes(mr_writer_bytes(&c->out)));
    }
    call_free(c);
}

/* The scheduler's thread. */
static void call_job(void *arg)
{
    struct call *c = arg;

    c->status = c->run(c, c->scheduler, &c->err);
    net_loop_post(c->loop, call_answer, c);
}

static void call_send(struct http_request *request, void *arg, call_fn *run, struct call with)
{
    const struct server *server = arg;
    struct call *c = MR_NEW(struct call);

    *c = with;
    c->request = request;
    c->loop = http_request_loop(request);
    c->dags = server->dags;
    c->scheduler = dags_scheduler(server->dags);
    c->run = run;
    c->dag = http_request_param(request, "dag");
    c->run_id = http_request_param(request, "run");
    c->task = http_request_param(request, "task");
    c->err = (struct mr_err)MR_ERR_INIT;
    if (c->scheduler == NULL && run == call_dags) {
        c->status = run(c, NULL, &c->err);
        call_answer(c);
    } else if (c->scheduler == NULL) {
        c->status = mr_err_set(&c->err, MR_NOT_FOUND, "there is no DAG here: the project has no dags/*.yaml");
        call_answer(c);
    } else if (scheduler_post(c->scheduler, call_job, c) != MR_OK) {
        c->status = mr_err_set(&c->err, MR_BUSY, "the server is stopping");
        call_answer(c);
    }
}

static void handle_dags(struct http_request *request, void *arg)
{
    call_send(request, arg, call_dags, (struct call){ 0 });
}

static void handle_runs(struct http_request *request, void *arg)
{
    struct call with = { 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = http_request_query_i64(request, "limit", 1, RUNS_MAX, RUNS_DEFAULT, &with.limit, &err);

    if (status != MR_OK)
        answer_error(request, MR_INVALID, &err);
    else
        call_send(request, arg, call_runs, with);
}

static void handle_run(struct http_request *request, void *arg)
{
    call_send(request, arg, call_run, (struct call){ 0 });
}

static void handle_log(struct http_request *request, void *arg)
{
    struct call with = { 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = http_request_query_i64(request, "attempt", 1, INT32_MAX, 0, &with.attempt, &err);

    if (status == MR_OK)
        status = http_request_query_i64(request, "from", INT64_MIN / 2, INT64_MAX / 2, 0, &with.from, &err);
    if (status != MR_OK)
        answer_error(request, MR_INVALID, &err);
    else
        call_send(request, arg, call_log, with);
}

/* The body of a trigger: nothing, or {"params": {…}}. */
static enum mr_status body_read(struct http_request *request, json_t **out, struct mr_err *err)
{
    struct mr_bytes body = http_request_body(request);
    json_error_t why;
    json_t *json, *value;
    const char *name;
    enum mr_status status = MR_OK;

    if (body.size == 0)
        return MR_OK;
    json = json_loadb((const char *)body.data, body.size, JSON_REJECT_DUPLICATES, &why);
    if (json == NULL)
        return mr_err_set(err, MR_INVALID, "the body is not JSON: %s", why.text);
    if (!json_is_object(json))
        status = mr_err_set(err, MR_INVALID, "the body must be {\"params\": {…}} or empty");
    json_object_foreach(json, name, value)
    {
        if (strcmp(name, "params") != 0)
            status = mr_err_set(err, MR_INVALID, "there is no \"%.100s\" in a trigger: only \"params\"", name);
        else if (!json_is_object(value))
            status = mr_err_set(err, MR_INVALID, "\"params\" must be an object of names and values");
    }
    if (status == MR_OK)
        *out = json;
    else
        json_decref(json);
    return status;
}

static void handle_trigger(struct http_request *request, void *arg)
{
    struct call with = { 0 };
    struct mr_err err = MR_ERR_INIT;

    if (body_read(request, &with.body, &err) != MR_OK)
        answer_error(request, MR_INVALID, &err);
    else
        call_send(request, arg, call_trigger, with);
}

static void handle_pause(struct http_request *request, void *arg)
{
    call_send(request, arg, call_pause, (struct call){ .paused = true });
}

static void handle_unpause(struct http_request *request, void *arg)
{
    call_send(request, arg, call_pause, (struct call){ .paused = false });
}

static void routes_job(void *arg)
{
    struct server *server = arg;
    struct http_server *http = stack_http_server(server->stack);

    http_server_route(http, "GET", "/api/dags", handle_dags, server);
    http_server_route(http, "POST", "/api/dags/:dag/trigger", handle_trigger, server);
    http_server_route(http, "POST", "/api/dags/:dag/pause", handle_pause, server);
    http_server_route(http, "POST", "/api/dags/:dag/unpause", handle_unpause, server);
    http_server_route(http, "GET", "/api/dags/:dag/runs", handle_runs, server);
    http_server_route(http, "GET", "/api/dags/:dag/runs/:run", handle_run, server);
    http_server_route(http, "GET", "/api/dags/:dag/runs/:run/tasks/:task/log", handle_log, server);
}

void api_dags_routes(struct server *server)
{
    net_loop_call(stack_http_loop(server->stack), routes_job, server);
}
