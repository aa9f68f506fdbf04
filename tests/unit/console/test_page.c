/* test_page.c -- the page and its parts are served, whole, once, and ask no other host. */
#include "../http/http_test.h"
#include "base/hash.h"
#include "console/console.h"

static const struct {
    const char *path, *content_type, *contains;
} cases[] = {
    { "/", "text/html; charset=utf-8", "<script type=\"module\" src=\"/app.js\">" },
    { "/style.css", "text/css; charset=utf-8", "prefers-color-scheme: dark" },
    { "/app.js", "text/javascript; charset=utf-8", "new EventSource(\"/api/events\")" },
    { "/graph.js", "text/javascript; charset=utf-8", "export function" },
    { "/icon.svg", "image/svg+xml", "<svg" },
};

static void routes_job(void *arg)
{
    console_routes(arg);
}

static void get(struct test_server *server, struct http_client *client, const char *path, const char *tag,
                struct http_response *response)
{
    char url[256];
    const struct http_header header = { "If-None-Match", tag };
    struct http_options options = { .headers = &header, .header_count = tag != NULL };
    struct mr_err err = MR_ERR_INIT;

    snprintf(url, sizeof(url), "http://%s%s", http_server_text(server->http), path);
    if (http_client_send(client, url, &options, NULL, response, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static void test_assets(void **state)
{
    struct test_server server = { 0 };
    struct http_client *client = http_client_new();
    struct http_response response = { 0 };

    MR_UNUSED(state);
    test_server_start(&server, (struct http_server_options){ .content_security_policy = CONSOLE_SECURITY_POLICY });
    net_loop_call(server.loop, routes_job, server.http);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        char tag[32];

        get(&server, client, cases[i].path, NULL, &response);
        assert_int_equal(response.status, 200);
        assert_string_equal(response.content_type, cases[i].content_type);
        assert_non_null(memmem(response.body.data, response.body.size, cases[i].contains, strlen(cases[i].contains)));
        assert_null(memmem(response.body.data, response.body.size, "//cdn", 5));
        snprintf(tag, sizeof(tag), "\"%08x\"", mr_crc32c(0, response.body.data, response.body.size));
        get(&server, client, cases[i].path, tag, &response);
        assert_int_equal(response.status, 304);
        assert_int_equal(response.body.size, 0);
    }
    http_response_deinit(&response);
    http_client_free(client);
    test_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_assets) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
