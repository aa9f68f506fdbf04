/* test_http.c -- the http source against a scripted API: pages, trouble of every kind, resuming. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the API does for its n-th request; the last one repeats. */
struct answer {
    int status;          /* 0: silence until the client goes; -1: close at once */
    const char *headers; /* each ends with \r\n */
    const char *body;    /* "%s" is the request's target */
};

struct api {
    const struct answer *answers;
    int count;
    atomic_int requests;
    char target[256]; /* of the last request */
};

static void api_answer(struct harness_server *server, int fd, const struct answer *answer, const char *target)
{
    char body[4096], head[1024], byte;

    if (answer->status == 0) {
        while (harness_receive(server, fd, &byte, 1))
            ;
        return;
    }
    snprintf(body, sizeof(body), answer->body, target);
    snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n", answer->status,
             answer->headers != NULL ? answer->headers : "", strlen(body));
    harness_send(fd, head, strlen(head));
    harness_send(fd, body, strlen(body));
}

static void api_handle(struct harness_server *server, int fd, int connection)
{
    struct api *api = server->arg;
    char request[4096];
    size_t size = 0;
    int index;

    MR_UNUSED(connection);
    while (size < sizeof(request) - 1 && (size < 4 || memcmp(request + size - 4, "\r\n\r\n", 4) != 0)) {
        if (!harness_receive(server, fd, request + size, 1))
            return;
        size++;
    }
    request[size] = '\0';
    index = atomic_load(&api->requests);
    sscanf(request, "GET %255s", api->target);
    atomic_fetch_add(&api->requests, 1);
    if (api->answers[index < api->count ? index : api->count - 1].status >= 0)
        api_answer(server, fd, &api->answers[index < api->count ? index : api->count - 1], api->target);
}

/* Runs the source over OPTIONS (without the URL) until it ended, failed or gave WANT records. */
struct run {
    struct mr_writer text;
    struct connector_position positions[16];
    uint32_t position_count;
    bool ended;
    enum mr_status status;
    struct mr_err err;
    int requests;
    char target[256];
};

static void run_source(struct run *run, const struct answer *answers, int answer_count,
                       const struct harness_option *options, const char *path, uint32_t want, int deadline_ms)
{
    const struct connector_source_ops *ops = connectors_find("http")->source;
    struct harness_option all[16] = { { "url", NULL } };
    struct api api = { .answers = answers, .count = answer_count };
    struct connector_source *source = NULL;
    struct harness_server server;
    struct connector_context ctx;
    struct harness_table table;
    char url[256];
    int count = 1;

    harness_server_start(&server, api_handle, &api);
    snprintf(url, sizeof(url), "http://%s%s", server.address, path);
    all[0].value = url;
    for (; options->name != NULL; options++)
        all[count++] = *options;
    harness_context_init(&ctx, NULL);
    harness_table_init(&table, "http", NULL, all);
    run->text.size = 0;
    run->ended = false;
    run->status = ops->open(&source, &table.table, &ctx, run->positions, run->position_count, &run->err);
    if (run->status == MR_OK)
        run->status = harness_read(ops, source, want, deadline_ms, &run->text, run->positions, &run->position_count,
                                   &run->ended, &run->err);
    mr_write_u8(&run->text, '\0');
    ops->close(source);
    run->requests = atomic_load(&api.requests);
    snprintf(run->target, sizeof(run->target), "%s", api.target);
    harness_server_stop(&server);
}

static const char *run_text(const struct run *run)
{
    return (const char *)run->text.data;
}

