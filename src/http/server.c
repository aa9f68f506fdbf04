/* server.c -- an HTTP/1.1 server on a net_listener: one request of a connection at a time, keep-alive, bodies by length
 * or in chunks, pipelined requests waiting in the connection's input.
 *
 * It stands on net_conn and not on evhttp: libevent 2.1's evhttp can neither limit nor count its connections, nor
 * notice one that goes before its first request, and net already has limits, idle times and back-pressure.
 *
 * States of a connection  HEAD -> BODY or CHUNK -> ANSWER -> HEAD; an error answers and closes.  In ANSWER reading is
 * paused (a stream reads on, to notice that the client went, and leaves the bytes where they are).
 * A request belongs to its connection until a handler has it; from then on until it is answered, the handler keeps it
 * alive and conn is NULL once the client is gone. */
#include "http/server_int.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void server_answer_error(struct http_request *request, int status, const char *why)
{
    request->keep_alive = false;
    http_answer_error(request, status, "%s", why);
}

/* ---- reading a request ---- */

static struct http_request *request_new(struct http_conn *conn)
{
    struct mr_arena *arena = mr_arena_new();
    struct http_request *request = MR_ARENA_NEW(arena, struct http_request);

    request->arena = arena;
    request->server = conn->server;
    request->loop = conn->server->loop;
    request->conn = conn;
    request->path = "/";
    request->head.method = "GET";
    snprintf(request->peer, sizeof(request->peer), "%s", net_conn_peer_text(conn->net));
    return request;
}

void http_request_free(struct http_request *request)
{
    mr_writer_deinit(&request->body);
    mr_writer_deinit(&request->extra);
    mr_arena_free(request->arena);
}

static void conn_dispatch(struct http_conn *conn)
{
    struct http_request *request = conn->request;
    struct http_server *server = conn->server;
    const struct http_route *route;
    const char *allow;
    char *target;
    char *query;

    conn->step = HTTP_STEP_ANSWER;
    net_conn_pause(conn->net);
    net_conn_set_idle(conn->net, 0); /* the handler takes the time it needs */
    target = mr_arena_printf(request->arena, "%s", request->head.target);
    query = strchr(target, '?');
    if (query != NULL)
        *query++ = '\0';
    request->path = target;
    if (http_query_parse(query, request->query, &request->query_count) != MR_OK) {
        http_answer_error(request, 400, "the query string is malformed or has too many parameters");
        return;
    }
    route = http_routes_find(server->routes, request->head.method, target, request->arena, request->params,
                             &request->param_count, &allow);
    if (route != NULL) {
        route->handler(request, route->arg);
    } else if (allow != NULL) {
        http_answer_header(request, "Allow", allow);
        http_answer_error(request, 405, "%s is not a method of %s", request->head.method, target);
    } else if (server->fallback != NULL) {
        server->fallback(request, server->fallback_arg);
    } else {
        http_answer_error(request, 404, "there is nothing at %s", target);
    }
}

/* How the body is delimited; a status to refuse with, or 0. */
static int request_framing(struct http_request *request, bool *chunked, const char **why)
{
    size_t encodings;
    size_t lengths;
    const char *encoding = http_head_field(&request->head, "Transfer-Encoding", &encodings);
    const char *length = http_head_field(&request->head, "Content-Length", &lengths);
    size_t digits = length ? strspn(length, "0123456789") : 0;

    *chunked = encodings > 0;
    request->body_left = 0;
    *why = "the length of the body is not clear";
    if (encodings > 1 || lengths > 1 || (encodings > 0 && lengths > 0) || (encodings > 0 && request->head.minor == 0))
        return 400;
    if (encodings == 1 && strcasecmp(encoding, "chunked") != 0)
        return 501;
    if (lengths == 0)
        return 0;
    if (digits == 0 || length[digits] != '\0')
        return 400;
    *why = "the body is too long";
    for (size_t i = 0; i < digits; i++) {
        request->body_left = request->body_left * 10 + (length[i] - '0');
        if (request->body_left > request->server->request_bytes_max)
            return 413;
    }
    return 0;
}

