/* http_test.h -- a server for the tests of http: echoes, keeps, streams. */
#ifndef HTTP_TEST_H
#define HTTP_TEST_H

#include "../net/net_test.h"
#include "http/http.h"

struct test_server {
    struct net_loop *loop;
    struct http_server *http;
    struct http_request *kept; /* loop thread only */
    _Atomic int kept_count, gone;
};

/* METHOD PATH body, as text. */
static inline void handle_echo(struct http_request *request, void *arg)
{
    struct mr_writer out = { 0 };
    struct mr_bytes body = http_request_body(request);

    MR_UNUSED(arg);
    mr_write_text(&out, "%s %s ", http_request_method(request), http_request_path(request));
    mr_write_bytes(&out, body);
    http_answer(request, 200, "text/plain", mr_writer_bytes(&out));
    mr_writer_deinit(&out);
}

static inline void handle_keep(struct http_request *request, void *arg)
{
    struct test_server *server = arg;

    server->kept = request;
    atomic_fetch_add(&server->kept_count, 1);
}

static inline void handle_gone(struct http_request *request, void *arg)
{
    struct test_server *server = arg;

    assert_true(http_request_is_gone(request));
    http_stream_end(request);
    atomic_fetch_add(&server->gone, 1);
}

static inline void handle_stream(struct http_request *request, void *arg)
{
    struct test_server *server = arg;

    http_stream_begin(request, 200, "text/event-stream", handle_gone, server);
    http_stream_event(request, "tick", MR_STR("one\ntwo"));
    if (http_request_query(request, "forever") != NULL)
        atomic_fetch_add(&server->kept_count, 1);
    else
        http_stream_end(request);
}

static inline void handle_cut(struct http_request *request, void *arg)
{
    MR_UNUSED(arg);
    http_answer_cut(request, 200, "text/plain", mr_bytes_of_str(MR_STR("0123456789")), 4);
}

static inline void handle_redirect(struct http_request *request, void *arg)
{
    MR_UNUSED(arg);
    http_answer_header(request, "Location", http_request_query(request, "to"));
    http_answer(request, 302, NULL, MR_BYTES_NULL);
}

static inline void handle_busy(struct http_request *request, void *arg)
{
    MR_UNUSED(arg);
    http_answer_header(request, "Retry-After", "7");
    http_answer_error(request, 503, "come back later");
}

static inline void test_server_start(struct test_server *server, struct http_server_options options)
{
    struct mr_err err = MR_ERR_INIT;

    assert_int_equal(net_loop_new(&server->loop, "http", NULL), MR_OK);
    options.name = "test";
    options.address = "127.0.0.1:0";
    if (http_server_open(&server->http, server->loop, &options, &err) != MR_OK)
        fail_msg("%s", err.text);
    http_server_route(server->http, "GET,POST,PUT,DELETE", "/echo/*", handle_echo, server);
    http_server_route(server->http, "GET", "/keep", handle_keep, server);
    http_server_route(server->http, "GET", "/stream", handle_stream, server);
    http_server_route(server->http, "GET", "/cut", handle_cut, server);
    http_server_route(server->http, "GET", "/redirect", handle_redirect, server);
    http_server_route(server->http, "GET", "/busy", handle_busy, server);
    net_loop_start(server->loop);
}

static inline void close_job(void *arg)
{
    http_server_close(arg);
}

static inline void test_server_stop(struct test_server *server)
{
    net_loop_call(server->loop, close_job, server->http);
    net_loop_free(server->loop);
}

#endif