static void test_pages(void **state)
{
    static const struct answer answers[] = { { 200, NULL, "{\"results\":[{\"a\":1},{\"a\":2}],\"of\":\"%s\"}" } };
    static const struct harness_option options[] = {
        { "json.records", "/results" }, { "page.parameter", "page" }, { "page.max", "3" }, { NULL, NULL }
    };
    struct run run = { 0 };

    MR_UNUSED(state);
    run_source(&run, answers, 1, options, "/api?seed=x#part", 100, 10000);
    assert_int_equal(run.status, MR_OK);
    assert_true(run.ended);
    assert_string_equal(run_text(&run), "0:1 {\"a\":1}\n0:1 {\"a\":2}\n0:2 {\"a\":1}\n0:2 {\"a\":2}\n"
                                        "0:3 {\"a\":1}\n0:3 {\"a\":2}\n");
    assert_string_equal(run.target, "/api?seed=x&page=3");
    assert_int_equal(run.requests, 3);
    assert_int_equal(run.position_count, 1);
    assert_int_equal(run.positions[0].next, 4);
    assert_int_equal(run.positions[0].last, 3);

    /* Resumed with the checkpoint of page 2: only page 3 is asked for.  Resumed at the end: nothing is. */
    run.positions[0].next = 3;
    run.positions[0].last = 2;
    run_source(&run, answers, 1, options, "/api", 100, 10000);
    assert_string_equal(run_text(&run), "0:3 {\"a\":1}\n0:3 {\"a\":2}\n");
    assert_string_equal(run.target, "/api?page=3");
    run_source(&run, answers, 1, options, "/api", 100, 10000);
    assert_true(run.ended);
    assert_int_equal(run.requests, 0);
    mr_writer_deinit(&run.text);
}

static void test_until_empty_page(void **state)
{
    static const struct answer answers[] = { { 200, NULL, "[1,2]" }, { 200, NULL, "[3]" }, { 200, NULL, "[]" } };
    static const struct harness_option options[] = { { "page.parameter", "p" }, { "page.first", "0" }, { NULL, NULL } };
    struct run run = { 0 };

    MR_UNUSED(state);
    run_source(&run, answers, 3, options, "/", 100, 10000);
    assert_true(run.ended);
    assert_string_equal(run_text(&run), "0:0 1\n0:0 2\n0:1 3\n");
    assert_int_equal(run.requests, 3);
    run_source(&run, answers, 3, options, "/", 100, 10000);
    assert_true(run.ended);
    assert_int_equal(run.requests, 0);
    mr_writer_deinit(&run.text);
}

/* One request without interval; what comes of each kind of answer. */
static void test_answers(void **state)
{
    static const struct {
        const char *name;
        struct answer answers[3];
        int count;
        enum mr_status status;
        int requests;
        const char *text; /* records, or a part of the error */
    } cases[] = {
        { "plain", { { 200, NULL, "{\"r\":[7]}" } }, 1, MR_OK, 1, "0:1 7\n" },
        { "one value", { { 200, NULL, "{\"r\":{\"x\":1}}" } }, 1, MR_OK, 1, "0:1 {\"x\":1}\n" },
        { "no records", { { 200, NULL, "{\"r\":[]}" } }, 1, MR_OK, 1, "" },
        { "500, then good", { { 500, NULL, "down" }, { 200, NULL, "{\"r\":[7]}" } }, 2, MR_OK, 2, "0:1 7\n" },
        { "429, then good", { { 429, NULL, "" }, { 200, NULL, "{\"r\":[7]}" } }, 2, MR_OK, 2, "0:1 7\n" },
        { "closed, then good", { { -1, NULL, "" }, { 200, NULL, "{\"r\":[7]}" } }, 2, MR_OK, 2, "0:1 7\n" },
        { "silent, then good", { { 0, NULL, "" }, { 200, NULL, "{\"r\":[7]}" } }, 2, MR_OK, 2, "0:1 7\n" },
        { "500 for ever", { { 500, NULL, "the database is on fire" } }, 1, MR_IO, 3, "status 500, body 'the database" },
        { "404", { { 404, NULL, "no such page" } }, 1, MR_INVALID, 1, "status 404, body 'no such page'" },
        { "401", { { 401, NULL, "" } }, 1, MR_INVALID, 1, "status 401" },
        { "not JSON", { { 200, NULL, "<html>oops" } }, 1, MR_OK, 1, "0:1! <html>oops\n" },
        { "cut JSON", { { 200, NULL, "{\"r\":[1,2" } }, 1, MR_OK, 1, "0:1! {\"r\":[1,2\n" },
        { "no such path", { { 200, NULL, "{\"error\":\"x\"}" } }, 1, MR_OK, 1, "0:1! {\"error\":\"x\"}\n" },
        { "empty body", { { 200, NULL, "" } }, 1, MR_OK, 1, "0:1! \n" },
        { "too long",
          { { 200, NULL, "{\"r\":[\"0123456789012345678901234567890123456789012345678901234567890123456\"]}" } },
          1,
          MR_LIMIT,
          1,
          "" },
        { "redirect",
          { { 302, "Location: /there\r\n", "" }, { 200, NULL, "{\"r\":[\"%s\"]}" } },
          2,
          MR_OK,
          2,
          "0:1 \"/there\"\n" },
        { "redirect to a file", { { 302, "Location: file:///etc/passwd\r\n", "" } }, 1, MR_IO, 3, "" },
    };
    static const struct harness_option options[] = {
        { "json.records", "/r" },  { "http.retries", "2" },    { "http.retry-delay", "5 ms" },
        { "http.timeout", "1 s" }, { "http.max-bytes", "60" }, { NULL, NULL },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct run run = { 0 };

        run_source(&run, cases[i].answers, cases[i].count, options, "/x", 100, 10000);
        if (run.status != cases[i].status && run.status == MR_OK)
            fail_msg("%s: no error", cases[i].name);
        if (strcmp(cases[i].name, "redirect to a file") == 0) { /* which error is libcurl's choice */
            assert_int_not_equal(run.status, MR_OK);
            assert_string_equal(run_text(&run), "");
        } else if (run.status != cases[i].status || run.requests != cases[i].requests) {
            fail_msg("%s: status %s (%s), %d requests", cases[i].name, mr_status_text(run.status), run.err.text,
                     run.requests);
        } else if (cases[i].status == MR_OK && strcmp(run_text(&run), cases[i].text) != 0) {
            fail_msg("%s: records '%s'", cases[i].name, run_text(&run));
        } else if (cases[i].status != MR_OK && strstr(run.err.text, cases[i].text) == NULL) {
            fail_msg("%s: error '%s'", cases[i].name, run.err.text);
        } else if (cases[i].status == MR_OK) {
            assert_true(run.ended);
        }
        mr_writer_deinit(&run.text);
    }
}

