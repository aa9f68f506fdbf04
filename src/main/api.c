/* api.c -- see api.h.  Handlers run on HTTP's loop and read only what may be read from any thread. */
#include "main/api.h"
#include "base/env.h"
#include "base/metrics.h"
#include "base/text.h"
#include "http/http.h"
#include "main/server.h"
#include "main/version.h"
#include "net/net.h"
#include "sql/sql.h"

#include <unistd.h>

static void write_name(struct mr_writer *out, const char *name)
{
    mr_write_text(out, ",\"%s\":", name);
}

static void write_query(struct mr_writer *out, const struct sql_query_status *q)
{
    mr_write_text(out, "{\"name\":");
    mr_write_json_string(out, mr_str_of(q->name));
    mr_write_text(out, ",\"state\":\"%s\",\"epoch\":%" PRId64 ",\"rows_in\":%" PRId64 ",\"rows_out\":%" PRId64,
                  sql_query_state_name(q->state), q->epoch, q->rows_in, q->rows_out);
    mr_write_text(out, ",\"dead_letters\":%" PRId64 ",\"skipped\":%" PRId64 ",\"lag\":%" PRId64, q->dead_letters,
                  q->skipped, q->lag);
    mr_write_text(out, ",\"batch_us\":%" PRId64 ",\"started_ms\":%" PRId64 ",\"error\":", q->batch_us, q->started_ms);
    mr_write_json_string(out, mr_str_of(q->error));
    mr_write_u8(out, '}');
}

static void handle_status(struct http_request *request, void *arg)
{
    struct server *server = arg;
    struct mr_writer out = { 0 };
    struct sql_query_status query;
    int64_t uptime_ms = (mr_monotonic_ns(mr_env_real()) - server->started_ns) / 1000000;

    mr_write_text(&out, "{\"version\":\"%s\",\"pid\":%d,\"uptime_ms\":%" PRId64, MILLRACE_VERSION, (int)getpid(),
                  uptime_ms);
    write_name(&out, "kafka");
    mr_write_json_string(&out, mr_str_of(server->file.kafka));
    write_name(&out, "cql");
    mr_write_json_string(&out, mr_str_of(server->file.cql));
    write_name(&out, "data_dir");
    mr_write_json_string(&out, mr_str_of(server->file.data_dir));
    mr_write_text(&out, ",\"queries\":[");
    for (size_t i = 0; sql_engine_query(server->engine, i, &query); i++) {
        if (i > 0)
            mr_write_u8(&out, ',');
        write_query(&out, &query);
    }
    mr_write_text(&out, "]}\n");
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
}

void api_routes(struct server *server)
{
    net_loop_call(stack_http_loop(server->stack), routes_job, server);
}
