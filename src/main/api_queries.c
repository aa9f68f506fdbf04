/* api_queries.c -- /api/queries: what the queries do, and stopping and starting them.
 *
 * Stopping waits for the end of an epoch and both sync, so a worker does them and posts the answer back to the loop. */
#include "base/text.h"
#include "base/thread.h"
#include "http/http.h"
#include "main/api.h"
#include "main/server.h"
#include "net/net.h"
#include "sql/sql.h"

#include <string.h>

enum { PROGRESS_DEFAULT = 20, PROGRESS_MAX = 100 };

static void answer_writer(struct http_request *request, struct mr_writer *out)
{
    mr_write_u8(out, '\n');
    http_answer_json(request, 200, mr_str_of_bytes(mr_writer_bytes(out)));
    mr_writer_deinit(out);
}

void api_queries_write(struct server *server, struct mr_writer *out)
{
    size_t before;

    mr_write_u8(out, '[');
    for (size_t i = 0;; i++) {
        before = out->size;
        if (i > 0)
            mr_write_u8(out, ',');
        if (!sql_engine_query_json(server->engine, i, out))
            break;
    }
    out->size = before;
    mr_write_u8(out, ']');
}

static void handle_list(struct http_request *request, void *arg)
{
    struct mr_writer out = { 0 };

    mr_write_text(&out, "{\"queries\":");
    api_queries_write(arg, &out);
    mr_write_u8(&out, '}');
    answer_writer(request, &out);
}

/* {"error": "what; what to do"} */
static void answer_error(struct http_request *request, enum mr_status status, const struct mr_err *err)
{
    struct mr_writer out = { 0 };
    int code = status == MR_NOT_FOUND ? 404 : status == MR_INVALID ? 400 : status == MR_BUSY ? 409 : 500;

    mr_write_text(&out, "{\"error\":");
    mr_write_json_string(&out, mr_str_of(err->text));
    mr_write_text(&out, "}\n");
    http_answer_json(request, code, mr_str_of_bytes(mr_writer_bytes(&out)));
    mr_writer_deinit(&out);
}

static void handle_progress(struct http_request *request, void *arg)
{
    struct server *server = arg;
    struct mr_writer out = { 0 };
    struct mr_err err = MR_ERR_INIT;
    int64_t count = PROGRESS_DEFAULT;
    enum mr_status status = http_request_query_i64(request, "n", 1, PROGRESS_MAX, PROGRESS_DEFAULT, &count, &err);

    if (status == MR_OK)
        status =
            sql_engine_query_progress(server->engine, http_request_param(request, "name"), (uint32_t)count, &out, &err);
    if (status == MR_OK) {
        answer_writer(request, &out);
        return;
    }
    mr_writer_deinit(&out);
    answer_error(request, status, &err);
}

static void handle_one(struct http_request *request, void *arg)
{
    struct server *server = arg;
    const char *name = http_request_param(request, "name");
    struct sql_query_status query;
    struct mr_writer out = { 0 };
    struct mr_err err = MR_ERR_INIT;

    for (size_t i = 0; sql_engine_query(server->engine, i, &query); i++) {
        if (strcmp(query.name, name) == 0 && sql_engine_query_json(server->engine, i, &out)) {
            answer_writer(request, &out);
            return;
        }
    }
    mr_err_set(&err, MR_NOT_FOUND, "no query \"%s\"; GET /api/queries lists them", name);
    answer_error(request, MR_NOT_FOUND, &err);
}

/* ---- changes ---- */

struct change {
    struct server *server;
    struct http_request *request;
    struct net_loop *loop;
    bool start;
    enum mr_status status;
    struct mr_err err;
};

static void change_answer(void *arg)
{
    struct change *c = arg;

    if (c->status == MR_OK)
        handle_one(c->request, c->server);
    else
        answer_error(c->request, c->status, &c->err);
    mr_free(c);
}

static void change_work(void *arg)
{
    struct change *c = arg;
    const char *name = http_request_param(c->request, "name");

    if (c->start)
        c->status = sql_engine_query_start(c->server->engine, name, &c->err);
    else
        c->status = sql_engine_query_stop(c->server->engine, name, &c->err);
    net_loop_post(c->loop, change_answer, c);
}

static void handle_change(struct http_request *request, void *arg, bool start)
{
    struct server *server = arg;
    struct change *c;

    if (server->workers == NULL) {
        struct mr_err err = MR_ERR_INIT;
        mr_err_set(&err, MR_BUSY, "the server is being stopped");
        answer_error(request, MR_BUSY, &err);
        return;
    }
    c = MR_NEW(struct change);
    c->server = server;
    c->request = request;
    c->loop = http_request_loop(request);
    c->start = start;
    c->err = (struct mr_err)MR_ERR_INIT;
    mr_workers_submit(server->workers, change_work, c);
}

static void handle_start(struct http_request *request, void *arg)
{
    handle_change(request, arg, true);
}

static void handle_stop(struct http_request *request, void *arg)
{
    handle_change(request, arg, false);
}

void api_queries_routes(struct server *server)
{
    struct http_server *http = stack_http_server(server->stack);

    http_server_route(http, "GET", "/api/queries", handle_list, server);
    http_server_route(http, "GET", "/api/queries/:name", handle_one, server);
    http_server_route(http, "GET", "/api/queries/:name/progress", handle_progress, server);
    http_server_route(http, "POST", "/api/queries/:name/start", handle_start, server);
    http_server_route(http, "POST", "/api/queries/:name/stop", handle_stop, server);
}
