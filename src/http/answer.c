/* answer.c -- a handler's view of a request: its parts, and the ways to answer. */
#include "http/server_int.h"

#include "base/env.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

const char *http_request_method(const struct http_request *request)
{
    return request->head.method;
}

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

static const char *param_find(const struct http_param *params, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(params[i].name, name) == 0)
            return params[i].value;
    }
    return NULL;
}

const char *http_request_param(const struct http_request *request, const char *name)
{
    return param_find(request->params, request->param_count, name);
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    return param_find(request->query, request->query_count, name);
}

enum mr_status http_request_query_i64(const struct http_request *request, const char *name, int64_t low, int64_t high,
                                      int64_t default_value, int64_t *out, struct mr_err *err)
{
    const char *text = http_request_query(request, name);
    int64_t value;

    if (text == NULL) {
        *out = default_value;
        return MR_OK;
    }
    if (mr_parse_i64(mr_str_of(text), &value) != MR_OK || value < low || value > high)
        return mr_err_set(err, MR_INVALID, "%s is \"%s\": a number of %" PRId64 " to %" PRId64 " is expected", name,
                          text, low, high);
    *out = value;
    return MR_OK;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return http_head_field(&request->head, name, NULL);
}

struct mr_bytes http_request_body(const struct http_request *request)
{
    return mr_writer_bytes(&request->body);
}

const char *http_request_peer(const struct http_request *request)
{
    return request->peer;
}

bool http_request_is_gone(const struct http_request *request)
{
    return request->conn == NULL;
}

struct mr_arena *http_request_arena(struct http_request *request)
{
    return request->arena;
}

struct net_loop *http_request_loop(struct http_request *request)
{
    return request->loop;
}

/* ---- answering ---- */

const char *http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 409, "Conflict" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < MR_COUNT(texts); i++) {
        if (texts[i].status == status)
            return texts[i].text;
    }
    return "Status";
}

void http_answer_header(struct http_request *request, const char *name, const char *value)
{
    assert(strpbrk(name, ": \r\n") == NULL);
    if (strpbrk(value, "\r\n") != NULL) /* made from input: no header is better than two */
        return;
    if (strcasecmp(name, "Cache-Control") == 0)
        request->has_cache_control = true;
    mr_write_text(&request->extra, "%s: %s\r\n", name, value);
}