/* The head is parsed: may the request go on, and how does its body come? */
static void conn_admit(struct http_conn *conn)
{
    struct http_request *request = conn->request;
    const char *connection = http_head_field(&request->head, "Connection", NULL);
    const char *expect = http_head_field(&request->head, "Expect", NULL);
    const char *why = NULL;
    bool chunked;
    int status = request_framing(request, &chunked, &why);

    if (status == 0)
        status = http_rules_check(conn->server, &request->head, net_conn_local_host(conn->net),
                                  chunked || request->body_left > 0, &why);
    if (status != 0) {
        server_answer_error(request, status, why);
        return;
    }
    request->keep_alive = request->head.minor == 1 && (connection == NULL || strcasestr(connection, "close") == NULL);
    if (expect != NULL && strcasecmp(expect, "100-continue") == 0 && (chunked || request->body_left > 0))
        net_conn_write(conn->net, mr_bytes_of_str(MR_STR("HTTP/1.1 100 Continue\r\n\r\n")));
    if (chunked)
        conn->step = HTTP_STEP_CHUNK;
    else if (request->body_left > 0)
        conn->step = HTTP_STEP_BODY;
    else
        conn_dispatch(conn);
}

/* True when it made progress. */
static bool conn_read_head(struct http_conn *conn)
{
    struct evbuffer *input = net_conn_input(conn->net);
    struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);
    struct http_request *request;
    enum mr_status status;
    size_t size;
    char *text;

    if (end.pos < 0 && evbuffer_get_length(input) <= HTTP_HEADER_BYTES_MAX)
        return false;
    request = conn->request = request_new(conn);
    if (end.pos < 0 || end.pos > HTTP_HEADER_BYTES_MAX) {
        server_answer_error(request, 431, "the headers are too long");
        return false;
    }
    size = (size_t)end.pos + 2; /* with the last line's CRLF */
    text = mr_arena_alloc(request->arena, size + 1);
    evbuffer_remove(input, text, size);
    evbuffer_drain(input, 2);
    text[size] = '\0';
    status = http_head_parse(text, size, &request->head);
    if (status == MR_OK) {
        conn_admit(conn);
        return true;
    }
    request->head = (struct http_head){ .method = "GET" };
    if (status == MR_UNSUPPORTED)
        server_answer_error(request, 505, "HTTP/1.1 is spoken here");
    else if (status == MR_LIMIT)
        server_answer_error(request, 431, "there are too many headers");
    else
        server_answer_error(request, 400, "this is not an HTTP request");
    return false;
}

/* Moves what there is of the body's next body_left bytes. */
static void conn_take_body(struct http_conn *conn)
{
    struct http_request *request = conn->request;
    struct evbuffer *input = net_conn_input(conn->net);
    size_t size = evbuffer_get_length(input);

    if ((int64_t)size > request->body_left)
        size = (size_t)request->body_left;
    if (size == 0)
        return;
    evbuffer_remove(input, mr_writer_reserve(&request->body, size), size);
    request->body.size += size;
    request->body_left -= (int64_t)size;
}

static bool conn_read_body(struct http_conn *conn)
{
    conn_take_body(conn);
    if (conn->request->body_left > 0)
        return false;
    conn_dispatch(conn);
    return true;
}

/* "1a;ext" → 26; -1 when it is no chunk's size. */
static int64_t chunk_size(const char *line)
{
    size_t digits = strspn(line, "0123456789abcdefABCDEF");
    int64_t size = 0;

    if (digits == 0 || digits > 8 || (line[digits] != '\0' && line[digits] != ';'))
        return -1;
    for (size_t i = 0; i < digits; i++)
        size = size * 16 + (line[i] <= '9' ? line[i] - '0' : (line[i] | 0x20) - 'a' + 10);
    return size;
}

/* One step of a chunked body: a chunk's line, its bytes, or the lines after the last. */
static bool conn_read_chunk(struct http_conn *conn)
{
    struct http_request *request = conn->request;
    struct evbuffer *input = net_conn_input(conn->net);
    size_t size;
    char *line;

    if (request->in_chunk && request->body_left > 0) {
        conn_take_body(conn);
        return request->body_left == 0;
    }
    line = evbuffer_readln(input, &size, EVBUFFER_EOL_CRLF_STRICT);
    if (line == NULL) {
        if (evbuffer_get_length(input) > HTTP_LINE_BYTES_MAX)
            server_answer_error(request, 400, "a chunk's line is too long");
        return false;
    }
    if (request->body_left < 0) { /* trailers: nothing here wants them */
        if (size == 0)
            conn_dispatch(conn);
    } else if (request->in_chunk) { /* the CRLF after a chunk's bytes */
        request->in_chunk = false;
        if (size != 0)
            server_answer_error(request, 400, "a chunk is longer than it says");
    } else {
        request->body_left = chunk_size(line);
        request->in_chunk = true;
        if (request->body_left < 0)
            server_answer_error(request, 400, "a chunk's size can't be read");
        else if ((int64_t)request->body.size + request->body_left > request->server->request_bytes_max)
            server_answer_error(request, 413, "the body is too long");
        else if (request->body_left == 0)
            request->body_left = -1;
    }
    free(line); /* libevent's malloc */
    return true;
}