/* With an interval an API that is down is only a warning; Retry-After is waited for. */
static void test_interval(void **state)
{
    static const struct answer answers[] = { { 500, NULL, "" }, { 500, NULL, "" },    { 500, NULL, "" },
                                             { 500, NULL, "" }, { 200, NULL, "[1]" }, { 200, NULL, "[2]" } };
    static const struct harness_option options[] = {
        { "scan.interval", "20 ms" }, { "http.retries", "1" }, { "http.retry-delay", "2 ms" }, { NULL, NULL }
    };
    static const struct answer slow[] = { { 503, "Retry-After: 1\r\n", "" }, { 200, NULL, "[1]" } };
    static const struct harness_option once[] = { { "http.retry-delay", "1 ms" }, { NULL, NULL } };
    struct run run = { 0 };
    int64_t begun_ns;

    MR_UNUSED(state);
    run_source(&run, answers, 6, options, "/", 3, 10000);
    assert_int_equal(run.status, MR_OK);
    assert_false(run.ended);
    assert_string_equal(run_text(&run), "0:1 1\n0:2 2\n0:3 2\n");

    run.position_count = 0;
    begun_ns = mr_monotonic_ns(mr_env_real());
    run_source(&run, slow, 2, once, "/", 1, 10000);
    assert_string_equal(run_text(&run), "0:1 1\n");
    assert_true(mr_monotonic_ns(mr_env_real()) - begun_ns >= 900000000);
    mr_writer_deinit(&run.text);
}

/* The scan ends by its duration, counted from the first open also after a restart. */
static void test_duration(void **state)
{
    static const struct answer answers[] = { { 200, NULL, "[1]" } };
    static const struct harness_option options[] = { { "scan.interval", "10 ms" },
                                                     { "scan.duration", "150 ms" },
                                                     { NULL, NULL } };
    struct run run = { 0 };

    MR_UNUSED(state);
    run_source(&run, answers, 1, options, "/", 1000000, 10000);
    assert_true(run.ended);
    assert_true(run.requests > 1);
    assert_true(run.positions[0].state.size > 0);
    run_source(&run, answers, 1, options, "/", 1000000, 10000);
    assert_true(run.ended);
    assert_int_equal(run.requests, 0);
    mr_writer_deinit(&run.text);
}