static void write_date(struct mr_writer *out)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };
    time_t seconds = (time_t)(mr_now_ms(mr_env_real()) / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    mr_write_text(out, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                  tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Sends the head; SIZE < 0: chunked, or until the close for HTTP/1.0. */
static void send_head(struct http_request *request, int status, const char *content_type, int64_t size)
{
    struct mr_writer out = { 0 };
    const char *policy = request->server ? request->server->security_policy : "default-src 'none'";

    if (size < 0 && request->head.minor == 0)
        request->keep_alive = false;
    mr_write_text(&out, "HTTP/1.1 %d %s\r\n", status, http_status_text(status));
    write_date(&out);
    if (content_type != NULL)
        mr_write_text(&out, "Content-Type: %s\r\n", content_type);
    if (size >= 0 && status != 204 && status != 304)
        mr_write_text(&out, "Content-Length: %" PRId64 "\r\n", size);
    else if (size < 0 && request->head.minor > 0)
        mr_write_text(&out, "Transfer-Encoding: chunked\r\n");
    mr_write_text(&out, "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n"
                        "Cross-Origin-Resource-Policy: same-origin\r\n");
    mr_write_text(&out, "Content-Security-Policy: %s\r\n", policy);
    if (!request->has_cache_control)
        mr_write_text(&out, "Cache-Control: no-store\r\n");
    mr_write_bytes(&out, mr_writer_bytes(&request->extra));
    mr_write_text(&out, "%s\r\n", request->keep_alive ? "" : "Connection: close\r\n");
    net_conn_write(request->conn->net, mr_writer_bytes(&out));
    mr_writer_deinit(&out);
}

static bool is_head(const struct http_request *request)
{
    return strcmp(request->head.method, "HEAD") == 0;
}

void http_answer(struct http_request *request, int status, const char *content_type, struct mr_bytes body)
{
    assert(!request->streaming);
    if (request->conn != NULL) {
        send_head(request, status, content_type, (int64_t)body.size);
        if (!is_head(request) && status != 204 && status != 304)
            net_conn_write(request->conn->net, body);
    }
    http_conn_answered(request);
}

void http_answer_json(struct http_request *request, int status, struct mr_str json)
{
    http_answer(request, status, "application/json", mr_bytes_of_str(json));
}

void http_answer_error(struct http_request *request, int status, const char *message, ...)
{
    struct mr_writer body = { 0 };
    char text[MR_ERR_BYTES];
    va_list args;

    va_start(args, message);
    vsnprintf(text, sizeof(text), message, args);
    va_end(args);
    if (request->server != NULL)
        request->server->error_format(&body, status, text);
    http_answer(request, status, "application/json", mr_writer_bytes(&body));
    mr_writer_deinit(&body);
}

static int status_of(enum mr_status status)
{
    switch (status) {
    case MR_OK:
        return 200;
    case MR_NEED_MORE:
    case MR_INVALID:
        return 400;
    case MR_NOT_FOUND:
        return 404;
    case MR_EXISTS:
        return 409;
    case MR_DENIED:
        return 403;
    case MR_LIMIT:
        return 429;
    case MR_BUSY:
        return 503;
    case MR_UNSUPPORTED:
        return 501;
    case MR_CORRUPT:
    case MR_IO:
    case MR_STATUS_N:
        break;
    }
    return 500;
}

void http_answer_status(struct http_request *request, enum mr_status status, const struct mr_err *err)
{
    http_answer_error(request, status_of(status), "%s",
                      err != NULL && err->text[0] != '\0' ? err->text : mr_status_text(status));
}

void http_answer_cut(struct http_request *request, int status, const char *content_type, struct mr_bytes body,
                     size_t cut_bytes)
{
    if (request->conn != NULL) {
        request->keep_alive = false;
        send_head(request, status, content_type, (int64_t)body.size);
        net_conn_write(request->conn->net,
                       (struct mr_bytes){ body.data, cut_bytes < body.size ? cut_bytes : body.size });
    }
    http_conn_answered(request);
}

/* ---- streams ---- */

void http_stream_begin(struct http_request *request, int status, const char *content_type, http_handler_fn *on_gone,
                       void *arg)
{
    assert(!request->streaming);
    request->streaming = true;
    request->on_gone = on_gone;
    request->on_gone_arg = arg;
    if (request->conn == NULL)
        return;
    send_head(request, status, content_type, -1);
    net_conn_resume(request->conn->net); /* to notice that the client goes */
}

void http_stream_chunk(struct http_request *request, struct mr_bytes data)
{
    char line[32];
    bool chunked = request->head.minor > 0;

    assert(request->streaming);
    if (request->conn == NULL || data.size == 0 || is_head(request))
        return;
    if (chunked) {
        snprintf(line, sizeof(line), "%zx\r\n", data.size);
        net_conn_write(request->conn->net, mr_bytes_of_str(mr_str_of(line)));
    }
    net_conn_write(request->conn->net, data);
    if (chunked)
        net_conn_write(request->conn->net, mr_bytes_of_str(MR_STR("\r\n")));
}

void http_stream_end(struct http_request *request)
{
    assert(request->streaming);
    if (request->conn != NULL && request->head.minor > 0 && !is_head(request))
        net_conn_write(request->conn->net, mr_bytes_of_str(MR_STR("0\r\n\r\n")));
    http_conn_answered(request);
}

size_t http_stream_pending(const struct http_request *request)
{
    return request->conn ? evbuffer_get_length(net_conn_output(request->conn->net)) : 0;
}

void http_stream_event(struct http_request *request, const char *event, struct mr_str data)
{
    struct mr_writer out = { 0 };
    const char *at = data.data;
    const char *end = data.data + data.size;

    if (event != NULL)
        mr_write_text(&out, "event: %s\n", event);
    do {
        const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        size_t size = (size_t)((stop ? stop : end) - at);
        mr_write_text(&out, "data: ");
        mr_write_bytes(&out, (struct mr_bytes){ (const uint8_t *)at, size });
        mr_write_text(&out, "\n");
        at = stop ? stop + 1 : NULL;
    } while (at != NULL);
    mr_write_text(&out, "\n");
    http_stream_chunk(request, mr_writer_bytes(&out));
    mr_writer_deinit(&out);
}