static bool conn_step(struct http_conn *conn)
{
    switch (conn->step) {
    case HTTP_STEP_HEAD:
        return conn_read_head(conn);
    case HTTP_STEP_BODY:
        return conn_read_body(conn);
    case HTTP_STEP_CHUNK:
        return conn_read_chunk(conn);
    case HTTP_STEP_ANSWER:
        break;
    }
    return false;
}

/* A request comes too slowly, though perhaps never idle. */
static void conn_late(void *arg)
{
    struct http_conn *conn = arg;

    net_conn_close(conn->net);
}

static void conn_timer_stop(struct http_conn *conn)
{
    net_timer_free(conn->timer);
    conn->timer = NULL;
}

/* Has the timer run for the step that waits for bytes: a head from its first byte on, a body from its head on. */
static void conn_watch(struct http_conn *conn)
{
    enum http_conn_step step = conn->step == HTTP_STEP_CHUNK ? HTTP_STEP_BODY : conn->step;
    bool waits =
        step == HTTP_STEP_BODY || (step == HTTP_STEP_HEAD && evbuffer_get_length(net_conn_input(conn->net)) > 0);

    if (conn->timer != NULL && (!waits || conn->timed_step != step))
        conn_timer_stop(conn);
    if (!waits || conn->timer != NULL)
        return;
    conn->timed_step = step;
    conn->timer = net_timer_new(
        conn->server->loop, step == HTTP_STEP_HEAD ? conn->server->head_ms : conn->server->body_ms, 0, conn_late, conn);
}

static void on_read(struct net_conn *net, void *arg)
{
    struct http_conn *conn = arg;
    bool answered = conn->step == HTTP_STEP_ANSWER;

    while (conn->server != NULL && net_conn_is_open(net) && !net_conn_output_full(net) && conn_step(conn))
        answered = answered || conn->step == HTTP_STEP_HEAD;
    if (answered)
        conn_timer_stop(conn); /* what waits now is another request */
    if (conn->server != NULL && net_conn_is_open(net))
        conn_watch(conn);
}

/* ---- the end of requests and connections ---- */

/* Takes the request from its connection, which goes away; the handler that has it learns of that. */
static void conn_drop_request(struct http_conn *conn)
{
    struct http_request *request = conn->request;

    conn->request = NULL;
    if (request == NULL)
        return;
    request->conn = NULL;
    if (conn->step != HTTP_STEP_ANSWER)
        http_request_free(request); /* no handler had it */
    else if (request->streaming && request->on_gone != NULL)
        request->on_gone(request, request->on_gone_arg);
}

static void on_close(struct net_conn *net, enum net_close_reason reason, void *arg)
{
    struct http_conn *conn = arg;

    MR_UNUSED(net);
    MR_UNUSED(reason);
    conn_timer_stop(conn);
    if (conn->server != NULL) {
        if (conn->previous != NULL)
            conn->previous->next = conn->next;
        else
            conn->server->conns = conn->next;
        if (conn->next != NULL)
            conn->next->previous = conn->previous;
    }
    conn_drop_request(conn);
    mr_free(conn);
}

void http_conn_answered(struct http_request *request)
{
    struct http_conn *conn = request->conn;

    if (conn != NULL) {
        conn->request = NULL;
        conn->step = HTTP_STEP_HEAD;
        if (request->keep_alive && conn->server != NULL) {
            net_conn_set_idle(conn->net, conn->server->idle_ms);
            net_conn_pause(conn->net);
            net_conn_resume(conn->net); /* a request that waits in the input is read from the loop */
        } else {
            net_conn_close_after_flush(conn->net);
        }
    }
    http_request_free(request);
}

static const struct net_conn_callbacks conn_callbacks = { .on_read = on_read, .on_close = on_close };

static void on_accept(struct net_conn *net, void *arg)
{
    struct http_server *server = arg;
    struct http_conn *conn = MR_NEW(struct http_conn);

    conn->server = server;
    conn->net = net;
    conn->next = server->conns;
    if (server->conns != NULL)
        server->conns->previous = conn;
    server->conns = conn;
    net_conn_set_callbacks(net, &conn_callbacks, conn);
}

