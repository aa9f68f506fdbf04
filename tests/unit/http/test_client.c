/* test_client.c -- the client against our own server: answers, limits, errors, interruption. */
#include "http_test.h"

static const struct {
    const char *path; /* or a whole URL */
    enum mr_status status;
    int http_status;
    const char *contains; /* in the body, or in the error's text */
} cases[] = {
    { "/echo/a?b=c", MR_OK, 200, "GET /echo/a " },
    { "/nothing", MR_OK, 404, "404" },
    { "/busy", MR_OK, 503, "later" },
    { "/redirect?to=/echo/r", MR_OK, 200, "GET /echo/r " },
    { "/redirect?to=/redirect%3fto%3d/nothing", MR_OK, 404, "404" },
    { "/redirect?to=file:///etc/passwd", MR_INVALID, 0, "file" },
    { "/stream", MR_OK, 200, "data: two" },
    { "/cut", MR_IO, 0, "/cut" },
    { "http://127.0.0.1:1/x", MR_IO, 0, "127.0.0.1:1" },
    { "http://user:secret@127.0.0.1:1/x", MR_IO, 0, "http://127.0.0.1:1/x" },
    { "file:///etc/passwd", MR_INVALID, 0, "only http and https" },
    { "nonsense://x", MR_INVALID, 0, "only http and https" },
    { "no url at all", MR_INVALID, 0, "no URL" },
    { "http://", MR_INVALID, 0, "no URL" },
};

static void test_get(void **state)
{
    struct test_server server = { 0 };
    struct http_client *client = http_client_new();
    struct http_response response = { 0 };

    MR_UNUSED(state);
    test_server_start(&server, (struct http_server_options){ 0 });
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_err err = MR_ERR_INIT;
        char url[256];
        enum mr_status status;

        snprintf(url, sizeof(url), "%s%s%s", cases[i].path[0] == '/' ? "http://" : "",
                 cases[i].path[0] == '/' ? http_server_text(server.http) : "", cases[i].path);
        status = http_client_send(client, url, NULL, NULL, &response, &err);
        mr_write_u8(&response.body, 0);
        if (status != cases[i].status || (status == MR_OK && response.status != cases[i].http_status) ||
            strstr(status == MR_OK ? (char *)response.body.data : err.text, cases[i].contains) == NULL)
            fail_msg("%s: %s, %d, %s, %s", url, mr_status_text(status), response.status, (char *)response.body.data,
                     err.text);
        assert_null(strstr(err.text, "secret"));
        if (response.status == 503)
            assert_int_equal(response.retry_after_ms, 7000);
        else if (status == MR_OK)
            assert_int_equal(response.retry_after_ms, -1);
    }
    http_response_deinit(&response);
    http_client_free(client);
    test_server_stop(&server);
}

static void test_post_and_headers(void **state)
{
    struct test_server server = { 0 };
    struct http_response response = { 0 };
    struct http_header headers[] = { { "Content-Type", "application/json" }, { "X-Empty", "" } };
    struct http_options options = {
        .method = "POST", .body = mr_bytes_of_str(MR_STR("{\"a\":1}")), .headers = headers, .header_count = 2
    };
    char url[128];

    MR_UNUSED(state);
    test_server_start(&server, (struct http_server_options){ 0 });
    snprintf(url, sizeof(url), "http://%s/echo/p", http_server_text(server.http));
    assert_int_equal(http_get(url, &options, NULL, &response, NULL), MR_OK);
    assert_int_equal(response.status, 200);
    assert_memory_equal(response.body.data, "POST /echo/p {\"a\":1}", 20);
    assert_string_equal(response.content_type, "text/plain");
    headers[1].value = "a\r\nInjected: b";
    assert_int_equal(http_get(url, &options, NULL, &response, NULL), MR_INVALID);
    headers[1].value = "";
    options.method = "BREW";
    assert_int_equal(http_get(url, &options, NULL, &response, NULL), MR_INVALID);
    http_response_deinit(&response);
    test_server_stop(&server);
}

static void test_body_limit(void **state)
{
    struct test_server server = { 0 };
    struct http_response response = { 0 };
    struct http_options options = { .body_bytes_max = 11 };
    struct mr_err err = MR_ERR_INIT;
    char url[128];

    MR_UNUSED(state);
    test_server_start(&server, (struct http_server_options){ 0 });
    snprintf(url, sizeof(url), "http://%s/echo/p", http_server_text(server.http));
    assert_int_equal(http_get(url, &options, NULL, &response, &err), MR_LIMIT);
    assert_non_null(strstr(err.text, "11 bytes"));
    assert_int_equal(response.body.size, 0);
    http_response_deinit(&response);
    test_server_stop(&server);
}

struct stopper {
    struct test_server *server;
    struct http_client *client;
    atomic_bool stop;
};

static void *stopper_run(void *arg)
{
    struct stopper *stopper = arg;

    wait_for(&stopper->server->kept_count, 1);
    atomic_store(&stopper->stop, true);
    http_client_wake(stopper->client);
    return NULL;
}

static void answer_kept(void *arg)
{
    struct test_server *server = arg;

    http_answer_json(server->kept, 200, MR_STR("[1]"));
}

static void test_interrupted_and_timed_out(void **state)
{
    struct test_server server = { 0 };
    struct http_response response = { 0 };
    struct stopper stopper = { .server = &server, .client = http_client_new() };
    struct http_options options = { .total_timeout_ms = 50 };
    struct mr_err err = MR_ERR_INIT;
    pthread_t thread;
    char url[128];

    MR_UNUSED(state);
    test_server_start(&server, (struct http_server_options){ 0 });
    snprintf(url, sizeof(url), "http://%s/keep", http_server_text(server.http));
    mr_thread_start(&thread, "stopper", stopper_run, &stopper);
    assert_int_equal(http_client_send(stopper.client, url, NULL, &stopper.stop, &response, &err), MR_BUSY);
    pthread_join(thread, NULL);
    net_loop_call(server.loop, answer_kept, &server);
    assert_int_equal(http_client_send(stopper.client, url, &options, NULL, &response, &err), MR_IO);
    assert_non_null(strstr(err.text, "/keep"));
    wait_for(&server.kept_count, 2);
    net_loop_call(server.loop, answer_kept, &server);
    http_client_free(stopper.client);
    http_response_deinit(&response);
    test_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_post_and_headers),
        cmocka_unit_test(test_body_limit),
        cmocka_unit_test(test_interrupted_and_timed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