static void test_wrong_options(void **state)
{
    static const struct {
        struct harness_option options[3];
        const char *text;
    } cases[] = {
        { { { "url", "randomuser.me/api" } }, "url" },
        { { { "url", "ftp://127.0.0.1/x" } }, "http" },
        { { { "url", "http://" } }, "url" },
        { { { NULL, NULL } }, "'url' is missing" },
        { { { "url", "http://127.0.0.1:1/" }, { "json.records", "results" } }, "JSON pointer" },
        { { { "url", "http://127.0.0.1:1/" }, { "scan.interval", "soon" } }, "'scan.interval' = 'soon'" },
        { { { "url", "http://127.0.0.1:1/" }, { "page.max", "3" } }, "page.parameter" },
        { { { "url", "http://127.0.0.1:1/" }, { "page.parameter", "a&b" } }, "page.parameter" },
        { { { "url", "http://127.0.0.1:1/" }, { "http.timeout", "0 s" } }, "timeout" },
        { { { "url", "http://127.0.0.1:1/" }, { "http.headers", "no colon" } }, "http.headers" },
    };
    const struct connector_source_ops *ops = connectors_find("http")->source;

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct connector_source *source = NULL;
        struct mr_err err = MR_ERR_INIT;
        struct connector_context ctx;
        struct harness_table table;

        harness_context_init(&ctx, NULL);
        harness_table_init(&table, "http", NULL, cases[i].options);
        assert_int_equal(ops->open(&source, &table.table, &ctx, NULL, 0, &err), MR_INVALID);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("case %zu: '%s'", i, err.text);
    }
}

/* Nobody listens: refused, retried, and then an error that names the URL. */
static void test_refused(void **state)
{
    static const struct harness_option options[] = { { "url", "http://user:secret@127.0.0.1:1/x" },
                                                     { "http.retries", "1" },
                                                     { "http.retry-delay", "1 ms" },
                                                     { NULL, NULL } };
    const struct connector_source_ops *ops = connectors_find("http")->source;
    struct connector_position positions[16];
    struct connector_source *source = NULL;
    struct mr_err err = MR_ERR_INIT;
    struct mr_writer text = { 0 };
    struct connector_context ctx;
    struct harness_table table;
    uint32_t count = 0;
    bool ended;

    MR_UNUSED(state);
    harness_context_init(&ctx, NULL);
    harness_table_init(&table, "http", NULL, options);
    assert_int_equal(ops->open(&source, &table.table, &ctx, NULL, 0, &err), MR_OK);
    assert_int_equal(harness_read(ops, source, 1, 10000, &text, positions, &count, &ended, &err), MR_IO);
    assert_non_null(strstr(err.text, "127.0.0.1:1/x"));
    assert_null(strstr(err.text, "secret"));
    ops->close(source);
    mr_writer_deinit(&text);
}

/* A query that stops does not wait for a silent API. */
static void *stop_soon(void *arg)
{
    struct api *api = arg;

    harness_wait(&api->requests, 1);
    atomic_store(&harness_stop, true);
    return NULL;
}

static void test_stop(void **state)
{
    static const struct answer answers[] = { { 0, NULL, "" } };
    struct api api = { .answers = answers, .count = 1 };
    const struct connector_source_ops *ops = connectors_find("http")->source;
    struct harness_option options[] = { { "url", NULL }, { NULL, NULL } };
    struct connector_source *source = NULL;
    struct mr_err err = MR_ERR_INIT;
    struct connector_poll poll;
    struct harness_server server;
    struct connector_context ctx;
    struct harness_table table;
    enum mr_status status = MR_OK;
    pthread_t stopper;
    char url[64];

    MR_UNUSED(state);
    harness_server_start(&server, api_handle, &api);
    snprintf(url, sizeof(url), "http://%s/", server.address);
    options[0].value = url;
    harness_context_init(&ctx, NULL);
    harness_table_init(&table, "http", NULL, options);
    assert_int_equal(ops->open(&source, &table.table, &ctx, NULL, 0, &err), MR_OK);
    pthread_create(&stopper, NULL, stop_soon, &api);
    for (int i = 0; i < 100 && status == MR_OK; i++)
        status = ops->poll(source, 1000, 100, &poll, &err);
    assert_int_equal(status, MR_BUSY);
    pthread_join(stopper, NULL);
    ops->close(source);
    harness_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),    cmocka_unit_test(test_until_empty_page),
        cmocka_unit_test(test_answers),  cmocka_unit_test(test_interval),
        cmocka_unit_test(test_duration), cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
