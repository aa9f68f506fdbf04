/* test_parse.c -- request heads, queries and routes. */
#include "http/server_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text;
    enum mr_status status;
    size_t headers;
} heads[] = {
    { "GET / HTTP/1.1\r\n", MR_OK, 0 },
    { "GET /a?b=c HTTP/1.0\r\nHost: x\r\n", MR_OK, 1 },
    { "OPTIONS * HTTP/1.1\r\nHost:x\r\nA:\r\nB: \t c d \t\r\n", MR_OK, 3 },
    { "GET / HTTP/2.0\r\n", MR_UNSUPPORTED, 0 },
    { "GET / HTTP/1.10\r\n", MR_UNSUPPORTED, 0 },
    { "", MR_INVALID, 0 },
    { "\r\n", MR_INVALID, 0 },
    { "GET /\r\n", MR_INVALID, 0 },
    { "GET  / HTTP/1.1\r\n", MR_INVALID, 0 },
    { "GET / HTTP/1.1", MR_INVALID, 0 },
    { "GET / HTTP/1.1\n", MR_INVALID, 0 },
    { "G(T / HTTP/1.1\r\n", MR_INVALID, 0 },
    { "GET http://x/ HTTP/1.1\r\n", MR_INVALID, 0 },
    { "GET /a\tb HTTP/1.1\r\n", MR_INVALID, 0 },
    { "GET / HTTP/1.1\r\nHost x\r\n", MR_INVALID, 0 },
    { "GET / HTTP/1.1\r\nHost : x\r\n", MR_INVALID, 0 },
    { "GET / HTTP/1.1\r\n: x\r\n", MR_INVALID, 0 },
    { "GET / HTTP/1.1\r\nA: x\r\n folded\r\n", MR_INVALID, 0 },
    { "GET / HTTP/1.1\r\nA: x\nB: y\r\n", MR_INVALID, 0 },
    { "GET / HTTP/1.1\r\nA: \x01\r\n", MR_INVALID, 0 },
};

static void test_heads(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(heads); i++) {
        char *text = mr_strdup(heads[i].text);
        struct http_head head;
        enum mr_status status = http_head_parse(text, strlen(heads[i].text), &head);

        if (status != heads[i].status)
            fail_msg("%s: %s", heads[i].text, mr_status_text(status));
        if (status == MR_OK)
            assert_int_equal(head.header_count, heads[i].headers);
        mr_free(text);
    }
}

static void test_head_fields(void **state)
{
    char text[] = "GET / HTTP/1.1\r\nHost:  a b \r\nX: 1\r\nx: 2\r\n";
    struct http_head head;
    size_t count;

    MR_UNUSED(state);
    assert_int_equal(http_head_parse(text, sizeof(text) - 1, &head), MR_OK);
    assert_string_equal(http_head_field(&head, "hOST", &count), "a b");
    assert_int_equal(count, 1);
    assert_string_equal(http_head_field(&head, "X", &count), "1");
    assert_int_equal(count, 2);
    assert_null(http_head_field(&head, "Y", &count));
}

static void test_head_limits(void **state)
{
    struct mr_writer w = { 0 };
    struct http_head head;

    MR_UNUSED(state);
    mr_write_text(&w, "GET / HTTP/1.1\r\n");
    for (int i = 0; i <= HTTP_HEADERS_MAX; i++)
        mr_write_text(&w, "a: b\r\n");
    mr_write_u8(&w, 0);
    assert_int_equal(http_head_parse((char *)w.data, w.size - 1, &head), MR_LIMIT);
    mr_writer_deinit(&w);
}

static const struct {
    const char *query;
    enum mr_status status;
    size_t count;
    const char *first_name, *first_value;
} queries[] = {
    { "", MR_OK, 0, NULL, NULL },
    { "a=b", MR_OK, 1, "a", "b" },
    { "a", MR_OK, 1, "a", "" },
    { "a=b=c&&d", MR_OK, 2, "a", "b=c" },
    { "n%61me=x+y%2B%c3%a9", MR_OK, 1, "name", "x y+\xc3\xa9" },
    { "=v", MR_OK, 0, NULL, NULL },
    { "a=%", MR_INVALID, 0, NULL, NULL },
    { "a=%4", MR_INVALID, 0, NULL, NULL },
    { "a=%00", MR_INVALID, 0, NULL, NULL },
    { "%zz=1", MR_INVALID, 0, NULL, NULL },
};

static void test_queries(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(queries); i++) {
        char *text = mr_strdup(queries[i].query);
        struct http_param params[HTTP_QUERY_MAX];
        size_t count;
        enum mr_status status = http_query_parse(text, params, &count);

        if (status != queries[i].status || (status == MR_OK && count != queries[i].count))
            fail_msg("%s: %s, %zu", queries[i].query, mr_status_text(status), count);
        if (status == MR_OK && count > 0) {
            assert_string_equal(params[0].name, queries[i].first_name);
            assert_string_equal(params[0].value, queries[i].first_value);
        }
        mr_free(text);
    }
}

static void test_routes(void **state)
{
    static struct http_route routes[] = {
        { NULL, "GET", "/connectors/:name", NULL, "name" },
        { NULL, "DELETE,PUT", "/connectors/:name", NULL, "delete" },
        { NULL, "GET", "/connectors/status", NULL, "status" },
        { NULL, "GET", "/connectors/:name/tasks/:id", NULL, "task" },
        { NULL, "GET", "/assets/*", NULL, "assets" },
        { NULL, "GET", "/", NULL, "root" },
    };
    static const struct {
        const char *method, *path, *route, *param, *value, *allow;
    } cases[] = {
        { "GET", "/", "root" },
        { "HEAD", "/", "root" },
        { "POST", "/", NULL, NULL, NULL, "GET" },
        { "GET", "/connectors/a%2Fb", "name", "name", "a/b" },
        { "PUT", "/connectors/x", "delete", "name", "x" },
        { "GET", "/connectors/status", "status" },
        { "POST", "/connectors/x", NULL, NULL, NULL, "GET,DELETE,PUT" },
        { "GET", "/connectors/x/tasks/7", "task", "id", "7" },
        { "GET", "/connectors//tasks/7", NULL },
        { "GET", "/connectors", NULL },
        { "GET", "/connectors/", NULL },
        { "GET", "/assets/a/b.js", "assets", "*", "a/b.js" },
        { "GET", "/assets/", "assets", "*", "" },
        { "GET", "/assets/%zz", NULL },
        { "GET", "*", NULL },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i + 1 < MR_COUNT(routes); i++)
        routes[i].next = &routes[i + 1];
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_arena *arena = mr_arena_new();
        struct http_param params[HTTP_SEGMENTS_MAX];
        size_t count = 0;
        const char *allow;
        const struct http_route *route =
            http_routes_find(routes, cases[i].method, cases[i].path, arena, params, &count, &allow);

        if ((route == NULL) != (cases[i].route == NULL) || (route != NULL && strcmp(route->arg, cases[i].route) != 0))
            fail_msg("%s %s: %s", cases[i].method, cases[i].path, route ? (char *)route->arg : "none");
        if (cases[i].allow != NULL)
            assert_string_equal(allow, cases[i].allow);
        if (cases[i].param != NULL) {
            assert_string_equal(params[count - 1].name, cases[i].param);
            assert_string_equal(params[count - 1].value, cases[i].value);
        }
        mr_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),   cmocka_unit_test(test_head_fields), cmocka_unit_test(test_head_limits),
        cmocka_unit_test(test_queries), cmocka_unit_test(test_routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
