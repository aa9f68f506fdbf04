/* api.c -- see api.h.  Handlers run on HTTP's loop and read only what may be read from any thread. */
#include "main/api.h"
#include "base/env.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/thread.h"
#include "http/http.h"
#include "main/api_browse.h"
#include "main/server.h"
#include "main/version.h"
#include "net/net.h"

#include <unistd.h>

static void write_name(struct mr_writer *out, const char *name)
{
    mr_write_text(out, ",\"%s\":", name);
}

void api_status_write(struct server *server, struct mr_writer *out)
{
    int64_t uptime_ms = (mr_monotonic_ns(mr_env_real()) - server->started_ns) / 1000000;

    mr_write_text(out, "{\"version\":\"%s\",\"pid\":%d,\"uptime_ms\":%" PRId64, MILLRACE_VERSION, (int)getpid(),
                  uptime_ms);
    write_name(out, "kafka");
    mr_write_json_string(out, mr_str_of(server->file.kafka));
    write_name(out, "cql");
    mr_write_json_string(out, mr_str_of(server->file.cql));
    write_name(out, "data_dir");
    mr_write_json_string(out, mr_str_of(server->file.data_dir));
    write_name(out, "queries");
    api_queries_write(server, out);
    mr_write_u8(out, '}');
}

static void handle_status(struct http_request *request, void *arg)
{
    struct mr_writer out = { 0 };

    api_status_write(arg, &out);
    mr_write_u8(&out, '\n');
    http_answer_json(request, 200, mr_str_of_bytes(mr_writer_bytes(&out)));
    mr_writer_deinit(&out);
}

static void handle_metrics(struct http_request *request, void *arg)
{
    struct mr_writer out = { 0 };

    MR_UNUSED(arg);
    mr_metrics_render(&out);
    http_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", mr_writer_bytes(&out));
    mr_writer_deinit(&out);
}

/* The listener opens last, so whoever gets through finds all parts ready. */
static void handle_ok(struct http_request *request, void *arg)
{
    MR_UNUSED(arg);
    http_answer_json(request, 200, MR_STR("{\"status\":\"ok\"}\n"));
}

static void routes_job(void *arg)
{
    struct server *server = arg;
    struct http_server *http = stack_http_server(server->stack);

    http_server_route(http, "GET", "/healthz", handle_ok, server);
    http_server_route(http, "GET", "/readyz", handle_ok, server);
    http_server_route(http, "GET", "/metrics", handle_metrics, server);
    http_server_route(http, "GET", "/api/status", handle_status, server);
    api_queries_routes(server);
    server->browse = api_browse_new(server);
}

void api_routes(struct server *server)
{
    server->workers = mr_workers_new("api", 1);
    net_loop_call(stack_http_loop(server->stack), routes_job, server);
}

static void stop_job(void *arg)
{
    struct mr_workers **out = ((void **)arg)[1];
    struct server *server = ((void **)arg)[0];

    *out = server->workers;
    server->workers = NULL;
    api_browse_stop(server->browse);
}

void api_close(struct server *server)
{
    struct mr_workers *workers = NULL;
    void *both[] = { server, &workers };

    if (stack_http_loop(server->stack) == NULL)
        return;
    net_loop_call(stack_http_loop(server->stack), stop_job, both);
    mr_workers_free(workers);
    api_browse_join(server->browse);
}
