/* test_server.c -- what the server answers to bytes, whole and in pieces; the rules of DESIGN 1.4. */
#include "http_test.h"

#include <errno.h>

#define H "Host: localhost\r\n"
#define J "Content-Type: application/json\r\n"
#define C "Connection: close\r\n"

static const struct {
    const char *name, *request, *status, *contains;
} cases[] = {
    { "get", "GET /echo/a HTTP/1.1\r\n" H C "\r\n", "200", "\r\n\r\nGET /echo/a " },
    { "1.0", "GET /echo/a HTTP/1.0\r\n" H "\r\n", "200", "Connection: close" },
    { "security headers", "GET /echo/a HTTP/1.1\r\n" H C "\r\n", "200", "X-Content-Type-Options: nosniff\r\n" },
    { "post", "POST /echo/a HTTP/1.1\r\n" H J C "Content-Length: 2\r\n\r\n{}", "200", "POST /echo/a {}" },
    { "json suffix",
      "POST /echo/a HTTP/1.1\r\n" H C
      "Content-Type: application/vnd.schemaregistry.v1+json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}",
      "200", "{}" },
    { "chunks",
      "PUT /echo/a HTTP/1.1\r\n" H J C
      "Transfer-Encoding: chunked\r\n\r\n2\r\n[1\r\nA;x=y\r\n,2,3,4,5,6\r\n1\r\n]\r\n0\r\nT: x\r\n\r\n",
      "200", "[1,2,3,4,5,6]" },
    { "continue", "POST /echo/a HTTP/1.1\r\n" H J C "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", "100",
      "\r\n\r\nHTTP/1.1 200 OK" },
    { "pipelined", "GET /echo/a HTTP/1.1\r\n" H "\r\nGET /echo/b HTTP/1.1\r\n" H C "\r\n", "200", "GET /echo/b " },
    { "empty post", "POST /echo/a HTTP/1.1\r\n" H C "Content-Length: 0\r\n\r\n", "200", "POST /echo/a " },
    { "head", "HEAD /echo/a HTTP/1.1\r\n" H C "\r\n", "200", "Content-Length: 13\r\n" },
    { "stream", "GET /stream HTTP/1.1\r\n" H C "\r\n", "200", "event: tick\ndata: one\ndata: two\n\n\r\n0\r\n\r\n" },
    { "stream 1.0", "GET /stream HTTP/1.0\r\n" H "\r\n", "200", "\r\n\r\nevent: tick\ndata: one\ndata: two\n\n" },
    { "not found", "GET /nothing HTTP/1.1\r\n" H C "\r\n", "404", "{\"error_code\":404,\"message\":\"" },
    { "method", "DELETE /keep HTTP/1.1\r\n" H C "\r\n", "405", "Allow: GET\r\n" },
    { "query", "GET /echo/a?x=%zz HTTP/1.1\r\n" H C "\r\n", "400", "query" },
    { "no host", "GET /echo/a HTTP/1.1\r\n\r\n", "400", "Host" },
    { "two hosts", "GET /echo/a HTTP/1.1\r\n" H H "\r\n", "400", "Host" },
    { "other host", "GET /echo/a HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421", "http.hosts" },
    { "rebound name", "GET /echo/a HTTP/1.1\r\nHost: localhost.evil.example:80\r\n\r\n", "421", "http.hosts" },
    { "other address", "GET /echo/a HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", "421", "http.hosts" },
    { "listed host", "GET /echo/a HTTP/1.1\r\nHost: Box.Example:81\r\n" C "\r\n", "200", "GET" },
    { "address", "GET /echo/a HTTP/1.1\r\nHost: 127.0.0.1:5\r\n" C "\r\n", "200", "GET" },
    { "v6", "GET /echo/a HTTP/1.1\r\nHost: [::1]:5\r\n" C "\r\n", "200", "GET" },
    { "own origin", "GET /echo/a HTTP/1.1\r\n" H C "Origin: http://localhost\r\n\r\n", "200", "GET" },
    { "other port's origin", "GET /echo/a HTTP/1.1\r\n" H "Origin: http://localhost:81\r\n\r\n", "403", "origin" },
    { "other origin", "GET /echo/a HTTP/1.1\r\n" H "Origin: https://evil.example\r\n\r\n", "403", "origin" },
    { "null origin", "GET /echo/a HTTP/1.1\r\n" H "Origin: null\r\n\r\n", "403", "origin" },
    { "form", "POST /echo/a HTTP/1.1\r\n" H "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", "415", "JSON" },
    { "no type", "PUT /echo/a HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}", "415", "JSON" },
    { "no type, chunks", "PUT /echo/a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", "415", "JSON" },
    { "jsonp", "PUT /echo/a HTTP/1.1\r\n" H "Content-Type: application/jsonp\r\nContent-Length: 2\r\n\r\n{}", "415",
      "" },
    { "too long", "POST /echo/a HTTP/1.1\r\n" H J "Content-Length: 1001\r\n\r\n", "413", "too long" },
    { "far too long", "POST /echo/a HTTP/1.1\r\n" H J "Content-Length: 99999999999999999999999\r\n\r\n", "413",
      "too long" },
    { "long chunk", "POST /echo/a HTTP/1.1\r\n" H J "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", "413", "too long" },
    { "huge chunk", "POST /echo/a HTTP/1.1\r\n" H J "Transfer-Encoding: chunked\r\n\r\n123456789\r\n", "400", "chunk" },
    { "bad chunk", "POST /echo/a HTTP/1.1\r\n" H J "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "400", "chunk" },
    { "chunk overrun", "POST /echo/a HTTP/1.1\r\n" H J "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "400",
      "chunk" },
    { "both lengths", "POST /echo/a HTTP/1.1\r\n" H J "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "400",
      "" },
    { "two lengths", "POST /echo/a HTTP/1.1\r\n" H J "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "400", "" },
    { "signed length", "POST /echo/a HTTP/1.1\r\n" H J "Content-Length: +1\r\n\r\n", "400", "" },
    { "other coding", "POST /echo/a HTTP/1.1\r\n" H J "Transfer-Encoding: gzip, chunked\r\n\r\n", "501", "" },
    { "version", "GET / HTTP/3.0\r\n" H "\r\n", "505", "" },
    { "garbage", "\x16\x03\x01\r\n\r\n", "400", "" },
};

/* Sends TEXT in steps of STEP bytes and reads to the end of the connection. */
static void exchange(int port, const char *text, size_t step, char *answer, size_t size)
{
    int fd = client_connect(port);
    size_t left = strlen(text);
    ssize_t got;

    for (; left > 0; text += step, left -= step) {
        step = step < left ? step : left;
        if (send(fd, text, step, MSG_NOSIGNAL) < 0) /* refused before the end */
            break;
    }
    got = client_read(fd, answer, size - 1);
    answer[got > 0 ? got : 0] = '\0';
    close(fd);
}

static void test_cases(void **state)
{
    static const char *const hosts[] = { "box.example", NULL };
    static const size_t steps[] = { 100000, 1, 7 };
    struct test_server server = { 0 };
    char answer[4096];
    char status[8];

    MR_UNUSED(state);
    test_server_start(&server, (struct http_server_options){ .hosts = hosts, .request_bytes_max = 1000 });
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        for (size_t j = 0; j < MR_COUNT(steps); j++) {
            exchange(http_server_port(server.http), cases[i].request, steps[j], answer, sizeof(answer));
            snprintf(status, sizeof(status), " %s ", cases[i].status);
            if (strncmp(answer, "HTTP/1.1", 8) != 0 || strncmp(answer + 8, status, 5) != 0 ||
                strstr(answer, cases[i].contains) == NULL)
                fail_msg("%s in steps of %zu: %s", cases[i].name, steps[j], answer);
            assert_null(strstr(answer, "Access-Control"));
        }
    }
    test_server_stop(&server);
}

static void test_long_head(void **state)
{
    struct test_server server = { 0 };
    size_t size = HTTP_HEADER_BYTES_MAX + 4096;
    char *text = mr_alloc(size + 1);
    char answer[2048];

    MR_UNUSED(state);
    memset(text, 'a', size);
    text[size] = '\0';
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    test_server_start(&server, (struct http_server_options){ 0 });
    exchange(http_server_port(server.http), text, 1 << 20, answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 431 "));
    mr_free(text);
    test_server_stop(&server);
}

static void answer_kept(void *arg)
{
    struct test_server *server = arg;

    http_answer_json(server->kept, 200, MR_STR("[1]"));
}

static void test_answered_later_and_kept_alive(void **state)
{
    static const char request[] = "GET /keep HTTP/1.1\r\n" H "\r\n";
    struct test_server server = { 0 };
    char answer[2048];
    int fd;

    MR_UNUSED(state);
    test_server_start(&server, (struct http_server_options){ 0 });
    fd = client_connect(http_server_port(server.http));
    for (int round = 1; round <= 3; round++) {
        ssize_t got = 0;
        client_send(fd, request, sizeof(request) - 1);
        wait_for(&server.kept_count, round);
        net_loop_call(server.loop, answer_kept, &server);
        do {
            ssize_t more = recv(fd, answer + got, sizeof(answer) - 1 - (size_t)got, 0);
            assert_true(more > 0);
            got += more;
            answer[got] = '\0';
        } while (strstr(answer, "\r\n\r\n[1]") == NULL);
    }
    close(fd);
    test_server_stop(&server);
}

static void test_client_goes(void **state)
{
    static const char keep[] = "GET /keep HTTP/1.1\r\n" H "\r\n";
    static const char stream[] = "GET /stream?forever HTTP/1.1\r\n" H "\r\n";
    struct test_server server = { 0 };
    int fd;

    MR_UNUSED(state);
    test_server_start(&server, (struct http_server_options){ 0 });
    fd = client_connect(http_server_port(server.http));
    client_send(fd, stream, sizeof(stream) - 1);
    wait_for(&server.kept_count, 1);
    close(fd);
    wait_for(&server.gone, 1);

    /* the server closes before the handler has answered */
    fd = client_connect(http_server_port(server.http));
    client_send(fd, keep, sizeof(keep) - 1);
    wait_for(&server.kept_count, 2);
    net_loop_call(server.loop, close_job, server.http);
    net_loop_call(server.loop, answer_kept, &server);
    net_loop_free(server.loop);
    close(fd);
}

static void test_limits(void **state)
{
    struct test_server server = { 0 };
    char byte;
    int first;
    int second;

    MR_UNUSED(state);
    test_server_start(&server, (struct http_server_options){ .connections_max = 1, .idle_s = 1 });
    first = client_connect(http_server_port(server.http));
    second = client_connect(http_server_port(server.http));
    assert_int_equal(client_read(second, &byte, 1), 0);
    assert_int_equal(http_server_refused(server.http), 1);
    client_send(first, "GET", 3);
    assert_int_equal(client_read(first, &byte, 1), 0); /* idle */
    close(first);
    close(second);
    test_server_stop(&server);
}

/* Sends TEXT, then BYTE again and again, a few milliseconds apart: never idle.  True when the server hangs up. */
static bool is_cut(int port, const char *text, char byte)
{
    struct timeval pause = { 0, 5000 };
    int fd = client_connect(port);
    bool cut = false;
    char answer;

    client_send(fd, text, strlen(text));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof(pause));
    for (int i = 0; i < 1000 && !cut; i++) {
        ssize_t got;

        cut = send(fd, &byte, 1, MSG_NOSIGNAL) < 0;
        got = recv(fd, &answer, 1, 0);
        cut = cut || got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
    }
    close(fd);
    return cut;
}

static void test_slow_requests(void **state)
{
    struct test_server server = { 0 };
    char answer[4096];

    MR_UNUSED(state);
    test_server_start(&server, (struct http_server_options){ .head_ms = 50, .body_ms = 50 });
    assert_true(is_cut(http_server_port(server.http), "GET /echo/a HTTP/1.1\r\n" H "X: ", 'x'));
    assert_true(is_cut(http_server_port(server.http), "GET /echo/a HTTP/1.1\r\n" H "\r\nGET /echo/b", 'x'));
    assert_true(
        is_cut(http_server_port(server.http), "POST /echo/a HTTP/1.1\r\n" H J "Content-Length: 1000\r\n\r\n", 'x'));
    exchange(http_server_port(server.http), "GET /echo/a HTTP/1.1\r\n" H C "\r\n", 1, answer, sizeof(answer));
    assert_non_null(strstr(answer, "GET /echo/a"));
    test_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_long_head),
        cmocka_unit_test(test_answered_later_and_kept_alive),
        cmocka_unit_test(test_client_goes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_slow_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