/* ---- the server ---- */

static void default_error_format(struct mr_writer *out, int status, const char *message)
{
    mr_write_text(out, "{\"error_code\":%d,\"message\":", status);
    mr_write_json_string(out, mr_str_of(message));
    mr_write_text(out, "}\n");
}

static char **hosts_copy(const char *const *hosts)
{
    size_t count = 0;
    char **copy;

    while (hosts != NULL && hosts[count] != NULL)
        count++;
    copy = mr_calloc(count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = mr_strdup(hosts[i]);
    return copy;
}

static void server_free(struct http_server *server)
{
    while (server->routes != NULL) {
        struct http_route *route = server->routes;
        server->routes = route->next;
        mr_free(route->methods);
        mr_free(route->pattern);
        mr_free(route);
    }
    for (char **host = server->hosts; *host != NULL; host++)
        mr_free(*host);
    mr_free(server->hosts);
    mr_free(server->security_policy);
    mr_free(server);
}

enum mr_status http_server_open(struct http_server **out, struct net_loop *loop,
                                const struct http_server_options *options, struct mr_err *err)
{
    struct http_server *server = MR_NEW(struct http_server);
    int idle_s = options->idle_s > 0 ? options->idle_s : HTTP_SERVER_IDLE_S;
    struct net_listener_options listening = {
        .name = options->name,
        .address = options->address,
        .connections_max = options->connections_max > 0 ? options->connections_max : HTTP_SERVER_CONNECTIONS_MAX,
        .idle_ms = (int64_t)idle_s * 1000,
        .input_max = 2 * HTTP_HEADER_BYTES_MAX,
        .on_accept = on_accept,
        .arg = server,
    };
    enum mr_status status;

    server->loop = loop;
    server->hosts = hosts_copy(options->hosts);
    server->security_policy =
        mr_strdup(options->content_security_policy ? options->content_security_policy
                                                   : "default-src 'none'; frame-ancestors 'none'");
    server->request_bytes_max = options->request_bytes_max > 0 ? options->request_bytes_max : HTTP_REQUEST_BYTES_MAX;
    server->idle_ms = listening.idle_ms;
    server->head_ms = options->head_ms > 0 ? options->head_ms : HTTP_SERVER_HEAD_S * INT64_C(1000);
    server->body_ms = options->body_ms > 0 ? options->body_ms : HTTP_SERVER_BODY_S * INT64_C(1000);
    server->raw_bodies = options->raw_bodies;
    server->error_format = default_error_format;
    status = net_listener_open(loop, &server->listener, &listening, err);
    if (status != MR_OK) {
        server_free(server);
        return status;
    }
    *out = server;
    return MR_OK;
}

void http_server_close(struct http_server *server)
{
    if (server == NULL)
        return;
    assert(net_loop_is_current(server->loop));
    while (server->conns != NULL) {
        struct http_conn *conn = server->conns;

        server->conns = conn->next;
        conn->previous = conn->next = NULL;
        conn->server = NULL;
        if (conn->request != NULL)
            conn->request->server = NULL;
        conn_drop_request(conn);
        conn_timer_stop(conn);
        net_conn_close_after_flush(conn->net);
    }
    net_listener_close(server->listener);
    server_free(server);
}

void http_server_route(struct http_server *server, const char *methods, const char *pattern, http_handler_fn *handler,
                       void *arg)
{
    struct http_route *route = MR_NEW(struct http_route);
    struct http_route **last = &server->routes;

    assert(pattern[0] == '/');
    while (*last != NULL)
        last = &(*last)->next;
    *route = (struct http_route){ NULL, mr_strdup(methods), mr_strdup(pattern), handler, arg };
    *last = route;
}

void http_server_fallback(struct http_server *server, http_handler_fn *handler, void *arg)
{
    server->fallback = handler;
    server->fallback_arg = arg;
}

void http_server_error_format(struct http_server *server, http_error_fn *format)
{
    server->error_format = format;
}

const char *http_server_text(const struct http_server *server)
{
    return net_listener_text(server->listener);
}

int http_server_port(const struct http_server *server)
{
    return net_listener_port(server->listener);
}

int64_t http_server_connections(const struct http_server *server)
{
    return net_listener_connections(server->listener);
}

int64_t http_server_refused(const struct http_server *server)
{
    return net_listener_refused(server->listener);
}
